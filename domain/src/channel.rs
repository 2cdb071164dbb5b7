//! The channel: where a link goes, given what the customer asked for and how they can be reached.

use crate::email_address::EmailAddress;
use crate::phone::{NotTextable, Phone};

crate::words! {
    /// A way to reach a customer.
    pub enum Channel {
        /// A text message.
        Sms = "sms",
        /// An email.
        Email = "email",
    }
}

crate::words! {
    /// What kind of line a number is, as the merchant said it or a carrier's refusal taught us.
    pub enum LineType {
        /// Nobody said. Most North American numbers stay so until a carrier refuses a text.
        Unknown = "unknown",
        /// Takes texts.
        Mobile = "mobile",
        /// Does not.
        Landline = "landline",
        /// Internet telephony; many take texts.
        Voip = "voip",
        /// 800 numbers.
        TollFree = "toll_free",
        /// 900 numbers, and others that cost the caller.
        Premium = "premium",
        /// Pagers.
        Pager = "pager",
        /// Anything else that is nobody's mobile.
        Other = "other",
    }
}

crate::words! {
    /// Why a channel cannot be used.
    pub enum Reason {
        /// There is no phone number.
        NoPhone = "no_phone",
        /// The number said STOP.
        PhoneOptedOut = "phone_opted_out",
        /// On the call the customer refused texts.
        SmsRefused = "sms_refused",
        /// The number is a landline.
        Landline = "landline",
        /// The number is toll-free, premium, a pager or the like.
        NotTextable = "not_textable",
        /// The number's country is not on the merchant's list.
        CountryNotAllowed = "country_not_allowed",
        /// There is no email address.
        NoEmail = "no_email",
        /// The address unsubscribed.
        EmailOptedOut = "email_opted_out",
        /// On the call the customer refused emails.
        EmailRefused = "email_refused",
    }
}

/// What the customer said on the call about how to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// What they asked for.
    pub preferred: Option<Channel>,
    /// Whether they agreed to texts; `None` when it was not spoken about.
    pub sms_consent: Option<bool>,
    /// Whether they agreed to emails; `None` when it was not spoken about.
    pub email_consent: Option<bool>,
}

/// A number the customer might be reached at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneContact {
    /// The number.
    pub phone: Phone,
    /// What is known about the line.
    pub line_type: LineType,
    /// The number said STOP to this merchant.
    pub opted_out: bool,
}

/// An address the customer might be reached at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailContact {
    /// The address.
    pub address: EmailAddress,
    /// The address unsubscribed from this merchant.
    pub opted_out: bool,
}

/// Where the link goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// By text.
    Sms(Phone),
    /// By email.
    Email(EmailAddress),
    /// Nowhere: a person has to find a contact. Each reason once, phone before email.
    NeedsContact(Vec<Reason>),
}

/// Where a link goes. Contacts come in order of trust: heard on the call, on the invoice, on the customer.
///
/// A preference orders the channels and forbids none; a refusal or an opt-out forbids, whatever was preferred.
#[must_use]
pub fn resolve<S: AsRef<str>>(
    wish: &Wish,
    phones: &[PhoneContact],
    emails: &[EmailContact],
    allowed_countries: &[S],
) -> Resolution {
    let sms = by_sms(wish, phones, allowed_countries);
    let email = by_email(wish, emails);
    let email_first = wish.preferred == Some(Channel::Email);
    match (sms, email) {
        (Ok(_), Ok(address)) if email_first => Resolution::Email(address.clone()),
        (Ok(phone), _) => Resolution::Sms(phone.clone()),
        (Err(_), Ok(address)) => Resolution::Email(address.clone()),
        (Err(mut reasons), Err(more)) => {
            reasons.extend(more);
            Resolution::NeedsContact(reasons)
        }
    }
}

/// Where a link goes after the carrier reported its text undelivered: by email, or to a person. Never by another
/// text, because the first may still arrive.
#[must_use]
pub fn fallback_after_undelivered(wish: &Wish, emails: &[EmailContact]) -> Resolution {
    match by_email(wish, emails) {
        Ok(address) => Resolution::Email(address.clone()),
        Err(reasons) => Resolution::NeedsContact(reasons),
    }
}

fn by_sms<'a, S: AsRef<str>>(
    wish: &Wish,
    phones: &'a [PhoneContact],
    allowed_countries: &[S],
) -> Result<&'a Phone, Vec<Reason>> {
    if wish.sms_consent == Some(false) {
        return Err(vec![Reason::SmsRefused]);
    }
    let mut reasons = Vec::new();
    for contact in phones {
        match usable(contact, allowed_countries) {
            Ok(()) => return Ok(&contact.phone),
            Err(reason) if reasons.contains(&reason) => {}
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() {
        reasons.push(Reason::NoPhone);
    }
    Err(reasons)
}

fn usable<S: AsRef<str>>(contact: &PhoneContact, allowed_countries: &[S]) -> Result<(), Reason> {
    if contact.opted_out {
        return Err(Reason::PhoneOptedOut);
    }
    contact.phone.textable(contact.line_type, allowed_countries).map_err(|why| match why {
        NotTextable::Country => Reason::CountryNotAllowed,
        NotTextable::Landline => Reason::Landline,
        NotTextable::Line => Reason::NotTextable,
    })
}

fn by_email<'a>(wish: &Wish, emails: &'a [EmailContact]) -> Result<&'a EmailAddress, Vec<Reason>> {
    if wish.email_consent == Some(false) {
        return Err(vec![Reason::EmailRefused]);
    }
    let usable = emails.iter().find(|contact| !contact.opted_out);
    match usable {
        Some(contact) => Ok(&contact.address),
        None if emails.is_empty() => Err(vec![Reason::NoEmail]),
        None => Err(vec![Reason::EmailOptedOut]),
    }
}

#[cfg(test)]
mod tests;
