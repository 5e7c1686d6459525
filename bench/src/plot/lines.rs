//! Lines over an axis, each with its points.

use std::fmt::Write as _;

use super::scale::Scale;
use super::{colour, escaped, svg};
use crate::number::short;
use crate::spread::Spread;

const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 64.0;
const RIGHT: f64 = 24.0;
const BOTTOM: f64 = 48.0;
/// How much room a line's name has above the picture.
const NAME: f64 = 150.0;

/// A line: its points from left to right, and how far the runs of each were apart.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, Spread)>,
}

/// What stands at the axes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes<'a> {
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// The picture; `None` if there is nothing to be drawn.
pub(crate) fn draw(title: &str, axes: Axes<'_>, lines: &[Line]) -> Option<String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let x = Scale::around(points().map(|(x, _)| *x), LEFT, WIDTH - RIGHT)?;
    let ends = points().flat_map(|(_, spread)| [spread.min, spread.max]);
    let y = Scale::around(ends, HEIGHT - BOTTOM, TOP)?;
    let mut text = String::new();
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (value, place) in x.ticks() {
        let (below, value) = (bottom + 18.0, short(value));
        text += &format!(
            "<path class=\"grid\" d=\"M{place:.1},{TOP} V{bottom}\"/>\
             <text class=\"quiet\" text-anchor=\"middle\" x=\"{place:.1}\" y=\"{below}\">{value}\
             </text>\n"
        );
    }
    for (value, place) in y.ticks() {
        let (beside, base, value) = (LEFT - 8.0, place + 4.0, short(value));
        text += &format!(
            "<path class=\"grid\" d=\"M{LEFT},{place:.1} H{right}\"/>\
             <text class=\"quiet\" text-anchor=\"end\" x=\"{beside}\" y=\"{base:.1}\">{value}\
             </text>\n"
        );
    }
    for (number, line) in lines.iter().enumerate() {
        let (class, name) = (colour(number), escaped(&line.name));
        let places: Vec<String> = line
            .points
            .iter()
            .map(|(at, spread)| format!("{:.1},{:.1}", x.place(*at), y.place(spread.median)))
            .collect();
        let path = places.join(" ");
        let (key, name_x) = (LEFT + NAME * number as f64, LEFT + NAME * number as f64 + 16.0);
        text += &format!(
            "<g class=\"{class}\"><polyline fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" points=\"{path}\"/>\
             <rect x=\"{key}\" y=\"38\" width=\"10\" height=\"10\" fill=\"currentColor\"/>\
             <text x=\"{name_x}\" y=\"47\">{name}</text>\n"
        );
        for (at, spread) in &line.points {
            let at = x.place(*at);
            let [median, min, max] =
                [spread.median, spread.min, spread.max].map(|value| y.place(value));
            text += &format!(
                "<path stroke=\"currentColor\" d=\"M{at:.1},{min:.1} V{max:.1}\"/>\
                 <circle cx=\"{at:.1}\" cy=\"{median:.1}\" r=\"3.5\" fill=\"currentColor\"/>\n"
            );
        }
        text += "</g>\n";
    }
    let (middle, below) = (f64::midpoint(LEFT, right), HEIGHT - 10.0);
    let (x_name, y_name) = (escaped(axes.x), escaped(axes.y));
    writeln!(
        text,
        "<text class=\"quiet\" text-anchor=\"middle\" x=\"{middle}\" y=\"{below}\">{x_name}</text>\
         <text class=\"quiet\" x=\"12\" y=\"{}\">{y_name}</text>",
        TOP - 8.0
    )
    .ok()?;
    Some(svg(WIDTH, HEIGHT, title, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_its_points() {
        let point = |x, y| (x, Spread::of([y]).unwrap());
        let line = Line { name: "R&D".to_owned(), points: vec![point(1e3, 1e2), point(1e5, 1e4)] };
        let axes = Axes { x: "records", y: "records/s" };
        let picture = draw("Rate", axes, &[line]).unwrap();
        assert!(picture.contains("points=\"70.0,352.0 676.0,64.0\""), "{picture}");
        assert!(picture.contains("R&amp;D") && picture.contains("100 k"));
        assert!(draw("Nothing", axes, &[]).is_none());
    }
}
