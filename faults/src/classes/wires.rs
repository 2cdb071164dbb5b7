//! The exchanges with the mail relay and with Stripe, cut at every byte. A mail whose outcome nobody saw is not
//! repeated; a payment whose answer was lost is asked for again under the same key.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::StreamExt;
use simulator::people::{Attempt, Card, Customer, links_in};

use crate::machine::Machine;
use crate::proxy::Proxy;
use crate::scripts::Sweep;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;
use crate::wishes::{by_email, phone};

const PAYERS_AT_ONCE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let (payers, mails) = (machine.many(4, 60), machine.many(12, 120));
    let wishes = mails * 10;
    let store = Store::fresh(&machine, kind).await?;
    let site = Site::lay(&machine, "wires", Plan { store: Some(store), ..Plan::default() }).await?;
    let stride = if machine.short { 37 } else { 7 };
    let relay =
        Proxy::start(&site.world.smtp_addr().to_string(), Sweep::over(mails, 0, stride, usize::MAX)).await?;
    let stripe_address = site.world.stripe_url().trim_start_matches("http://").to_owned();
    let stripe = Proxy::start(&stripe_address, Sweep::over(payers * 4, 0, stride, usize::MAX)).await?;
    let site = site.with("SMTP_URL", &format!("smtp://{}", relay.address));
    let site = site.with("STRIPE_URL", &format!("http://{}", stripe.address)).up(wishes).await?;
    let mut tally = Tally::default();

    site.insist_on(0..wishes, 16).await;
    site.said_or_still(wishes).await;
    relay.script(Sweep::end);
    relay.script(|sweep| sweep.done.iter().for_each(|(name, count)| tally.fault(mail_word(name), *count)));

    let who: Vec<usize> = (0..wishes).filter(|n| !by_email(*n)).take(payers).collect();
    let mut paying = Vec::new();
    for n in &who {
        paying.push(pay(&site, *n));
    }
    let paid: Vec<Result<()>> =
        futures::stream::iter(paying).buffer_unordered(PAYERS_AT_ONCE).collect().await;
    stripe.script(Sweep::end);
    stripe.script(|sweep| sweep.done.iter().for_each(|(name, count)| tally.fault(stripe_word(name), *count)));
    for failure in paid.into_iter().filter_map(Result::err) {
        tally.expect(false, || format!("{failure:#}"));
    }

    site.settle(wishes).await?;
    let charges: usize = site.world.stripe().payment_views().iter().map(|view| view.charges_succeeded).sum();
    tally.expect(charges == payers, || format!("{charges} charges for {payers} payments"));
    let mut verdict = site.judge(wishes).await?;
    // Who pays is texted a second time: the receipt.
    let said = site.said();
    let receipts = who.iter().filter(|n| said.get(&phone(**n)) == Some(&2)).count();
    tally.expect(receipts == payers, || format!("{receipts} receipts for {payers} payments"));
    verdict.repeated = verdict.repeated.saturating_sub(receipts);
    tally.judged(&verdict);
    site.stop().await?;
    Ok(tally)
}

/// Presses Pay until the page says that it is paid.
async fn pay(site: &Arc<Site>, n: usize) -> Result<()> {
    let begun = Instant::now();
    let texts = site.world.carrier().accepted_to(&phone(n));
    let link =
        texts.first().and_then(|text| links_in(&text.body).into_iter().find(|link| link.contains("/p/")));
    ensure!(link.is_some(), "customer {n} has no link to pay with");
    let link = link.unwrap_or_default();
    let mut customer = Customer::new()?;
    while begun.elapsed() < PATIENCE {
        if let Ok(page) = customer.open(&link).await
            && page.status == 200
            && page.pay_config().is_err()
        {
            return Ok(());
        }
        if matches!(customer.pay(&link, &Card::good()).await, Ok(Attempt::Paid(_))) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("customer {n} could not pay")
}

fn mail_word(name: &str) -> &'static str {
    if name.starts_with("requests") { "mail commands cut" } else { "mail answers cut or silent" }
}

fn stripe_word(name: &str) -> &'static str {
    if name.starts_with("requests") { "Stripe requests cut" } else { "Stripe answers cut or silent" }
}
