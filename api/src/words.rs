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
use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};

fn of(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(words))
}

/// The same, or nothing at all.
fn of_or_null(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    let values = words.map(Value::from).chain([Value::Null]);
    ObjectBuilder::new().schema_type(or_null(Type::String)).enum_values(Some(values))
}

fn or_null(kind: Type) -> SchemaType {
    SchemaType::Array(vec![kind, Type::Null])
}

macro_rules! schemas {
    ($with:ident: $($name:ident: $kind:ty),+ $(,)?) => {
        $(pub(crate) fn $name() -> Schema {
            $with(<$kind>::ALL.iter().map(|value| value.word())).into()
        })+
    };
}

schemas! {
    of:
    attention_kind: AttentionKind,
    campaign_status: CampaignStatus,
    disposition: Disposition,
    enrolment_status: EnrolmentStatus,
    hold_reason: HoldReason,
    intent: Intent,
    invoice_status: InvoiceStatus,
    line_type: LineType,
    link_cause: LinkCause,
    link_status: LinkStatus,
    timeline_kind: TimelineKind,
}

schemas! {
    of_or_null:
    campaign_status_or_null: CampaignStatus,
    channel_or_null: Channel,
    hold_resolution_or_null: HoldResolution,
    line_type_or_null: LineType,
}

pub(crate) fn currency() -> Schema {
    of(Currency::ALL.iter().map(|currency| currency.code())).into()
}

pub(crate) fn deny_reasons() -> Schema {
    ArrayBuilder::new()
        .items(RefOr::T(Schema::from(of(DenyReason::ALL.iter().map(|reason| reason.word())))))
        .into()
}

pub(crate) fn scopes() -> Schema {
    ArrayBuilder::new().items(RefOr::T(Schema::from(of(Scope::ALL.iter().map(|scope| scope.word()))))).into()
}

fn text(kind: SchemaType, format: KnownFormat) -> Schema {
    ObjectBuilder::new().schema_type(kind).format(Some(SchemaFormat::KnownFormat(format))).into()
}

/// A moment, RFC 3339 in UTC.
pub(crate) fn moment() -> Schema {
    text(SchemaType::Type(Type::String), KnownFormat::DateTime)
}

pub(crate) fn moment_or_null() -> Schema {
    text(or_null(Type::String), KnownFormat::DateTime)
}

/// A day, `2026-11-30`.
pub(crate) fn day() -> Schema {
    text(SchemaType::Type(Type::String), KnownFormat::Date)
}

pub(crate) fn day_or_null() -> Schema {
    text(or_null(Type::String), KnownFormat::Date)
}

fn minor_units(kind: SchemaType) -> Schema {
    ObjectBuilder::new()
        .schema_type(kind)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0_i64))
        .maximum(Some(domain::money::AMOUNT_MAX_MINOR))
        .into()
}

/// An amount in minor units.
pub(crate) fn amount() -> Schema {
    minor_units(SchemaType::Type(Type::Integer))
}

pub(crate) fn amount_or_null() -> Schema {
    minor_units(or_null(Type::Integer))
}
