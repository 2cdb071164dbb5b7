//! The load and the judge. Every wish is one call about one invoice of one customer with a number or address of their
//! own, so two texts to one number are one too many, and none is a wish lost.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use simulator::call::{Intent, PostCallEvent};
use simulator::carrier::Direction;
use tokio::task::JoinSet;

use crate::site::Site;

/// Rows in one file.
const FILE_ROWS: usize = 20_000;
/// Longer than an unknown send takes to be proven absent.
pub(crate) const PROOF_MS: i64 = 150_000;
/// The platform hangs up after this and reports again.
const REPORT: Duration = Duration::from_secs(10);
/// How long nothing may happen before time is moved on.
const PATIENCE: Duration = Duration::from_secs(25);

/// Every tenth customer has an address and no number.
pub(crate) fn by_email(n: usize) -> bool {
    n % 10 == 9
}

pub(crate) fn phone(n: usize) -> String {
    format!("+1415{:07}", 2_000_000 + n)
}

pub(crate) fn address(n: usize) -> String {
    format!("customer-{n}@example.com")
}

/// What the world says about a site's wishes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Verdict {
    pub(crate) accepted: usize,
    /// Accepted, and neither said to the customer nor visible to a person.
    pub(crate) lost: Vec<usize>,
    /// Texts and mails beyond the first for one wish.
    pub(crate) repeated: usize,
    /// On the attention list.
    pub(crate) surfaced: usize,
    /// Of these, wishes that never reached the customer.
    pub(crate) unsaid: usize,
}

impl Site {
    /// Customers and invoices, as a merchant uploads them.
    pub(crate) async fn import(&self, numbers: Range<usize>) -> Result<()> {
        let all: Vec<usize> = numbers.collect();
        for part in all.chunks(FILE_ROWS) {
            let mut file =
                "number,currency,total_minor,due_on,customer_name,customer_phone,customer_line_type,\
                 customer_email,customer_locale,customer_time_zone\n"
                    .to_owned();
            for n in part {
                let (phone, line, email) = if by_email(*n) {
                    (String::new(), "", address(*n))
                } else {
                    (phone(*n), "mobile", String::new())
                };
                file.push_str(&format!(
                    "INV-{n},USD,18500,2026-12-24,Maya,{phone},{line},{email},en-US,America/New_York\n"
                ));
            }
            let request = self
                .http
                .post(format!("{}/v1/invoices/import", self.public_url))
                .bearer_auth(&self.key)
                .timeout(Duration::from_secs(300))
                .header("content-type", "text/csv")
                .body(file);
            let report: Value = request.send().await?.error_for_status()?.json().await?;
            ensure!(report["created"] == part.len(), "not everything was imported: {report}");
        }
        Ok(())
    }

    pub(crate) fn event(&self, n: usize) -> PostCallEvent {
        let now_ms = self.world.clock().now_ms();
        let event = PostCallEvent::new(
            &format!("call {n}"),
            &self.merchant_id,
            &format!("INV-{n}"),
            Intent::SendLink,
            now_ms,
        );
        if by_email(n) {
            event.set("/outcome/preferred_channel", Value::Null)
        } else {
            event.phone(&phone(n))
        }
    }

    /// Reports a call once; whether it was answered 2xx.
    pub(crate) async fn report(&self, n: usize) -> bool {
        let event = self.event(n);
        let reported = self.world.dialer().report(&self.calls, &event);
        let answer = tokio::time::timeout(REPORT, reported).await;
        answer.is_ok_and(|receipt| receipt.is_ok_and(|receipt| (200..300).contains(&receipt.status)))
    }

    /// Reports a call until it is answered 2xx, as a platform does.
    pub(crate) async fn insist(&self, n: usize) {
        while !self.report(n).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reports these calls, so many at a time.
    pub(crate) async fn insist_on(self: &Arc<Self>, numbers: Range<usize>, at_once: usize) {
        let load = Load::start(self, numbers, at_once, Duration::ZERO);
        load.finished().await;
    }

    /// How often each number and address was written to.
    pub(crate) fn said(&self) -> HashMap<String, usize> {
        let mut said: HashMap<String, usize> = HashMap::new();
        self.world.carrier().texts().read(|all| {
            for text in all.iter().filter(|text| text.direction == Direction::Outbound) {
                *said.entry(text.to.clone()).or_default() += 1;
            }
        });
        self.world.mailbox().emails().read(|all| {
            for to in all.iter().flat_map(|email| &email.to) {
                *said.entry(to.clone()).or_default() += 1;
            }
        });
        said
    }

    fn unsaid(&self, wishes: usize) -> usize {
        let said = self.said();
        (0..wishes).filter(|n| !said.contains_key(&contact(*n))).count()
    }

    /// Waits until each of the first `wishes` was said, nothing is left to do at this time, or nothing has happened for
    /// a while.
    pub(crate) async fn said_or_still(&self, wishes: usize) {
        let (mut left, mut changed) = (usize::MAX, Instant::now());
        while changed.elapsed() < PATIENCE {
            let now = self.unsaid(wishes);
            if now == 0 || matches!(self.jobs_due().await, Ok(0)) {
                return;
            }
            if now != left {
                (left, changed) = (now, Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until no job is due or in work.
    pub(crate) async fn quiet(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let due = self.jobs_due().await?;
            if due == 0 {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{due} jobs are still due after 120 s");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Lets what was interrupted come to its end: leases end, unknown sends are looked up, absent ones repeated; twice,
    /// so that a build that says something once too often has its chance.
    pub(crate) async fn settle(&self, wishes: usize) -> Result<usize> {
        self.world.carrier().clear_script();
        self.world.mailbox().clear_faults();
        self.world.stripe().clear_faults();
        let mut buried = 0;
        self.said_or_still(wishes).await;
        for _ in 0..2 {
            self.pass_time(PROOF_MS).await?;
            buried += self.redrive().await?;
            self.said_or_still(wishes).await;
            self.quiet().await?;
        }
        Ok(buried)
    }

    /// What an operator does with dead jobs: tries them again.
    async fn redrive(&self) -> Result<usize> {
        let dead = self.list("/v1/jobs/dead").await?;
        for job in &dead {
            let id = job["id"].as_str().unwrap_or_default();
            self.post(&format!("/v1/jobs/{id}/redrive"), &json!({})).await?;
        }
        Ok(dead.len())
    }

    /// Asks the carrier, the mailbox and the attention list about the first `wishes`.
    pub(crate) async fn judge(&self, wishes: usize) -> Result<Verdict> {
        let said = self.said();
        let attention = self.list("/v1/attention").await?;
        let mut verdict = Verdict { accepted: wishes, surfaced: attention.len(), ..Verdict::default() };
        verdict.repeated = said.values().map(|times| times - 1).sum();
        let unsaid: Vec<usize> = (0..wishes).filter(|n| !said.contains_key(&contact(*n))).collect();
        if unsaid.is_empty() {
            return Ok(verdict);
        }
        let mut listed = Vec::new();
        for item in &attention {
            let Some(invoice_id) = item["invoice_id"].as_str() else { continue };
            let invoice = self.get(&format!("/v1/invoices/{invoice_id}")).await?;
            listed.push(invoice["number"].as_str().unwrap_or_default().to_owned());
        }
        verdict.unsaid = unsaid.len();
        verdict.lost = unsaid.into_iter().filter(|n| !listed.contains(&format!("INV-{n}"))).collect();
        Ok(verdict)
    }

    /// Waits for a text from now on, and no longer than this.
    pub(crate) async fn next_text(&self, patience: Duration) {
        let texts = self.world.carrier().texts();
        let before = texts.len();
        let _none_in_time = texts.wait_until(patience, |all| (all.len() > before).then_some(())).await;
    }

    /// Waits until the carrier hears the next wish to send, written to its end or not.
    pub(crate) async fn next_request(&self) {
        let requests = self.world.carrier().requests();
        let before = requests.len();
        let _none_in_time = requests.wait_until(PATIENCE, |all| (all.len() > before).then_some(())).await;
    }

    /// How long after each of these moments of the world's monotonic clock the next text was taken. Of several moments
    /// without a text between them the last counts.
    pub(crate) fn recoveries(&self, moments_us: &[i64]) -> Vec<Duration> {
        let mut texts_us: Vec<i64> =
            self.world.carrier().texts().read(|all| all.iter().map(|text| text.received_at_us).collect());
        texts_us.sort_unstable();
        let now_us = self.world.clock().monotonic_us();
        let mut recoveries = Vec::new();
        for (place, moment_us) in moments_us.iter().enumerate() {
            let next_us = texts_us.iter().copied().find(|at_us| at_us > moment_us).unwrap_or(now_us);
            if moments_us.get(place + 1).is_none_or(|later_us| *later_us > next_us) {
                recoveries.push(Duration::from_micros(u64::try_from(next_us - moment_us).unwrap_or(0)));
            }
        }
        recoveries
    }
}

fn contact(n: usize) -> String {
    if by_email(n) { address(n) } else { phone(n) }
}

/// Calls being reported, each until it is answered 2xx.
pub(crate) struct Load {
    reporters: JoinSet<()>,
    next: Arc<AtomicUsize>,
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    end: usize,
}

impl Load {
    /// `at_once` platforms report calls, each with a pause after every one.
    pub(crate) fn start(site: &Arc<Site>, numbers: Range<usize>, at_once: usize, pause: Duration) -> Self {
        let next = Arc::new(AtomicUsize::new(numbers.start));
        let (answered, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut reporters = JoinSet::new();
        for _ in 0..at_once {
            let (site, end) = (Arc::clone(site), numbers.end);
            let (next, answered, stop) = (Arc::clone(&next), Arc::clone(&answered), Arc::clone(&stop));
            reporters.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= end {
                        return;
                    }
                    site.insist(n).await;
                    answered.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(pause).await;
                }
            });
        }
        Self { reporters, next, answered, stop, end: numbers.end }
    }

    /// Waits until another call is answered 2xx: the product is at work.
    pub(crate) async fn goes_on(&self) {
        let (before, begun) = (self.answered.load(Ordering::SeqCst), Instant::now());
        while self.answered.load(Ordering::SeqCst) == before && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// No further calls; waits until those begun are answered. How many wishes there are now.
    pub(crate) async fn stop(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.finished().await
    }

    /// Waits until all calls are answered.
    pub(crate) async fn finished(mut self) -> usize {
        while self.reporters.join_next().await.is_some() {}
        self.next.load(Ordering::SeqCst).min(self.end)
    }
}
