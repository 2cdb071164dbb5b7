//! A throw-away PostgreSQL cluster. It syncs to disk as a real one does: the tests kill it and count what is left.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::{ends_with_us, free_port, wait_until};
use crate::{postgres_binaries, process};

/// PostgreSQL refuses to run as root; Debian's package makes this user.
const SERVICE_USER: &str = "postgres";
const SUPERUSER: &str = "postcall";

pub struct Postgres {
    server: Child,
    binaries: PathBuf,
    home: PathBuf,
    port: u16,
    as_user: Option<&'static str>,
}

impl Postgres {
    /// Makes a cluster in `directory` and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not come up.
    pub fn start(directory: &Path) -> Result<Self> {
        let binaries = postgres_binaries::find().context("PostgreSQL is not installed")?;
        let as_user = process::is_root().then_some(SERVICE_USER);
        let home = directory.join("postgres");
        std::fs::create_dir(&home).context("the cluster's directory could not be made")?;
        if let Some(user) = as_user {
            give_to(&home, user)?;
        }
        create_cluster(&binaries, &home.join("data"), &home, as_user)?;
        let port = free_port()?;
        let server = launch(&binaries, &home, port, as_user)?;
        let mut postgres = Self { server, binaries, home, port, as_user };
        postgres.wait_until_ready()?;
        Ok(postgres)
    }

    /// Ends the server without a checkpoint, as if it had crashed.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn crash(&mut self) -> Result<()> {
        let mut command = ends_with_us("KILL", self.as_user, &self.binaries.join("pg_ctl"))?;
        command.args(["stop", "-s", "-m", "immediate", "-D"]).arg(self.home.join("data")).current_dir("/");
        ensure!(process::succeeds(&mut command), "pg_ctl could not stop the server");
        self.server.wait().context("postgres could not be waited for")?;
        Ok(())
    }

    /// Starts it again after [`Postgres::crash`]: it recovers from its log.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.server = launch(&self.binaries, &self.home, self.port, self.as_user)?;
        self.wait_until_ready()
    }

    /// What the server wrote down so far.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        log_of(&self.home)
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&mut self) -> Result<()> {
        self.server.wait().context("postgres could not be waited for")?;
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let log = self.log();
        let port = self.port.to_string();
        let server = &mut self.server;
        let asks = self.binaries.join("pg_isready");
        wait_until("PostgreSQL", || {
            if server.try_wait()?.is_some() {
                bail!("PostgreSQL ended:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            Ok(process::succeeds(Command::new(&asks).args(["-q", "-h", "127.0.0.1", "-p", &port])))
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if matches!(self.server.try_wait(), Ok(Some(_))) {
            return;
        }
        // Through pg_ctl and not by a kill: the server's own children and shared memory go with it.
        if self.crash().is_err() {
            let _ = self.server.kill();
            let _ = self.server.wait();
        }
    }
}

fn log_of(home: &Path) -> PathBuf {
    home.with_extension("log")
}

fn launch(binaries: &Path, home: &Path, port: u16, as_user: Option<&str>) -> Result<Child> {
    let log = std::fs::File::options().create(true).append(true).open(log_of(home))?;
    let mut command = ends_with_us("QUIT", as_user, &binaries.join("postgres"))?;
    command.arg("-D").arg(home.join("data")).args(["-p", &port.to_string(), "-k"]).arg(home);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.current_dir(home).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("postgres could not be started")
}

const SETTINGS: [&str; 7] = [
    "listen_addresses=127.0.0.1",
    "max_connections=400",
    "shared_buffers=128MB",
    "fsync=on",
    "synchronous_commit=on",
    "max_wal_size=2GB",
    "checkpoint_timeout=30min",
];

/// Trust is enough: it listens on the loopback interface alone and holds what tests made up.
fn create_cluster(binaries: &Path, data: &Path, home: &Path, as_user: Option<&str>) -> Result<()> {
    let mut command = ends_with_us("KILL", as_user, &binaries.join("initdb"))?;
    command
        .arg("-D")
        .arg(data)
        .args(["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
        .current_dir(home)
        .stdin(Stdio::null());
    let output = command.output().context("initdb could not be started")?;
    ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn give_to(directory: &Path, user: &str) -> Result<()> {
    let number = |flag: &str| -> Result<u32> {
        let text = process::printed(Command::new("id").args([flag, user]));
        text.with_context(|| format!("there is no user {user}"))?.parse().context("id printed no number")
    };
    std::os::unix::fs::chown(directory, Some(number("-u")?), Some(number("-g")?))
        .with_context(|| format!("{} could not be given to {user}", directory.display()))
}
