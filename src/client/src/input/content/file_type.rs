//! The types of files that are recognised in order to refuse them.

use std::fmt;
use std::path::Path;

use super::{Compression, without_compression};

/// A type of file that has no records which Muster reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the type of that name; `about` describes it")]
pub enum FileType {
    ArrowFile,
    ArrowStream,
    Avro,
    BinaryPropertyList,
    Bson,
    Bzip2,
    Compress,
    Excel97,
    Feather1,
    Gzip,
    Html,
    Lz4,
    Numpy,
    Orc,
    Parquet,
    Pickle,
    PostgresDump,
    SevenZip,
    Snappy,
    Spreadsheet,
    Sql,
    Sqlite,
    Tar,
    Utf32,
    Xml,
    Xz,
    Yaml,
    Zip,
    Zstd,
}

impl FileType {
    /// What a person calls it, and what to do about it. FILE stands for the path.
    #[rustfmt::skip]
    fn about(self) -> (&'static str, &'static str) {
        match self {
            Self::ArrowFile => ("an Arrow (Feather) file", "convert it, for example with: \
                python3 -c \"import pandas; pandas.read_feather('FILE').to_json('users.ndjson', orient='records', lines=True)\""),
            Self::ArrowStream => ("an Arrow stream", "convert it, for example with: \
                python3 -c \"import pyarrow.ipc; pyarrow.ipc.open_stream('FILE').read_pandas().to_json('users.ndjson', orient='records', lines=True)\""),
            Self::Avro => ("an Avro file", "convert it, for example with: \
                duckdb -c \"COPY (FROM read_avro('FILE')) TO 'users.ndjson' (FORMAT json)\""),
            Self::BinaryPropertyList => ("a binary property list", "convert it, for example with: \
                plutil -convert json -o users.json FILE"),
            Self::Bson => ("a BSON file", "convert it, for example with: \
                python3 -c \"import bson, json; [print(json.dumps(user, default=str)) for user in bson.decode_file_iter(open('FILE', 'rb'))]\" > users.ndjson"),
            Self::Bzip2 => ("a bzip2 file", "decompress it, for example with: bzip2 -dc FILE | muster-client send -"),
            Self::Compress => ("a compress (.Z) file", "decompress it, for example with: gzip -dc FILE | muster-client send -"),
            Self::Excel97 => ("an old Microsoft Office (.xls) file", "convert it, for example with: libreoffice --headless --convert-to csv FILE"),
            Self::Feather1 => ("a Feather 1 file", "convert it, for example with: \
                python3 -c \"import pandas; pandas.read_feather('FILE').to_json('users.ndjson', orient='records', lines=True)\""),
            // Only ever inside another compressed file.
            Self::Gzip => ("a gzip file", "send it, for example with: muster-client send FILE"),
            Self::Html => ("an HTML page", "check where it comes from, it may be the error page of a download"),
            Self::Lz4 => ("an LZ4 file", "decompress it, for example with: lz4 -dc FILE | muster-client send -"),
            Self::Numpy => ("a NumPy file", "convert it, for example with: \
                python3 -c \"import numpy, pandas; pandas.DataFrame(numpy.load('FILE')).to_json('users.ndjson', orient='records', lines=True)\""),
            Self::Orc => ("an ORC file", "convert it, for example with: \
                python3 -c \"import pandas; pandas.read_orc('FILE').to_json('users.ndjson', orient='records', lines=True)\""),
            Self::Parquet => ("a Parquet file", "convert it, for example with: \
                duckdb -c \"COPY (FROM read_parquet('FILE')) TO 'users.ndjson' (FORMAT json)\""),
            Self::Pickle => ("a Python pickle", "if you trust it (loading it can run any program), convert it, for example with: \
                python3 -c \"import pandas; pandas.DataFrame(pandas.read_pickle('FILE')).to_json('users.ndjson', orient='records', lines=True)\""),
            Self::PostgresDump => ("a PostgreSQL dump", "load it into a database with pg_restore, and export the table, for example with: \
                psql -Atc 'SELECT row_to_json(users) FROM users' | muster-client send -"),
            Self::SevenZip => ("a 7z archive", "unpack it, for example with: 7z x -so FILE | muster-client send -"),
            Self::Snappy => ("a Snappy file", "decompress it, for example with: snzip -dc FILE | muster-client send -"),
            Self::Spreadsheet => ("an office document (such as .xlsx or .ods)", "convert it, for example with: libreoffice --headless --convert-to csv FILE"),
            Self::Sql => ("an SQL dump", "load it into a database, and export the table as JSON or CSV"),
            Self::Sqlite => ("an SQLite database", "export the table, for example with: sqlite3 -json FILE 'SELECT * FROM users' > users.json"),
            Self::Tar => ("a tar archive", "unpack it, for example with: tar -xOf FILE | muster-client send -"),
            Self::Utf32 => ("a UTF-32 text", "convert it, for example with: iconv -f UTF-32 -t UTF-8 FILE | muster-client send -"),
            Self::Xml => ("an XML file", "convert it, for example with version 4 of yq: yq -p xml -o json FILE > users.json"),
            Self::Xz => ("an xz file", "decompress it, for example with: xz -dc FILE | muster-client send -"),
            Self::Yaml => ("a YAML file", "convert it, for example with version 4 of yq: yq -o json FILE > users.json"),
            Self::Zip => ("a zip archive", "unpack it, for example with: unzip -p FILE | muster-client send -"),
            // Only ever inside another compressed file.
            Self::Zstd => ("a zstd file", "send it, for example with: muster-client send FILE"),
        }
    }

    /// What a person calls it, with its article.
    pub fn name(self) -> &'static str {
        self.about().0
    }

    /// What to do about it, as one line. `path` is the file, if it is one.
    pub fn advice(self, path: Option<&Path>, compression: Option<Compression>) -> String {
        let file = in_command(path, "FILE");
        let Some(compression) = compression else { return self.about().1.replace("FILE", &file) };
        let program = compression.name();
        if matches!(self, Self::Gzip | Self::Zstd) {
            return format!(
                "decompress it once, for example with: {program} -dc {file} | muster-client send -"
            );
        }
        let unpacked = path.map(without_compression).filter(|name| path != Some(name));
        let unpacked = in_command(unpacked, "OTHER_FILE");
        let advice = self.about().1.replace("FILE", &unpacked);
        format!("decompress it with {program} -dc {file} > {unpacked}, and {advice}")
    }
}

/// The path as it can stand in a command, or `otherwise` if it would need quotes.
fn in_command(path: Option<&Path>, otherwise: &str) -> String {
    let is_bare = |path: &&str| {
        !path.starts_with('-')
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
    };
    path.and_then(Path::to_str).filter(is_bare).unwrap_or(otherwise).to_owned()
}

/// A sentence on a refused stream, whose subject is for the caller to put in front.
pub(crate) struct Refused<'a> {
    pub(crate) file_type: FileType,
    pub(crate) compression: Option<Compression>,
    pub(crate) path: Option<&'a Path>,
}

impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file_type, compression, path } = *self;
        write!(f, "is {}", file_type.name())?;
        if let Some(compression) = compression {
            write!(f, " inside a {} file", compression.name())?;
        }
        write!(f, ", which Muster does not read: {}", file_type.advice(path, compression))
    }
}
