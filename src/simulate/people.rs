//! Somebody new with an invoice, the call about it, and what they do with the link.

use std::time::Duration;

use anyhow::{Context, ensure};
use domain::id::MerchantId;
use serde_json::{Value, json};
use simulator::World;
use simulator::call::{Intent, PostCallEvent, Sender};
use simulator::carrier::Carrier;
use simulator::people::{Card, Customer, links_in};

use crate::demo::seed::Client;

const LINK_WITHIN: Duration = Duration::from_secs(60);
/// What a person takes to read a text and a page.
const READING: Duration = Duration::from_secs(3);

/// Everybody who may be called.
pub(super) struct Town {
    pub(super) client: Client,
    pub(super) calls: Sender,
    pub(super) merchant_id: MerchantId,
}

/// What people do with a link, and how many of a hundred do it.
enum Temper {
    Pays,
    PaysWithTheSecondCard,
    Asks,
    StopsTexts,
    DoesNothing,
}

impl Temper {
    fn of(percent: u8) -> Self {
        match percent {
            0..=59 => Self::Pays,
            60..=69 => Self::PaysWithTheSecondCard,
            70..=79 => Self::Asks,
            80..=84 => Self::StopsTexts,
            85.. => Self::DoesNothing,
        }
    }
}

impl Town {
    /// A call ends with the wish for a link; what follows happens by itself.
    pub(super) async fn call_somebody(&self, world: &World) -> anyhow::Result<()> {
        let phone = format!("+1415555{:04}", rand::random_range(0..10_000_u16));
        let invoice_id = self.invoice(&phone).await?;
        // At night nobody may be called; then it is they who call us, and what they ask for is sent at once.
        world.dialer().attempt_call(&invoice_id, &phone).await;
        let now_ms = world.clock().now_ms();
        let call_id = format!("call_{:016x}", rand::random::<u64>());
        let merchant_id = self.merchant_id.as_str();
        let event = PostCallEvent::new(&call_id, merchant_id, &invoice_id, Intent::SendLink, now_ms)
            .phone(&phone)
            .evidence("just text me the link");
        let before = world.carrier().accepted_to(&phone).len();
        let receipt = world.dialer().report(&self.calls, &event).await?;
        ensure!(receipt.status == 202, "the event was answered {}: {}", receipt.status, receipt.body);
        let carrier = world.carrier().clone();
        tokio::spawn(async move {
            if let Err(error) = read_and_act(&carrier, &phone, before).await {
                tracing::warn!(error = format!("{error:#}"), "a customer came to nothing");
            }
        });
        Ok(())
    }

    async fn invoice(&self, phone: &str) -> anyhow::Result<String> {
        let somebody =
            json!({"name": "Maya Lindqvist", "phone": phone, "line_type": "mobile", "locale": "en-US"});
        let customer_id = id(&self.client.post("/v1/customers", &somebody).await?)?;
        let invoice = json!({
            "customer_id": customer_id, "number": format!("SIM-{:012x}", rand::random::<u64>() >> 16), "currency": "USD",
            "due_on": "2030-01-31", "tax_minor": 0,
            "line_items": [{"description": "Cleaning and check-up", "quantity": 1, "unit_minor": 18_500}],
        });
        id(&self.client.post("/v1/invoices", &invoice).await?)
    }
}

fn id(answer: &Value) -> anyhow::Result<String> {
    answer["id"].as_str().map(ToOwned::to_owned).with_context(|| format!("an answer without id: {answer}"))
}

async fn read_and_act(carrier: &Carrier, phone: &str, before: usize) -> anyhow::Result<()> {
    let texts = carrier.wait_for_texts(phone, before + 1, LINK_WITHIN).await?;
    let body = texts.last().map(|text| text.body.clone()).unwrap_or_default();
    let link =
        links_in(&body).into_iter().find(|link| link.contains("/p/")).context("a text without link")?;
    tokio::time::sleep(READING).await;
    let mut customer = Customer::new()?;
    match Temper::of(rand::random_range(0..100)) {
        Temper::Pays => drop(customer.pay(&link, &Card::good()).await?),
        Temper::PaysWithTheSecondCard => {
            customer.pay(&link, &Card::declined()).await?;
            customer.pay(&link, &Card::good()).await?;
        }
        Temper::Asks => drop(customer.ask_question(&link, "I think I paid half of this.").await?),
        Temper::StopsTexts => drop(carrier.text_from(phone, "STOP").await?),
        Temper::DoesNothing => drop(customer.open(&link).await?),
    }
    Ok(())
}
