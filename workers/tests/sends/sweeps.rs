//! What runs every minute.

use domain::time::{DAY_MS, HOUR_MS};

use crate::support::rows::{self, INVOICE, MERCHANT};
use crate::support::{Store, World};

pub(crate) async fn a_link_past_its_time_is_recorded_as_expired_and_its_payment_is_called_off(store: Store) {
    let world = World::new(store).await;
    rows::manual_link(&world).await;
    world.start();
    world.until("SELECT status AS cell FROM links", &["sent"]).await;
    world
        .run(
            "INSERT INTO payables (id, merchant_id, invoice_id, revision, amount_minor, currency, fee_minor, fee_policy, \
             stripe_account, status, payment_intent_id, created_at_ms) \
             VALUES ('pbl_00000000000000000000000001', $1, $2, 1, 12500, 'USD', 0, '{}', 'acct_1', 'open', 'pi_1', 1)",
            [MERCHANT.into(), INVOICE.into()],
        )
        .await;
    world.clock.advance_ms(7 * DAY_MS - HOUR_MS);
    world.until_idle().await;
    assert_eq!(world.column("SELECT status AS cell FROM links").await, ["sent"]);
    world.clock.advance_ms(2 * HOUR_MS);
    world.until("SELECT status AS cell FROM links", &["expired"]).await;
    let job = "SELECT DISTINCT subject AS cell FROM jobs WHERE kind = 'cancel_payment'";
    world.until(job, &["pbl_00000000000000000000000001"]).await;
    let told = "SELECT count(*) || '' AS cell FROM timeline WHERE kind = 'link_expired'";
    assert_eq!(world.column(told).await, ["1"]);
}

pub(crate) async fn a_message_whose_job_died_is_sent_all_the_same(store: Store) {
    let world = World::new(store).await;
    let link = rows::bare_link(&world, INVOICE).await;
    rows::text_of(&world, &link, INVOICE).await;
    world.run("UPDATE jobs SET status = 'dead', finished_at_ms = 0", []).await;
    world.start();
    world.clock.advance_ms(16 * 60_000);
    world.until("SELECT status AS cell FROM messages", &["sent"]).await;
    assert_eq!(world.carrier.texts().len(), 1);
}
