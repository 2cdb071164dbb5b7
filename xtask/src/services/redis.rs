//! A throw-away Redis that keeps nothing: the product must not mind.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{ends_with_us, free_port, wait_until};
use crate::process;

const LOG: &str = "redis.log";

pub struct Redis {
    server: Child,
    directory: PathBuf,
    port: u16,
}

impl Redis {
    /// Starts a server that writes its log into `directory`.
    ///
    /// # Errors
    /// When Redis is not installed or does not come up.
    pub fn start(directory: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut redis = Self { server: launch(directory, port)?, directory: directory.to_path_buf(), port };
        redis.wait_until_ready()?;
        Ok(redis)
    }

    /// Kills the server: what it held is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn crash(&mut self) -> Result<()> {
        self.server.kill().context("redis-server could not be killed")?;
        self.server.wait().context("redis-server could not be waited for")?;
        Ok(())
    }

    /// Starts it again, empty, after [`Redis::crash`].
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.server = launch(&self.directory, self.port)?;
        self.wait_until_ready()
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let log = self.directory.join(LOG);
        let port = self.port;
        let server = &mut self.server;
        wait_until("Redis", || {
            if server.try_wait()?.is_some() {
                bail!("Redis ended:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            Ok(answers_ping(port).unwrap_or(false))
        })
    }
}

fn launch(directory: &Path, port: u16) -> Result<Child> {
    let program = process::on_path("redis-server").context("redis-server is not installed")?;
    let output = std::fs::File::options().create(true).append(true).open(directory.join(LOG))?;
    let mut command = ends_with_us("TERM", None, &program)?;
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    command.spawn().context("redis-server could not be started")
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn answers_ping(port: u16) -> std::io::Result<bool> {
    let limit = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
