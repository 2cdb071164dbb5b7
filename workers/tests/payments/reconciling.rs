use domain::time::MINUTE_MS;

use crate::advancing::STANDING;
use crate::house::{House, Store};

pub(crate) async fn a_payment_that_nobody_told_of_is_found(store: Store) {
    let house = House::at_work(store).await;
    let (_, intent_id) = house.pressed_pay().await;
    house.confirm(&intent_id).await;
    house.until_idle().await;
    house.until(STANDING, &["open open sent active"]).await;
    house.clock.advance_ms(8 * MINUTE_MS);
    house.until(STANDING, &["succeeded paid used ended"]).await;
    house.until_idle().await;
    assert_eq!(house.said(), 1, "the receipt");
}

pub(crate) async fn a_payment_intent_whose_answer_was_lost_is_adopted(store: Store) {
    let house = House::at_work(store).await;
    let payable = house.unmade().await;
    let intent = house.make(&payable).await;
    house.clock.advance_ms(11 * MINUTE_MS);
    house.until("SELECT payment_intent_id AS cell FROM payables", &[intent.id.as_str()]).await;
    house.until(STANDING, &["open open sent active"]).await;
}

pub(crate) async fn a_payable_whose_create_never_arrived_is_given_up(store: Store) {
    let house = House::at_work(store).await;
    house.unmade().await;
    house.clock.advance_ms(11 * MINUTE_MS);
    house.until("SELECT status AS cell FROM payables", &["canceled"]).await;
    assert!(house.world.stripe().payment_views().is_empty());
}

pub(crate) async fn an_open_payment_that_nobody_called_off_is_called_off(store: Store) {
    let house = House::at_work(store).await;
    house.pressed_pay().await;
    house.change("UPDATE links SET status = 'revoked'").await;
    house.clock.advance_ms(8 * MINUTE_MS);
    house.until("SELECT status AS cell FROM payables", &["canceled"]).await;
    let status = house.world.stripe().payment_views()[0].status;
    assert_eq!(status, simulator::stripe::IntentStatus::Canceled);
}
