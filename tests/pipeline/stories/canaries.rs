//! Secrets and people's details go through every door; then logs at their most talkative, metrics, answers and every
//! column of the database are searched for them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;
use simulator::call::Intent;
use simulator::people::{Attempt, Card, Customer};

use crate::canary::{Canary, blast, echo, leaks, misplaced};
use crate::child::ChildProduct;
use crate::stage::{Invoice, Stage, Store};

const MAYA: &str = "+14155550133";
const MAYA_DIGITS: &str = "4155550133";
const MAYA_EMAIL: &str = "maya.canary@example.com";
const ROSA: &str = "+14155550134";
const ROSA_EMAIL: &str = "rosa.canary@example.com";
const IVAN: &str = "+14155550138";
/// Numbers that pass for cards, each said at another place.
const CARD_ASKED: &str = "4000056655665556";
const CARD_TEXTED: &str = "5200 8282 8282 8210";
const CARD_HEARD: &str = "3782-822463-10005";
const QUESTION: &str =
    "My card is 4000056655665556, call me at 212-555-0135 or write to typed.canary@example.com.";
const DATABASE_PASSWORD: &str = "canary-database-password";
const SMTP_PASSWORD: &str = "canary-smtp-password";
const WRONG_KEY: &str = "pck_00000000000000000000000000_WrongCanaryWrongCanaryWrongCanaryWrongCan00";

/// Where a customer's number is at home: what was said, who is written to, and what was answered under an
/// idempotency key.
const PHONE_HOMES: &[&str] = &[
    "customers.phone",
    "invoices.mobile_phone",
    "messages.recipient",
    "consents.recipient",
    "opt_outs.recipient",
    "inbound_texts.sender",
    "call_events.body",
    "idempotency_keys.body",
];
const EMAIL_HOMES: &[&str] = &[
    "consents.evidence",
    "customers.email",
    "messages.recipient",
    "consents.recipient",
    "opt_outs.recipient",
    "call_events.body",
    "idempotency_keys.body",
];
/// What people write freely, kept as they wrote it, but for card numbers.
const QUESTION_HOMES: &[&str] = &["holds.words"];
const TEXT_HOMES: &[&str] = &["inbound_texts.body"];

/// The stage, the canaries that were let fly, and every answer that refused something.
struct Flight {
    stage: Stage,
    canaries: Vec<Canary>,
    /// Said only where it is refused or, now and then, taken for a name.
    blasted: Vec<Canary>,
    refusals: Vec<(String, String)>,
    log: PathBuf,
    metrics: String,
    _folder: tempfile::TempDir,
}

pub(crate) async fn no_secret_and_no_customer_leaks(store: Store) {
    let mut flight = Flight::begin(store).await;
    let mut child = flight.start().await;
    flight.stage.furnish().await;
    let maya = flight.stage.invoice(Some(MAYA), Some(MAYA_EMAIL)).await;
    let rosa = flight.stage.invoice(Some(ROSA), Some(ROSA_EMAIL)).await;
    flight.live_through_a_good_day(&maya).await;
    flight.knock_at_every_door().await;
    let rosas_link = flight.link(&rosa, "call r").await;
    flight.read_metrics().await;
    assert!(child.terminate().await.success());

    flight.replace_the_world_by_echoes().await;
    child = flight.start().await;
    flight.live_through_a_bad_day(&rosas_link, &rosa).await;
    flight.read_metrics().await;
    assert!(child.terminate().await.success());
    flight.judge().await;
}

impl Flight {
    async fn begin(store: Store) -> Self {
        let mut stage = Stage::set_without_product(store).await;
        let folder = tempfile::tempdir().unwrap();
        let config = &mut stage.config;
        config.private_listen = crate::stage::free_address();
        let mut canaries = vec![
            Canary::kept_in("a customer's number", MAYA_DIGITS, PHONE_HOMES),
            Canary::kept_in("a customer's address", "maya.canary", EMAIL_HOMES),
            Canary::kept_in("another customer's number", "4155550134", PHONE_HOMES),
            Canary::kept_in("another customer's address", "rosa.canary", EMAIL_HOMES),
            Canary::kept_in("a number typed into a question", "212-555-0135", QUESTION_HOMES),
            Canary::kept_in("an address typed into a question", "typed.canary", QUESTION_HOMES),
            Canary::kept_in("an address in a text", "texted.canary", TEXT_HOMES),
            Canary::secret("a card number typed into a question", CARD_ASKED),
            Canary::secret("a card number in a text", CARD_TEXTED),
            Canary::secret("a card number heard on a call", CARD_HEARD),
            Canary::secret("an API key", &stage.key[31..]),
            Canary::secret("Stripe's key", config.stripe_secret_key.clone()),
            Canary::secret("Stripe's webhook secret", config.stripe_webhook_secrets.clone()),
            Canary::secret("the carrier's token", config.twilio_auth_tokens.clone()),
            Canary::secret("the relay's password", SMTP_PASSWORD),
            Canary::secret("what a provider said", echo::MARK),
        ];
        let keys = config.store.keys.clone().unwrap();
        canaries.push(Canary::secret("the secret key", keys.split_once(':').unwrap().1));
        let keyring = domain::keyring::Keyring::parse(&keys).unwrap();
        for (name, label) in [("the event secret", "events"), ("the dialer secret", "dialer")] {
            let secret = keyring.derived_secret(label, stage.merchant_id.as_str(), 1);
            canaries.push(Canary::secret(name, secret.trim_start_matches("whsec_")));
        }
        let url = config.store.database_url.clone();
        if let Some((before, after)) = url.split_once("postgres@") {
            // The test's server trusts its callers: whatever password is said is never asked for.
            config.store.database_url = format!("{before}postgres:{DATABASE_PASSWORD}@{after}");
            canaries.push(Canary::secret("the database's password", DATABASE_PASSWORD));
        }
        let log = folder.path().join("log");
        Self {
            stage,
            canaries,
            blasted: Vec::new(),
            refusals: Vec::new(),
            log,
            metrics: String::new(),
            _folder: folder,
        }
    }

    async fn start(&self) -> ChildProduct {
        let mut child =
            ChildProduct::start_talkative(&self.stage.config, self.stage.clock.offset_ms(), &self.log);
        child.listening(&self.stage.config.listen).await;
        child
    }

    fn watch(&mut self, name: &'static str, word: impl Into<String>) {
        self.canaries.push(Canary::secret(name, word));
    }

    /// Reports a wish; says the link that was texted, and remembers its token as a secret.
    async fn link(&mut self, invoice: &Invoice, call: &str) -> String {
        self.stage.call(invoice, call, Intent::SendLink).await;
        let link = self.stage.texted_link(invoice, 1).await;
        self.watch("a pay link's token", link.rsplit('/').next().unwrap());
        link
    }

    /// A wish, a text, a question, a card that is declined and one that is good, a receipt, a STOP.
    async fn live_through_a_good_day(&mut self, invoice: &Invoice) {
        let event = self.stage.event(invoice, "call m", Intent::SendLink);
        let event = event.evidence(&format!("You can take my card, {CARD_HEARD}, and mail {MAYA_EMAIL}"));
        self.stage.report(&event).await;
        let link = self.stage.texted_link(invoice, 1).await;
        self.watch("the token of a link that is paid", link.rsplit('/').next().unwrap());
        let mut customer = Customer::new().unwrap();
        assert_eq!(customer.ask_question(&link, QUESTION).await.unwrap().status, 201);
        let page = customer.open(&link).await.unwrap();
        let secret = customer.begin(&page).await.unwrap().unwrap();
        self.watch("a client secret", secret.split_once("_secret_").unwrap().1);
        assert!(matches!(customer.pay(&link, &Card::declined()).await.unwrap(), Attempt::Declined { .. }));
        assert!(matches!(customer.pay(&link, &Card::good()).await.unwrap(), Attempt::Paid(_)));
        let cookies = customer.browser().cookies(&link).unwrap();
        let mark = cookies.split("pay_payer=").nth(1).unwrap().split(';').next().unwrap().to_owned();
        self.watch("the mark of a browser that paid", mark);
        self.stage.until_status(invoice, "paid").await;
        let carrier = self.stage.world.carrier();
        let text = format!("my card is {CARD_TEXTED}, mail texted.canary@example.com");
        assert_eq!(carrier.text_from(MAYA, &text).await.unwrap().status, Some(200));
        assert_eq!(carrier.text_from(MAYA, "STOP").await.unwrap().status, Some(200));
    }

    /// Every route, with every canary in every place, and nothing that could be accepted.
    async fn knock_at_every_door(&mut self) {
        let told =
            ["+14155550171", "blast.canary@example.com", "4000002500003155", WRONG_KEY].map(str::to_owned);
        self.blasted = told
            .iter()
            .map(|word| Canary::secret("what was blasted", word.trim_start_matches('+')))
            .collect();
        let target = blast::Target { url: &self.stage.config.public_url, key: &self.stage.key };
        self.refusals.extend(blast::every_operation(&target, &told).await);
        self.refusals.extend(blast::every_other_door(&target, &told).await);
        assert!(self.refusals.len() > 500, "only {} refusals", self.refusals.len());
    }

    async fn replace_the_world_by_echoes(&mut self) {
        let providers = format!("http://{}", echo::http().await);
        let relay = echo::smtp().await;
        let config = &mut self.stage.config;
        config.stripe_url.clone_from(&providers);
        config.twilio_url.clone_from(&providers);
        config.smtp_url = format!("smtp://canary:{SMTP_PASSWORD}@{relay}");
        let dialer = format!("UPDATE merchants SET dialer_url = '{providers}/commands'");
        sea_orm::ConnectionTrait::execute_unprepared(&self.stage.db.write, &dialer).await.unwrap();
    }

    /// Everybody outside answers with an error that repeats what it was told.
    async fn live_through_a_bad_day(&mut self, rosas_link: &str, rosa: &Invoice) {
        let mut customer = Customer::new().unwrap();
        let page = customer.open(rosas_link).await.unwrap();
        let config = page.pay_config().unwrap();
        let order =
            json!({"token": config.token, "revision": config.revision, "amount_minor": config.amount_minor});
        for _ in 0..echo::MOODS {
            let answer = customer.browser().post_json(&page.at("/p/pay").unwrap(), &order).await.unwrap();
            assert!(answer.status >= 400, "{}", answer.body);
            self.refusals.push(("/p/pay at an echo".to_owned(), answer.body));
        }
        self.stage.post(&format!("/v1/invoices/{}/holds", rosa.id), &json!({"words": "wait"})).await;
        for (number, phone) in [None, Some(IVAN), None, Some(ROSA)].into_iter().enumerate() {
            let invoice = self.stage.invoice(phone, Some(ROSA_EMAIL)).await;
            let event = self.stage.event(&invoice, &format!("bad call {number}"), Intent::SendLink);
            self.stage.report(&event.email(ROSA_EMAIL)).await;
            let second = self.stage.invoice(Some(ROSA), None).await;
            self.stage.call(&second, &format!("bad text {number}"), Intent::SendLink).await;
        }
        let tried =
            "SELECT id AS text FROM send_attempts WHERE status <> 'accepted' AND ended_at_ms IS NOT NULL";
        self.stage.until("echoes were heard", async || self.stage.texts_of(tried).await.len() >= 8).await;
        let told = "SELECT id AS text FROM jobs WHERE kind = 'pause_calls' AND last_error IS NOT NULL";
        self.stage.until("the dialer was told", async || !self.stage.texts_of(told).await.is_empty()).await;
    }

    async fn read_metrics(&mut self) {
        let url = format!("http://{}/metrics", self.stage.config.private_listen);
        let metrics = blast::client().get(url).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("postcall_http_request_duration_seconds"));
        self.metrics.push_str(&metrics);
    }

    async fn judge(self) {
        let log = std::fs::read_to_string(&self.log).unwrap();
        for talker in ["TRACE", "DEBUG", "INSERT INTO"] {
            assert!(log.contains(talker), "the log of {} bytes is not talkative: no {talker}", log.len());
        }
        let everywhere: Vec<Canary> = self.canaries.iter().chain(&self.blasted).cloned().collect();
        let mut faults: BTreeSet<String> = leaks(&everywhere, "the log", &log).into_iter().collect();
        faults.extend(leaks(&everywhere, "a metric", &self.metrics));
        for (asked, answer) in &self.refusals {
            faults.extend(leaks(&everywhere, &format!("the answer to {asked}"), answer));
        }
        faults.extend(misplaced(&self.canaries, &self.stage.db).await);
        assert!(faults.is_empty(), "{}", faults.into_iter().collect::<Vec<_>>().join("\n"));
        self.stage.leave();
    }
}

/// What an operator is told about a configuration that cannot work names no password.
pub(crate) async fn no_password_is_in_an_error_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "canary-password-7731";
    let cases = [
        ("POSTCALL_DATABASE_URL", format!("postgres://postcall:{secret}@127.0.0.1:1/postcall")),
        ("POSTCALL_DATABASE_URL", format!("postgres://postcall:{secret}@[half/postcall")),
        ("POSTCALL_DATABASE_URL", format!("mysql://postcall:{secret}@127.0.0.1:1/postcall")),
        ("POSTCALL_DATABASE_URL", secret.to_owned()),
        ("POSTCALL_REDIS_URL", format!("redis://:{secret}@[half")),
        ("POSTCALL_REDIS_URL", format!("rediss://:{secret}@127.0.0.1:1:2/x")),
        ("POSTCALL_KEYS", format!("k1:{secret}")),
        ("POSTCALL_KEYS", secret.to_owned()),
        ("POSTCALL_SMTP_URL", format!("smtp://postcall:{secret}@")),
        ("POSTCALL_SMTP_URL", format!("{secret}://postcall:x@host")),
        ("POSTCALL_TWILIO_URL", format!("https://u:{secret}@[half")),
        ("POSTCALL_STRIPE_URL", format!("https://u:{secret}@[half")),
        ("POSTCALL_CLOCK_OFFSET_MS", "many".to_owned()),
    ];
    for (name, value) in cases {
        let database = format!("sqlite://{}", folder.path().join("postcall.db").display());
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_postcall"));
        command.args(["serve", "--log", "trace"]).env("POSTCALL_DATABASE_URL", database);
        command.env("POSTCALL_KEYS", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        for other in
            ["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRETS", "TWILIO_AUTH_TOKENS"]
        {
            command.env(format!("POSTCALL_{other}"), format!("{secret}-{other}"));
        }
        command.env("POSTCALL_TWILIO_ACCOUNT_SID", "AC1").env("POSTCALL_LISTEN", "127.0.0.1:0");
        command.env("POSTCALL_PRIVATE_LISTEN", "127.0.0.1:0").env(name, &value).kill_on_drop(true);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        let ended = tokio::time::timeout(crate::stage::PATIENCE, command.output());
        let ended = ended.await.unwrap_or_else(|_| panic!("{name}={value} did not end the process")).unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && told.contains("error"), "{name}={value}: {told}");
        assert!(!told.contains(secret), "{name}={value} is told: {told}");
    }
}
