//! The one PaymentIntent of a payable: made once, found again when an answer was lost, canceled before its amount changes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::job::{JobKind, NewJob, Outbox};
use domain::payment::{IntentStatus, PayableStatus};
use domain::time::{HOUR_MS, Timestamp};
use entities::payable;
use gateways::stripe::{CreatePaymentIntent, PaymentIntent, PaymentMethodType, StripeError};
use queue::failpoint;
use queue::trace::{self, Exchange};
use secrecy::SecretString;

use super::fetched;
use super::refusal::Refusal;
use crate::Api;

/// Stripe forgets a key after a day; from here on we look before we create.
const KEY_TRUSTED_MS: i64 = 20 * HOUR_MS;
/// Stripe's clock and ours need not agree.
const CLOCKS_APART_MS: i64 = HOUR_MS;
/// Two tabs that press Pay at once send the same key at once; Stripe lets one wait for the other.
const IN_USE: u16 = 409;
const IN_USE_WAITS_MS: [u64; 6] = [40, 80, 160, 320, 640, 1_280];

/// What the page needs to confirm; `None` when the PaymentIntent is canceled, so that a successor takes its place.
pub(super) async fn client_secret(
    api: &Api,
    payable: &payable::Model,
    invoice_number: &str,
) -> Result<Option<SecretString>, Refusal> {
    let intent = match &payable.payment_intent_id {
        Some(id) => fetch(api, payable, id).await?,
        None => make(api, payable, invoice_number).await?,
    };
    let as_agreed = intent.amount_minor == payable.amount_minor && intent.currency == payable.currency.code();
    match intent.status {
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
            if as_agreed =>
        {
            intent.client_secret.map(Some).ok_or(Refusal::Provider)
        }
        IntentStatus::Succeeded => {
            fetched::advance(api, payable, &intent).await?;
            Err(Refusal::AlreadyPaid)
        }
        IntentStatus::Processing => {
            fetched::advance(api, payable, &intent).await?;
            Err(Refusal::Processing)
        }
        IntentStatus::Canceled => {
            fetched::advance(api, payable, &intent).await?;
            Ok(None)
        }
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::Unknown => {
            tracing::error!(payable_id = %payable.id.0, status = %intent.status, "a PaymentIntent is not as we made it");
            Err(Refusal::Provider)
        }
    }
}

/// Ends a payable whose amount no longer holds: its PaymentIntent dies at Stripe first, and when Stripe says that it is
/// too late, the payment stands.
pub(super) async fn retire(api: &Api, payable: &payable::Model) -> Result<(), Refusal> {
    let Some(id) = &payable.payment_intent_id else {
        // Nobody holds a client secret of it. A create that is under way finds the payable ended and cancels its own.
        let tx = api.db.begin().await?;
        payable::abandon(&tx, &payable.id, api.now()).await?;
        return Ok(tx.commit().await?);
    };
    let key = format!("cancel:{}:{}", payable.id.0, api.now().millis());
    let intent = match api.stripe.cancel_payment_intent(&payable.stripe_account, id, &key).await {
        Ok(canceled) => canceled,
        Err(StripeError::TooLate(intent)) => *intent,
        Err(error) => return Err(unasked(payable, &error)),
    };
    fetched::advance(api, payable, &intent).await?;
    match intent.status {
        IntentStatus::Canceled => Ok(()),
        IntentStatus::Succeeded => Err(Refusal::AlreadyPaid),
        IntentStatus::Processing => Err(Refusal::Processing),
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::Unknown => Err(Refusal::Provider),
    }
}

/// The truth about a payable's PaymentIntent.
pub(super) async fn fetch(api: &Api, payable: &payable::Model, id: &str) -> Result<PaymentIntent, Refusal> {
    let fetched = api.stripe.retrieve_payment_intent(&payable.stripe_account, id).await;
    fetched.map_err(|error| unasked(payable, &error))
}

async fn make(api: &Api, payable: &payable::Model, invoice_number: &str) -> Result<PaymentIntent, Refusal> {
    let opened_at = Timestamp::from_millis(payable.created_at_ms);
    let forgotten = api.now().since_ms(opened_at) > KEY_TRUSTED_MS;
    let found = if forgotten { look_for(api, payable).await? } else { None };
    let intent = match found {
        Some(intent) => intent,
        None => create(api, payable, &wanted(payable, invoice_number)).await?,
    };
    failpoint::reached("pay_intent_created");
    bind(api, payable, &intent).await?;
    failpoint::reached("pay_intent_committed");
    Ok(intent)
}

/// Everything in it is the row's, so that a repeat under the same key says the same.
fn wanted(payable: &payable::Model, invoice_number: &str) -> CreatePaymentIntent {
    let metadata = [
        ("postcall_invoice", payable.invoice_id.to_string()),
        (payable::METADATA_KEY, payable.id.to_string()),
        ("postcall_revision", payable.revision.to_string()),
    ];
    CreatePaymentIntent {
        account: payable.stripe_account.clone(),
        amount: payable.amount(),
        application_fee_minor: Some(payable.fee_minor),
        description: format!("Invoice {invoice_number}"),
        metadata: BTreeMap::from(metadata.map(|(name, value)| (name.to_owned(), value))),
        statement_descriptor_suffix: None,
        payment_method_types: vec![PaymentMethodType::Card],
        idempotency_key: payable.id.to_string(),
    }
}

async fn create(
    api: &Api,
    payable: &payable::Model,
    wanted: &CreatePaymentIntent,
) -> Result<PaymentIntent, Refusal> {
    let began = Instant::now();
    let mut answer = api.stripe.create_payment_intent(wanted).await;
    for wait_ms in IN_USE_WAITS_MS {
        if !matches!(answer, Err(StripeError::Retryable { status: Some(IN_USE) })) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        answer = api.stripe.create_payment_intent(wanted).await;
    }
    trace::asked(Exchange {
        name: "create_payment_intent",
        merchant_id: &payable.merchant_id.0,
        invoice_id: &payable.invoice_id.0,
        began,
        outcome: if answer.is_ok() { "created" } else { "failed" },
    });
    match answer {
        Ok(intent) => Ok(intent),
        Err(error) if is_kept(&error) => instead(api, payable, &error).await,
        Err(error) => Err(unasked(payable, &error)),
    }
}

/// Whether Stripe answers the same for as long as it knows the key.
fn is_kept(error: &StripeError) -> bool {
    match error {
        StripeError::Retryable { status: Some(status) } => *status >= 500,
        StripeError::Rejected { .. } => true,
        StripeError::Retryable { status: None }
        | StripeError::TooLate(_)
        | StripeError::Auth
        | StripeError::Unreadable
        | StripeError::ListTooLong => false,
    }
}

/// After an answer that will not change: what was made all the same, or else the end of this payable, so that the next
/// press begins with a key of its own.
async fn instead(api: &Api, payable: &payable::Model, error: &StripeError) -> Result<PaymentIntent, Refusal> {
    if let Some(intent) = look_for(api, payable).await? {
        return Ok(intent);
    }
    let tx = api.db.begin().await?;
    payable::abandon(&tx, &payable.id, api.now()).await?;
    tx.commit().await?;
    Err(unasked(payable, error))
}

async fn look_for(api: &Api, payable: &payable::Model) -> Result<Option<PaymentIntent>, Refusal> {
    let since = Timestamp::from_millis(payable.created_at_ms).plus_ms(-CLOCKS_APART_MS);
    let (account, id) = (&payable.stripe_account, payable.id.as_str());
    let found = api.stripe.find_payment_intent(account, since, payable::METADATA_KEY, id).await;
    found.map_err(|error| unasked(payable, &error))
}

/// Writes down whose PaymentIntent it is before anybody gets its secret. One whose payable ended meanwhile must die.
async fn bind(api: &Api, payable: &payable::Model, intent: &PaymentIntent) -> Result<(), Refusal> {
    let tx = api.db.begin().await?;
    payable::bind_intent(&tx, &payable.id, &intent.id).await?;
    if let Some(payer_hash) = &payable.payer_hash {
        // Another browser pressed while this one's was made: both get the secret.
        payable::set_payer(&tx, &payable.id, payer_hash).await?;
    }
    let now_is = payable::by_id(&tx, &payable.id).await?.ok_or(Refusal::Failed)?;
    let is_its_own = now_is.payment_intent_id.as_ref() == Some(&intent.id);
    let lives = now_is.status.0 == PayableStatus::Open;
    let mut outbox = Outbox::default();
    if is_its_own && !lives {
        let key = format!("{}:late", payable.id.0);
        let job = NewJob::once(JobKind::CancelPayment, payable.id.as_str(), &payable.merchant_id);
        outbox.enqueue(job.keyed(key));
    }
    api.ledger.commit(tx, outbox).await?;
    if is_its_own && lives { Ok(()) } else { Err(Refusal::AmountChanged) }
}

fn unasked(payable: &payable::Model, error: &StripeError) -> Refusal {
    tracing::warn!(payable_id = %payable.id.0, %error, "Stripe did not carry out a payment step");
    Refusal::Provider
}
