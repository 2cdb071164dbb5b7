//! What we answer to an inbound text: a document that makes the carrier send a reply, or none.

/// A reply with this text, or no reply.
#[must_use]
pub fn reply(text: Option<&str>) -> String {
    const PROLOGUE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    match text {
        Some(text) => format!("{PROLOGUE}<Response><Message>{}</Message></Response>", escape(text)),
        None => format!("{PROLOGUE}<Response/>"),
    }
}

/// Escapes markup and drops what no XML 1.0 document may hold.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' => escaped.push(letter),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if letter.is_control() => {}
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_holds_its_text_and_nothing_of_its_markup() {
        let text = "Reply \"STOP\" to <b>Müller & Söhne</b>\r\n'now'\u{0}\u{7}";
        assert_eq!(
            reply(Some(text)),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Message>Reply &quot;STOP&quot; to \
             &lt;b&gt;Müller &amp; Söhne&lt;/b&gt;\n&apos;now&apos;</Message></Response>"
        );
    }

    #[test]
    fn no_reply_is_an_empty_response() {
        assert!(reply(None).ends_with("?><Response/>"));
    }
}
