use super::*;
use proptest::prelude::*;

#[test]
fn the_same_event_has_the_same_key_and_any_other_another() {
    let merchant: MerchantId = MerchantId::random([1; 16]);
    let base = read(&canonical()).unwrap().dedupe_key(&merchant);
    assert_eq!(base.len(), 64);
    for same in [
        event("/occurred_at", json!("2026-11-19T15:04:09Z")),
        event("/outcome/confidence", json!(0.5)),
        event("/outcome/evidence", json!("other words")),
    ] {
        assert_eq!(same.dedupe_key(&merchant), base);
    }
    for other in [
        event("/source", json!("vapi")),
        event("/call_id", json!("c_9f3")),
        event("/outcome/intent", json!("pay_online")),
        event("/invoice/id", json!("inv_43")),
        event("/invoice", Value::Null),
    ] {
        assert_ne!(other.dedupe_key(&merchant), base);
    }
    assert_ne!(read(&canonical()).unwrap().dedupe_key(&MerchantId::random([2; 16])), base);
}

#[test]
fn unknown_intents_are_told_apart_by_their_word() {
    let merchant = MerchantId::random([1; 16]);
    let key = |word: &str| event("/outcome/intent", json!(word)).dedupe_key(&merchant);
    assert_ne!(key("levitate"), key("gesticulate"));
}

#[test]
fn both_words_for_a_link_are_one_wish_per_call_and_invoice() {
    let (merchant, invoice) = (MerchantId::random([1; 16]), InvoiceId::random([2; 16]));
    let wish = |event: &CallEvent| event.link_wish_key(&merchant, &invoice);
    let asked = wish(&read(&canonical()).unwrap());
    assert_eq!(wish(&event("/outcome/intent", json!("pay_online"))), asked);
    assert_eq!(wish(&event("/invoice/id", json!("2026-0042"))), asked);
    assert_ne!(wish(&event("/call_id", json!("c_9f3"))), asked);
    assert_ne!(read(&canonical()).unwrap().link_wish_key(&merchant, &InvoiceId::random([3; 16])), asked);
}

proptest! {
    #[test]
    fn parts_cannot_be_shifted_into_one_another(source in "[a-z:]{1,6}", call_id in "[a-z0-9:]{1,6}") {
        let merchant = MerchantId::random([1; 16]);
        let key = |source: &str, call_id: &str| {
            let mut event = read(&canonical()).unwrap();
            event.source = source.to_owned();
            event.call_id = call_id.to_owned();
            event.dedupe_key(&merchant)
        };
        let joined = format!("{source}{call_id}");
        for cut in 1..joined.len() {
            let (left, right) = joined.split_at(cut);
            prop_assert_eq!(left == source, key(left, right) == key(&source, &call_id));
        }
    }
}
