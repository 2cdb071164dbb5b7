//! How a customer can be reached, in order of trust, with every "no" we know of.

use domain::call_event::CallEvent;
use domain::channel::{EmailContact, LineType, PhoneContact, Wish};
use domain::email_address::EmailAddress;
use domain::phone::Phone;
use entities::{consent, customer, invoice, merchant, opt_out};
use sea_orm::{ConnectionTrait, DbErr};
use templates::Locale;

/// Where the contacts of one customer are written.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub event: Option<&'a CallEvent>,
    pub invoice: &'a invoice::Model,
    pub customer: &'a customer::Model,
    pub merchant: &'a merchant::Model,
}

impl Sources<'_> {
    /// What they said on the call about how to be reached.
    pub(crate) fn wish(self) -> Wish {
        let Some(event) = self.event else {
            return Wish::default();
        };
        Wish {
            preferred: event.outcome.preferred_channel,
            sms_consent: event.outcome.contact_consent.sms,
            email_consent: event.outcome.contact_consent.email,
        }
    }

    /// The language of the call, else of the customer, else of the merchant.
    pub(crate) fn locale(self) -> Locale {
        let heard = self.event.and_then(|event| event.customer.locale.as_deref());
        Locale::from_tag(heard.or(self.customer.locale.as_deref()).unwrap_or(&self.merchant.locale))
    }

    /// The countries this merchant may text to.
    pub(crate) fn countries(self) -> Vec<String> {
        let words = self.merchant.sms_countries.split(|letter: char| !letter.is_ascii_alphabetic());
        words.filter(|word| !word.is_empty()).map(str::to_ascii_uppercase).collect()
    }

    /// The numbers heard on the call, on the invoice and on the customer. What cannot be read is no number.
    fn numbers(self) -> Vec<(Phone, LineType)> {
        let read = |text: &Option<String>| Phone::parse(text.as_deref()?, Some(&self.merchant.country)).ok();
        let own = self.customer.phone.as_deref().and_then(Phone::stored);
        let heard = self.event.and_then(|event| read(&event.customer.phone));
        let billed = self.invoice.mobile_phone.as_deref().and_then(Phone::stored);
        let line = |phone: &Phone, otherwise: LineType| {
            let known = own.as_ref() == Some(phone) && self.customer.line_type.0 != LineType::Unknown;
            if known { self.customer.line_type.0 } else { otherwise }
        };
        let mut numbers: Vec<(Phone, LineType)> = Vec::new();
        let candidates =
            [(heard, LineType::Unknown), (billed, LineType::Mobile), (own.clone(), LineType::Unknown)];
        for (phone, otherwise) in candidates {
            let Some(phone) = phone else { continue };
            if !numbers.iter().any(|(other, _)| *other == phone) {
                let line_type = line(&phone, otherwise);
                numbers.push((phone, line_type));
            }
        }
        numbers
    }

    fn addresses(self) -> Vec<EmailAddress> {
        let heard = self.event.and_then(|event| event.customer.email.as_deref());
        let mut addresses: Vec<EmailAddress> = Vec::new();
        for text in [heard, self.customer.email.as_deref()].into_iter().flatten() {
            let Ok(address) = EmailAddress::parse(text) else {
                continue;
            };
            if !addresses.iter().any(|other| other.folded() == address.folded()) {
                addresses.push(address);
            }
        }
        addresses
    }

    /// The numbers to choose from; none when the merchant has nothing to text from.
    pub(crate) fn phones(self, refusals: &Refusals) -> Vec<PhoneContact> {
        let Some(sender) = self.merchant.sms_sender.as_deref() else {
            return Vec::new();
        };
        let contact = |(phone, line_type): (Phone, LineType)| {
            let opted_out = refusals.forbid(self.merchant, "sms", phone.as_str(), sender);
            PhoneContact { phone, line_type, opted_out }
        };
        self.numbers().into_iter().map(contact).collect()
    }

    /// The addresses to choose from; none when the merchant has nothing to write from.
    pub(crate) fn emails(self, refusals: &Refusals) -> Vec<EmailContact> {
        let Some(sender) = self.merchant.email_sender.as_deref() else {
            return Vec::new();
        };
        let contact = |address: EmailAddress| {
            let opted_out = refusals.forbid(self.merchant, "email", &address.folded(), sender);
            EmailContact { address, opted_out }
        };
        self.addresses().into_iter().map(contact).collect()
    }

    /// Everything a "no" may be filed under.
    fn keys(self) -> Vec<String> {
        let numbers = self.numbers().into_iter().map(|(phone, _)| phone.as_str().to_owned());
        numbers.chain(self.addresses().iter().map(EmailAddress::folded)).collect()
    }
}

/// Opt-outs and spoken words about being contacted.
pub(crate) struct Refusals {
    standing: Vec<opt_out::Model>,
    spoken: Vec<consent::Model>,
}

impl Refusals {
    /// Loads what is known about everybody in `sources`, in two statements.
    pub(crate) async fn load<C: ConnectionTrait>(db: &C, sources: &[Sources<'_>]) -> Result<Self, DbErr> {
        let recipients: Vec<String> = sources.iter().flat_map(|source| source.keys()).collect();
        let merchants: Vec<String> = sources.iter().map(|source| source.merchant.id.to_string()).collect();
        Self::of(db, &merchants, &recipients).await
    }

    /// The same for recipients that are known already.
    pub(crate) async fn of<C: ConnectionTrait>(
        db: &C,
        merchants: &[String],
        recipients: &[String],
    ) -> Result<Self, DbErr> {
        Ok(Self {
            standing: opt_out::standing(db, merchants, recipients).await?,
            spoken: consent::of_recipients(db, merchants, recipients).await?,
        })
    }

    pub(crate) fn forbid(
        &self,
        merchant: &merchant::Model,
        channel: &str,
        recipient: &str,
        sender: &str,
    ) -> bool {
        opt_out::forbids(&self.standing, &merchant.id, recipient, channel, sender)
            || consent::last_word(&self.spoken, &merchant.id, channel, recipient) == Some(false)
    }

    /// Whether the owner of this address said yes to emails.
    pub(crate) fn agreed_to_email(&self, merchant: &merchant::Model, address: &EmailAddress) -> bool {
        consent::last_word(&self.spoken, &merchant.id, "email", &address.folded()) == Some(true)
    }
}
