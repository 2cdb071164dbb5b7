//! The carrier has answered, and the store does not take the answer.

use std::time::Duration;

use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait};

use crate::support::carrier::Fate;
use crate::support::rows::{self, INVOICE};
use crate::support::{Store, World};

const OTHER: &str = "inv_00000000000000000000000002";
/// The length of the fault: many refusals long, and shorter than a lease.
const HELD_FOR: Duration = Duration::from_millis(500);
const MESSAGES: &str = "SELECT status AS cell FROM messages ORDER BY status";
const ATTEMPTS: &str = "SELECT status AS cell FROM send_attempts ORDER BY status";

/// Refuses to close attempts of the second invoice, in a way that does not pass.
const REFUSES_ONE: [&str; 2] = [
    "CREATE TRIGGER refuse BEFORE UPDATE ON send_attempts WHEN EXISTS (SELECT 1 FROM messages WHERE id = NEW.message_id \
     AND invoice_id = 'inv_00000000000000000000000002') BEGIN SELECT RAISE(ABORT, 'never'); END",
    "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN \
     IF EXISTS (SELECT 1 FROM messages WHERE id = NEW.message_id AND invoice_id = 'inv_00000000000000000000000002') THEN \
     RAISE EXCEPTION 'never'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql",
];
/// A serialization failure for the first three who close an attempt: a sequence is not rolled back.
const REFUSES_FIRST: &str = "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN IF nextval('refusals') <= 3 THEN \
     RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql";
const ON_UPDATE: &str =
    "CREATE TRIGGER refuse BEFORE UPDATE ON send_attempts FOR EACH ROW EXECUTE FUNCTION refuse()";

pub(crate) async fn an_outcome_that_cannot_be_written_takes_no_other_with_it(store: Store) {
    let world = World::new(store).await;
    rows::invoice(&world, OTHER, "INV-2").await;
    match store {
        Store::Sqlite => drop(world.run(REFUSES_ONE[0], []).await),
        Store::Postgres => {
            world.run(REFUSES_ONE[1], []).await;
            world.run(ON_UPDATE, []).await;
        }
    }
    rows::call(&world, "call-1", INVOICE).await;
    rows::call(&world, "call-2", OTHER).await;
    world.start();
    world.until_taken(2).await;
    world.until(MESSAGES, &["queued", "sent"]).await;
    assert_eq!(world.column(ATTEMPTS).await, ["accepted", "sending"]);
    world
        .run(
            if matches!(store, Store::Sqlite) {
                "DROP TRIGGER refuse"
            } else {
                "DROP TRIGGER refuse ON send_attempts"
            },
            [],
        )
        .await;
    world.clock.advance_ms(60_000);
    world.until(MESSAGES, &["sent", "sent"]).await;
    assert_eq!(world.carrier.texts().len(), 2, "it was found at the carrier and not repeated");
}

pub(crate) async fn an_outcome_the_store_refuses_for_a_moment_is_written_all_the_same(store: Store) {
    let world = World::new(store).await;
    world.carrier.script(&[Fate::TakeAndHold]);
    rows::call(&world, "call-1", INVOICE).await;
    world.start();
    world.until_taken(1).await;
    match store {
        Store::Sqlite => {
            // A second writer holds the file when the answer comes, and nobody waits for it in silence.
            world.run("PRAGMA busy_timeout = 10", []).await;
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let writer = world.db.read.begin_with_options(options).await.unwrap();
            world.carrier.answer();
            tokio::time::sleep(HELD_FOR).await;
            writer.rollback().await.unwrap();
        }
        Store::Postgres => {
            world.run("CREATE SEQUENCE refusals", []).await;
            world.run(REFUSES_FIRST, []).await;
            world.run(ON_UPDATE, []).await;
            world.carrier.answer();
        }
    }
    world.until(MESSAGES, &["sent"]).await;
    world.until_idle().await;
    assert_eq!(world.column(ATTEMPTS).await, ["accepted"]);
    assert_eq!(world.column("SELECT CAST(sum(attempts) AS TEXT) AS cell FROM jobs").await, ["0"]);
}
