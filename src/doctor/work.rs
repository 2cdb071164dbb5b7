//! Work that should have been done by now.

use domain::time::{MINUTE_MS, Timestamp};
use entities::{Db, message, send_attempt};
use queue::{Clock, Depth, Ledger, Live, Metrics, Pulse, Standing, Wake};
use sea_orm::DbErr;

use super::Finding;
use crate::config::Config;

/// A due job waits a second at most while a worker is alive.
const LATE_MS: i64 = MINUTE_MS;
/// Every event ends visibly within this time.
const PROMISE_MS: i64 = 15 * MINUTE_MS;
/// A dead worker's jobs are taken over within 15 s.
const ORPHANED_MS: i64 = 15_000;
/// What stays unknown is on the attention list within five minutes.
const UNKNOWN_MS: i64 = 5 * MINUTE_MS;
const COUNTED_MAX: u32 = 1_000;

pub(super) async fn examine(db: &Db, config: &Config) -> Vec<Finding> {
    match look(db, config).await {
        Ok(findings) => findings,
        Err(error) => {
            vec![Finding::broken("work", error.to_string(), "run `postcall migrate`, then look again")]
        }
    }
}

async fn look(db: &Db, config: &Config) -> Result<Vec<Finding>, DbErr> {
    let clock = Clock::ahead_by(config.clock_offset_ms);
    let now = clock.now();
    let metrics =
        Metrics::register(&prometheus::Registry::new()).map_err(|error| DbErr::Custom(error.to_string()))?;
    let ledger =
        Ledger::new(db.read.clone(), db.write.clone(), clock, Wake::local(), Live::default(), metrics);
    let (pulse, depths) = (ledger.pulse().await?, ledger.depth().await?);
    let orphaned = ledger.leases_expired_for(ORPHANED_MS).await?;
    let unknown = send_attempt::open_since(&db.read, now.plus_ms(-UNKNOWN_MS), COUNTED_MAX).await?.len();
    let stuck = message::abandoned_since(&db.read, now.plus_ms(-PROMISE_MS), COUNTED_MAX).await?.len();
    Ok(vec![
        due(&pulse, ledger.clock().machine_now()),
        none_of(
            "leases",
            usize::try_from(orphaned).unwrap_or(usize::MAX),
            "jobs were taken by a process that is gone, and nobody took them over",
            "start `postcall workers`, or look at why the running ones do nothing",
        ),
        dead(&depths),
        none_of(
            "unknown sends",
            unknown,
            "sends have an outcome nobody has seen for five minutes",
            "look at the attention list: each needs the carrier's log, or a person",
        ),
        none_of(
            "stuck messages",
            stuck,
            "messages wait for more than 15 minutes and the job that sends them is dead",
            "start `postcall workers`: its sweep gives each of them a new job",
        ),
    ])
}

fn none_of(check: &'static str, count: usize, what: &str, advice: &str) -> Finding {
    if count == 0 {
        return Finding::fine(check, "none");
    }
    Finding::broken(check, format!("{count} {what}"), advice)
}

/// By the machine's time, as the pulse is.
fn due(pulse: &Pulse, now: Timestamp) -> Finding {
    const ADVICE: &str =
        "start `postcall workers`, or more of them; /metrics and their log say what holds them up";
    let Some((kind, due_ms)) = pulse.oldest_due_ms.iter().min_by_key(|(_, due_ms)| *due_ms) else {
        return Finding::fine("due jobs", "none is due");
    };
    let late_ms = now.millis() - due_ms;
    let seen = format!("a {kind} has been due for {} s", late_ms / 1_000);
    match late_ms {
        PROMISE_MS.. => Finding::broken("due jobs", seen, ADVICE),
        LATE_MS.. => Finding::warning("due jobs", seen, ADVICE),
        i64::MIN..LATE_MS => Finding::fine("due jobs", "none is late"),
    }
}

fn dead(depths: &[Depth]) -> Finding {
    let dead: Vec<String> = depths
        .iter()
        .filter(|depth| depth.standing == Standing::Dead)
        .map(|depth| format!("{} {}", depth.jobs, depth.kind))
        .collect();
    if dead.is_empty() {
        return Finding::fine("dead jobs", "none");
    }
    let advice = "`postcall jobs dead` says why; `postcall jobs redrive` puts one back to work";
    Finding::warning("dead jobs", dead.join(", "), advice)
}
