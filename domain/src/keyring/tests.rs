#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::time::MINUTE_MS;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_763_564_645_000);
const ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const ONES: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn link() -> LinkId {
    "lnk_00000000000000000000000000".parse().unwrap()
}

fn both() -> Keyring {
    Keyring::parse(&format!("k2:{ONES}, k1:{ZEROS}")).unwrap()
}

#[test]
fn the_first_key_is_the_current_one() {
    assert_eq!(both().current_id(), "k2");
    assert_eq!(Keyring::parse(&format!("k1:{ZEROS}")).unwrap(), Keyring::single("k1", [0; 32]));
}

#[test]
fn a_bad_keyring_says_which_entry_and_never_shows_it() {
    let cases = [
        (String::new(), BadKeyring::Empty),
        ("  ".to_owned(), BadKeyring::Empty),
        (format!("k1:{ZEROS},"), BadKeyring::Malformed { position: 2 }),
        (ZEROS.to_owned(), BadKeyring::Malformed { position: 1 }),
        (format!(":{ZEROS}"), BadKeyring::BadId { position: 1 }),
        (format!("K1:{ZEROS}"), BadKeyring::BadId { position: 1 }),
        (format!("{}:{ZEROS}", "k".repeat(17)), BadKeyring::BadId { position: 1 }),
        ("k1:AAAA".to_owned(), BadKeyring::Length { id: "k1".to_owned() }),
        ("k1:not base64".to_owned(), BadKeyring::Length { id: "k1".to_owned() }),
        (format!("k1:{ZEROS}AAAA"), BadKeyring::Length { id: "k1".to_owned() }),
        (format!("k1:{ZEROS},k1:{ONES}"), BadKeyring::Twice { id: "k1".to_owned() }),
    ];
    for (text, error) in cases {
        assert_eq!(Keyring::parse(&text), Err(error.clone()), "{text}");
        assert!(!error.to_string().contains("AAAA"));
    }
}

/// Computed with Python's `hmac`, `hashlib` and `base64`.
#[test]
fn tokens_and_secrets_are_what_anybody_computes_from_the_key() {
    let ring = Keyring::single("k1", [1; 32]);
    assert_eq!(
        ring.link_token("k1", &link()).unwrap().expose(),
        "A5IwXeHoPROn7svTyMnMQW-b058RnXZLQyksjHK2BtA"
    );
    assert_eq!(
        ring.derived_secret("dialer", "mer_1", 2),
        "whsec_EE6XfPUrRn61hEFXhEsGvN5wcIGtuk1xJXI7Mbcz/DI="
    );
    assert_eq!(token_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(payer_hash("abc"), "43b5418284b9dd14c76230ea91b7122a808adde4db2f24bd0de9f807770611ee");
}

#[test]
fn a_token_is_said_again_with_the_key_that_made_it() {
    let before = Keyring::parse(&format!("k1:{ZEROS}")).unwrap();
    let token = before.link_token("k1", &link()).unwrap();
    assert_eq!(both().link_token("k1", &link()), Some(token.clone()));
    assert_ne!(both().link_token("k2", &link()), Some(token.clone()));
    assert_eq!(both().link_token("k3", &link()), None);
    assert_eq!(token.expose().len(), 43);
    assert_eq!(token.hash(), token_hash(token.expose()));
}

#[test]
fn no_secret_shows_in_a_log() {
    let ring = both();
    let token = ring.link_token("k2", &link()).unwrap();
    assert_eq!(format!("{ring:?}"), "[Key(k2, …), Key(k1, …)]");
    assert_eq!(format!("{token:?}"), "Token(…)");
}

#[test]
fn every_label_subject_generation_and_key_has_its_own_secret() {
    let ring = both();
    let secrets = [
        ring.derived_secret("webhook", "mer_1", 1),
        ring.derived_secret("webhook", "mer_1", 2),
        ring.derived_secret("webhook", "mer_2", 1),
        ring.derived_secret("dialer", "mer_1", 1),
        ring.derived_secrets("webhook", "mer_1", 1)[1].clone(),
    ];
    let distinct: std::collections::BTreeSet<&String> = secrets.iter().collect();
    assert_eq!(distinct.len(), secrets.len());
    assert!(secrets.iter().all(|secret| secret.starts_with("whsec_")));
}

#[test]
fn during_an_exchange_of_keys_the_former_secret_is_still_accepted() {
    let before = Keyring::parse(&format!("k1:{ZEROS}")).unwrap().derived_secret("webhook", "mer_1", 1);
    let accepted = both().derived_secrets("webhook", "mer_1", 1);
    assert_eq!(accepted[0], both().derived_secret("webhook", "mer_1", 1));
    assert_eq!(accepted[1], before);
}

#[test]
fn a_nonce_is_good_for_what_it_was_made_for_until_its_time() {
    let ring = both();
    let end = NOW.plus_ms(10 * MINUTE_MS);
    let nonce = ring.nonce("renew", "lnk_1", end);
    assert!(ring.check_nonce("renew", "lnk_1", &nonce, NOW));
    assert!(ring.check_nonce("renew", "lnk_1", &nonce, end.plus_ms(-1)));
    assert!(!ring.check_nonce("renew", "lnk_1", &nonce, end));
    assert!(!ring.check_nonce("renew", "lnk_2", &nonce, NOW));
    assert!(!ring.check_nonce("question", "lnk_1", &nonce, NOW));
    assert!(!Keyring::single("k9", [9; 32]).check_nonce("renew", "lnk_1", &nonce, NOW));
}

#[test]
fn a_nonce_made_before_an_exchange_of_keys_still_works() {
    let end = NOW.plus_ms(MINUTE_MS);
    let nonce = Keyring::parse(&format!("k1:{ZEROS}")).unwrap().nonce("renew", "lnk_1", end);
    assert!(both().check_nonce("renew", "lnk_1", &nonce, NOW));
}

#[test]
fn the_time_of_a_nonce_cannot_be_moved() {
    let ring = both();
    let nonce = ring.nonce("renew", "lnk_1", NOW);
    let (_, mac) = nonce.split_once('.').unwrap();
    let later = format!("{}.{mac}", NOW.plus_ms(MINUTE_MS).millis());
    assert!(!ring.check_nonce("renew", "lnk_1", &later, NOW));
}

proptest! {
    #[test]
    fn no_text_passes_for_a_nonce(text in "\\PC{0,60}|[0-9]{1,14}\\.[A-Za-z0-9_-]{0,50}") {
        prop_assert!(!both().check_nonce("renew", "lnk_1", &text, Timestamp::from_millis(0)));
    }

    #[test]
    fn different_links_have_different_tokens(one in any::<[u8; 16]>(), other in any::<[u8; 16]>()) {
        let token = |bytes| both().link_token("k1", &LinkId::random(bytes));
        prop_assert_eq!(one == other, token(one) == token(other));
    }
}
