//! A connected account, rendered.

use serde_json::{Value, json};

use crate::config::ConnectedAccount;

/// A connected account, as far as a pay page needs it.
pub(crate) fn account(account: &ConnectedAccount) -> Value {
    let mut capabilities = json!({ "card_payments": "active", "transfers": "active" });
    if account.bank_debits {
        capabilities["us_bank_account_ach_payments"] = json!("active");
    }
    json!({
        "id": account.id,
        "object": "account",
        "business_profile": {
            "mcc": null, "name": account.business_name, "product_description": null, "support_address": null,
            "support_email": null, "support_phone": null, "support_url": null, "url": null,
        },
        "business_type": "company",
        "capabilities": capabilities,
        "charges_enabled": true,
        "country": account.country,
        "created": 1_700_000_000,
        "default_currency": account.default_currency,
        "details_submitted": true,
        "email": null,
        "metadata": {},
        "payouts_enabled": true,
        "settings": {
            "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
            "card_payments": {
                "decline_on": { "avs_failure": false, "cvc_failure": false },
                "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kanji": null,
                "statement_descriptor_prefix_kana": null,
            },
            "dashboard": { "display_name": account.business_name, "timezone": "Etc/UTC" },
            "payments": {
                "statement_descriptor": "SIMULATED",
                "statement_descriptor_kana": null,
                "statement_descriptor_kanji": null,
            },
        },
        "type": "standard",
    })
}
