//! PostgreSQL that is there and hurts: connections cut on the wire, back ends terminated, deadlocks provoked by a
//! session that takes the same locks in the other order, every transaction serializable, tables locked for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::machine::Machine;
use crate::proxy::Proxy;
use crate::scripts::Now;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::{RECOVERY_MAX, Tally};
use crate::wishes::Load;

const REPORTERS: usize = 8;

pub(crate) async fn run(machine: Arc<Machine>, _kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("postgres");
    let cluster = machine.own_cluster().await?;
    let store = Store::on_server(&cluster.url).await?;
    let url = store.url();
    let server = url.split(['@', '/']).nth(3).unwrap_or_default().to_owned();
    let proxy = Proxy::start(&server, Now::and_then(machine.rng("wire"), 150)).await?;
    let phase = Duration::from_secs(if machine.short { 5 } else { 40 });
    let most = machine.many(2_000, 16_000);
    let plan = Plan { store: Some(store), ..Plan::default() };
    let site = Site::lay(&machine, "postgres", plan).await?;
    let behind = url.replace(&server, &proxy.address.to_string());
    let site = site.with("DATABASE_URL", &behind).up(most).await?;
    let load = Load::start(&site, 0..most, REPORTERS, Duration::from_millis(80));
    let mut tally = Tally::default();

    proxy.script(|now| now.on = true);
    tokio::time::sleep(phase).await;
    let cut = proxy.script(|now| {
        now.on = false;
        now.done.values().sum()
    });
    tally.fault("wires cut", cut);
    tally.fault("back ends terminated", terminate(&url, phase, &mut rng).await?);
    contend(&url, phase, &mut rng).await?;
    lock_tables(&url, &mut tally).await?;
    serialize(&site, &url, phase).await?;

    site.next_text(RECOVERY_MAX).await;
    let wishes = load.stop().await;
    let log = std::fs::read_to_string(cluster.order(|server| Ok(server.log())).await?)?;
    tally.fault("deadlocks", log.matches("deadlock detected").count());
    tally.fault("serialization failures", log.matches("could not serialize access").count());
    for name in ["deadlocks", "serialization failures", "wires cut"] {
        let seen = tally.faults.get(name).is_some_and(|count| *count > 0);
        tally.expect(seen, || format!("there were no {name}"));
    }
    tally.surfaced += site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}

/// Ends one of the product's back ends again and again.
async fn terminate(url: &str, phase: Duration, rng: &mut StdRng) -> Result<usize> {
    let mut session = PgConnection::connect(url).await?;
    let begun = Instant::now();
    let mut ended = 0;
    while begun.elapsed() < phase {
        tokio::time::sleep(Duration::from_millis(rng.random_range(20..200))).await;
        let query = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1) AS one";
        let count: i64 = sqlx::query_scalar(query).fetch_one(&mut session).await?;
        ended += usize::try_from(count)?;
    }
    session.close().await?;
    Ok(ended)
}

/// Takes rows in the order in which the product never takes them, so that the two wait for each other.
async fn contend(url: &str, phase: Duration, rng: &mut StdRng) -> Result<()> {
    let mut session = PgConnection::connect(url).await?;
    let begun = Instant::now();
    while begun.elapsed() < phase {
        sqlx::raw_sql("BEGIN").execute(&mut session).await?;
        let jobs = "SELECT count(*) FROM (SELECT id FROM jobs WHERE status IN ('leased', 'waiting') ORDER BY id DESC LIMIT 300 FOR UPDATE) AS held";
        let mut held = sqlx::raw_sql(jobs).execute(&mut session).await;
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(rng.random_range(5..40))).await;
            let skip = rng.random_range(0..20);
            let rows = format!(
                "SELECT count(*) FROM (SELECT id FROM invoices WHERE id IN (SELECT invoice_id FROM call_events ORDER BY id DESC LIMIT 40 OFFSET {skip}) ORDER BY id DESC FOR UPDATE) AS held"
            );
            if held.is_ok() {
                held = sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut session).await;
            }
        }
        // The victim may be this session: then it begins anew.
        sqlx::raw_sql("ROLLBACK").execute(&mut session).await?;
    }
    session.close().await?;
    Ok(())
}

/// Nobody gets at the ledger for two seconds.
async fn lock_tables(url: &str, tally: &mut Tally) -> Result<()> {
    for table in ["jobs", "call_events", "send_attempts"] {
        let statements = format!(
            "BEGIN; SET LOCAL lock_timeout = '20s'; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2); COMMIT"
        );
        let mut session = PgConnection::connect(url).await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut session).await?;
        session.close().await?;
        tally.fault("tables locked", 1);
    }
    Ok(())
}

/// Makes every new session of the product serializable, so that PostgreSQL refuses what ran side by side.
async fn serialize(site: &Site, url: &str, phase: Duration) -> Result<()> {
    let name = url.rsplit_once('/').map_or("", |(_, name)| name).to_owned();
    let set = |level: &str| format!("ALTER DATABASE {name} SET default_transaction_isolation = '{level}'");
    site.store.run(&set("serializable")).await?;
    site.pass_time(0).await?;
    tokio::time::sleep(phase).await;
    site.store.run(&set("read committed")).await?;
    site.pass_time(0).await
}
