//! As much of Redis' protocol as the bare path needs: no more than writing commands into a buffer,
//! and reading replies out of one.

use anyhow::{Context, bail, ensure};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

const READ_BYTES: usize = 64 << 10;

/// Adds a command.
pub(super) fn command(out: &mut Vec<u8>, words: &[&[u8]]) {
    list(out, words, [].into_iter());
}

/// Adds a command that ends with words of which there may be many.
pub(super) fn list<'a>(
    out: &mut Vec<u8>,
    head: &[&'a [u8]],
    words: impl ExactSizeIterator<Item = &'a [u8]>,
) {
    number(out, b'*', head.len() + words.len());
    for word in head.iter().copied().chain(words) {
        number(out, b'$', word.len());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

fn number(out: &mut Vec<u8>, kind: u8, mut number: usize) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b"0123456789"[number % 10];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push(kind);
    out.extend_from_slice(&digits[first..]);
    out.extend_from_slice(b"\r\n");
}

/// What Redis answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Nil,
    Text(Bytes),
    Array(Vec<Reply>),
}

impl Reply {
    pub(super) fn text(&self) -> anyhow::Result<&Bytes> {
        match self {
            Self::Text(text) => Ok(text),
            other => bail!("no text: {other:?}"),
        }
    }

    pub(super) fn array(&self) -> anyhow::Result<&[Self]> {
        match self {
            Self::Nil => Ok(&[]),
            Self::Array(replies) => Ok(replies),
            Self::Text(_) => bail!("no array: {self:?}"),
        }
    }
}

/// Replies as they come.
pub(super) struct Replies {
    socket: OwnedReadHalf,
    read: BytesMut,
}

impl Replies {
    /// The next one. What Redis calls an error is one.
    pub(super) async fn next(&mut self) -> anyhow::Result<Reply> {
        loop {
            if let Some(end) = end_of_reply(&self.read, 0)? {
                let reply = self.read.split_to(end).freeze();
                return parse(&reply, &mut 0);
            }
            self.read.reserve(READ_BYTES);
            let read = self.socket.read_buf(&mut self.read).await?;
            ensure!(read > 0, "Redis has gone");
        }
    }
}

/// Connects to Redis.
pub(super) async fn connect(address: &str) -> anyhow::Result<(Replies, OwnedWriteHalf)> {
    let socket = TcpStream::connect(address).await.context("no Redis")?;
    socket.set_nodelay(true)?;
    let (socket, writer) = socket.into_split();
    Ok((Replies { socket, read: BytesMut::with_capacity(READ_BYTES) }, writer))
}

/// A connection on which each question waits for its answer.
pub(super) struct Connection {
    replies: Replies,
    writer: OwnedWriteHalf,
}

impl Connection {
    pub(super) async fn open(address: &str) -> anyhow::Result<Self> {
        let (replies, writer) = connect(address).await?;
        Ok(Self { replies, writer })
    }

    /// Sends what is in the buffer, as so many commands, empties it, and returns the last answer.
    pub(super) async fn ask(
        &mut self,
        out: &mut Vec<u8>,
        commands: usize,
    ) -> anyhow::Result<Reply> {
        self.writer.write_all(out).await?;
        out.clear();
        for _ in 1..commands {
            self.replies.next().await?;
        }
        self.replies.next().await
    }
}

/// Where the reply that begins at `at` ends; `None` if it is not all there.
fn end_of_reply(read: &[u8], at: usize) -> anyhow::Result<Option<usize>> {
    let Some(end) = end_of_line(read, at) else {
        return Ok(None);
    };
    let (kind, next) = (read[at], end + 2);
    if !matches!(kind, b'$' | b'*') {
        return Ok(Some(next));
    }
    let Some(length) = length(&read[at + 1..end])? else {
        return Ok(Some(next));
    };
    if kind == b'$' {
        let end = next + length + 2;
        return Ok((end <= read.len()).then_some(end));
    }
    let mut at = next;
    for _ in 0..length {
        match end_of_reply(read, at)? {
            Some(end) => at = end,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// The reply that begins at `at`, which moves behind it. It is all there.
fn parse(read: &Bytes, at: &mut usize) -> anyhow::Result<Reply> {
    let end = end_of_line(read, *at).context("half a reply")?;
    let (kind, line) = (read[*at], *at + 1..end);
    *at = end + 2;
    Ok(match kind {
        b'+' | b':' => Reply::Text(read.slice(line)),
        b'-' => bail!("Redis: {}", String::from_utf8_lossy(&read[line])),
        b'$' => match length(&read[line])? {
            None => Reply::Nil,
            Some(length) => {
                let text = *at..*at + length;
                *at = text.end + 2;
                Reply::Text(read.slice(text))
            }
        },
        b'*' => match length(&read[line])? {
            None => Reply::Nil,
            Some(length) => {
                Reply::Array((0..length).map(|_| parse(read, at)).collect::<Result<_, _>>()?)
            }
        },
        kind => bail!("a reply of the unknown type {:?}", char::from(kind)),
    })
}

/// Where the end of the line that begins at `at` begins, if the end is all there.
fn end_of_line(read: &[u8], at: usize) -> Option<usize> {
    let end = at + memchr::memchr(b'\r', read.get(at..)?)?;
    (end + 1 < read.len()).then_some(end)
}

/// A length; `None` is that of nothing.
fn length(digits: &[u8]) -> anyhow::Result<Option<usize>> {
    let length: i64 = std::str::from_utf8(digits)?.parse()?;
    Ok(usize::try_from(length).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_written_as_redis_reads_it() {
        let mut out = Vec::new();
        command(&mut out, &[b"SET", b"key", b"0123456789"]);
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$10\r\n0123456789\r\n");
    }

    #[test]
    fn a_reply_is_read_once_it_is_whole() {
        let text = |text: &'static str| Reply::Text(text.into());
        let read = b"*4\r\n$2\r\na\r\r\n:12\r\n*-1\r\n*1\r\n+OK\r\n";
        for end in 0..read.len() {
            assert_eq!(end_of_reply(&read[..end], 0).unwrap(), None, "{end}");
        }
        assert_eq!(end_of_reply(read, 0).unwrap(), Some(read.len()));
        let reply = parse(&Bytes::from_static(read), &mut 0).unwrap();
        let inner = Reply::Array(vec![text("OK")]);
        assert_eq!(reply, Reply::Array(vec![text("a\r"), text("12"), Reply::Nil, inner]));
    }

    #[test]
    fn an_error_is_an_error() {
        let error = parse(&Bytes::from_static(b"-ERR no\r\n"), &mut 0).unwrap_err();
        assert_eq!(error.to_string(), "Redis: ERR no");
    }
}
