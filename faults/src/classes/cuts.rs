//! The exchange with the carrier through a proxy that cuts or bends it at every byte, requests and answers, look-ups
//! included. The carrier's own reports are held back for half of the texts, so that only its list knows of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use simulator::carrier::Journey;

use crate::machine::Machine;
use crate::proxy::Proxy;
use crate::scripts::Sweep;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;

/// `HTTP/1.1 201 Created`
const STATUS_LINE: usize = 22;
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let cuts = machine.many(120, 1_200);
    let wishes = cuts * 5 / 4;
    let store = Store::fresh(&machine, kind).await?;
    let site = Site::lay(&machine, "cuts", Plan { store: Some(store), ..Plan::default() }).await?;
    let (first, stride) = match (machine.short, kind) {
        (true, Kind::Sqlite) => (3, 29),
        (true, Kind::Postgres) => (17, 29),
        (false, Kind::Sqlite) => (0, 2),
        (false, Kind::Postgres) => (1, 2),
    };
    let target = site.world.sms_url().trim_start_matches("http://").to_owned();
    let proxy = Proxy::start(&target, Sweep::over(cuts, first, stride, STATUS_LINE)).await?;
    let site = site.with("TWILIO_URL", &format!("http://{}", proxy.address)).up(wishes).await?;
    let silent = Journey { callback_copies: 0, times: u32::try_from(wishes / 2).ok(), ..Journey::default() };
    site.world.carrier().script(silent);
    site.insist_on(0..wishes, 16).await;
    let begun = Instant::now();
    while proxy.script(|sweep| sweep.left()) > 0 && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if site.jobs_due().await? == 0 {
            break;
        }
    }
    let done = proxy.script(|sweep| {
        sweep.end();
        sweep.done.clone()
    });
    let mut tally = Tally::default();
    done.iter().for_each(|(name, count)| tally.fault(name, *count));
    let (injected, wanted) = (tally.injected(), u64::try_from(cuts)? * 9 / 10);
    tally.expect(injected >= wanted, || format!("only {injected} exchanges were harmed"));
    site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}
