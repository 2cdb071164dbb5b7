//! SIGTERM with a hundred sends in flight: they end well, nothing is left unknown, and the process exits 0.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use simulator::{Fault, FaultRule};

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;
use crate::wishes::by_email;

const WISHES: usize = 120;
const IN_FLIGHT: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let rounds = machine.many(1, 3);
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "drains", plan, rounds * WISHES).await?;
    let mut tally = Tally::default();
    for round in 0..rounds {
        let first = round * WISHES;
        let before = site.world.carrier().requests().len();
        site.world.carrier().fault(FaultRule::always(Fault::Delay { ms: 5_000 }));
        site.insist_on(first..first + WISHES, 40).await;
        let expected = (first..first + WISHES).filter(|n| !by_email(*n)).count();
        ensure!(expected >= IN_FLIGHT, "there are not enough texts for this class");
        let begun = Instant::now();
        while site.world.carrier().requests().len() < before + expected {
            ensure!(begun.elapsed() < PATIENCE, "the sends did not begin");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let in_flight = site
            .world
            .carrier()
            .requests()
            .read(|all| all.iter().skip(before).filter(|request| request.status.is_none()).count());
        tally.expect(in_flight >= IN_FLIGHT, || format!("only {in_flight} sends were in flight"));
        tally.fault("SIGTERM", site.processes.lock().await.len());
        tally.fault("sends in flight", in_flight);
        site.stop().await?;
        let open = "SELECT count(*) FROM send_attempts WHERE status IN ('sending', 'unknown')";
        let open = site.store.number(open).await?;
        tally.expect(open == 0, || format!("{open} sends were left without an outcome"));
        let leased = site.store.number("SELECT count(*) FROM jobs WHERE status = 'leased'").await?;
        tally.expect(leased == 0, || format!("{leased} leases were left behind"));
        site.world.carrier().clear_script();
        site.start().await?;
    }
    site.settle(rounds * WISHES).await?;
    tally.judged(&site.judge(rounds * WISHES).await?);
    site.stop().await?;
    Ok(tally)
}
