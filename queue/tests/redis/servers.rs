//! Redis servers and sentinels of a test's own.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn redis_is_installed() -> bool {
    std::env::var_os("POSTCALL_TEST_REDIS_URL").is_some()
}

/// A port below those that outgoing connections are given.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = rand::random_range(12_000..32_000_u16);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub(crate) struct Server {
    pub(crate) port: u16,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

/// A sentinel that watches the master under the name `postcall`.
pub(crate) async fn sentinel(master_port: u16) -> Server {
    let mut server = Server::at(free_port());
    let file = server.folder.path().join("sentinel.conf");
    let rules = format!(
        "sentinel monitor postcall 127.0.0.1 {master_port} 1\nsentinel down-after-milliseconds postcall 1000\n\
         sentinel failover-timeout postcall 5000\n"
    );
    std::fs::write(&file, rules).unwrap();
    server.spawn(&[file.to_str().unwrap(), "--sentinel"]);
    server.until_it_answers(&["PING"]).await;
    server
}

impl Server {
    pub(crate) fn at(port: u16) -> Self {
        Self { port, child: None, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn start(more: &[&str]) -> Self {
        let mut server = Self::at(free_port());
        server.start_again(more).await;
        server
    }

    /// On the same port, with the same folder.
    pub(crate) async fn start_again(&mut self, more: &[&str]) {
        self.spawn(&[&["--save", "", "--appendonly", "no"], more].concat());
        self.until_it_answers(&["PING"]).await;
    }

    /// Returns once it listens, while it still reads its file.
    pub(crate) async fn start_loading(&mut self, more: &[&str]) {
        self.spawn(&[&["--save", "", "--appendonly", "no"], more].concat());
        let deadline = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(Instant::now() < deadline, "Redis does not listen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    fn spawn(&mut self, arguments: &[&str]) {
        let mut command = Command::new("redis-server");
        command.args(arguments).args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--dir"]);
        command.arg(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        self.child =
            Some(command.spawn().expect("redis-server is installed where POSTCALL_TEST_REDIS_URL is set"));
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().unwrap().to_string();
        let told = Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap();
        assert!(told.success());
    }

    /// Its answer to one command on a connection of its own, as text.
    pub(crate) async fn told(&self, words: &[&str]) -> redis::RedisResult<String> {
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut command = redis::cmd(words[0]);
        let answer: redis::Value = command.arg(&words[1..]).query_async(&mut connection).await?;
        let text = redis::from_redis_value::<String>(answer.clone());
        Ok(text.unwrap_or_else(|_| format!("{answer:?}")))
    }

    async fn until_it_answers(&self, words: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = self.told(words).await {
            assert!(Instant::now() < deadline, "Redis does not answer: {error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A sentinel knows of this port.
    pub(crate) async fn until_says(&self, what: &str, port: &str) {
        let deadline = Instant::now() + PATIENCE * 2;
        loop {
            let said = self.told(&["SENTINEL", what, "postcall"]).await.unwrap();
            if said.contains(port) {
                return;
            }
            assert!(Instant::now() < deadline, "the sentinel does not know {port}: {said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
