//! One row of an import, checked.

use csv_async::ByteRecord;
use domain::channel::LineType;
use domain::money::Currency;
use domain::time::Day;

use crate::check::{self, DESCRIPTION_MAX, REFERENCE_MAX};
use crate::customers::{CheckedCustomer, NewCustomer};
use crate::invoices::input::{self, Terms};
use crate::problem::{FieldFault, Problem};

use super::fault;

const COLUMNS: [&str; 14] = [
    "number",
    "currency",
    "total_minor",
    "tax_minor",
    "due_on",
    "description",
    "mobile_phone",
    "customer_ref",
    "customer_name",
    "customer_phone",
    "customer_line_type",
    "customer_email",
    "customer_locale",
    "customer_time_zone",
];
const REQUIRED: [&str; 4] = ["number", "currency", "total_minor", "due_on"];

/// Which column stands where.
pub(super) struct Columns {
    names: Vec<&'static str>,
}

/// A row ready to be stored.
pub(super) struct Row {
    /// As a spreadsheet counts.
    pub(super) number: u64,
    pub(super) terms: Terms,
    /// The merchant's own name for the customer.
    pub(super) customer_ref: Option<String>,
    /// The customer to be added unless the reference is known.
    pub(super) customer: Option<CheckedCustomer>,
}

impl Columns {
    /// Reads the header line. A column nobody knows is a typing error, found before anything is stored.
    pub(super) fn read(header: &ByteRecord) -> Result<Self, Problem> {
        let mut names: Vec<&'static str> = Vec::with_capacity(header.len());
        for field in header {
            let text = String::from_utf8_lossy(field);
            let name = text.trim_start_matches('\u{feff}').trim();
            let known = COLUMNS.into_iter().find(|column| *column == name);
            let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            let known =
                known.ok_or_else(|| Problem::field(shown.clone(), "is not a column of this import"))?;
            if names.contains(&known) {
                return Err(Problem::field(shown, "appears twice in the header"));
            }
            names.push(known);
        }
        match REQUIRED.into_iter().find(|column| !names.contains(column)) {
            Some(missing) => Err(Problem::field(missing, "is a required column")),
            None => Ok(Self { names }),
        }
    }

    /// Checks one row.
    pub(super) fn row(&self, number: u64, record: &ByteRecord, country: &str) -> Result<Row, FieldFault> {
        if record.len() != self.names.len() {
            let message = format!("has {} fields where the header has {}", record.len(), self.names.len());
            return Err(fault("row", message));
        }
        let cells = Cells { names: &self.names, record };
        let terms = cells.terms(country)?;
        let customer_ref = cells.text("customer_ref")?;
        let reference = |text: String| plain(check::line("customer_ref", &text, REFERENCE_MAX));
        let customer_ref = customer_ref.map(reference).transpose()?;
        let customer = cells.customer(customer_ref.clone(), country)?;
        if customer_ref.is_none() && customer.is_none() {
            return Err(fault("customer_name", "is required where there is no customer_ref"));
        }
        Ok(Row { number, terms, customer_ref, customer })
    }
}

struct Cells<'a> {
    names: &'a [&'static str],
    record: &'a ByteRecord,
}

impl Cells<'_> {
    /// The text of a column; nothing when it is empty or not in the file.
    fn text(&self, name: &'static str) -> Result<Option<String>, FieldFault> {
        let position = self.names.iter().position(|column| *column == name);
        let Some(bytes) = position.and_then(|position| self.record.get(position)) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes).map_err(|_| fault(name, "is not UTF-8"))?.trim();
        if text.contains('\0') {
            return Err(fault(name, "must not contain NUL"));
        }
        Ok(Some(text).filter(|text| !text.is_empty()).map(str::to_owned))
    }

    fn required(&self, name: &'static str) -> Result<String, FieldFault> {
        self.text(name)?.ok_or_else(|| fault(name, "is empty"))
    }

    fn amount(&self, name: &'static str, text: &str) -> Result<i64, FieldFault> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let message = "must be a whole number of minor units, for example 34800 for 348.00 USD";
        text.parse().ok().filter(|_| digits).ok_or_else(|| fault(name, message))
    }

    fn terms(&self, country: &str) -> Result<Terms, FieldFault> {
        let number = plain(check::line("number", &self.required("number")?, REFERENCE_MAX))?;
        let currency: Currency =
            self.required("currency")?.parse().map_err(|error| shown("currency", &error))?;
        let total = self.amount("total_minor", &self.required("total_minor")?)?;
        let tax_minor = self.text("tax_minor")?.map_or(Ok(0), |text| self.amount("tax_minor", &text))?;
        let due_on: Day = self.required("due_on")?.parse().map_err(|error| shown("due_on", &error))?;
        let description = self.text("description")?;
        let description =
            description.map(|text| check::words("description", &text, DESCRIPTION_MAX)).transpose();
        let mobile_phone = self.text("mobile_phone")?;
        let mobile_phone = mobile_phone.map(|text| check::phone("mobile_phone", &text, country)).transpose();
        Ok(Terms {
            number,
            description: plain(description)?,
            currency,
            tax_minor,
            total_minor: plain(input::whole(&[], tax_minor, Some(total), currency))?,
            due_on,
            mobile_phone: plain(mobile_phone)?,
            lines: Vec::new(),
        })
    }

    fn customer(
        &self,
        external_ref: Option<String>,
        country: &str,
    ) -> Result<Option<CheckedCustomer>, FieldFault> {
        let Some(name) = self.text("customer_name")? else {
            return Ok(None);
        };
        let line_type = self.text("customer_line_type")?;
        let line_type = line_type.map(|word| word.parse::<LineType>()).transpose();
        let customer = NewCustomer {
            name,
            external_ref,
            phone: self.text("customer_phone")?,
            line_type: line_type.map_err(|_| fault("customer_line_type", "is not a line type we know"))?,
            email: self.text("customer_email")?,
            locale: self.text("customer_locale")?,
            time_zone: self.text("customer_time_zone")?,
        };
        plain(customer.check("customer_", country)).map(Some)
    }
}

fn shown(name: &str, error: &dyn std::fmt::Display) -> FieldFault {
    fault(name, error.to_string())
}

fn plain<T>(checked: Result<T, Problem>) -> Result<T, FieldFault> {
    checked.map_err(Problem::into_fault)
}
