//! What an operator types while the product runs.

use postcall::product::{Product, Roles};
use queue::Clock;
use serde_json::Value;
use simulator::call::{Intent, Sender};
use tokio::process::Command;

use crate::stage::{Stage, Store};

/// `postcall …` on the stage's store: whether it succeeded, and what it said.
async fn postcall(stage: &Stage, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postcall"));
    command.args(arguments).env("POSTCALL_DATABASE_URL", &stage.config.store.database_url);
    command.env("POSTCALL_KEYS", stage.config.store.keys.as_deref().unwrap());
    let ended = command.output().await.unwrap();
    let said = if ended.status.success() { ended.stdout } else { ended.stderr };
    (ended.status.success(), String::from_utf8(said).unwrap().trim().to_owned())
}

async fn told(stage: &Stage, arguments: &[&str]) -> String {
    let (succeeded, said) = postcall(stage, arguments).await;
    assert!(succeeded, "{arguments:?}: {said}");
    said
}

/// A stage on the machine's own time, as the command line is.
async fn stage() -> Stage {
    let stage = Stage::set(Store::sqlite()).await;
    stage.clock.advance_ms(Clock::default().now().since_ms(stage.clock.now()));
    stage
}

pub(crate) async fn a_merchants_secrets_are_exchanged_while_events_come() {
    let stage = stage().await;
    let (merchant, url) = (stage.merchant_id.as_str(), format!("{}/v1/events", stage.config.public_url));
    let invoice = stage.invoice(None, Some("maya@customer.example")).await;
    let status = async |sender: &Sender, call: &str| {
        let event = stage.event(&invoice, call, Intent::None);
        stage.world.dialer().report(sender, &event).await.unwrap().status
    };
    assert_eq!(status(&stage.calls, "before").await, 202);
    let shown: Value =
        serde_json::from_str(&told(&stage, &["merchant", "rotate-secret", merchant]).await).unwrap();
    assert_eq!(shown["secret_generation"], 2);
    let second = Sender::signing(&url, &told(&stage, &["merchant", "secret", merchant, "events"]).await);
    assert_eq!((status(&stage.calls, "former").await, status(&second, "new").await), (202, 202));
    told(&stage, &["merchant", "rotate-secret", merchant, "--overlap-hours", "0"]).await;
    let third = Sender::signing(&url, &told(&stage, &["merchant", "secret", merchant, "events"]).await);
    assert_eq!((status(&second, "leaked").await, status(&third, "newest").await), (401, 202));
    stage.finish().await;
}

pub(crate) async fn a_key_is_exchanged_and_caps_are_set() {
    let mut stage = stage().await;
    let merchant = stage.merchant_id.to_string();
    let keys = told(&stage, &["key", "list", &merchant]).await;
    let listed: Value = serde_json::from_str(keys.lines().next().unwrap()).unwrap();
    let former = listed["id"].as_str().unwrap();
    let fresh = told(&stage, &["key", "rotate", former, "--overlap-hours", "1"]).await;
    let first = std::mem::replace(&mut stage.key, fresh.clone());
    let status = async |stage: &mut Stage, key: &str| {
        stage.key = key.to_owned();
        stage.try_post("/v1/call-permission", &serde_json::json!({"invoice_id": "x"})).await.0
    };
    assert_eq!((status(&mut stage, &first).await, status(&mut stage, &fresh).await), (200, 200));
    stage.clock.advance_ms(domain::time::HOUR_MS);
    assert_eq!((status(&mut stage, &first).await, status(&mut stage, &fresh).await), (401, 200));

    let set =
        ["merchant", "set", &merchant, "--texts-per-day-max", "7", "--sender-texts-per-minute-max", "60"];
    let shown: Value = serde_json::from_str(&told(&stage, &set).await).unwrap();
    let caps = ["texts_per_day_max", "texts_per_number_per_day_max", "sender_texts_per_minute_max"];
    assert_eq!(caps.map(|cap| shown[cap].as_i64().unwrap()), [7, 5, 60]);
    assert_eq!(told(&stage, &["merchant", "show", &merchant]).await, shown.to_string());
    for wrong in [
        vec!["merchant", "set", merchant.as_str()],
        vec!["merchant", "set", merchant.as_str(), "--texts-per-day-max", "-1"],
        vec!["merchant", "set", "mer_00000000000000000000000000", "--texts-per-day-max", "1"],
        vec!["merchant", "rotate-secret", "mer_00000000000000000000000000"],
        vec!["key", "rotate", "key_00000000000000000000000000"],
    ] {
        assert!(!postcall(&stage, &wrong).await.0, "{wrong:?}");
    }
    stage.finish().await;
}

pub(crate) async fn webhook_secrets_of_stripe_and_the_carrier_are_exchanged_by_a_restart() {
    let mut stage = Stage::set(Store::sqlite()).await;
    let config = &mut stage.config;
    config.stripe_webhook_secrets = format!("whsec_new,{}", config.stripe_webhook_secrets);
    config.twilio_auth_tokens = format!("{},a-second-token", config.twilio_auth_tokens);
    let former = stage.product.take().unwrap();
    former.stop().await;
    let product = Product::start(&stage.config, stage.clock.clone(), Roles::BOTH).await.unwrap();
    stage.product = Some(product);
    let invoice = stage.invoice(Some("+14155550101"), None).await;
    stage.call(&invoice, "call 1", Intent::SendLink).await;
    stage.texted_link(&invoice, 1).await;
    // The carrier still signs with the first token, and its report is believed.
    stage.quiet().await;
    assert_eq!(stage.texts_of("SELECT status AS text FROM messages").await, ["delivered"]);
    stage.finish().await;
}
