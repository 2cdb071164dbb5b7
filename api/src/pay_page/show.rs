//! GET and HEAD: what a link shows. Nothing here writes, and nothing here asks Stripe.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::message::{MessageState, Purpose};
use domain::money::Money;
use domain::time::{Day, Timestamp};
use entities::{invoice, invoice_line, link, message, payable, payment};
use jiff::tz::TimeZone;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use templates::{
    DeadPage, ExpiredPage, InvoiceDetails, Line, PaidInvoice, PaidWith, PayConfig, PayPage, Problem,
    ProcessingPage, ReceiptBy, ReceiptPage,
};

use super::standing::{Facts, Shown, shown};
use super::visit::{self, Visit};
use super::{answer, business, cookies, renew};
use crate::Api;

/// `GET /p/{token}`: the page, and a cookie that shows it again without the token in the address.
pub(super) async fn by_token(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    // An address that is not even text names no link.
    let token = path.map_or_else(|_| String::new(), |Path(token)| token);
    let (answer, known) = show(&api, &token, &headers).await;
    if !known {
        return answer;
    }
    answer::with_cookie(answer, cookies::keep_link(&api.settings, &token))
}

/// `GET /p`: the same page after a reload or on the way back from the bank.
pub(super) async fn by_cookie(State(api): State<Api>, headers: HeaderMap) -> Response {
    let token = cookies::link(&headers).unwrap_or_default().to_owned();
    show(&api, &token, &headers).await.0
}

/// The page, and whether the token is known.
async fn show(api: &Api, token: &str, headers: &HeaderMap) -> (Response, bool) {
    let locale = visit::browsers_locale(headers);
    let page = match visit::find(api, token).await {
        Ok(None) => {
            return (answer::html(StatusCode::NOT_FOUND, api.templates.page_unknown(locale)), false);
        }
        Ok(Some(visit)) => page_of(api, &visit, headers).await,
        Err(error) => Err(error),
    };
    match page {
        Ok(page) => (page, true),
        Err(error) => {
            tracing::error!(%error, "the store failed a pay page");
            let text = api.templates.page_problem(locale, Problem::Failed);
            (answer::html(StatusCode::SERVICE_UNAVAILABLE, text), false)
        }
    }
}

/// The page of a known link, as things stand now.
pub(super) async fn page_of(api: &Api, visit: &Visit, headers: &HeaderMap) -> Result<Response, DbErr> {
    let payer_hash = cookies::payer(headers).map(domain::keyring::payer_hash);
    let paid = match &payer_hash {
        Some(hash) => payment::made_by(&api.db.read, &visit.invoice.id, hash).await?,
        None => None,
    };
    let (templates, locale, business) = (&api.templates, visit.locale, business::of(&visit.merchant));
    let page = match (shown(&facts(api.now(), visit, paid.is_some())), paid) {
        (Shown::Receipt, Some(payment)) => {
            (StatusCode::OK, templates.page_receipt(locale, &receipt(api, visit, &payment).await?))
        }
        (Shown::Receipt | Shown::AlreadyPaid, _) => {
            (StatusCode::OK, templates.page_already_paid(locale, &business))
        }
        (Shown::Payable, _) => payable_page(api, visit).await?,
        (Shown::Held, _) => (StatusCode::OK, templates.page_held(locale, &business)),
        (Shown::Processing, _) => {
            (StatusCode::OK, templates.page_processing(locale, &processing(api, visit, payer_hash).await?))
        }
        (Shown::Expired, _) => {
            let renewable = renew::allowed(api, &api.db.read, visit).await?.is_ok();
            let page = ExpiredPage { business, token: visit.token.clone(), renewable };
            (StatusCode::GONE, templates.page_expired(locale, &page))
        }
        (Shown::Dead(reason), _) => {
            (StatusCode::GONE, templates.page_dead(locale, &DeadPage { business, reason }))
        }
    };
    Ok(answer::html(page.0, page.1))
}

/// What decides about a visit.
pub(super) fn facts(now: Timestamp, visit: &Visit, paid_by_this_browser: bool) -> Facts {
    facts_of(now, &visit.link, &visit.invoice, visit.merchant.payable_on_hold, paid_by_this_browser)
}

/// The same for rows read in a transaction.
pub(super) fn facts_of(
    now: Timestamp,
    link: &link::Model,
    invoice: &invoice::Model,
    payable_on_hold: bool,
    paid_by_this_browser: bool,
) -> Facts {
    Facts {
        link: link.status.0,
        standing: visit::standing(link, now),
        invoice: invoice.status.0,
        on_hold: invoice.on_hold,
        payable_on_hold,
        paid_by_this_browser,
    }
}

async fn payable_page(api: &Api, visit: &Visit) -> Result<(StatusCode, String), DbErr> {
    let Some(account) = visit.merchant.stripe_account.clone() else {
        tracing::error!(merchant_id = %visit.merchant.id.0, "a merchant without a Stripe account has pay links");
        let text = api.templates.page_problem(visit.locale, Problem::Failed);
        return Ok((StatusCode::SERVICE_UNAVAILABLE, text));
    };
    let invoice = &visit.invoice;
    let page = PayPage {
        business: business::of(&visit.merchant),
        invoice_number: invoice.number.clone(),
        amount: owed(invoice),
        due_on: invoice.due_on.parse().ok(),
        on_hold: invoice.on_hold,
        details: details(api, invoice).await?,
        config: PayConfig {
            token: visit.token.clone(),
            publishable_key: api.settings.stripe_publishable_key.clone(),
            account,
            revision: invoice.revision,
            stripe_js_url: api.settings.stripe_js_url.clone(),
            return_url: format!("{}/p", api.settings.public_url),
            methods: vec!["card".to_owned()],
        },
    };
    Ok((StatusCode::OK, api.templates.page_payable(visit.locale, &page)))
}

/// What is left to pay.
pub(super) fn owed(invoice: &invoice::Model) -> Money {
    money(invoice, invoice.total_minor.saturating_sub(invoice.paid_minor))
}

fn money(invoice: &invoice::Model, amount_minor: i64) -> Money {
    Money { amount_minor, currency: invoice.currency.0 }
}

async fn details(api: &Api, invoice: &invoice::Model) -> Result<InvoiceDetails, DbErr> {
    let lines = invoice_line::Entity::find()
        .filter(invoice_line::Column::InvoiceId.eq(invoice.id.as_str()))
        .order_by_asc(invoice_line::Column::Position)
        .all(&api.db.read)
        .await?;
    let line = |line: invoice_line::Model| Line {
        description: line.description,
        quantity: (line.quantity > 1).then(|| line.quantity.to_string()),
        amount: money(invoice, line.quantity.saturating_mul(line.unit_minor)),
    };
    let some = |amount_minor: i64| (amount_minor > 0).then(|| money(invoice, amount_minor));
    Ok(InvoiceDetails {
        lines: lines.into_iter().map(line).collect(),
        tax: some(invoice.tax_minor),
        total: some(invoice.total_minor),
        paid: some(invoice.paid_minor),
    })
}

async fn processing(api: &Api, visit: &Visit, payer_hash: Option<String>) -> Result<ProcessingPage, DbErr> {
    let payable = payable::foremost(&api.db.read, &visit.invoice.id).await?;
    let pays_here =
        payer_hash.is_some() && payable.as_ref().is_some_and(|payable| payable.payer_hash == payer_hash);
    let amount = payable.as_ref().map_or_else(|| owed(&visit.invoice), payable::Model::amount);
    let payment = match &payable {
        Some(payable) => payment::of_payable(&api.db.read, &payable.id).await?,
        None => None,
    };
    Ok(ProcessingPage {
        business: business::of(&visit.merchant),
        token: visit.token.clone(),
        invoice: pays_here.then(|| PaidInvoice { number: visit.invoice.number.clone(), amount }),
        by_bank: payment.is_some_and(|payment| payment.method == payment::METHOD_BANK),
    })
}

async fn receipt(api: &Api, visit: &Visit, payment: &payment::Model) -> Result<ReceiptPage, DbErr> {
    let paid_at = Timestamp::from_millis(payment.succeeded_at_ms.unwrap_or(payment.created_at_ms));
    let zone = domain::quiet_hours::zone(&visit.merchant.time_zone).unwrap_or(TimeZone::UTC);
    Ok(ReceiptPage {
        business: business::of(&visit.merchant),
        invoice_number: visit.invoice.number.clone(),
        amount: payment.amount(),
        paid_on: Day::at(paid_at, &zone),
        paid_with: paid_with(payment),
        reference: payment.reference(),
        receipt_by: receipt_by(api, payment).await?,
    })
}

fn paid_with(payment: &payment::Model) -> Option<PaidWith> {
    if payment.method == payment::METHOD_BANK {
        return Some(PaidWith::Bank { last4: payment.last4.clone() });
    }
    let (brand, last4) = (payment.brand.clone()?, payment.last4.clone()?);
    Some(PaidWith::Card { brand, last4 })
}

/// Where the receipt went, once it went anywhere.
async fn receipt_by(api: &Api, payment: &payment::Model) -> Result<ReceiptBy, DbErr> {
    let sent = message::Entity::find()
        .filter(message::Column::Purpose.eq(Purpose::Receipt.word()))
        .filter(message::Column::PurposeRef.eq(payment.id.as_str()))
        .filter(message::Column::Status.is_in([MessageState::Sent.word(), MessageState::Delivered.word()]))
        .one(&api.db.read)
        .await?;
    Ok(match sent.map(|message| message.channel.0) {
        Some(domain::channel::Channel::Email) => ReceiptBy::Email,
        Some(domain::channel::Channel::Sms) => ReceiptBy::Text,
        None => ReceiptBy::Nowhere,
    })
}
