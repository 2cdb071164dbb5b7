//! The page that shows what customers received, and the control API that browser tests script the world with.

mod control;
mod page;

use axum::Router;

use crate::carrier::Carrier;
use crate::clock::Clock;
use crate::dialer::Dialer;
use crate::mailbox::Mailbox;
use crate::stripe::Stripe;

/// Hands on everything in the world.
#[derive(Clone, Debug)]
pub(crate) struct Phone {
    clock: Clock,
    stripe: Stripe,
    carrier: Carrier,
    mailbox: Mailbox,
    dialer: Dialer,
}

impl Phone {
    pub(crate) fn new(
        clock: Clock,
        stripe: Stripe,
        carrier: Carrier,
        mailbox: Mailbox,
        dialer: Dialer,
    ) -> Self {
        Self { clock, stripe, carrier, mailbox, dialer }
    }

    pub(crate) fn routes(&self) -> Router {
        page::routes().merge(control::routes(self.clone()))
    }
}
