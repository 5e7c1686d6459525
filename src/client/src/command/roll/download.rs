//! `roll download`: the roll into a file, which is there when it is whole and not before, with its
//! manifest; or to standard output.

use std::fs::Permissions;
use std::io::{self, IsTerminal as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use muster_program::shutdown::Shutdown;
use muster_program::{exit, output};
use muster_roll::Manifest;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::command::flags::OperationFlags;
use crate::command::{Ended, failed, print, usage};
use crate::download;
use crate::operations::Operations;
use crate::printable;
use crate::view;

#[derive(Debug, clap::Args)]
#[command(after_help = "The manifest is written next to FILE: for users.json, as \
    users.manifest.json.\n\nExit codes: 0 fetched, whole, 1 failed, or it is not what the server \
    said: then FILE is as it was, 2 wrong usage")]
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
            let Manifest { bytes, sha256, .. } = into_file(&operations, path).await?;
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
async fn into_file(operations: &Operations, path: &Path) -> Result<Manifest, Ended> {
    let manifest_path = muster_roll::manifest_of(path);
    let mut roll = temporary(path).map_err(|error| usage(unwritable(path, &error)))?;
    // A signal takes the file away as well: it goes when it is dropped.
    let shutdown = Shutdown::on_signals().map_err(failed)?;
    let fetched = tokio::select! {
        fetched = download::fetch(operations, |part| roll.write_all(part).map(|()| true)) => {
            fetched.map_err(failed)?
        }
        () = shutdown.begun() => return Err(failed("interrupted: nothing is written")),
    };
    let write = || {
        let mut file = temporary(&manifest_path)?;
        serde_json::to_writer_pretty(&mut file, &fetched)?;
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

/// Lets the file take its place, on the disk.
fn put(beside: NamedTempFile, path: &Path) -> io::Result<()> {
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    Ok(())
}
