//! One process of the product: started, killed, frozen, thawed, told to stop.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::{Child, Command};

/// Longer than the product drains.
const DRAIN: Duration = Duration::from_secs(40);

pub(crate) struct Process {
    child: Child,
    pid: u32,
    pub(crate) role: &'static str,
}

impl Process {
    /// Starts `postcall <role>`, inside `wrapper` (a program that runs another with its own limits) where there is one.
    pub(crate) fn start(
        binary: &Path,
        role: &'static str,
        wrapper: &[&str],
        env: &[(String, String)],
        log: Option<&Path>,
    ) -> Result<Self> {
        // Whatever ends this suite ends its products.
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=KILL").args(wrapper).arg(binary).arg(role);
        command.env_clear().envs(env.iter().map(|(name, value)| (name, value)));
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        command.stderr(match log {
            Some(path) => Stdio::from(std::fs::File::options().create(true).append(true).open(path)?),
            None => Stdio::null(),
        });
        let child = command.spawn().context("the product could not be started")?;
        let pid = child.id().context("a process that runs has an id")?;
        Ok(Self { child, pid, role })
    }

    /// The exit status, once it ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("a process cannot be asked")
    }

    /// SIGKILL, and waits for its end.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        if self.ended()?.is_none() {
            self.child.kill().await.context("a process cannot be killed")?;
        }
        Ok(())
    }

    /// SIGTERM, and waits for its end.
    pub(crate) async fn terminate(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        self.signal("TERM").await?;
        let ended = tokio::time::timeout(DRAIN, self.child.wait()).await;
        ended.context("it did not end after SIGTERM")?.context("a process cannot be waited for")
    }

    pub(crate) async fn freeze(&self) -> Result<()> {
        self.signal("STOP").await
    }

    pub(crate) async fn thaw(&self) -> Result<()> {
        self.signal("CONT").await
    }

    /// Its exit status, if it ends by itself in time.
    pub(crate) async fn ends_within(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        tokio::time::timeout(patience, self.child.wait())
            .await
            .ok()
            .transpose()
            .context("a process cannot be waited for")
    }

    /// Changes a limit of the running process, as `prlimit` writes it: `--nofile=64:64`.
    pub(crate) async fn limit(&self, limit: &str) -> Result<()> {
        let pid = self.pid.to_string();
        run("prlimit", &["--pid", &pid, limit]).await
    }

    async fn signal(&self, name: &str) -> Result<()> {
        run("kill", &[&format!("-{name}"), &self.pid.to_string()]).await
    }
}

/// Runs a program of the system that has to succeed.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().await.with_context(|| format!("{program} could not be started"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
    Ok(())
}
