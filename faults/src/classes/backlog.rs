//! A backlog: calls that were taken in while nobody worked, drained through a kill; and a mountain of work in another
//! lane, beside which what customers ask for goes on as if it were not there.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;
use crate::wishes::Load;

/// Fresh calls beside the mountain.
const FRESH: usize = 200;

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let waiting = machine.many(1_000, 20_000);
    let mountain = machine.many(20_000, 1_000_000);
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "backlog", plan, waiting + FRESH).await?;
    let mut tally = Tally::default();

    // Time stands still for the workers: what comes in waits.
    site.only(&["api"]).await?;
    site.insist_on(0..waiting, 32).await;
    tally.fault("calls waiting", waiting);
    site.start().await?;
    site.next_text(Duration::from_secs(60)).await;
    site.kill_and_replace(usize::from(kind == Kind::Postgres)).await?;
    tally.fault("SIGKILL", 1);
    site.said_or_still(waiting).await;

    site.store.run(&jobs_in_another_lane(kind, mountain, site.world.clock().now_ms())).await?;
    tally.fault("jobs of another lane waiting", mountain);
    let from = site.world.clock().monotonic_us();
    let fresh = Load::start(&site, waiting..waiting + FRESH, 4, Duration::from_millis(20));
    fresh.finished().await;
    site.said_or_still(waiting + FRESH).await;
    tally.recoveries = site.recoveries(&[from]);
    tally.recovered_in_time();
    let left = site
        .store
        .number("SELECT count(*) FROM jobs WHERE unique_key LIKE 'mountain %' AND status = 'waiting'");
    let left = left.await?;
    let all = i64::try_from(mountain)?;
    tally.expect(left < all, || "nothing of the mountain was worked on".to_owned());
    tally.expect(left > 0 || machine.short, || {
        "the mountain was gone too soon to be in anybody's way".to_owned()
    });
    site.store.run("DELETE FROM jobs WHERE unique_key LIKE 'mountain %'").await?;
    site.settle(waiting + FRESH).await?;
    tally.judged(&site.judge(waiting + FRESH).await?);
    site.stop().await?;
    Ok(tally)
}

/// Reports about sends that do not exist: work that is soon done and there is much of.
fn jobs_in_another_lane(kind: Kind, count: usize, now_ms: i64) -> String {
    let numbers = match kind {
        Kind::Postgres => format!("generate_series(1, {count}) AS numbers(n)"),
        Kind::Sqlite => {
            format!(
                "(WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count}) SELECT n FROM counted)"
            )
        }
    };
    format!(
        "INSERT INTO jobs (id, kind, subject, unique_key, merchant_id, lane, status, due_at_ms, attempts, crashes, fence, enqueued_at_ms) \
         SELECT 'job_mountain_' || n, 'record_delivery', 'att_mountain_' || n, 'mountain ' || n, NULL, 'follow', 'waiting', {now_ms} - 1000, 0, 0, 0, {now_ms} FROM {numbers}"
    )
}
