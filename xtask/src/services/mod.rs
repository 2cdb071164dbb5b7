//! A PostgreSQL and a Redis of our own: private ports, a temporary directory, gone with the process that asked.

mod postgres;
mod redis;

pub use postgres::Postgres;
pub use redis::Redis;

use std::hash::{BuildHasher, RandomState};
use std::io::IsTerminal;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{process, set_up};

const PREFIX: &str = "postcall-xtask-";
const READY_WITHIN: Duration = Duration::from_secs(30);

pub struct Services {
    // Dropped in this order: the servers first, then the directory they write to.
    postgres: Postgres,
    redis: Redis,
    _directory: Directory,
}

impl Services {
    pub fn start() -> Result<Self> {
        let directory = Directory::create()?;
        let postgres = Postgres::start(&directory.path)?;
        let redis = Redis::start(&directory.path)?;
        Ok(Self { postgres, redis, _directory: directory })
    }

    /// The variables that the tests read.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [("POSTCALL_TEST_POSTGRES_URL", self.postgres.url()), ("POSTCALL_TEST_REDIS_URL", self.redis.url())]
    }
}

/// `cargo xtask services`
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    ensure!(arguments.is_empty(), "services takes no argument");
    set_up::servers()?;
    let mut services = Services::start()?;
    for (name, value) in services.variables() {
        println!("export {name}={value}");
    }
    if std::io::stdin().is_terminal() {
        eprintln!("running; press Enter to stop");
        std::io::stdin().read_line(&mut String::new()).context("the terminal went away")?;
    } else {
        services.postgres.wait()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A program that ends when this one does, however it ends: Drop does not run on Ctrl-C or a kill, the kernel's
/// parent-death signal does.
pub fn ends_with_us(signal: &str, as_user: Option<&str>, program: &Path) -> Result<Command> {
    let Some(setpriv) = process::on_path("setpriv") else {
        ensure!(as_user.is_none(), "setpriv (Debian package util-linux) is needed to leave root");
        return Ok(Command::new(program));
    };
    let mut command = Command::new(setpriv);
    command.arg(format!("--pdeathsig={signal}"));
    if let Some(user) = as_user {
        command.args([format!("--reuid={user}"), format!("--regid={user}"), "--init-groups".to_owned()]);
    }
    command.arg(program);
    Ok(command)
}

/// A port nobody listens on at this moment, below those that outgoing connections are given: a server that is stopped
/// and started again must find it free.
fn free_port() -> Result<u16> {
    let hasher = RandomState::new();
    for n in 0..200_u64 {
        let port = u16::try_from(12_000 + hasher.hash_one(n) % 20_000)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port on the loopback interface")
}

/// Asks again and again until the answer is yes; an error (the server has died) ends it early.
fn wait_until(what: &str, mut answered: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    while Instant::now() < deadline {
        if answered()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("{what} did not answer within {} s", READY_WITHIN.as_secs())
}

/// A directory that goes with its owner.
pub struct Directory {
    pub path: PathBuf,
}

impl Directory {
    /// In the system's temporary directory: a checkout may lie in a home that the postgres user cannot enter,
    /// and a socket's path has at most 107 characters.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create() -> Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let path = parent.join(format!("{PREFIX}{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("{} could not be made", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("{} stays behind: {error}", self.path.display());
        }
    }
}

/// Removes what a killed run of this tool left.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
        let runs_still =
            !owner.bytes().all(|byte| byte.is_ascii_digit()) || Path::new("/proc").join(owner).exists();
        if !runs_still && Path::new("/proc/self").exists() {
            // Somebody else's may be beyond our rights: then it is theirs to sweep.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_server_that_never_answers_is_told_and_one_that_died_at_once() {
        let mut asked = 0;
        wait_until("it", || {
            asked += 1;
            Ok(asked == 3)
        })
        .unwrap();
        assert!(wait_until("it", || bail!("it died")).is_err());
    }

    #[test]
    fn two_free_ports_are_ports_one_can_listen_on() {
        let port = free_port().unwrap();
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
    }

    #[test]
    fn the_sweep_takes_the_directories_of_the_dead_and_leaves_the_living_and_the_strangers() {
        let parent = std::env::temp_dir().join(format!("sweep-test-{}", std::process::id()));
        let dead = parent.join(format!("{PREFIX}4294967295"));
        let living = parent.join(format!("{PREFIX}{}", std::process::id()));
        let stranger = parent.join(format!("{PREFIX}notes"));
        for directory in [&dead, &living, &stranger] {
            std::fs::create_dir_all(directory).unwrap();
        }
        sweep(&parent);
        assert!(!dead.exists());
        assert!(living.exists());
        assert!(stranger.exists());
        std::fs::remove_dir_all(&parent).unwrap();
    }
}
