//! One installation of the product as an operator would set it up: a store, its processes, a merchant, and the world
//! outside. Everything goes over the command line and the wire.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use simulator::call::Sender;
use simulator::{
    CarrierConfig, ConnectedAccount, DialerConfig, Ports, ProductEndpoints, StripeConfig, World, WorldConfig,
};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::machine::Machine;
use crate::process::Process;
use crate::store::{Kind, Store};

const KEYS: &str = "faults:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const SMS_SENDER: &str = "+15005550006";
const ACCOUNT: &str = "acct_1Faults";
/// Noon in New York on a weekday: everybody may be texted, for nine hours on.
const NOON_MS: i64 = 1_795_107_600_000;
const START: Duration = Duration::from_secs(120);

/// What differs from one site to another.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) store: Option<Store>,
    /// `api`, `workers`, `serve`; by default what suits the store.
    pub(crate) roles: Vec<&'static str>,
}

pub(crate) struct Site {
    pub(crate) machine: Arc<Machine>,
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) processes: Mutex<Vec<Process>>,
    pub(crate) merchant_id: String,
    pub(crate) key: String,
    pub(crate) calls: Sender,
    pub(crate) public_url: String,
    pub(crate) http: reqwest::Client,
    offset_ms: Arc<AtomicI64>,
    listen: String,
    env: Vec<(String, String)>,
    roles: Vec<&'static str>,
    log: Option<PathBuf>,
}

impl Site {
    /// World, store and merchant; no process yet.
    pub(crate) async fn lay(machine: &Arc<Machine>, name: &str, plan: Plan) -> Result<Self> {
        let store = plan.store.context("a site has a store")?;
        let (listen, dialer_port) = (free_address()?, free_port()?);
        let foundation = [
            ("POSTCALL_DATABASE_URL".to_owned(), store.url()),
            ("POSTCALL_KEYS".to_owned(), KEYS.to_owned()),
        ];
        let cli = Cli { binary: machine.binary.clone(), env: foundation.to_vec() };
        let dialer_url = format!("http://127.0.0.1:{dialer_port}/commands");
        let merchant_id = cli.merchant(&dialer_url).await?;
        // The daily cap of a merchant would be met before the faults are.
        store.run("UPDATE merchants SET texts_per_day_max = 100000000").await?;
        let key = cli.say(&["key", "add", &merchant_id]).await?;
        let secret = cli.say(&["merchant", "secret", &merchant_id, "events"]).await?;
        let offset_ms = Arc::new(AtomicI64::new(0));
        let clock = simulator::Clock::sharing(Arc::clone(&offset_ms));
        clock.advance(NOON_MS - clock.now_ms());
        let world = World::start(WorldConfig {
            clock,
            ports: Ports { dialer: dialer_port, ..Ports::default() },
            stripe: StripeConfig {
                accounts: vec![ConnectedAccount::new(ACCOUNT, "Faults")],
                ..StripeConfig::default()
            },
            carrier: CarrierConfig { number: SMS_SENDER.to_owned(), ..CarrierConfig::default() },
            dialer: DialerConfig {
                signing_secret: cli.say(&["merchant", "secret", &merchant_id, "dialer"]).await?,
                ..DialerConfig::default()
            },
            ..WorldConfig::default()
        })
        .await?;
        let public_url = format!("http://{listen}");
        world.connect(ProductEndpoints {
            stripe_webhook_url: Some(format!("{public_url}/webhooks/stripe")),
            carrier_inbound_url: Some(format!("{public_url}/webhooks/carrier/inbound")),
            ..ProductEndpoints::default()
        });
        let mut env = providers(&world);
        env.extend(own([("DATABASE_URL", &store.url()), ("KEYS", KEYS)]));
        env.extend(own([("PUBLIC_URL", &public_url), ("LISTEN", &listen)]));
        if store.kind() == Kind::Postgres {
            env.extend(own([("REDIS_URL", &machine.redis.url)]));
        }
        let roles = match (&store, plan.roles.is_empty()) {
            (_, false) => plan.roles,
            (Store::Sqlite(_), true) => vec!["serve"],
            (Store::Postgres(_), true) => vec!["api", "workers", "workers"],
        };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        Ok(Self {
            log: machine.logs.as_ref().map(|logs| logs.join(format!("{name}-{}.log", store.kind().word()))),
            machine: Arc::clone(machine),
            world,
            store,
            processes: Mutex::new(Vec::new()),
            calls: Sender::signing(&format!("{public_url}/v1/events"), &secret),
            merchant_id,
            key,
            public_url,
            http,
            offset_ms,
            listen,
            env,
            roles,
        })
    }

    /// The same with another address, time or secret: what stands between the product and the world.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.env.extend(own([(variable, value)]));
        self
    }

    /// The same with its processes up and so many invoices.
    pub(crate) async fn open(
        machine: &Arc<Machine>,
        name: &str,
        plan: Plan,
        invoices: usize,
    ) -> Result<Arc<Self>> {
        Self::lay(machine, name, plan).await?.up(invoices).await
    }

    /// Starts its processes and uploads so many invoices.
    pub(crate) async fn up(self, invoices: usize) -> Result<Arc<Self>> {
        self.start().await?;
        self.import(0..invoices).await?;
        Ok(Arc::new(self))
    }

    /// Another process of the product, now.
    pub(crate) fn spawn(&self, role: &'static str, more: &[(&str, &str)]) -> Result<Process> {
        self.spawn_in(&[], role, more)
    }

    /// The same inside a program that changes who it is or what it may do.
    pub(crate) fn spawn_in(
        &self,
        wrapper: &[&str],
        role: &'static str,
        more: &[(&str, &str)],
    ) -> Result<Process> {
        let mut env = self.env.clone();
        env.push(("POSTCALL_CLOCK_OFFSET_MS".to_owned(), self.offset_ms().to_string()));
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Process::start(&self.machine.binary, role, wrapper, &env, self.log.as_deref())
    }

    fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::SeqCst)
    }

    /// Kills one process and starts it with a clock that is so far ahead of everybody's.
    pub(crate) async fn skew(&self, place: usize, ms: i64) -> Result<()> {
        let mut processes = self.processes.lock().await;
        let process = processes.get_mut(place).context("there is a process")?;
        process.kill().await?;
        let offset = (self.offset_ms() + ms).to_string();
        *process = self.spawn(process.role, &[("POSTCALL_CLOCK_OFFSET_MS", &offset)])?;
        Ok(())
    }

    /// All processes, and waits until the API listens.
    pub(crate) async fn start(&self) -> Result<()> {
        let mut processes = self.processes.lock().await;
        for process in processes.iter_mut() {
            process.terminate().await?;
        }
        processes.clear();
        for role in &self.roles {
            processes.push(self.spawn(role, &[])?);
        }
        drop(processes);
        self.listening().await
    }

    pub(crate) async fn listening(&self) -> Result<()> {
        if self.roles.iter().all(|role| *role == "workers") {
            return Ok(());
        }
        let deadline = tokio::time::Instant::now() + START;
        while tokio::net::TcpStream::connect(&self.listen).await.is_err() {
            ensure!(tokio::time::Instant::now() < deadline, "the product does not listen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Kills one process and starts another in its place at once.
    pub(crate) async fn kill_and_replace(&self, place: usize) -> Result<()> {
        let mut processes = self.processes.lock().await;
        let count = processes.len();
        let process = processes.get_mut(place % count).context("there is a process")?;
        process.kill().await?;
        *process = self.spawn(process.role, &[])?;
        Ok(())
    }

    /// Freezes one process for a while.
    pub(crate) async fn freeze_for(&self, place: usize, span: Duration) -> Result<()> {
        let processes = self.processes.lock().await;
        let process = processes.get(place % processes.len()).context("there is a process")?;
        process.freeze().await?;
        tokio::time::sleep(span).await;
        process.thaw().await
    }

    /// Ends all processes and starts these instead, until [`Site::start`].
    pub(crate) async fn only(&self, roles: &[&'static str]) -> Result<()> {
        self.stop().await?;
        let mut processes = self.processes.lock().await;
        processes.clear();
        for role in roles {
            processes.push(self.spawn(role, &[])?);
        }
        drop(processes);
        self.listening().await
    }

    /// Lets business time pass: every process is ended and started with the new time.
    pub(crate) async fn pass_time(&self, ms: i64) -> Result<()> {
        for process in self.processes.lock().await.iter_mut() {
            process.terminate().await?;
        }
        self.world.clock().advance(ms);
        self.start().await
    }

    pub(crate) async fn stop(&self) -> Result<()> {
        for process in self.processes.lock().await.iter_mut() {
            let status = process.terminate().await?;
            ensure!(status.success(), "{} ended with {status} after SIGTERM", process.role);
        }
        Ok(())
    }

    /// Jobs that are due or in work.
    pub(crate) async fn jobs_due(&self) -> Result<i64> {
        let now = self.world.clock().now_ms();
        let query = format!(
            "SELECT count(*) FROM jobs WHERE status = 'leased' OR (status = 'waiting' AND due_at_ms <= {now})"
        );
        self.store.number(&query).await
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let request = self.http.get(format!("{}{path}", self.public_url)).bearer_auth(&self.key);
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "GET {path} answered {}", answer.status());
        Ok(answer.json().await?)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.http.post(format!("{}{path}", self.public_url)).bearer_auth(&self.key).json(body);
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "POST {path} answered {}", answer.status());
        Ok(answer.json().await?)
    }

    /// Every row of a list.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self.get(&format!("{path}?limit=100{cursor}")).await?;
            let Value::Array(mut found) = page["data"].take() else { bail!("{path} is no list: {page}") };
            rows.append(&mut found);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(rows),
            }
        }
    }
}

/// The command line of the product, as an operator uses it.
struct Cli {
    binary: PathBuf,
    env: Vec<(String, String)>,
}

impl Cli {
    async fn merchant(&self, dialer_url: &str) -> Result<String> {
        self.say(&[
            "merchant",
            "add",
            "--name",
            "Harbor Street Dental",
            "--stripe-account",
            ACCOUNT,
            "--sms-sender",
            SMS_SENDER,
            "--email-sender",
            "billing@harbor.example",
            "--support-email",
            "office@harbor.example",
            "--dialer-url",
            dialer_url,
        ])
        .await
    }

    async fn say(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().envs(self.env.iter().cloned());
        let output = command.output().await.context("the product could not be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "postcall {}: {said}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn own<const N: usize>(variables: [(&str, &str); N]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| (format!("POSTCALL_{name}"), (*value).to_owned())).collect()
}

fn providers(world: &World) -> Vec<(String, String)> {
    let (stripe, carrier) = (StripeConfig::default(), CarrierConfig::default());
    own([
        ("PRIVATE_LISTEN", "127.0.0.1:0"),
        ("STRIPE_SECRET_KEY", &stripe.secret_key),
        ("STRIPE_PUBLISHABLE_KEY", &stripe.publishable_key),
        ("STRIPE_WEBHOOK_SECRETS", &stripe.webhook_secret),
        ("STRIPE_URL", &world.stripe_url()),
        ("STRIPE_JS_URL", &world.stripe_js_url()),
        ("TWILIO_ACCOUNT_SID", &carrier.account_sid),
        ("TWILIO_AUTH_TOKENS", &carrier.auth_token),
        ("TWILIO_URL", &world.sms_url()),
        ("SMTP_URL", &format!("smtp://{}", world.smtp_addr())),
        ("DIALER_ANYWHERE", "true"),
        // Everybody here has the same address, and all texts come from one number.
        ("ADDRESS_REQUESTS_PER_MINUTE_MAX", "0"),
        ("SENDER_TEXTS_PER_MINUTE_MAX", "0"),
    ])
}

/// A port below those that outgoing connections are given, so that none of them takes it before the product does.
fn free_port() -> Result<u16> {
    for _ in 0..200 {
        let port = rand::random_range(12_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port on the loopback interface")
}

fn free_address() -> Result<String> {
    Ok(format!("127.0.0.1:{}", free_port()?))
}
