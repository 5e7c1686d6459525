//! `stats`: what waits, how fast it moves, how the store is; once, or again and again.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use muster_program::exit;
use muster_proto::v1;

use super::flags::OperationFlags;
use super::{Ended, failed, offer};
use crate::view::{self, stats};

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 done (with --watch: nobody reads it any more), 1 failed, \
    2 wrong usage")]
pub struct Stats {
    /// Look again each second, until interrupted
    #[arg(long)]
    watch: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

pub(super) fn run(Stats { watch, json, flags }: &Stats) -> Result<u8, Ended> {
    let is_redrawn = *watch && !*json && io::stdout().is_terminal();
    flags.run(async |operations| {
        let mut begun = false;
        loop {
            let text = shown(&operations.stats().await.map_err(failed)?, *json);
            let is_read = offer(&match (is_redrawn, begun && !*json) {
                (true, _) => redrawn(&text),
                (false, true) => format!("\n{text}"),
                (false, false) => text,
            })?;
            if !*watch || !is_read {
                return Ok(exit::OK);
            }
            begun = true;
            tokio::time::sleep(INTERVAL).await;
        }
    })
}

fn shown(stats: &v1::Stats, as_json: bool) -> String {
    if as_json { view::json(&stats::StatsView::from(stats)) } else { stats::text(stats) }
}

/// The text in place of what the terminal shows: from its first line on, each line cleared behind
/// the text, and then the rest. So nothing flickers.
fn redrawn(text: &str) -> String {
    format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_what_was_shown_before() {
        assert_eq!(redrawn("a\nb\n"), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
    }
}
