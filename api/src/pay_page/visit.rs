//! Who a token leads to: the link, its invoice, the merchant, and the language the customer reads.

use axum::http::HeaderMap;
use axum::http::header;
use domain::time::Timestamp;
use entities::{customer, invoice, link, merchant};
use sea_orm::{DbErr, EntityTrait};
use templates::Locale;

use super::request::is_token;
use crate::Api;

/// Everything a page starts from, read just now.
pub(super) struct Visit {
    pub(super) token: String,
    pub(super) link: link::Model,
    pub(super) invoice: invoice::Model,
    pub(super) merchant: merchant::Model,
    pub(super) locale: Locale,
}

impl Visit {
    /// What the link is worth at a moment.
    pub(super) fn standing(&self, now: Timestamp) -> domain::link::Standing {
        standing(&self.link, now)
    }
}

/// What a link is worth at a moment.
pub(super) fn standing(link: &link::Model, now: Timestamp) -> domain::link::Standing {
    let expires_at = link.expires_at_ms.map(Timestamp::from_millis);
    domain::link::standing(link.status.0, expires_at, now)
}

/// Where a token leads; nowhere when it is unknown or no token at all.
pub(super) async fn find(api: &Api, token: &str) -> Result<Option<Visit>, DbErr> {
    if !is_token(token) {
        return Ok(None);
    }
    let db = &api.db.read;
    let Some(link) = link::by_token_hash(db, &domain::keyring::token_hash(token)).await? else {
        return Ok(None);
    };
    let invoice = invoice::Entity::find_by_id(link.invoice_id.clone()).one(db).await?;
    let merchant = merchant::find(db, &link.merchant_id).await?;
    let (Some(invoice), Some(merchant)) = (invoice, merchant) else {
        return Ok(None);
    };
    let customer = customer::find(db, &link.merchant_id, &invoice.customer_id).await?;
    let spoken = customer.and_then(|customer| customer.locale);
    let locale = Locale::from_tag(spoken.as_deref().unwrap_or(&merchant.locale));
    Ok(Some(Visit { token: token.to_owned(), link, invoice, merchant, locale }))
}

/// The language of somebody we know nothing about: what their browser asks for first.
pub(super) fn browsers_locale(headers: &HeaderMap) -> Locale {
    let wish = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = wish.split([',', ';']).next().unwrap_or_default();
    Locale::from_tag(first.trim())
}
