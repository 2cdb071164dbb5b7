//! Sends a pay link by text or email.

use domain::channel::Channel;
use domain::job::JobKind;
use domain::link::LIFETIME_MS;
use domain::money::Money;
use domain::time::DAY_MS;
use queue::{Batch, Claimed, Handler};
use sea_orm::DbErr;
use templates::{Business, LinkEmail, LinkText, Locale};

use crate::Context;
use crate::send::{self, About, Words};

pub(crate) struct SendLink {
    pub(crate) context: Context,
}

impl Handler for SendLink {
    const KIND: JobKind = JobKind::SendLink;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        send::run(&self.context, batch, jobs, |about| words(&self.context, about)).await
    }
}

/// The same link every time it is said. `None` when its key is gone, or the message carries no link.
pub(crate) fn words(context: &Context, about: &About<'_>) -> Option<Words> {
    let link = about.link?;
    let token = context.keyring.link_token(&link.key_id, &link.id)?;
    let url = format!("{}/p/{}", context.public_url, token.expose());
    let locale = Locale::from_tag(&about.message.locale);
    let asked_for = about.message.asked_at_ms.is_some();
    match about.message.channel.0 {
        Channel::Sms => {
            let text = LinkText { business: about.merchant.name.clone(), url, asked_for };
            let needle = Some(token.expose().to_owned());
            Some(Words::Text { body: context.templates.sms_link(locale, &text), needle })
        }
        Channel::Email => {
            let unsubscribe_url = format!("{}/u/{}", context.public_url, token.expose());
            let letter = LinkEmail {
                business: business(about),
                invoice_number: about.invoice.number.clone(),
                amount: owed(about),
                due_on: about.invoice.due_on.parse().ok(),
                url,
                valid_days: u32::try_from(LIFETIME_MS / DAY_MS).unwrap_or(0),
                asked_for,
                unsubscribe_url: Some(unsubscribe_url.clone()),
            };
            let body = context.templates.email_link(locale, &letter);
            Some(Words::Letter { body, list_unsubscribe: Some(unsubscribe_url) })
        }
    }
}

fn owed(about: &About<'_>) -> Money {
    let invoice = about.invoice;
    Money {
        amount_minor: invoice.total_minor.saturating_sub(invoice.paid_minor),
        currency: invoice.currency.0,
    }
}

fn business(about: &About<'_>) -> Business {
    let merchant = about.merchant;
    Business {
        name: merchant.name.clone(),
        logo_url: merchant.logo_url.clone(),
        accent: merchant.accent_hex.clone(),
        email: merchant.support_email.clone(),
        phone: merchant.support_phone.clone(),
        website: None,
    }
}
