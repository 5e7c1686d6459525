//! `roll download`: the roll into a file, which is there when it is whole and not before, with its
//! manifest; or to standard output.

use std::fs::Permissions;
use std::io::{self, IsTerminal as _, Seek as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use muster_program::shutdown::Shutdown;
use muster_program::{exit, output};
use muster_proto::v1::{RollEntry, RollManifest};
use muster_roll::{Entry, Manifest};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::command::flags::OperationFlags;
use crate::command::{Ended, failed, print, usage};
use crate::download::{self, Fetched};
use crate::operations::Operations;
use crate::printable;
use crate::view;

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 fetched, whole, 1 failed, or it is not what the server \
    said: then FILE is as it was, 2 wrong usage. The manifest is written next to FILE: of \
    users.json, users.manifest.json")]
pub struct Download {
    /// The file to write, or - for standard output, as without it unless that is a terminal
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print one JSON object instead of a summary
    #[arg(long, requires = "file")]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

/// How often a roll is fetched that grows before its manifest is.
const TRIES: usize = 5;

/// What is printed for a program.
#[derive(Serialize)]
struct DownloadView<'a> {
    file: &'a str,
    bytes: u64,
    sha256: &'a str,
}

pub(super) fn run(Download { file, json, flags }: &Download) -> Result<u8, Ended> {
    match file.as_deref() {
        Some(path) if path != Path::new("-") => flags.run(async |operations| {
            let Fetched { bytes, sha256 } = into_file(&operations, path).await?;
            let file = path.to_string_lossy();
            print(&if *json {
                view::json(&DownloadView { file: &file, bytes, sha256: &sha256 })
            } else {
                let (file, sha256) = (printable::text(&file), printable::text(&sha256));
                format!("written   {bytes} bytes to {file}\nsha256    {sha256}\n")
            })?;
            Ok(exit::OK)
        }),
        Some(_) if *json => Err(usage("--json needs a FILE: standard output has the roll")),
        None if io::stdout().is_terminal() => {
            Err(usage("standard output is a terminal: name a FILE, or - to see the roll there"))
        }
        _ => flags.run(async |operations| {
            download::fetch(&operations, output::offer).await.map_err(failed)?;
            Ok(exit::OK)
        }),
    }
}

/// Fetches the roll and its manifest into temporary files in the same folder, and renames them when
/// both are whole.
async fn into_file(operations: &Operations, path: &Path) -> Result<Fetched, Ended> {
    let manifest_path = muster_roll::manifest_of(path);
    let mut roll = temporary(path).map_err(|error| usage(unwritable(path, &error)))?;
    // A signal takes the file away as well: it goes when it is dropped.
    let shutdown = Shutdown::on_signals().map_err(failed)?;
    let (fetched, manifest) = tokio::select! {
        fetched = fetch(operations, &mut roll) => fetched?,
        () = shutdown.begun() => return Err(failed("interrupted: nothing is written")),
    };
    let write = || {
        let mut file = temporary(&manifest_path)?;
        serde_json::to_writer_pretty(&mut file, &manifest)?;
        file.write_all(b"\n")?;
        Ok(file)
    };
    let manifest = write().map_err(|error| failed(unwritable(&manifest_path, &error)))?;
    put(roll, path).map_err(|error| failed(unwritable(path, &error)))?;
    put(manifest, &manifest_path).map_err(|error| failed(unwritable(&manifest_path, &error)))?;
    Ok(fetched)
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

/// A file in the folder of `path`, that is to take its place.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    tempfile::Builder::new()
        .prefix(".muster-roll-")
        // As any new file, and not for its owner alone.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
}

/// Fetches a roll and the manifest that belongs to it. A roll that has grown in between is fetched
/// again.
async fn fetch(
    operations: &Operations,
    file: &mut NamedTempFile,
) -> Result<(Fetched, Manifest), Ended> {
    for _ in 0..TRIES {
        file.rewind().and_then(|()| file.as_file().set_len(0)).map_err(failed)?;
        let write = |part: &[u8]| file.write_all(part).map(|()| true);
        let fetched = download::fetch(operations, write).await.map_err(failed)?;
        let manifest = operations.roll().await.map_err(failed)?;
        if manifest.sha256 == fetched.sha256 {
            return Ok((fetched, to_file(manifest)));
        }
    }
    Err(failed("the roll grows faster than it is fetched; try again when fewer batches come"))
}

/// The manifest as it is in a file. Not needed to go on with the roll: it is a copy.
fn to_file(manifest: RollManifest) -> Manifest {
    let RollManifest { records, batches, dead, bytes, sha256, written_at, recent } = manifest;
    let written = written_at.and_then(|at| SystemTime::try_from(at).ok());
    let since_1970 = written.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let written_ms = since_1970.map_or(0, |since| since.as_millis().try_into().unwrap_or(u64::MAX));
    // A server lists the last batch first.
    let entries = recent.into_iter().rev().map(|entry| {
        let RollEntry { batch, records, dead, sha256 } = entry;
        Entry { batch, records, dead, sha256, written_ms }
    });
    Manifest { records, batches, dead, bytes, sha256, resume: None, recent: entries.collect() }
}

/// Lets the file take its place, on the disk.
fn put(beside: NamedTempFile, path: &Path) -> io::Result<()> {
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    Ok(())
}
