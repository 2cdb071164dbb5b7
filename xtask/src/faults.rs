//! `cargo xtask faults`: the fault suite, and with `--sabotage` the check of the checker: builds that lack one of the
//! protections must each fail it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use xtask::{process, set_up, workspace};

/// A patch in `faults/sabotage/`, and the classes of which at least one must fail on a build with it.
struct Sabotage {
    patch: &'static str,
    about: &'static str,
    classes: &'static [&'static str],
}

const SABOTAGES: [Sabotage; 3] = [
    Sabotage { patch: "no-fence", about: "whoever slept through its lease goes on", classes: &["stops"] },
    Sabotage {
        patch: "no-unique-key",
        about: "an event is stored each time it comes",
        classes: &["doubles"],
    },
    Sabotage {
        patch: "repeats-unknown",
        about: "a send whose outcome nobody saw is repeated",
        classes: &["cuts"],
    },
];

const SUITE_LIMIT: Duration = Duration::from_secs(4 * 3600);

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    set_up::servers()?;
    let target = workspace::target_directory(&workspace::metadata()?)?;
    build(&workspace::root(), &target)?;
    if arguments.iter().any(|argument| argument == "--sabotage") {
        return sabotage(&target);
    }
    let ok = process::run(&mut suite(&target, &target.join("debug/postcall"), arguments), SUITE_LIMIT)?.ok;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The suite against one build of the product.
pub(crate) fn suite(target: &Path, product: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(target.join("debug/faults"));
    command.current_dir(workspace::root()).arg("--postcall").arg(product).args(arguments);
    command
}

/// Every patch still fits the tree as it is.
pub(crate) fn patches_apply() -> Result<()> {
    for sabotage in &SABOTAGES {
        let applied = git_apply(&workspace::root(), &["--check"], sabotage.patch);
        applied.with_context(|| format!("faults/sabotage/{}.patch does not fit any more", sabotage.patch))?;
    }
    Ok(())
}

fn build(root: &Path, target: &Path) -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["build", "--workspace", "--bins"]).current_dir(root).env("CARGO_TARGET_DIR", target);
    ensure!(command.status().context("cargo cannot be run")?.success(), "the build failed");
    Ok(())
}

/// Each patch on a copy of the tree, built beside what is built already, and the suite must fail on it.
fn sabotage(target: &Path) -> Result<ExitCode> {
    patches_apply()?;
    let scratch = target.join("sabotage");
    let (tree, built) = (scratch.join("tree"), scratch.join("target"));
    seed(target, &built)?;
    let mut failed = 0;
    for sabotage in &SABOTAGES {
        println!("\n── without: {} ── {}", sabotage.patch, sabotage.about);
        copy_tree(&tree)?;
        git_apply(&tree, &[], sabotage.patch)?;
        build(&tree, &built)?;
        let arguments: Vec<String> =
            ["--short"].iter().chain(sabotage.classes).map(|argument| (*argument).to_owned()).collect();
        let finished =
            process::run(&mut suite(target, &built.join("debug/postcall"), &arguments), SUITE_LIMIT)?;
        // A suite that fell over has caught nothing: it has to say what it saw.
        let caught = !finished.ok && finished.lines.iter().any(|line| line.ends_with(" said twice"));
        println!("── {}: {}", sabotage.patch, if caught { "caught" } else { "NOT CAUGHT" });
        failed += usize::from(!caught);
    }
    println!("{} passed, {failed} failed", SABOTAGES.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files of this tree as they are, committed or not.
fn copy_tree(tree: &Path) -> Result<()> {
    let root = workspace::root();
    let listed = process::printed(Command::new("git").current_dir(&root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]));
    for file in listed.context("git lists no files")?.lines().map(PathBuf::from) {
        let (from, to) = (root.join(&file), tree.join(&file));
        let Ok(bytes) = std::fs::read(&from) else { continue };
        // What has not changed keeps its time, and with it what was built from it.
        if std::fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&to, bytes).with_context(|| format!("{} cannot be written", to.display()))?;
    }
    Ok(())
}

fn git_apply(tree: &Path, options: &[&str], patch: &str) -> Result<()> {
    let patch = workspace::root().join(format!("faults/sabotage/{patch}.patch"));
    let mut command = Command::new("patch");
    command.current_dir(tree).args(["-p1", "--forward", "--batch", "--fuzz=0", "--no-backup-if-mismatch"]);
    if options.contains(&"--check") {
        command.arg("--dry-run");
    }
    command.arg("--input").arg(&patch).stdin(Stdio::null());
    let output = command.output().context("patch could not be started")?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{}: {}", patch.display(), String::from_utf8_lossy(&output.stdout).trim())
}

/// Crates of others are built the same wherever the tree stands: theirs are taken over, ours are built.
fn seed(target: &Path, built: &Path) -> Result<()> {
    if built.join("debug").is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(built.join("debug"))?;
    let parts = [".fingerprint", "build", "deps"].map(|part| target.join("debug").join(part));
    let mut command = Command::new("cp");
    command.args(["-a", "--reflink=auto"]).args(parts).arg(built.join("debug"));
    ensure!(process::succeeds(&mut command), "what is built already could not be copied");
    Ok(())
}
