//! `POST /p/pay`: the customer pressed Pay. The balance is read again, one payable stands for it, and the page gets what
//! it needs to confirm that payable's one PaymentIntent.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use domain::fee::FeePolicy;
use entities::payable::NewPayable;
use entities::{invoice, link, merchant, payable, payment};
use queue::failpoint;
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::refusal::Refusal;
use super::standing::shown;
use super::visit::{self, Visit};
use super::{answer, cookies, intent, request, show};
use crate::Api;

/// A stale payable ends, its successor is canceled at Stripe by hand, the next one holds: more is no accident.
const ROUNDS_MAX: usize = 4;

#[derive(Deserialize)]
struct Order {
    token: String,
    revision: i64,
    amount_minor: i64,
}

/// What a press of Pay came to.
enum Prepared {
    /// This payable is to be paid.
    Ready { payable: payable::Model, invoice_number: String },
    /// This one stands for an amount or revision that no longer holds.
    Stale(payable::Model),
}

pub(super) async fn pay(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    request::from_our_page(&headers, &api.settings)?;
    let order: Order = request::json(&headers, body)?;
    let visit = visit::find(&api, &order.token).await?.ok_or(Refusal::Unknown)?;
    api.limits.recipient(&visit.invoice.customer_id).map_err(|wait| Refusal::TooMany { wait })?;
    let mark = cookies::payer(&headers).map_or_else(cookies::fresh_payer, str::to_owned);
    let payer_hash = domain::keyring::payer_hash(&mark);
    for _ in 0..ROUNDS_MAX {
        match prepare(&api, &visit, &order, &payer_hash).await? {
            Prepared::Stale(payable) => intent::retire(&api, &payable).await?,
            Prepared::Ready { payable, invoice_number } => {
                failpoint::reached("pay_payable_committed");
                if let Some(secret) = intent::client_secret(&api, &payable, &invoice_number).await? {
                    let told = Json(json!({"client_secret": secret.expose_secret()})).into_response();
                    return Ok(answer::with_cookie(told, cookies::keep_payer(&api.settings, &mark)));
                }
            }
        }
    }
    Err(Refusal::Provider)
}

/// Decides and commits what is to be paid, on rows that nobody else changes meanwhile.
async fn prepare(api: &Api, visit: &Visit, order: &Order, payer_hash: &str) -> Result<Prepared, Refusal> {
    let tx = api.db.begin().await?;
    let invoice_id = visit.invoice.id.to_string();
    let invoice = invoice::lock_all(&tx, &[invoice_id]).await?.pop().ok_or(Refusal::Unknown)?;
    let link = link::by_token_hash(&tx, &visit.link.token_hash).await?.ok_or(Refusal::Unknown)?;
    let merchant = merchant::find(&tx, &link.merchant_id).await?.ok_or(Refusal::Unknown)?;
    let facts = show::facts_of(api.now(), &link, &invoice, merchant.payable_on_hold, false);
    if let Some(refusal) = Refusal::to_pay(shown(&facts)) {
        return Err(refusal);
    }
    let owed = show::owed(&invoice);
    if order.revision != invoice.revision || order.amount_minor != owed.amount_minor {
        return Err(Refusal::AmountChanged);
    }
    if !owed.chargeable() {
        return Err(Refusal::NotChargeable);
    }
    let account = merchant.stripe_account.clone().ok_or(Refusal::Failed)?;
    let payable = match payable::lock_live(&tx, &invoice.id).await? {
        Some(live) => {
            let holds =
                live.revision == invoice.revision && live.amount() == owed && live.stripe_account == account;
            if !holds {
                return Ok(Prepared::Stale(live));
            }
            payable::set_payer(&tx, &live.id, payer_hash).await?;
            payable::Model { payer_hash: Some(payer_hash.to_owned()), ..live }
        }
        None => {
            let new = new_payable(&tx, &invoice, &merchant, account, payer_hash).await?;
            // The invoice's row is ours: nobody can have opened one since we looked.
            payable::open(&tx, &new, api.now()).await?.ok_or(Refusal::Failed)?
        }
    };
    tx.commit().await?;
    Ok(Prepared::Ready { payable, invoice_number: invoice.number })
}

async fn new_payable<C: ConnectionTrait>(
    tx: &C,
    invoice: &invoice::Model,
    merchant: &merchant::Model,
    stripe_account: String,
    payer_hash: &str,
) -> Result<NewPayable, Refusal> {
    let amount = show::owed(invoice);
    let policy = policy_of(merchant)?;
    let before = payment::taken(tx, &invoice.id).await?;
    let fee_minor = policy.instalment_fee_minor(before.charged_minor, before.fee_minor, amount.amount_minor);
    Ok(NewPayable {
        merchant_id: invoice.merchant_id.0.clone(),
        invoice_id: invoice.id.0.clone(),
        revision: invoice.revision,
        amount,
        fee_minor,
        fee_policy: json!(policy).to_string(),
        stripe_account,
        payer_hash: payer_hash.to_owned(),
    })
}

fn policy_of(merchant: &merchant::Model) -> Result<FeePolicy, Refusal> {
    let nonsense = || {
        tracing::error!(merchant_id = %merchant.id.0, "a merchant's fee policy makes no sense");
        Refusal::Failed
    };
    let basis_points = u32::try_from(merchant.fee_basis_points).map_err(|_| nonsense())?;
    let policy = FeePolicy {
        basis_points,
        fixed_minor: merchant.fee_fixed_minor,
        min_minor: merchant.fee_min_minor,
        max_minor: merchant.fee_max_minor,
    };
    policy.check().map_err(|_| nonsense())
}
