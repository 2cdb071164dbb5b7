//! What the tests need beside Rust: installed when we may, spelled out when we may not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::{postgres_binaries, process, workspace};

const OLDEST_NODE: u32 = 18;
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Something a machine has or lacks, and the Debian packages that bring it.
struct Need {
    what: &'static str,
    is_met: fn() -> bool,
    packages: &'static [&'static str],
}

const POSTGRES: Need =
    Need { what: "PostgreSQL", is_met: || postgres_binaries::find().is_some(), packages: &["postgresql"] };
const REDIS: Need = Need {
    what: "Redis",
    is_met: || process::on_path("redis-server").is_some(),
    packages: &["redis-server"],
};
const HAPROXY: Need =
    Need { what: "HAProxy", is_met: || process::on_path("haproxy").is_some(), packages: &["haproxy"] };
const PGBOUNCER: Need = Need {
    what: "PgBouncer",
    is_met: || process::on_path("pgbouncer").is_some() || Path::new("/usr/sbin/pgbouncer").exists(),
    packages: &["pgbouncer"],
};
const CHROMIUM: Need = Need {
    what: "Chromium",
    is_met: || process::on_path("chromium").is_some(),
    packages: &["chromium", "fonts-liberation"],
};
const NODE: Need = Need { what: "Node.js 18 or later", is_met: node_is_new_enough, packages: &["nodejs"] };
const NPM: Need = Need { what: "npm", is_met: || process::on_path("npm").is_some(), packages: &["npm"] };
const PYTHON: Need = Need {
    what: "Python with venv",
    is_met: || process::succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])),
    packages: &["python3", "python3-venv"],
};

const PROMETHEUS: Need = Need {
    what: "Prometheus and its promtool",
    is_met: || process::on_path("prometheus").is_some() && process::on_path("promtool").is_some(),
    packages: &["prometheus"],
};
const ALERTMANAGER: Need = Need {
    what: "Alertmanager's amtool",
    is_met: || process::on_path("amtool").is_some(),
    packages: &["prometheus-alertmanager"],
};

/// PostgreSQL, Redis and PgBouncer, and the proxy that the compose file puts in front.
pub fn servers() -> Result<()> {
    meet(&[POSTGRES, REDIS, HAPROXY, PGBOUNCER])
}

/// What the chosen steps need, in one installation.
pub fn install(with_servers: bool, with_node_and_python: bool, target: &Path) -> Result<()> {
    let mut needs = Vec::new();
    if with_servers {
        needs.extend([POSTGRES, REDIS, HAPROXY, PGBOUNCER]);
    }
    if with_node_and_python {
        needs.extend([CHROMIUM, NODE, NPM, PYTHON, ALERTMANAGER]);
    }
    if with_servers || with_node_and_python {
        needs.push(PROMETHEUS);
    }
    meet(&needs)?;
    if with_node_and_python {
        node_modules(&workspace::root().join("e2e"))?;
        node_modules(&dashboards())?;
        python_packages(target)?;
    }
    Ok(())
}

/// rustup's minimal profile comes without these two.
pub fn rust_components() -> Result<()> {
    let has = |tool: &str| process::succeeds(workspace::cargo().args([tool, "--version"]));
    if has("fmt") && has("clippy") {
        return Ok(());
    }
    shown_to_succeed(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
}

pub fn has_nextest() -> bool {
    process::succeeds(workspace::cargo().args(["nextest", "--version"]))
}

pub fn has_cargo_deny() -> bool {
    process::succeeds(workspace::cargo().args(["deny", "--version"]))
}

/// The interpreter with the packages of `e2e/oracles/requirements.txt`.
pub fn python(target: &Path) -> PathBuf {
    python_program(target, "python")
}

/// A program that those packages bring.
pub fn python_program(target: &Path, name: &str) -> PathBuf {
    target.join("oracles-venv/bin").join(name)
}

fn meet(needs: &[Need]) -> Result<()> {
    let unmet: Vec<&Need> = needs.iter().filter(|need| !(need.is_met)()).collect();
    if unmet.is_empty() {
        return Ok(());
    }
    let what = unmet.iter().map(|need| need.what).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = unmet.iter().flat_map(|need| need.packages).copied().collect();
    let may_install = process::is_root() && process::on_path("apt-get").is_some();
    if !may_install {
        bail!("missing: {what}. On Debian: apt-get update && apt-get install -y {}", packages.join(" "));
    }
    println!("missing: {what}");
    shown_to_succeed(apt_get().arg("update"))?;
    shown_to_succeed(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages))?;
    for need in unmet {
        ensure!((need.is_met)(), "{} is still missing after its installation", need.what);
    }
    Ok(())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // Run level 1 tells Debian's packages not to start the servers they bring: we start our own, privately.
    command.env("RUNLEVEL", "1");
    command
}

fn node_is_new_enough() -> bool {
    process::printed(Command::new("node").arg("--version"))
        .and_then(|version| major(&version))
        .is_some_and(|major| major >= OLDEST_NODE)
}

/// 20 in `v20.19.2`
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Where the dashboards are made from code.
pub fn dashboards() -> PathBuf {
    workspace::root().join("monitoring/grafana")
}

fn node_modules(suite: &Path) -> Result<()> {
    let shown = suite.display();
    let wanted = std::fs::read_to_string(suite.join("package-lock.json"))
        .with_context(|| format!("{shown}/package-lock.json"))?;
    let mark = suite.join("node_modules/.installed");
    if is_marked(&mark, &wanted) {
        return Ok(());
    }
    shown_to_succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(suite))?;
    std::fs::write(&mark, wanted).with_context(|| format!("{shown}/node_modules could not be written to"))
}

fn python_packages(target: &Path) -> Result<()> {
    let requirements = workspace::root().join("e2e/oracles/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).context("e2e/oracles/requirements.txt")?;
    let environment = target.join("oracles-venv");
    let mark = environment.join(".installed");
    if is_marked(&mark, &wanted) {
        return Ok(());
    }
    shown_to_succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(python(target));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
    shown_to_succeed(&mut pip)?;
    std::fs::write(&mark, wanted).context("the Python environment could not be written to")
}

/// An installation is finished when it left a copy of what it was asked for.
fn is_marked(mark: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(mark).is_ok_and(|installed| installed == wanted)
}

fn shown_to_succeed(command: &mut Command) -> Result<()> {
    let shown = process::shown(command);
    println!("$ {shown}");
    ensure!(process::run(command, LIMIT)?.ok, "{shown} failed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read_from_what_it_prints() {
        assert_eq!(major("v18.20.4"), Some(18));
        assert_eq!(major("v22.0.0-nightly"), Some(22));
        assert_eq!(major("not a version"), None);
    }
}
