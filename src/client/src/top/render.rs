//! What is seen of a model: a pure function of it, the time, and the room there is.

use std::time::SystemTime;

use muster_proto::v1::Stats;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, RenderDirection, Row, Sparkline, Table, Wrap};

use super::model::{Model, Question};
use crate::printable;
use crate::report::counted;
use crate::view::figures::span;
use crate::view::stats::{self, LINE_COLUMNS};
use crate::view::workers::{COLUMNS, row, state};

/// The least room in which anything can be read.
const WIDTH_MIN: u16 = 40;
const HEIGHT_MIN: u16 = 10;
/// From this height on the rates of the last minutes are drawn, and from that one on larger.
const HEIGHT_WITH_RATES: u16 = 16;
const HEIGHT_WITH_LARGE_RATES: u16 = 30;
/// The width of a rate beside its drawing.
const RATE_WIDTH: u16 = 24;

/// From this width on all columns of the workers that are worth their room are shown.
const WIDTH_WITH_ALL: u16 = 80;
/// Which columns of a list of workers are shown, and how wide: who, how, and what it does.
const ALL_COLUMNS: [(usize, Constraint); 8] = [
    (0, Constraint::Fill(1)),
    (1, Constraint::Fill(1)),
    (4, Constraint::Length(7)),
    (5, Constraint::Length(8)),
    (7, Constraint::Length(13)),
    (8, Constraint::Length(7)),
    (9, Constraint::Length(10)),
    (10, Constraint::Length(6)),
];
const FEW_COLUMNS: [(usize, Constraint); 5] = [
    (0, Constraint::Fill(1)),
    (5, Constraint::Length(8)),
    (8, Constraint::Length(7)),
    (9, Constraint::Length(10)),
    (10, Constraint::Length(6)),
];

/// How things look: on a terminal without colours by what else there is.
#[derive(Debug)]
pub(super) struct Theme {
    title: Style,
    names: Style,
    alarm: Style,
    rate: Style,
}

impl Theme {
    pub(super) fn new(has_colours: bool) -> Self {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let coloured = |style: Style, colour| if has_colours { style.fg(colour) } else { style };
        Self {
            title: bold,
            names: Style::new().add_modifier(Modifier::UNDERLINED),
            alarm: coloured(bold, Color::Red),
            rate: coloured(Style::new(), Color::Cyan),
        }
    }
}

/// Draws the model.
pub(super) fn render(frame: &mut Frame<'_>, model: &Model, theme: &Theme, now: SystemTime) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        return too_small(frame, area);
    }
    let rate_height = match area.height {
        HEIGHT_WITH_LARGE_RATES.. => 3,
        HEIGHT_WITH_RATES.. => 1,
        _ => 0,
    };
    let lines = model.stats.as_ref().map_or(0, |stats| stats.lines.len());
    let lines = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(1);
    let [title, rates_in, rates_out, queue, facts, workers, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(rate_height),
        Constraint::Length(rate_height),
        Constraint::Length(lines),
        Constraint::Length(3),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    render_title(frame, title, model, theme, now);
    if let Some(seen) = &model.stats {
        let (rate_in, rate_out) = stats::rates(&seen.flow);
        let flow = |of: fn(&muster_proto::v1::Flow) -> u64| seen.flow.iter().map(of).collect();
        if rate_height > 0 {
            render_rate(frame, rates_in, "in", rate_in, flow(|second| second.accepted), theme);
            render_rate(frame, rates_out, "out", rate_out, flow(|second| second.processed), theme);
        }
        render_lines(frame, queue, seen, theme);
        render_facts(frame, facts, seen, theme);
        render_workers(frame, workers, model, theme, now);
    }
    render_footer(frame, footer, model, theme);
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let (width, height) = (area.width, area.height);
    let text = format!("{width}x{height} is too small: {WIDTH_MIN}x{HEIGHT_MIN} needed. q quits");
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
}

/// Which server, and whether what is shown of it is old.
fn render_title(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: &Theme, now: SystemTime) {
    let mut line = vec![Span::styled(printable::text(&model.server), theme.title)];
    if let Some(seen) = &model.stats {
        let state = if seen.paused { theme.alarm } else { Style::new() };
        line.push(Span::raw("  "));
        line.push(Span::styled(stats::state(seen.paused), state));
    }
    if let Some(problem) = &model.problem {
        let seen_at = model.seen_at.and_then(|seen_at| now.duration_since(seen_at).ok());
        let age = seen_at.map(|age| format!("  as {} ago", span(age))).unwrap_or_default();
        line.push(Span::styled(format!("{age}  {}", printable::text(problem)), theme.alarm));
    } else if model.stats.is_none() {
        line.push(Span::raw("  not seen yet"));
    }
    frame.render_widget(Line::from(line), area);
}

/// A rate, and beside it what it was in the last minutes: the newest on the right.
fn render_rate(
    frame: &mut Frame<'_>,
    area: Rect,
    name: &str,
    rate: f64,
    flow: Vec<u64>,
    theme: &Theme,
) {
    let [text, drawing] =
        Layout::horizontal([Constraint::Length(RATE_WIDTH), Constraint::Fill(1)]).areas(area);
    frame.render_widget(Paragraph::new(format!("{name:<3} {rate:.0} a second")), text);
    let flow = fitted(&flow, usize::from(drawing.width));
    let line = Sparkline::default().data(&flow).direction(RenderDirection::RightToLeft);
    frame.render_widget(line.style(theme.rate), drawing);
}

/// As many values as there is room for, the newest first, which was the last: each the mean of as
/// many as it takes.
fn fitted(values: &[u64], width: usize) -> Vec<u64> {
    let each = values.len().div_ceil(width.max(1)).max(1);
    values.rchunks(each).map(|few| few.iter().sum::<u64>() / few.len() as u64).collect()
}

fn render_lines(frame: &mut Frame<'_>, area: Rect, seen: &Stats, theme: &Theme) {
    let rows = seen.lines.iter().map(|line| Row::new(stats::line(line)));
    let widths = [10, 12, 12, 12].map(Constraint::Length);
    let table = Table::new(rows, widths).header(Row::new(LINE_COLUMNS).style(theme.names));
    frame.render_widget(table, area);
}

/// What is not of one line of the queue.
fn render_facts(frame: &mut Frame<'_>, area: Rect, seen: &Stats, theme: &Theme) {
    let alarm = |is_on| if is_on { theme.alarm } else { Style::new() };
    let (hand, dead) = (counted(seen.leased, "chunk"), counted(seen.dead_letters, "dead letter"));
    let counts = Line::from(vec![
        Span::raw(format!("{hand} in hand  ")),
        Span::styled(dead, alarm(seen.dead_letters > 0)),
        Span::styled(format!("  workers {}", stats::workers(seen)), alarm(seen.workers_lost > 0)),
    ]);
    let store = seen.store.as_ref().map_or_else(Line::default, |store| {
        if store.problem.is_empty() {
            return Line::raw(stats::store(store));
        }
        Line::styled(format!("store: {}", printable::text(&store.problem)), theme.alarm)
    });
    frame.render_widget(Paragraph::new(vec![Line::default(), counts, store]), area);
}

/// The workers from the first one that is not scrolled away.
fn render_workers(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    theme: &Theme,
    now: SystemTime,
) {
    if area.height < 3 {
        return;
    }
    let [_, area] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let columns = if area.width < WIDTH_WITH_ALL { &FEW_COLUMNS[..] } else { &ALL_COLUMNS[..] };
    let cells = |row: [String; 11]| columns.iter().map(move |(of, _)| row[*of].clone());
    let rows = model.workers.iter().skip(model.scroll).map(|worker| {
        let style = if state(worker) == "lost" { theme.alarm } else { Style::new() };
        Row::new(cells(row(worker, now))).style(style)
    });
    let header = Row::new(cells(COLUMNS.map(str::to_owned))).style(theme.names);
    let widths = columns.iter().map(|(_, width)| *width);
    frame.render_widget(Table::new(rows, widths).header(header), area);
}

/// What is asked, or which keys there are.
fn render_footer(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: &Theme) {
    let line = match model.asked {
        Some(Question::Pause) => Line::styled("Let workers take nothing more? y/n", theme.title),
        Some(Question::Resume) => Line::styled("Let workers take again? y/n", theme.title),
        None => {
            let all = model.workers.len();
            let first = all.min(model.scroll + 1);
            Line::raw(format!("q quit  p pause/resume  j/k scroll workers ({first}/{all})"))
        }
    };
    frame.render_widget(line, area);
}

#[cfg(test)]
mod tests;
