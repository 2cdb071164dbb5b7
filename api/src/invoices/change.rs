//! Changing an invoice while it is open.

use axum::extract::State;
use axum::http::StatusCode;
use domain::id::Invoice;
use domain::invoice::{InvoiceStatus, LineItem};
use domain::scope::Scope;
use domain::time::{Day, Timestamp};
use domain::timeline::TimelineKind;
use entities::timeline::NewEntry;
use entities::{invoice, invoice_line, timeline};
use serde::Deserialize;
use serde_json::json;

use super::input::{self, NewLine};
use super::{InvoiceView, release};
use crate::check::{self, DESCRIPTION_MAX};
use crate::customers::said;
use crate::extract::PathId;
use crate::idempotency::{Answer, Stop, Work};
use crate::incoming::{Incoming, Read};
use crate::problem::{Problem, ProblemBody};
use crate::state::Api;

/// An invoice's fields to be changed. What is left out stays; `null` empties it.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoiceChange {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Replaces every line.
    line_items: Option<Vec<NewLine>>,
    #[schema(schema_with = crate::words::amount_or_null)]
    tax_minor: Option<i64>,
    #[schema(schema_with = crate::words::amount_or_null)]
    total_minor: Option<i64>,
    #[schema(schema_with = crate::words::day_or_null)]
    due_on: Option<Day>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    mobile_phone: Option<Option<String>>,
}

/// An invoice after a change.
struct Changed {
    row: invoice::Model,
    lines: Vec<LineItem>,
    /// Money or the due date moved: whoever pays must see the new terms.
    revised: bool,
}

/// Change an open invoice. Its revision grows when money or the due date changes.
#[utoipa::path(patch, path = "/v1/invoices/{id}", tag = "Invoices", operation_id = "change_invoice",
    params(("id" = String, Path)), request_body = InvoiceChange,
    responses((status = 200, description = "The invoice as it is now.", body = InvoiceView),
        (status = 409, description = "`invoice_not_open` or `payment_in_progress`.", body = ProblemBody)))]
pub(super) async fn change(
    State(api): State<Api>,
    PathId(id): PathId<Invoice>,
    incoming: Incoming,
) -> Result<Answer, Stop> {
    let Read { caller, input, claim } = incoming.read::<InvoiceChange>(Scope::InvoicesWrite).await?;
    let found =
        invoice::find(&api.db.read, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    let stored = invoice_line::of_invoice(&api.db.read, &id).await?;
    let planned = input.clone().apply(found, stored, &caller.country, api.now())?;
    let canceled = if planned.revised { release::cancel_at_stripe(&api, &id).await? } else { None };

    let mut work = Work::begin(&api, claim).await?;
    let locked =
        invoice::lock_one(&work.tx, &caller.merchant_id, &id).await?.ok_or_else(Problem::not_found)?;
    let stored = invoice_line::of_invoice(&work.tx, &id).await?;
    let changed = input.apply(locked, stored, &caller.country, work.now)?;
    if changed.revised {
        release::give_up_payable(&mut work, &id, canceled).await?;
    }
    if !invoice::update_open(&work.tx, &changed.row).await? {
        return Err(not_open().into());
    }
    invoice_line::replace(&work.tx, &id, &changed.lines).await?;
    let detail = json!({"revision": changed.row.revision, "total_minor": changed.row.total_minor, "due_on": changed.row.due_on});
    let entry =
        NewEntry::new(&caller.merchant_id, &id, TimelineKind::InvoiceChanged, caller.actor()).with(detail);
    timeline::append(&work.tx, vec![entry], work.now, &mut work.outbox).await?;
    work.finish(StatusCode::OK, &InvoiceView::of(changed.row).with_lines(changed.lines)).await
}

fn not_open() -> Problem {
    Problem::conflict("invoice_not_open", "Only an open invoice can be changed.")
}

impl InvoiceChange {
    fn apply(
        self,
        mut row: invoice::Model,
        stored: Vec<invoice_line::Model>,
        country: &str,
        now: Timestamp,
    ) -> Result<Changed, Problem> {
        if row.status.0 != InvoiceStatus::Open {
            return Err(not_open());
        }
        if let Some(text) = self.description {
            row.description =
                text.map(|text| check::words("description", &text, DESCRIPTION_MAX)).transpose()?;
        }
        if let Some(text) = self.mobile_phone {
            let phone = text.map(|text| check::phone("mobile_phone", &text, country)).transpose()?;
            row.mobile_phone = phone.map(|phone| phone.as_str().to_owned());
        }
        let stored: Vec<LineItem> = stored.into_iter().map(line_item).collect();
        let lines = self.line_items.map(input::lines).transpose()?.unwrap_or_else(|| stored.clone());
        let tax_minor = self.tax_minor.unwrap_or(row.tax_minor);
        let stated =
            if lines.is_empty() { self.total_minor.or(Some(row.total_minor)) } else { self.total_minor };
        let total_minor = input::whole(&lines, tax_minor, stated, row.currency.0)?;
        let due_on = self.due_on.map_or_else(|| row.due_on.clone(), |day| day.to_string());
        let revised = total_minor != row.total_minor
            || tax_minor != row.tax_minor
            || due_on != row.due_on
            || lines != stored;
        row.total_minor = total_minor;
        row.tax_minor = tax_minor;
        row.due_on = due_on;
        row.revision = row.revision.saturating_add(i64::from(revised));
        row.updated_at_ms = now.millis();
        Ok(Changed { row, lines, revised })
    }
}

fn line_item(line: invoice_line::Model) -> LineItem {
    LineItem { description: line.description, quantity: line.quantity, unit_minor: line.unit_minor }
}
