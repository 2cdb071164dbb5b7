//! What was looked at, what was seen, and what to do about it.

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;

/// From good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Fine,
    /// It works, and somebody should look.
    Warning,
    /// Something does not work.
    Broken,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "WARNING",
            Self::Broken => "BROKEN",
        }
    }
}

/// 0, 1 and 2.
impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Fine => Self::SUCCESS,
            Verdict::Warning => Self::from(1),
            Verdict::Broken => Self::from(2),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at; stays the same from release to release.
    pub check: &'static str,
    pub verdict: Verdict,
    pub seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn fine(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fine, seen: seen.into(), advice: None }
    }

    pub(super) fn warning(check: &'static str, seen: impl Into<String>, advice: &str) -> Self {
        Self { check, verdict: Verdict::Warning, seen: seen.into(), advice: Some(advice.to_owned()) }
    }

    pub(super) fn broken(check: &'static str, seen: impl Into<String>, advice: &str) -> Self {
        Self { check, verdict: Verdict::Broken, seen: seen.into(), advice: Some(advice.to_owned()) }
    }
}

/// A line for each finding, its advice below it, and a sum at the end.
pub(super) fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<7}  {:<width$}  {}", finding.verdict.word(), finding.check, finding.seen);
        if let Some(advice) = &finding.advice {
            let _ = writeln!(text, "{:<7}  {:<width$}  → {advice}", "", "");
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let _ = write!(
        text,
        "\n{} fine, {} to look at, {} broken",
        count(Verdict::Fine),
        count(Verdict::Warning),
        count(Verdict::Broken)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_finding_its_advice_and_a_sum() {
        let findings = [
            Finding::fine("redis", "answers"),
            Finding::broken("database", "does not answer", "start it"),
            Finding::warning("dead jobs", "2", "redrive them"),
        ];
        let expected = "fine     redis      answers\nBROKEN   database   does not answer\n                    → start it\n\
                        WARNING  dead jobs  2\n                    → redrive them\n\n1 fine, 1 to look at, 1 broken";
        assert_eq!(table(&findings), expected);
    }

    #[test]
    fn the_worst_verdict_is_the_greatest() {
        assert!(Verdict::Fine < Verdict::Warning && Verdict::Warning < Verdict::Broken);
    }
}
