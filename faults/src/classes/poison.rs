//! Events and jobs that cannot be worked on, among innocents: they are refused or end in the list of dead jobs, and
//! nobody beside them waits or is lost.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use simulator::call::PostCallEvent;

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;
use crate::wishes::{Load, PROOF_MS};

/// Kinds of jobs whose subject is a row.
const KINDS: [&str; 8] = [
    "resolve_channel",
    "send_link",
    "send_receipt",
    "record_delivery",
    "advance_payment",
    "cancel_payment",
    "pause_calls",
    "resume_calls",
];

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let rounds = machine.many(4, 60);
    let wishes = rounds * 20;
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "poison", plan, wishes).await?;
    let load = Load::start(&site, 0..wishes, 8, Duration::from_millis(20));
    let mut tally = Tally::default();
    for round in 0..rounds {
        for (place, event) in poisoned(&site, round).into_iter().enumerate() {
            let status = site.world.dialer().report(&site.calls, &event).await.map(|receipt| receipt.status);
            let sound = matches!(status, Ok(200..=299 | 400..=499));
            tally.expect(sound, || format!("poisoned event {place} was answered {status:?}"));
            tally.fault("poisoned events", 1);
        }
        site.store.run(&poisoned_jobs(&site, round)).await?;
        tally.fault("poisoned jobs", KINDS.len() * SUBJECTS.len());
    }
    load.finished().await;
    site.said_or_still(wishes).await;
    let said = site.said().len();
    tally.expect(said >= wishes, || format!("{} innocents had to wait", wishes - said));
    // Back-offs and waits for a twin end.
    for _ in 0..2 {
        site.pass_time(PROOF_MS).await?;
        site.quiet().await?;
    }
    let open = "SELECT count(*) FROM jobs WHERE unique_key LIKE 'poison%' AND status NOT IN ('dead', 'done') AND attempts = 0";
    let untouched = site.store.number(open).await?;
    tally.expect(untouched == 0, || format!("{untouched} poisoned jobs were not even tried"));
    site.store.run("DELETE FROM jobs WHERE unique_key LIKE 'poison%'").await?;
    site.settle(wishes).await?;
    let verdict = site.judge(wishes).await?;
    tally.judged(&verdict);
    site.stop().await?;
    Ok(tally)
}

const SUBJECTS: [&str; 4] = ["", "msg_00000000000000000000000000", "nonsense", "'; DROP TABLE jobs; --"];

fn poisoned(site: &Site, round: usize) -> Vec<PostCallEvent> {
    let plain = |n: usize| site.event(0).set("/call_id", json!(format!("poison {round}.{n}")));
    let long = "x".repeat(40_000);
    let deep = (0..100).fold(json!("deep"), |inner, _| json!([inner]));
    vec![
        plain(0).set("/invoice/id", json!("inv_that_is_not")),
        plain(1).set("/outcome/evidence", json!("nul \u{0} inside")).set("/invoice/id", json!("nobody's")),
        plain(2).set("/call_id", json!(format!("nul \u{0} {round}"))).set("/invoice/id", json!("nobody's")),
        plain(3).set("/outcome/evidence", json!(long)).set("/invoice/id", json!("nobody's")),
        plain(4).set("/outcome/evidence", deep),
        plain(5).set("/occurred_at", json!("9999-99-99T99:99:99Z")),
        plain(6).set("/occurred_at", json!("0001-01-01T00:00:00Z")).set("/invoice/id", json!("nobody's")),
        plain(7).set("/outcome/intent", json!("dance")),
        plain(8).set("/outcome", Value::Null),
        plain(9).set("/customer/phone", json!("\u{202e}+1415\u{0}")).set("/invoice/id", json!("nobody's")),
        plain(10).set("/outcome/confidence", json!(1e308)).set("/invoice/id", json!("nobody's")),
        plain(11).set("/merchant_id", json!("mer_00000000000000000000000000")),
    ]
}

fn poisoned_jobs(site: &Site, round: usize) -> String {
    let now = site.world.clock().now_ms();
    let mut rows = Vec::new();
    for kind in KINDS {
        for (place, subject) in SUBJECTS.iter().enumerate() {
            let subject = subject.replace('\'', "''");
            rows.push(format!(
                "('job_poison_{kind}_{round}_{place}', '{kind}', '{subject}', 'poison {round} {place}', NULL, 'intents', 'waiting', {now}, 0, 0, 0, {now})"
            ));
        }
    }
    format!(
        "INSERT INTO jobs (id, kind, subject, unique_key, merchant_id, lane, status, due_at_ms, attempts, crashes, fence, enqueued_at_ms) VALUES {}",
        rows.join(", ")
    )
}
