//! Live updates: what changed on an invoice, told to whoever listens right now. Who was away reads the timeline.

use std::sync::{Arc, OnceLock};

use domain::job::Change;
use tokio::sync::{broadcast, mpsc};

/// Changes a slow listener may be behind before it is told that it missed some.
const BEHIND_MAX: usize = 1_024;

/// A change with the process that told it, so that its own echo from Redis is not told twice.
#[derive(serde::Serialize, serde::Deserialize)]
struct Told {
    by: u64,
    change: Change,
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

    pub(crate) fn publish(&self, change: &Change) {
        let _nobody_listens = self.sender.send(change.clone());
        let Some((channel, outgoing)) = self.outgoing.get() else {
            return;
        };
        let told = Told { by: self.me, change: change.clone() };
        if let Ok(text) = serde_json::to_string(&told) {
            let _dropped_when_full = outgoing.try_send((channel, text));
        }
    }

    pub(crate) fn heard(&self, text: &str) {
        let Ok(told) = serde_json::from_str::<Told>(text) else {
            return;
        };
        if told.by != self.me {
            let _nobody_listens = self.sender.send(told.change);
        }
    }
}
