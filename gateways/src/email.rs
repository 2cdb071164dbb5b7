//! Email through the operator's relay, by SMTP: one message, one recipient, text and HTML, our own Message-ID.
//!
//! lettre's ready transport does not tell a connection lost before the message from one lost after it, and that is the
//! difference between "not sent" and "unknown". So the commands are spoken one by one over its connection.

mod compose;
mod outcome;
mod pool;
mod relay;
#[cfg(test)]
mod scripted_relay;

use std::time::{Duration, Instant};

use domain::send::SendOutcome;
use domain::time::Timestamp;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use secrecy::SecretString;

use crate::calls::{Calls, Operation, Verdict};
use crate::hand_over::HandedOver;
use crate::http::{self, SetupError};

use compose::Letter;
use outcome::{Fault, Stage};
use pool::Pool;
use relay::Relay;

#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// `smtp://host:port`, `smtp://user:pass@host:port?tls=required` (or `opportunistic`), `smtps://user:pass@host`.
    pub smtp_url: SecretString,
    /// Ours: the right half of every Message-ID, and how we greet the relay.
    pub domain: String,
    /// The longest one delivery may take, the wait for a connection included.
    pub timeout_ms: u64,
    /// How many connections are open at once at most.
    pub pool_size: usize,
}

/// One email to be sent. Has no `Debug`: it holds an address and a link.
#[derive(Clone)]
pub struct EmailSend {
    /// The left half of the Message-ID, the attempt's id. A resend says the same, so that receivers can tell.
    pub message_id: String,
    pub from_name: String,
    pub from_address: String,
    pub reply_to: Option<String>,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// An https address that takes a POST (RFC 8058).
    pub list_unsubscribe: Option<String>,
    pub dated: Timestamp,
    /// Past this moment the message is not written. Checked after the relay has said that it would take it.
    pub deadline: Instant,
}

pub struct EmailGateway {
    pool: Pool,
    domain: String,
    timeout: Duration,
    calls: Calls,
}

impl EmailGateway {
    /// # Errors
    /// When the relay's URL or our domain cannot be used.
    pub fn new(config: &EmailConfig) -> Result<Self, SetupError> {
        http::install_crypto();
        if !compose::is_domain(&config.domain) {
            return Err(SetupError::Setting { what: "the email domain must be a plain host name" });
        }
        let relay = Relay::parse(&config.smtp_url, &config.domain)?;
        Ok(Self {
            pool: Pool::new(relay, config.pool_size.max(1)),
            domain: config.domain.clone(),
            timeout: Duration::from_millis(config.timeout_ms),
            calls: Calls::default(),
        })
    }

    /// The same, its calls counted there.
    #[must_use]
    pub fn counted_in(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// Hands one email to the relay, once, and says what that came to.
    pub async fn send(&self, email: &EmailSend) -> SendOutcome {
        let letter = match compose::letter(email, &self.domain) {
            Ok(letter) => letter,
            Err(refusal) => return SendOutcome::rejected(refusal.class, refusal.why),
        };
        self.calls.timed(Operation::SendEmail, self.hand_over(&letter, email), Verdict::of_send).await
    }

    async fn hand_over(&self, letter: &Letter, email: &EmailSend) -> SendOutcome {
        let handed_over = HandedOver::default();
        let delivery = self.deliver(letter, email.deadline, &handed_over);
        match tokio::time::timeout(self.timeout, delivery).await {
            Ok(Ok(())) => SendOutcome::Accepted { provider_id: letter.message_id.clone(), segments: None },
            Ok(Err(fault)) => fault.outcome(),
            Err(_) if handed_over.has_happened() => {
                SendOutcome::unknown("timed out after the message was written")
            }
            Err(_) => SendOutcome::not_sent("timed out before the message was written"),
        }
    }

    /// Whether the relay is there, is as private as configured, and lets us in. Nothing is sent.
    ///
    /// # Errors
    /// In words.
    pub async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(self.timeout, self.pool.take()).await {
            Ok(Ok(line)) => {
                line.put_back();
                Ok(())
            }
            Ok(Err(fault)) => Err(fault.why()),
            Err(_) => Err("the relay does not answer in time".to_owned()),
        }
    }

    async fn deliver(
        &self,
        letter: &Letter,
        deadline: Instant,
        handed_over: &HandedOver,
    ) -> Result<(), Fault> {
        let mut line = self.pool.take().await?;
        // On any fault the line is dropped here: what the relay still believes about it does not matter then.
        say(line.connection(), letter, deadline, handed_over).await?;
        line.put_back();
        Ok(())
    }
}

async fn say(
    connection: &mut AsyncSmtpConnection,
    letter: &Letter,
    deadline: Instant,
    handed_over: &HandedOver,
) -> Result<(), Fault> {
    let from = Mail::new(Some(letter.from.clone()), Vec::new());
    connection.command(from).await.map_err(|error| Fault::at(Stage::Sender, &error))?;
    let to = Rcpt::new(letter.to.clone(), Vec::new());
    connection.command(to).await.map_err(|error| Fault::at(Stage::Recipient, &error))?;
    connection.command(Data).await.map_err(|error| Fault::at(Stage::Data, &error))?;
    if Instant::now() >= deadline {
        return Err(Fault::TooLate);
    }
    handed_over.mark();
    connection.message(&letter.bytes).await.map_err(|error| Fault::at(Stage::Content, &error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
