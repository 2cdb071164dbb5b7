//! HTTP listeners whose doors can be shut and whose wires can be cut: the wire is part of the simulation.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::Error;

/// One HTTP server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    door: Door,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on `wanted` (port 0: any) and serves `routes`; whoever holds `door` can shut it.
    pub(crate) async fn start(wanted: SocketAddr, door: Door, routes: Router) -> Result<Self, Error> {
        let port = wanted.port();
        let bound = TcpListener::bind(wanted).await;
        let listener = bound.map_err(|source| Error::Listen { port, source })?;
        let address = listener.local_addr().map_err(|source| Error::Listen { port, source })?;
        let doorway = Doorway {
            address,
            listener: Some(listener),
            open: door.open.subscribe(),
            wires: Arc::clone(&door.wires),
        };
        let service = routes.into_make_service_with_connect_info::<Wire>();
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(doorway, service).await {
                tracing::error!(%error, "a stand-in stopped serving");
            }
        });
        Ok(Self { address, door, task })
    }

    /// `http://address:port`, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening and cuts what is still connected.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        // Its end is what is waited for; that it was aborted is no news.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.door.cut_all();
    }
}

/// Shuts and opens a server's port.
#[derive(Clone, Debug)]
pub struct Door {
    open: Arc<watch::Sender<bool>>,
    wires: Arc<Mutex<Vec<Weak<WireState>>>>,
}

impl Door {
    pub(crate) fn new() -> Self {
        Self { open: Arc::new(watch::channel(true).0), wires: Arc::default() }
    }

    /// Refuses connections from now on, and cuts the ones there are.
    pub fn shut(&self) {
        self.open.send_replace(false);
        self.cut_all();
    }

    /// Listens again, on the same port.
    pub fn reopen(&self) {
        self.open.send_replace(true);
    }

    fn cut_all(&self) {
        let wires = std::mem::take(&mut *self.wires.lock().unwrap_or_else(PoisonError::into_inner));
        for wire in wires.iter().filter_map(Weak::upgrade) {
            wire.cut();
        }
    }
}

struct Doorway {
    address: SocketAddr,
    listener: Option<TcpListener>,
    open: watch::Receiver<bool>,
    wires: Arc<Mutex<Vec<Weak<WireState>>>>,
}

impl Doorway {
    fn admit(&self, stream: TcpStream) -> (WireIo, Wire) {
        // Answers are small; waiting for more to send would show up as latency of the product.
        let _ = stream.set_nodelay(true);
        let state = Arc::new(WireState::default());
        let mut wires = self.wires.lock().unwrap_or_else(PoisonError::into_inner);
        wires.retain(|wire| wire.strong_count() > 0);
        wires.push(Arc::downgrade(&state));
        (WireIo { stream, state: Arc::clone(&state) }, Wire(state))
    }
}

impl Listener for Doorway {
    type Io = WireIo;
    type Addr = Wire;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if !*self.open.borrow_and_update() {
                self.listener = None;
                if self.open.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let Some(listener) = &self.listener else {
                self.listener = TcpListener::bind(self.address).await.ok();
                if self.listener.is_none() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                continue;
            };
            let arrived = tokio::select! {
                arrived = listener.accept() => arrived,
                changed = self.open.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => std::future::pending().await,
                },
            };
            match arrived {
                Ok((stream, _)) => return self.admit(stream),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Wire(Arc::new(WireState::default())))
    }
}

/// The connection a request came on.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<WireState>);

impl Wire {
    /// Ends the connection without another byte.
    pub(crate) fn cut(&self) {
        self.0.cut();
    }

    /// Lets `bytes` more through, head included, and then cuts.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.0.budget.store(bytes, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Doorway>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Doorway>) -> Self {
        stream.remote_addr().clone()
    }
}

#[derive(Debug)]
struct WireState {
    severed: AtomicBool,
    budget: AtomicUsize,
    reader: AtomicWaker,
}

impl Default for WireState {
    fn default() -> Self {
        Self {
            severed: AtomicBool::new(false),
            budget: AtomicUsize::new(usize::MAX),
            reader: AtomicWaker::new(),
        }
    }
}

impl WireState {
    fn cut(&self) {
        self.severed.store(true, Ordering::SeqCst);
        self.reader.wake();
    }

    fn is_severed(&self) -> bool {
        self.severed.load(Ordering::SeqCst)
    }
}

struct WireIo {
    stream: TcpStream,
    state: Arc<WireState>,
}

fn severed() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

impl AsyncRead for WireIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.state.reader.register(cx.waker());
        if self.state.is_severed() {
            return Poll::Ready(Err(severed()));
        }
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for WireIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let budget = self.state.budget.load(Ordering::SeqCst);
        if self.state.is_severed() || budget == 0 {
            self.state.cut();
            return Poll::Ready(Err(severed()));
        }
        let allowed = &from[..from.len().min(budget)];
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, allowed))?;
        if budget != usize::MAX {
            self.state.budget.store(budget - written, Ordering::SeqCst);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
