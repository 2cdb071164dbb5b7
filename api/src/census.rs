//! What the store holds, asked when somebody scrapes: the ledger's pulse each time, the counts seldom. Every label is a
//! word of ours; a row whose word we do not know is not shown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::attention::AttentionKind;
use domain::hold::HoldReason;
use domain::job::JobKind;
use domain::link::LinkStatus;
use domain::payment::PayableStatus;
use entities::census::Standing;
use entities::{Db, census};
use prometheus::core::Collector;
use prometheus::{Gauge, IntGauge, IntGaugeVec, Opts, Registry};
use queue::{Depth, Ledger, Pulse};
use sea_orm::DbErr;
use tokio::sync::Mutex;

/// A scrape waits no longer than this for the store.
const PATIENCE: Duration = Duration::from_secs(2);
/// Counts are fresh for this long at least.
const COUNTS_REST_MIN: Duration = Duration::from_secs(10);
/// And this many times as long as they took: what is watched must not notice it.
const COUNTS_REST_FACTOR: u32 = 50;

const LIVE_LINKS: [LinkStatus; 2] = [LinkStatus::Queued, LinkStatus::Sent];
const LIVE_PAYABLES: [PayableStatus; 2] = [PayableStatus::Open, PayableStatus::Processing];
/// `channel` as it is stored, and as it is shown.
const CHANNELS: [(&str, &str); 3] = [("sms", "sms"), ("email", "email"), ("*", "every")];

/// The gauges. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Census {
    ledger: LedgerGauges,
    standing: StandingGauges,
    pools: IntGaugeVec,
    taken: IntGaugeVec,
    /// When the counts may be taken again; held while somebody takes them.
    next_counts: Arc<Mutex<Option<Instant>>>,
}

#[derive(Debug, Clone)]
struct LedgerGauges {
    jobs: IntGaugeVec,
    oldest_due: IntGaugeVec,
    clock_skew: Gauge,
}

#[derive(Debug, Clone)]
struct StandingGauges {
    attention: IntGaugeVec,
    holds: IntGaugeVec,
    opt_outs: IntGaugeVec,
    enrolments_paused: IntGauge,
    payables: IntGaugeVec,
    payable_oldest_check: IntGaugeVec,
    links: IntGaugeVec,
    messages_abandoned: IntGauge,
    sends_unknown: IntGauge,
    send_oldest_unknown: IntGauge,
}

impl Census {
    /// # Errors
    /// When a metric of the same name is registered already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let census = Self {
            ledger: LedgerGauges::register(registry)?,
            standing: StandingGauges::register(registry)?,
            pools: words(
                registry,
                "postcall_db_pool_connections",
                "Connections to the store, by pool and state; `max` is the pool's limit.",
                &["pool", "state"],
            )?,
            taken: words(
                registry,
                "postcall_census_timestamp_seconds",
                "When the store last answered the questions behind these gauges, by part.",
                &["part"],
            )?,
            next_counts: Arc::default(),
        };
        for part in ["pulse", "counts"] {
            census.taken.with_label_values(&[part]);
        }
        census.ledger.show_pulse(&Pulse { oldest_due_ms: Vec::new(), clock_skew_ms: 0 });
        census.ledger.show_depth(&[]);
        census.standing.show(&[], 0, 0);
        Ok(census)
    }

    /// Asks the store, and waits for its answer no longer than a scrape may.
    pub(crate) async fn refresh(&self, db: &Db, ledger: &Ledger) {
        self.show_pools(db);
        match tokio::time::timeout(PATIENCE, ledger.pulse()).await {
            Ok(Ok(pulse)) => {
                self.ledger.show_pulse(&pulse);
                self.taken.with_label_values(&["pulse"]).set(ledger.clock().machine_now().seconds());
            }
            Ok(Err(error)) => tracing::warn!(%error, "the ledger cannot be read"),
            Err(_) => tracing::warn!("the ledger was not read in time"),
        }
        // A task of its own: counts that take longer than a scrape go on, and are there for the next one.
        let counting = tokio::spawn(self.clone().count(db.clone(), ledger.clone()));
        let _shown_later = tokio::time::timeout(PATIENCE, counting).await;
    }

    async fn count(self, db: Db, ledger: Ledger) {
        let Ok(mut next) = self.next_counts.try_lock() else {
            return;
        };
        let begun = Instant::now();
        if next.is_some_and(|next| begun < next) {
            return;
        }
        match ask(&db, &ledger).await {
            Ok((depth, standing)) => {
                self.ledger.show_depth(&depth);
                self.standing.show(&standing, dead_of(&depth), ledger.clock().offset_ms());
                self.taken.with_label_values(&["counts"]).set(ledger.clock().machine_now().seconds());
            }
            Err(error) => tracing::warn!(%error, "what stands in the store cannot be counted"),
        }
        *next = Some(Instant::now() + (begun.elapsed() * COUNTS_REST_FACTOR).max(COUNTS_REST_MIN));
    }

    fn show_pools(&self, db: &Db) {
        for pool in db.pools() {
            let used = pool.open.saturating_sub(pool.idle);
            for (state, connections) in [("used", used), ("idle", pool.idle), ("max", pool.max)] {
                self.pools.with_label_values(&[pool.name, state]).set(i64::from(connections));
            }
        }
    }
}

impl LedgerGauges {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let clock_skew = Gauge::new(
            "postcall_clock_skew_seconds",
            "How far the database's clock is from this machine's, whichever is ahead.",
        )?;
        registry.register(Box::new(clock_skew.clone()))?;
        let jobs = "Open jobs in the ledger, by kind and standing.";
        let due = "When the oldest job that nobody has begun became due; 0 when none is due.";
        Ok(Self {
            jobs: words(registry, "postcall_jobs", jobs, &["kind", "standing"])?,
            oldest_due: words(registry, "postcall_job_oldest_due_timestamp_seconds", due, &["kind"])?,
            clock_skew,
        })
    }

    fn show_pulse(&self, pulse: &Pulse) {
        self.clock_skew.set(Duration::from_millis(pulse.clock_skew_ms).as_secs_f64());
        for kind in JobKind::ALL {
            let due = pulse.oldest_due_ms.iter().find(|(of, _)| of == kind);
            let due_s = due.map_or(0, |(_, due_ms)| due_ms / 1_000);
            self.oldest_due.with_label_values(&[kind.word()]).set(due_s);
        }
    }

    fn show_depth(&self, depths: &[Depth]) {
        for kind in JobKind::ALL {
            for standing in queue::Standing::ALL {
                let alike = depths.iter().filter(|depth| depth.kind == *kind && depth.standing == *standing);
                let jobs = alike.map(|depth| depth.jobs).sum();
                self.jobs.with_label_values(&[kind.word(), standing.word()]).set(jobs);
            }
        }
    }
}

impl StandingGauges {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let word = |name: &str, help: &str, label: &str| words(registry, name, help, &[label]);
        let paused = "Invoices in a call campaign about which nobody is called for now.";
        let checked = "When the payable that waits longest was last asked about at Stripe; 0 without one.";
        let abandoned = "Messages that wait although the job that sends them is dead.";
        let unknown = "Sends past their deadline whose outcome is still looked for.";
        let oldest = "When the oldest of the sends with an unknown outcome began; 0 without one.";
        Ok(Self {
            attention: word("postcall_attention_items", "Items that wait for a person, by kind.", "kind")?,
            holds: word("postcall_holds_open", "Invoices' open holds, by reason.", "reason")?,
            opt_outs: word("postcall_opt_outs", "Standing opt-outs, by channel.", "channel")?,
            enrolments_paused: number(registry, "postcall_enrolments_paused", paused)?,
            payables: word("postcall_payables", "Payables whose end is not known yet, by status.", "status")?,
            payable_oldest_check: word("postcall_payable_oldest_check_timestamp_seconds", checked, "status")?,
            links: word("postcall_links", "Live pay links, by status.", "status")?,
            messages_abandoned: number(registry, "postcall_messages_abandoned", abandoned)?,
            sends_unknown: number(registry, "postcall_sends_unknown", unknown)?,
            send_oldest_unknown: number(registry, "postcall_send_oldest_unknown_timestamp_seconds", oldest)?,
        })
    }

    fn show(&self, standing: &[Standing], dead_jobs: i64, offset_ms: i64) {
        let find = |what: &str, word: &str| standing.iter().find(|one| one.what == what && one.word == word);
        let amount = |what: &str, word: &str| find(what, word).map_or(0, |one| one.amount);
        // Business time, as the machine's clock would have said it.
        let oldest_s = |what: &str, word: &str| {
            let oldest_ms = find(what, word).and_then(|one| one.oldest_ms);
            oldest_ms.map_or(0, |oldest_ms| oldest_ms.saturating_sub(offset_ms) / 1_000)
        };
        for kind in AttentionKind::ALL {
            let waiting = match kind {
                // Shown on the list as what they are, and stored only as that.
                AttentionKind::OnHold => {
                    HoldReason::ALL.iter().map(|reason| amount("hold", reason.word())).sum()
                }
                AttentionKind::DeadJob => dead_jobs,
                AttentionKind::NeedsContact
                | AttentionKind::UnknownSend
                | AttentionKind::ProbableOptOut
                | AttentionKind::PaymentConflict
                | AttentionKind::UnmatchedEvent => amount("attention", kind.word()),
            };
            self.attention.with_label_values(&[kind.word()]).set(waiting);
        }
        for reason in HoldReason::ALL {
            self.holds.with_label_values(&[reason.word()]).set(amount("hold", reason.word()));
        }
        for (stored, shown) in CHANNELS {
            self.opt_outs.with_label_values(&[shown]).set(amount("opt_out", stored));
        }
        for status in LIVE_PAYABLES.map(PayableStatus::word) {
            self.payables.with_label_values(&[status]).set(amount("payable", status));
            self.payable_oldest_check.with_label_values(&[status]).set(oldest_s("payable", status));
        }
        for status in LIVE_LINKS.map(LinkStatus::word) {
            self.links.with_label_values(&[status]).set(amount("link", status));
        }
        self.enrolments_paused.set(amount("enrolment", "paused"));
        self.messages_abandoned.set(amount("message", "abandoned"));
        self.sends_unknown.set(amount("send", "unknown"));
        self.send_oldest_unknown.set(oldest_s("send", "unknown"));
    }
}

fn dead_of(depths: &[Depth]) -> i64 {
    let dead = depths.iter().filter(|depth| depth.standing == queue::Standing::Dead);
    dead.map(|depth| depth.jobs).sum()
}

async fn ask(db: &Db, ledger: &Ledger) -> Result<(Vec<Depth>, Vec<Standing>), DbErr> {
    let depth = ledger.depth().await?;
    let standing = census::take(&db.read, ledger.clock().now()).await?;
    Ok((depth, standing))
}

fn words(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
    let collector: Box<dyn Collector> = Box::new(gauge.clone());
    registry.register(collector)?;
    Ok(gauge)
}

fn number(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    let gauge = IntGauge::new(name, help)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}
