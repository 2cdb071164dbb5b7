//! What each of Stripe's calls does.

use axum::http::Method;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::call::{Call, Caller};
use super::errors::StripeError;
use super::event::{Cause, Change};
use super::form::Form;
use super::instrument::Instrument;
use super::intent::Intent;
use super::payments::Payments;
use super::routes::server_only;
use super::{ConfirmOverride, Stripe, create, render};
use crate::config::ConnectedAccount;

const EXPANDABLE: &[&str] = &[
    "latest_charge",
    "latest_charge.balance_transaction",
    "payment_method",
    "customer",
    "balance_transaction",
];

/// One call, with everything it may need.
pub(super) struct Context<'a> {
    pub(super) stripe: &'a Stripe,
    pub(super) form: &'a Form,
    pub(super) caller: Caller,
    account: Option<ConnectedAccount>,
    change: Change<'a>,
}

pub(crate) fn dispatch(
    stripe: &Stripe,
    call: &Call,
    caller: Caller,
    form: &Form,
    request_id: &str,
) -> Result<Value, StripeError> {
    let account = call.account.as_deref().map(|id| stripe.account(id)).transpose()?;
    let cause = Cause { request: Some(request_id.to_owned()), idempotency_key: call.idempotency_key.clone() };
    let change = Change { now_s: stripe.clock().now_s(), ids: stripe.ids(), cause };
    let context = Context { stripe, form, caller, account, change };
    let path: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    let post = call.method == Method::POST;
    match (post, path.as_slice()) {
        (true, ["v1", "payment_intents"]) => context.create(),
        (false, ["v1", "payment_intents"]) => context.list_intents(),
        (false, ["v1", "payment_intents", id]) => context.retrieve(id),
        (true, ["v1", "payment_intents", id, "confirm"]) => context.confirm(id),
        (true, ["v1", "payment_intents", id, "cancel"]) => context.cancel(id),
        (true, ["v1", "3ds2", "authenticate"]) => context.authenticate(),
        (false, ["v1", "charges"]) => context.list_charges(),
        (false, ["v1", "charges", id]) => context.charge(id),
        (false, ["v1", "balance_transactions", id]) => context.balance_transaction(id),
        (false, ["v1", "events"]) => context.list_events(),
        (false, ["v1", "events", id]) => context.event(id),
        (false, ["v1", "accounts", id]) => context.account(id),
        _ => {
            let message = format!("Unrecognized request URL ({}: {}).", call.method, call.path);
            Err(StripeError::request(404, &message))
        }
    }
}

impl Context<'_> {
    pub(super) fn account_id(&self) -> Option<&str> {
        self.account.as_ref().map(|account| account.id.as_str())
    }

    pub(super) fn known(&self, names: &[&str]) -> Result<(), StripeError> {
        self.form.first_unknown(names).map_or(Ok(()), |name| Err(StripeError::unknown_parameter(name)))
    }

    pub(super) fn expand(&self, prefix: &str) -> Result<Vec<String>, StripeError> {
        let asked = self.form.list("expand")?.unwrap_or_default();
        let paths =
            asked.iter().map(|path| path.strip_prefix(prefix).unwrap_or(path).to_owned()).collect::<Vec<_>>();
        if let Some(odd) = paths.iter().find(|path| !EXPANDABLE.contains(&path.as_str())) {
            return Err(StripeError::invalid(
                "expand",
                &format!("This property cannot be expanded ({odd})."),
            ));
        }
        Ok(paths)
    }

    /// The intent, if this caller may see it: a browser must show its client secret.
    fn find<'p>(&self, payments: &'p Payments, id: &str) -> Result<&'p Intent, StripeError> {
        let found = payments.intent(id, self.account_id());
        let intent = found.ok_or_else(|| StripeError::no_such("payment_intent", id))?;
        let shown = self.form.text("client_secret");
        let matches =
            shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(intent.client_secret.as_bytes())));
        match (self.caller, shown) {
            (Caller::Server, None) => Ok(intent),
            (Caller::Server | Caller::Browser, Some(_)) if matches => Ok(intent),
            (Caller::Browser, None) => Err(StripeError::missing("client_secret")),
            (Caller::Server | Caller::Browser, Some(_)) => {
                let message =
                    "The client_secret provided does not match any associated PaymentIntent on this account.";
                Err(StripeError::invalid("client_secret", message))
            }
        }
    }

    fn show(&self, payments: &Payments, id: &str, expand: &[String]) -> Value {
        let Some(intent) = payments.intent_anywhere(id) else {
            return Value::Null;
        };
        match self.caller {
            Caller::Server => render::intent(intent, payments, expand),
            Caller::Browser => render::intent_for_browser(intent, payments),
        }
    }

    fn create(&self) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        let expand = self.expand("")?;
        let intent = create::read(self.form, self.account.as_ref(), self.change.now_s)?;
        Ok(self.stripe.change(|payments| {
            let id = payments.create(intent, &self.change);
            self.show(payments, &id, &expand)
        }))
    }

    fn retrieve(&self, id: &str) -> Result<Value, StripeError> {
        self.known(&["client_secret", "expand"])?;
        let expand = self.expand("")?;
        let payments = self.stripe.payments();
        self.find(&payments, id)?;
        Ok(self.show(&payments, id, &expand))
    }

    fn confirm(&self, id: &str) -> Result<Value, StripeError> {
        self.known(&[
            "client_secret",
            "expand",
            "payment_method",
            "payment_method_data",
            "return_url",
            "use_stripe_sdk",
        ])?;
        let read = Instrument::from_form(self.form, self.change.now_s)?;
        let scripted = self.stripe.take_override();
        let return_url = self.form.text("return_url").map(str::to_owned);
        self.stripe.change(|payments| {
            let types = self.find(payments, id)?.payment_method_types.clone();
            let Some(instrument) = read else {
                let message = "You cannot confirm this PaymentIntent because it's missing a payment method.";
                return Err(StripeError::request(400, message).coded("payment_intent_unexpected_state"));
            };
            if !types.iter().any(|kind| kind == instrument.type_name()) {
                let message = "The payment method type is not among those of this PaymentIntent.";
                return Err(StripeError::invalid("payment_method_data[type]", message));
            }
            let instrument = scripted.map_or(instrument.clone(), |one: ConfirmOverride| one.bend(instrument));
            payments.confirm(id, instrument, return_url, &self.change)?;
            Ok(self.show(payments, id, &[]))
        })
    }

    /// The stand-in Stripe.js reports what the customer did in its dialog.
    fn authenticate(&self) -> Result<Value, StripeError> {
        self.known(&["payment_intent", "client_secret", "outcome"])?;
        let id = self.form.text("payment_intent").ok_or_else(|| StripeError::missing("payment_intent"))?;
        let passed = match self.form.text("outcome") {
            Some("complete") => true,
            Some("fail") => false,
            Some(_) | None => return Err(StripeError::invalid("outcome", "Must be complete or fail.")),
        };
        self.stripe.change(|payments| {
            self.find(payments, id)?;
            payments.authenticate(id, passed, &self.change)?;
            Ok(self.show(payments, id, &[]))
        })
    }

    fn cancel(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["cancellation_reason", "expand"])?;
        let reason = self.form.text("cancellation_reason");
        let reasons = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
        if reason.is_some_and(|reason| !reasons.contains(&reason)) {
            let message = "Must be one of abandoned, duplicate, fraudulent, or requested_by_customer.";
            return Err(StripeError::invalid("cancellation_reason", message));
        }
        let expand = self.expand("")?;
        self.stripe.change(|payments| {
            self.find(payments, id)?;
            payments.cancel(id, reason, &self.change)?;
            Ok(self.show(payments, id, &expand))
        })
    }
}
