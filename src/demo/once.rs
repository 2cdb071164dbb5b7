//! The whole story without a person. Every count in its last line comes from the journals of the outside world.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use simulator::bots::Scanner;
use simulator::call::{Intent, PostCallEvent, Reached};
use simulator::people::{AtTheBank, Attempt, Card, Customer, links_in};
use simulator::stripe::IntentStatus;

use super::Stage;
use super::seed::{Client, SeededInvoice};

/// Anything that takes longer has gone wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which invoices get a call on which the customer asks for a link.
const WISHES: [&str; 12] = [
    "mobile",
    "landline",
    "email_only",
    "spanish",
    "nothing",
    "overdue",
    "large",
    "zero_decimal",
    "dispute",
    "decline",
    "threeds",
    "scanner",
];

#[derive(Default)]
struct Tally {
    events: u64,
    calls_denied: u64,
    disputes: u64,
    paid: u64,
    /// Business-side moments at which an event was accepted, on the world's monotonic clock.
    accepted_us: Vec<(String, i64)>,
}

/// The calls of the interactive demo: one after the other, as a dialer would place them.
pub(super) async fn calls(stage: &Stage) -> anyhow::Result<()> {
    let mut tally = Tally::default();
    for name in WISHES {
        call(stage, name, Intent::SendLink, &mut tally).await?;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    println!("\nAll calls are done. Pay, ask a question, reply STOP: everything is live.\n");
    Ok(())
}

/// Plays everything and sums it up.
pub(super) async fn play(stage: &Stage) -> anyhow::Result<Value> {
    let mut tally = Tally::default();
    for name in WISHES {
        call(stage, name, Intent::SendLink, &mut tally).await?;
    }
    other_calls(stage, &mut tally).await?;
    repeated_delivery(stage).await?;
    pay(stage, &mut tally).await?;
    scanners(stage).await?;
    question(stage, &mut tally).await?;
    opt_out(stage).await?;
    receipts(stage).await?;
    sum_up(stage, &tally)
}

/// The dialer asks, calls, and reports what the customer wished.
async fn call(stage: &Stage, name: &str, intent: Intent, tally: &mut Tally) -> anyhow::Result<()> {
    let invoice = stage.seeded.invoice(name)?;
    let phone = invoice.phone.unwrap_or("+14155550100");
    let attempt = stage.world.dialer().attempt_call(&invoice.id, phone).await;
    ensure!(attempt.placed(), "the call about {name} was not allowed: {:?}", attempt.outcome);
    let event = wish(stage, invoice, intent);
    let asked_us = stage.world.clock().monotonic_us();
    stage.ended.note(invoice, asked_us);
    let receipt = stage.world.dialer().report(&stage.calls, &event).await?;
    ensure!(
        receipt.status == 202,
        "the event about {name} was answered {}: {}",
        receipt.status,
        receipt.body
    );
    tally.events += 1;
    tally.accepted_us.push((name.to_owned(), asked_us));
    println!(
        "{:>12}  call about {name} ended; the event was {}",
        "+0.000 s",
        receipt.disposition().unwrap_or("?")
    );
    Ok(())
}

fn wish(stage: &Stage, invoice: &SeededInvoice, intent: Intent) -> PostCallEvent {
    let call_id = format!("call_{}_{intent:?}", invoice.name);
    let now_ms = stage.world.clock().now_ms();
    let event = PostCallEvent::new(&call_id, stage.seeded.merchant_id.as_str(), &invoice.id, intent, now_ms)
        .campaign(&invoice.campaign_id)
        .evidence("just text me the link");
    match (invoice.phone, invoice.email) {
        (Some(phone), _) => event.phone(phone),
        (None, Some(email)) => event.email(email),
        (None, None) => event,
    }
}

/// What must not send anything: voicemail, a promise, an unknown invoice.
async fn other_calls(stage: &Stage, tally: &mut Tally) -> anyhow::Result<()> {
    let voicemail =
        wish(stage, stage.seeded.invoice("two_tabs")?, Intent::SendLink).reached(Reached::Voicemail);
    let promise = wish(stage, stage.seeded.invoice("promise")?, Intent::PromiseToPay).promised("2099-01-15");
    let stranger = wish(stage, stage.seeded.invoice("two_tabs")?, Intent::SendLink)
        .set("/invoice/id", json!("inv_unheard_of"))
        .set("/call_id", json!("call_stranger"));
    for (event, expected) in [(voicemail, "ignored"), (promise, "accepted"), (stranger, "unmatched")] {
        let receipt = stage.world.dialer().report(&stage.calls, &event).await?;
        ensure!(receipt.disposition() == Some(expected), "expected {expected}, got {}", receipt.body);
        tally.events += 1;
    }
    let promised = stage.seeded.invoice("promise")?;
    let attempt = stage.world.dialer().attempt_call(&promised.id, "+14155550114").await;
    ensure!(!attempt.placed(), "a customer who promised to pay was called again");
    tally.calls_denied += 1;
    Ok(())
}

/// The voice platform delivers one event twice more; it is the same event.
async fn repeated_delivery(stage: &Stage) -> anyhow::Result<()> {
    let event = wish(stage, stage.seeded.invoice("mobile")?, Intent::SendLink);
    for _ in 0..2 {
        let receipt = stage.world.dialer().report(&stage.calls, &event).await?;
        ensure!(
            receipt.status == 200 && receipt.disposition() == Some("duplicate"),
            "a repeat was answered {}",
            receipt.body
        );
    }
    Ok(())
}

/// Waits for the link in the customer's text or mail.
async fn link_to(stage: &Stage, name: &str) -> anyhow::Result<String> {
    let invoice = stage.seeded.invoice(name)?;
    let texted = !["landline", "email_only"].contains(&name);
    let body = match (invoice.phone.filter(|_| texted), invoice.email) {
        (Some(phone), _) => {
            stage.world.carrier().wait_for_texts(phone, 1, PATIENCE).await?.swap_remove(0).body
        }
        (None, Some(email)) => {
            stage.world.mailbox().wait_for_emails(email, 1, PATIENCE).await?.swap_remove(0).text
        }
        (None, None) => bail!("{name} cannot be reached"),
    };
    links_in(&body)
        .into_iter()
        .find(|link| link.contains("/p/"))
        .with_context(|| format!("no pay link for {name}"))
}

async fn pay(stage: &Stage, tally: &mut Tally) -> anyhow::Result<()> {
    for name in ["mobile", "landline", "email_only", "spanish", "zero_decimal"] {
        let link = link_to(stage, name).await?;
        let attempt = Customer::new()?.pay(&link, &Card::good()).await?;
        ensure!(matches!(attempt, Attempt::Paid(_)), "{name} was not paid: {attempt:?}");
        tally.paid += 1;
    }
    let link = link_to(stage, "decline").await?;
    let mut customer = Customer::new()?;
    let declined = customer.pay(&link, &Card::declined()).await?;
    ensure!(matches!(declined, Attempt::Declined { .. }), "a declined card came to {declined:?}");
    let retried = customer.pay(&link, &Card::good()).await?;
    ensure!(matches!(retried, Attempt::Paid(_)), "the second card came to {retried:?}");
    let link = link_to(stage, "threeds").await?;
    let mut customer = Customer::new()?;
    let page = customer.open(&link).await?;
    let checked = customer.pay_on(&page, &Card::checked_by_bank(), AtTheBank::Complete).await?;
    ensure!(matches!(checked, Attempt::Paid(_)), "3-D Secure came to {checked:?}");
    tally.paid += 2;
    let again = Customer::new()?.open(&link).await?;
    ensure!(again.status == 200 && again.pay_config().is_err(), "a paid link showed a payment form");
    println!("{} invoices were paid", tally.paid);
    Ok(())
}

async fn scanners(stage: &Stage) -> anyhow::Result<()> {
    let link = link_to(stage, "scanner").await?;
    for scanner in Scanner::ALL {
        scanner.scan(&link).await?;
    }
    let page = Customer::new()?.open(&link).await?;
    ensure!(page.pay_config().is_ok(), "a scanner used up a link");
    Ok(())
}

/// A question on the page stops the calls about that invoice, and about no other; resolving it lets them go on.
async fn question(stage: &Stage, tally: &mut Tally) -> anyhow::Result<()> {
    let invoice = stage.seeded.invoice("dispute")?;
    let link = link_to(stage, "dispute").await?;
    let thanks = Customer::new()?.ask_question(&link, "I think I paid half of this in September.").await?;
    ensure!(thanks.status == 201, "the question was answered {}", thanks.status);
    tally.disputes += 1;
    let phone = invoice.phone.context("the customer with the question has a phone")?;
    let attempt = stage.world.dialer().attempt_call_forgetting_pauses(&invoice.id, phone).await;
    ensure!(!attempt.placed(), "a call was allowed after a question");
    tally.calls_denied += 1;
    let other = stage.seeded.invoice("expiring")?;
    let attempt = stage.world.dialer().attempt_call(&other.id, "+14155550115").await;
    ensure!(attempt.placed(), "another invoice of the campaign was paused: {:?}", attempt.outcome);
    stage
        .world
        .dialer()
        .wait_for_pause(&invoice.id, true, PATIENCE)
        .await
        .context("the dialer was not told to pause")?;
    let client = Client::new(&stage.url, &stage.seeded.api_key)?;
    let holds = client.get(&format!("/v1/holds?invoice_id={}", invoice.id)).await?;
    let hold = holds["data"][0]["id"].as_str().context("the hold is not listed")?;
    client.post(&format!("/v1/holds/{hold}/resolve"), &json!({"note": "explained by phone"})).await?;
    stage
        .world
        .dialer()
        .wait_for_pause(&invoice.id, false, PATIENCE)
        .await
        .context("the dialer was not told to resume")?;
    let attempt = stage.world.dialer().attempt_call(&invoice.id, phone).await;
    ensure!(attempt.placed(), "calls did not resume: {:?}", attempt.outcome);
    println!("a question paused the calls about one invoice; resolving it let them go on");
    Ok(())
}

async fn opt_out(stage: &Stage) -> anyhow::Result<()> {
    let invoice = stage.seeded.invoice("overdue")?;
    let phone = invoice.phone.context("the overdue customer has a phone")?;
    link_to(stage, "overdue").await?;
    stage.world.carrier().text_from(phone, "STOP").await?;
    let event = wish(stage, invoice, Intent::SendLink).set("/call_id", json!("call_after_stop"));
    stage.world.dialer().report(&stage.calls, &event).await?;
    println!("a STOP reply was confirmed; what the next call asks for is not texted");
    Ok(())
}

/// Every payment is followed by one receipt, by email where there is one.
async fn receipts(stage: &Stage) -> anyhow::Result<()> {
    for (name, emails) in [("mobile", 1), ("landline", 2), ("email_only", 2), ("spanish", 1), ("threeds", 1)]
    {
        let email = stage.seeded.invoice(name)?.email.context("they have an address")?;
        stage
            .world
            .mailbox()
            .wait_for_emails(email, emails, PATIENCE)
            .await
            .with_context(|| format!("no receipt for {name}"))?;
    }
    for name in ["zero_decimal", "decline"] {
        let phone = stage.seeded.invoice(name)?.phone.context("they have a phone")?;
        stage
            .world
            .carrier()
            .wait_for_texts(phone, 2, PATIENCE)
            .await
            .with_context(|| format!("no receipt for {name}"))?;
    }
    Ok(())
}

fn sum_up(stage: &Stage, tally: &Tally) -> anyhow::Result<Value> {
    let texts = stage.world.carrier().accepted();
    let emails = stage.world.mailbox().emails().all();
    let (mut lost, mut duplicates) = (0_u64, 0_u64);
    let mut waits_us = Vec::new();
    for name in WISHES.iter().filter(|name| **name != "nothing") {
        let invoice = stage.seeded.invoice(name)?;
        let by_text =
            texts.iter().filter(|text| Some(text.to.as_str()) == invoice.phone && text.body.contains("/p/"));
        let by_email = emails.iter().filter(|email| {
            invoice.email.is_some_and(|address| email.to.iter().any(|to| to == address))
                && email.text.contains("/p/")
        });
        let arrivals: Vec<i64> = by_text
            .map(|text| text.received_at_us)
            .chain(by_email.map(|email| email.received_at_us))
            .collect();
        match arrivals.as_slice() {
            [] => lost += 1,
            [arrival] => waits_us.extend(
                tally
                    .accepted_us
                    .iter()
                    .filter(|(wished, _)| wished == name)
                    .map(|(_, asked)| arrival - asked),
            ),
            several => duplicates += u64::try_from(several.len()).unwrap_or(0) - 1,
        }
    }
    let paid = stage
        .world
        .stripe()
        .payment_views()
        .into_iter()
        .filter(|payment| payment.status == IntentStatus::Succeeded)
        .count();
    ensure!(
        u64::try_from(paid)? == tally.paid,
        "Stripe counts {paid} payments, the customers {}",
        tally.paid
    );
    ensure!(lost == 0 && duplicates == 0, "{lost} messages were lost, {duplicates} came twice");
    waits_us.sort_unstable();
    let median_us = waits_us.get(waits_us.len() / 2).copied().unwrap_or(0);
    Ok(json!({
        "events": tally.events, "texts": texts.len(), "emails": emails.len(), "paid": paid, "disputes": tally.disputes,
        "calls_denied": tally.calls_denied, "lost": lost, "duplicates": duplicates,
        "event_to_wire_ms_p50": median_us / 1_000,
    }))
}
