//! What `postcall demo --once` promises in its last line.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The counts that must not be zero for the story to have been told at all.
const HAPPENED: [&str; 5] = ["events", "texts", "emails", "paid", "disputes"];
/// The counts that must be zero for it to have been told well.
const NEVER: [&str; 2] = ["lost", "duplicates"];

pub(crate) fn check(lines: &[String]) -> Result<()> {
    let summary = lines
        .iter()
        .rev()
        .find_map(|line| {
            serde_json::from_str::<Value>(line).ok().filter(|value| value.get("events").is_some())
        })
        .context("the demo printed no summary line")?;
    for name in NEVER {
        let count = summary[name].as_u64().with_context(|| format!("the summary has no {name:?}"))?;
        ensure!(count == 0, "the demo counted {name} = {count}");
    }
    for name in HAPPENED {
        let count = summary[name].as_u64().with_context(|| format!("the summary has no {name:?}"))?;
        ensure!(count > 0, "the demo counted no {name}");
    }
    let denied = summary["calls_denied"].as_u64().context("the summary has no \"calls_denied\"")?;
    ensure!(denied > 0, "no call was denied after the question");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn verdict(last: &str) -> Result<()> {
        check(&["a text went out".to_owned(), r#"{"level":"INFO"}"#.to_owned(), last.to_owned()])
    }

    #[test]
    fn a_full_story_without_loss_is_accepted() {
        let last = r#"{"events":12,"texts":9,"emails":3,"paid":4,"disputes":1,"calls_denied":1,"lost":0,"duplicates":0,"event_to_wire_ms_p50":4.5}"#;
        verdict(last).unwrap();
    }

    #[test]
    fn a_lost_or_repeated_message_is_named() {
        for (name, lost, duplicates) in [("lost", 1, 0), ("duplicates", 0, 2)] {
            let last = format!(
                r#"{{"events":1,"texts":1,"emails":1,"paid":1,"disputes":1,"calls_denied":1,"lost":{lost},"duplicates":{duplicates}}}"#
            );
            assert!(verdict(&last).unwrap_err().to_string().contains(name));
        }
    }

    #[test]
    fn a_story_in_which_nothing_happened_is_refused() {
        let last = r#"{"events":1,"texts":1,"emails":1,"paid":0,"disputes":1,"calls_denied":1,"lost":0,"duplicates":0}"#;
        assert!(verdict(last).unwrap_err().to_string().contains("paid"));
    }

    #[test]
    fn a_missing_summary_or_count_is_refused() {
        assert!(verdict("thread 'main' panicked").is_err());
        assert!(verdict(r#"{"events":1}"#).is_err());
    }
}
