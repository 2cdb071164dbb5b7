//! What an operator sees of the ledger.

use domain::job::JobKind;
use queue::{Depth, Standing};

use crate::store::{Store, enqueue, job};

const HOUR_MS: i64 = 3_600_000;

pub(crate) async fn open_jobs_are_counted_by_how_they_stand(store: Store) {
    let ledger = store.ledger();
    let subjects = ["due 1", "due 2", "tomorrow", "leased", "orphaned", "dead", "done"];
    let jobs = subjects.map(|subject| {
        let job = job(JobKind::SendLink, subject);
        if subject == "tomorrow" { job.after_ms(24 * HOUR_MS) } else { job }
    });
    enqueue(&ledger, jobs.into()).await;
    for (subject, status, lease_until) in [
        ("leased", "leased", "9999999999999"),
        ("orphaned", "leased", "1"),
        ("dead", "dead", "NULL"),
        ("done", "done", "NULL"),
    ] {
        store.run(&format!("UPDATE jobs SET status = '{status}', lease_until_ms = {lease_until} WHERE subject = '{subject}'")).await;
    }
    let mut depth = ledger.depth().await.unwrap();
    depth.sort_by_key(|depth| depth.standing);
    let alike = |standing, jobs| Depth { kind: JobKind::SendLink, standing, jobs };
    assert_eq!(
        depth,
        [
            alike(Standing::Due, 2),
            alike(Standing::Scheduled, 1),
            alike(Standing::Leased, 1),
            alike(Standing::Orphaned, 1),
            alike(Standing::Dead, 1),
        ]
    );
}

pub(crate) async fn the_pulse_names_the_oldest_work_that_nobody_has_begun(store: Store) {
    // Business time may be days ahead; what is shown is the machine's.
    store.clock.advance_ms(72 * HOUR_MS);
    let ledger = store.ledger();
    assert_eq!(ledger.pulse().await.unwrap().oldest_due_ms, []);
    let machine_ms = store.clock.machine_now().millis();
    let (late, orphan) = (job(JobKind::SendLink, "late"), job(JobKind::PauseCalls, "orphan"));
    let later = job(JobKind::SendReceipt, "later").after_ms(HOUR_MS);
    enqueue(&ledger, vec![late.after_ms(-60_000), orphan.after_ms(-120_000), later]).await;
    store.run("UPDATE jobs SET status = 'leased', lease_until_ms = 1 WHERE subject = 'orphan'").await;
    let pulse = ledger.pulse().await.unwrap();
    assert!(pulse.clock_skew_ms < 1_000, "one machine, one clock: {} ms", pulse.clock_skew_ms);
    let age_s = |kind: JobKind| {
        let due = pulse.oldest_due_ms.iter().find(|(of, _)| *of == kind);
        due.map(|(_, due_ms)| (machine_ms - due_ms + 500) / 1_000)
    };
    assert_eq!(age_s(JobKind::PauseCalls), Some(120));
    assert_eq!(age_s(JobKind::SendLink), Some(60));
    assert_eq!(age_s(JobKind::SendReceipt), None);
}
