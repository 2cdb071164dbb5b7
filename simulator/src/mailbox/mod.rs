//! A mailbox that takes in every mail over real SMTP.

mod email;
mod session;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use email::Email;

use crate::clock::Clock;
use crate::error::Error;
use crate::journal::Journal;

/// One way for a mail server to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MailFault {
    /// The connection ends before the greeting.
    DropAtGreeting,
    /// `RCPT` is answered with this code: 550 for good, 451 for now.
    RejectRecipient {
        /// 4xx or 5xx.
        code: u16,
    },
    /// The content is answered with this code and not kept.
    RefuseContent {
        /// 4xx or 5xx.
        code: u16,
    },
    /// The connection ends in the middle of the content; nothing is kept.
    DropBeforeDot,
    /// The mail is kept, but the connection ends without an answer.
    DropAfterDot,
    /// The mail is kept, but the answer never comes.
    SilentAfterDot,
}

impl MailFault {
    pub(crate) fn is_at_greeting(self) -> bool {
        match self {
            Self::DropAtGreeting => true,
            Self::RejectRecipient { .. }
            | Self::RefuseContent { .. }
            | Self::DropBeforeDot
            | Self::DropAfterDot
            | Self::SilentAfterDot => false,
        }
    }

    pub(crate) fn is_at_recipient(self) -> bool {
        match self {
            Self::RejectRecipient { .. } => true,
            Self::DropAtGreeting
            | Self::RefuseContent { .. }
            | Self::DropBeforeDot
            | Self::DropAfterDot
            | Self::SilentAfterDot => false,
        }
    }

    pub(crate) fn is_at_data(self) -> bool {
        match self {
            Self::RefuseContent { .. } | Self::DropBeforeDot | Self::DropAfterDot | Self::SilentAfterDot => {
                true
            }
            Self::DropAtGreeting | Self::RejectRecipient { .. } => false,
        }
    }
}

/// A fault, and whose mail it strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRule {
    /// What happens.
    pub fault: MailFault,
    /// Only mail to addresses that contain this.
    #[serde(default)]
    pub to: Option<String>,
    /// How often; `None` until cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

/// The mailbox; its clones are the same one.
#[derive(Clone, Debug)]
pub struct Mailbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    clock: Clock,
    emails: Journal<Email>,
    rules: Mutex<Vec<MailRule>>,
    stopped: watch::Sender<bool>,
}

impl Mailbox {
    pub(crate) async fn start(wanted: SocketAddr, clock: Clock) -> Result<Self, Error> {
        let port = wanted.port();
        let bound = TcpListener::bind(wanted).await;
        let listener = bound.map_err(|source| Error::Listen { port, source })?;
        let address = listener.local_addr().map_err(|source| Error::Listen { port, source })?;
        let mailbox = Self(Arc::new(Inner {
            address,
            clock,
            emails: Journal::new(),
            rules: Mutex::default(),
            stopped: watch::channel(false).0,
        }));
        tokio::spawn(mailbox.clone().serve(listener));
        Ok(mailbox)
    }

    async fn serve(self, listener: TcpListener) {
        let mut stopped = self.0.stopped.subscribe();
        // Dropping the set ends every conversation.
        let mut conversations = JoinSet::new();
        loop {
            let arrived = tokio::select! {
                arrived = listener.accept() => arrived,
                Some(_) = conversations.join_next() => continue,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            match arrived {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    conversations.spawn(session::converse(self.clone(), stream));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    pub(crate) fn stop(&self) {
        self.0.stopped.send_replace(true);
    }

    /// Where mail is taken in.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Every mail taken in, in order.
    #[must_use]
    pub fn emails(&self) -> &Journal<Email> {
        &self.0.emails
    }

    /// The mails to one address.
    #[must_use]
    pub fn emails_to(&self, address: &str) -> Vec<Email> {
        self.0.emails.read(|all| all.iter().filter(|email| is_for(email, address)).cloned().collect())
    }

    /// Waits until `count` mails to `address` are there.
    ///
    /// # Errors
    /// [`Error::TimedOut`]
    pub async fn wait_for_emails(
        &self,
        address: &str,
        count: usize,
        patience: Duration,
    ) -> Result<Vec<Email>, Error> {
        let enough = |all: &[Email]| {
            let found: Vec<Email> = all.iter().filter(|email| is_for(email, address)).cloned().collect();
            (found.len() >= count).then_some(found)
        };
        self.0.emails.wait_until(patience, enough).await
    }

    /// Adds a rule.
    pub fn fault(&self, rule: MailRule) {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    /// Ends all scripted misbehaviour.
    pub fn clear_faults(&self) {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn strike(&self, at_this_point: fn(MailFault) -> bool, to: &str) -> Option<MailFault> {
        let mut rules = self.0.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let hits = |rule: &MailRule| {
            at_this_point(rule.fault) && rule.to.as_deref().is_none_or(|part| to.contains(part))
        };
        let place = rules.iter().position(hits)?;
        let fault = rules[place].fault;
        if let Some(left) = &mut rules[place].times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                rules.remove(place);
            }
        }
        Some(fault)
    }

    /// Keeps a mail. Returns its number.
    pub(crate) fn take_in(&self, from: String, to: Vec<String>, raw: &[u8]) -> usize {
        let (at_ms, at_us) = (self.0.clock.now_ms(), self.0.clock.monotonic_us());
        let place = self.0.emails.append(Email::parse(from, to, raw, at_ms, at_us));
        self.0.emails.amend(place, |email| email.number = place + 1);
        place + 1
    }
}

fn is_for(email: &Email, address: &str) -> bool {
    email.to.iter().any(|to| to.eq_ignore_ascii_case(address))
}
