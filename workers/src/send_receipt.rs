//! Sends the receipt of a payment. Its job comes twice: with the payment, which writes the message, and with that message,
//! which goes through the send protocol like any other.

mod address;

use std::collections::HashMap;

use domain::channel::Channel;
use domain::job::{JobKind, NewJob, Outbox};
use domain::time::{Day, Timestamp};
use entities::{message, payment};
use jiff::tz::TimeZone;
use queue::{Batch, Claimed, Handler, Outcome, failpoint};
use sea_orm::DbErr;
use templates::{Business, Locale, PaidWith, ReceiptEmail, ReceiptText};

use crate::Context;
use crate::send::{self, About, Words};

pub(crate) struct SendReceipt {
    pub(crate) context: Context,
}

impl Handler for SendReceipt {
    const KIND: JobKind = JobKind::SendReceipt;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let is_payment = |job: &Claimed| job.subject.parse::<domain::id::PaymentId>().is_ok();
        let (payments, messages): (Vec<Claimed>, Vec<Claimed>) = batch.jobs().cloned().partition(is_payment);
        write(&self.context, batch, payments).await?;
        let paid = paid(&self.context, &messages).await?;
        send::run(&self.context, batch, messages, |about| words(&self.context, about, &paid)).await
    }
}

/// Writes the messages of payments that have none, and queues them.
async fn write(context: &Context, batch: &Batch, jobs: Vec<Claimed>) -> Result<(), DbErr> {
    if jobs.is_empty() {
        return Ok(());
    }
    let subjects: Vec<String> = jobs.iter().map(|job| job.subject.clone()).collect();
    let tx = context.db.begin().await?;
    let mut outbox = Outbox::default();
    let now = context.now();
    let letters = address::all(&tx, &subjects, now, &mut outbox).await?;
    for message in message::queue(&tx, &letters, now).await? {
        outbox.enqueue(NewJob::once(JobKind::SendReceipt, message.id.as_str(), &message.merchant_id));
    }
    let settled = batch.settle(&tx, jobs.into_iter().map(|job| (job, Outcome::Done)).collect()).await?;
    failpoint::reached("receipt_before_commit");
    context.ledger.commit(tx, outbox).await?;
    failpoint::reached("receipt_committed");
    batch.committed(&settled);
    Ok(())
}

/// The payments that these messages are about, by their ids.
async fn paid(context: &Context, jobs: &[Claimed]) -> Result<HashMap<String, payment::Model>, DbErr> {
    let ids: Vec<String> = jobs.iter().map(|job| job.subject.clone()).collect();
    let messages = message::by_ids(&context.db.read, &ids).await?;
    let about: Vec<String> = messages.into_iter().map(|message| message.purpose_ref).collect();
    let payments = payment::by_ids(&context.db.read, &about).await?;
    Ok(payments.into_iter().map(|payment| (payment.id.to_string(), payment)).collect())
}

fn words(context: &Context, about: &About<'_>, paid: &HashMap<String, payment::Model>) -> Option<Words> {
    let payment = paid.get(&about.message.purpose_ref)?;
    let locale = Locale::from_tag(&about.message.locale);
    let zone = domain::quiet_hours::zone(&about.merchant.time_zone).unwrap_or(TimeZone::UTC);
    let paid_at = Timestamp::from_millis(payment.succeeded_at_ms.unwrap_or(payment.created_at_ms));
    let paid_on = Day::at(paid_at, &zone);
    let (reference, paid_with) = (payment.reference(), paid_with(payment));
    let invoice_number = about.invoice.number.clone();
    match about.message.channel.0 {
        Channel::Sms => {
            let text = ReceiptText {
                business: about.merchant.name.clone(),
                invoice_number,
                amount: payment.amount(),
                paid_on,
                paid_with,
                reference: reference.clone(),
            };
            let body = context.templates.sms_receipt(locale, &text);
            // A long name or amount crowds the reference out; then nothing in the text is this payment's alone.
            let needle = body.contains(&reference).then_some(reference);
            Some(Words::Text { body, needle })
        }
        Channel::Email => {
            let letter = ReceiptEmail {
                business: business(about),
                invoice_number,
                amount: payment.amount(),
                paid_on,
                paid_with,
                reference,
            };
            let body = context.templates.email_receipt(locale, &letter);
            Some(Words::Letter { body, list_unsubscribe: None })
        }
    }
}

fn paid_with(payment: &payment::Model) -> Option<PaidWith> {
    if payment.method == payment::METHOD_BANK {
        return Some(PaidWith::Bank { last4: payment.last4.clone() });
    }
    let (brand, last4) = (payment.brand.clone()?, payment.last4.clone()?);
    Some(PaidWith::Card { brand, last4 })
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
