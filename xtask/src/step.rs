//! One step of `test`: what it runs, how its output is counted and when it is out of time.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use xtask::{process, set_up, workspace};

use crate::counts::{Counts, Runner, tally};
use crate::report::{Outcome, Row};
use crate::{crate_rules, demo, faults, sbom, supply};

pub(crate) const NAMES: [&str; 21] = [
    "fmt",
    "crates",
    "clippy",
    "deny",
    "build",
    "tests",
    "doctests",
    "demo",
    "faults",
    "sabotage",
    "stripe-requests",
    "stripe-objects",
    "twilio-signatures",
    "webhook-signatures",
    "compose-file",
    "dockerfile",
    "sbom",
    "api-schema",
    "browser",
    "alerts",
    "monitoring",
];

/// What a step leans on beside Rust: `--fast` leaves out what leans on anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// PostgreSQL and Redis when there are any; the tests that want them pass themselves over when there are not.
    Servers,
    NodeOrPython,
}

pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    runner: Runner,
    limit: Duration,
    action: Action,
}

enum Action {
    Run(Command),
    /// A command whose output is judged beyond its exit status.
    RunAndJudge(Command, fn(&[String]) -> Result<()>),
    Check(fn() -> Result<()>),
    Skip(&'static str),
}

impl Step {
    fn new(name: &'static str, needs: Needs, runner: Runner, minutes: u64, action: Action) -> Self {
        Self { name, needs, runner, limit: Duration::from_secs(minutes * 60), action }
    }

    pub(crate) fn set_variables(&mut self, variables: &[(&'static str, String)]) {
        if let Action::Run(command) | Action::RunAndJudge(command, _) = &mut self.action {
            command.envs(variables.iter().map(|(name, value)| (name, value)));
        }
    }

    pub(crate) fn take(self) -> Row {
        let began = Instant::now();
        println!("\n── {} ── {}", self.name, self.shown());
        let outcome = match self.action {
            Action::Skip(reason) => Outcome::Skipped(reason),
            Action::Check(check) => counted(check().map(|()| Counts::ONE_PASSED)),
            Action::Run(command) => counted(ran(command, self.runner, self.limit, |_| Ok(()))),
            Action::RunAndJudge(command, judge) => counted(ran(command, self.runner, self.limit, judge)),
        };
        let row = Row { name: self.name, outcome, took: began.elapsed() };
        println!("── {}: {row}", self.name);
        row
    }

    fn shown(&self) -> String {
        match &self.action {
            Action::Run(command) | Action::RunAndJudge(command, _) => {
                format!("$ {}", process::shown(command))
            }
            Action::Check(_) => "checked by xtask itself".to_owned(),
            Action::Skip(reason) => format!("skipped: {reason}"),
        }
    }
}

/// An error of ours is a failure like any other: it is shown, counted, and the next step has its turn.
fn counted(result: Result<Counts>) -> Outcome {
    match result {
        Ok(counts) => Outcome::Ran(counts),
        Err(error) => {
            println!("{error:#}");
            Outcome::Ran(Counts::ONE_FAILED)
        }
    }
}

fn ran(
    mut command: Command,
    runner: Runner,
    limit: Duration,
    judge: fn(&[String]) -> Result<()>,
) -> Result<Counts> {
    let finished = process::run(&mut command, limit)?;
    let counts = tally(runner, finished.ok, &finished.lines);
    if counts.failed == 0 {
        judge(&finished.lines)?;
    }
    Ok(counts)
}

/// Every step, in order. `filters` are names of Rust tests.
pub(crate) fn all(target: &Path, filters: &[String]) -> Vec<Step> {
    use Needs::{NodeOrPython, Nothing, Servers};
    let recordings = target.join("recordings");
    let mut steps = lints();
    steps.extend([
        Step::new("build", Nothing, Runner::Check, 60, Action::Run(cargo("build --workspace --all-targets"))),
        tests(filters),
        Step::new("doctests", Nothing, Runner::Doctests, 30, Action::Run(cargo("test --doc --workspace"))),
        Step::new("demo", Nothing, Runner::Check, 5, run_demo(target, &recordings)),
    ]);
    let short = faults::suite(target, &binary(target), &["--short".to_owned()]);
    steps.push(Step::new("faults", Servers, Runner::Plain, 15, Action::Run(short)));
    steps.push(Step::new("sabotage", Nothing, Runner::Check, 1, Action::Check(faults::patches_apply)));
    for (name, script) in [
        ("stripe-requests", "check_stripe_requests.py"),
        ("stripe-objects", "check_stripe_objects.py"),
        ("twilio-signatures", "check_twilio_signatures.py"),
        ("webhook-signatures", "check_standard_webhooks.py"),
    ] {
        let mut command = Command::new(set_up::python(target));
        command.current_dir(workspace::root()).arg(format!("e2e/oracles/{script}")).arg(&recordings);
        steps.push(Step::new(name, NodeOrPython, Runner::Plain, 5, Action::Run(command)));
    }
    steps.extend(deployment(target));
    steps.push(Step::new("sbom", NodeOrPython, Runner::Check, 2, Action::Check(bill_of_materials)));
    let mut schema = Command::new(set_up::python(target));
    schema.current_dir(workspace::root()).arg("e2e/oracles/check_by_schema.py").arg(binary(target));
    steps.push(Step::new("api-schema", NodeOrPython, Runner::Plain, 10, Action::Run(schema)));
    let mut browser = Command::new("node");
    browser.current_dir(workspace::root()).arg("e2e/run.mjs").env("POSTCALL_BINARY", binary(target));
    steps.push(Step::new("browser", NodeOrPython, Runner::Node, 10, Action::Run(browser)));
    let mut alerts = Command::new("npm");
    alerts.current_dir(set_up::dashboards()).args(["test", "--silent"]);
    steps.push(Step::new("alerts", NodeOrPython, Runner::Node, 5, Action::Run(alerts)));
    let monitoring = cargo("test --workspace --test monitoring -- --include-ignored");
    steps.push(Step::new("monitoring", Servers, Runner::CargoTest, 10, Action::Run(monitoring)));
    steps
}

/// There is no Docker here: the files are held against their rules, and `tests/compose` runs what they start.
fn deployment(target: &Path) -> [Step; 2] {
    let check = |name, program, arguments: &[&str]| {
        let mut command = Command::new(set_up::python_program(target, program));
        command.current_dir(workspace::root()).args(arguments);
        Step::new(name, Needs::NodeOrPython, Runner::Check, 2, Action::Run(command))
    };
    let schema = ["--builtin-schema", "vendor.compose-spec", "docker-compose.yml"];
    [
        check("compose-file", "check-jsonschema", &schema),
        check("dockerfile", "hadolint", &["--failure-threshold", "info", "Dockerfile"]),
    ]
}

/// The steps that read the code and run none of it.
pub(crate) fn lints() -> Vec<Step> {
    use Needs::Nothing;
    let deny = if set_up::has_cargo_deny() {
        Action::Run(cargo("deny --workspace check --allow unused-wrapper bans licenses sources"))
    } else {
        Action::Skip("cargo-deny is not installed")
    };
    let clippy = cargo("clippy --workspace --all-targets -- -D warnings");
    vec![
        Step::new("fmt", Nothing, Runner::Check, 5, Action::Run(cargo("fmt --all --check"))),
        Step::new("crates", Nothing, Runner::Check, 5, Action::Check(crates)),
        Step::new("clippy", Nothing, Runner::Check, 60, Action::Run(clippy)),
        Step::new("deny", Nothing, Runner::Check, 10, deny),
    ]
}

fn tests(filters: &[String]) -> Step {
    let (line, runner) = if set_up::has_nextest() {
        ("nextest run --workspace --no-fail-fast", Runner::Nextest)
    } else {
        ("test --workspace --all-targets --no-fail-fast", Runner::CargoTest)
    };
    let mut command = cargo(line);
    if runner == Runner::CargoTest && !filters.is_empty() {
        command.arg("--");
    }
    command.args(filters);
    Step::new("tests", Needs::Servers, runner, 45, Action::Run(command))
}

/// The binary as `--workspace` built it: `cargo run` would choose other features and build it anew.
fn run_demo(target: &Path, recordings: &Path) -> Action {
    let mut command = Command::new(binary(target));
    command.current_dir(workspace::root()).args(["demo", "--once", "--record"]).arg(recordings);
    Action::RunAndJudge(command, demo::check)
}

fn binary(target: &Path) -> std::path::PathBuf {
    target.join("debug/postcall")
}

fn crates() -> Result<()> {
    let metadata = workspace::metadata()?;
    let mut broken = crate_rules::broken(&metadata)?;
    broken.extend(supply::broken(&metadata, &supply::everything()?)?);
    ensure!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

fn bill_of_materials() -> Result<()> {
    sbom::check(&workspace::target_directory(&workspace::metadata()?)?)
}

/// Always `--workspace`: a build of one crate has other features, and builds its dependencies all over again.
fn cargo(line: &str) -> Command {
    let mut command = workspace::cargo();
    command.args(line.split(' '));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_names_is_the_list_of_steps() {
        let names: Vec<_> = all(Path::new("target"), &[]).iter().map(|step| step.name).collect();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn an_error_of_a_step_is_shown_as_one_failure() {
        let step = Step::new(
            "fmt",
            Needs::Nothing,
            Runner::Check,
            1,
            Action::Run(Command::new("there-is-no-such-program")),
        );
        assert_eq!(step.take().outcome, Outcome::Ran(Counts::ONE_FAILED));
    }

    #[test]
    fn a_command_that_exits_well_and_is_judged_badly_has_failed() {
        let judged = Action::RunAndJudge(Command::new("true"), demo::check);
        let step = Step::new("demo", Needs::Nothing, Runner::Check, 1, judged);
        assert_eq!(step.take().outcome, Outcome::Ran(Counts::ONE_FAILED));
    }
}
