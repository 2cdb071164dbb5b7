//! Names folded into the alphabet, and cut to a length without looking cut.

use super::{septets, septets_of};

/// The text in the alphabet: what it has stays (ñ, é, ü), what it lacks is written with what it has (á → a,
/// ’ → ', — → -), the rest is left out. White space collapses to single spaces.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            folded.push(' ');
        } else if septets_of(c).is_some() {
            folded.push(c);
        } else {
            folded.push_str(stand_in(c));
        }
    }
    folded.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// At most `septets_max` septets of a folded name: whole words where that keeps at least half of them.
#[must_use]
pub fn shorten(name: &str, septets_max: usize) -> String {
    if septets(name).is_some_and(|cost| cost <= septets_max) {
        return name.to_owned();
    }
    let mut used = 0;
    let mut end = 0;
    for (at, c) in name.char_indices() {
        used += septets_of(c).unwrap_or(septets_max + 1);
        if used > septets_max {
            break;
        }
        end = at + c.len_utf8();
    }
    let cut = &name[..end];
    let whole_words =
        if name[end..].starts_with(' ') { cut } else { cut.rsplit_once(' ').map_or(cut, |(head, _)| head) };
    let kept = if whole_words.len() * 2 >= cut.len() { whole_words } else { cut };
    without_loose_end(kept).to_owned()
}

/// "Hernandez & Sons Heating and" was cut in the middle of a thought; "Hernandez & Sons Heating" is a name.
fn without_loose_end(name: &str) -> &str {
    let mut name = name;
    loop {
        let bare = name
            .trim_end_matches(|c: char| !c.is_alphanumeric() && !matches!(c, ')' | '.' | '!' | '\'' | '"'));
        let next = match bare.rsplit_once(' ') {
            Some((head, "and" | "of" | "the" | "for" | "y" | "e" | "de" | "del" | "la" | "el" | "los")) => {
                head
            }
            Some(_) | None => bare,
        };
        if next.len() == name.len() {
            return name;
        }
        name = next;
    }
}

fn stand_in(c: char) -> &'static str {
    match c {
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' | 'ʼ' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '•' | '·' => "-",
        '…' => "...",
        '×' => "x",
        '№' => "No.",
        'ª' => "a",
        'º' | '°' => "o",
        '½' => "1/2",
        '‹' => "<",
        '›' => ">",
        '¢' => "c",
        _ => letter(c),
    }
}

fn letter(c: char) -> &'static str {
    match c {
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => "a",
        'Á' | 'À' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'Ć' | 'Č' | 'Ĉ' | 'Ċ' => "C",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ğ' | 'ģ' => "g",
        'Ğ' | 'Ģ' => "G",
        'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'Í' | 'Ì' | 'Î' | 'Ï' | 'Ī' | 'Į' | 'İ' => "I",
        'ķ' => "k",
        'Ķ' => "K",
        'ł' | 'ľ' | 'ļ' => "l",
        'Ł' | 'Ľ' | 'Ļ' => "L",
        'ń' | 'ň' | 'ņ' => "n",
        'Ń' | 'Ň' | 'Ņ' => "N",
        'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ō' | 'Ő' => "O",
        'œ' => "oe",
        'Œ' => "OE",
        'ř' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ť' | 'ţ' | 'ț' => "t",
        'Ť' | 'Ţ' | 'Ț' => "T",
        'þ' => "th",
        'Þ' => "Th",
        'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
        'Ú' | 'Ù' | 'Û' | 'Ū' | 'Ů' | 'Ű' => "U",
        'ý' | 'ÿ' => "y",
        'Ý' | 'Ÿ' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_folded_into_the_alphabet() {
        assert_eq!(fold("Joe’s — Heating\u{a0}& Air…"), "Joe's - Heating & Air...");
        assert_eq!(fold("Peña é Ñandú, Jalapeño’s"), "Peña é Ñandu, Jalapeño's");
        assert_eq!(fold("Plomería García Ibáñez y Óscar"), "Plomeria Garcia Ibañez y Oscar");
        assert_eq!(fold("日本 😀 Sushi"), "Sushi");
        assert_eq!(fold("e\u{301}clair"), "eclair");
    }

    #[test]
    fn a_long_name_is_cut_where_a_person_would_cut_it() {
        assert_eq!(shorten("Hernandez & Sons Heating and Air Conditioning", 30), "Hernandez & Sons Heating");
        assert_eq!(shorten("Hernandez & Sons Heating", 24), "Hernandez & Sons Heating");
        assert_eq!(shorten("Hernandez & Sons Heating", 12), "Hernandez");
        assert_eq!(shorten("Servicios de Plomeria", 12), "Servicios");
        assert_eq!(shorten("Donaudampfschifffahrtsgesellschaft", 10), "Donaudampf");
        assert_eq!(shorten("[[[[[[", 5), "");
    }

    proptest! {
        #[test]
        fn whatever_is_folded_can_be_counted(name in any::<String>()) {
            prop_assert!(septets(&fold(&name)).is_some());
        }

        #[test]
        fn whatever_is_shortened_fits(name in any::<String>(), septets_max in 0usize..80) {
            let short = shorten(&fold(&name), septets_max);
            prop_assert!(septets(&short).is_some_and(|cost| cost <= septets_max));
        }
    }
}
