#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// The vectors that the specification's own libraries test with.
const PUBLISHED: [(&str, &str, i64, &str, &str); 2] = [
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
];

#[test]
fn the_published_vectors_are_signed_and_believed() {
    for (key, id, at_s, body, expected) in PUBLISHED {
        assert_eq!(sign(&secret(key), id, at_s, body.as_bytes()).unwrap(), expected);
        let timestamp = at_s.to_string();
        let headers = Headers { id, timestamp: &timestamp, signature: expected };
        assert_eq!(verify(&[secret(key)], headers, body.as_bytes(), at_s * 1_000), Ok(()));
    }
}

const BODY: &[u8] = br#"{"type":"call.completed"}"#;
const NOW_S: i64 = 1_700_000_000;
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn check(secrets: &[&str], timestamp: &str, signature: &str, body: &[u8]) -> Result<(), SignatureError> {
    let secrets: Vec<SecretString> = secrets.iter().map(|text| secret(text)).collect();
    verify(&secrets, Headers { id: "msg_1", timestamp, signature }, body, NOW_S * 1_000)
}

fn signed(key: &str) -> String {
    sign(&secret(key), "msg_1", NOW_S, BODY).unwrap()
}

fn now() -> String {
    NOW_S.to_string()
}

#[test]
fn any_live_secret_and_any_signature_beside_others_will_do() {
    let good = signed(KEY);
    assert_eq!(check(&[OTHER_KEY, KEY], &now(), &good, BODY), Ok(()));
    let several = format!("v1a,AAAA v1,{} {good}", STANDARD.encode([0; 32]));
    assert_eq!(check(&[KEY], &now(), &several, BODY), Ok(()));
    let bare = KEY.trim_start_matches("whsec_");
    assert_eq!(check(&[bare], &now(), &good, BODY), Ok(()));
}

#[test]
fn one_changed_byte_anywhere_is_a_mismatch() {
    let good = signed(KEY);
    assert_eq!(check(&[KEY], &now(), &good, br#"{"type":"call.completed"} "#), Err(SignatureError::Mismatch));
    assert_eq!(check(&[OTHER_KEY], &now(), &good, BODY), Err(SignatureError::Mismatch));
    assert_eq!(check(&[KEY], &(NOW_S + 1).to_string(), &good, BODY), Err(SignatureError::Mismatch));
    let other_id = Headers { id: "msg_2", timestamp: &now(), signature: &good };
    assert_eq!(verify(&[secret(KEY)], other_id, BODY, NOW_S * 1_000), Err(SignatureError::Mismatch));
}

#[test]
fn the_window_is_five_minutes_on_both_sides_to_the_second() {
    let good = signed(KEY);
    let at = |now_s: i64| {
        verify(
            &[secret(KEY)],
            Headers { id: "msg_1", timestamp: &now(), signature: &good },
            BODY,
            now_s * 1_000,
        )
    };
    assert_eq!(at(NOW_S + 300), Ok(()));
    assert_eq!(at(NOW_S - 300), Ok(()));
    assert_eq!(at(NOW_S + 301), Err(SignatureError::Stale));
    assert_eq!(at(NOW_S - 301), Err(SignatureError::Stale));
    assert_eq!(at(i64::MAX / 1_000), Err(SignatureError::Stale));
}

#[test]
fn headers_that_cannot_be_read_are_refused() {
    let good = signed(KEY);
    for timestamp in ["", " "] {
        assert!(check(&[KEY], timestamp, &good, BODY).is_err(), "{timestamp:?}");
    }
    for timestamp in ["-1700000000", "+1700000000", " 1700000000", "1.7e9", "99999999999999999999", "now"] {
        assert_eq!(check(&[KEY], timestamp, &good, BODY), Err(SignatureError::Malformed), "{timestamp:?}");
    }
    let digest = good.trim_start_matches("v1,");
    let junk = [
        digest.to_owned(),
        format!("v2,{digest}"),
        format!("v1{digest}"),
        format!("v1,{digest}!"),
        "v1,".to_owned() + "=",
        format!("{digest},v1"),
        "v1".to_owned(),
    ];
    for signature in junk {
        assert_eq!(check(&[KEY], &now(), &signature, BODY), Err(SignatureError::Malformed), "{signature:?}");
    }
    let short = format!("v1,{}", STANDARD.encode([0; 16]));
    assert_eq!(check(&[KEY], &now(), &short, BODY), Err(SignatureError::Mismatch));
    assert_eq!(check(&[KEY], &now(), "  ", BODY), Err(SignatureError::Missing));
}

#[test]
fn an_empty_or_unreadable_secret_believes_nothing() {
    // What anybody can compute: a signature with no key at all.
    let empty = format!("v1,{}", STANDARD.encode(digest(b"", "msg_1", &now(), BODY)));
    for key in ["", "  ", "whsec_", "not base64!"] {
        assert_eq!(check(&[key], &now(), &empty, BODY), Err(SignatureError::BadSecret), "{key:?}");
        assert_eq!(sign(&secret(key), "msg_1", NOW_S, BODY), Err(SignatureError::BadSecret), "{key:?}");
    }
    assert_eq!(check(&[], &now(), &empty, BODY), Err(SignatureError::BadSecret));
}

proptest! {
    /// The specification's own crate is the judge, in both directions.
    #[test]
    fn the_reference_library_agrees(
        key in proptest::collection::vec(any::<u8>(), 1..64),
        id in "[a-zA-Z0-9_]{1,40}",
        at_s in 0..4_000_000_000_i64,
        body in any::<String>(),
    ) {
        let ours = sign(&secret(&format!("whsec_{}", STANDARD.encode(&key))), &id, at_s, body.as_bytes()).unwrap();
        let reference = standardwebhooks::Webhook::from_bytes(key.clone()).unwrap();
        let theirs = reference.sign(&id, at_s, body.as_bytes()).unwrap();
        prop_assert_eq!(&ours, &theirs);

        let timestamp = at_s.to_string();
        let headers = Headers { id: &id, timestamp: &timestamp, signature: &theirs };
        let secrets = [secret(&STANDARD.encode(&key))];
        prop_assert_eq!(verify(&secrets, headers, body.as_bytes(), at_s * 1_000), Ok(()));
    }

    #[test]
    fn no_header_breaks_the_reader(id in any::<String>(), timestamp in any::<String>(), signature in any::<String>()) {
        let headers = Headers { id: &id, timestamp: &timestamp, signature: &signature };
        prop_assert!(verify(&[secret(KEY)], headers, BODY, NOW_S * 1_000).is_err());
    }
}
