use proptest::prelude::*;

use super::*;

const TOKEN: &str = "12345";
const FORM: &[u8] =
    b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
const SHUFFLED: &[u8] =
    b"To=%2B18005551212&Digits=1234&Caller=%2B14158675309&From=%2B14158675309&CallSid=CA1234567890ABCDE";

fn check(tokens: &[&str], url: &str, body: &[u8], header: &str) -> Result<(), SignatureError> {
    let tokens: Vec<SecretString> = tokens.iter().map(|text| SecretString::from(*text)).collect();
    verify(&tokens, url, body, header)
}

/// The vectors of the vendor's own libraries.
#[test]
fn the_vendors_vectors_are_believed() {
    let repeated = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234";
    let table: [(&str, &[u8], &str); 6] = [
        ("https://mycompany.com/myapp.php?foo=1&bar=2", FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com/myapp.php?foo=1&bar=2", SHUFFLED, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", FORM, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com:80/myapp.php?foo=1&bar=2", FORM, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("https://mycompany.com/myapp.php?foo=1&bar=2", repeated, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        // A port of its own is not part of what the vendor signs.
        ("https://mycompany.com:1234/myapp.php?foo=1&bar=2", FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ];
    for (url, body, header) in table {
        assert_eq!(check(&[TOKEN], url, body, header), Ok(()), "{url} {header}");
    }
}

#[test]
fn a_standard_port_may_be_named_or_not_on_either_side() {
    let named = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
    let plain = "https://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(check(&[TOKEN], named, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
    assert_eq!(check(&[TOKEN], plain, FORM, "kvajT1Ptam85bY51eRf/AJRuM3w="), Ok(()));
    let plain_http = "http://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(check(&[TOKEN], plain_http, FORM, "0ZXoZLH/DfblKGATFgpif+LLRf4="), Ok(()));
}

const HASHED_URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
const HASHED_BODY: &[u8] = br#"{"property": "value", "boolean": true}"#;
const HASHED_HEADER: &str = "a9nBmqA0ju/hNViExpshrM61xv4=";

#[test]
fn a_body_that_is_no_form_is_bound_by_its_hash() {
    assert_eq!(check(&[TOKEN], HASHED_URL, HASHED_BODY, HASHED_HEADER), Ok(()));
    let mut changed = HASHED_BODY.to_vec();
    changed.push(b' ');
    assert_eq!(check(&[TOKEN], HASHED_URL, &changed, HASHED_HEADER), Err(SignatureError::Mismatch));
    let unhashed = "https://mycompany.com/?bodySHA256=zz";
    assert_eq!(check(&[TOKEN], unhashed, HASHED_BODY, HASHED_HEADER), Err(SignatureError::Malformed));
}

#[test]
fn either_token_counts_while_they_are_exchanged() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(check(&["new", TOKEN], url, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
    assert_eq!(check(&["new"], url, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Err(SignatureError::Mismatch));
}

#[test]
fn every_part_of_the_url_and_every_field_counts() {
    let header = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    let others = [
        "http://mycompany.com/myapp.php?foo=1&bar=2",
        "https://mycompany.com/myapp.php?foo=1&bar=3",
        "https://mycompany.com/myapp.php?bar=2&foo=1",
        "https://mycompany.com/myapp.php/?foo=1&bar=2",
        "https://mycompany.com/myapp.php?foo=1&bar=2&",
        "https://other.com/myapp.php?foo=1&bar=2",
    ];
    for url in others {
        assert_eq!(check(&[TOKEN], url, FORM, header), Err(SignatureError::Mismatch), "{url}");
    }
    let more = [FORM, b"&Extra="].concat();
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(check(&[TOKEN], url, &more, header), Err(SignatureError::Mismatch));
    assert_eq!(check(&[TOKEN], url, b"", header), Err(SignatureError::Mismatch));
}

#[test]
fn missing_and_unreadable_headers_are_refused() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(check(&[TOKEN], url, FORM, " "), Err(SignatureError::Missing));
    assert_eq!(check(&[TOKEN], url, FORM, "not base64!"), Err(SignatureError::Malformed));
    assert_eq!(check(&[TOKEN], url, FORM, "RSOYDt4T"), Err(SignatureError::Mismatch));
    assert_eq!(check(&[TOKEN], "no url", FORM, "RSOYDt4T"), Err(SignatureError::Malformed));
    assert_eq!(check(&[], url, FORM, "RSOYDt4T"), Err(SignatureError::BadSecret));
    assert_eq!(check(&[" "], url, FORM, "RSOYDt4T"), Err(SignatureError::BadSecret));
}

proptest! {
    #[test]
    fn no_callback_breaks_the_reader(url in any::<String>(), body in any::<Vec<u8>>(), header in any::<String>()) {
        prop_assert!(check(&[TOKEN], &url, &body, &header).is_err());
    }

    #[test]
    fn both_spellings_of_a_url_differ_only_in_the_port(path in "/[a-z]{0,8}", port in 1..65_535_u16) {
        let named = format!("https://pay.example:{port}{path}");
        let url = Url::parse(&named).map_err(|_| TestCaseError::reject("url"))?;
        prop_assert_eq!(spellings(&named, &url), [named.clone(), format!("https://pay.example{path}")]);
    }
}
