//! A busy minute in which everything happens that a dashboard has a line for: links by text and email, payments, questions,
//! opt-outs, forged and broken requests, a carrier that fails in its several ways.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::call::{Intent, PostCallEvent, Reached};
use simulator::carrier::{Fate, Journey};
use simulator::mailbox::{MailFault, MailRule};
use simulator::people::{Card, Customer};
use simulator::{Fault, FaultRule};

use crate::stage::{Invoice, Stage};

/// Long enough for a few dozen scrapes.
const BUSY_MIN: Duration = Duration::from_secs(30);
/// And until so many calls were made, on a machine that is busy with other things.
const CALLS: u32 = 72;
const BUSY_MAX: Duration = Duration::from_secs(150);
/// People who are called at the same time.
const LINES: u32 = 4;

/// When the load ends.
struct End {
    begun: Instant,
    calls: AtomicU32,
}

impl End {
    fn is_reached(&self) -> bool {
        let (took, calls) = (self.begun.elapsed(), self.calls.load(Ordering::Relaxed));
        took > BUSY_MAX || (took > BUSY_MIN && calls >= CALLS)
    }
}

pub(crate) async fn run(stage: &Stage) {
    let end = End { begun: Instant::now(), calls: AtomicU32::new(0) };
    let campaign = stage.post("/v1/campaigns", &json!({"name": "A busy minute"})).await;
    let campaign_id = campaign["id"].as_str().unwrap();
    let http = gateways::http::client(Duration::from_secs(30), gateways::http::Reach::Anywhere).unwrap();
    let shop = Shop { http, stage, campaign_id };
    left_open(&shop).await;
    let lines = futures::future::join_all((0..LINES).map(|line| calls(&shop, line, &end)));
    tokio::join!(lines, trouble(stage, &end), strangers(&shop, &end));
    let calls = end.calls.load(Ordering::Relaxed);
    assert!(calls >= CALLS, "{calls} calls in {} s are no load", BUSY_MAX.as_secs());
}

/// What was made to fail works again, and what waits for the dialer is told.
pub(crate) async fn tidy_up(stage: &Stage) {
    stage.world.dialer().clear_faults();
    stage.world.stripe().clear_faults();
    stage.world.mailbox().clear_faults();
    stage.world.carrier().clear_script();
}

/// A merchant's software that takes no answer for an answer: this is load, not a story.
struct Shop<'a> {
    http: reqwest::Client,
    stage: &'a Stage,
    campaign_id: &'a str,
}

impl Shop<'_> {
    async fn post(&self, path: &str, body: &Value) -> Option<Value> {
        let url = format!("{}{path}", self.stage.config.public_url);
        let answer = self.http.post(url).bearer_auth(&self.stage.key).json(body).send().await.ok()?;
        answer.json().await.ok()
    }

    /// Most have a mobile, every sixth only an email.
    async fn invoice(&self, person: u32) -> Option<Invoice> {
        let phone = format!("+1415{}", 5_550_000 + (person % 100) * LINES + person / 10_000);
        let (phone, email) = ((person % 6 != 5).then_some(phone), format!("customer{person}@example.com"));
        let customer = json!({
            "name": "Maya Lindqvist", "phone": phone, "email": email, "locale": "en-US", "time_zone": "America/New_York",
        });
        let invoice = json!({
            "customer": customer, "number": format!("INV-{person}"), "currency": "USD", "due_on": "2026-12-24",
            "line_items": [{"description": "Cleaning", "quantity": 1, "unit_minor": 18_500}],
        });
        let id = self.post("/v1/invoices", &invoice).await?["id"].as_str()?.to_owned();
        let enrolments = format!("/v1/campaigns/{}/enrolments", self.campaign_id);
        self.post(&enrolments, &json!({"invoice_id": id})).await?;
        Some(Invoice { id, phone, email: Some(email) })
    }

    async fn report(&self, event: &PostCallEvent) {
        let dialer = self.stage.world.dialer();
        let _may_be_too_slow = dialer.report(&self.stage.calls, event).await;
    }
}

/// A payment that is begun and left, and some minutes: the sweep asks Stripe about it.
async fn left_open(shop: &Shop<'_>) {
    let invoice = shop.invoice(9_999).await.expect("an invoice is made before the load begins");
    shop.report(&shop.stage.event(&invoice, "call 9999", Intent::SendLink)).await;
    let mut customer = Customer::new().unwrap();
    let page = customer.open(&shop.stage.texted_link(&invoice, 1).await).await.unwrap();
    customer.begin(&page).await.unwrap().unwrap();
    shop.stage.rest().await;
    shop.stage.clock.advance_ms(6 * domain::time::MINUTE_MS);
}

/// One call after the other, and what each customer does then.
async fn calls(shop: &Shop<'_>, line: u32, end: &End) {
    let stage = shop.stage;
    let mut person = line * 10_000;
    while !end.is_reached() {
        person += 1;
        let Some(invoice) = shop.invoice(person).await else { continue };
        let intent = match person % 12 {
            7 => Intent::OptOut,
            8 => Intent::PromiseToPay,
            9 => Intent::Dispute,
            _ => Intent::SendLink,
        };
        let mut event = stage.event(&invoice, &format!("call {person}"), intent);
        if person % 12 == 10 {
            event = event.reached(Reached::Voicemail);
        }
        if person % 12 == 11 {
            event = event.set("/invoice/id", json!("inv_of_somebody_else"));
        }
        shop.report(&event).await;
        match person % 12 {
            0 | 1 => pay(stage, &invoice, &Card::good()).await,
            2 => pay(stage, &invoice, &Card::declined()).await,
            3 => ask(stage, &invoice).await,
            4 => stop(shop, &invoice).await,
            5 => shop.report(&event).await,
            _ => {}
        }
        end.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// A link that may never come, because the carrier is made to fail: then there is nothing to do with it.
async fn link(stage: &Stage, invoice: &Invoice) -> Option<String> {
    let phone = invoice.phone.as_deref()?;
    let texts = stage.world.carrier().wait_for_texts(phone, 1, Duration::from_secs(3)).await.ok()?;
    Some(crate::stage::pay_link(&texts.last()?.body))
}

async fn pay(stage: &Stage, invoice: &Invoice, card: &Card) {
    if let Some(link) = link(stage, invoice).await {
        let mut customer = Customer::new().unwrap();
        let _may_be_refused = customer.pay(&link, card).await;
    }
}

async fn ask(stage: &Stage, invoice: &Invoice) {
    if let Some(link) = link(stage, invoice).await {
        let _may_be_refused = Customer::new().unwrap().ask_question(&link, "Was this not paid in May?").await;
    }
}

async fn stop(shop: &Shop<'_>, invoice: &Invoice) {
    if link(shop.stage, invoice).await.is_some() {
        let _answer = shop.stage.world.carrier().text_from(invoice.phone.as_deref().unwrap(), "STOP").await;
        // Asked for again on the next call: a rule forbids it now.
        shop.report(&shop.stage.event(invoice, "after the stop", Intent::SendLink)).await;
    }
}

/// The ways of the outside world, one after the other.
async fn trouble(stage: &Stage, end: &End) {
    let (carrier, mailbox, dialer) = (stage.world.carrier(), stage.world.mailbox(), stage.world.dialer());
    let mut turn = 0;
    while !end.is_reached() {
        match turn % 8 {
            0 => carrier.fault(FaultRule::once(Fault::FailAfter { status: 500 })),
            1 => carrier.fault(FaultRule::once(Fault::Refuse { status: 429, retry_after_s: Some(1) })),
            2 => carrier.script(fate(Fate::Undelivered { code: 30_003 })),
            3 => carrier.script(fate(Fate::Undelivered { code: 30_007 })),
            4 => carrier.fault(FaultRule::once(Fault::Delay { ms: 400 })),
            5 => mailbox.fault(MailRule {
                fault: MailFault::RejectRecipient { code: 550 },
                to: None,
                times: Some(1),
            }),
            6 => dialer.fault(FaultRule::once(Fault::Refuse { status: 503, retry_after_s: None })),
            _ => stage
                .world
                .stripe()
                .fault(FaultRule::once(Fault::Refuse { status: 503, retry_after_s: None })),
        }
        turn += 1;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

fn fate(fate: Fate) -> Journey {
    Journey { fate, times: Some(1), ..Journey::default() }
}

/// Who has no business here.
async fn strangers(shop: &Shop<'_>, end: &End) {
    let (http, url) = (&shop.http, &shop.stage.config.public_url);
    while !end.is_reached() {
        for path in ["/webhooks/stripe", "/webhooks/carrier/inbound"] {
            let forged =
                http.post(format!("{url}{path}")).header("stripe-signature", "t=1,v1=00").body("Body=x");
            let _refused = forged.send().await;
        }
        let _refused = shop.post("/v1/events", &json!({"type": "call.completed"})).await;
        let unsigned = json!({"merchant_id": shop.stage.merchant_id});
        let _refused =
            http.post(format!("{url}/v1/events")).header("webhook-id", "x").json(&unsigned).send().await;
        let _no_page = http.get(format!("{url}/p/nothing")).send().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
