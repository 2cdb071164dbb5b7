//! Callers who mean harm: others are answered meanwhile, within a second or two.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::canary::blast;
use crate::child::ChildProduct;
use crate::stage::{Stage, Store};

/// For an honest request while others push, on a busy machine.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
const BODY_BYTES: usize = 100 * 1024 * 1024;
const IDLE_CONNECTIONS: usize = 800;

pub(crate) async fn others_are_answered_while_somebody_pushes(store: Store) {
    let stage = Stage::set_without_product(store).await;
    let mut child = ChildProduct::start("serve", &stage.config, stage.clock.offset_ms(), None);
    child.listening(&stage.config.listen).await;
    let address = stage.config.listen.clone();

    let mut idle = Vec::new();
    for number in 0..IDLE_CONNECTIONS {
        let mut connection = TcpStream::connect(&address).await.unwrap();
        // Every second one has begun to speak and does not go on.
        if number % 2 == 0 {
            connection.write_all(b"POST /v1/invoices HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
        }
        idle.push(connection);
    }
    honest(&stage).await;

    for path in ["/v1/invoices", "/v1/events", "/p/pay", "/webhooks/stripe", "/webhooks/carrier/inbound"] {
        let status = endless(&stage, path).await;
        assert!(matches!(status, 400 | 403 | 413), "{path} answers a body of 100 MiB {status}");
        honest(&stage).await;
    }
    let url = format!("{}/v1/invoices", stage.config.public_url);
    let post =
        || blast::client().post(&url).bearer_auth(&stage.key).header("content-type", "application/json");
    for body in ["[".repeat(100_000), "{\"a\":".repeat(40_000)] {
        assert_eq!(post().body(body).send().await.unwrap().status(), 400);
    }
    // Nothing here unpacks what is sent: a bomb is bytes that are no JSON.
    let packed = post().header("content-encoding", "gzip").body(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let refused = packed.send().await.unwrap().status();
    assert!(matches!(refused.as_u16(), 400 | 415), "{refused}");
    honest(&stage).await;
    drop(idle);
    assert!(child.terminate().await.success());
    stage.leave();
}

/// A request like any other.
async fn honest(stage: &Stage) {
    let begun = Instant::now();
    stage.get("/v1/invoices").await;
    assert!(begun.elapsed() < ANSWERED_WITHIN, "an honest request took {:?}", begun.elapsed());
}

/// Sends a body in chunks, without saying its length, until it is refused; says with which status.
async fn endless(stage: &Stage, path: &str) -> u16 {
    let stream = TcpStream::connect(&stage.config.listen).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        stage.key
    );
    let sending = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        writer.write_all(head.as_bytes()).await?;
        for _ in 0..BODY_BYTES / 0x10000 {
            writer.write_all(chunk.as_bytes()).await?;
        }
        writer.write_all(b"0\r\n\r\n").await
    });
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(Duration::from_secs(20), reader.read(&mut answer)).await;
    let read = read.expect("it is answered before the body ends").unwrap();
    sending.abort();
    let line = String::from_utf8_lossy(&answer[..read]).into_owned();
    line.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no answer: {line:?}"))
}
