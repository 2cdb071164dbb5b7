//! The story on standard output: what happened in the outside world, and how long after the call ended.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use simulator::stripe::IntentStatus;
use tokio::task::JoinHandle;

use super::Stage;
use super::seed::SeededInvoice;

pub(super) fn welcome(stage: &Stage) {
    println!("Postcall is running, with the outside world simulated.\n");
    println!("  phones and mailboxes   {}", stage.world.phone_url());
    println!("  API                    {}/docs", stage.url);
    println!("  API key                {}", stage.seeded.api_key);
    println!("  metrics                http://{}/metrics", stage.product.private);
    println!(
        "\nOpen the first one, and the link in a text. Cards: 4242 4242 4242 4242 is good, 4000 0000 0000 0002 is"
    );
    println!("declined, 4000 0025 0000 3155 asks the bank. Any later date, any CVC. Ctrl-C ends the demo.\n");
}

/// Moments on the world's monotonic clock at which calls ended, by number, address and invoice.
#[derive(Clone, Default)]
pub(crate) struct Ended(Arc<Mutex<HashMap<String, i64>>>);

impl Ended {
    pub(super) fn note(&self, invoice: &SeededInvoice, at_us: i64) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names = [Some(invoice.id.as_str()), invoice.phone, invoice.email];
        ended.extend(names.into_iter().flatten().map(|name| (name.to_owned(), at_us)));
    }

    /// Seconds from the end of the call to `at_us`, or nothing when there was no call.
    fn since(&self, name: &str, at_us: i64) -> String {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ended_us) = ended.get(name) else {
            return String::new();
        };
        let millis = (at_us - ended_us).max(0) / 1_000;
        format!("+{}.{:03} s", millis / 1_000, millis % 1_000)
    }
}

/// One line for each thing the outside world sees, as it sees it, with the time since the call ended.
pub(super) fn begin(stage: &Stage) -> JoinHandle<()> {
    let mut seen = Seen::default();
    let (carrier, mailbox) = (stage.world.carrier().clone(), stage.world.mailbox().clone());
    let (dialer, stripe) = (stage.world.dialer().clone(), stage.world.stripe().clone());
    let (clock, ended) = (stage.world.clock().clone(), stage.ended.clone());
    tokio::spawn(async move {
        loop {
            for text in carrier.texts().all().iter().skip(seen.texts) {
                say(
                    &ended.since(&text.to, text.received_at_us),
                    &format!("text to {}: {}", text.to, text.body.replace('\n', " ")),
                );
            }
            for email in mailbox.emails().all().iter().skip(seen.emails) {
                let to = email.to.join(", ");
                say(&ended.since(&to, email.received_at_us), &format!("email to {to}: {}", email.subject));
            }
            for received in dialer.commands().all().iter().skip(seen.commands) {
                let Some(command) = &received.command else {
                    continue;
                };
                let since = ended.since(&command.invoice_id, clock.monotonic_us());
                say(
                    &since,
                    &format!("dialer told: {:?} {} ({})", command.kind, command.invoice_id, command.reason),
                );
            }
            let paid: Vec<_> = stripe
                .payment_views()
                .into_iter()
                .filter(|payment| payment.status == IntentStatus::Succeeded)
                .collect();
            for payment in paid.iter().skip(seen.paid) {
                let fee = payment.application_fee_minor.unwrap_or(0);
                say(
                    "",
                    &format!(
                        "paid: {} {} minor units, our fee {fee}",
                        payment.amount_minor, payment.currency
                    ),
                );
            }
            seen = Seen {
                texts: carrier.texts().len(),
                emails: mailbox.emails().len(),
                commands: dialer.commands().len(),
                paid: paid.len(),
            };
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}

fn say(since: &str, what: &str) {
    println!("{since:>12}  {what}");
}

#[derive(Default)]
struct Seen {
    texts: usize,
    emails: usize,
    commands: usize,
    paid: usize,
}

/// Writes down what crossed the wire, for checks by the providers' own libraries.
pub(super) fn record(stage: &Stage, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).with_context(|| format!("{name} cannot be written"))
    };
    let stripe = stage.world.stripe();
    let intents = stripe.payment_views().into_iter().filter_map(|payment| stripe.payment_intent(&payment.id));
    let objects: Vec<String> = intents.chain(stripe.events()).map(|object| format!("{object}\n")).collect();
    write("stripe_objects.jsonl", objects.concat())?;
    write("stripe.jsonl", stripe.requests_jsonl())?;
    write("twilio.jsonl", stage.world.carrier().signed_jsonl())?;
    write("dialer.jsonl", stage.world.dialer().commands_jsonl())
}
