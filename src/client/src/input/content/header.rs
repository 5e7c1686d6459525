//! The header of a table: its first line, which names the columns.

use std::fmt;

use super::super::field::Field;
use super::Named;

/// How many of a header's names are shown.
const SHOWN_MAX: usize = 20;

/// Why the header of a table is invalid. Its `Display` completes a sentence that begins "this table has".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// None of these columns is a field of a record.
    NoField(Vec<String>),
    /// Two columns, of these names, are the same field.
    Twice(String, String),
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoField(found) => {
                write!(f, "no known column in the header: found ")?;
                for (index, name) in found.iter().take(SHOWN_MAX).enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", name.escape_debug())?;
                }
                if found.len() > SHOWN_MAX {
                    write!(f, " and {} more", found.len() - SHOWN_MAX)?;
                }
                write!(f, "; expected at least one of ")?;
                f.write_str(&Field::ALL.map(Field::name).join(", "))
            }
            Self::Twice(name, again) if name == again => {
                write!(f, "the column `{name}` twice: remove or rename one")
            }
            Self::Twice(name, again) => {
                write!(
                    f,
                    "the columns `{name}` and `{again}`, which are the same field: remove one"
                )
            }
        }
    }
}

/// Whether a column of this name is a field of a record.
pub(super) fn is_known(name: &str) -> bool {
    Field::named(name.as_bytes()) != Field::Unknown
}

/// The delimiter of the table that begins with this line: the one that gives the most known
/// names. `None` if the line is not the header of a table.
pub(super) fn delimiter(line: &[u8], named: Named) -> Option<Result<u8, InvalidHeader>> {
    let mut best = None;
    let mut most = 0;
    for delimiter in delimiters(named) {
        let cells = cells(line, delimiter);
        let known = cells.iter().filter(|cell| is_known(cell)).count();
        if known > most && (cells.len() >= 2 || named != Named::Other) {
            best = Some((delimiter, cells));
            most = known;
        }
    }
    best.map(|(delimiter, cells)| check(&cells).map(|()| delimiter))
}

/// Checks that each field appears only once.
///
/// # Errors
///
/// Two columns are the same field.
pub(in crate::input) fn check(names: &[String]) -> Result<(), InvalidHeader> {
    let field = |name: &String| Field::named(name.as_bytes());
    for (index, name) in names.iter().enumerate().filter(|(_, name)| is_known(name)) {
        if let Some(first) = names[..index].iter().find(|other| field(other) == field(name)) {
            return Err(InvalidHeader::Twice(first.clone(), name.clone()));
        }
    }
    Ok(())
}

/// What to say about a file whose name announces a table, and whose header has no known name.
pub(super) fn unknown(line: &[u8], named: Named) -> InvalidHeader {
    let longest = delimiters(named).into_iter().map(|delimiter| cells(line, delimiter));
    // `max_by_key` takes the last of equals; the first is the likeliest.
    let found = longest.rev().max_by_key(Vec::len).unwrap_or_default();
    InvalidHeader::NoField(found)
}

/// The delimiters, the likeliest first.
fn delimiters(named: Named) -> [u8; 3] {
    if named == Named::Tsv { *b"\t,;" } else { *b",\t;" }
}

/// The cells of a line, without quotes and without blanks around them.
fn cells(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut cells = vec![Vec::new()];
    let mut quoted = false;
    let mut bytes = line.iter().peekable();
    while let Some(&byte) = bytes.next() {
        let Some(cell) = cells.last_mut() else { break };
        match byte {
            b'"' if quoted && bytes.peek() == Some(&&b'"') => {
                bytes.next();
                cell.push(b'"');
            }
            b'"' if quoted => quoted = false,
            b'"' if cell.iter().all(u8::is_ascii_whitespace) => quoted = true,
            _ if byte == delimiter && !quoted => cells.push(Vec::new()),
            _ => cell.push(byte),
        }
    }
    cells.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
}
