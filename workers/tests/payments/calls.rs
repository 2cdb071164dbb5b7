use domain::hold::HoldReason;
use domain::job::Outbox;
use entities::hold::{self, NewHold};
use simulator::{Fault, FaultRule};

use crate::house::{House, MERCHANT, Store, invoice_id};

const ENROLMENT: &str = "enr_00000000000000000000000001";
const UNTOLD: &str = "SELECT id AS cell FROM enrolments WHERE acknowledged_revision < told_revision";

async fn ask(house: &House) {
    let tx = house.context.ledger.begin().await.unwrap();
    let mut outbox = Outbox::default();
    let question = NewHold {
        merchant_id: MERCHANT.parse().unwrap(),
        invoice_id: invoice_id(),
        reason: HoldReason::Question,
        source_ref: house.column("SELECT CAST(count(*) AS TEXT) AS cell FROM holds").await.remove(0),
        words: Some("Why?".to_owned()),
        opened_by: "customer".to_owned(),
    };
    assert!(hold::open(&tx, question, house.clock.now(), &mut outbox).await.unwrap());
    house.context.ledger.commit(tx, outbox).await.unwrap();
}

async fn resolve(house: &House) {
    let open = house.column("SELECT id AS cell FROM holds WHERE resolved_at_ms IS NULL").await.remove(0);
    let tx = house.context.ledger.begin().await.unwrap();
    let mut outbox = Outbox::default();
    let (merchant_id, hold_id) = (MERCHANT.parse().unwrap(), open.parse().unwrap());
    let by = "merchant";
    let resolved = hold::resolve(&tx, &merchant_id, &hold_id, by, None, house.clock.now(), &mut outbox).await;
    assert_eq!(resolved.unwrap(), hold::Resolved::Released);
    house.context.ledger.commit(tx, outbox).await.unwrap();
}

fn is_paused(house: &House) -> Option<bool> {
    house.world.dialer().enrolment_is_paused(ENROLMENT)
}

pub(crate) async fn the_dialer_is_told_to_stop_and_to_go_on(store: Store) {
    let house = House::at_work(store).await;
    ask(&house).await;
    house.until(UNTOLD, &[]).await;
    assert_eq!(is_paused(&house), Some(true));
    resolve(&house).await;
    house.until(UNTOLD, &[]).await;
    assert_eq!(is_paused(&house), Some(false));
    house.until_idle().await;
    let told: Vec<String> = house.world.dialer().obeyed().into_iter().map(|command| command.reason).collect();
    assert_eq!(told, ["question", "resolved"]);
    house
        .until("SELECT kind AS cell FROM timeline WHERE actor = 'dialer'", &["dialer_acknowledged"; 2])
        .await;
}

pub(crate) async fn a_dialer_that_is_down_hears_what_holds_when_it_is_back(store: Store) {
    let house = House::at_work(store).await;
    house.world.dialer().door().shut();
    ask(&house).await;
    let tried = "SELECT CASE WHEN attempts > 0 THEN 'tried' ELSE 'untried' END AS cell FROM jobs WHERE kind = 'pause_calls'";
    house.until(tried, &["tried"]).await;
    house.until(UNTOLD, &[ENROLMENT]).await;
    resolve(&house).await;
    ask(&house).await;
    house.world.dialer().door().reopen();
    house.clock.advance_ms(3_600_000);
    house.until(UNTOLD, &[]).await;
    house.until_idle().await;
    assert_eq!(is_paused(&house), Some(true));
    assert_eq!(house.world.dialer().obeyed().len(), 1, "what was overtaken is not told any more");
    house
        .until(
            "SELECT DISTINCT status AS cell FROM jobs WHERE kind IN ('pause_calls', 'resume_calls')",
            &["done"],
        )
        .await;
}

pub(crate) async fn a_stop_that_was_overtaken_on_its_way_does_not_win(store: Store) {
    let house = House::at_work(store).await;
    // The stop is slow to arrive; the word to go on is quicker.
    house.world.dialer().fault(FaultRule::once(Fault::Delay { ms: 700 }).matching("call.pause"));
    ask(&house).await;
    house.until_world("the stop to be on its way", |world| !world.dialer().commands().is_empty()).await;
    resolve(&house).await;
    house
        .until_world("a word to go on after the stop", |world| {
            let obeyed = world.dialer().obeyed();
            let stop = obeyed.iter().position(|one| one.reason == "question");
            stop.is_some_and(|stop| obeyed[stop..].iter().any(|one| one.reason == "resolved"))
        })
        .await;
    house.until(UNTOLD, &[]).await;
    house.until_idle().await;
    assert_eq!(is_paused(&house), Some(false));
}

pub(crate) async fn without_a_dialer_there_is_nobody_to_tell(store: Store) {
    let house = House::at_work(store).await;
    house.change("UPDATE merchants SET dialer_url = NULL").await;
    ask(&house).await;
    house.until("SELECT status AS cell FROM jobs WHERE kind = 'pause_calls'", &["done"]).await;
    assert!(house.world.dialer().commands().is_empty());
}

pub(crate) async fn what_changed_about_one_invoice_is_told_about_no_other(store: Store) {
    let house = House::at_work(store).await;
    house
        .change(&format!(
            "INSERT INTO invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, due_on, \
             status, on_hold, revision, created_at_ms, updated_at_ms) VALUES ('inv_00000000000000000000000002', '{MERCHANT}', \
             'cus_00000000000000000000000001', 'INV-2', 'USD', 0, 100, 0, '2026-11-30', 'open', FALSE, 1, 0, 0); \
             INSERT INTO enrolments (id, merchant_id, campaign_id, invoice_id, status, told_revision, acknowledged_revision, \
             created_at_ms, updated_at_ms) VALUES ('enr_00000000000000000000000002', '{MERCHANT}', \
             'cmp_00000000000000000000000001', 'inv_00000000000000000000000002', 'active', 0, 0, 0, 0)"
        ))
        .await;
    ask(&house).await;
    house.until(UNTOLD, &[]).await;
    house.until_idle().await;
    assert_eq!(is_paused(&house), Some(true));
    assert_eq!(house.world.dialer().enrolment_is_paused("enr_00000000000000000000000002"), None);
    house.until("SELECT status AS cell FROM enrolments ORDER BY id", &["paused", "active"]).await;
}
