//! The webhooks as the description shows them. Providers know them already; an operator wants to see them listed.

use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, HttpMethod, PathItem, Required, ResponseBuilder};

struct Webhook {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    content_type: &'static str,
    signature: &'static str,
    parameter: Option<&'static str>,
    answers: [(&'static str, &'static str); 3],
}

const TOO_LARGE: (&str, &str) = ("413", "The body is too large.");
const UNSIGNED: (&str, &str) = ("403", "The signature is missing or wrong.");

const WEBHOOKS: [Webhook; 3] = [
    Webhook {
        path: "/webhooks/stripe",
        id: "stripe_webhook",
        summary: "Take in a Stripe event of a connected account.",
        content_type: "application/json",
        signature: "Stripe-Signature",
        parameter: None,
        answers: [
            ("200", "Kept, or known already."),
            ("400", "The signature is missing, stale or wrong, or the event cannot be read."),
            TOO_LARGE,
        ],
    },
    Webhook {
        path: "/webhooks/carrier/status/{attempt_id}",
        id: "carrier_status_webhook",
        summary: "Take in what the carrier says of a text we sent.",
        content_type: "application/x-www-form-urlencoded",
        signature: "X-Twilio-Signature",
        parameter: Some("attempt_id"),
        answers: [("204", "Kept, or known already."), UNSIGNED, TOO_LARGE],
    },
    Webhook {
        path: "/webhooks/carrier/inbound",
        id: "carrier_inbound_webhook",
        summary: "Take in a text from a customer: STOP, START, HELP.",
        content_type: "application/x-www-form-urlencoded",
        signature: "X-Twilio-Signature",
        parameter: None,
        answers: [("200", "Kept; the body is the reply, as TwiML."), UNSIGNED, TOO_LARGE],
    },
];

pub(super) fn paths() -> Vec<(String, PathItem)> {
    WEBHOOKS.iter().map(|webhook| (webhook.path.to_owned(), item(webhook))).collect()
}

fn item(webhook: &Webhook) -> PathItem {
    let text = || Some(utoipa::schema!(String));
    let signature = ParameterBuilder::new().name(webhook.signature).parameter_in(ParameterIn::Header);
    let body = RequestBodyBuilder::new()
        .content(webhook.content_type, ContentBuilder::new().schema(Some(utoipa::schema!(Object))).build())
        .required(Some(Required::True));
    let mut operation = OperationBuilder::new()
        .tag("Webhooks")
        .operation_id(Some(webhook.id))
        .summary(Some(webhook.summary))
        .securities(Some([SecurityRequirement::default()]))
        .parameter(signature.required(Required::True).schema(text()))
        .request_body(Some(body.build()));
    for (status, description) in webhook.answers {
        operation = operation.response(status, ResponseBuilder::new().description(description));
    }
    if let Some(name) = webhook.parameter {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        operation = operation.parameter(parameter.required(Required::True).schema(text()));
    }
    PathItem::new(HttpMethod::Post, operation)
}
