//! `docker-compose.yml` and the `Dockerfile`, where there is no Docker: what the file promises is read from it, and what it
//! starts of ours is started, with the very commands, variables, secrets and health checks it says.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reads its own environment"
)]

mod file;
mod machines;
mod names;
mod rules;

use std::time::{Duration, Instant};

use file::ComposeFile;
use machines::Machines;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_compose_file_starts_of_ours_runs_as_it_stands() {
    let Ok(postgres) = std::env::var("POSTCALL_TEST_POSTGRES_URL") else { return };
    gateways::http::install_crypto();
    let file = ComposeFile::read();
    let mut machines = Machines::plug_in(&postgres).await;
    // Redis is the file's own; PostgreSQL is the test's, because its data directory is no matter of the file.
    for name in file.in_order_of_start(&["redis", "migrate", "api", "workers", "proxy", "simulator"]) {
        machines.start(&file, &name).await;
    }

    let text = first_text(&machines).await;
    let link = simulator::people::links_in(&text).into_iter().find(|link| link.contains("/p/")).unwrap();
    let public = machines.localised("http://pay.localhost:8080/p/", "proxy");
    assert!(link.starts_with(&public), "{link} leads to the one public port");
    assert_eq!(simulator::people::Customer::new().unwrap().open(&link).await.unwrap().status, 200);

    assert_eq!(machines.stop("api", 0).await, Some(0), "one of two API processes drains and exits 0");
    let mut customer = simulator::people::Customer::new().unwrap();
    assert_eq!(customer.open(&link).await.unwrap().status, 200, "the other answers through the same port");
    for name in ["simulator", "workers", "workers", "api"] {
        assert_eq!(machines.stop(name, 0).await, Some(0), "{name} exits 0");
    }
}

/// The simulated dialer calls somebody as soon as it runs; the text about it is on the page of phones.
async fn first_text(machines: &Machines) -> String {
    let url = machines.localised("http://simulator:4014/_sim/texts", "simulator");
    let client = gateways::http::client(Duration::from_secs(5), gateways::http::Reach::Anywhere).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let texts: Value = client.get(&url).send().await.unwrap().json().await.unwrap();
        if let Some(body) = texts[0]["body"].as_str() {
            return body.to_owned();
        }
        assert!(Instant::now() < deadline, "nobody was texted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
