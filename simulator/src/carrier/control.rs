//! The hands on the carrier: faults, journeys, and what is held back.

use std::sync::PoisonError;

use super::Carrier;
use super::script::Journey;
use crate::faults::FaultRule;

impl Carrier {
    /// Adds a rule for requests to send; its subject is the recipient.
    pub fn fault(&self, rule: FaultRule) {
        self.0.faults.add(rule);
    }

    /// Makes the listing answer this status; `None` lets it answer properly.
    pub fn set_listing_fault(&self, status: Option<u16>) {
        *self.0.listing_fault.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// Scripts what becomes of accepted texts.
    pub fn script(&self, journey: Journey) {
        self.0.journeys.add(journey);
    }

    /// Ends all scripted misbehaviour and releases what was held.
    pub fn clear_script(&self) {
        self.0.faults.clear();
        self.0.journeys.clear();
        self.set_listing_fault(None);
        self.hold_queue(false);
        self.hold_callbacks(false);
    }

    /// Keeps accepted texts in the queue; their validity period runs on.
    pub fn hold_queue(&self, held: bool) {
        self.0.gates.send_modify(|gates| gates.queue_held = held);
    }

    /// Keeps status reports back.
    pub fn hold_callbacks(&self, held: bool) {
        self.0.gates.send_modify(|gates| gates.callbacks_held = held);
    }

    /// Makes a number refuse texts with 21614.
    pub fn mark_landline(&self, phone: &str) {
        self.0.landlines.write().unwrap_or_else(PoisonError::into_inner).insert(phone.to_owned());
    }

    /// Where texts from customers go.
    pub fn set_inbound_url(&self, url: &str) {
        *self.0.inbound_url.write().unwrap_or_else(PoisonError::into_inner) = Some(url.to_owned());
    }
}
