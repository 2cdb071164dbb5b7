//! The built binary as a process of its own, to be killed and started again.

use std::process::Stdio;
use std::time::{Duration, Instant};

use postcall::config::Config;
use tokio::process::{Child, Command};

pub(crate) struct ChildProduct {
    pub(crate) process: Child,
}

impl ChildProduct {
    /// Starts `postcall serve` (or `api`, `workers`) with this configuration.
    pub(crate) fn start(role: &str, config: &Config, offset_ms: i64, crash_at: Option<&str>) -> Self {
        let variables: Vec<_> = crash_at.map(|step| ("POSTCALL_CRASH_AT", step)).into_iter().collect();
        Self::start_with(role, config, offset_ms, &variables)
    }

    /// The same with more variables.
    pub(crate) fn start_with(
        role: &str,
        config: &Config,
        offset_ms: i64,
        more: &[(&'static str, &str)],
    ) -> Self {
        let mut command = command(role, config, offset_ms);
        let quiet = std::env::var_os("POSTCALL_TEST_SHOW_LOG").is_none();
        command.stderr(if quiet { Stdio::null() } else { Stdio::inherit() });
        command.envs(more.iter().copied());
        Self { process: command.spawn().unwrap() }
    }

    /// Starts `postcall serve` with no more than so many open files.
    pub(crate) fn start_with_files(files: u32, config: &Config, offset_ms: i64) -> Self {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -n {files} && exec \"$0\" serve"));
        shell.arg(env!("CARGO_BIN_EXE_postcall"));
        let mut command = prepared(shell, config, offset_ms);
        Self { process: command.spawn().unwrap() }
    }

    /// Starts `postcall serve`, which adds everything it has to say to this file, however small.
    pub(crate) fn start_talkative(config: &Config, offset_ms: i64, log: &std::path::Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = command("serve", config, offset_ms);
        command.args(["--log", "trace"]).stderr(log);
        Self { process: command.spawn().unwrap() }
    }

    /// Waits until it answers.
    pub(crate) async fn listening(&mut self, address: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < deadline && self.ended().is_none(), "the product did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The exit status, once it ended.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.process.try_wait().unwrap()
    }

    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    pub(crate) async fn terminate(mut self) -> std::process::ExitStatus {
        let id = self.process.id().unwrap().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(told.success());
        tokio::time::timeout(Duration::from_secs(40), self.process.wait())
            .await
            .expect("it drains in time")
            .unwrap()
    }
}

fn command(role: &str, config: &Config, offset_ms: i64) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postcall"));
    command.arg(role);
    prepared(command, config, offset_ms)
}

fn prepared(mut command: Command, config: &Config, offset_ms: i64) -> Command {
    if let Some(file) = &config.store.record_statements {
        command.env("POSTCALL_RECORD_STATEMENTS", file);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let variables = [
        ("POSTCALL_DATABASE_URL", config.store.database_url.clone()),
        ("POSTCALL_REDIS_URL", config.store.redis_url.clone().unwrap_or_default()),
        ("POSTCALL_KEYS", config.store.keys.clone().unwrap_or_default()),
        ("POSTCALL_PUBLIC_URL", config.public_url.clone()),
        ("POSTCALL_LISTEN", config.listen.clone()),
        ("POSTCALL_PRIVATE_LISTEN", config.private_listen.clone()),
        ("POSTCALL_STRIPE_SECRET_KEY", config.stripe_secret_key.clone()),
        ("POSTCALL_STRIPE_PUBLISHABLE_KEY", config.stripe_publishable_key.clone()),
        ("POSTCALL_STRIPE_WEBHOOK_SECRETS", config.stripe_webhook_secrets.clone()),
        ("POSTCALL_STRIPE_URL", config.stripe_url.clone()),
        ("POSTCALL_STRIPE_JS_URL", config.stripe_js_url.clone()),
        ("POSTCALL_TWILIO_ACCOUNT_SID", config.twilio_account_sid.clone()),
        ("POSTCALL_TWILIO_AUTH_TOKENS", config.twilio_auth_tokens.clone()),
        ("POSTCALL_TWILIO_URL", config.twilio_url.clone()),
        ("POSTCALL_SMTP_URL", config.smtp_url.clone()),
        ("POSTCALL_DIALER_ANYWHERE", "true".to_owned()),
        (
            "POSTCALL_ADDRESS_REQUESTS_PER_MINUTE_MAX",
            config.limits.address_requests_per_minute_max.to_string(),
        ),
        ("POSTCALL_CLOCK_OFFSET_MS", offset_ms.to_string()),
    ];
    command.envs(variables.into_iter().filter(|(_, value)| !value.is_empty()));
    command
}
