//! Two processes on one store: what one announces, the other hears.

use std::str::FromStr;
use std::time::{Duration, Instant};

use domain::id::{InvoiceId, MerchantId, TimelineEntryId};
use domain::job::{Change, Outbox};
use domain::timeline::TimelineKind;
use queue::{Clock, Ledger, Live, Metrics, Redis, Wake};
use sea_orm::SqlxSqliteConnector;
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;

pub(crate) struct Pair {
    tells: Ledger,
    hears: Ledger,
    heard: Receiver<Change>,
    said: u8,
    shutdown: CancellationToken,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn process(url: &str, shutdown: &CancellationToken) -> Ledger {
    let options = sqlx::sqlite::SqliteConnectOptions::from_str("sqlite::memory:").unwrap();
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let db = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
    let live = Live::default();
    let wake = Wake::through(Redis::at(url).unwrap(), &live, shutdown);
    let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
    Ledger::new(db.clone(), db, Clock::default(), wake, live, metrics)
}

impl Pair {
    pub(crate) async fn through(url: &str) -> Self {
        let shutdown = CancellationToken::new();
        let (tells, hears) = (process(url, &shutdown).await, process(url, &shutdown).await);
        let heard = hears.live().subscribe();
        Self { tells, hears, heard, said: 0, shutdown }
    }

    /// Both know whether Redis is there; how long that took.
    pub(crate) async fn until_connected(&self, connected: bool, within: Duration) -> Duration {
        let begun = Instant::now();
        let known = |ledger: &Ledger| ledger.wake().redis_connected() == Some(connected);
        while !(known(&self.tells) && known(&self.hears)) {
            assert!(begun.elapsed() < within, "not {connected} within {within:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    }

    /// The next thing said from here on that gets through does so in time; how long that took.
    pub(crate) async fn until_heard(&mut self, within: Duration) -> Duration {
        let begun = Instant::now();
        self.said += 1;
        let entry_id = TimelineEntryId::random([self.said; 16]);
        let change = Change {
            merchant_id: MerchantId::random([1; 16]),
            invoice_id: InvoiceId::random([2; 16]),
            entry_id: entry_id.clone(),
            kind: TimelineKind::LinkIssued,
        };
        loop {
            self.tells.announce(&Outbox { jobs: Vec::new(), changes: vec![change.clone()] });
            let next = tokio::time::timeout(Duration::from_millis(100), self.heard.recv()).await;
            if matches!(next, Ok(Ok(heard)) if heard.entry_id == entry_id) {
                break;
            }
            assert!(begun.elapsed() < within, "nothing was heard within {within:?}");
        }
        self.until_connected(true, within).await;
        begun.elapsed()
    }
}
