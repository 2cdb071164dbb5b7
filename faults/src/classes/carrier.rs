//! A carrier that leaves its caller in the dark, or asks for patience in every shape there is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use simulator::{Fault, FaultRule};

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;

/// Longer than the wish of a carrier that is capped.
const CAPPED_WAIT_MS: i64 = 3_700_000;
const LATE_MS: u64 = 12_000;

const RETRY_AFTER: [&str; 11] = [
    "0",
    "1",
    "3",
    "-5",
    "1.5",
    "soon",
    "",
    "99999999999999999999999",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "Fri, 31 Dec 2027 23:59:59 GMT",
    "Fri, 31 Dec 2027",
];

fn faults() -> Vec<(&'static str, Fault)> {
    let mut all = vec![
        ("never answered", Fault::NeverAnswer),
        ("accepted after the time-out", Fault::Delay { ms: LATE_MS }),
        ("500 but accepted", Fault::FailAfter { status: 500 }),
        ("502 but accepted", Fault::FailAfter { status: 502 }),
        ("503 but accepted", Fault::FailAfter { status: 503 }),
        ("408 but accepted", Fault::FailAfter { status: 408 }),
        ("hung up after", Fault::DropAfter),
        ("hung up before", Fault::DropBefore),
        ("HTML for an answer", Fault::Html { status: 200 }),
        ("HTML for an answer", Fault::Html { status: 201 }),
        ("500 and refused", Fault::Refuse { status: 500, retry_after_s: None }),
        ("503 and refused", Fault::Refuse { status: 503, retry_after_s: Some(2) }),
    ];
    let torn = [0, 1, 9, 40, 150, 300].map(|bytes| ("torn answer", Fault::Truncate { bytes }));
    all.extend(torn);
    let wishes = RETRY_AFTER.map(|text| {
        ("429 with Retry-After", Fault::RefuseSaying { status: 429, retry_after: text.to_owned() })
    });
    all.extend(wishes);
    all.push(("429 without", Fault::Refuse { status: 429, retry_after_s: None }));
    all
}

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let each = machine.many(1, 20);
    let faults = faults();
    let wishes = faults.len() * each * 5 / 4;
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "carrier", plan, wishes).await?;
    for (_, fault) in &faults {
        site.world.carrier().fault(FaultRule::times(fault.clone(), u32::try_from(each)?));
    }
    site.insist_on(0..wishes, 16).await;
    site.said_or_still(wishes).await;
    all_carried_out(&site).await?;
    let mut tally = Tally::default();
    let struck = site
        .world
        .carrier()
        .requests()
        .read(|all| all.iter().filter_map(|request| request.fault.clone()).collect::<Vec<String>>());
    for (name, fault) in &faults {
        let shown = format!("{fault:?}");
        tally.fault(name, struck.iter().filter(|one| **one == shown).count());
    }
    let (injected, wanted) = (tally.injected(), u64::try_from(faults.len() * each)?);
    site.settle(wishes).await?;
    site.pass_time(CAPPED_WAIT_MS).await?;
    site.settle(wishes).await?;
    tally.expect(injected == wanted, || format!("{injected} faults instead of {wanted}"));
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}

/// Time is moved on soon: what the carrier is late with must have happened by then, as it would have by itself.
async fn all_carried_out(site: &Site) -> Result<()> {
    let begun = Instant::now();
    let late = format!("{:?}", Fault::Delay { ms: LATE_MS });
    let open = || {
        site.world.carrier().requests().read(|all| {
            all.iter().filter(|one| one.fault.as_ref() == Some(&late) && one.status.is_none()).count()
        })
    };
    while open() > 0 {
        ensure!(begun.elapsed() < Duration::from_secs(60), "the carrier is still at work");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
