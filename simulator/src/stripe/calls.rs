//! What each of Stripe's calls does.

use axum::http::Method;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::call::{Call, Caller};
use super::cards::Instrument;
use super::errors::StripeError;
use super::form::Form;
use super::intent::Intent;
use super::listing::Page;
use super::payments::{Cause, Change, Payments};
use super::routes::server_only;
use super::{ConfirmOverride, Stripe, create, render};
use crate::config::ConnectedAccount;

const EXPANDABLE: &[&str] =
    &["latest_charge", "latest_charge.balance_transaction", "payment_method", "customer", "balance_transaction"];

/// One call, with everything it may need.
struct Context<'a> {
    stripe: &'a Stripe,
    form: &'a Form,
    caller: Caller,
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
    fn account_id(&self) -> Option<&str> {
        self.account.as_ref().map(|account| account.id.as_str())
    }

    fn known(&self, names: &[&str]) -> Result<(), StripeError> {
        self.form.first_unknown(names).map_or(Ok(()), |name| Err(StripeError::unknown_parameter(name)))
    }

    fn expand(&self, prefix: &str) -> Result<Vec<String>, StripeError> {
        let asked = self.form.list("expand")?.unwrap_or_default();
        let paths = asked.iter().map(|path| path.strip_prefix(prefix).unwrap_or(path).to_owned()).collect::<Vec<_>>();
        if let Some(odd) = paths.iter().find(|path| !EXPANDABLE.contains(&path.as_str())) {
            return Err(StripeError::invalid("expand", &format!("This property cannot be expanded ({odd}).")));
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
        let Some(intent) = payments.intent_anywhere(id) else { return Value::Null };
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
        self.known(&["client_secret", "expand", "payment_method", "payment_method_data", "return_url", "use_stripe_sdk"])?;
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

    fn list_intents(&self) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["created", "customer", "ending_before", "expand", "limit", "starting_after"])?;
        let (page, expand) = (Page::read(self.form)?, self.expand("data.")?);
        let payments = self.stripe.payments();
        let ours = |intent: &&Intent| intent.account.as_deref() == self.account_id() && page.admits(intent.created_s);
        let found = payments.intents.iter().rev().filter(ours);
        let objects = found.map(|intent| render::intent(intent, &payments, &expand)).collect();
        Ok(page.cut(objects, "/v1/payment_intents"))
    }

    fn list_charges(&self) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["created", "ending_before", "expand", "limit", "payment_intent", "starting_after"])?;
        let (page, expand) = (Page::read(self.form)?, self.expand("data.")?);
        let payments = self.stripe.payments();
        let wanted = self.form.text("payment_intent");
        let objects = payments
            .charges
            .iter()
            .rev()
            .filter(|charge| wanted.is_none_or(|id| id == charge.intent) && page.admits(charge.created_s))
            .filter_map(|charge| Some((charge, payments.intent(&charge.intent, self.account_id())?)))
            .map(|(charge, intent)| render::charge(charge, intent, &expand))
            .collect();
        Ok(page.cut(objects, "/v1/charges"))
    }

    fn charge(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["expand"])?;
        let expand = self.expand("")?;
        let payments = self.stripe.payments();
        let found = payments.charge(id).and_then(|charge| {
            let intent = payments.intent(&charge.intent, self.account_id())?;
            Some(render::charge(charge, intent, &expand))
        });
        found.ok_or_else(|| StripeError::no_such("charge", id))
    }

    fn balance_transaction(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["expand"])?;
        let payments = self.stripe.payments();
        let mut charges = payments.charges.iter();
        let found = charges.find(|charge| charge.balance_transaction.as_deref() == Some(id)).and_then(|charge| {
            let intent = payments.intent(&charge.intent, self.account_id())?;
            render::balance_transaction(charge, intent)
        });
        found.ok_or_else(|| StripeError::no_such("balance_transaction", id))
    }

    fn list_events(&self) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["created", "delivery_success", "ending_before", "limit", "starting_after", "type", "types"])?;
        let page = Page::read(self.form)?;
        let types = self.form.list("types")?;
        let one = self.form.text("type");
        let fits = |kind: &str| match one.map(|one| one.strip_suffix('*').ok_or(one)) {
            Some(Ok(prefix)) => kind.starts_with(prefix),
            Some(Err(exact)) => kind == exact,
            None => types.as_ref().is_none_or(|types| types.iter().any(|one| one == kind)),
        };
        let delivered = match self.form.text("delivery_success") {
            None => None,
            Some(text @ ("true" | "false")) => Some(text == "true"),
            Some(_) => return Err(StripeError::invalid("delivery_success", "Must be true or false.")),
        };
        let arrived = |id: &str| self.stripe.was_delivered(id);
        let payments = self.stripe.payments();
        let objects = payments.events.iter().rev().filter(|event| {
            event.account.as_deref() == self.account_id() && page.admits(event.created_s) && fits(event.kind)
        });
        let objects = objects.filter(|event| delivered.is_none_or(|wanted| arrived(&event.id) == wanted));
        Ok(page.cut(objects.map(render::event).collect(), "/v1/events"))
    }

    fn event(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        let payments = self.stripe.payments();
        let ours = |event: &&super::payments::Event| event.id == id && event.account.as_deref() == self.account_id();
        let found = payments.events.iter().find(ours);
        found.map(render::event).ok_or_else(|| StripeError::no_such("event", id))
    }

    fn account(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["expand"])?;
        self.stripe.account(id).map(|account| render::account(&account))
    }
}
