#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::body::Bytes;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);
const LARGE: usize = 16 * 1024 * 1024;

struct House {
    address: SocketAddr,
    metrics: ListenerMetrics,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
    /// Requests for `/slow` whose handler runs.
    begun: Arc<AtomicUsize>,
    /// What they wait for.
    gate: Arc<Semaphore>,
}

fn short(span_ms: u64) -> Patience {
    let span = Duration::from_millis(span_ms);
    Patience { idle: span, head: span, body: span, answer: span }
}

/// Nobody is hung up on for being slow.
fn endless() -> Patience {
    short(3_600_000)
}

async fn house(connections_max: usize, patience: Patience) -> House {
    let stream = || async {
        let comments = futures::stream::pending::<Result<Bytes, Infallible>>();
        ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(comments)).into_response()
    };
    let (begun, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counted, opened) = (Arc::clone(&begun), Arc::clone(&gate));
    let slow = async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let _through = opened.acquire().await;
        "done"
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/large", get(|| async { vec![b'x'; LARGE] }))
        .route("/stream", get(stream))
        .route("/slow", get(slow));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let metrics = ListenerMetrics::register(&Registry::new()).unwrap();
    let listener =
        Listener { name: "public", socket, router, connections_max, patience, metrics: metrics.clone() };
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(listener.serve(shutdown.clone()));
    House { address, metrics, shutdown, serving, begun, gate }
}

impl House {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn hung_up(&self, reason: &str) -> u64 {
        self.metrics.hung_up.with_label_values(&["public", reason]).get()
    }

    async fn until(&self, what: &str, probe: impl Fn() -> bool) {
        let begun = Instant::now();
        while !probe() {
            assert!(begun.elapsed() < DEADLINE, "in vain: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_open(&self, wanted: i64) {
        let open = self.metrics.connections.with_label_values(&["public"]);
        self.until(&format!("{wanted} connections are open"), || open.get() == wanted).await;
    }

    /// Asks for something slow and waits until it is worked on.
    async fn busy(&self) -> TcpStream {
        let before = self.begun.load(Ordering::Relaxed);
        let mut stream = self.connect().await;
        say(&mut stream, "GET /slow HTTP/1.1\r\nHost: here\r\n\r\n").await;
        self.until("a slow request begins", || self.begun.load(Ordering::Relaxed) > before).await;
        stream
    }
}

async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Reads until the text has come.
async fn hear(stream: &mut TcpStream, wanted: &str) {
    let hearing = async {
        let mut heard = Vec::new();
        let mut buffer = [0; 4_096];
        while !String::from_utf8_lossy(&heard).contains(wanted) {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::time::timeout(DEADLINE, hearing).await.unwrap();
}

/// Waits until the other side hangs up.
async fn until_closed(stream: &mut TcpStream) {
    let reading = async {
        let mut buffer = [0; 65_536];
        while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    };
    tokio::time::timeout(DEADLINE, reading).await.unwrap();
}

async fn greets(stream: &mut TcpStream) {
    say(stream, "GET / HTTP/1.1\r\nHost: here\r\n\r\n").await;
    hear(stream, "hello").await;
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let house = house(8, endless()).await;
    let mut stream = house.connect().await;
    greets(&mut stream).await;
    say(&mut stream, "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nagain").await;
    hear(&mut stream, "again").await;
    greets(&mut stream).await;
}

#[tokio::test]
async fn who_sends_its_head_slowly_is_hung_up_on_however_often_a_byte_comes() {
    let house = house(8, Patience { head: Duration::from_millis(300), ..endless() }).await;
    let mut stream = house.connect().await;
    say(&mut stream, "GET / HTTP/1.1\r\n").await;
    let (mut read, mut write) = stream.split();
    let dripping = async {
        while write.write_all(b"X-a: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let mut nothing = Vec::new();
    tokio::select! {
        () = dripping => {}
        _ = read.read_to_end(&mut nothing) => {}
        () = tokio::time::sleep(DEADLINE) => panic!("nobody hung up"),
    }
    assert_eq!(house.hung_up("slow_head"), 1);
}

#[tokio::test]
async fn who_keeps_a_connection_for_nothing_is_hung_up_on_before_and_after_a_request() {
    let house = house(8, Patience { idle: Duration::from_millis(300), ..endless() }).await;
    let (mut fresh, mut used) = (house.connect().await, house.connect().await);
    greets(&mut used).await;
    until_closed(&mut fresh).await;
    until_closed(&mut used).await;
    assert_eq!(house.hung_up("idle"), 2);
    house.until_open(0).await;
}

#[tokio::test]
async fn who_never_sends_its_body_is_hung_up_on() {
    let house = house(8, Patience { body: Duration::from_millis(300), ..endless() }).await;
    let mut stream = house.connect().await;
    say(&mut stream, "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 50\r\n\r\nonly this").await;
    until_closed(&mut stream).await;
    assert_eq!(house.hung_up("slow_body"), 1);
}

#[tokio::test]
async fn who_does_not_read_its_answer_is_hung_up_on_and_who_reads_gets_all_of_it() {
    let house = house(8, Patience { answer: Duration::from_secs(1), ..endless() }).await;
    let mut deaf = house.connect().await;
    say(&mut deaf, "GET /large HTTP/1.1\r\nHost: here\r\n\r\n").await;
    let mut reader = house.connect().await;
    say(&mut reader, "GET /large HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
    let mut all = Vec::new();
    reader.read_to_end(&mut all).await.unwrap();
    assert!(all.len() > LARGE);
    house.until_open(0).await;
    assert_eq!(house.hung_up("slow_reader"), 1);
}

#[tokio::test]
async fn a_listener_to_changes_and_whoever_waits_for_us_may_stay() {
    let house = house(8, short(200)).await;
    let mut listener = house.connect().await;
    say(&mut listener, "GET /stream HTTP/1.1\r\nHost: here\r\n\r\n").await;
    hear(&mut listener, "event-stream").await;
    let mut patient = house.busy().await;
    for _ in 0..2 {
        until_closed(&mut house.connect().await).await;
    }
    house.gate.add_permits(1);
    hear(&mut patient, "done").await;
    house.until_open(1).await;
}

#[tokio::test]
async fn when_all_seats_are_taken_whoever_idles_longest_goes() {
    let house = house(3, endless()).await;
    let (mut first, mut second) = (house.connect().await, house.connect().await);
    house.until_open(2).await;
    say(&mut second, "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n").await;
    let mut busy = house.busy().await;
    // The first has said nothing; then the second, whose body does not come.
    greets(&mut house.connect().await).await;
    until_closed(&mut first).await;
    let mut last = house.connect().await;
    greets(&mut last).await;
    greets(&mut house.connect().await).await;
    until_closed(&mut second).await;
    house.gate.add_permits(1);
    hear(&mut busy, "done").await;
    assert!(house.hung_up("crowded_out") >= 2);
}

#[tokio::test]
async fn nobody_who_waits_for_us_has_to_go_for_another() {
    let house = house(2, endless()).await;
    let (mut one, mut two) = (house.busy().await, house.busy().await);
    let mut third = house.connect().await;
    until_closed(&mut third).await;
    assert_eq!(house.hung_up("no_seat"), 1);
    house.gate.add_permits(2);
    hear(&mut one, "done").await;
    hear(&mut two, "done").await;
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let house = house(8, endless()).await;
    let mut stream = house.connect().await;
    say(&mut stream, "GET / HTTP/1.1\r\nHost: here\r\n").await;
    let line = format!("X-padding: {}\r\n", "x".repeat(4_000));
    for _ in 0..12 {
        if stream.write_all(line.as_bytes()).await.is_err() {
            break;
        }
    }
    hear(&mut stream, "431").await;
    let mut many = house.connect().await;
    say(&mut many, &format!("GET / HTTP/1.1\r\nHost: here\r\n{}\r\n", "A: b\r\n".repeat(HEADERS_MAX))).await;
    hear(&mut many, "431").await;
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_runs_and_waits_for_nobody_who_idles() {
    let house = house(8, endless()).await;
    let (mut fresh, mut used) = (house.connect().await, house.connect().await);
    greets(&mut used).await;
    let mut busy = house.busy().await;
    house.until_open(3).await;
    house.shutdown.cancel();
    until_closed(&mut fresh).await;
    until_closed(&mut used).await;
    house.gate.add_permits(1);
    hear(&mut busy, "done").await;
    tokio::time::timeout(DEADLINE, house.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(house.address).await.is_err());
}
