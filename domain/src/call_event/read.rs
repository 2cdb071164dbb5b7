//! Reading the event from JSON, field by field, so that an error can name the field.

use serde_json::{Map, Number, Value};

use super::{
    CallEvent, ContactConsent, Customer, Dispute, FieldError, Intent, InvoiceRef, Outcome, PromiseToPay,
    Reached,
};
use crate::money::AMOUNT_MAX_MINOR;
use crate::strict_json;
use crate::time::Timestamp;

/// The longest call id, in characters.
pub const CALL_ID_MAX: usize = 200;
const ID_MAX: usize = 200;
const WORD_MAX: usize = 64;
/// Beyond any number or address; what is shorter is checked where the channel is chosen.
const CONTACT_MAX: usize = 320;
/// Free text is cut here instead of refused: it decides nothing.
const FREE_TEXT_MAX: usize = 2_000;

/// Reads an event from the bytes of a request.
///
/// # Errors
/// Names the field at fault.
pub fn parse(body: &[u8]) -> Result<CallEvent, FieldError> {
    from_value(&strict_json::parse(body)?)
}

/// Reads an event from JSON that was read before.
///
/// # Errors
/// Names the field at fault.
pub fn from_value(value: &Value) -> Result<CallEvent, FieldError> {
    let object = value.as_object().ok_or_else(|| FieldError::body("must be a JSON object"))?;
    let root = Fields { path: "", object: Some(object) };
    Ok(CallEvent {
        kind: root.required_id("type", WORD_MAX)?,
        spec_version: root.id("spec_version", WORD_MAX)?.unwrap_or_else(|| "1".to_owned()),
        source: root.required_id("source", WORD_MAX)?,
        call_id: root.required_id("call_id", CALL_ID_MAX)?,
        occurred_at: root.moment("occurred_at")?.ok_or_else(|| root.fault("occurred_at", "is required"))?,
        merchant_id: root.id("merchant_id", ID_MAX)?,
        campaign_id: root.id("campaign_id", ID_MAX)?,
        invoice: root.object("invoice", "invoice")?.id("id", ID_MAX)?.map(|id| InvoiceRef { id }),
        customer: customer(&root.object("customer", "customer")?)?,
        outcome: outcome(&root.object("outcome", "outcome")?)?,
    })
}

fn customer(fields: &Fields<'_>) -> Result<Customer, FieldError> {
    Ok(Customer {
        phone: fields.text("phone", CONTACT_MAX)?,
        email: fields.text("email", CONTACT_MAX)?,
        locale: fields.text("locale", WORD_MAX)?,
        timezone: fields.text("timezone", WORD_MAX)?,
    })
}

fn outcome(fields: &Fields<'_>) -> Result<Outcome, FieldError> {
    let reached_said = fields.id("reached", WORD_MAX)?;
    let reached = reached_said.as_deref().map_or(Reached::Unknown, |word| {
        // A word from a newer sender is no reason to lose the event.
        word.parse().unwrap_or(Reached::Unknown)
    });
    let opt_out = fields.boolean("opt_out")?.unwrap_or(false);
    let said = fields.id("intent", WORD_MAX)?;
    let intent_said = match said {
        Some(word) => word,
        None if opt_out || reached_nobody(reached) => Intent::None.word().to_owned(),
        None => return Err(fields.fault("intent", "is required")),
    };
    Ok(Outcome {
        intent: intent_said.parse().unwrap_or(Intent::Unknown),
        intent_said,
        confidence: fields.number("confidence")?,
        preferred_channel: fields.id("preferred_channel", WORD_MAX)?.and_then(|word| word.parse().ok()),
        evidence: fields.free_text("evidence")?,
        contact_consent: consent(&fields.object("contact_consent", "outcome.contact_consent")?)?,
        dispute: dispute(&fields.object("dispute", "outcome.dispute")?)?,
        promise_to_pay: promise(&fields.object("promise_to_pay", "outcome.promise_to_pay")?)?,
        opt_out,
        reached,
        reached_said,
    })
}

/// Without an intent an event is complete only when it says something else.
const fn reached_nobody(reached: Reached) -> bool {
    match reached {
        Reached::Voicemail | Reached::NoAnswer | Reached::Busy | Reached::Failed => true,
        Reached::Human | Reached::Unknown => false,
    }
}

fn consent(fields: &Fields<'_>) -> Result<ContactConsent, FieldError> {
    Ok(ContactConsent {
        sms: fields.boolean("sms")?,
        email: fields.boolean("email")?,
        spoken_at: fields.moment("spoken_at")?,
    })
}

/// An empty object is what extraction models write for "none".
fn dispute(fields: &Fields<'_>) -> Result<Option<Dispute>, FieldError> {
    let dispute = Dispute { reason: fields.free_text("reason")?, text: fields.free_text("text")? };
    let empty = dispute.reason.is_none() && dispute.text.is_none();
    Ok(Some(dispute).filter(|_| !empty))
}

fn promise(fields: &Fields<'_>) -> Result<Option<PromiseToPay>, FieldError> {
    // "next Friday" is no day we can hold anybody to, and no reason to refuse the event.
    let date = fields.text("date", WORD_MAX)?.and_then(|text| text.parse().ok());
    let amount_minor = fields.amount("amount_minor")?;
    let promise = PromiseToPay { date, amount_minor };
    let empty = date.is_none() && amount_minor.is_none();
    Ok(Some(promise).filter(|_| !empty))
}

/// The fields of one object. `null`, an empty string and absence are the same.
struct Fields<'a> {
    path: &'static str,
    object: Option<&'a Map<String, Value>>,
}

impl<'a> Fields<'a> {
    fn fault(&self, name: &str, message: &str) -> FieldError {
        let field = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        FieldError::new(field, message)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.and_then(|object| object.get(name)).filter(|value| !value.is_null())
    }

    fn object(&self, name: &str, path: &'static str) -> Result<Fields<'a>, FieldError> {
        let object = match self.get(name) {
            None => None,
            Some(Value::Object(object)) => Some(object),
            Some(_) => return Err(self.fault(name, "must be an object")),
        };
        Ok(Fields { path, object })
    }

    fn string(&self, name: &str) -> Result<Option<&'a str>, FieldError> {
        let value = match self.get(name) {
            None => return Ok(None),
            Some(value) => value.as_str().ok_or_else(|| self.fault(name, "must be a string"))?,
        };
        if value.contains('\0') {
            return Err(self.fault(name, "must not contain NUL"));
        }
        Ok(Some(value).filter(|text| !text.is_empty()))
    }

    fn text(&self, name: &str, max: usize) -> Result<Option<String>, FieldError> {
        let Some(text) = self.string(name)? else {
            return Ok(None);
        };
        if text.chars().count() > max {
            return Err(self.fault(name, &format!("must have at most {max} characters")));
        }
        Ok(Some(text.to_owned()))
    }

    fn free_text(&self, name: &str) -> Result<Option<String>, FieldError> {
        let text = self.string(name)?.map(str::trim).filter(|text| !text.is_empty());
        Ok(text.map(|text| text.chars().take(FREE_TEXT_MAX).collect()))
    }

    /// Text that is compared and looked up, so it must be one line.
    fn id(&self, name: &str, max: usize) -> Result<Option<String>, FieldError> {
        let text = self.text(name, max)?;
        if text.as_deref().is_some_and(|text| text.chars().any(char::is_control)) {
            return Err(self.fault(name, "must not contain control characters"));
        }
        Ok(text)
    }

    fn required_id(&self, name: &str, max: usize) -> Result<String, FieldError> {
        self.id(name, max)?.ok_or_else(|| self.fault(name, "is required"))
    }

    fn boolean(&self, name: &str) -> Result<Option<bool>, FieldError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| self.fault(name, "must be true or false")),
        }
    }

    fn number(&self, name: &str) -> Result<Option<Number>, FieldError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number.clone())),
            Some(_) => Err(self.fault(name, "must be a number")),
        }
    }

    fn amount(&self, name: &str) -> Result<Option<i64>, FieldError> {
        let Some(number) = self.number(name)? else {
            return Ok(None);
        };
        let amount = number.as_i64().filter(|amount| (1..=AMOUNT_MAX_MINOR).contains(amount));
        let message = "must be a whole number of minor units between 1 and 9007199254740991";
        amount.map(Some).ok_or_else(|| self.fault(name, message))
    }

    fn moment(&self, name: &str) -> Result<Option<Timestamp>, FieldError> {
        let Some(text) = self.string(name)? else {
            return Ok(None);
        };
        let message = "must be an RFC 3339 date and time, for example 2026-11-19T15:04:05Z";
        Timestamp::parse(text).map(Some).map_err(|_| self.fault(name, message))
    }
}
