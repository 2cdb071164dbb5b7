//! How fast a backlog of 20,000 jobs that do nothing is worked off, in windows of five seconds.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Result;
use apalis::prelude::TaskSink;

use crate::ledger::{Answers, Ours};
use crate::ready_made::{Behaviour, Job, Seen, worker};
use crate::servers::Servers;
use crate::stores::{Postgres, Sqlite};

const BACKLOG: u64 = 20_000;
const CHUNK: u64 = 500;
const AT_MOST: Duration = Duration::from_secs(45);
const WINDOW: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub async fn measure(servers: &Servers) -> Result<()> {
    println!(
        "backlog {BACKLOG}, enqueued {CHUNK} at a time, handler does nothing, watched for {AT_MOST:?} at most"
    );

    let (store, seen) = (Sqlite::fresh().await?, Seen::new(Behaviour::Succeed));
    let begun = Instant::now();
    for jobs in chunks() {
        store.storage().push_bulk(jobs).await?;
    }
    let enqueued = begun.elapsed();
    let drained = watch(worker!(store.storage(), "one", seen), || store.done()).await?;
    drained.print("apalis-sqlite", enqueued);

    let (store, seen) = (Sqlite::fresh().await?, Seen::new(Behaviour::Succeed));
    sqlx::query("DROP INDEX LIdx").execute(&store.pool).await?;
    let begun = Instant::now();
    for jobs in chunks() {
        store.storage().push_bulk(jobs).await?;
    }
    let enqueued = begun.elapsed();
    let drained = watch(worker!(store.storage(), "one", seen), || store.done()).await?;
    drained.print("apalis-sqlite without its index LIdx", enqueued);

    let (store, seen) = (Postgres::fresh(servers).await?, Seen::new(Behaviour::Succeed));
    let begun = Instant::now();
    for jobs in chunks() {
        store.storage().push_bulk(jobs).await?;
    }
    let enqueued = begun.elapsed();
    let drained = watch(worker!(store.storage(), "one", seen), || store.done()).await?;
    drained.print("apalis-postgres", enqueued);

    for ours in Ours::on_both(servers).await? {
        let begun = Instant::now();
        for first in (0..BACKLOG).step_by(usize::try_from(CHUNK)?) {
            ours.enqueue(first..first + CHUNK).await?;
        }
        let enqueued = begun.elapsed();
        let working = ours.work(&Answers::new(Behaviour::Succeed));
        let drained = watch(std::future::pending::<Result<()>>(), || ours.done()).await?;
        drained.print(ours.name, enqueued);
        working.stop().await?;
    }
    Ok(())
}

fn chunks() -> impl Iterator<Item = Vec<Job>> {
    (0..BACKLOG / CHUNK).map(|chunk| {
        (chunk * CHUNK..(chunk + 1) * CHUNK)
            .map(|number| Job { number })
            .collect()
    })
}

struct Drained {
    done: i64,
    took: Duration,
    /// Done in each full window.
    windows: Vec<i64>,
}

impl Drained {
    fn print(&self, name: &str, enqueued: Duration) {
        let enqueue = per_second(i64::try_from(BACKLOG).unwrap_or(i64::MAX), enqueued);
        let drain = per_second(self.done, self.took);
        let windows: Vec<String> = self
            .windows
            .iter()
            .map(|done| format!("{:.0}", per_second(*done, WINDOW)))
            .collect();
        println!(
            "{name}: enqueue {enqueue:.0}/s; {} done in {:.1} s = {drain:.0}/s; per full window: [{}]",
            self.done,
            self.took.as_secs_f64(),
            windows.join(", "),
        );
    }
}

fn per_second(jobs: i64, took: Duration) -> f64 {
    jobs as f64 / took.as_secs_f64()
}

/// Runs the worker until the backlog is done or the time is up.
async fn watch<W, F, D>(worker: W, done: F) -> Result<Drained>
where
    W: Future,
    F: Fn() -> D,
    D: Future<Output = Result<i64>>,
{
    let begun = Instant::now();
    let watching = async {
        let (mut windows, mut before) = (Vec::new(), 0);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let (now_done, took) = (done().await?, begun.elapsed());
            if u64::try_from(now_done)? == BACKLOG || took >= AT_MOST {
                return Ok(Drained {
                    done: now_done,
                    took,
                    windows,
                });
            }
            if took >= WINDOW * u32::try_from(windows.len() + 1)? {
                windows.push(now_done - before);
                before = now_done;
            }
        }
    };
    tokio::select! {
        _ = worker => Ok(Drained { done: done().await?, took: begun.elapsed(), windows: Vec::new() }),
        drained = watching => drained,
    }
}
