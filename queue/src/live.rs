//! Live updates: what changed on an invoice, told to whoever listens right now. Who was away reads the timeline.

use std::sync::{Arc, OnceLock};

use domain::job::Change;
use tokio::sync::{broadcast, mpsc};

/// Changes a slow listener may be behind before it is told that it missed some.
const BEHIND_MAX: usize = 1_024;

/// Changes with the process that told them, so that its own echo from Redis is not told twice.
#[derive(serde::Serialize, serde::Deserialize)]
struct Told<'a> {
    by: u64,
    changes: std::borrow::Cow<'a, [Change]>,
}

/// The channel's name and the way to it.
type Outgoing = (&'static str, mpsc::Sender<(&'static str, String)>);

/// Clones share the listeners.
#[derive(Debug, Clone)]
pub struct Live {
    sender: broadcast::Sender<Change>,
    me: u64,
    outgoing: Arc<OnceLock<Outgoing>>,
}

impl Default for Live {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BEHIND_MAX), me: rand::random(), outgoing: Arc::default() }
    }
}

impl Live {
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }

    pub(crate) fn forward_to(&self, channel: &'static str, outgoing: mpsc::Sender<(&'static str, String)>) {
        let _first_wins = self.outgoing.set((channel, outgoing));
    }

    /// Tells what one transaction changed.
    pub(crate) fn publish(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        self.tell_here(changes);
        let Some((channel, outgoing)) = self.outgoing.get() else {
            return;
        };
        if let Ok(text) = serde_json::to_string(&Told { by: self.me, changes: changes.into() }) {
            let _dropped_when_full = outgoing.try_send((channel, text));
        }
    }

    pub(crate) fn heard(&self, text: &str) {
        // Most processes have no listener most of the time: then nothing is even read.
        if self.sender.receiver_count() == 0 {
            return;
        }
        let Ok(told) = serde_json::from_str::<Told<'_>>(text) else {
            return;
        };
        if told.by != self.me {
            self.tell_here(&told.changes);
        }
    }

    fn tell_here(&self, changes: &[Change]) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        for change in changes {
            let _nobody_listens_any_more = self.sender.send(change.clone());
        }
    }
}
