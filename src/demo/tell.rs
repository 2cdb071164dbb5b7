//! The story on standard output: what happened in the outside world, and how long after the call ended.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use simulator::stripe::IntentStatus;
use tokio::task::JoinHandle;

use super::Stage;

pub(super) fn welcome(stage: &Stage) {
    println!("Postcall is running, with the outside world simulated.\n");
    println!("  phones and mailboxes   {}", stage.world.phone_url());
    println!("  API                    {}/docs", stage.url);
    println!("  API key                {}", stage.seeded.api_key);
    println!("  metrics                http://{}/metrics", stage.product.private);
    println!("\nOpen the first one, and the link in a text. Cards: 4242 4242 4242 4242 is good, 4000 0000 0000 0002 is");
    println!("declined, 4000 0025 0000 3155 asks the bank. Any later date, any CVC. Ctrl-C ends the demo.\n");
}

/// One line for each thing the outside world sees, as it sees it.
pub(super) fn begin(stage: &Stage) -> JoinHandle<()> {
    let mut seen = Seen::default();
    let (carrier, mailbox) = (stage.world.carrier().clone(), stage.world.mailbox().clone());
    let (dialer, stripe) = (stage.world.dialer().clone(), stage.world.stripe().clone());
    let clock = stage.world.clock().clone();
    tokio::spawn(async move {
        loop {
            for text in carrier.texts().all().iter().skip(seen.texts) {
                println!("{:>9}  text to {}: {}", clock_time(clock.now_ms()), text.to, text.body);
            }
            for email in mailbox.emails().all().iter().skip(seen.emails) {
                println!("{:>9}  email to {}: {}", clock_time(clock.now_ms()), email.to.join(", "), email.subject);
            }
            for command in dialer.commands().all().iter().skip(seen.commands) {
                println!("{:>9}  dialer told: {:?}", clock_time(clock.now_ms()), command.command);
            }
            let paid: Vec<_> = stripe.payment_views().into_iter().filter(|payment| payment.status == IntentStatus::Succeeded).collect();
            for payment in paid.iter().skip(seen.paid) {
                println!("{:>9}  paid: {} {} (fee {})", clock_time(clock.now_ms()), payment.amount_minor, payment.currency, payment.application_fee_minor.unwrap_or(0));
            }
            seen = Seen { texts: carrier.texts().len(), emails: mailbox.emails().len(), commands: dialer.commands().len(), paid: paid.len() };
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}

#[derive(Default)]
struct Seen {
    texts: usize,
    emails: usize,
    commands: usize,
    paid: usize,
}

/// The time of day in UTC.
pub(super) fn clock_time(ms: i64) -> String {
    let seconds = ms.div_euclid(1_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
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
