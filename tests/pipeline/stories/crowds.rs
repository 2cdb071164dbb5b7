//! Crowds at the door: more connections than anybody needs, and a process that runs out of file descriptors.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::StreamExt;
use simulator::call::Intent;
use tokio::net::{TcpSocket, TcpStream};

use crate::child::ChildProduct;
use crate::stage::{PATIENCE, Stage, Store};

const MAYA: &str = "+14155550101";
const CROWD: usize = 10_000;
/// What is served besides must not wait for the crowd.
const SOON: Duration = Duration::from_secs(5);

/// Connections that say nothing, from addresses of this machine that nobody else uses: the ports they leave behind are
/// missed by nobody.
async fn crowd(count: usize, listen: &str) -> Vec<TcpStream> {
    let listen: SocketAddr = listen.parse().unwrap();
    let connecting = (0..count).map(|number| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 77, u8::try_from(number % 200).unwrap()], 0))).unwrap();
        socket.connect(listen).await
    });
    let connected: Vec<_> = futures::stream::iter(connecting).buffer_unordered(64).collect().await;
    connected.into_iter().filter_map(Result::ok).collect()
}

async fn an_event_is_taken_soon(stage: &Stage, call: &str) {
    let invoice = stage.invoice(Some(MAYA), None).await;
    let begun = Instant::now();
    let receipt = stage.call(&invoice, call, Intent::SendLink).await;
    assert_eq!(receipt.status, 202);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// Resident memory, in KiB.
fn memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub(crate) async fn ten_thousand_connections_that_say_nothing_hold_nobody_up() {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let count = CROWD.min(usize::try_from(files).unwrap().saturating_sub(1_000));
    let mut stage = Stage::set_without_product(Store::sqlite()).await;
    let mut child = ChildProduct::start("serve", &stage.config, stage.clock.offset_ms(), None);
    child.listening(&stage.config.listen).await;
    stage.furnish().await;
    let before_kib = memory_kib(child.process.id().unwrap());
    let idle = crowd(count, &stage.config.listen).await;
    assert_eq!(idle.len(), count, "everybody was let in");
    an_event_is_taken_soon(&stage, "call 1").await;
    let each_kib =
        memory_kib(child.process.id().unwrap()).saturating_sub(before_kib) / u64::try_from(count).unwrap();
    assert!(each_kib < 24, "{each_kib} KiB for every idle connection");
    // More than there are seats: the idlest go, and who has something to say is served.
    let more = crowd(500, &stage.config.listen).await;
    an_event_is_taken_soon(&stage, "call 2").await;
    drop((idle, more));
    stage.world.carrier().wait_for_texts(MAYA, 2, PATIENCE).await.unwrap();
    stage.quiet().await;
    assert!(child.terminate().await.success());
    stage.finish().await;
}

pub(crate) async fn without_file_descriptors_it_waits_and_goes_on() {
    let mut stage = Stage::set_without_product(Store::sqlite()).await;
    let mut child = ChildProduct::start_with_files(120, &stage.config, stage.clock.offset_ms());
    child.listening(&stage.config.listen).await;
    stage.furnish().await;
    for round in 0..3 {
        let idle = crowd(400, &stage.config.listen).await;
        an_event_is_taken_soon(&stage, &format!("call {round}")).await;
        drop(idle);
    }
    assert!(child.ended().is_none(), "it still runs");
    stage.world.carrier().wait_for_texts(MAYA, 3, PATIENCE).await.unwrap();
    stage.quiet().await;
    assert!(child.terminate().await.success());
    stage.finish().await;
}
