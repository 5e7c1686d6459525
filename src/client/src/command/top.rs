//! `top`: a live view on the terminal.

use std::io::{self, IsTerminal as _};

use super::flags::OperationFlags;
use super::{Ended, failed, usage};
use crate::top;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Keys: q, Esc and Ctrl-C quit, p pauses the queue or resumes it, j, k and the \
    arrows scroll\n\nExit codes: 0 done, 1 failed, 2 wrong usage, or there is no terminal, 128 and \
    more: a signal ended it"
)]
pub struct Top {
    #[command(flatten)]
    flags: OperationFlags,
}

pub(super) fn run(Top { flags }: &Top) -> Result<u8, Ended> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(usage(
            "top needs a terminal; for a program there is muster-client stats --watch --json",
        ));
    }
    // https://no-color.org
    let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    flags.run(async |operations| top::run(operations, has_colours).await.map_err(failed))
}
