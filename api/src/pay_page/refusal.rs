//! Why a request from a page is not carried out: a problem for its script, a page for a person.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use sea_orm::DbErr;
use templates::{Locale, Problem as ProblemPage};

use super::answer;
use super::standing::Shown;
use crate::Api;
use crate::problem::Problem;

#[derive(Debug)]
pub(super) enum Refusal {
    /// No such link.
    Unknown,
    Malformed(&'static str),
    TooLarge,
    OtherSite,
    TooMany {
        wait: Duration,
    },
    EmptyQuestion,
    AmountChanged,
    AlreadyPaid,
    Processing,
    LinkDead,
    InvoiceClosed,
    OnHold,
    /// Below or above what a card can be charged with.
    NotChargeable,
    /// Stripe could not be asked, or said what cannot be.
    Provider,
    /// Ours.
    Failed,
}

impl From<DbErr> for Refusal {
    fn from(error: DbErr) -> Self {
        tracing::error!(%error, "the store failed a pay page");
        Self::Failed
    }
}

impl Refusal {
    /// Why this page takes no payment; `None` for the one that does.
    pub(super) fn to_pay(shown: Shown) -> Option<Self> {
        match shown {
            Shown::Payable => None,
            Shown::Held => Some(Self::OnHold),
            Shown::Processing => Some(Self::Processing),
            Shown::Receipt | Shown::AlreadyPaid => Some(Self::AlreadyPaid),
            Shown::Dead(templates::DeadReason::Canceled) => Some(Self::InvoiceClosed),
            Shown::Expired
            | Shown::Dead(templates::DeadReason::Superseded | templates::DeadReason::Revoked) => {
                Some(Self::LinkDead)
            }
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::OtherSite => StatusCode::FORBIDDEN,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::EmptyQuestion => StatusCode::UNPROCESSABLE_ENTITY,
            Self::AmountChanged
            | Self::AlreadyPaid
            | Self::Processing
            | Self::LinkDead
            | Self::InvoiceClosed
            | Self::OnHold
            | Self::NotChargeable => StatusCode::CONFLICT,
            Self::Provider | Self::Failed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_link",
            Self::Malformed(_) => "malformed_request",
            Self::TooLarge => "body_too_large",
            Self::OtherSite => "other_site",
            Self::TooMany { .. } => "too_many_requests",
            Self::EmptyQuestion => "empty_question",
            Self::AmountChanged => "amount_changed",
            Self::AlreadyPaid => "already_paid",
            Self::Processing => "payment_processing",
            Self::LinkDead => "link_dead",
            Self::InvoiceClosed => "invoice_closed",
            Self::OnHold => "on_hold",
            Self::NotChargeable => "not_chargeable",
            Self::Provider => "payment_provider_unavailable",
            Self::Failed => "unavailable",
        }
    }

    const fn detail(&self) -> &'static str {
        match self {
            Self::Unknown => "There is no such link.",
            Self::Malformed(why) => why,
            Self::TooLarge => "The body is larger than anything this page sends.",
            Self::OtherSite => "The request came from another site.",
            Self::TooMany { .. } => "There were too many of these; try again later.",
            Self::EmptyQuestion => "Write a question of 1 to 2000 characters.",
            Self::AmountChanged => "The amount has changed since the page was shown.",
            Self::AlreadyPaid => "The invoice is paid.",
            Self::Processing => "A payment of the invoice is being processed.",
            Self::LinkDead => "The link can no longer be paid with.",
            Self::InvoiceClosed => "The invoice was canceled.",
            Self::OnHold => "A question about the invoice is open and no payment is taken meanwhile.",
            Self::NotChargeable => "The amount cannot be charged to a card.",
            Self::Provider => "The payment provider could not be asked. Nothing was charged by this request.",
            Self::Failed => "Something went wrong on our side. Try again.",
        }
    }

    /// For a person who posted a form.
    pub(super) fn page(&self, api: &Api, locale: Locale) -> Response {
        let templates = &api.templates;
        let html = match self {
            Self::Unknown => templates.page_unknown(locale),
            Self::TooMany { .. } => templates.page_problem(locale, ProblemPage::TooMany),
            Self::Malformed(_) | Self::TooLarge | Self::OtherSite | Self::EmptyQuestion => {
                templates.page_problem(locale, ProblemPage::BadRequest)
            }
            Self::AmountChanged
            | Self::AlreadyPaid
            | Self::Processing
            | Self::LinkDead
            | Self::InvoiceClosed
            | Self::OnHold
            | Self::NotChargeable
            | Self::Provider
            | Self::Failed => templates.page_problem(locale, ProblemPage::Failed),
        };
        let mut page = answer::html(self.status(), html);
        if let Self::TooMany { wait } = self {
            let told = Problem::too_many(self.detail(), *wait).into_response();
            page.headers_mut()
                .extend(told.headers().get(RETRY_AFTER).cloned().map(|wait| (RETRY_AFTER, wait)));
        }
        page
    }
}

/// For the page's script.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::TooMany { wait } = self {
            return Problem::too_many(self.detail(), wait).into_response();
        }
        Problem::new(self.status(), self.code(), self.detail()).into_response()
    }
}
