//! What one class did on one store, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::store::Kind;
use crate::wishes::Verdict;

/// A kill or a stop must be got over within this.
pub(crate) const RECOVERY_MAX: Duration = Duration::from_secs(15);

#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Faults by their names.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) events: usize,
    pub(crate) lost: usize,
    pub(crate) repeated: usize,
    pub(crate) surfaced: usize,
    /// How long until the next text went out.
    pub(crate) recoveries: Vec<Duration>,
    /// What went wrong, in words.
    pub(crate) broken: Vec<String>,
}

impl Tally {
    pub(crate) fn fault(&mut self, name: &'static str, count: usize) {
        *self.faults.entry(name).or_default() += u64::try_from(count).unwrap_or(u64::MAX);
    }

    /// Takes over what the world says.
    pub(crate) fn judged(&mut self, verdict: &Verdict) {
        self.events += verdict.accepted;
        self.lost += verdict.lost.len();
        self.repeated += verdict.repeated;
        self.surfaced += verdict.surfaced;
        if !verdict.lost.is_empty() {
            let some: Vec<usize> = verdict.lost.iter().copied().take(10).collect();
            self.broken.push(format!("{} lost, among them {some:?}", verdict.lost.len()));
        }
        if verdict.repeated > 0 {
            self.broken.push(format!("{} said twice", verdict.repeated));
        }
    }

    pub(crate) fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }

    /// Every recovery has to be quick enough.
    pub(crate) fn recovered_in_time(&mut self) {
        let slowest = self.recoveries.iter().max().copied().unwrap_or_default();
        self.expect(slowest <= RECOVERY_MAX, || format!("it took {slowest:?} until the next text"));
    }

    pub(crate) fn passed(&self) -> bool {
        self.broken.is_empty()
    }

    pub(crate) fn injected(&self) -> u64 {
        self.faults.values().sum()
    }
}

/// One line of the report.
pub(crate) struct Row {
    pub(crate) class: &'static str,
    pub(crate) kind: Kind,
    pub(crate) tally: Tally,
    pub(crate) took: Duration,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, kind, tally, took } = self;
        let recovery = tally.recoveries.iter().max().map_or("-".to_owned(), |slowest| {
            format!("{}.{:01} s", slowest.as_secs(), slowest.subsec_millis() / 100)
        });
        let verdict = if tally.passed() { "ok" } else { "FAILED" };
        write!(
            f,
            "{verdict:<6} {class:<13} {:<8} {:>7} {:>8} {:>5} {:>8} {:>8} {:>9} {:>5} s  ",
            kind.word(),
            tally.injected(),
            tally.events,
            tally.lost,
            tally.repeated,
            tally.surfaced,
            recovery,
            took.as_secs(),
        )?;
        let parts: Vec<String> = tally.faults.iter().map(|(name, count)| format!("{count} {name}")).collect();
        write!(f, "{}", parts.join(", "))?;
        tally.broken.iter().try_for_each(|what| write!(f, "\n       {class} on {}: {what}", kind.word()))
    }
}

pub(crate) const HEADER: &str =
    "       class         store     faults   events  lost repeated surfaced recovery    took";
