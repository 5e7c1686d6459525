//! UTF-8 text: JSON, a table, or what only looks like them.

use super::{
    BYTE_ORDER_MARK, FileType, Format, HEAD_BYTES_MAX, Head, Named, RECORD_SEPARATOR, Refusal,
    header,
};

/// How the first line of an HTML page begins, in any case.
const HTML: [&str; 2] = ["<!doctype html", "<html"];

/// Statements that begin SQL dumps, in any case.
const SQL: [&str; 6] =
    ["insert into ", "create table ", "drop table ", "begin transaction", "pragma ", "copy "];

/// Recognises UTF-8 text. `None` means that more bytes are needed.
pub(crate) fn text(head: Head<'_>, named: Named) -> Option<Result<Format, Refusal>> {
    let Head { bytes, ended } = head;
    let ended = ended || bytes.len() >= HEAD_BYTES_MAX;
    if !ended && bytes.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(bytes) {
        return None;
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let Some(first) = bytes.iter().position(|byte| !b" \t\r\n".contains(byte)) else {
        return ended.then_some(Ok(Format::Json));
    };
    match bytes[first] {
        b'{' | b'[' | RECORD_SEPARATOR => return Some(Ok(Format::Json)),
        b'<' => return markup(&bytes[first..], ended).map(refused),
        _ => {}
    }
    let begin = memchr::memrchr(b'\n', &bytes[..first]).map_or(0, |end| end + 1);
    let mut lines = Lines { bytes: &bytes[begin..], ended };
    let line = lines.next()??;
    if let Some(delimiter) = header::delimiter(line, named) {
        let table = delimiter.map(|delimiter| Format::Table { delimiter });
        return Some(table.map_err(Refusal::InvalidHeader));
    }
    let mut line = line;
    loop {
        match Line::of(line) {
            Line::Is(file_type) => return Some(refused(file_type)),
            Line::LeavesOpen => {}
            Line::Other => break,
        }
        match lines.next() {
            Some(next) => line = next?,
            None => break,
        }
    }
    if named == Named::Other {
        return Some(Ok(Format::Json));
    }
    let mut lines = Lines { bytes: &bytes[begin..], ended };
    let header = lines.next()??;
    Some(Err(Refusal::InvalidHeader(header::unknown(header, named))))
}

fn refused(file_type: FileType) -> Result<Format, Refusal> {
    Err(Refusal::FileType(file_type))
}

fn markup(bytes: &[u8], ended: bool) -> Option<FileType> {
    let begins = |html: &&str| {
        bytes.get(..html.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(html.as_bytes()))
    };
    if HTML.iter().any(begins) {
        return Some(FileType::Html);
    }
    let is_enough = ended || bytes.contains(&b'>') || bytes.len() >= HTML[0].len();
    is_enough.then_some(FileType::Xml)
}

/// The lines at hand. An item is `None` where more bytes are needed.
struct Lines<'a> {
    bytes: &'a [u8],
    ended: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(end) = memchr::memchr(b'\n', self.bytes) {
            let line = &self.bytes[..end];
            self.bytes = &self.bytes[end + 1..];
            return Some(Some(line));
        }
        if !self.ended {
            return Some(None);
        }
        let line = std::mem::take(&mut self.bytes);
        (!line.is_empty()).then_some(Some(line))
    }
}

/// What one line tells of the text that begins with it.
enum Line {
    Is(FileType),
    /// It is a comment, or may be the first of several lines of YAML: the next line will tell.
    LeavesOpen,
    Other,
}

impl Line {
    fn of(line: &[u8]) -> Self {
        let line = line.trim_ascii();
        let lower = line.to_ascii_lowercase();
        let begins = |beginning: &str| lower.starts_with(beginning.as_bytes());
        if line.is_empty() || begins("#") {
            Self::LeavesOpen
        } else if line == b"---" || begins("%yaml") {
            Self::Is(FileType::Yaml)
        } else if line == b"--" || begins("-- ") {
            let is_dump = memchr::memmem::find(&lower, b"dump").is_some();
            if is_dump { Self::Is(FileType::Sql) } else { Self::LeavesOpen }
        } else if begins("/*!") || begins("/*m!") {
            Self::Is(FileType::Sql)
        } else if SQL.iter().any(|statement| begins(statement)) {
            let is_copy = begins("copy ");
            let is_sql = !is_copy || lower.ends_with(b" from stdin;");
            if is_sql { Self::Is(FileType::Sql) } else { Self::Other }
        } else {
            Self::yaml(line)
        }
    }

    /// `- key: value` or `key: value`.
    fn yaml(line: &[u8]) -> Self {
        if line == b"-" {
            return Self::LeavesOpen;
        }
        let member = line.strip_prefix(b"- ").unwrap_or(line).trim_ascii();
        let Some(colon) = memchr::memchr(b':', member) else { return Self::Other };
        let (key, value) = (&member[..colon], &member[colon + 1..]);
        if !value.first().is_none_or(u8::is_ascii_whitespace) {
            return Self::Other;
        }
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        let known = std::str::from_utf8(key).is_ok_and(header::is_known);
        if known {
            Self::Is(FileType::Yaml)
        } else if value.is_empty() && !key.is_empty() && key.iter().all(is_key) {
            Self::LeavesOpen
        } else {
            Self::Other
        }
    }
}
