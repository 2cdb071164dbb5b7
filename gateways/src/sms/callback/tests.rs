#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

#[test]
fn a_status_callback_says_who_and_how_far() {
    let form = b"MessageSid=SM1&SmsSid=SM1&MessageStatus=undelivered&ErrorCode=30006&To=%2B14155550142&From=%2B1800&\
        AccountSid=AC1&RawDlrDoneDate=2611191504";
    let callback = parse_status_callback(form).ok().unwrap();
    assert_eq!(callback.provider_id, "SM1");
    assert_eq!(callback.status, MessageStatus::Undelivered);
    assert_eq!(callback.error_code, Some(30006));
    assert_eq!((callback.to.as_str(), callback.from.as_str()), ("+14155550142", "+1800"));
    assert_eq!(callback.account_sid, "AC1");
    assert_eq!(callback.raw_done_at.as_deref(), Some("2611191504"));
}

#[test]
fn a_status_of_tomorrow_is_kept_as_a_word_and_ends_nothing() {
    let callback = parse_status_callback(b"MessageSid=SM1&MessageStatus=teleported&ErrorCode=").ok().unwrap();
    assert_eq!(callback.status, MessageStatus::Unrecognized);
    assert_eq!(callback.raw_status, "teleported");
    assert_eq!(callback.error_code, None);
}

#[test]
fn a_callback_without_a_name_or_a_status_is_refused_by_field() {
    let lacks = |form: &[u8]| parse_status_callback(form).err().map(|error| error.field);
    assert_eq!(lacks(b"MessageStatus=sent"), Some("MessageSid"));
    assert_eq!(lacks(b"MessageSid=SM1"), Some("MessageStatus"));
    assert_eq!(lacks(b"MessageSid=..%2F&MessageStatus=sent"), Some("MessageSid"));
    assert_eq!(lacks(b""), Some("MessageStatus"));
    assert_eq!(lacks(b"\xff\x00%zz"), Some("MessageStatus"));
}

#[test]
fn a_customers_text_is_read_for_what_it_asks() {
    let form = b"MessageSid=SM9&From=%2B14155550142&To=%2B1800&Body=please+stop+texting+me&AccountSid=AC1&NumMedia=0";
    let text = parse_inbound(form).ok().unwrap();
    assert_eq!(text.meaning, Inbound::ProbableStop);
    assert_eq!((text.from.as_str(), text.to.as_str()), ("+14155550142", "+1800"));
    assert_eq!(text.body, "please stop texting me");
    assert!(!text.answered_by_carrier);
}

#[test]
fn what_the_carrier_has_taken_itself_is_not_answered_again() {
    for (word, meaning) in [("STOP", Inbound::Stop), ("START", Inbound::Start), ("HELP", Inbound::Help)] {
        let form = format!("MessageSid=SM9&From=%2B1&To=%2B2&Body=whatever&OptOutType={word}");
        let text = parse_inbound(form.as_bytes()).ok().unwrap();
        assert_eq!(text.meaning, meaning);
        assert!(text.answered_by_carrier);
    }
    let text = parse_inbound(b"MessageSid=SM9&From=%2B1&To=%2B2&Body=STOP&OptOutType=NEW").ok().unwrap();
    assert!(text.meaning == Inbound::Stop && !text.answered_by_carrier);
}

#[test]
fn a_text_without_words_is_still_a_text() {
    let text = parse_inbound(b"MessageSid=MM9&From=%2B1&To=%2B2&NumMedia=1").ok().unwrap();
    assert_eq!((text.body.as_str(), text.meaning), ("", Inbound::Other));
}

#[test]
fn a_text_from_nobody_is_refused() {
    assert_eq!(parse_inbound(b"MessageSid=SM9&To=%2B2&Body=x").err().map(|error| error.field), Some("From"));
    assert_eq!(parse_inbound(b"MessageSid=SM9&From=%2B2&Body=x").err().map(|error| error.field), Some("To"));
}
