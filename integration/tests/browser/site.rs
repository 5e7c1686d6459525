//! A web site of a few pages, for a browser to be tested on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A site on a loopback port. Its threads end with the test's process.
pub(crate) struct Site {
    port: u16,
}

struct Pages {
    /// Lines of the head of each answer.
    headers: &'static str,
    bodies: BTreeMap<String, String>,
}

impl Site {
    /// A site of one page, at `/`.
    pub(crate) fn of(page: &str) -> Self {
        Self::with("", &[("/", page)])
    }

    /// A site of several pages, with these lines in the head of each. All else is 404, but for the
    /// icon that a browser asks every site for.
    pub(crate) fn with(headers: &'static str, pages: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let bodies = pages.iter().map(|&(path, body)| (path.to_owned(), body.to_owned())).collect();
        let pages = Arc::new(Pages { headers, bodies });
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let pages = Arc::clone(&pages);
                // A browser may open a connection and ask for nothing.
                thread::spawn(move || answer(connection, &pages));
            }
        });
        Self { port }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Answers, if somebody asks.
fn answer(mut connection: TcpStream, pages: &Pages) -> Option<()> {
    let mut lines = BufReader::new(connection.try_clone().ok()?).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    lines.find(|line| line.is_empty())?;
    let icon = (path == "/favicon.ico").then_some("");
    let page = pages.bodies.get(&path).map(String::as_str).or(icon);
    let status = if page.is_some() { "200 OK" } else { "404 Not Found" };
    let body = page.unwrap_or("nothing is here");
    let (headers, length) = (pages.headers, body.len());
    write!(
        connection,
        "HTTP/1.1 {status}\r\n{headers}Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()
}
