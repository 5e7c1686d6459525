//! The dashboard: the web pages on which a person sees the queue, and operates it.
//!
//! It knows nothing but the operations of `muster.v1`, and calls them as a client would, without a
//! connection. What a page costs does not grow with the queue: each is a few calls, whose answers
//! are counters, or one page of a list.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `pages` | one file a page, and what is done from it |
//! | `live` | pages that show what happens, as it happens |
//! | `caller` | the calls of the services: for whom, and for how long |
//! | `error` | the one place where errors become pages |
//! | `sign_in` | who has signed in, and the page to do so |
//! | `guard` | what is refused, and what every answer says to the browser |
//! | `frame` | what stands around every page |
//! | `confirm` | the question before something is done, and the word after it |
//! | `links` | the address of every page |
//! | `url`, `base_path` | the dashboard's address in browsers; the dashboard below a path of a site |
//! | `escape` | how templates show text |
//! | `human`, `chart` | numbers, sizes, times, rates as a person reads them |
//! | `record` | a record as a form |
//! | `assets` | the style sheet and the script |
//! | `templates/`, `assets/` | the pages' HTML; the style sheet, the script, the icon |

mod assets;
mod base_path;
mod caller;
mod chart;
mod confirm;
mod error;
mod escape;
mod frame;
mod guard;
mod human;
mod links;
mod live;
mod pages;
mod record;
mod sign_in;
mod url;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use futures::Stream;
use muster_proto::v1;
use muster_proto::v1::batches_server::Batches;
use muster_proto::v1::dead_letters_server::DeadLetters;
use muster_proto::v1::queue_server::Queue;
use muster_proto::v1::roll_server::Roll;
use muster_proto::v1::workers_server::Workers;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::error::Failure;
use crate::live::Live;
pub use crate::sign_in::SignIn;
pub use crate::url::{DashboardUrl, InvalidDashboardUrl};

/// How large a form may be, in bytes.
const FORM_BYTES_MAX: usize = 64 << 10;

/// The stream of the roll's file. The service [`Roll`] of the server gives this one.
pub type RollStream = Pin<Box<dyn Stream<Item = Result<v1::RollPart, Status>> + Send>>;

/// The operations that the pages show, and that they are done by.
#[derive(Clone)]
pub struct Services {
    /// Batches.
    pub batches: Arc<dyn Batches>,
    /// Dead letters.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The queue as a whole.
    pub queue: Arc<dyn Queue>,
    /// Workers.
    pub workers: Arc<dyn Workers>,
    /// The roll.
    pub roll: Arc<dyn Roll<DownloadRollStream = RollStream>>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// What the dashboard is like.
#[derive(Debug)]
pub struct Options {
    /// Whether it shows alone, and does nothing.
    pub read_only: bool,
    /// What asks people who they are. Without it, everybody may do everything.
    pub sign_in: Option<SignIn>,
    /// Its address in browsers, if a proxy stands before it.
    pub url: Option<DashboardUrl>,
    /// The names by which browsers may ask for it, beside addresses, `localhost` and the host of
    /// `url`; any, if nothing is said. It is for a dashboard that asks nobody who they are: another
    /// site that has its own name lead here would else be taken for this one.
    pub hosts: Option<Vec<String>>,
    /// The end: streams of events end with it, so that their connections can.
    pub shutdown: CancellationToken,
    /// The clock that ages are told by.
    pub now: fn() -> SystemTime,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            read_only: false,
            sign_in: None,
            url: None,
            hosts: None,
            shutdown: CancellationToken::new(),
            now: SystemTime::now,
        }
    }
}

/// What every request is answered from.
#[derive(Debug)]
struct Dashboard {
    services: Services,
    options: Options,
    live: Live,
}

/// The dashboard at `/`, and at the path of its address, with an answer to every path that it does not
/// know.
///
/// Services are told who calls if requests have the extension [`Peer`](muster_access::Peer).
pub fn router(services: Services, options: Options) -> Router {
    let read_only = options.read_only;
    let path = options.url.as_ref().map_or_else(String::new, |url| url.path().to_owned());
    let dashboard = Arc::new(Dashboard { services, options, live: Live::default() });
    let router = pages::routes()
        .merge(assets::routes())
        .merge(live::routes())
        .merge(sign_in::routes())
        .fallback(async || Failure::NoSuchPage)
        .method_not_allowed_fallback(async || Failure::NoSuchMethod)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX));
    let router =
        if read_only { router.layer(middleware::from_fn(guard::refuse_actions)) } else { router };
    let router = router
        .layer(middleware::from_fn(guard::take_form_in_time))
        .layer(middleware::from_fn_with_state(Arc::clone(&dashboard), sign_in::admit))
        .layer(middleware::from_fn_with_state(Arc::clone(&dashboard), guard::refuse_other_sites))
        .layer(middleware::from_fn_with_state(Arc::clone(&dashboard), guard::refuse_other_names))
        .layer(middleware::map_response(guard::protect))
        .with_state(dashboard);
    base_path::below(&path, router)
}
