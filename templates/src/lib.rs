//! What we say: texts, emails and pages, in every language we speak, compiled into the binary.
//!
//! This crate must never read a file, a clock or the network at run time, decide what is sent to whom, or
//! fail: every template is rendered in every locale by the tests, in strict mode.

mod assets;
mod brand;
mod business;
mod docs;
mod email;
mod format;
pub mod gsm7;
mod locale;
mod pages;
mod pay_page;
mod registry;
mod sms;
mod words;

pub use assets::{ASSET_NAMES, Asset, asset, asset_url};
pub use brand::{brand_css, brand_url};
pub use business::Business;
pub use email::{EmailBody, LinkEmail, ReceiptEmail};
pub use format::{PaidWith, date, money};
pub use locale::Locale;
pub use pages::{
    DeadPage, DeadReason, ExpiredPage, PaidInvoice, Problem, ProcessingPage, QuestionRetry, ReceiptBy,
    ReceiptPage, RenewConfirm, UnsubscribePage,
};
pub use pay_page::{InvoiceDetails, Line, PayConfig, PayPage};
pub use registry::Templates;
pub use sms::{HelpText, LINK_URL_LENGTH_MAX, LinkText, ReceiptText};
