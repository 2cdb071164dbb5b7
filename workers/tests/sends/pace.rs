//! How fast a number may text, and what a carrier that asks for patience gets.

use std::time::{Duration, Instant};

use crate::support::carrier::Fate;
use crate::support::rows;
use crate::support::{Store, World};

const MESSAGES: &str = "SELECT channel || ' ' || status AS cell FROM messages ORDER BY id";
const WAITING: &str =
    "SELECT status AS cell FROM jobs WHERE kind = 'send_link' AND status IN ('waiting', 'leased')";

fn invoice_id(number: usize) -> String {
    format!("inv_0000000000000000000000010{number}")
}

async fn wishes(world: &World, count: usize) {
    for number in 0..count {
        let id = invoice_id(number);
        rows::invoice(world, &id, &format!("INV-1{number}")).await;
        rows::call(world, &format!("call-{number}"), &id).await;
    }
}

pub(crate) async fn a_number_texts_no_faster_than_its_row_says_and_who_waits_holds_nothing(store: Store) {
    let world = World::new(store).await;
    // One every eight seconds.
    world.run("UPDATE merchants SET sender_texts_per_minute_max = 7", []).await;
    wishes(&world, 2).await;
    let begun = Instant::now();
    world.start();
    let sorted = "SELECT channel || ' ' || status AS cell FROM messages ORDER BY status";
    world.until(sorted, &["sms queued", "sms sent"]).await;
    world.until(WAITING, &["waiting"]).await;
    let attempts = world.column("SELECT id AS cell FROM send_attempts").await;
    assert_eq!(attempts.len(), 1, "a turn comes before an attempt");
    world.until_taken(2).await;
    assert!(begun.elapsed() >= Duration::from_secs(8), "{:?}", begun.elapsed());
}

pub(crate) async fn a_carrier_that_asks_for_patience_gets_it_for_every_text_of_the_number(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::SlowDown]);
    wishes(&world, 1).await;
    world.start();
    world.until("SELECT status AS cell FROM send_attempts", &["not_sent"]).await;
    let told = Instant::now();
    for number in 1..4 {
        let id = invoice_id(number);
        rows::invoice(&world, &id, &format!("INV-1{number}")).await;
        rows::call(&world, &format!("call-{number}"), &id).await;
    }
    let waits = ["sms queued", "sms queued", "sms queued", "sms queued"];
    world.until(MESSAGES, &waits).await;
    assert!(
        told.elapsed() > Duration::from_millis(900) || world.carrier.requests() == 1,
        "it was asked meanwhile"
    );
    world.until_taken(4).await;
    assert!(told.elapsed() >= Duration::from_millis(700), "{:?}", told.elapsed());
    assert_eq!(world.carrier.requests(), 5);
}
