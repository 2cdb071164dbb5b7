//! The voice platform's dialer: takes pause and resume commands, and asks before each call.

mod calls;
mod commands;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use serde_json::json;

pub use calls::{CallAttempt, CallOutcome};
pub use commands::{Command, CommandKind, CommandReceived};

use crate::call::{PostCallEvent, Sender};
use crate::clock::Clock;
use crate::config::DialerConfig;
use crate::error::Error;
use crate::faults::{FaultRule, Faults};
use crate::ids::Ids;
use crate::journal::Journal;
use crate::server::Door;

/// The dialer; its clones are the same one.
#[derive(Clone, Debug)]
pub struct Dialer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: DialerConfig,
    clock: Clock,
    ids: Ids,
    client: reqwest::Client,
    permission_url: RwLock<Option<String>>,
    api_key: RwLock<Option<String>>,
    commands: Journal<CommandReceived>,
    calls: Journal<CallAttempt>,
    enrolments: Mutex<Enrolments>,
    faults: Faults,
    door: Door,
}

#[derive(Debug, Default)]
struct Enrolments {
    /// By enrolment: the invoice, and whether it is paused.
    states: HashMap<String, (String, bool)>,
    obeyed: HashSet<String>,
}

impl Dialer {
    pub(crate) fn new(config: DialerConfig, clock: Clock, seed: u64, client: reqwest::Client) -> Self {
        Self(Arc::new(Inner {
            permission_url: RwLock::new(config.permission_url.clone()),
            api_key: RwLock::new(config.api_key.clone()),
            config,
            clock,
            ids: Ids::new(seed, 3),
            client,
            commands: Journal::new(),
            calls: Journal::new(),
            enrolments: Mutex::default(),
            faults: Faults::default(),
            door: Door::new(),
        }))
    }

    pub(crate) fn routes(&self) -> Router {
        commands::routes(self.clone())
    }

    /// Shuts or reopens the port.
    #[must_use]
    pub fn door(&self) -> Door {
        self.0.door.clone()
    }

    /// Every arrival of a command.
    #[must_use]
    pub fn commands(&self) -> &Journal<CommandReceived> {
        &self.0.commands
    }

    /// Every signed command as one JSON object per line, with the secret to check it, for validators outside.
    #[must_use]
    pub fn commands_jsonl(&self) -> String {
        let line = |entry: &CommandReceived| {
            let record =
                json!({ "headers": entry.headers, "body": entry.body, "secret": self.signing_secret() });
            format!("{record}\n")
        };
        self.0.commands.read(|all| all.iter().map(line).collect())
    }

    /// Every call, placed or not.
    #[must_use]
    pub fn calls(&self) -> &Journal<CallAttempt> {
        &self.0.calls
    }

    /// The commands carried out, each once.
    #[must_use]
    pub fn obeyed(&self) -> Vec<Command> {
        let first = |entry: &CommandReceived| entry.command.clone().filter(|_| entry.carried_out);
        self.0.commands.read(|all| all.iter().filter_map(first).collect())
    }

    /// Whether any enrolment of this invoice is paused here.
    #[must_use]
    pub fn is_paused(&self, invoice_id: &str) -> bool {
        let enrolments = self.0.enrolments.lock().unwrap_or_else(PoisonError::into_inner);
        enrolments.states.values().any(|(invoice, paused)| invoice == invoice_id && *paused)
    }

    /// Whether this enrolment is paused; `None` when no command ever named it.
    #[must_use]
    pub fn enrolment_is_paused(&self, enrolment_id: &str) -> Option<bool> {
        let enrolments = self.0.enrolments.lock().unwrap_or_else(PoisonError::into_inner);
        enrolments.states.get(enrolment_id).map(|(_, paused)| *paused)
    }

    /// Waits for a command that was carried out and answered.
    ///
    /// # Errors
    /// [`Error::TimedOut`]
    pub async fn wait_for_command(
        &self,
        kind: CommandKind,
        invoice_id: &str,
        patience: Duration,
    ) -> Result<Command, Error> {
        let wanted = |entry: &CommandReceived| {
            let answered = entry.status.is_some_and(|status| (200..300).contains(&status));
            entry
                .command
                .clone()
                .filter(|command| answered && command.kind == kind && command.invoice_id == invoice_id)
        };
        self.0.commands.wait_until(patience, |all| all.iter().find_map(wanted)).await
    }

    /// Waits until the dialer has acknowledged that calls about this invoice are paused, or that they are not.
    ///
    /// # Errors
    /// [`Error::TimedOut`]
    pub async fn wait_for_pause(
        &self,
        invoice_id: &str,
        paused: bool,
        patience: Duration,
    ) -> Result<(), Error> {
        let kind = if paused { CommandKind::Pause } else { CommandKind::Resume };
        let acknowledged = |entry: &CommandReceived| {
            let ours = |command: &Command| command.kind == kind && command.invoice_id == invoice_id;
            entry.command.as_ref().is_some_and(ours) && entry.status == Some(200)
        };
        let reached = |all: &[CommandReceived]| {
            (self.is_paused(invoice_id) == paused && all.iter().any(acknowledged)).then_some(())
        };
        self.0.commands.wait_until(patience, reached).await
    }

    /// Adds a rule; its subject is the command's kind, invoice and enrolment.
    pub fn fault(&self, rule: FaultRule) {
        self.0.faults.add(rule);
    }

    /// Ends all scripted misbehaviour.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
    }

    /// Where to ask before a call.
    pub fn set_permission_url(&self, url: &str) {
        *self.0.permission_url.write().unwrap_or_else(PoisonError::into_inner) = Some(url.to_owned());
    }

    /// The key to ask with.
    pub fn set_api_key(&self, key: &str) {
        *self.0.api_key.write().unwrap_or_else(PoisonError::into_inner) = Some(key.to_owned());
    }

    /// Posts what happened on a call, signed, on this world's clock.
    ///
    /// # Errors
    /// When the product does not answer.
    pub async fn report(&self, to: &Sender, event: &PostCallEvent) -> Result<crate::call::Receipt, Error> {
        to.post(&self.0.client, event, &self.0.ids.prefixed("msg_"), self.0.clock.now_s()).await
    }

    /// Carries a command out. Returns whether it had been carried out before.
    pub(crate) fn obey(&self, command: &Command) -> bool {
        let mut enrolments = self.0.enrolments.lock().unwrap_or_else(PoisonError::into_inner);
        if !enrolments.obeyed.insert(command.command_id.clone()) {
            return true;
        }
        let paused = match command.kind {
            CommandKind::Pause => true,
            CommandKind::Resume => false,
        };
        enrolments.states.insert(command.enrolment_id.clone(), (command.invoice_id.clone(), paused));
        false
    }

    pub(crate) fn permission_url(&self) -> Option<String> {
        self.0.permission_url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn api_key(&self) -> Option<String> {
        self.0.api_key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn signing_secret(&self) -> &str {
        &self.0.config.signing_secret
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.0.client
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }
}
