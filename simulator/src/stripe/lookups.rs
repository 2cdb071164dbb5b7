//! The calls that only look: lists, charges, balance transactions, events and accounts.

use serde_json::Value;

use super::calls::Context;
use super::errors::StripeError;
use super::intent::Intent;
use super::listing::Page;
use super::render;
use super::routes::server_only;

impl Context<'_> {
    pub(super) fn list_intents(&self) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["created", "customer", "ending_before", "expand", "limit", "starting_after"])?;
        let (page, expand) = (Page::read(self.form)?, self.expand("data.")?);
        let payments = self.stripe.payments();
        let ours = |intent: &&Intent| {
            intent.account.as_deref() == self.account_id() && page.admits(intent.created_s)
        };
        let found = payments.intents.iter().rev().filter(ours);
        let objects = found.map(|intent| render::intent(intent, &payments, &expand)).collect();
        Ok(page.cut(objects, "/v1/payment_intents"))
    }

    pub(super) fn list_charges(&self) -> Result<Value, StripeError> {
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

    pub(super) fn charge(&self, id: &str) -> Result<Value, StripeError> {
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

    pub(super) fn balance_transaction(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["expand"])?;
        let payments = self.stripe.payments();
        let mut charges = payments.charges.iter();
        let found =
            charges.find(|charge| charge.balance_transaction.as_deref() == Some(id)).and_then(|charge| {
                let intent = payments.intent(&charge.intent, self.account_id())?;
                render::balance_transaction(charge, intent)
            });
        found.ok_or_else(|| StripeError::no_such("balance_transaction", id))
    }

    pub(super) fn list_events(&self) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&[
            "created",
            "delivery_success",
            "ending_before",
            "limit",
            "starting_after",
            "type",
            "types",
        ])?;
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

    pub(super) fn event(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        let payments = self.stripe.payments();
        let ours =
            |event: &&super::event::Event| event.id == id && event.account.as_deref() == self.account_id();
        let found = payments.events.iter().find(ours);
        found.map(render::event).ok_or_else(|| StripeError::no_such("event", id))
    }

    pub(super) fn account(&self, id: &str) -> Result<Value, StripeError> {
        server_only(self.caller)?;
        self.known(&["expand"])?;
        self.stripe.account(id).map(|account| render::account(&account))
    }
}
