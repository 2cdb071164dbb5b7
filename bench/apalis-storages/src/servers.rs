//! A PostgreSQL and a Redis of our own, on free ports, gone when dropped.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

const POSTGRES_BIN: &str = "/usr/lib/postgresql/15/bin";

pub struct Servers {
    postgres: Postgres,
    redis: Redis,
}

impl Servers {
    pub async fn start() -> Result<Self> {
        Ok(Self {
            postgres: Postgres::start()?,
            redis: Redis::start().await?,
        })
    }

    /// Options for the database every server starts with.
    pub fn postgres(&self) -> PgConnectOptions {
        PgConnectOptions::new()
            .socket(&self.postgres.folder)
            .port(self.postgres.port)
            .username("postgres")
            .database("postgres")
    }

    pub async fn flush_redis(&self) -> Result<()> {
        let mut connection = redis::Client::open(self.redis_url())?
            .get_multiplexed_async_connection()
            .await?;
        Ok(redis::cmd("FLUSHALL").query_async(&mut connection).await?)
    }

    pub fn kill_redis(&mut self) -> Result<()> {
        self.redis.server.kill()?;
        self.redis.server.wait()?;
        Ok(())
    }

    pub fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.redis.port)
    }
}

struct Postgres {
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("apalis-storages-{}", std::process::id()));
        let port = free_port()?;
        let postgres = Self { folder, port };
        postgres.run("initdb", &["-A", "trust", "-E", "UTF8", "-N"])?;
        let options = format!(
            "-p {port} -k {} -c listen_addresses='' -c max_connections=50",
            postgres.folder.display()
        );
        let log = postgres.folder.join("log");
        postgres.run("pg_ctl", &["-w", "-l", path_text(&log)?, "-o", &options, "start"])?;
        Ok(postgres)
    }

    /// PostgreSQL refuses to run as root; then its own user does it.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let path = format!("{POSTGRES_BIN}/{program}");
        let root = String::from_utf8(Command::new("id").arg("-u").output()?.stdout)?.trim() == "0";
        let mut command = if root {
            Command::new("runuser")
        } else {
            Command::new(&path)
        };
        if root {
            command.args(["-u", "postgres", "--", &path]);
        }
        command
            .args(["-D", path_text(&self.folder)?])
            .args(arguments)
            .current_dir("/tmp");
        let done = command
            .stdout(Stdio::null())
            .status()
            .with_context(|| path.clone())?;
        ensure!(done.success(), "{program} failed");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.run("pg_ctl", &["-w", "-m", "fast", "stop"]) {
            eprintln!("PostgreSQL in {} was not stopped: {error}", self.folder.display());
        }
        let _left_behind = std::fs::remove_dir_all(&self.folder);
    }
}

struct Redis {
    server: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    async fn start() -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let port_text = port.to_string();
        let server = Command::new("redis-server")
            .args([
                "--port",
                &port_text,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "yes",
                "--dir",
            ])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server")?;
        let redis = Self {
            server,
            port,
            _folder: folder,
        };
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}/"))?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while client.get_multiplexed_async_connection().await.is_err() {
            ensure!(Instant::now() < deadline, "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _already_gone = self.server.kill();
        let _reaped = self.server.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
