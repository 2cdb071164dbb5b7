use proptest::prelude::*;

use super::*;

const SECRET: &str = "whsec_test";
const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
const NOW_S: i64 = 1_700_000_000;
/// Computed elsewhere, by the scheme as documented.
const DIGEST: &str = "4c15fb2a43f93ef61eaa3e0893866d57cad9cad4223242cfb96f362480cb4021";

fn check_at(header: &str, body: &[u8], secrets: &[&str], now_s: i64) -> Result<(), SignatureError> {
    let secrets: Vec<SecretString> = secrets.iter().map(|text| SecretString::from(*text)).collect();
    verify(header, body, &secrets, now_s * 1_000, TOLERANCE_S)
}

fn check(header: &str) -> Result<(), SignatureError> {
    check_at(header, BODY, &[SECRET], NOW_S)
}

fn good() -> String {
    format!("t={NOW_S},v1={DIGEST}")
}

#[test]
fn the_documented_scheme_is_believed() {
    assert_eq!(check(&good()), Ok(()));
    assert_eq!(check(&format!("t={NOW_S}, v0=ff, v1={DIGEST}")), Ok(()));
}

#[test]
fn during_a_roll_any_digest_with_any_live_secret_will_do() {
    let rolled = format!("t={NOW_S},v1={},v1={DIGEST},v0={DIGEST}", "0".repeat(64));
    assert_eq!(check(&rolled), Ok(()));
    assert_eq!(check_at(&good(), BODY, &["whsec_new", SECRET], NOW_S), Ok(()));
}

#[test]
fn changed_bodies_and_other_secrets_are_mismatches() {
    let mut longer = BODY.to_vec();
    longer.push(b' ');
    assert_eq!(check_at(&good(), &longer, &[SECRET], NOW_S), Err(SignatureError::Mismatch));
    assert_eq!(check_at(&good(), BODY, &["whsec_other"], NOW_S), Err(SignatureError::Mismatch));
    assert_eq!(check(&format!("t={},v1={DIGEST}", NOW_S + 1)), Err(SignatureError::Mismatch));
    assert_eq!(check(&format!("t={NOW_S},v1={}", &DIGEST[..32])), Err(SignatureError::Mismatch));
}

#[test]
fn the_window_is_exact_on_both_sides() {
    assert_eq!(check_at(&good(), BODY, &[SECRET], NOW_S + 300), Ok(()));
    assert_eq!(check_at(&good(), BODY, &[SECRET], NOW_S - 300), Ok(()));
    assert_eq!(check_at(&good(), BODY, &[SECRET], NOW_S + 301), Err(SignatureError::Stale));
    assert_eq!(check_at(&good(), BODY, &[SECRET], NOW_S - 301), Err(SignatureError::Stale));
}

#[test]
fn unreadable_headers_are_refused() {
    assert_eq!(check(""), Err(SignatureError::Missing));
    let malformed = [
        DIGEST.to_owned(),
        format!("v1={DIGEST}"),
        format!("t={NOW_S}"),
        format!("t={NOW_S},v0={DIGEST}"),
        format!("t={NOW_S},v1={DIGEST}x"),
        format!("t={NOW_S},v1=zz"),
        format!("t=,v1={DIGEST}"),
        format!("t=-{NOW_S},v1={DIGEST}"),
        format!("t={NOW_S},t={NOW_S},v1={DIGEST}"),
        format!("t=999999999999999999999,v1={DIGEST}"),
    ];
    for header in malformed {
        assert_eq!(check(&header), Err(SignatureError::Malformed), "{header}");
    }
}

#[test]
fn an_empty_secret_believes_nothing() {
    let forged = format!(
        "t={NOW_S},v1={}",
        hex::encode(hmac_sha256(b"", &[NOW_S.to_string().as_bytes(), b".", BODY]))
    );
    for secrets in [&[][..], &[""][..], &["  "][..]] {
        assert_eq!(check_at(&forged, BODY, secrets, NOW_S), Err(SignatureError::BadSecret));
    }
}

proptest! {
    #[test]
    fn no_header_breaks_the_reader(header in any::<String>()) {
        prop_assert!(check(&header).is_err());
    }

    #[test]
    fn one_changed_bit_of_the_digest_is_a_mismatch(byte in 0..32_usize, bit in 0..8_u8) {
        let mut digest = hex::decode(DIGEST).unwrap_or_default();
        digest[byte] ^= 1 << bit;
        prop_assert_eq!(check(&format!("t={NOW_S},v1={}", hex::encode(digest))), Err(SignatureError::Mismatch));
    }
}
