//! What becomes of accepted texts, when the test says otherwise than "delivered".

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// The end of a text's journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fate {
    /// Sent, then delivered.
    #[default]
    Delivered,
    /// Sent, then undelivered for this reason.
    Undelivered {
        /// 30003, 30006, 30007, …
        code: u32,
    },
    /// Never sent, for this reason.
    Failed {
        /// 30034, 30500, …
        code: u32,
    },
    /// Sent, and never heard of again.
    Lost,
}

/// How the callbacks for a text misbehave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journey {
    /// Where it ends.
    pub fate: Fate,
    /// How often each callback is posted.
    pub callback_copies: u32,
    /// The callbacks come before the answer to the request that made the text.
    pub callback_first: bool,
    /// The last callback comes before the others.
    pub callbacks_reversed: bool,
    /// Only texts to numbers that contain this.
    pub to: Option<String>,
    /// How many texts; `None` until cleared.
    pub times: Option<u32>,
}

impl Default for Journey {
    fn default() -> Self {
        Self {
            fate: Fate::Delivered,
            callback_copies: 1,
            callback_first: false,
            callbacks_reversed: false,
            to: None,
            times: None,
        }
    }
}

/// The scripted journeys; the first that fits is taken.
#[derive(Debug, Default)]
pub(crate) struct Journeys(Mutex<Vec<Journey>>);

impl Journeys {
    pub(crate) fn add(&self, journey: Journey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(journey);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn take(&self, to: &str) -> Journey {
        let mut journeys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |journey: &Journey| journey.to.as_deref().is_none_or(|part| to.contains(part));
        let Some(place) = journeys.iter().position(fits) else {
            return Journey::default();
        };
        let taken = journeys[place].clone();
        if let Some(left) = &mut journeys[place].times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                journeys.remove(place);
            }
        }
        taken
    }
}
