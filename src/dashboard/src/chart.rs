//! A rate over the last minutes, as a picture and in words.

use muster_proto::v1::Flow;

use crate::human::{self, Value};

/// How many seconds a chart shows: as many as the server keeps.
const WINDOW_SECONDS: i64 = 300;
/// How high the picture is, in its own units; it is as wide as there are steps between seconds.
const HEIGHT: u64 = 1000;

/// One chart.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) name: &'static str,
    /// What is counted, in words.
    pub(crate) what: &'static str,
    pub(crate) now: Value,
    pub(crate) mean: Value,
    pub(crate) peak: Value,
    /// The axis: its top, half of it.
    pub(crate) top: Value,
    pub(crate) half: Value,
    /// The line, and the area under it, as paths of SVG.
    pub(crate) line: String,
    pub(crate) area: String,
}

/// What went in, and what went out; both with the same axis, so that they can be compared.
pub(crate) fn of_flow(flow: &[Flow]) -> [Chart; 2] {
    let most = flow.iter().map(|second| second.accepted.max(second.processed)).max();
    let top = top(most.unwrap_or(0));
    let chart = |name, what, of: fn(&Flow) -> u64| chart(name, what, &seconds(flow, of), top);
    [
        chart("In", "Records accepted", |second| second.accepted),
        chart("Out", "Records processed", |second| second.processed),
    ]
}

/// What is to be drawn: where each second stands in the picture, and how much it had.
fn seconds(flow: &[Flow], of: fn(&Flow) -> u64) -> Vec<(i64, u64)> {
    let second = |flow: &Flow| flow.at.map(|at| at.seconds);
    let Some(newest) = flow.last().and_then(second) else {
        return Vec::new();
    };
    let place = |at: i64| WINDOW_SECONDS - 1 - newest.saturating_sub(at);
    flow.iter()
        .filter_map(|point| Some((place(second(point)?), of(point))))
        .filter(|(x, _)| (0..WINDOW_SECONDS).contains(x))
        .collect()
}

fn chart(name: &'static str, what: &'static str, points: &[(i64, u64)], top: u64) -> Chart {
    let rates = || points.iter().map(|(_, rate)| *rate);
    let sum: u128 = rates().map(u128::from).sum();
    let mean = sum / (points.len().max(1)) as u128;
    let line: Vec<String> =
        points.iter().map(|(x, rate)| format!("{x},{}", height(*rate, top))).collect();
    let line = line.join(" ");
    let area = match (points.first(), points.last()) {
        (Some((first, _)), Some((last, _))) => {
            format!("M{first},{HEIGHT} L{line} L{last},{HEIGHT} Z")
        }
        _ => String::new(),
    };
    Chart {
        name,
        what,
        now: human::count(rates().next_back().unwrap_or(0)),
        mean: human::count(u64::try_from(mean).unwrap_or(u64::MAX)),
        peak: human::count(rates().max().unwrap_or(0)),
        top: human::count(top),
        half: human::count(top / 2),
        line: if line.is_empty() { line } else { format!("M{line}") },
        area,
    }
}

/// How far below the top of the picture a rate stands.
fn height(rate: u64, top: u64) -> u64 {
    let up = u128::from(rate) * u128::from(HEIGHT) / u128::from(top.max(1));
    HEIGHT.saturating_sub(u64::try_from(up).unwrap_or(HEIGHT))
}

/// The first of 10, 20, 40, 100, 200, … that is enough: round, and its half as well.
fn top(most: u64) -> u64 {
    let mut unit: u64 = 10;
    loop {
        for top in [unit, unit.saturating_mul(2), unit.saturating_mul(4)] {
            if top >= most {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn flow(points: &[(i64, u64, u64)]) -> Vec<Flow> {
        let flow = |(seconds, accepted, processed): &(i64, u64, u64)| Flow {
            at: Some(Timestamp { seconds: *seconds, nanos: 0 }),
            accepted: *accepted,
            processed: *processed,
        };
        points.iter().map(flow).collect()
    }

    #[test]
    fn the_newest_second_stands_at_the_right() {
        let [accepted, processed] = of_flow(&flow(&[(10, 0, 5), (11, 10, 5), (13, 20, 0)]));
        assert_eq!(accepted.line, "M296,1000 297,500 299,0");
        assert_eq!(accepted.area, "M296,1000 L296,1000 297,500 299,0 L299,1000 Z");
        assert_eq!(processed.line, "M296,750 297,750 299,1000");
        assert_eq!(accepted.top.text, "20");
        assert_eq!((accepted.now.text, accepted.mean.text, accepted.peak.text), {
            ("20".to_owned(), "10".to_owned(), "20".to_owned())
        });
    }

    #[test]
    fn what_is_too_old_is_left_out() {
        let [accepted, _] = of_flow(&flow(&[(0, 1, 0), (1, 2, 0), (300, 3, 0)]));
        assert_eq!(accepted.line, "M0,800 299,700");
    }

    #[test]
    fn nothing_is_a_chart_as_well() {
        let [accepted, _] = of_flow(&[]);
        assert_eq!((accepted.line.as_str(), accepted.area.as_str()), ("", ""));
        assert_eq!((accepted.now.text.as_str(), accepted.top.text.as_str()), ("0", "10"));
    }

    #[test]
    fn the_axis_ends_at_a_round_number() {
        let tops = [0, 10, 11, 21, 41, 12_000, u64::MAX].map(top);
        assert_eq!(tops, [10, 10, 20, 40, 100, 20_000, u64::MAX]);
    }
}
