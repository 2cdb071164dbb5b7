//! A merchant with a dozen invoices. The merchant and its key are made as an operator makes them; the rest goes through
//! the API, as a merchant's software would send it.

use anyhow::{Context, bail};
use domain::id::MerchantId;
use domain::scope::Scopes;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use simulator::World;

use super::{SMS_SENDER, STRIPE_ACCOUNT};
use crate::product::{Foundation, new_merchant};

pub(crate) const BUSINESS: &str = "Harbor Street Dental";

/// One invoice of the demo and how to reach its customer.
#[derive(Debug, Clone)]
pub(crate) struct SeededInvoice {
    /// What the story calls it.
    pub(crate) name: &'static str,
    pub(crate) id: String,
    pub(crate) phone: Option<&'static str>,
    pub(crate) email: Option<&'static str>,
    pub(crate) campaign_id: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Seeded {
    pub(crate) merchant_id: MerchantId,
    pub(crate) api_key: String,
    pub(crate) invoices: Vec<SeededInvoice>,
}

impl Seeded {
    pub(crate) fn invoice(&self, name: &str) -> anyhow::Result<&SeededInvoice> {
        self.invoices
            .iter()
            .find(|invoice| invoice.name == name)
            .with_context(|| format!("no invoice is called {name}"))
    }
}

struct Sample {
    name: &'static str,
    customer: &'static str,
    phone: Option<&'static str>,
    line_type: &'static str,
    email: Option<&'static str>,
    locale: &'static str,
    currency: &'static str,
    line: &'static str,
    unit_minor: i64,
    tax_minor: i64,
    due_in_days: i64,
}

const PLAIN: Sample = Sample {
    name: "",
    customer: "",
    phone: None,
    line_type: "mobile",
    email: None,
    locale: "en-US",
    currency: "USD",
    line: "Cleaning and check-up",
    unit_minor: 18_500,
    tax_minor: 0,
    due_in_days: 9,
};

/// Every way to reach a customer, and none; every amount that went wrong somewhere once.
const SAMPLES: [Sample; 15] = [
    Sample {
        name: "mobile",
        customer: "Maya Lindqvist",
        phone: Some("+14155550101"),
        email: Some("maya@example.com"),
        ..PLAIN
    },
    Sample {
        name: "landline",
        customer: "Walter Briggs",
        phone: Some("+12125550102"),
        line_type: "landline",
        email: Some("walter@example.com"),
        ..PLAIN
    },
    Sample {
        name: "email_only",
        customer: "Priya Raman",
        email: Some("priya@example.com"),
        line: "Night guard",
        unit_minor: 42_000,
        tax_minor: 3_675,
        ..PLAIN
    },
    Sample {
        name: "spanish",
        customer: "Lucía Fernández",
        phone: Some("+13055550104"),
        email: Some("lucia@example.com"),
        locale: "es-US",
        line: "Limpieza dental",
        ..PLAIN
    },
    Sample { name: "nothing", customer: "J. Doe", phone: None, ..PLAIN },
    Sample {
        name: "overdue",
        customer: "Tom Okafor",
        phone: Some("+14155550106"),
        due_in_days: -41,
        line: "Crown, second part",
        unit_minor: 96_000,
        ..PLAIN
    },
    Sample {
        name: "large",
        customer: "Evelyn Harper",
        phone: Some("+14155550107"),
        email: Some("evelyn@example.com"),
        line: "Full restoration",
        unit_minor: 4_825_000,
        tax_minor: 12_350,
        ..PLAIN
    },
    Sample {
        name: "zero_decimal",
        customer: "Kenji Sato",
        phone: Some("+18085550108"),
        currency: "JPY",
        line: "Consultation",
        unit_minor: 12_800,
        ..PLAIN
    },
    Sample {
        name: "dispute",
        customer: "Rosa Delgado",
        phone: Some("+14155550109"),
        email: Some("rosa@example.com"),
        ..PLAIN
    },
    Sample { name: "decline", customer: "Ben Whitaker", phone: Some("+14155550110"), ..PLAIN },
    Sample {
        name: "threeds",
        customer: "Ingrid Solberg",
        phone: Some("+14155550111"),
        email: Some("ingrid@example.com"),
        ..PLAIN
    },
    Sample {
        name: "scanner",
        customer: "Omar Haddad",
        phone: Some("+14155550112"),
        email: Some("omar@example.com"),
        ..PLAIN
    },
    Sample { name: "two_tabs", customer: "Chloe Martin", phone: Some("+14155550113"), ..PLAIN },
    Sample { name: "promise", customer: "Sam Keller", phone: Some("+14155550114"), ..PLAIN },
    Sample {
        name: "expiring",
        customer: "Nadia Petrova",
        phone: Some("+14155550115"),
        email: Some("nadia@example.com"),
        ..PLAIN
    },
];

/// Makes the merchant and its invoices.
pub(super) async fn plant(
    foundation: &Foundation,
    world: &World,
    url: &str,
    merchant_id: MerchantId,
) -> anyhow::Result<Seeded> {
    let now = foundation.ledger.clock().now();
    let mut merchant = new_merchant(merchant_id.clone(), BUSINESS, now);
    merchant.time_zone = "America/Los_Angeles".to_owned();
    merchant.support_email = Some("office@harborstreet.example".to_owned());
    merchant.support_phone = Some("+14155550199".to_owned());
    merchant.accent_hex = Some("#0f6b5c".to_owned());
    merchant.stripe_account = Some(STRIPE_ACCOUNT.to_owned());
    merchant.sms_sender = Some(SMS_SENDER.to_owned());
    merchant.email_sender = Some("billing@harborstreet.example".to_owned());
    merchant.dialer_url = Some(format!("{}/commands", world.dialer_url()));
    entities::merchant::insert(&foundation.db.write, merchant).await?;
    let (key, shown) = api::mint_key(now, &merchant_id, "demo", &Scopes::all());
    let api_key = shown.expose_secret().to_owned();
    entities::api_key::insert(&foundation.db.write, key).await?;

    let client = Client::new(url, &api_key)?;
    let campaign = client.post("/v1/campaigns", &json!({"name": "Friendly reminders, November"})).await?;
    let campaign_id = text(&campaign, "id")?;
    let mut invoices = Vec::with_capacity(SAMPLES.len());
    for (number, sample) in (1_042..).zip(&SAMPLES) {
        let customer = client.post("/v1/customers", &customer(sample)).await?;
        let due_on = domain::time::Day::at(
            now.plus_ms(sample.due_in_days * domain::time::DAY_MS),
            &jiff::tz::TimeZone::UTC,
        );
        let invoice = json!({
            "customer_id": text(&customer, "id")?, "number": format!("INV-{number}"), "currency": sample.currency,
            "due_on": due_on, "tax_minor": sample.tax_minor,
            "line_items": [{"description": sample.line, "quantity": 1, "unit_minor": sample.unit_minor}],
        });
        let id = text(&client.post("/v1/invoices", &invoice).await?, "id")?;
        client.post(&format!("/v1/campaigns/{campaign_id}/enrolments"), &json!({"invoice_id": id})).await?;
        invoices.push(SeededInvoice {
            name: sample.name,
            id,
            phone: sample.phone,
            email: sample.email,
            campaign_id: campaign_id.clone(),
        });
    }
    Ok(Seeded { merchant_id, api_key, invoices })
}

fn customer(sample: &Sample) -> Value {
    let mut customer = json!({"name": sample.customer, "locale": sample.locale});
    if let Some(phone) = sample.phone {
        customer["phone"] = phone.into();
        customer["line_type"] = sample.line_type.into();
    }
    if let Some(email) = sample.email {
        customer["email"] = email.into();
    }
    customer
}

fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    answer[field]
        .as_str()
        .map(ToOwned::to_owned)
        .with_context(|| format!("the API answered without {field}: {answer}"))
}

/// A merchant's software.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    pub(crate) fn new(url: &str, key: &str) -> anyhow::Result<Self> {
        let http =
            gateways::http::client(std::time::Duration::from_secs(10), gateways::http::Reach::Anywhere)?;
        Ok(Self { http, url: url.to_owned(), key: key.to_owned() })
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(body);
        Self::answer(path, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Self::answer(path, self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key)).await
    }

    async fn answer(path: &str, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.with_context(|| format!("{path} did not answer"))?;
        let status = answer.status();
        let body: Value =
            answer.json().await.with_context(|| format!("{path} answered {status} without JSON"))?;
        if !status.is_success() {
            bail!("{path} answered {status}: {body}");
        }
        Ok(body)
    }
}
