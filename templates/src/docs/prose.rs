//! Descriptions: paragraphs, and `code` in backticks. The rest of Markdown reads well enough as it is.

use serde_json::{Value, json};

/// Paragraphs of pieces, each plain or code.
pub(super) fn paragraphs(text: Option<&str>) -> Vec<Value> {
    let text = text.unwrap_or_default().replace("\r\n", "\n");
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).map(pieces).collect()
}

fn pieces(paragraph: &str) -> Value {
    let closed = paragraph.matches('`').count() / 2 * 2;
    let pieces: Vec<Value> = paragraph
        .splitn(closed + 1, '`')
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(at, piece)| json!({ "code": at % 2 == 1, "text": piece }))
        .collect();
    Value::Array(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_become_code_and_a_lone_one_stays() {
        let plain = |text: &str| json!({ "code": false, "text": text });
        assert_eq!(
            paragraphs(Some("Send `a` or `b`.\n\nIt's 5` long.")),
            vec![
                json!([
                    plain("Send "),
                    { "code": true, "text": "a" },
                    plain(" or "),
                    { "code": true, "text": "b" },
                    plain("."),
                ]),
                json!([plain("It's 5` long.")]),
            ]
        );
        assert!(paragraphs(None).is_empty());
    }
}
