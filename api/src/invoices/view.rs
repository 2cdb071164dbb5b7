//! An invoice as the API shows it.

use domain::invoice::{InvoiceStatus, LineItem};
use domain::money::Currency;
use domain::time::Timestamp;
use entities::{invoice, invoice_line};
use serde::Serialize;

/// One line of an invoice.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InvoiceLine)]
pub(crate) struct LineView {
    #[schema(example = "Hull cleaning")]
    description: String,
    #[schema(example = 2)]
    quantity: i64,
    /// The price of one, in minor units.
    #[schema(example = 4200)]
    unit_minor: i64,
}

impl From<LineItem> for LineView {
    fn from(line: LineItem) -> Self {
        Self { description: line.description, quantity: line.quantity, unit_minor: line.unit_minor }
    }
}

impl From<invoice_line::Model> for LineView {
    fn from(line: invoice_line::Model) -> Self {
        Self { description: line.description, quantity: line.quantity, unit_minor: line.unit_minor }
    }
}

/// An invoice. Amounts are minor units of its currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Invoice)]
pub(crate) struct InvoiceView {
    #[schema(example = "inv_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    id: String,
    number: String,
    customer_id: String,
    description: Option<String>,
    #[schema(schema_with = crate::words::currency)]
    currency: Currency,
    /// In lists the lines are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_items: Option<Vec<LineView>>,
    #[schema(schema_with = crate::words::amount)]
    tax_minor: i64,
    #[schema(schema_with = crate::words::amount)]
    total_minor: i64,
    #[schema(schema_with = crate::words::amount)]
    paid_minor: i64,
    /// What is still owed.
    #[schema(schema_with = crate::words::amount)]
    due_minor: i64,
    #[schema(schema_with = crate::words::day)]
    due_on: String,
    /// A mobile number for this invoice alone, E.164.
    mobile_phone: Option<String>,
    #[schema(schema_with = crate::words::invoice_status)]
    status: InvoiceStatus,
    /// A question or dispute is open: nobody calls about it.
    on_hold: bool,
    /// The day the customer named on a call.
    promised_on: Option<String>,
    /// Grows whenever money or the due date changes.
    revision: i64,
    #[schema(schema_with = crate::words::moment)]
    created_at: Timestamp,
    #[schema(schema_with = crate::words::moment)]
    updated_at: Timestamp,
}

impl InvoiceView {
    pub(crate) fn of(row: invoice::Model) -> Self {
        Self {
            id: row.id.0.into_string(),
            number: row.number,
            customer_id: row.customer_id.0.into_string(),
            description: row.description,
            currency: row.currency.0,
            line_items: None,
            tax_minor: row.tax_minor,
            total_minor: row.total_minor,
            paid_minor: row.paid_minor,
            due_minor: row.total_minor.saturating_sub(row.paid_minor).max(0),
            due_on: row.due_on,
            mobile_phone: row.mobile_phone,
            status: row.status.0,
            on_hold: row.on_hold,
            promised_on: row.promised_on,
            revision: row.revision,
            created_at: Timestamp::from_millis(row.created_at_ms),
            updated_at: Timestamp::from_millis(row.updated_at_ms),
        }
    }

    pub(crate) fn with_lines(mut self, lines: Vec<LineItem>) -> Self {
        self.line_items = Some(lines.into_iter().map(LineView::from).collect());
        self
    }

    pub(crate) fn with_stored_lines(mut self, lines: Vec<invoice_line::Model>) -> Self {
        self.line_items = Some(lines.into_iter().map(LineView::from).collect());
        self
    }
}
