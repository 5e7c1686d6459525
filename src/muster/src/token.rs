//! `muster token`: secrets by which a server knows who calls.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::num::NonZeroU32;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use muster_access::{Access, Role, Token, is_name};
use muster_program::daemon::Failure;
use muster_program::{exit, output};

/// Who may read an access list that is new: its digests are no secrets, and nobody's business.
const LIST_MODE: u32 = 0o640;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a token, and print it: it is shown this once
    New(New),
}

#[derive(clap::Args)]
#[command(
    after_help = "The token goes to standard output, its entry for the access list to the file \
    of --access or to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage"
)]
pub(crate) struct New {
    /// Whose it is: 1 to 64 of A-Z a-z 0-9 . _ - @
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// What they may do; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = roles())]
    roles: Vec<Role>,
    /// How many records a second they may send [default: as the server's settings say]
    #[arg(long, value_name = "N")]
    records_per_second: Option<NonZeroU32>,
    /// Add the entry to this access list; a server that has it follows within seconds
    #[arg(long, value_name = "FILE")]
    access: Option<PathBuf>,
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name)).try_map(|name| name.parse::<Role>())
}

fn name(text: &str) -> Result<String, &'static str> {
    if is_name(text) { Ok(text.to_owned()) } else { Err("1 to 64 of A-Z a-z 0-9 . _ - @") }
}

/// Does the job.
pub(crate) fn run(command: &Command) -> Result<u8, (u8, Failure)> {
    let Command::New(new) = command;
    let token = Token::random();
    let entry = token.entry(&new.name, &new.roles, new.records_per_second);
    match &new.access {
        Some(path) => add(path, &entry).map_err(|error| (exit::FAILURE, error))?,
        None => output::complain(&entry.trim_end()),
    }
    output::print(&format!("{}\n", token.reveal()))
        .map_err(|error| (exit::FAILURE, error.into()))?;
    Ok(exit::OK)
}

/// Adds an entry to an access list that can be read without and with it; or leaves it alone.
fn add(path: &Path, entry: &str) -> Result<(), Failure> {
    let of_file = |error: std::io::Error| -> Failure {
        format!("{} cannot be written: {error}", path.display()).into()
    };
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(LIST_MODE);
    let mut file = options.open(path).map_err(of_file)?;
    file.lock().map_err(of_file)?;
    let mut before = String::new();
    file.read_to_string(&mut before).map_err(of_file)?;
    Access::check(path, &before)?;
    let gap = match before.as_str() {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    Access::check(path, &format!("{before}{gap}{entry}"))?;
    file.seek(SeekFrom::End(0)).map_err(of_file)?;
    file.write_all(format!("{gap}{entry}").as_bytes()).map_err(of_file)?;
    file.sync_all().map_err(of_file)
}
