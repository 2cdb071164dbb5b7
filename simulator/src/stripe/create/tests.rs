#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;

fn created(body: &str) -> Result<Intent, String> {
    let account = ConnectedAccount::new("acct_1", "Bakery");
    let form = Form::parse(body.as_bytes()).unwrap();
    read(&form, Some(&account), 0).map_err(|error| {
        let body = error.body();
        let part = |key: &str| body["error"][key].as_str().unwrap_or("-").to_owned();
        format!("{} {}", part("code"), part("param"))
    })
}

#[test]
fn a_direct_charge_with_a_fee_is_accepted() {
    let body = "amount=12345&currency=USD&application_fee_amount=1234&allowed_payment_method_types[]=card\
        &allowed_payment_method_types[]=us_bank_account&metadata[postcall_invoice]=inv_1";
    let intent = created(body).unwrap();
    assert_eq!((intent.amount, intent.currency.as_str()), (12_345, "usd"));
    assert_eq!(intent.payment_method_types, ["card", "us_bank_account"]);
}

#[test]
fn types_the_account_cannot_take_are_dropped_silently() {
    let body = "amount=500&currency=eur&allowed_payment_method_types[]=card\
        &allowed_payment_method_types[]=us_bank_account";
    assert_eq!(created(body).unwrap().payment_method_types, ["card"]);
}

#[test]
fn bad_parameters_get_stripes_codes_and_name_the_field() {
    for (body, expected) in [
        ("currency=usd", "parameter_missing amount"),
        ("amount=ten&currency=usd", "parameter_invalid_integer amount"),
        ("amount=0&currency=usd", "parameter_invalid_integer amount"),
        ("amount=49&currency=usd", "amount_too_small amount"),
        ("amount=100000000&currency=usd", "amount_too_large amount"),
        ("amount=1005&currency=kwd", "- amount"),
        ("amount=500&currency=xyz", "- currency"),
        ("amount=500&currency=usd&application_fee_amount=501", "- application_fee_amount"),
        (
            "amount=500&currency=usd&application_fee_amount=0",
            "parameter_invalid_integer application_fee_amount",
        ),
        ("amount=500&currency=usd&application_fee=5", "parameter_unknown application_fee"),
        (
            "amount=500&currency=usd&payment_method_types[]=card",
            "payment_method_types_no_longer_supported payment_method_types",
        ),
    ] {
        assert_eq!(created(body).unwrap_err(), expected, "{body}");
    }
}

#[test]
fn a_fee_without_a_connected_account_is_refused() {
    let form = Form::parse(b"amount=500&currency=usd&application_fee_amount=5").unwrap();
    assert!(read(&form, None, 0).is_err());
}
