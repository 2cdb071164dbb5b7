use proptest::prelude::*;

use super::*;

#[test]
fn each_listed_word_opts_out_in_any_dress() {
    for word in STOP_WORDS {
        let shouted = word.to_uppercase();
        for text in
            [(*word).to_owned(), shouted.clone(), format!("  {shouted}!! "), format!("\"{word}.\" 🛑\n")]
        {
            assert_eq!(classify(&text), Inbound::Stop, "{text:?}");
        }
    }
    for text in ["Opt-Out", "STOP  ALL", "S.T.O.P.", "stop\u{a0}all", "stop\r\n"] {
        assert_eq!(classify(text), Inbound::Stop, "{text:?}");
    }
}

#[test]
fn wishes_in_other_words_are_probable_stops() {
    let texts = [
        "please stop texting me",
        "Stop texting me!",
        "stop it",
        "STOP please",
        "Please, STOP.",
        "just stop",
        "Don't text me again",
        "do not contact me",
        "No more messages!",
        "leave me alone",
        "take me off your list",
        "I want you to stop",
        "Unsubscribe me",
        "how do I opt out?",
        "stopp",
        "ALTO",
        "Parar",
        "¡Basta!",
        "no me escriban",
        "No me escriban más por favor",
        "No me envíen más mensajes",
        "no más mensajes",
        "quiero darme de baja",
    ];
    for text in texts {
        assert_eq!(classify(text), Inbound::ProbableStop, "{text:?}");
    }
}

#[test]
fn a_stop_that_is_none_is_left_to_people() {
    let texts = [
        "I'll stop by the office tomorrow",
        "stop by any time",
        "don't stop",
        "the bus stop",
        "can I pay at the end of the month?",
        "cancel my appointment",
        "I paid already",
        "nonstop",
        "",
        "   ",
        "🛑",
        "\u{0}",
    ];
    for text in texts {
        assert_eq!(classify(text), Inbound::Other, "{text:?}");
    }
}

#[test]
fn opting_in_and_asking_for_help_take_the_exact_word() {
    for text in ["START", "unstop", "Yes!"] {
        assert_eq!(classify(text), Inbound::Start, "{text:?}");
    }
    for text in ["HELP", "info?", "Ayuda"] {
        assert_eq!(classify(text), Inbound::Help, "{text:?}");
    }
    for text in ["yes please stop", "help me stop this"] {
        assert_eq!(classify(text), Inbound::ProbableStop, "{text:?}");
    }
    assert_eq!(classify("yes I will pay"), Inbound::Other);
}

#[test]
fn the_lists_are_written_as_texts_are_read() {
    for word in [STOP_WORDS, START_WORDS, HELP_WORDS, STOP_LIKE_WORDS, STOP_LIKE_PHRASES].concat() {
        assert_eq!(plain(word), word);
    }
}

#[test]
fn both_kinds_of_stop_opt_out_and_nothing_else_does() {
    let out: Vec<&Inbound> = Inbound::ALL.iter().filter(|inbound| inbound.opts_out()).collect();
    assert_eq!(out, [&Inbound::Stop, &Inbound::ProbableStop]);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        let _ = classify(&text);
    }

    #[test]
    fn case_and_outer_space_never_change_the_meaning(text in "[a-zA-Z '!.]{0,40}") {
        let expected = classify(&text);
        prop_assert_eq!(classify(&text.to_uppercase()), expected);
        prop_assert_eq!(classify(&format!(" \t{text} \n")), expected);
    }

    #[test]
    fn a_text_that_begins_with_please_stop_always_opts_out(rest in "[a-z ]{0,60}") {
        let text = format!("please stop {rest}");
        prop_assert!(classify(&text).opts_out());
    }
}
