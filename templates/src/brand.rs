//! A merchant's colour made usable: text on it and text in it meet WCAG AA (4.5:1), in light and in dark.

use serde_json::{Value, json};

type Colour = [u8; 3];

const WHITE: Colour = [0xff; 3];
const BLACK: Colour = [0; 3];
const NEAR_BLACK: Colour = [0x0b, 0x0d, 0x10];
/// The darkest surface of the light theme, and the lightest of the dark one: what holds there holds everywhere.
const PAGE_LIGHT: Colour = [0xf4, 0xf6, 0xf8];
const CARD_DARK: Colour = [0x17, 0x1b, 0x21];
/// What black becomes on a dark surface.
const PALE: Colour = [0xe9, 0xed, 0xf2];
/// Ours, when the merchant has no colour, or one that cannot be seen on white.
const CALM: Colour = [0x24, 0x56, 0xd6];

const TEXT_CONTRAST: f64 = 4.5;
/// Thin strokes on dark need a little more to look as calm as they are readable.
const TEXT_CONTRAST_DARK: f64 = 5.5;
const SHAPE_CONTRAST: f64 = 3.0;
/// Below this on white a button is no longer seen as one.
const FAINT_CONTRAST: f64 = 1.25;

/// One theme: the button's colour, the text on it, and the colour for links and the focus ring.
#[derive(Debug, Clone, Copy)]
struct Theme {
    fill: Colour,
    on_fill: Colour,
    ink: Colour,
}

/// The stylesheet of a merchant's colour, `rrggbb` with or without `#`; none for anything else.
#[must_use]
pub fn brand_css(hex: &str) -> Option<String> {
    let accent = parse(hex)?;
    Some(format!(
        ":root{{{}}}@media(prefers-color-scheme:dark){{:root{{{}}}}}",
        variables(light(accent)),
        variables(dark(accent))
    ))
}

/// Where that stylesheet is served; none when the colour is none.
#[must_use]
pub fn brand_url(hex: &str) -> Option<String> {
    parse(hex).map(|accent| format!("/assets/brand/{}.css", &written(accent)[1..]))
}

/// The same colours for an email, which has no stylesheet of its own origin.
pub(crate) fn email_colours(hex: Option<&str>) -> Value {
    let accent = hex.and_then(parse).unwrap_or(CALM);
    let (light, dark) = (light(accent), dark(accent));
    json!({
        "fill": written(light.fill),
        "on_fill": written(light.on_fill),
        "ink": written(light.ink),
        "fill_dark": written(dark.fill),
        "on_fill_dark": written(dark.on_fill),
        "ink_dark": written(dark.ink),
    })
}

fn variables(theme: Theme) -> String {
    format!(
        "--fill:{};--on-fill:{};--ink-accent:{}",
        written(theme.fill),
        written(theme.on_fill),
        written(theme.ink)
    )
}

fn light(accent: Colour) -> Theme {
    let accent = if contrast(accent, WHITE) < FAINT_CONTRAST { CALM } else { accent };
    let (fill, on_fill) = button(accent);
    Theme { fill, on_fill, ink: moved_until(accent, BLACK, |ink| contrast(ink, PAGE_LIGHT) >= TEXT_CONTRAST) }
}

fn dark(accent: Colour) -> Theme {
    // A black brand turns white in the dark; grey in between would look switched off.
    let accent = if is_grey(accent) && contrast(accent, CARD_DARK) < SHAPE_CONTRAST { PALE } else { accent };
    let seen = moved_until(accent, WHITE, |fill| contrast(fill, CARD_DARK) >= SHAPE_CONTRAST);
    let (fill, on_fill) = button(seen);
    let fill = if contrast(fill, CARD_DARK) >= FAINT_CONTRAST { fill } else { seen };
    Theme {
        fill,
        on_fill,
        ink: moved_until(accent, WHITE, |ink| contrast(ink, CARD_DARK) >= TEXT_CONTRAST_DARK),
    }
}

/// White text where the colour can carry it, darkened a little if need be; dark text on light colours.
fn button(accent: Colour) -> (Colour, Colour) {
    if contrast(accent, WHITE) < SHAPE_CONTRAST {
        return (accent, NEAR_BLACK);
    }
    (moved_until(accent, BLACK, |fill| contrast(fill, WHITE) >= TEXT_CONTRAST), WHITE)
}

/// The colour mixed with `towards` in steps of two per cent until it is good enough.
fn moved_until(colour: Colour, towards: Colour, good: impl Fn(Colour) -> bool) -> Colour {
    (0..=50).map(|step| mixed(colour, towards, step * 2)).find(|mix| good(*mix)).unwrap_or(towards)
}

fn is_grey([red, green, blue]: Colour) -> bool {
    red.max(green).max(blue) - red.min(green).min(blue) < 24
}

fn mixed(colour: Colour, towards: Colour, percent: u32) -> Colour {
    std::array::from_fn(|at| {
        let sum = u32::from(colour[at]) * (100 - percent) + u32::from(towards[at]) * percent;
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    })
}

fn parse(hex: &str) -> Option<Colour> {
    let digits = hex.strip_prefix('#').unwrap_or(hex);
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

fn written([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// WCAG 2.2's contrast ratio, 1 to 21.
#[expect(clippy::float_arithmetic, reason = "light, not money")]
fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[expect(clippy::float_arithmetic, reason = "light, not money")]
fn luminance(colour: Colour) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_extremes_have_the_known_contrast() {
        assert!((contrast(WHITE, BLACK) - 21.0).abs() < 1e-9);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 1e-9);
        assert!((contrast([0x76; 3], WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn what_is_no_colour_has_no_stylesheet() {
        for hex in ["", "fff", "#12345g", "red", "1234567", "}*{display:none", "ééé"] {
            assert_eq!(brand_css(hex), None, "{hex}");
            assert_eq!(brand_url(hex), None, "{hex}");
        }
        assert_eq!(brand_url("#0A7D55"), Some("/assets/brand/0a7d55.css".to_owned()));
        assert_eq!(brand_css("0a7d55"), brand_css("#0A7D55"));
    }

    #[test]
    fn black_turns_pale_in_the_dark() {
        assert!(
            brand_css("111111").unwrap().ends_with("--fill:#e9edf2;--on-fill:#0b0d10;--ink-accent:#e9edf2}}")
        );
    }

    #[test]
    fn a_colour_that_works_is_kept() {
        assert!(brand_css("#0a7d55").unwrap().starts_with(":root{--fill:#0a7d55;--on-fill:#ffffff"));
    }

    #[test]
    fn the_stylesheet_of_the_pages_begins_with_our_own_colour() {
        let css = crate::asset("pay.css").unwrap().body;
        assert!(css.contains(&variables(light(CALM))), "{}", variables(light(CALM)));
        assert!(css.contains(&variables(dark(CALM))), "{}", variables(dark(CALM)));
    }

    proptest! {
        #[test]
        fn every_colour_ends_readable(accent in any::<[u8; 3]>()) {
            let (light, dark) = (light(accent), dark(accent));
            prop_assert!(contrast(light.on_fill, light.fill) >= TEXT_CONTRAST);
            prop_assert!(contrast(light.ink, PAGE_LIGHT) >= TEXT_CONTRAST && contrast(light.ink, WHITE) >= TEXT_CONTRAST);
            prop_assert!(contrast(light.fill, WHITE) >= FAINT_CONTRAST);
            prop_assert!(contrast(dark.on_fill, dark.fill) >= TEXT_CONTRAST);
            prop_assert!(contrast(dark.ink, CARD_DARK) >= TEXT_CONTRAST);
            prop_assert!(contrast(dark.fill, CARD_DARK) >= FAINT_CONTRAST);
        }
    }
}
