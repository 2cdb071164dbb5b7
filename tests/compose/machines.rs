//! Each container as a process with a loopback address of its own, so that it listens on the very ports the file names.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::{Ports, World, WorldConfig};
use tokio::process::{Child, Command};

use crate::file::{ComposeFile, texts};
use crate::names;

const HEALTHY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(40);
const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

struct Machine {
    service: String,
    process: Child,
}

pub(crate) struct Machines {
    /// The first three bytes of everybody's address.
    network: [u8; 3],
    folder: tempfile::TempDir,
    /// Stands in for the mail catcher.
    _mail: World,
    name_server: String,
    running: Vec<Machine>,
}

impl Machines {
    /// Makes the secrets as an operator makes them, and a database for `database_url`.
    pub(crate) async fn plug_in(postgres: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secrets = folder.path().join("secrets");
        let mut make = Command::new("sh");
        make.arg("deploy/make-secrets.sh").arg(&secrets).current_dir(REPOSITORY);
        assert!(make.status().await.unwrap().success());
        let network = [127, rand::random_range(1..255), rand::random_range(1..255)];
        let [a, b, c] = network;
        let api = (0..2).map(|replica| address(network, "api", replica)).collect();
        let name_server = names::serve(Ipv4Addr::new(a, b, c, 53), api).await.to_string();
        let ports = Ports { mailbox: 1025, ..Ports::default() };
        let host = address(network, "mail", 0).into();
        let mail = World::start(WorldConfig { host, ports, ..WorldConfig::default() }).await.unwrap();
        let machines = Self { network, folder, _mail: mail, name_server, running: Vec::new() };
        for secret in ["redis_url", "smtp_url"] {
            machines.rewrite_secret(secret, |text| machines.localised(text, "api"));
        }
        let database_url = fresh_database(postgres).await;
        machines.rewrite_secret("database_url", |_| database_url.clone());
        machines
    }

    fn rewrite_secret(&self, name: &str, change: impl Fn(&str) -> String) {
        let path = self.folder.path().join("secrets").join(name);
        let text = change(&std::fs::read_to_string(&path).unwrap());
        // The file is there to be read only.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, text).unwrap();
    }

    /// A text of the file with our addresses in the place of names, for the first replica of a service.
    pub(crate) fn localised(&self, text: &str, service: &str) -> String {
        self.localised_for(text, service, 0)
    }

    fn localised_for(&self, text: &str, service: &str, replica: u8) -> String {
        let own = address(self.network, service, replica).to_string();
        let of = |name: &str| address(self.network, name, 0).to_string();
        let mut text = text
            .replace("127.0.0.11:53", &self.name_server)
            .replace("pay.localhost", &of("proxy"))
            .replace("localhost:4010", &format!("{}:4010", of("simulator")))
            .replace("=simulator", &format!("={}", of("simulator")))
            .replace("/run/secrets", self.folder.path().join("secrets").to_str().unwrap())
            .replace("0.0.0.0", &own)
            .replace("127.0.0.1:", &format!("{own}:"));
        for name in ["simulator", "redis", "mail"] {
            for before in ["//", "@"] {
                text = text.replace(&format!("{before}{name}:"), &format!("{before}{}:", of(name)));
            }
        }
        if text == "127.0.0.1" { own } else { text }
    }

    /// Starts every replica and waits until it is well, or until it has ended where it is to end.
    pub(crate) async fn start(&mut self, file: &ComposeFile, name: &str) {
        let service = file.service(name);
        let replicas = service["deploy"]["replicas"].as_u64().unwrap_or(1);
        for replica in 0..u8::try_from(replicas).unwrap() {
            let mut process = self.command(service, name, replica).spawn().unwrap();
            if service["restart"] == "no" {
                let ended = tokio::time::timeout(HEALTHY_WITHIN, process.wait()).await.unwrap().unwrap();
                assert!(ended.success(), "{name} ends well");
                continue;
            }
            self.until_healthy(service, name, replica, &mut process).await;
            self.running.push(Machine { service: name.to_owned(), process });
        }
    }

    fn command(&self, service: &Value, name: &str, replica: u8) -> Command {
        let mut words = texts(&service["command"]);
        if service["image"] == "postcall" {
            words.insert(0, env!("CARGO_BIN_EXE_postcall").to_owned());
        }
        for volume in texts(&service["volumes"]) {
            self.mount(&volume, name, replica, &mut words);
        }
        let words: Vec<String> = words.iter().map(|word| self.localised_for(word, name, replica)).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().kill_on_drop(true).stdin(Stdio::null());
        command.env("PATH", std::env::var("PATH").unwrap()).current_dir(self.folder.path());
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_else(|| panic!("{variable} is no text"));
            command.env(variable, self.localised_for(value, name, replica));
        }
        if std::env::var_os("POSTCALL_TEST_SHOW_LOG").is_none() {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        command
    }

    /// A file of ours that the container sees elsewhere is copied, and the command told where.
    fn mount(&self, volume: &str, name: &str, replica: u8, words: &mut [String]) {
        let (ours, theirs) = volume.trim_end_matches(":ro").split_once(':').unwrap();
        let text = std::fs::read_to_string(Path::new(REPOSITORY).join(ours)).unwrap();
        let copy = self.folder.path().join(theirs.replace('/', "_"));
        std::fs::write(&copy, self.localised_for(&text, name, replica)).unwrap();
        for word in words {
            *word = word.replace(theirs, copy.to_str().unwrap());
        }
    }

    /// Asks with the file's own health check.
    async fn until_healthy(&self, service: &Value, name: &str, replica: u8, process: &mut Child) {
        let deadline = Instant::now() + HEALTHY_WITHIN;
        let test = texts(&service["healthcheck"]["test"]);
        assert_eq!(test[0], "CMD", "the image has no shell to rely on");
        let words: Vec<String> =
            test[1..].iter().map(|word| self.localised_for(word, name, replica)).collect();
        loop {
            assert!(process.try_wait().unwrap().is_none(), "{name} ended instead of getting well");
            if self.is_well(service, name, replica, &words).await {
                return;
            }
            assert!(Instant::now() < deadline, "{name} does not get well by {words:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn is_well(&self, service: &Value, name: &str, replica: u8, words: &[String]) -> bool {
        // The machine of the test need not have wget; the address it would ask is what matters.
        let words = match words[0].as_str() {
            "wget" => vec!["postcall".to_owned(), "ready".to_owned(), words.last().unwrap().clone()],
            _ => words.to_vec(),
        };
        let program = if words[0] == "postcall" { env!("CARGO_BIN_EXE_postcall") } else { &words[0] };
        let mut command = Command::new(program);
        command.args(&words[1..]).env_clear().env("PATH", std::env::var("PATH").unwrap());
        if let Some(listen) = service["environment"]["POSTCALL_PRIVATE_LISTEN"].as_str() {
            command.env("POSTCALL_PRIVATE_LISTEN", self.localised_for(listen, name, replica));
        }
        let asked = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.await.unwrap().success()
    }

    /// SIGTERM to one process of a service, and its exit code.
    pub(crate) async fn stop(&mut self, service: &str, which: usize) -> Option<i32> {
        let of_service = self.running.iter().enumerate().filter(|(_, machine)| machine.service == service);
        let (index, _) = of_service.collect::<Vec<_>>()[which];
        let mut machine = self.running.remove(index);
        let id = machine.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(STOPPED_WITHIN, machine.process.wait()).await;
        ended.unwrap_or_else(|_| panic!("{service} does not stop")).unwrap().code()
    }
}

/// 127.x.y.z: z says who.
fn address([a, b, c]: [u8; 3], service: &str, replica: u8) -> Ipv4Addr {
    let who = ["redis", "migrate", "api", "workers", "proxy", "simulator", "mail"];
    let place = who.iter().position(|name| *name == service);
    let place = u8::try_from(place.unwrap_or_else(|| panic!("{service} has no address"))).unwrap();
    Ipv4Addr::new(a, b, c, 100 + place * 10 + replica)
}

async fn fresh_database(server: &str) -> String {
    let name = format!("compose_{:016x}", rand::random::<u64>());
    let admin = sqlx::PgPool::connect(server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
    admin.close().await;
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}
