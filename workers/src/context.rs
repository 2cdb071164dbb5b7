//! What every job is given.

use std::sync::Arc;

use domain::keyring::Keyring;
use domain::retention::Ages;
use domain::time::Timestamp;
use entities::Db;
use gateways::dialer::DialerGateway;
use gateways::email::EmailGateway;
use gateways::sms::SmsGateway;
use gateways::stripe::StripeGateway;
use queue::Ledger;
use templates::Templates;

use crate::{Metrics, SenderPace};

/// Clones share everything.
#[derive(Clone)]
pub struct Context {
    pub db: Db,
    pub ledger: Ledger,
    pub templates: Arc<Templates>,
    pub keyring: Arc<Keyring>,
    pub sms: Arc<SmsGateway>,
    pub email: Arc<EmailGateway>,
    pub stripe: Arc<StripeGateway>,
    pub dialer: Arc<DialerGateway>,
    /// How fast each number may text.
    pub senders: SenderPace,
    /// Where customers and providers reach us, without a trailing slash.
    pub public_url: Arc<str>,
    /// How long old rows are kept.
    pub keep: Ages,
    pub metrics: Arc<Metrics>,
}

impl Context {
    /// Business time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ledger.clock().now()
    }
}
