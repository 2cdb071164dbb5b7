//! Every call is reported again and again: at once, after its text went out, after a kill. It stays one wish.

use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt;

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;

/// Reports of one call at the same moment.
const AT_ONCE: usize = 4;

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let wishes = machine.many(40, 600);
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "doubles", plan, wishes).await?;
    let mut tally = Tally::default();
    report_all(&site, wishes, AT_ONCE).await;
    site.said_or_still(wishes).await;
    report_all(&site, wishes, 1).await;
    site.quiet().await?;
    let processes = site.processes.lock().await.len();
    for place in 0..processes {
        site.kill_and_replace(place).await?;
    }
    site.listening().await?;
    report_all(&site, wishes, 2).await;
    tally.fault("repeated reports", wishes * (AT_ONCE + 2));
    site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}

async fn report_all(site: &Arc<Site>, wishes: usize, times: usize) {
    let reports = (0..wishes).flat_map(|n| std::iter::repeat_n(n, times)).map(|n| site.insist(n));
    futures::stream::iter(reports).buffer_unordered(AT_ONCE * 6).collect::<Vec<()>>().await;
}
