//! Importing invoices from CSV: read as it arrives, stored a few hundred rows at a time. A bad row is reported and
//! stops no other. Importing the same file again changes nothing, so a torn upload is simply sent again.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use csv_async::{AsyncReaderBuilder, ByteRecord};
use domain::scope::Scope;
use futures::StreamExt;
use serde::Serialize;
use tokio_util::io::StreamReader;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::idempotency::{Answer, Claim, Work, key_of};
use crate::incoming::Incoming;
use crate::json;
use crate::problem::{FieldFault, Problem};
use crate::state::Api;

mod row;
mod store;
mod upload;

use row::{Columns, Row};
use upload::Upload;

/// The largest file, in bytes.
const FILE_MAX: usize = 16 * 1024 * 1024;
const ROWS_MAX: u64 = 100_000;
/// Rows stored in one transaction.
const ROWS_AT_ONCE: usize = 200;
/// Faults told one by one; the rest is counted.
const FAULTS_MAX: usize = 1_000;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(import))
}

/// A row that was not stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RowFault {
    /// Which row of the file; the header is row 1.
    row: u64,
    field: String,
    message: String,
}

/// What an import came to.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct ImportReport {
    /// Rows read.
    rows: u64,
    /// Invoices added.
    created: u64,
    /// Rows whose invoice was there already, the same.
    unchanged: u64,
    /// Rows that were not stored, and why; the first 1,000.
    errors: Vec<RowFault>,
    /// Faults beyond those.
    errors_omitted: u64,
}

impl ImportReport {
    fn fault(&mut self, row: u64, fault: FieldFault) {
        if self.errors.len() >= FAULTS_MAX {
            self.errors_omitted += 1;
            return;
        }
        self.errors.push(RowFault { row, field: fault.field, message: fault.message });
    }
}

/// Import invoices from CSV.
///
/// The first line names the columns: `number`, `currency`, `total_minor` and `due_on` are required; `tax_minor`,
/// `description` and `mobile_phone` may be there. The customer is named by `customer_ref` (your own reference; one
/// that is known already is taken as it is) or made from `customer_name`, with `customer_phone`,
/// `customer_line_type`, `customer_email`, `customer_locale` and `customer_time_zone`. At most 16 MiB and 100,000 rows.
#[utoipa::path(post, path = "/v1/invoices/import", tag = "Invoices", operation_id = "import_invoices",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What was stored and what was not.", body = ImportReport)))]
async fn import(State(api): State<Api>, incoming: Incoming) -> Result<Response, Problem> {
    let Incoming { caller, parts, body } = incoming;
    caller.require(Scope::InvoicesWrite)?;
    expect_csv(&parts.headers)?;
    json::expect_plain(&parts.headers)?;
    let key = key_of(&parts)?;
    let mut upload = Upload::begin(&parts, body, FILE_MAX)?;
    if let Some(key) = &key {
        let probe =
            Claim { merchant_id: caller.merchant_id.clone(), key: key.clone(), fingerprint: String::new() };
        if probe.is_known(&api).await? {
            let claim = Claim { fingerprint: upload.fingerprint_of_all().await?, ..probe };
            let answered = claim.answered(&api).await?;
            return answered.map(IntoResponse::into_response).ok_or_else(Problem::not_found);
        }
    }
    let report = read(&api, &caller, &mut upload).await?;
    let claim = match key {
        None => None,
        Some(key) => {
            let fingerprint = upload.fingerprint_of_all().await?;
            Some(Claim { merchant_id: caller.merchant_id.clone(), key, fingerprint })
        }
    };
    Ok(answer(&api, claim, &report).await.into_response())
}

async fn answer(
    api: &Api,
    claim: Option<Claim>,
    report: &ImportReport,
) -> Result<Answer, crate::idempotency::Stop> {
    let work = Work::begin(api, claim).await?;
    work.finish(StatusCode::OK, report).await
}

fn expect_csv(headers: &HeaderMap) -> Result<(), Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/csv") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not_csv",
        "Send the file as Content-Type: text/csv.",
    ))
}

/// Reads the file row by row and stores it a chunk at a time.
async fn read(api: &Api, caller: &crate::auth::Caller, upload: &mut Upload) -> Result<ImportReport, Problem> {
    let mut report = ImportReport::default();
    let mut torn = false;
    {
        let chunks = upload.chunks().map(|chunk| chunk.map_err(std::io::Error::other));
        let mut reader =
            AsyncReaderBuilder::new().flexible(true).create_reader(StreamReader::new(Box::pin(chunks)));
        let header = reader.byte_headers().await.map_err(|_| unreadable())?.clone();
        let columns = Columns::read(&header)?;
        let mut record = ByteRecord::new();
        let mut waiting: Vec<Row> = Vec::with_capacity(ROWS_AT_ONCE);
        loop {
            match reader.read_byte_record(&mut record).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => {
                    torn = true;
                    break;
                }
            }
            // As a spreadsheet counts: the header is row 1, and a field that runs over several lines is one row.
            let number = report.rows.saturating_add(2);
            if report.rows >= ROWS_MAX {
                report.fault(
                    number,
                    fault("body", format!("has more than {ROWS_MAX} rows; the rest was not read")),
                );
                break;
            }
            report.rows += 1;
            match columns.row(number, &record, &caller.country) {
                Ok(row) => waiting.push(row),
                Err(fault) => report.fault(number, fault),
            }
            if waiting.len() == ROWS_AT_ONCE {
                store::store(api, caller, std::mem::take(&mut waiting), &mut report).await?;
            }
        }
        store::store(api, caller, waiting, &mut report).await?;
    }
    if torn {
        let row = report.rows.saturating_add(2);
        report.fault(row, fault("body", upload.why_torn()));
    }
    Ok(report)
}

fn fault(field: &str, message: impl Into<String>) -> FieldFault {
    FieldFault { field: field.to_owned(), message: message.into() }
}

fn unreadable() -> Problem {
    Problem::field("body", "has no header line that can be read")
}
