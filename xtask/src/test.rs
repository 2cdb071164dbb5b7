//! `cargo xtask test`: everything that can be wrong, looked at in one go.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::counts::Counts;
use crate::report::{self, Outcome, Row};
use crate::step::{self, Needs, Step};
use xtask::services::Services;
use xtask::{set_up, workspace};

type Variables = Vec<(&'static str, String)>;

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let selection = Selection::read(arguments)?;
    let target = workspace::target_directory(&workspace::metadata()?)?;
    set_up::rust_components()?;
    let steps: Vec<Step> =
        step::all(&target, &selection.filters).into_iter().filter(|step| selection.takes(step)).collect();

    println!("── set-up ──");
    let began = Instant::now();
    let set_up = prepare(&steps, selection.fast, &target);
    let took = began.elapsed();
    let mut rows = Vec::new();
    match set_up {
        Ok(services) => {
            rows.push(Row { name: "set-up", outcome: Outcome::Ran(Counts::default()), took });
            let variables =
                services.as_ref().map(|services| services.variables().to_vec()).unwrap_or_default();
            take_in_turn(steps, &variables, &mut rows);
        }
        Err(error) => {
            println!("{error:#}");
            rows.push(Row { name: "set-up", outcome: Outcome::Ran(Counts::ONE_FAILED), took });
        }
    }
    Ok(if report::close(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Installs what the steps need; the servers run for as long as the answer is held.
fn prepare(steps: &[Step], fast: bool, target: &Path) -> Result<Option<Services>> {
    let any_needs = |needs| steps.iter().any(|step| step.needs == needs);
    let wants_servers = !fast && any_needs(Needs::Servers);
    set_up::install(wants_servers, any_needs(Needs::NodeOrPython), target)?;
    wants_servers.then(Services::start).transpose()
}

fn take_in_turn(steps: Vec<Step>, variables: &Variables, rows: &mut Vec<Row>) {
    for mut step in steps {
        step.set_variables(variables);
        let is_build = step.name == "build";
        let row = step.take();
        let has_failed = row.counts().failed > 0;
        rows.push(row);
        if is_build && has_failed {
            println!("what does not build cannot be tested: the later steps are left out");
            return;
        }
    }
}

/// Which part of the whole was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Selection {
    fast: bool,
    steps: Vec<&'static str>,
    filters: Vec<String>,
}

impl Selection {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut selection = Self::default();
        for argument in arguments {
            if argument == "--fast" {
                selection.fast = true;
            } else if argument.starts_with('-') {
                bail!("test knows no option {argument}");
            } else if let Some(name) = step::NAMES.iter().find(|name| *name == argument) {
                selection.steps.push(name);
            } else {
                selection.filters.push(argument.clone());
            }
        }
        Ok(selection)
    }

    fn takes(&self, step: &Step) -> bool {
        if self.fast && (step.needs == Needs::NodeOrPython || matches!(step.name, "faults" | "monitoring")) {
            return false;
        }
        if self.steps.is_empty() && self.filters.is_empty() {
            // Its short form has not yet been seen whole and green on two cores: until then it is asked for by name.
            return step.name != "faults";
        }
        // These start the binary, which must be the one of today.
        let starts_the_binary =
            self.steps.iter().any(|name| matches!(*name, "demo" | "faults" | "api-schema" | "browser"));
        self.steps.contains(&step.name)
            || (step.name == "tests" && !self.filters.is_empty())
            || (step.name == "build" && starts_the_binary)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn taken(line: &str) -> Vec<&'static str> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let selection = Selection::read(&arguments).unwrap();
        let steps = step::all(Path::new("target"), &selection.filters);
        steps.iter().filter(|step| selection.takes(step)).map(|step| step.name).collect()
    }

    #[test]
    fn without_a_name_everything_is_tested_but_the_fault_suite() {
        let all: Vec<&str> = step::NAMES.into_iter().filter(|name| *name != "faults").collect();
        assert_eq!(taken(""), all);
        assert_eq!(taken("faults"), ["build", "faults"]);
    }

    #[test]
    fn fast_leaves_out_what_needs_more_than_rust() {
        assert_eq!(
            taken("--fast"),
            ["fmt", "crates", "clippy", "deny", "build", "tests", "doctests", "demo", "sabotage"]
        );
    }

    #[test]
    fn a_step_can_be_asked_for_by_name_and_brings_the_build_it_needs() {
        assert_eq!(taken("fmt clippy"), ["fmt", "clippy"]);
        assert_eq!(taken("browser"), ["build", "browser"]);
    }

    #[test]
    fn any_other_name_filters_the_rust_tests() {
        assert_eq!(taken("a_paid_link"), ["tests"]);
        assert_eq!(taken("fmt a_paid_link"), ["fmt", "tests"]);
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(Selection::read(&["--quick".to_owned()]).is_err());
    }
}
