//! Enums of one word each, as the API's description lists them: taken from the rules, so that neither can drift.

use domain::attention::AttentionKind;
use domain::call_event::{Disposition, Intent};
use domain::campaign::{CampaignStatus, EnrolmentStatus};
use domain::channel::{Channel, LineType};
use domain::hold::{HoldReason, HoldResolution};
use domain::invoice::InvoiceStatus;
use domain::link::{LinkCause, LinkStatus};
use domain::money::Currency;
use domain::permission::DenyReason;
use domain::scope::Scope;
use domain::timeline::TimelineKind;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};

fn of(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(words))
}

macro_rules! schemas {
    ($($name:ident: $kind:ty),+ $(,)?) => {
        $(pub(crate) fn $name() -> Schema {
            of(<$kind>::ALL.iter().map(|value| value.word())).into()
        })+
    };
}

schemas! {
    attention_kind: AttentionKind,
    campaign_status: CampaignStatus,
    channel: Channel,
    disposition: Disposition,
    enrolment_status: EnrolmentStatus,
    hold_reason: HoldReason,
    hold_resolution: HoldResolution,
    intent: Intent,
    invoice_status: InvoiceStatus,
    line_type: LineType,
    link_cause: LinkCause,
    link_status: LinkStatus,
    timeline_kind: TimelineKind,
}

pub(crate) fn currency() -> Schema {
    of(Currency::ALL.iter().map(|currency| currency.code())).into()
}

pub(crate) fn deny_reasons() -> Schema {
    ArrayBuilder::new()
        .items(RefOr::T(Schema::from(of(DenyReason::ALL
            .iter()
            .map(|reason| reason.word())))))
        .into()
}

pub(crate) fn scopes() -> Schema {
    ArrayBuilder::new()
        .items(RefOr::T(Schema::from(of(Scope::ALL
            .iter()
            .map(|scope| scope.word())))))
        .into()
}

/// A moment, RFC 3339 in UTC.
pub(crate) fn moment() -> Schema {
    let format = utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime);
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .format(Some(format))
        .into()
}

/// A day, `2026-11-30`.
pub(crate) fn day() -> Schema {
    let format = utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Date);
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .format(Some(format))
        .into()
}

/// An amount in minor units.
pub(crate) fn amount() -> Schema {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
            utoipa::openapi::KnownFormat::Int64,
        )))
        .minimum(Some(utoipa::Number::from(0_i64)))
        .maximum(Some(utoipa::Number::from(domain::money::AMOUNT_MAX_MINOR)))
        .into()
}
