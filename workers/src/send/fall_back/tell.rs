//! Nothing falls silently: the timeline says what happened, the attention list what a person has to do.

use domain::attention::AttentionKind;
use domain::job::Outbox;
use domain::message::MessageState;
use domain::time::Timestamp;
use domain::timeline::TimelineKind;
use entities::attention_item;
use entities::timeline::{self as lines, NewEntry};
use sea_orm::{ConnectionTrait, DbErr};

use super::{Turn, Way};

pub(super) async fn timeline<C: ConnectionTrait>(
    tx: &C,
    ways: &[Turn<'_>],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let entry = |(one, _): &Turn<'_>| {
        let message = &one.message;
        let detail = serde_json::json!({
            "message_id": message.id.0, "purpose": message.purpose.0, "channel": message.channel.0, "reason": one.reason,
        });
        NewEntry::new(&message.merchant_id, &message.invoice_id, kind_of(one.state), "system").with(detail)
    };
    lines::append(tx, ways.iter().map(entry).collect(), now, outbox).await
}

const fn kind_of(state: MessageState) -> TimelineKind {
    match state {
        MessageState::Queued | MessageState::Sent => TimelineKind::MessageSent,
        MessageState::Delivered => TimelineKind::MessageDelivered,
        MessageState::Failed => TimelineKind::MessageFailed,
        MessageState::Suppressed => TimelineKind::MessageSuppressed,
        MessageState::Unknown => TimelineKind::MessageUnknown,
    }
}

pub(super) async fn attention<C: ConnectionTrait>(
    tx: &C,
    ways: &[Turn<'_>],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    let mut missing = Vec::new();
    for (one, way) in ways {
        let message = &one.message;
        let (merchant_id, invoice_id) = (&message.merchant_id, &message.invoice_id);
        if one.state == MessageState::Unknown {
            let by_email = matches!(way, Way::Email(_));
            let detail = serde_json::json!({"message_id": message.id.0, "channel": message.channel.0, "emailed": by_email});
            let kind = AttentionKind::UnknownSend;
            attention_item::raise(tx, merchant_id, kind, Some(invoice_id), message.id.as_str(), &detail, now)
                .await?;
            continue;
        }
        let Way::Nobody(reasons) = way else { continue };
        let detail = serde_json::json!({
            "message_id": message.id.0, "purpose": message.purpose.0, "reason": one.reason, "reasons": reasons,
        });
        let kind = AttentionKind::NeedsContact;
        let subject = &message.purpose_ref;
        if attention_item::raise(tx, merchant_id, kind, Some(invoice_id), subject, &detail, now).await? {
            missing.push(
                NewEntry::new(merchant_id, invoice_id, TimelineKind::ContactMissing, "system").with(detail),
            );
        }
    }
    lines::append(tx, missing, now, outbox).await
}
