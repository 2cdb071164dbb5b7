#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Instant;

use domain::time::Timestamp;
use mail_parser::{HeaderValue as Parsed, MessageParser, MimeHeaders as _};
use proptest::prelude::*;

use super::*;

fn email() -> EmailSend {
    EmailSend {
        message_id: "att_01hx".to_owned(),
        from_name: "Müller & Söhne, \"Inc\" <x>".to_owned(),
        from_address: "billing@pay.example".to_owned(),
        reply_to: Some("office@acme.example".to_owned()),
        to: "ana+1@customer.example".to_owned(),
        subject: "Factura n.º 7 — vence mañana".to_owned(),
        text: format!(
            ".hidden dot\nPague aquí: https://pay.example/p/{}\n{}",
            "t".repeat(43),
            "w".repeat(2_000)
        ),
        html: "<p>Pague <a href=\"https://pay.example/p/tok\">aquí</a></p>".to_owned(),
        list_unsubscribe: Some(format!("https://pay.example/u/{}", "u".repeat(120))),
        dated: Timestamp::from_millis(1_795_100_645_000),
        deadline: Instant::now(),
    }
}

fn written(email: &EmailSend) -> Letter {
    letter(email, "pay.example").ok().unwrap()
}

fn class(email: &EmailSend) -> Option<RejectClass> {
    letter(email, "pay.example").err().map(|refusal| refusal.class)
}

#[test]
fn another_reader_finds_in_it_what_we_put_in() {
    let letter = written(&email());
    let read = MessageParser::default().parse(&letter.bytes).unwrap();
    assert_eq!(read.message_id(), Some("att_01hx@pay.example"));
    assert_eq!(letter.message_id, "att_01hx@pay.example");
    assert_eq!(read.subject(), Some(email().subject.as_str()));
    let from = read.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name(), from.address()),
        (Some(email().from_name.as_str()), Some("billing@pay.example"))
    );
    assert_eq!(read.to().unwrap().first().unwrap().address(), Some("ana+1@customer.example"));
    assert_eq!(read.reply_to().unwrap().first().unwrap().address(), Some("office@acme.example"));
    assert_eq!(read.date().unwrap().to_timestamp(), 1_795_100_645);
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), email().text);
    assert_eq!(read.body_html(0).unwrap().trim_end(), email().html);
    assert!(read.content_type().unwrap().subtype() == Some("alternative"));
}

#[test]
fn unsubscribing_is_offered_in_one_click_and_unfolded() {
    let letter = written(&email());
    let read = MessageParser::default().parse(&letter.bytes).unwrap();
    let header = |name: &str| read.header_raw(name).map(|raw| raw.trim().to_owned());
    assert_eq!(header("List-Unsubscribe"), Some(format!("<{}>", email().list_unsubscribe.unwrap())));
    assert_eq!(header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    let plain = written(&EmailSend { list_unsubscribe: None, ..email() });
    let read = MessageParser::default().parse(&plain.bytes).unwrap();
    assert!(matches!(read.header("List-Unsubscribe"), None | Some(Parsed::Empty)));
}

#[test]
fn the_wire_carries_ascii_in_lines_of_legal_length() {
    let bytes = written(&email()).bytes;
    assert!(bytes.is_ascii());
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
}

#[test]
fn a_line_break_in_any_header_field_is_refused() {
    for breaking in ["x\r\nBcc: y@z.example", "x\ny", "x\ry", "x\u{0}", "x\u{2028}y", "x\u{85}y", "x\ty"] {
        let breaking = breaking.to_owned();
        let forged = [
            EmailSend { message_id: breaking.clone(), ..email() },
            EmailSend { from_name: breaking.clone(), ..email() },
            EmailSend { from_address: breaking.clone(), ..email() },
            EmailSend { reply_to: Some(breaking.clone()), ..email() },
            EmailSend { to: breaking.clone(), ..email() },
            EmailSend { subject: breaking.clone(), ..email() },
            EmailSend { list_unsubscribe: Some(breaking.clone()), ..email() },
        ];
        for (field, email) in forged.iter().enumerate() {
            assert_eq!(class(email), Some(RejectClass::Content), "{breaking:?} in field {field}");
        }
    }
}

#[test]
fn addresses_that_cannot_be_written_are_told_from_bad_content() {
    for to in [
        "",
        "ana",
        "ana@",
        "@customer.example",
        "ana@customer.example, b@c.example",
        "añ@customer.example",
        "a@b@c",
    ] {
        assert_eq!(
            class(&EmailSend { to: to.to_owned(), ..email() }),
            Some(RejectClass::BadAddress),
            "{to:?}"
        );
    }
    let no_sender = EmailSend { from_address: "nobody".to_owned(), ..email() };
    assert_eq!(class(&no_sender), Some(RejectClass::Content));
    let bad_id = EmailSend { message_id: "a b".to_owned(), ..email() };
    assert_eq!(class(&bad_id), Some(RejectClass::Content));
    for url in ["javascript:x", "https://x/>, <mailto:y", "not a url", "https://x/ y"] {
        let email = EmailSend { list_unsubscribe: Some(url.to_owned()), ..email() };
        assert_eq!(class(&email), Some(RejectClass::Content), "{url}");
    }
}

#[test]
fn a_sender_without_a_name_is_only_an_address() {
    let letter = written(&EmailSend { from_name: "  ".to_owned(), ..email() });
    assert!(String::from_utf8(letter.bytes).unwrap().contains("From: billing@pay.example\r\n"));
}

proptest! {
    /// Whatever a merchant is called and writes, the message has the headers we gave it and no other.
    #[test]
    fn no_name_or_subject_adds_a_header(from_name in any::<String>(), subject in any::<String>()) {
        let email = EmailSend { from_name, subject, ..email() };
        if let Ok(letter) = letter(&email, "pay.example") {
            let read = MessageParser::default().parse(&letter.bytes).unwrap();
            let names: Vec<&str> = read.headers().iter().map(|header| header.name()).collect();
            let expected = [
                "Message-ID", "Date", "From", "To", "Subject", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post",
                "MIME-Version", "Content-Type",
            ];
            prop_assert_eq!(names.len(), expected.len(), "{:?}", names);
            prop_assert!(expected.iter().all(|name| names.contains(name)), "{:?}", names);
        }
    }
}
