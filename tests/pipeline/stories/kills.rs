//! The process dies at every named step and is started again; the outside world repeats what it would repeat.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use domain::time::MINUTE_MS;
use futures::StreamExt;
use simulator::call::Intent;
use simulator::people::{Attempt, Card, Customer};

use crate::child::ChildProduct;
use crate::stage::{Invoice, Stage, Store, pay_link};

const MAYA: &str = "+14155550101";
const ROSA: &str = "+14155550102";
/// For one whole story, kill, expired lease and look-up included.
const STORY_PATIENCE: Duration = Duration::from_secs(240);
/// Stories at a time: most of each is waiting for a lease to end.
const AT_ONCE: usize = 6;

pub(crate) async fn at_every_step(store: fn() -> Store) {
    futures::stream::iter(queue::failpoint::STEPS)
        .map(|step| story(store(), step))
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<()>>()
        .await;
}

pub(crate) async fn at_every_step_on_postgres() {
    let stories = futures::stream::iter(queue::failpoint::STEPS)
        .map(|step| async move { story(Store::postgres().await.unwrap(), step).await });
    stories.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Maya pays; Rosa asks a question.
struct Play {
    stage: Stage,
    child: ChildProduct,
    kills: u32,
    maya: Invoice,
    rosa: Invoice,
    customer: Customer,
    reported: bool,
    paid: bool,
    asked: bool,
}

async fn story(store: Store, step: &str) {
    let begun = Instant::now();
    let mut play = Play::begin(store, step).await;
    while !play.over() {
        assert!(begun.elapsed() < STORY_PATIENCE, "killed at {step}: {}", play.standing());
        play.revive().await;
        play.go_on().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    eprintln!(
        "killed at {step:<26} {} time(s), the story took {:>6} ms",
        play.kills,
        begun.elapsed().as_millis()
    );
    play.judge(step).await;
}

impl Play {
    async fn begin(store: Store, step: &str) -> Self {
        let mut stage = Stage::set_without_product(store).await;
        let mut child = ChildProduct::start("serve", &stage.config, stage.clock.offset_ms(), None);
        child.listening(&stage.config.listen).await;
        stage.furnish().await;
        let maya = stage.invoice(Some(MAYA), Some("maya@example.com")).await;
        let rosa = stage.invoice(Some(ROSA), None).await;
        child.kill().await;
        let mut child = ChildProduct::start("serve", &stage.config, stage.clock.offset_ms(), Some(step));
        child.listening(&stage.config.listen).await;
        Self {
            stage,
            child,
            kills: 0,
            maya,
            rosa,
            customer: Customer::new().unwrap(),
            reported: false,
            paid: false,
            asked: false,
        }
    }

    /// Starts the product again when it died, three minutes later: long enough for an unknown send to be proven.
    async fn revive(&mut self) {
        if self.child.ended().is_none() {
            return;
        }
        self.kills += 1;
        self.stage.clock.advance_ms(3 * MINUTE_MS);
        self.child = ChildProduct::start("serve", &self.stage.config, self.stage.clock.offset_ms(), None);
        self.child.listening(&self.stage.config.listen).await;
    }

    /// What platform and people do until it has worked; whatever fails is tried again in the next round.
    async fn go_on(&mut self) {
        if !self.reported {
            self.reported =
                self.report("call m", &self.maya).await && self.report("call r", &self.rosa).await;
        }
        if !self.paid
            && let Some(link) = self.link_of(MAYA)
        {
            self.paid = self.pay(&link).await;
        }
        if !self.asked
            && let Some(link) = self.link_of(ROSA)
        {
            let answer =
                Customer::new().unwrap().ask_question(&link, "Was this not paid in September?").await;
            self.asked = answer.is_ok_and(|page| page.status == 201);
        }
    }

    async fn report(&self, call_id: &str, invoice: &Invoice) -> bool {
        let event = self.stage.event(invoice, call_id, Intent::SendLink);
        let receipt = self.stage.world.dialer().report(&self.stage.calls, &event).await;
        receipt.is_ok_and(|receipt| (200..300).contains(&receipt.status))
    }

    fn link_of(&self, phone: &str) -> Option<String> {
        self.stage.world.carrier().accepted_to(phone).first().map(|text| pay_link(&text.body))
    }

    /// Presses Pay until the page says that it is paid.
    async fn pay(&mut self, link: &str) -> bool {
        let Ok(page) = self.customer.open(link).await else {
            return false;
        };
        if page.status == 200 && page.pay_config().is_err() {
            return true;
        }
        matches!(self.customer.pay(link, &Card::good()).await, Ok(Attempt::Paid(_)))
    }

    /// Mails with an identity of their own: one that was in flight while the process died is repeated under the same.
    fn receipts(&self) -> usize {
        let emails = self.stage.world.mailbox().emails_to("maya@example.com");
        let identities: HashSet<&str> =
            emails.iter().filter_map(|email| email.message_id.as_deref()).collect();
        identities.len()
    }

    fn over(&mut self) -> bool {
        let alive = self.child.ended().is_none();
        alive
            && self.paid
            && self.asked
            && self.receipts() > 0
            && self.stage.world.dialer().is_paused(&self.rosa.id)
    }

    fn standing(&self) -> String {
        format!(
            "kills {}, reported {}, paid {}, asked {}, receipts {}, paused {}",
            self.kills,
            self.reported,
            self.paid,
            self.asked,
            self.receipts(),
            self.stage.world.dialer().is_paused(&self.rosa.id)
        )
    }

    async fn judge(self, step: &str) {
        assert_eq!(self.kills, 1, "{step} was never reached: the story does not pass there");
        let (stage, carrier) = (&self.stage, self.stage.world.carrier());
        stage
            .until("the dialer's answer is kept", async || {
                stage
                    .texts_of("SELECT id AS text FROM enrolments WHERE told_revision > acknowledged_revision")
                    .await
                    .is_empty()
            })
            .await;
        stage.quiet().await;
        let receipts = self.receipts();
        assert!(self.child.terminate().await.success());
        assert_eq!(carrier.accepted_to(MAYA).len(), 1, "killed at {step}: texts to Maya");
        assert_eq!(carrier.accepted_to(ROSA).len(), 1, "killed at {step}: texts to Rosa");
        let charges: usize =
            stage.world.stripe().payment_views().iter().map(|payment| payment.charges_succeeded).sum();
        assert_eq!(charges, 1, "killed at {step}: charges");
        assert_eq!(receipts, 1, "killed at {step}: receipts");
        assert_eq!(stage.texts_of("SELECT status AS text FROM payments").await, ["succeeded"]);
        assert_eq!(stage.texts_of("SELECT id AS text FROM holds").await.len(), 1, "killed at {step}: holds");
        let (maya, rosa) = (&self.maya.id, &self.rosa.id);
        assert_eq!(
            stage.texts_of(&format!("SELECT status AS text FROM invoices WHERE id = '{maya}'")).await,
            ["paid"]
        );
        assert_eq!(
            stage.texts_of(&format!("SELECT status AS text FROM invoices WHERE id = '{rosa}'")).await,
            ["open"]
        );
        self.stage.finish().await;
    }
}
