//! Rows for the tests of the rules.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::channel::{Channel, LineType};
use domain::invoice::InvoiceStatus;
use domain::link::{LinkCause, LinkStatus};
use domain::message::{AttemptState, MessageState, Purpose};
use domain::money::Currency;
use domain::time::Timestamp;
use entities::{customer, invoice, link, merchant, message, send_attempt};

use super::caps::Place;
use super::facts::About;

/// Noon in New York, in winter.
pub(super) const NOON: Timestamp = Timestamp::from_millis(1_763_571_600_000);

fn id<T: std::str::FromStr>(prefix: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("{prefix}00000000000000000000000001").parse().unwrap()
}

/// One message with everything around it, to be bent by a test.
pub(super) struct Example {
    pub(super) message: message::Model,
    pub(super) invoice: invoice::Model,
    pub(super) customer: customer::Model,
    pub(super) merchant: merchant::Model,
    pub(super) link: link::Model,
    pub(super) attempts: Vec<send_attempt::Model>,
}

impl Example {
    /// A text with a link, written at noon and not tried yet.
    pub(super) fn text() -> Self {
        Self {
            message: message(Channel::Sms),
            invoice: invoice(),
            customer: customer(),
            merchant: merchant(),
            link: link(),
            attempts: Vec::new(),
        }
    }

    pub(super) fn email() -> Self {
        Self { message: message(Channel::Email), ..Self::text() }
    }

    /// With attempts that ended so, one after the other; the last one's deadline is `NOON`.
    pub(super) fn tried(mut self, states: &[AttemptState]) -> Self {
        let attempts = states.iter().zip(1..).map(|(state, ordinal)| attempt(*state, ordinal));
        self.attempts = attempts.collect();
        self
    }

    pub(super) fn about(&self) -> About<'_> {
        About {
            message: &self.message,
            invoice: &self.invoice,
            customer: &self.customer,
            merchant: &self.merchant,
            link: Some(&self.link),
            event: None,
            attempts: &self.attempts,
            opted_out: false,
            place: Place::default(),
        }
    }
}

fn attempt(state: AttemptState, ordinal: i64) -> send_attempt::Model {
    send_attempt::Model {
        id: entities::Stored(id("att_")),
        merchant_id: entities::Stored(id("mer_")),
        message_id: entities::Stored(id("msg_")),
        ordinal,
        status: entities::Stored(state),
        fence: 1,
        started_at_ms: NOON.plus_ms(-8_000).millis(),
        deadline_at_ms: NOON.millis(),
        ended_at_ms: None,
        lookups: 0,
        provider_id: None,
        code: None,
        reason: None,
        delivery_status: None,
        delivery_code: None,
    }
}

fn message(channel: Channel) -> message::Model {
    let (recipient, sender) = match channel {
        Channel::Sms => ("+12125550142", "+12125550199"),
        Channel::Email => ("ann@customer.example", "billing@ace.example"),
    };
    message::Model {
        id: entities::Stored(id("msg_")),
        merchant_id: entities::Stored(id("mer_")),
        invoice_id: entities::Stored(id("inv_")),
        purpose: entities::Stored(Purpose::Link),
        purpose_ref: "lnk_00000000000000000000000001".to_owned(),
        channel: entities::Stored(channel),
        recipient: recipient.to_owned(),
        sender: sender.to_owned(),
        locale: "en".to_owned(),
        status: entities::Stored(MessageState::Queued),
        reason: None,
        asked_at_ms: None,
        segments: None,
        created_at_ms: NOON.millis(),
        accepted_at_ms: None,
        delivered_at_ms: None,
        ended_at_ms: None,
    }
}

fn invoice() -> invoice::Model {
    invoice::Model {
        id: entities::Stored(id("inv_")),
        merchant_id: entities::Stored(id("mer_")),
        customer_id: entities::Stored(id("cus_")),
        number: "INV-1".to_owned(),
        description: None,
        currency: entities::Stored(Currency::USD),
        tax_minor: 0,
        total_minor: 12_500,
        paid_minor: 0,
        due_on: "2026-12-01".to_owned(),
        mobile_phone: None,
        status: entities::Stored(InvoiceStatus::Open),
        on_hold: false,
        promised_on: None,
        revision: 1,
        opened_at_ms: None,
        created_at_ms: 1,
        updated_at_ms: 1,
    }
}

fn customer() -> customer::Model {
    customer::Model {
        id: entities::Stored(id("cus_")),
        merchant_id: entities::Stored(id("mer_")),
        external_ref: None,
        name: "Ann".to_owned(),
        phone: Some("+12125550142".to_owned()),
        line_type: entities::Stored(LineType::Unknown),
        email: Some("ann@customer.example".to_owned()),
        locale: None,
        time_zone: None,
        created_at_ms: 1,
        updated_at_ms: 1,
    }
}

fn merchant() -> merchant::Model {
    merchant::Model {
        id: entities::Stored(id("mer_")),
        name: "Ace Plumbing".to_owned(),
        locale: "en".to_owned(),
        time_zone: "America/New_York".to_owned(),
        country: "US".to_owned(),
        support_email: None,
        support_phone: None,
        accent_hex: None,
        logo_url: None,
        stripe_account: None,
        sms_sender: Some("+12125550199".to_owned()),
        sms_countries: "US,CA".to_owned(),
        email_sender: Some("billing@ace.example".to_owned()),
        fee_basis_points: 1_000,
        fee_fixed_minor: 0,
        fee_min_minor: 0,
        fee_max_minor: None,
        dialer_url: None,
        secret_generation: 1,
        renewal_allowed: true,
        payable_on_hold: true,
        asked_exempt_from_hours: true,
        texts_per_day_max: 1_000,
        texts_per_number_per_day_max: 5,
        sender_texts_per_minute_max: None,
        former_secret_until_ms: None,
        created_at_ms: 1,
    }
}

fn link() -> link::Model {
    link::Model {
        id: entities::Stored(id("lnk_")),
        merchant_id: entities::Stored(id("mer_")),
        invoice_id: entities::Stored(id("inv_")),
        chain_id: entities::Stored(id("lnk_")),
        sequence: 1,
        cause: entities::Stored(LinkCause::Manual),
        wish_key: "manual:1".to_owned(),
        event_id: None,
        wanted_channel: None,
        token_hash: "hash".to_owned(),
        key_id: "k1".to_owned(),
        status: entities::Stored(LinkStatus::Queued),
        created_at_ms: 1,
        sent_at_ms: None,
        expires_at_ms: None,
        ended_at_ms: None,
        renewed_at_ms: None,
    }
}
