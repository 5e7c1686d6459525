//! What a person sees, as a screen of characters.

use std::time::Duration;

use muster_proto::v1::{ChunkInHand, Worker, WorkerState};
use prost_types::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::top::model::Seen;
use crate::view::stats::tests::stats;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(10_000)
}

fn worker(number: u32, state: WorkerState) -> Worker {
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    Worker {
        id: format!("w-{number}"),
        host: "build\x1b[2J".to_owned(),
        workers: 5,
        state: state.into(),
        since: at(100),
        last_heartbeat: at(9_999),
        processed: 123_456,
        failed: 7,
        in_hand: vec![ChunkInHand::default(); 3],
        ..Worker::default()
    }
}

fn model() -> Model {
    let mut model = Model::new("http://muster:50051");
    let states = [WorkerState::Running, WorkerState::Draining, WorkerState::Lost];
    let workers = (1..).zip(states).map(|(number, state)| worker(number, state)).collect();
    let mut stats = stats();
    stats.store.as_mut().unwrap().problem.clear();
    model.see(Ok(Seen { stats, workers }), now());
    model
}

fn terminal(model: &Model, has_colours: bool, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::new(has_colours);
    terminal.draw(|frame| render(frame, model, &theme, now() + Duration::from_secs(5))).unwrap();
    terminal
}

fn screen(model: &Model, width: u16, height: u16) -> String {
    terminal(model, true, width, height).backend().to_string()
}

#[test]
fn all_is_seen_where_there_is_room() {
    insta::assert_snapshot!(screen(&model(), 90, 30), @r#"
    "http://muster:50051  paused                                                               "
    "in  1450 a second                                                                   ▁▂▄▅▆█"
    "                                                                              ▂▃▄▅▇███████"
    "                                                                       ▁▂▃▅▆▇█████████████"
    "out 145 a second                                                                    ▁▂▄▅▆█"
    "                                                                              ▂▃▄▅▇███████"
    "                                                                       ▁▂▃▅▆▇█████████████"
    "line       records      size         oldest                                               "
    "high       0            0 B          -                                                    "
    "normal     12034        3.44 MiB     2m 5s                                                "
    "low\u{1b}  7            2.05 KiB     0s                                                   "
    "                                                                                          "
    "1 chunk in hand  3 dead letters  workers 5, 1 lost                                        "
    "redis 7.0.15, synced, answers in 310.4µs, uses 12.00 MiB of 1.00 GiB: full                "
    "                                                                                          "
    "worker           host             workers state    heartbeat     in hand processed  failed"
    "w-1              build\u{1b}[2J   5       running  6s ago        3       123456     7     "
    "w-2              build\u{1b}[2J   5       draining 6s ago        3       123456     7     "
    "w-3              build\u{1b}[2J   5       lost     6s ago        3       123456     7     "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "                                                                                          "
    "q quit  p pause/resume  j/k scroll workers (1/3)                                          "
    "#);
}

#[test]
fn rates_are_small_and_then_gone_where_there_is_less_room() {
    insta::assert_snapshot!(screen(&model(), 80, 17), @r#"
    "http://muster:50051  paused                                                     "
    "in  1450 a second                                              ▁▁▂▂▂▃▃▄▄▅▅▅▆▆▇▇█"
    "out 145 a second                                               ▁▁▂▂▂▃▃▄▄▅▅▅▆▆▇▇█"
    "line       records      size         oldest                                     "
    "high       0            0 B          -                                          "
    "normal     12034        3.44 MiB     2m 5s                                      "
    "low\u{1b}  7            2.05 KiB     0s                                         "
    "                                                                                "
    "1 chunk in hand  3 dead letters  workers 5, 1 lost                              "
    "redis 7.0.15, synced, answers in 310.4µs, uses 12.00 MiB of 1.00 GiB: full      "
    "                                                                                "
    "worker      host        workers state    heartbeat     in hand processed  failed"
    "w-1         build\u{1b} 5       running  6s ago        3       123456     7     "
    "w-2         build\u{1b} 5       draining 6s ago        3       123456     7     "
    "w-3         build\u{1b} 5       lost     6s ago        3       123456     7     "
    "                                                                                "
    "q quit  p pause/resume  j/k scroll workers (1/3)                                "
    "#);
    insta::assert_snapshot!(screen(&model(), 60, 12), @r#"
    "http://muster:50051  paused                                 "
    "line       records      size         oldest                 "
    "high       0            0 B          -                      "
    "normal     12034        3.44 MiB     2m 5s                  "
    "low\u{1b}  7            2.05 KiB     0s                     "
    "                                                            "
    "1 chunk in hand  3 dead letters  workers 5, 1 lost          "
    "redis 7.0.15, synced, answers in 310.4µs, uses 12.00 MiB of "
    "                                                            "
    "worker                    state    in hand processed  failed"
    "w-1                       running  3       123456     7     "
    "q quit  p pause/resume  j/k scroll workers (1/3)            "
    "#);
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    insta::assert_snapshot!(screen(&model(), 20, 4), @r#"
    "20x4 is too small:  "
    "40x10 needed. q     "
    "quits               "
    "                    "
    "#);
    for (width, height) in [(1, 1), (39, 100), (100, 9), (40, 10)] {
        screen(&model(), width, height);
    }
}

#[test]
fn a_server_that_was_not_seen_is_named_with_what_it_said() {
    let mut model = Model::new("http://muster:50051");
    insta::assert_snapshot!(screen(&model, 60, 10), @r#"
    "http://muster:50051  not seen yet                           "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "q quit  p pause/resume  j/k scroll workers (0/0)            "
    "#);
    model.see(Err("refused\x1b".to_owned()), now());
    insta::assert_snapshot!(screen(&model, 60, 10), @r#"
    "http://muster:50051  refused\u{1b}                          "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "                                                            "
    "q quit  p pause/resume  j/k scroll workers (0/0)            "
    "#);
}

#[test]
fn what_is_old_says_how_old_it_is_and_a_broken_store_what_is_broken() {
    let mut model = model();
    model.stats = Some(stats());
    model.see(Err("away".to_owned()), now());
    model.asked = Some(Question::Resume);
    model.scroll = 2;
    insta::assert_snapshot!(screen(&model, 80, 14), @r#"
    "http://muster:50051  paused  as 5s ago  away                                    "
    "line       records      size         oldest                                     "
    "high       0            0 B          -                                          "
    "normal     12034        3.44 MiB     2m 5s                                      "
    "low\u{1b}  7            2.05 KiB     0s                                         "
    "                                                                                "
    "1 chunk in hand  3 dead letters  workers 5, 1 lost                              "
    "store: the disk is full\n                                                       "
    "                                                                                "
    "worker      host        workers state    heartbeat     in hand processed  failed"
    "w-3         build\u{1b} 5       lost     6s ago        3       123456     7     "
    "                                                                                "
    "                                                                                "
    "Let workers take again? y/n                                                     "
    "#);
}

#[test]
fn without_colours_nothing_has_any() {
    let has_any = |has_colours| {
        let terminal = terminal(&model(), has_colours, 90, 30);
        let cells = terminal.backend().buffer().content().iter();
        cells.clone().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert_eq!((has_any(true), has_any(false)), (true, false));
}

#[test]
fn the_newest_values_are_whole_when_there_are_too_many() {
    assert_eq!(fitted(&[1, 2, 3], 10), [3, 2, 1]);
    assert_eq!(fitted(&[9, 2, 4, 6, 8], 3), [7, 3, 9]);
    assert!(fitted(&[], 10).is_empty());
}
