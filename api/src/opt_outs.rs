//! Opt-outs: who must not be reached, and how. Honoured at the moment of sending and before every call.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::scope::Scope;
use domain::time::Timestamp;
use entities::opt_out::{self, NewOptOut};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::check;
use crate::extract::{Page, Query, page_size};
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::Problem;
use crate::state::Api;

const EVERY: &str = "*";
const CURSOR_MAX: usize = 40;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(record, list))
}

/// Which way to reach somebody is closed.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub(crate) enum Way {
    #[serde(rename = "sms")]
    Sms,
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "call")]
    Call,
    /// Every way, calls too.
    #[default]
    #[serde(rename = "*")]
    Every,
}

impl Way {
    const fn word(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Call => "call",
            Self::Every => EVERY,
        }
    }
}

/// Somebody who is to be left alone. Give a phone number or an email address.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOptOutInput {
    #[schema(example = "+14155550142")]
    phone: Option<String>,
    #[schema(example = "dana@example.com")]
    email: Option<String>,
    /// Without it: every way, calls too.
    #[serde(default)]
    channel: Way,
}

/// An opt-out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OptOut)]
pub(crate) struct OptOutView {
    id: String,
    /// E.164, or an address in lower case.
    recipient: String,
    /// `sms`, `email`, `call`, or `*` for all.
    channel: String,
    /// The sender it is about, or `*` for all of yours.
    sender: String,
    /// `stop_reply`, `carrier`, `spoken`, `unsubscribe` or `api`.
    source: String,
    #[schema(schema_with = crate::words::moment)]
    opted_out_at: Timestamp,
    /// When the recipient took it back; `null` while it stands.
    #[schema(schema_with = crate::words::moment_or_null)]
    lifted_at: Option<Timestamp>,
}

impl From<opt_out::Model> for OptOutView {
    fn from(row: opt_out::Model) -> Self {
        Self {
            id: row.id,
            recipient: row.recipient,
            channel: row.channel,
            sender: row.sender,
            source: row.source,
            opted_out_at: Timestamp::from_millis(row.opted_out_at_ms),
            lifted_at: row.lifted_at_ms.map(Timestamp::from_millis),
        }
    }
}

/// Record that somebody is to be left alone. One that stands already is answered as it is.
#[utoipa::path(post, path = "/v1/opt-outs", tag = "Customers", operation_id = "record_opt_out", request_body = NewOptOutInput,
    responses((status = 201, description = "The opt-out.", body = OptOutView)))]
async fn record(State(api): State<Api>, incoming: Incoming) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<NewOptOutInput>(Scope::CustomersWrite).await?;
    let recipient = recipient(&caller, &input)?;
    let work = Work::begin(&api, claim).await?;
    let channel = input.channel.word();
    let new = NewOptOut {
        merchant_id: &caller.merchant_id,
        recipient: &recipient,
        channel,
        sender: EVERY,
        source: "api",
        source_ref: Some(caller.key_id.as_str()),
    };
    opt_out::record(&work.tx, &new, work.now).await?;
    let standing =
        opt_out::standing(&work.tx, &[caller.merchant_id.to_string()], std::slice::from_ref(&recipient))
            .await?;
    let stands = |row: &opt_out::Model| {
        row.merchant_id.0 == caller.merchant_id && row.channel == channel && row.sender == EVERY
    };
    let row = standing.into_iter().find(stands);
    let row = row.ok_or_else(|| Problem::internal(&"an opt-out that was recorded is not there"))?;
    work.finish(StatusCode::CREATED, &OptOutView::from(row)).await
}

fn recipient(caller: &Caller, input: &NewOptOutInput) -> Result<String, Problem> {
    match (&input.phone, &input.email) {
        (Some(phone), None) => Ok(check::phone("phone", phone, &caller.country)?.as_str().to_owned()),
        (None, Some(email)) => Ok(check::email("email", email)?.folded()),
        (Some(_), Some(_)) => Err(Problem::field("email", "must be left out when phone is given")),
        (None, None) => Err(Problem::field("phone", "is required, or email")),
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Rows on a page: 1 to 100, else 50.
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those that stand, or only those that were lifted.
    standing: Option<bool>,
}

/// List opt-outs, newest first.
#[utoipa::path(get, path = "/v1/opt-outs", tag = "Customers", operation_id = "list_opt_outs", params(ListQuery),
    responses((status = 200, description = "A page.", body = Page<OptOutView>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<OptOutView>>, Problem> {
    caller.require(Scope::CustomersRead)?;
    let size = page_size(query.limit)?;
    if query.cursor.as_ref().is_some_and(|cursor| !cursor.starts_with("opt_") || cursor.len() > CURSOR_MAX) {
        return Err(Problem::field(
            "cursor",
            "is not a cursor of this list; take next_cursor of the page before",
        ));
    }
    let rows =
        opt_out::page(&api.db.read, &caller.merchant_id, query.standing, query.cursor.as_deref(), size + 1)
            .await?;
    Ok(Json(Page::of(rows, size, |row| row.id.clone(), OptOutView::from)))
}
