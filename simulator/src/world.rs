//! Starts every stand-in and says where each one listens.

use std::net::SocketAddr;

use crate::carrier::Carrier;
use crate::clock::Clock;
use crate::config::{ProductEndpoints, WorldConfig};
use crate::dialer::Dialer;
use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::outbound;
use crate::phone::Phone;
use crate::server::{Door, Server};
use crate::stripe::Stripe;

/// The running outside world; everything in it ends with [`World::shutdown`] or when it is dropped.
#[derive(Debug)]
pub struct World {
    clock: Clock,
    stripe: Stripe,
    carrier: Carrier,
    mailbox: Mailbox,
    dialer: Dialer,
    urls: Urls,
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Urls {
    stripe: String,
    carrier: String,
    dialer: String,
    phone: String,
}

impl World {
    /// Starts all servers on the host's address.
    ///
    /// # Errors
    /// When a port is taken or the HTTP client cannot be built.
    pub async fn start(config: WorldConfig) -> Result<Self, Error> {
        let WorldConfig { host, ports, seed, clock, stripe, carrier, dialer } = config;
        let client = outbound::client()?;
        let stripe = Stripe::new(stripe, clock.clone(), seed, client.clone());
        let carrier = Carrier::new(carrier, clock.clone(), seed, client.clone());
        let dialer = Dialer::new(dialer, clock.clone(), seed, client);
        let mailbox = Mailbox::start((host, ports.mailbox).into(), clock.clone()).await?;
        let phone =
            Phone::new(clock.clone(), stripe.clone(), carrier.clone(), mailbox.clone(), dialer.clone());
        let stripe_server =
            Server::start((host, ports.stripe).into(), stripe.door(), stripe.routes()).await?;
        let carrier_server =
            Server::start((host, ports.carrier).into(), carrier.door(), carrier.routes()).await?;
        let dialer_server =
            Server::start((host, ports.dialer).into(), dialer.door(), dialer.routes()).await?;
        let phone_server = Server::start((host, ports.phone).into(), Door::new(), phone.routes()).await?;
        let urls = Urls {
            stripe: stripe_server.url(),
            carrier: carrier_server.url(),
            dialer: dialer_server.url(),
            phone: phone_server.url(),
        };
        let servers = vec![stripe_server, carrier_server, dialer_server, phone_server];
        Ok(Self { clock, stripe, carrier, mailbox, dialer, urls, servers })
    }

    /// Tells the world where the product listens; what is `None` stays as it was.
    pub fn connect(&self, product: ProductEndpoints) {
        if let Some(url) = product.stripe_webhook_url {
            self.stripe.webhooks().set_url(&url);
        }
        if let Some(url) = product.carrier_inbound_url {
            self.carrier.set_inbound_url(&url);
        }
        if let Some(url) = product.call_permission_url {
            self.dialer.set_permission_url(&url);
        }
        if let Some(key) = product.call_permission_key {
            self.dialer.set_api_key(&key);
        }
    }

    /// Base URL of Stripe's API, without `/v1` and without a slash at the end.
    #[must_use]
    pub fn stripe_url(&self) -> String {
        self.urls.stripe.clone()
    }

    /// Where the pay page loads Stripe.js from; its origin is also where that script sends cards.
    #[must_use]
    pub fn stripe_js_url(&self) -> String {
        format!("{}{}", self.urls.stripe, crate::stripe::SCRIPT_PATH)
    }

    /// Base URL of the carrier's API, without `/2010-04-01` and without a slash at the end.
    #[must_use]
    pub fn sms_url(&self) -> String {
        self.urls.carrier.clone()
    }

    /// Where mail is taken in.
    #[must_use]
    pub fn smtp_addr(&self) -> SocketAddr {
        self.mailbox.address()
    }

    /// Base URL of the dialer; commands go to `/commands`.
    #[must_use]
    pub fn dialer_url(&self) -> String {
        self.urls.dialer.clone()
    }

    /// The page that shows what customers received; the control API is under `/_sim/`.
    #[must_use]
    pub fn phone_url(&self) -> String {
        self.urls.phone.clone()
    }

    /// The movable clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Stripe: its requests, webhooks, settlements and faults.
    #[must_use]
    pub fn stripe(&self) -> &Stripe {
        &self.stripe
    }

    /// The SMS carrier: its journal, inbound texts and faults.
    #[must_use]
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// The mailbox: the mail it took in, and its faults.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The dialer: the commands it got, the calls it placed, and its faults.
    #[must_use]
    pub fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Stops listening and cuts every connection.
    pub async fn shutdown(mut self) {
        for server in std::mem::take(&mut self.servers) {
            server.stop().await;
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stripe.webhooks().stop();
        self.carrier.stop_callbacks();
        self.mailbox.stop();
    }
}
