//! What happened, as a table with one last line.

use std::fmt;
use std::time::Duration;

use crate::counts::Counts;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ran(Counts),
    Skipped(&'static str),
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

impl Row {
    pub(crate) fn counts(&self) -> Counts {
        match self.outcome {
            Outcome::Ran(counts) => counts,
            Outcome::Skipped(_) => Counts::default(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Ran(counts) => {
                write!(formatter, "{:>5} passed {:>4} failed", counts.passed, counts.failed)?;
            }
            Outcome::Skipped(reason) => write!(formatter, "skipped: {reason}")?,
        }
        write!(formatter, "  {}", duration(self.took))
    }
}

/// Prints the table and its last line; true when nothing failed and something passed.
pub(crate) fn close(rows: &[Row]) -> bool {
    println!();
    for row in rows {
        println!("{:<20}{row}", row.name);
    }
    let mut total = Counts::default();
    let mut took = Duration::ZERO;
    for row in rows {
        total += row.counts();
        took += row.took;
    }
    println!("{:<20}{}\n", "in all", duration(took));
    println!("{} passed, {} failed", total.passed, total.failed);
    total.failed == 0 && total.passed > 0
}

/// `4m 05s`, or `1.2s` where a minute has not passed.
fn duration(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds >= 60 {
        return format!("{}m {:02}s", seconds / 60, seconds % 60);
    }
    format!("{seconds}.{}s", took.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: Outcome) -> Row {
        Row { name: "tests", outcome, took: Duration::from_millis(1_240) }
    }

    #[test]
    fn durations_read_as_a_person_says_them() {
        assert_eq!(duration(Duration::from_millis(1_240)), "1.2s");
        assert_eq!(duration(Duration::from_secs(245)), "4m 05s");
    }

    #[test]
    fn one_failure_anywhere_fails_the_whole_and_so_does_having_run_nothing() {
        let passed = || row(Outcome::Ran(Counts { passed: 3, failed: 0 }));
        assert!(close(&[passed(), row(Outcome::Skipped("not here"))]));
        assert!(!close(&[passed(), row(Outcome::Ran(Counts::ONE_FAILED))]));
        assert!(!close(&[row(Outcome::Skipped("not here"))]));
        assert!(!close(&[]));
    }
}
