//! Secrets from files: where `NAME_FILE` is set, what that file says stands for `NAME`. It holds for every variable whose
//! value is hidden from the help, so that no second list of secrets can fall behind the first.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Context, bail};
use clap::{Arg, Command};

/// By variable. Secrets live as long as the process.
type Texts = BTreeMap<String, &'static str>;

/// Reads the files that `variable` names for a command and everything below it.
///
/// # Errors
/// When a file cannot be read or is empty, or when a secret is given twice. No secret is ever part of the error.
pub fn read(command: Command, variable: &dyn Fn(&str) -> Option<OsString>) -> anyhow::Result<Command> {
    let mut texts = Texts::new();
    collect(&command, variable, &mut texts)?;
    Ok(give(command, &texts))
}

/// Whether `name` may also be given as `name_FILE`.
#[must_use]
pub fn is_secret(argument: &Arg) -> bool {
    argument.is_hide_env_values_set()
}

fn collect(
    command: &Command,
    variable: &dyn Fn(&str) -> Option<OsString>,
    texts: &mut Texts,
) -> anyhow::Result<()> {
    for argument in command.get_arguments().filter(|argument| is_secret(argument)) {
        let Some(name) = name_of(argument) else { continue };
        let file_variable = format!("{name}_FILE");
        let Some(path) = variable(&file_variable) else { continue };
        if variable(name).is_some() {
            bail!("{name} and {file_variable} are both set: which of them is meant?");
        }
        let text = secret_in(Path::new(&path)).with_context(|| file_variable.clone())?;
        texts.insert(name.to_owned(), text.leak());
    }
    command.get_subcommands().try_for_each(|below| collect(below, variable, texts))
}

fn secret_in(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(text.to_owned())
}

fn give(command: Command, texts: &Texts) -> Command {
    let give_one = |argument: Arg| match name_of(&argument).and_then(|name| texts.get(name)).copied() {
        Some(text) => argument.default_value(text).hide_default_value(true),
        None => argument,
    };
    command.mut_args(give_one).mut_subcommands(|below| give(below, texts))
}

fn name_of(argument: &Arg) -> Option<&str> {
    argument.get_env().and_then(OsStr::to_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use clap::{FromArgMatches, Parser, Subcommand};

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Below,
    }

    #[derive(Subcommand)]
    enum Below {
        Serve(Box<Config>),
    }

    fn parsed(variables: &[(&str, String)], arguments: &[&str]) -> anyhow::Result<Config> {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        let command = read(<Line as clap::CommandFactory>::command(), &find)?;
        let matches = command.try_get_matches_from([&["postcall", "serve"], arguments].concat())?;
        let Below::Serve(config) = Line::from_arg_matches(&matches)?.command;
        Ok(*config)
    }

    fn file(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (folder, path)
    }

    #[test]
    fn a_secret_is_read_from_its_file_without_the_line_break_at_its_end() {
        let (_folder, path) = file("sk_live_of_a_file\n");
        let config = parsed(&[("POSTCALL_STRIPE_SECRET_KEY_FILE", path)], &[]).unwrap();
        assert_eq!(config.stripe_secret_key, "sk_live_of_a_file");
    }

    #[test]
    fn what_is_typed_goes_before_what_a_file_says() {
        let (_folder, path) = file("redis://file\n");
        let config = parsed(&[("POSTCALL_REDIS_URL_FILE", path)], &["--redis-url", "redis://typed"]).unwrap();
        assert_eq!(config.store.redis_url.as_deref(), Some("redis://typed"));
    }

    #[test]
    fn what_is_no_secret_has_no_file() {
        let (_folder, path) = file("http://elsewhere\n");
        let config = parsed(&[("POSTCALL_PUBLIC_URL_FILE", path)], &[]).unwrap();
        assert_eq!(config.public_url, "http://127.0.0.1:8080");
    }

    #[test]
    fn a_missing_file_an_empty_one_and_a_secret_given_twice_are_refused_by_name() {
        let (_folder, empty) = file("\n");
        let (_other, path) = file("k1:hush");
        let cases = [
            vec![("POSTCALL_KEYS_FILE", "/nowhere/at/all".to_owned())],
            vec![("POSTCALL_KEYS_FILE", empty)],
            vec![("POSTCALL_KEYS_FILE", path), ("POSTCALL_KEYS", "k1:other".to_owned())],
        ];
        for variables in cases {
            let error = format!("{:#}", parsed(&variables, &[]).unwrap_err());
            assert!(error.contains("POSTCALL_KEYS_FILE") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn the_help_does_not_show_what_a_file_says() {
        let (_folder, path) = file("k1:hush");
        let find = |name: &str| (name == "POSTCALL_KEYS_FILE").then(|| OsString::from(&path));
        let mut command = read(<Line as clap::CommandFactory>::command(), &find).unwrap();
        let serve = command.find_subcommand_mut("serve").unwrap();
        assert!(!serve.render_long_help().to_string().contains("hush"));
    }
}
