//! Bars, one beneath another.

use std::fmt::Write as _;

use super::scale::Scale;
use super::{colour, escaped, svg};
use crate::number::{figure, short};
use crate::spread::Spread;

const WIDTH: f64 = 960.0;
const LABELS: f64 = 480.0;
const TOP: f64 = 56.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
/// How much room the figure behind a bar has.
const FIGURES: f64 = 80.0;

/// A bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) label: String,
    /// Its length, and how far the runs were apart.
    pub(crate) spread: Spread,
    /// Bars of one group have one colour.
    pub(crate) group: usize,
}

/// The picture; `None` if there is nothing to be drawn.
pub(crate) fn draw(title: &str, bars: &[Bar]) -> Option<String> {
    let values = bars.iter().flat_map(|bar| [bar.spread.min, bar.spread.max]);
    let scale = Scale::around(values, LABELS, WIDTH - FIGURES)?;
    let bottom = TOP + ROW * bars.len() as f64;
    let mut text = String::new();
    for (value, x) in scale.ticks() {
        text += &format!("<path class=\"grid\" d=\"M{x:.1},{} V{bottom:.1}\"/>\n", TOP - 6.0);
        let (y, value) = (TOP - 12.0, short(value));
        text += &format!(
            "<text class=\"quiet\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{y}\">{value}</text>\n"
        );
    }
    for (row, bar) in bars.iter().enumerate() {
        let Spread { median, min, max, .. } = bar.spread;
        let y = TOP + ROW * row as f64;
        let (middle, base) = (y + BAR / 2.0, y + BAR - 2.0);
        let [end, min, max] = [median, min, max].map(|value| scale.place(value));
        let (length, class, label) = (end - LABELS, colour(bar.group), escaped(&bar.label));
        let (label_x, figure_x, figure) = (LABELS - 8.0, max.max(end) + 6.0, figure(median));
        writeln!(
            text,
            "<text text-anchor=\"end\" x=\"{label_x}\" y=\"{base:.1}\">{label}</text>\
             <rect class=\"{class}\" x=\"{LABELS}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR}\" \
             fill=\"currentColor\"/>\
             <path class=\"mark\" d=\"M{min:.1},{middle:.1} H{max:.1}\"/>\
             <text x=\"{figure_x:.1}\" y=\"{base:.1}\">{figure}</text>"
        )
        .ok()?;
    }
    Some(svg(WIDTH, bottom + 12.0, title, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_logarithm() {
        let bar = |label: &str, value| Bar {
            label: label.to_owned(),
            spread: Spread::of([value]).unwrap(),
            group: 0,
        };
        let picture = draw("Rates", &[bar("a < b", 1e3), bar("c", 1e5)]).unwrap();
        assert!(picture.contains("width=\"0.0\"") && picture.contains("width=\"400.0\""));
        assert!(picture.contains("a &lt; b") && picture.contains("100,000"));
        assert!(draw("Nothing", &[]).is_none());
    }
}
