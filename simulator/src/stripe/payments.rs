//! What Stripe keeps, and how payments move through it.

use std::collections::HashMap;

use serde_json::Value;

use super::cards::{Behaviour, Decline};
use super::charge::{Charge, ChargeStatus};
use super::errors::StripeError;
use super::event::{Change, Event};
use super::instrument::Instrument;
use super::intent::{Happening, Intent, IntentStatus, PaymentFailure, next};
use super::render;

/// The customer closed or failed the bank's check.
pub(crate) const NOT_AUTHENTICATED: Decline = Decline {
    code: "payment_intent_authentication_failure",
    decline_code: None,
    message: "We are unable to authenticate your payment method. Please choose a different payment method and \
              try again.",
};
const RETURNED: Decline = Decline {
    code: "payment_intent_payment_attempt_failed",
    decline_code: Some("insufficient_funds"),
    message: "The customer's account has insufficient funds to cover this payment.",
};

/// Everything the stand-in remembers, newest last.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    pub(crate) intents: Vec<Intent>,
    intent_at: HashMap<String, usize>,
    pub(crate) charges: Vec<Charge>,
    pub(crate) events: Vec<Event>,
    /// How many of `events` were handed to the webhook sender.
    announced: usize,
}

impl Payments {
    pub(crate) fn intent(&self, id: &str, account: Option<&str>) -> Option<&Intent> {
        let intent = self.intents.get(*self.intent_at.get(id)?)?;
        (intent.account.as_deref() == account).then_some(intent)
    }

    /// Wherever it lives, for the world's own hands.
    pub(crate) fn intent_anywhere(&self, id: &str) -> Option<&Intent> {
        self.intents.get(*self.intent_at.get(id)?)
    }

    pub(crate) fn charge(&self, id: &str) -> Option<&Charge> {
        self.charges.iter().rev().find(|charge| charge.id == id)
    }

    /// Events since the last call.
    pub(crate) fn unannounced(&mut self) -> Vec<Event> {
        let fresh = self.events[self.announced..].to_vec();
        self.announced = self.events.len();
        fresh
    }

    pub(crate) fn create(&mut self, mut intent: Intent, change: &Change<'_>) -> String {
        intent.id = change.ids.prefixed("pi_3");
        intent.client_secret = change.ids.prefixed(&format!("{}_secret_", intent.id));
        let id = intent.id.clone();
        self.intent_at.insert(id.clone(), self.intents.len());
        self.intents.push(intent);
        self.announce_intent(&id, "payment_intent.created", change);
        id
    }

    /// Confirms with an instrument; a decline is an error that leaves the intent retryable.
    pub(crate) fn confirm(
        &mut self,
        id: &str,
        instrument: Instrument,
        return_url: Option<String>,
        change: &Change<'_>,
    ) -> Result<(), StripeError> {
        let happening = match instrument.behaviour {
            Behaviour::Approve => Happening::Approved,
            Behaviour::Decline(_) => Happening::Declined,
            Behaviour::Authenticate(_) => Happening::Challenged,
            Behaviour::Process => Happening::Submitted,
        };
        let status = self.step(id, happening, "confirm")?;
        let method = change.ids.prefixed("pm_1");
        self.with(id, |intent| {
            intent.status = status;
            intent.last_payment_error = None;
            intent.return_url = return_url;
            intent.instrument = Some((method.clone(), instrument.clone()));
        });
        match instrument.behaviour {
            Behaviour::Approve => self.charged(id, change),
            Behaviour::Decline(decline) => return Err(self.declined(id, decline, true, change)),
            Behaviour::Authenticate(_) => self.announce_intent(id, "payment_intent.requires_action", change),
            Behaviour::Process => {
                self.charge_attempt(id, ChargeStatus::Pending, None, change);
                self.announce_intent(id, "payment_intent.processing", change);
                self.announce_charge(id, "charge.pending", change);
            }
        }
        Ok(())
    }

    /// The customer answered the bank's question.
    pub(crate) fn authenticate(
        &mut self,
        id: &str,
        passed: bool,
        change: &Change<'_>,
    ) -> Result<(), StripeError> {
        let after = self.intent_anywhere(id).and_then(|intent| match &intent.instrument {
            Some((_, instrument)) => match instrument.behaviour {
                Behaviour::Authenticate(decline) => decline,
                Behaviour::Approve | Behaviour::Decline(_) | Behaviour::Process => None,
            },
            None => None,
        });
        let failed = if passed { after } else { Some(NOT_AUTHENTICATED) };
        let happening = if failed.is_none() { Happening::Authenticated } else { Happening::NotAuthenticated };
        let status = self.step(id, happening, "authenticate")?;
        self.with(id, |intent| intent.status = status);
        match failed {
            None => self.charged(id, change),
            // A failed check makes no charge; a decline after a passed one does.
            Some(decline) => drop(self.declined(id, decline, passed, change)),
        }
        Ok(())
    }

    /// The bank debit ended.
    pub(crate) fn settle(&mut self, id: &str, paid: bool, change: &Change<'_>) -> Result<(), StripeError> {
        let happening = if paid { Happening::Settled } else { Happening::Returned };
        let status = self.step(id, happening, "settle")?;
        self.with(id, |intent| intent.status = status);
        let charge = self.intent_anywhere(id).and_then(|intent| intent.latest_charge.clone());
        let transaction = change.ids.prefixed("txn_3");
        if let Some(charge) = self.charges.iter_mut().rev().find(|one| Some(&one.id) == charge.as_ref()) {
            charge.status = if paid { ChargeStatus::Succeeded } else { ChargeStatus::Failed };
            charge.failure = (!paid).then_some(RETURNED);
            charge.balance_transaction = paid.then_some(transaction);
        }
        if paid {
            self.announce_charge(id, "charge.succeeded", change);
            self.announce_intent(id, "payment_intent.succeeded", change);
        } else {
            self.fail(id, RETURNED, charge);
            self.announce_charge(id, "charge.failed", change);
            self.announce_intent(id, "payment_intent.payment_failed", change);
        }
        Ok(())
    }

    pub(crate) fn cancel(
        &mut self,
        id: &str,
        reason: Option<&str>,
        change: &Change<'_>,
    ) -> Result<(), StripeError> {
        let status = self.step(id, Happening::Canceled, "cancel")?;
        self.with(id, |intent| {
            intent.status = status;
            intent.canceled_at_s = Some(change.now_s);
            intent.cancellation_reason = reason.map(str::to_owned);
        });
        self.announce_intent(id, "payment_intent.canceled", change);
        Ok(())
    }

    fn step(&self, id: &str, happening: Happening, verb: &str) -> Result<IntentStatus, StripeError> {
        let intent = self.intent_anywhere(id).ok_or_else(|| StripeError::no_such("payment_intent", id))?;
        next(intent.status, happening)
            .map_err(|_| StripeError::unexpected_state(verb, render::intent(intent, self, &[])))
    }

    fn with(&mut self, id: &str, change: impl FnOnce(&mut Intent)) {
        let place = self.intent_at.get(id).copied();
        if let Some(intent) = place.and_then(|place| self.intents.get_mut(place)) {
            change(intent);
        }
    }

    fn charged(&mut self, id: &str, change: &Change<'_>) {
        self.charge_attempt(id, ChargeStatus::Succeeded, None, change);
        self.announce_charge(id, "charge.succeeded", change);
        self.announce_intent(id, "payment_intent.succeeded", change);
    }

    fn declined(&mut self, id: &str, decline: Decline, attempted: bool, change: &Change<'_>) -> StripeError {
        let charge = attempted.then(|| self.charge_attempt(id, ChargeStatus::Failed, Some(decline), change));
        self.fail(id, decline, charge.clone());
        if attempted {
            self.announce_charge(id, "charge.failed", change);
        }
        self.announce_intent(id, "payment_intent.payment_failed", change);
        let intent = self.intent_anywhere(id).map(|intent| render::intent(intent, self, &[]));
        let charge = charge.unwrap_or_default();
        StripeError::card(
            decline.code,
            decline.decline_code,
            decline.message,
            &charge,
            intent.unwrap_or_default(),
        )
    }

    fn fail(&mut self, id: &str, decline: Decline, charge: Option<String>) {
        self.with(id, |intent| {
            let Some((payment_method, instrument)) = intent.instrument.take() else {
                return;
            };
            intent.last_payment_error = Some(PaymentFailure {
                code: decline.code.into(),
                decline_code: decline.decline_code.map(str::to_owned),
                message: decline.message.into(),
                charge,
                instrument,
                payment_method,
            });
        });
    }

    fn charge_attempt(
        &mut self,
        id: &str,
        status: ChargeStatus,
        failure: Option<Decline>,
        change: &Change<'_>,
    ) -> String {
        let Some((payment_method, instrument)) =
            self.intent_anywhere(id).and_then(|one| one.instrument.clone())
        else {
            return String::new();
        };
        let charge = Charge {
            id: change.ids.prefixed("ch_3"),
            balance_transaction: (status == ChargeStatus::Succeeded).then(|| change.ids.prefixed("txn_3")),
            intent: id.to_owned(),
            payment_method,
            status,
            failure,
            instrument,
            created_s: change.now_s,
        };
        let charge_id = charge.id.clone();
        self.charges.push(charge);
        self.with(id, |intent| intent.latest_charge = Some(charge_id.clone()));
        charge_id
    }

    fn announce_intent(&mut self, id: &str, kind: &'static str, change: &Change<'_>) {
        let Some(intent) = self.intent_anywhere(id) else {
            return;
        };
        let (account, object) = (intent.account.clone(), render::intent(intent, self, &[]));
        self.record(kind, account, object, change);
    }

    fn announce_charge(&mut self, id: &str, kind: &'static str, change: &Change<'_>) {
        let Some(intent) = self.intent_anywhere(id) else {
            return;
        };
        let Some(charge) = intent.latest_charge.as_deref().and_then(|charge| self.charge(charge)) else {
            return;
        };
        let (account, object) = (intent.account.clone(), render::charge(charge, intent, &[]));
        self.record(kind, account, object, change);
    }

    fn record(&mut self, kind: &'static str, account: Option<String>, object: Value, change: &Change<'_>) {
        self.events.push(Event {
            id: change.ids.prefixed("evt_3"),
            account,
            kind,
            created_s: change.now_s,
            object,
            idempotency_key: change.cause.idempotency_key.clone(),
            request: change.cause.request.clone(),
        });
    }
}
