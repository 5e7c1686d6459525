//! Whether the style sheet's colours can be told apart, as WCAG 2.2 reckons contrast.

use super::STYLE;

/// What is written on what: 4.5 to 1 at least (success criterion 1.4.3).
const TEXTS: [&str; 6] = ["text", "quiet", "link", "good", "warn", "bad"];
const GROUNDS: [&str; 3] = ["ground", "panel", "raised"];
/// What else must be seen: 3 to 1 at least against the ground (1.4.11).
const SHAPES: [&str; 3] = ["edge", "chart", "link"];

/// The colour of this name in a scheme.
fn colour(scheme: &str, name: &str) -> [f64; 3] {
    let declaration = format!("--{name}: #");
    let at = scheme.find(&declaration).unwrap_or_else(|| panic!("no --{name}"));
    let hex = &scheme[at + declaration.len()..][..6];
    [0, 2, 4].map(|i| {
        let channel = f64::from(u8::from_str_radix(&hex[i..i + 2], 16).unwrap()) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    })
}

fn contrast(scheme: &str, one: &str, other: &str) -> f64 {
    let luminance = |name| {
        let [red, green, blue] = colour(scheme, name);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The light scheme, and the dark one.
fn schemes() -> [&'static str; 2] {
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
    [light, dark]
}

#[test]
fn black_on_white_is_21_to_1() {
    let scheme = "--text: #000000; --ground: #ffffff; --grey: #777777;";
    assert!((contrast(scheme, "text", "ground") - 21.0).abs() < 0.001);
    assert!((contrast(scheme, "grey", "ground") - 4.48).abs() < 0.01);
}

#[test]
fn all_text_is_readable_in_both_schemes() {
    for scheme in schemes() {
        for text in TEXTS {
            for ground in GROUNDS {
                let contrast = contrast(scheme, text, ground);
                assert!(contrast >= 4.5, "--{text} on --{ground}: {contrast:.2}");
            }
        }
    }
}

#[test]
fn what_is_no_text_is_seen_in_both_schemes() {
    for scheme in schemes() {
        for shape in SHAPES {
            let contrast = contrast(scheme, shape, "ground");
            assert!(contrast >= 3.0, "--{shape}: {contrast:.2}");
        }
    }
}
