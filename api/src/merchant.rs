//! Who the caller is.

use axum::Json;
use axum::extract::State;
use domain::scope::Scope;
use entities::merchant;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Caller;
use crate::problem::Problem;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The merchant an API key belongs to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Merchant)]
pub(crate) struct MerchantView {
    id: String,
    name: String,
    locale: String,
    time_zone: String,
    country: String,
    support_email: Option<String>,
    support_phone: Option<String>,
    /// Whether a Stripe account is connected: without one nothing can be paid.
    stripe_connected: bool,
    sms_sender: Option<String>,
    email_sender: Option<String>,
    /// What this key may do.
    #[schema(schema_with = crate::words::scopes)]
    scopes: Vec<Scope>,
}

/// Show the merchant this key belongs to, and what the key may do.
#[utoipa::path(get, path = "/v1/merchant", tag = "Merchant", operation_id = "show_merchant",
    responses((status = 200, description = "The merchant.", body = MerchantView)))]
async fn show(State(api): State<Api>, caller: Caller) -> Result<Json<MerchantView>, Problem> {
    let row = merchant::find(&api.db.read, &caller.merchant_id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(MerchantView {
        id: row.id.0.into_string(),
        name: row.name,
        locale: row.locale,
        time_zone: row.time_zone,
        country: row.country,
        support_email: row.support_email,
        support_phone: row.support_phone,
        stripe_connected: row.stripe_account.is_some(),
        sms_sender: row.sms_sender,
        email_sender: row.email_sender,
        scopes: caller.scopes.iter().collect(),
    }))
}
