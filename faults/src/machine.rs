//! What the whole run shares: the binary, the servers, the seed, and how much of everything.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::oneshot;
use xtask::services::{Directory, Postgres, Redis};

type Order<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A server on a thread of its own, which stays: the kernel ends the server when the thread that started it ends.
pub(crate) struct Server<T> {
    orders: mpsc::Sender<Order<T>>,
    pub(crate) url: String,
}

impl<T: 'static> Server<T> {
    async fn start(
        make: impl FnOnce() -> Result<T> + Send + 'static,
        url: impl FnOnce(&T) -> String + Send + 'static,
    ) -> Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order<T>>();
        let (ready, started) = oneshot::channel();
        std::thread::spawn(move || {
            let mut server = match make() {
                Ok(server) => server,
                Err(error) => return drop(ready.send(Err(error))),
            };
            if ready.send(Ok(url(&server))).is_ok() {
                inbox.iter().for_each(|order| order(&mut server));
            }
        });
        let url = started.await.context("a server's thread ended")??;
        Ok(Self { orders, url })
    }

    /// Does something with the server, on its thread.
    pub(crate) async fn order<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut T) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (reply, answer) = oneshot::channel();
        let order: Order<T> = Box::new(move |server| drop(reply.send(act(server))));
        self.orders.send(order).ok().context("a server's thread ended")?;
        answer.await.context("a server's thread ended")?
    }
}

pub(crate) type Cluster = Server<Postgres>;
pub(crate) type Cache = Server<Redis>;

pub(crate) struct Machine {
    pub(crate) binary: PathBuf,
    /// Where the products' logs go, when anybody wants them.
    pub(crate) logs: Option<PathBuf>,
    pub(crate) seed: u64,
    pub(crate) short: bool,
    pub(crate) minutes: u64,
    /// For every class that does not hurt its servers.
    pub(crate) postgres: Cluster,
    pub(crate) redis: Cache,
    folder: Directory,
    names: AtomicU64,
}

impl Machine {
    pub(crate) async fn start(
        binary: PathBuf,
        logs: Option<PathBuf>,
        seed: u64,
        short: bool,
        minutes: u64,
    ) -> Result<Self> {
        let folder = Directory::create()?;
        let names = AtomicU64::new(0);
        let (postgres, redis) = tokio::try_join!(cluster(&folder, &names), cache(&folder, &names))?;
        Ok(Self { binary, logs, seed, short, minutes, postgres, redis, folder, names })
    }

    /// A cluster that may be hurt.
    pub(crate) async fn own_cluster(&self) -> Result<Cluster> {
        cluster(&self.folder, &self.names).await
    }

    /// A Redis that may be hurt.
    pub(crate) async fn own_cache(&self) -> Result<Cache> {
        cache(&self.folder, &self.names).await
    }

    /// A fresh directory.
    pub(crate) fn room(&self) -> Result<PathBuf> {
        room(&self.folder, &self.names)
    }

    /// Randomness that is the same for the same seed and purpose.
    pub(crate) fn rng(&self, purpose: &str) -> StdRng {
        let mixed = purpose
            .bytes()
            .fold(self.seed, |seed, byte| seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        StdRng::seed_from_u64(mixed)
    }

    /// So many in a short run, so many in a full one.
    pub(crate) fn many(&self, short: usize, full: usize) -> usize {
        if self.short { short } else { full }
    }
}

fn room(folder: &Directory, names: &AtomicU64) -> Result<PathBuf> {
    let path = folder.path.join(format!("room-{}", names.fetch_add(1, Ordering::Relaxed)));
    std::fs::create_dir(&path).with_context(|| format!("{} could not be made", path.display()))?;
    Ok(path)
}

async fn cluster(folder: &Directory, names: &AtomicU64) -> Result<Cluster> {
    let room = room(folder, names)?;
    Server::start(move || Postgres::start(&room), Postgres::url).await
}

async fn cache(folder: &Directory, names: &AtomicU64) -> Result<Cache> {
    let room = room(folder, names)?;
    Server::start(move || Redis::start(&room), Redis::url).await
}
