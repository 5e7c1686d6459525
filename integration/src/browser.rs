//! A real browser: headless Chromium, on pages that this machine serves.
//!
//! It is spoken to in its own DevTools protocol, as JSON over two pipes: no port is open, and the
//! browser ends when the pipes do, however a test ends. What a crate would bring for that (a
//! WebSocket, an HTTP client, a driver, the whole protocol as Rust) is not needed.
//!
//! ```no_run
//! use muster_integration::browser::{Browser, Scheme};
//!
//! let page = Browser::start().page();
//! page.prefer_scheme(Scheme::Dark);
//! assert_eq!(page.open("http://127.0.0.1:9181/"), 200);
//! page.click("nav a");
//! assert_eq!(page.text("h1"), "Batches");
//! assert_eq!(page.problems(), Vec::<String>::new());
//! assert_eq!(page.contrast_problems(), Vec::<String>::new());
//! ```

mod accessibility;
mod chromium;
mod connection;
mod input;
mod keys;
mod page;
mod problems;

use std::sync::Arc;

pub use self::page::{Page, Scheme};

use self::connection::Connection;

/// A running browser. It is killed when it and its pages are dropped.
#[derive(Debug)]
pub struct Browser {
    connection: Arc<Connection>,
}

impl Browser {
    /// Starts Chromium with a profile of its own, in a folder that goes with it.
    ///
    /// # Panics
    ///
    /// When Chromium is not installed, or does not start.
    pub fn start() -> Self {
        Self { connection: Arc::new(Connection::start()) }
    }

    /// Opens a page of 1280 by 800 pixels that shares nothing with the others: no cookies, no cache.
    ///
    /// # Panics
    ///
    /// When the browser is gone.
    pub fn page(&self) -> Page {
        Page::new(Arc::clone(&self.connection))
    }
}
