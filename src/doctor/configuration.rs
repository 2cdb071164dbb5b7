//! What the environment says, before anybody is asked.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::Args;
use domain::keyring::Keyring;

use super::Finding;
use crate::config::Config;
use crate::secret_files::is_secret;

pub(super) fn examine(config: &Config, variables: &[String]) -> Vec<Finding> {
    let mut findings = vec![values(config), names(variables), keys(config)];
    if config.clock_offset_ms != 0 {
        let seen = format!("business time is moved by {} ms", config.clock_offset_ms);
        findings.push(Finding::warning(
            "time offset",
            seen,
            "unset POSTCALL_CLOCK_OFFSET_MS: it is for tests",
        ));
    }
    findings
}

fn values(config: &Config) -> Finding {
    let problems = config.problems();
    if problems.is_empty() {
        return Finding::fine("variables", "every required one is set");
    }
    Finding::broken("variables", problems.join("; "), "set them; .env.example says what each is for")
}

/// A name with a typing error is a setting that silently is the default.
fn names(variables: &[String]) -> Finding {
    let known = known_names();
    let strangers: Vec<&str> = variables
        .iter()
        .filter(|name| name.starts_with("POSTCALL_") && !known.contains(*name))
        .map(String::as_str)
        .collect();
    if strangers.is_empty() {
        return Finding::fine("variable names", "no unknown POSTCALL_ variable");
    }
    Finding::warning(
        "variable names",
        format!("nobody reads {}", strangers.join(", ")),
        "correct or unset them; .env.example lists every name",
    )
}

fn known_names() -> BTreeSet<String> {
    let command = Config::augment_args(clap::Command::new("postcall"));
    let mut names = BTreeSet::new();
    for argument in command.get_arguments() {
        let Some(name) = argument.get_env().and_then(OsStr::to_str) else { continue };
        names.insert(name.to_owned());
        if is_secret(argument) {
            names.insert(format!("{name}_FILE"));
        }
    }
    names
}

fn keys(config: &Config) -> Finding {
    const ADVICE: &str = "give POSTCALL_KEYS as id:base64 of 32 random bytes, the current key first";
    match config.store.keys.as_deref().map(Keyring::parse) {
        None => Finding::broken("keys", "POSTCALL_KEYS is not set", ADVICE),
        Some(Err(error)) => Finding::broken("keys", format!("POSTCALL_KEYS {error}"), ADVICE),
        Some(Ok(ring)) => Finding::fine("keys", format!("the current one is {:?}", ring.current_id())),
    }
}
