//! Storing a chunk of rows: a handful of statements, whatever its size.

use std::collections::HashMap;

use domain::id::CustomerId;
use domain::timeline::TimelineKind;
use entities::timeline::NewEntry;
use entities::{customer, invoice, merchant, timeline};
use serde_json::json;

use super::row::Row;
use super::{ImportReport, fault};
use crate::auth::Caller;
use crate::idempotency::{Stop, Work};
use crate::problem::Problem;
use crate::state::Api;

/// What a chunk adds.
#[derive(Default)]
struct Additions {
    customers: Vec<customer::Model>,
    invoices: Vec<invoice::Model>,
}

/// Stores the rows that can be stored and reports the others.
pub(super) async fn store(
    api: &Api,
    caller: &Caller,
    rows: Vec<Row>,
    report: &mut ImportReport,
) -> Result<(), Problem> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut work = Work::begin(api, None).await.map_err(Stop::into_problem)?;
    // Two imports at once would both find a number free.
    merchant::lock(&work.tx, &caller.merchant_id).await?;
    let numbers: Vec<String> = rows.iter().map(|row| row.terms.number.clone()).collect();
    let refs: Vec<String> = rows.iter().filter_map(|row| row.customer_ref.clone()).collect();
    let taken = invoice::by_numbers(&work.tx, &caller.merchant_id, &numbers).await?;
    let mut taken: HashMap<String, invoice::Model> =
        taken.into_iter().map(|row| (row.number.clone(), row)).collect();
    let known = customer::by_external_refs(&work.tx, &caller.merchant_id, &refs).await?;
    let mut known: HashMap<String, CustomerId> =
        known.into_iter().filter_map(|row| Some((row.external_ref?, row.id.0))).collect();

    let mut additions = Additions::default();
    for row in rows {
        if let Some(there) = taken.get(&row.terms.number) {
            settle_known(&row, there, report);
            continue;
        }
        let number = row.number;
        let Some(customer_id) = owner(caller, &row, &mut known, &mut additions, &work) else {
            report.fault(
                number,
                fault("customer_ref", "names no customer of yours, and there is no customer_name"),
            );
            continue;
        };
        let added = row.terms.row(&caller.merchant_id, &customer_id, work.now);
        taken.insert(added.number.clone(), added.clone());
        additions.invoices.push(added);
    }
    report.created += u64::try_from(additions.invoices.len()).unwrap_or(u64::MAX);
    write(&mut work, caller, &additions).await?;
    work.commit().await
}

/// A number that is there already: the same terms again are fine, other terms are not an import's to change.
fn settle_known(row: &Row, there: &invoice::Model, report: &mut ImportReport) {
    let same = there.total_minor == row.terms.total_minor
        && there.currency.0 == row.terms.currency
        && there.due_on == row.terms.due_on.to_string();
    if same {
        report.unchanged += 1;
    } else {
        let message =
            "belongs to an invoice with another amount, currency or due date; change that one instead";
        report.fault(row.number, fault("number", message));
    }
}

fn owner(
    caller: &Caller,
    row: &Row,
    known: &mut HashMap<String, CustomerId>,
    additions: &mut Additions,
    work: &Work,
) -> Option<CustomerId> {
    if let Some(id) = row.customer_ref.as_ref().and_then(|reference| known.get(reference)) {
        return Some(id.clone());
    }
    let added = row.customer.clone()?.into_row(&caller.merchant_id, work.now);
    let id = added.id.0.clone();
    if let Some(reference) = &row.customer_ref {
        known.insert(reference.clone(), id.clone());
    }
    additions.customers.push(added);
    Some(id)
}

async fn write(work: &mut Work, caller: &Caller, additions: &Additions) -> Result<(), Problem> {
    customer::insert_many(&work.tx, &additions.customers).await?;
    invoice::insert_many(&work.tx, &additions.invoices).await?;
    let entry = |row: &invoice::Model| {
        let detail = json!({"total_minor": row.total_minor, "currency": row.currency, "due_on": row.due_on, "imported": true});
        NewEntry::new(&caller.merchant_id, &row.id, TimelineKind::InvoiceCreated, caller.actor()).with(detail)
    };
    let entries = additions.invoices.iter().map(entry).collect();
    timeline::append(&work.tx, entries, work.now, &mut work.outbox).await?;
    Ok(())
}
