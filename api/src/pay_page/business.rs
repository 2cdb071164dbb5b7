//! The merchant as its customer sees it.

use entities::merchant;
use templates::Business;

/// Kinds of picture a merchant's logo may be inline; our policy lets a page load no other from elsewhere.
const INLINE_LOGOS: [&str; 4] = [
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/webp;base64,",
    "data:image/gif;base64,",
];

pub(super) fn of(merchant: &merchant::Model) -> Business {
    let showable = |url: &&String| INLINE_LOGOS.iter().any(|kind| url.starts_with(kind));
    Business {
        name: merchant.name.clone(),
        logo_url: merchant.logo_url.as_ref().filter(showable).cloned(),
        accent: merchant.accent_hex.clone(),
        email: merchant.support_email.clone(),
        phone: merchant.support_phone.clone(),
        website: None,
    }
}
