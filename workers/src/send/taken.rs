//! What follows from a provider's acceptance, however we learned of it.

use domain::attention::AttentionKind;
use domain::id::MessageId;
use domain::job::Outbox;
use domain::message::Purpose;
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::message::Acceptance;
use entities::timeline::{self, NewEntry};
use entities::{attention_item, link, message};
use sea_orm::{ConnectionTrait, DbErr};

/// A message that a provider has.
pub(crate) struct Taken {
    pub message: message::Model,
    pub segments: Option<u32>,
    /// It was in doubt for a while and may be on the attention list.
    pub was_open: bool,
}

pub(crate) async fn record<C: ConnectionTrait>(
    tx: &C,
    taken: &[Taken],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let acceptances: Vec<Acceptance> =
        taken.iter().map(|one| Acceptance { id: one.message.id.0.clone(), segments: one.segments }).collect();
    let news: Vec<MessageId> = message::accept(tx, &acceptances, now).await?;
    let news: Vec<&Taken> = taken.iter().filter(|one| news.contains(&one.message.id)).collect();
    let carriers = news.iter().filter(|one| one.message.purpose.0 == Purpose::Link);
    let links: Vec<String> = carriers.map(|one| one.message.purpose_ref.clone()).collect();
    link::mark_sent(tx, &links, now).await?;
    let entries = news.iter().map(|one| {
        let message = &one.message;
        let detail = serde_json::json!({
            "message_id": message.id.0, "purpose": message.purpose.0, "channel": message.channel.0, "segments": one.segments,
        });
        NewEntry::new(&message.merchant_id, &message.invoice_id, TimelineKind::MessageSent, "system").with(detail)
    });
    timeline::append(tx, entries.collect(), now, outbox).await?;
    for one in taken.iter().filter(|one| one.was_open) {
        attention_item::close(tx, AttentionKind::UnknownSend, one.message.id.as_str(), now).await?;
        attention_item::close(tx, AttentionKind::NeedsContact, &one.message.purpose_ref, now).await?;
    }
    Ok(())
}
