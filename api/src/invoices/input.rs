//! What a merchant may say about an invoice.

use domain::id::{CustomerId, MerchantId};
use domain::invoice::{BadTotal, InvoiceStatus, LineItem, total};
use domain::money::{Currency, Money};
use domain::phone::Phone;
use domain::time::{Day, Timestamp};
use entities::invoice;
use serde::Deserialize;

use crate::check::{self, DESCRIPTION_MAX, REFERENCE_MAX};
use crate::customers::{CheckedCustomer, NewCustomer};
use crate::problem::Problem;

const LINES_MAX: usize = 200;

/// One line of an invoice.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLine {
    #[schema(example = "Hull cleaning")]
    description: String,
    /// How many, at least one.
    #[schema(example = 2)]
    quantity: i64,
    /// The price of one, in minor units.
    #[schema(example = 4200)]
    unit_minor: i64,
}

/// An invoice to be added. Amounts are whole numbers of the currency's minor unit: cents of USD, yen of JPY.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvoice {
    /// Your own number, unique among your invoices.
    #[schema(example = "2026-0117")]
    number: String,
    /// A customer you have. Give this or `customer`.
    #[schema(example = "cus_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    customer_id: Option<String>,
    /// A customer to be added with the invoice.
    customer: Option<NewCustomer>,
    #[schema(example = "Winter storage")]
    description: Option<String>,
    #[schema(schema_with = crate::words::currency)]
    currency: Currency,
    #[serde(default)]
    line_items: Vec<NewLine>,
    #[schema(schema_with = crate::words::amount_or_null)]
    tax_minor: Option<i64>,
    /// The whole, tax included. With lines it may be left out; it must be their sum.
    #[schema(schema_with = crate::words::amount_or_null)]
    total_minor: Option<i64>,
    #[schema(schema_with = crate::words::day)]
    due_on: Day,
    /// A mobile number for this invoice alone.
    mobile_phone: Option<String>,
}

/// Whom an invoice is for.
pub(crate) enum Owner {
    Known(CustomerId),
    New(CheckedCustomer),
}

/// What an invoice says, checked.
pub(crate) struct Terms {
    pub(crate) number: String,
    pub(crate) description: Option<String>,
    pub(crate) currency: Currency,
    pub(crate) tax_minor: i64,
    pub(crate) total_minor: i64,
    pub(crate) due_on: Day,
    pub(crate) mobile_phone: Option<Phone>,
    pub(crate) lines: Vec<LineItem>,
}

impl NewInvoice {
    pub(crate) fn check(self, country: &str) -> Result<(Owner, Terms), Problem> {
        let owner = owner(self.customer_id.as_deref(), self.customer.as_ref(), country)?;
        let lines = lines(self.line_items)?;
        let tax_minor = self.tax_minor.unwrap_or(0);
        let total_minor = whole(&lines, tax_minor, self.total_minor, self.currency)?;
        let description = self.description.map(|text| check::words("description", &text, DESCRIPTION_MAX));
        let mobile_phone = self.mobile_phone.map(|text| check::phone("mobile_phone", &text, country));
        let terms = Terms {
            number: check::line("number", &self.number, REFERENCE_MAX)?,
            description: description.transpose()?,
            currency: self.currency,
            tax_minor,
            total_minor,
            due_on: self.due_on,
            mobile_phone: mobile_phone.transpose()?,
            lines,
        };
        Ok((owner, terms))
    }
}

fn owner(id: Option<&str>, new: Option<&NewCustomer>, country: &str) -> Result<Owner, Problem> {
    match (id, new) {
        (Some(id), None) => {
            let id = id.parse().map_err(|_| Problem::field("customer_id", "names no customer of yours"))?;
            Ok(Owner::Known(id))
        }
        (None, Some(new)) => Ok(Owner::New(new.check("customer.", country)?)),
        (Some(_), Some(_)) => Err(Problem::field("customer", "must be left out when customer_id is given")),
        (None, None) => Err(Problem::field("customer_id", "is required, or customer")),
    }
}

/// Checks lines one by one, naming the one at fault.
pub(crate) fn lines(lines: Vec<NewLine>) -> Result<Vec<LineItem>, Problem> {
    if lines.len() > LINES_MAX {
        return Err(Problem::field("line_items", format!("must have at most {LINES_MAX} lines")));
    }
    let checked = lines.into_iter().enumerate().map(|(position, line)| {
        let field = format!("line_items.{position}.description");
        let description = check::line(&field, &line.description, DESCRIPTION_MAX)?;
        Ok(LineItem { description, quantity: line.quantity, unit_minor: line.unit_minor })
    });
    checked.collect()
}

/// What is owed: the sum of the lines and the tax, or what was stated where there are no lines.
pub(crate) fn whole(
    lines: &[LineItem],
    tax_minor: i64,
    stated: Option<i64>,
    currency: Currency,
) -> Result<i64, Problem> {
    let sum = total(lines, tax_minor).map_err(bad_total)?;
    let owed = match (lines.is_empty(), stated) {
        (true, None) => {
            return Err(Problem::field("total_minor", "is required when there are no line_items"));
        }
        (true, Some(stated)) if stated < tax_minor => {
            return Err(Problem::field("tax_minor", "must not exceed total_minor"));
        }
        (true, Some(stated)) => stated,
        (false, Some(stated)) if stated != sum => {
            return Err(Problem::field(
                "total_minor",
                "must be the sum of the lines and the tax, or left out",
            ));
        }
        (false, Some(_) | None) => sum,
    };
    let checked = Money::owed(owed, currency).map_err(|error| Problem::field("total_minor", error))?;
    Ok(checked.amount_minor)
}

fn bad_total(error: BadTotal) -> Problem {
    match error {
        BadTotal::Quantity { line } => {
            Problem::field(format!("line_items.{line}.quantity"), "must be at least 1")
        }
        BadTotal::UnitPrice { line } => {
            Problem::field(format!("line_items.{line}.unit_minor"), "must not be negative")
        }
        BadTotal::Tax => Problem::field("tax_minor", "must not be negative"),
        BadTotal::TooLarge => Problem::field("total_minor", "must not exceed 9007199254740991 minor units"),
    }
}

impl Terms {
    pub(crate) fn row(
        &self,
        merchant_id: &MerchantId,
        customer_id: &CustomerId,
        now: Timestamp,
    ) -> invoice::Model {
        invoice::Model {
            id: entities::fresh::id(now).into(),
            merchant_id: merchant_id.clone().into(),
            customer_id: customer_id.clone().into(),
            number: self.number.clone(),
            description: self.description.clone(),
            currency: self.currency.into(),
            tax_minor: self.tax_minor,
            total_minor: self.total_minor,
            paid_minor: 0,
            due_on: self.due_on.to_string(),
            mobile_phone: self.mobile_phone.as_ref().map(|phone| phone.as_str().to_owned()),
            status: InvoiceStatus::Open.into(),
            on_hold: false,
            promised_on: None,
            revision: 1,
            opened_at_ms: None,
            created_at_ms: now.millis(),
            updated_at_ms: now.millis(),
        }
    }
}
