//! How long things are kept: what is old goes, what is needed stays, and a year leaves the tables as it found them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::id::{CallEventId, LinkId, MessageId};
use domain::retention::Ages;
use domain::time::DAY_MS;
use entities::retention::{Class, forget};
use entities::sql;
use sea_orm::{ConnectionTrait, DatabaseBackend};
use serde_json::{Value, json};

use crate::support::rows::{self, INVOICE, MERCHANT, PHONE};
use crate::support::{Store, World};

const DISPUTED: &str = "inv_00000000000000000000000002";

pub(crate) async fn what_is_old_is_forgotten_and_what_is_needed_stays(store: Store) {
    let world = World::new(store).await;
    rows::invoice(&world, DISPUTED, "INV-2").await;
    rows::call(&world, "call-1", INVOICE).await;
    rows::call(&world, "call-2", DISPUTED).await;
    world.start();
    world.until("SELECT status AS cell FROM messages", &["sent", "sent"]).await;
    world.until_idle().await;
    let now = world.now().millis();
    world
        .run(
            "INSERT INTO holds (id, merchant_id, invoice_id, reason, source_ref, opened_by, opened_at_ms) \
             VALUES ('hld_1', $1, $2, 'question', 'x', 'customer', $3)",
            [MERCHANT.into(), DISPUTED.into(), now.into()],
        )
        .await;
    world
        .run(
            "INSERT INTO opt_outs (id, merchant_id, recipient, channel, sender, source, opted_out_at_ms) \
             VALUES ('opt_1', $1, $2, 'sms', '*', 'reply', $3)",
            [MERCHANT.into(), PHONE.into(), now.into()],
        )
        .await;
    let done = "SELECT count(*) || '' AS cell FROM jobs WHERE kind = 'resolve_channel'";
    assert_eq!(world.column(done).await, ["2"]);
    // A week and a day: the jobs go. A month: what was said goes, the events stay.
    world.clock.advance_ms(8 * DAY_MS);
    world.until(done, &["0"]).await;
    world.until("SELECT DISTINCT status AS cell FROM links", &["expired"]).await;
    let bodies = "SELECT count(*) || '' AS cell FROM call_events WHERE body <> ''";
    assert_eq!(world.column(bodies).await, ["2"]);
    world.clock.advance_ms(23 * DAY_MS);
    world.until(bodies, &["0"]).await;
    assert_eq!(world.column("SELECT count(*) || '' AS cell FROM call_events").await, ["2"]);
    assert_eq!(world.column("SELECT count(*) || '' AS cell FROM messages").await, ["2"]);
    // Thirteen months and more: all that is about the undisputed invoice goes, but not what the books are made of.
    world.clock.advance_ms(400 * DAY_MS);
    for table in ["call_events", "messages", "links"] {
        world.until(&format!("SELECT invoice_id AS cell FROM {table}"), &[DISPUTED]).await;
    }
    world.until("SELECT count(*) || '' AS cell FROM send_attempts", &["1"]).await;
    assert_eq!(world.column("SELECT count(*) || '' AS cell FROM invoices").await, ["2"]);
    assert_eq!(world.column("SELECT count(*) || '' AS cell FROM opt_outs").await, ["1"]);
    assert_ne!(world.column("SELECT count(*) || '' AS cell FROM timeline").await, ["0"]);
    // The dispute ends, and its evidence goes as well.
    world.run("UPDATE holds SET resolved_at_ms = 1", []).await;
    world.clock.advance_ms(60_000);
    for table in ["call_events", "messages", "links", "send_attempts"] {
        world.until(&format!("SELECT count(*) || '' AS cell FROM {table}"), &["0"]).await;
    }
}

const PER_WEEK: usize = 60;
const TABLES: [&str; 10] = [
    "jobs",
    "call_events",
    "links",
    "link_opens",
    "messages",
    "send_attempts",
    "carrier_callbacks",
    "idempotency_keys",
    "stripe_events",
    "inbound_texts",
];

pub(crate) async fn a_year_of_traffic_leaves_no_more_behind_than_a_week_adds(store: Store) {
    let statements: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let watched = Arc::clone(&statements);
    let world = World::watched(store, move |text| {
        watched.lock().unwrap().insert(text.to_owned());
    })
    .await;
    let ages = Ages::default();
    let mut counts = Vec::new();
    let mut slowest = Duration::ZERO;
    for week in 0..72 {
        plant(&world, week).await;
        world.clock.advance_ms(7 * DAY_MS);
        statements.lock().unwrap().clear();
        let begun = Instant::now();
        for class in Class::ALL {
            // In batches, the last of which is not full.
            loop {
                let tx = world.db.begin().await.unwrap();
                let rows = forget(&tx, class, &ages, world.now(), 50).await.unwrap();
                tx.commit().await.unwrap();
                if rows < 50 {
                    break;
                }
            }
        }
        slowest = slowest.max(begun.elapsed());
        counts.push(sizes(&world).await);
    }
    assert!(slowest < Duration::from_secs(10), "a week's forgetting took {slowest:?}");
    // Thirteen months in, a week takes away what a week adds.
    assert_eq!(counts[60], counts[71], "tables grow");
    assert!(counts[71].iter().all(|rows| *rows <= 58 * PER_WEEK as i64), "{:?}", counts[71]);
    let said = statements.lock().unwrap().clone();
    assert!(said.len() > 12, "{said:?}");
    for text in &said {
        let plan = plan(&world, text).await;
        let whole =
            TABLES.iter().find(|table| reads_whole(world.db.read.get_database_backend(), &plan, table));
        assert!(whole.is_none(), "{text}\nreads all of {whole:?}:\n{plan}");
    }
}

async fn sizes(world: &World) -> Vec<i64> {
    let mut sizes = Vec::new();
    for table in TABLES {
        let text = format!("SELECT CAST(count(*) AS TEXT) AS cell FROM {table}");
        sizes.push(world.column(&text).await[0].parse().unwrap());
    }
    sizes
}

fn reads_whole(backend: DatabaseBackend, plan: &str, table: &str) -> bool {
    let names = [table.to_owned(), format!("{} ", &table[..1])];
    plan.lines().any(|line| {
        if backend == DatabaseBackend::Postgres {
            return line.contains("Seq Scan") && line.contains(&format!(" on {table}"));
        }
        let scanned = line.trim().strip_prefix("SCAN ").unwrap_or("");
        !line.contains("USING") && names.iter().any(|name| scanned == name.trim())
    })
}

/// The plan the store would take for any values.
async fn plan(world: &World, text: &str) -> String {
    let backend = world.db.read.get_database_backend();
    if backend != DatabaseBackend::Postgres {
        let rows = world
            .db
            .write
            .query_all_raw(sea_orm::Statement::from_string(backend, format!("EXPLAIN QUERY PLAN {text}")));
        let rows = rows.await.unwrap();
        return rows
            .iter()
            .map(|row| row.try_get::<String>("", "detail").unwrap())
            .collect::<Vec<_>>()
            .join("\n");
    }
    let parameters = (1..10).take_while(|n| text.contains(&format!("${n}"))).count();
    let nulls = vec!["NULL"; parameters].join(", ");
    let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
    let tx = world.db.begin().await.unwrap();
    // Small tables are read whole whatever there is; we ask what could be done with large ones.
    let prepare = format!(
        "ANALYZE; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; PREPARE asked AS {text}"
    );
    tx.execute_unprepared(&prepare).await.unwrap();
    let explain = sea_orm::Statement::from_string(backend, format!("EXPLAIN EXECUTE asked{arguments}"));
    let rows = tx.query_all_raw(explain).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
    tx.execute_unprepared("DEALLOCATE asked").await.unwrap();
    tx.rollback().await.unwrap();
    lines.join("\n")
}

/// A week's rows, as they are when the work on them is done.
async fn plant(world: &World, week: usize) {
    let now = world.now();
    let at = now.millis();
    let id = |n: usize| format!("{week}-{n}");
    let mut planted: Vec<Value> = Vec::new();
    for n in 0..PER_WEEK {
        let event: CallEventId = entities::fresh::id(now);
        let message: MessageId = entities::fresh::id(now);
        let link: LinkId = entities::fresh::link_id();
        planted.push(json!({"n": id(n), "event": event, "message": message, "link": link}));
    }
    let list = sql::row_list(&planted);
    let backend = world.db.write.get_database_backend();
    let rows = sql::rows(
        backend,
        1,
        "r",
        &[("n", "text"), ("event", "text"), ("message", "text"), ("link", "text")],
    );
    let inserts = [
        "INSERT INTO call_events (id, merchant_id, dedupe_key, source, call_id, intent, invoice_ref, invoice_id, disposition, body, occurred_at_ms, received_at_ms) \
         SELECT r.event, '{merchant}', r.n, 'test', r.n, 'send_link', '{invoice}', '{invoice}', 'accepted', '{}', {at}, {at}",
        "INSERT INTO links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, event_id, token_hash, key_id, status, created_at_ms, sent_at_ms, expires_at_ms, ended_at_ms) \
         SELECT r.link, '{merchant}', '{invoice}', r.link, 1, 'call', r.n, r.event, r.link, 'k1', 'expired', {at}, {at}, {at}, {at}",
        "INSERT INTO link_opens (id, link_id, invoice_id, opened_at_ms) SELECT r.n, r.link, '{invoice}', {at}",
        "INSERT INTO messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, locale, status, created_at_ms) \
         SELECT r.message, '{merchant}', '{invoice}', 'link', r.link, 'sms', '+1', '+1', 'en', 'sent', {at}",
        "INSERT INTO send_attempts (id, merchant_id, message_id, ordinal, status, fence, started_at_ms, deadline_at_ms, lookups) \
         SELECT r.n, '{merchant}', r.message, 1, 'accepted', 1, {at}, {at}, 0",
        "INSERT INTO carrier_callbacks (id, attempt_id, provider_id, status, received_at_ms) SELECT r.n, r.n, r.n, 'delivered', {at}",
        "INSERT INTO jobs (id, kind, subject, unique_key, lane, status, due_at_ms, attempts, crashes, fence, enqueued_at_ms, finished_at_ms) \
         SELECT r.message, 'send_link', r.message, r.message, 'intents', 'done', {at}, 0, 0, 1, {at}, {at}",
        "INSERT INTO idempotency_keys (merchant_id, idempotency_key, fingerprint, status, body, created_at_ms) SELECT '{merchant}', r.n, '', 200, '', {at}",
        "INSERT INTO stripe_events (id, kind, livemode, body, received_at_ms) SELECT r.n, 'x', FALSE, '{}', {at}",
        "INSERT INTO inbound_texts (provider_id, merchant_id, sender, recipient, body, meaning, received_at_ms) SELECT r.n, '{merchant}', '+1', '+1', '', 'other', {at}",
    ];
    let tx = world.db.begin().await.unwrap();
    for insert in inserts {
        let text = insert
            .replace("{merchant}", MERCHANT)
            .replace("{invoice}", INVOICE)
            .replace("{at}", &at.to_string());
        sql::run(&tx, format!("{text} FROM {rows} WHERE true"), [list.clone()]).await.unwrap();
    }
    tx.commit().await.unwrap();
}
