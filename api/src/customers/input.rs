//! What a merchant may say about a customer.

use domain::channel::LineType;
use domain::email_address::EmailAddress;
use domain::id::MerchantId;
use domain::phone::Phone;
use domain::time::Timestamp;
use entities::customer;
use serde::{Deserialize, Deserializer};

use crate::check::{self, NAME_MAX, REFERENCE_MAX};
use crate::problem::Problem;

/// A customer to be added.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCustomer {
    #[schema(example = "Dana Fields")]
    pub(crate) name: String,
    /// Your own name for them, unique among your customers.
    #[schema(example = "C-1042")]
    pub(crate) external_ref: Option<String>,
    /// One number, without an extension. Without `+` it is read as one of your country.
    #[schema(example = "+14155550142")]
    pub(crate) phone: Option<String>,
    /// What you know of the line; else what the numbering plan says.
    #[schema(schema_with = crate::words::line_type_or_null)]
    pub(crate) line_type: Option<LineType>,
    #[schema(example = "dana@example.com")]
    pub(crate) email: Option<String>,
    /// A language tag (BCP 47).
    #[schema(example = "en-US")]
    pub(crate) locale: Option<String>,
    /// An IANA time zone.
    #[schema(example = "America/Los_Angeles")]
    pub(crate) time_zone: Option<String>,
}

/// A customer whose every field was checked.
#[derive(Debug, Clone)]
pub(crate) struct CheckedCustomer {
    name: String,
    external_ref: Option<String>,
    phone: Option<Phone>,
    line_type: LineType,
    email: Option<EmailAddress>,
    locale: Option<String>,
    time_zone: Option<String>,
}

impl NewCustomer {
    /// Checks every field; `at` is where in the request they stand, with its dot.
    pub(crate) fn check(&self, at: &str, country: &str) -> Result<CheckedCustomer, Problem> {
        let field = |name: &str| format!("{at}{name}");
        let name = check::line(&field("name"), &self.name, NAME_MAX)?;
        let reference = |text: &String| check::line(&field("external_ref"), text, REFERENCE_MAX);
        let phone =
            self.phone.as_ref().map(|text| check::phone(&field("phone"), text, country)).transpose()?;
        Ok(CheckedCustomer {
            name,
            external_ref: self.external_ref.as_ref().map(reference).transpose()?,
            line_type: check::line_type(self.line_type, phone.as_ref()),
            phone,
            email: self.email.as_ref().map(|text| check::email(&field("email"), text)).transpose()?,
            locale: self.locale.as_ref().map(|text| check::locale(&field("locale"), text)).transpose()?,
            time_zone: self
                .time_zone
                .as_ref()
                .map(|text| check::time_zone(&field("time_zone"), text))
                .transpose()?,
        })
    }
}

impl CheckedCustomer {
    pub(crate) fn into_row(self, merchant_id: &MerchantId, now: Timestamp) -> customer::Model {
        customer::Model {
            id: entities::fresh::id(now).into(),
            merchant_id: merchant_id.clone().into(),
            external_ref: self.external_ref,
            name: self.name,
            phone: self.phone.map(|phone| phone.as_str().to_owned()),
            line_type: self.line_type.into(),
            email: self.email.map(|email| email.as_str().to_owned()),
            locale: self.locale,
            time_zone: self.time_zone,
            created_at_ms: now.millis(),
            updated_at_ms: now.millis(),
        }
    }
}

/// A customer's fields to be changed. What is left out stays; `null` empties it.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerChange {
    name: Option<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    external_ref: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    #[schema(schema_with = crate::words::line_type_or_null)]
    line_type: Option<LineType>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    locale: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    time_zone: Option<Option<String>>,
}

/// Tells a field that was left out (`None`) from one that is `null` (`Some(None)`).
pub(crate) fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl CustomerChange {
    /// The customer after the change.
    pub(crate) fn apply(
        self,
        mut row: customer::Model,
        country: &str,
        now: Timestamp,
    ) -> Result<customer::Model, Problem> {
        if let Some(name) = self.name {
            row.name = check::line("name", &name, NAME_MAX)?;
        }
        if let Some(reference) = self.external_ref {
            row.external_ref =
                reference.map(|text| check::line("external_ref", &text, REFERENCE_MAX)).transpose()?;
        }
        if let Some(text) = self.phone {
            let phone = text.map(|text| check::phone("phone", &text, country)).transpose()?;
            row.line_type = check::line_type(self.line_type, phone.as_ref()).into();
            row.phone = phone.map(|phone| phone.as_str().to_owned());
        } else if let Some(line_type) = self.line_type {
            row.line_type = line_type.into();
        }
        if let Some(text) = self.email {
            let email = text.map(|text| check::email("email", &text)).transpose()?;
            row.email = email.map(|email| email.as_str().to_owned());
        }
        if let Some(text) = self.locale {
            row.locale = text.map(|text| check::locale("locale", &text)).transpose()?;
        }
        if let Some(text) = self.time_zone {
            row.time_zone = text.map(|text| check::time_zone("time_zone", &text)).transpose()?;
        }
        row.updated_at_ms = now.millis();
        Ok(row)
    }
}
