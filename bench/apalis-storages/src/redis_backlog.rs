//! Redis with a backlog, twice: one it survives and one it does not; then a second worker, as a supervisor would start.

use std::time::Duration;

use anyhow::Result;
use apalis::prelude::TaskSink;

use crate::ready_made::{Behaviour, Job, Seen, watch, worker};
use crate::servers::Servers;
use crate::stores::Redis;

const BACKLOGS: [u64; 2] = [5_000, 10_000];
const SPAN: Duration = Duration::from_secs(8);

pub async fn measure(servers: &Servers) -> Result<()> {
    for backlog in BACKLOGS {
        let (store, seen) = (Redis::fresh(servers).await?, Seen::new(Behaviour::Succeed));
        for chunk in 0..backlog / 500 {
            store
                .storage()
                .push_bulk(
                    (0..500)
                        .map(|number| Job {
                            number: chunk * 500 + number,
                        })
                        .collect(),
                )
                .await?;
        }
        let waiting = store.jobs().await?;
        let first = watch(worker!(store.storage(), "one", seen), SPAN).await;
        let second = watch(worker!(store.storage(), "two", seen), SPAN).await;
        println!(
            "apalis-redis, {waiting} jobs due: {} runs; first worker {first}; second worker {second}",
            seen.runs()
        );
    }
    Ok(())
}
