//! What the loss of Redis costs: the time from a commit in one process to the job being run in another, with Redis
//! there, after a `FLUSHALL`, and with Redis gone.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use queue::{Live, Redis, Wake};
use tokio_util::sync::CancellationToken;

use crate::ledger::{Answers, Ours};
use crate::ready_made::Behaviour;
use crate::servers::Servers;

const JOBS: u64 = 15;
const LOOK_EVERY: Duration = Duration::from_millis(1);

pub async fn measure(servers: &mut Servers) -> Result<()> {
    println!(
        "{JOBS} jobs one after the other, enqueued by one process, run by another; SQLite; milliseconds"
    );
    let stop = CancellationToken::new();
    let url = servers.redis_url();
    let bell = || anyhow::Ok(Wake::through(Redis::at(&url)?, &Live::default(), &stop));
    let [asks, _] = Ours::on_both(servers).await?;
    let asks = asks.with_wake(bell()?)?;
    let works = asks.another_process(bell()?)?;
    let answers = Answers::new(Behaviour::Succeed);
    let working = works.work(&answers);
    // Both have to have found Redis.
    tokio::time::sleep(Duration::from_secs(2)).await;

    report("Redis there", &asks, &answers, 0).await?;
    servers.flush_redis().await?;
    report("after FLUSHALL", &asks, &answers, JOBS).await?;
    servers.kill_redis()?;
    report("Redis killed", &asks, &answers, 2 * JOBS).await?;
    ensure!(asks.done().await? == i64::try_from(3 * JOBS)?, "a job was lost");
    println!("all {} jobs done", 3 * JOBS);
    working.stop().await?;
    stop.cancel();
    Ok(())
}

async fn report(when: &str, asks: &Ours, answers: &Answers, before: u64) -> Result<()> {
    let mut waits = Vec::new();
    for subject in before..before + JOBS {
        // Not in step with the poll.
        tokio::time::sleep(Duration::from_millis(200 + subject * 37 % 500)).await;
        let begun = Instant::now();
        asks.enqueue([subject]).await?;
        while answers.runs() <= subject {
            ensure!(
                begun.elapsed() < Duration::from_secs(20),
                "job {subject} was never run"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        waits.push(begun.elapsed().as_millis());
    }
    waits.sort_unstable();
    println!(
        "{when}: median {}, longest {}",
        waits[waits.len() / 2],
        waits[waits.len() - 1]
    );
    Ok(())
}
