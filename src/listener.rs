//! The listeners: HTTP/1.1 with a bound on everything a client can hold or drag out. Whoever sends its request slowly,
//! reads its answer slowly or keeps a connection for nothing is hung up on after a while, and at once when all seats
//! are taken and somebody else wants one.

mod seats;
mod watched;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

pub use seats::Patience;
use seats::{Seat, Seats};
use watched::{WatchedBody, WatchedStream};

/// The head of a request, and what is read of its body at once, in bytes.
const BUFFER_BYTES: usize = 32 * 1024;
const HEADERS_MAX: usize = 64;
/// How often it is looked who takes too long.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// While the machine has no descriptors or memory for another connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What the listeners of a process saw.
#[derive(Debug, Clone)]
pub struct ListenerMetrics {
    connections: IntGaugeVec,
    hung_up: IntCounterVec,
    refused: IntCounterVec,
}

impl ListenerMetrics {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let connections = Opts::new("postcall_http_connections", "Open connections, by listener.");
        let hung_up = Opts::new(
            "postcall_http_hung_up_total",
            "Connections closed on a client that was slow, idle, or in the way of another, by listener and reason.",
        );
        let refused = Opts::new(
            "postcall_http_accept_errors_total",
            "Times no connection could be accepted for want of descriptors or memory, by listener.",
        );
        let metrics = Self {
            connections: IntGaugeVec::new(connections, &["listener"])?,
            hung_up: IntCounterVec::new(hung_up, &["listener", "reason"])?,
            refused: IntCounterVec::new(refused, &["listener"])?,
        };
        registry.register(Box::new(metrics.connections.clone()))?;
        registry.register(Box::new(metrics.hung_up.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        Ok(metrics)
    }
}

/// One listener.
pub struct Listener {
    /// `public` or `private`, for its metrics.
    pub name: &'static str,
    pub socket: TcpListener,
    pub router: Router,
    /// Connections at once. Past it the one that has waited longest for its client is closed.
    pub connections_max: usize,
    pub patience: Patience,
    pub metrics: ListenerMetrics,
}

impl Listener {
    /// Serves until `shutdown`; then closes what is idle, finishes what runs, and returns.
    pub async fn serve(self, shutdown: CancellationToken) {
        let seats = Arc::new(Seats::new(self.name, self.connections_max, self.patience, &self.metrics));
        let connections = TaskTracker::new();
        let ended = CancellationToken::new();
        let sweeper = tokio::spawn(sweep(Arc::clone(&seats), ended.clone()));
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Some(seat) = seats.take() else { continue };
                    let served = connection(stream, peer, self.router.clone(), seat, shutdown.clone());
                    connections.spawn(served);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of descriptors or memory. The listener must outlive it: make room, wait, go on.
                    tracing::error!(%error, listener = self.name, "no connection could be accepted");
                    self.metrics.refused.with_label_values(&[self.name]).inc();
                    seats.make_room();
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
        drop(self.socket);
        connections.close();
        connections.wait().await;
        ended.cancel();
        let _ended_at_its_token = sweeper.await;
    }
}

/// The one connection is gone; the next may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

async fn sweep(seats: Arc<Seats>, ended: CancellationToken) {
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = ended.cancelled() => return,
            _ = tick.tick() => seats.hang_up_on_the_slow(),
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    seat: Arc<Seat>,
    shutdown: CancellationToken,
) {
    // Answers are small and written whole: waiting for more to fill a packet only delays them.
    let _a_socket_that_is_gone_says_so_when_read = stream.set_nodelay(true);
    let serving = Arc::clone(&seat);
    let service = service_fn(move |request| answer(router.clone(), Arc::clone(&serving), peer, request));
    let io = TokioIo::new(WatchedStream::new(stream, Arc::clone(&seat)));
    let mut http = http1::Builder::new();
    // Time is kept by the seat, which can tell an idle connection from a slow head.
    http.header_read_timeout(None).max_buf_size(BUFFER_BYTES).max_headers(HEADERS_MAX);
    let mut serving = pin!(http.serve_connection(io, service));
    tokio::select! {
        // What a client does to its connection is no error of ours.
        _ended = serving.as_mut() => return,
        () = seat.hung_up() => return,
        () = shutdown.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ended = serving => {}
        () = seat.hung_up() => {}
    }
}

async fn answer(
    mut router: Router,
    seat: Arc<Seat>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    seat.works();
    let mut request = request.map(|body| Body::new(WatchedBody::new(body, Arc::clone(&seat))));
    request.extensions_mut().insert(ConnectInfo(peer));
    // A router is always ready.
    let response = router.call(request).await?;
    let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    if kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) {
        seat.streams();
    } else {
        seat.answers();
    }
    Ok(response)
}

/// Raises the limit of open files as far as the system lets us, and says how far that is.
pub fn raise_file_limit() -> u64 {
    // As Go's runtime does: the low default is for programs that use select(2).
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1_024)
}

#[cfg(test)]
mod tests;
