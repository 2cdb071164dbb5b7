//! The caps on texts of a day, per merchant and per number. They hold exactly, whatever asked for the texts and however many
//! processes send: while all that was asked for is within a cap nobody has to look closer; beyond it the merchant's row is
//! locked, and only what was begun counts.

use std::collections::HashMap;

use domain::channel::Channel;
use domain::time::{DAY_MS, Timestamp};
use entities::message::{Counted, Texts};
use entities::{merchant, message, send_attempt};
use sea_orm::{ConnectionTrait, DbErr};

/// The place of every text of a batch among those that were begun in the 24 hours up to now, itself included. A text that
/// has none is within its caps.
#[derive(Debug, Default)]
pub(crate) struct Places(HashMap<String, Place>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub of_merchant: i64,
    pub of_number: i64,
}

/// Merchant and number; no number for all of them.
type Whose = (String, Option<String>);
type Counts = HashMap<Whose, i64>;

impl Places {
    pub(crate) async fn load<C: ConnectionTrait>(
        tx: &C,
        merchants: &[merchant::Model],
        messages: &[message::Model],
        attempts: &HashMap<String, Vec<send_attempt::Model>>,
        now: Timestamp,
    ) -> Result<Self, DbErr> {
        let texts: Vec<&message::Model> =
            messages.iter().filter(|message| message.channel.0 == Channel::Sms).collect();
        if texts.is_empty() {
            return Ok(Self::default());
        }
        let all: Vec<String> = merchants.iter().map(|merchant| merchant.id.to_string()).collect();
        let asked = counts(tx, &all, &texts, Counted::Asked, now).await?;
        let is_beyond = |merchant: &&merchant::Model| {
            let mut of_it = texts.iter().filter(|text| text.merchant_id == merchant.id);
            of_it.any(|text| {
                count(&asked, text, false) > merchant.texts_per_day_max
                    || count(&asked, text, true) > merchant.texts_per_number_per_day_max
            })
        };
        let beyond: Vec<String> =
            merchants.iter().filter(is_beyond).map(|merchant| merchant.id.to_string()).collect();
        if beyond.is_empty() {
            return Ok(Self::default());
        }
        merchant::lock_all(tx, &beyond).await?;
        let begun = counts(tx, &beyond, &texts, Counted::Begun, now).await?;
        // What was begun before has its place, whatever came since.
        let fresh = |text: &&message::Model| {
            beyond.iter().any(|id| id == text.merchant_id.as_str())
                && !attempts.contains_key(text.id.as_str())
        };
        Ok(Self(in_line(texts.into_iter().filter(fresh).collect(), begun)))
    }

    pub(super) fn of(&self, message_id: &str) -> Place {
        self.0.get(message_id).copied().unwrap_or_default()
    }
}

/// The texts line up, the oldest first, behind those that were begun.
fn in_line(mut texts: Vec<&message::Model>, mut counts: Counts) -> HashMap<String, Place> {
    texts.sort_by(|a, b| (a.created_at_ms, a.id.as_str()).cmp(&(b.created_at_ms, b.id.as_str())));
    let mut next = |text: &message::Model, to_number: bool| {
        let count = counts.entry(whose(text, to_number)).or_default();
        *count += 1;
        *count
    };
    let place = |text: &message::Model| {
        let place = Place { of_merchant: next(text, false), of_number: next(text, true) };
        (text.id.to_string(), place)
    };
    texts.into_iter().map(place).collect()
}

async fn counts<C: ConnectionTrait>(
    tx: &C,
    merchants: &[String],
    texts: &[&message::Model],
    counted: Counted,
    now: Timestamp,
) -> Result<Counts, DbErr> {
    let mut numbers: Vec<String> = texts.iter().map(|text| text.recipient.clone()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let since = now.plus_ms(-DAY_MS);
    let of_merchants = message::texts_of_merchants(tx, merchants, counted, since).await?;
    let to_numbers = message::texts_to_numbers(tx, merchants, &numbers, counted, since).await?;
    let keyed = |texts: Texts| ((texts.merchant_id.to_string(), texts.recipient), texts.texts);
    Ok(of_merchants.into_iter().chain(to_numbers).map(keyed).collect())
}

fn whose(text: &message::Model, to_number: bool) -> Whose {
    (text.merchant_id.to_string(), to_number.then(|| text.recipient.clone()))
}

fn count(counts: &Counts, text: &message::Model, to_number: bool) -> i64 {
    counts.get(&whose(text, to_number)).copied().unwrap_or_default()
}
