//! A throw-away Redis that keeps nothing: the product must not mind.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{ends_with_us, free_port, wait_until};
use crate::process;

pub(crate) struct Redis {
    server: Child,
    port: u16,
}

impl Redis {
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let program = process::on_path("redis-server").context("redis-server is not installed")?;
        let port = free_port()?;
        let log = directory.join("redis.log");
        let output = std::fs::File::create(&log)?;
        let mut command = ends_with_us("TERM", None, &program)?;
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let server = command.spawn().context("redis-server could not be started")?;
        let mut redis = Self { server, port };
        redis.wait_until_ready(&log)?;
        Ok(redis)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    fn wait_until_ready(&mut self, log: &Path) -> Result<()> {
        let port = self.port;
        let server = &mut self.server;
        wait_until("Redis", || {
            if server.try_wait()?.is_some() {
                bail!("Redis ended:\n{}", std::fs::read_to_string(log).unwrap_or_default());
            }
            Ok(answers_ping(port).unwrap_or(false))
        })
    }
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
