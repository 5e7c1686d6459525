//! Pages that show what happens, as it happens: the part of a page that changes is sent to those
//! who look at it, about once a second, when it has changed.
//!
//! It is written once for all who look at the same, so that many viewers ask the services no more
//! than one does.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use axum::routing::get;
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::Dashboard;
use crate::caller::Caller;
use crate::error::Failure;
use crate::links;
use crate::pages::{batch, batches, overview, workers};

/// How many may look at once; each has a connection.
const VIEWERS_MAX: usize = 256;
/// How often it is looked for what has changed.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long what one viewer was sent is new enough for others: a little less, since they do not
/// come at the same moment.
const FRESH: Duration = Duration::from_millis(900);
/// How long one stream of events lasts: the browser asks for another then, and is asked anew who it
/// is.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// After how long a browser connects again when the connection is lost.
const RECONNECT: Duration = Duration::from_secs(2);

/// A page that is live.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(tag = "page", rename_all = "lowercase")]
pub(crate) enum LivePage {
    Overview,
    Batches {
        #[serde(default)]
        state: String,
        /// The token of the page of the list.
        #[serde(default)]
        token: String,
    },
    Batch {
        id: String,
    },
    Workers,
}

impl LivePage {
    /// Where its events are.
    pub(crate) fn events(&self) -> String {
        let query: &[(&str, &str)] = match self {
            Self::Overview => &[("page", "overview")],
            Self::Batches { state, token } => {
                &[("page", "batches"), ("state", state), ("token", token)]
            }
            Self::Batch { id } => &[("page", "batch"), ("id", id)],
            Self::Workers => &[("page", "workers")],
        };
        links::with_query(links::EVENTS, query)
    }

    /// The part that changes; or, in its place, why it is not there.
    async fn write(&self, caller: &Caller) -> Arc<str> {
        let fragment = match self {
            Self::Overview => overview::fragment(caller).await,
            Self::Batches { state, token } => batches::fragment(caller, state, token).await,
            Self::Batch { id } => batch::fragment(caller, id).await,
            Self::Workers => workers::fragment(caller).await,
        };
        fragment.unwrap_or_else(|failure| failure.fragment()).into()
    }
}

/// Who looks at what.
#[derive(Debug)]
pub(crate) struct Live {
    seats: Arc<Semaphore>,
    pages: Mutex<HashMap<LivePage, Weak<Shared>>>,
}

impl Default for Live {
    fn default() -> Self {
        Self { seats: Arc::new(Semaphore::new(VIEWERS_MAX)), pages: Mutex::default() }
    }
}

impl Live {
    /// What all have in common who look at this page.
    fn share(&self, page: LivePage) -> Arc<Shared> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody looks at these any more.
        pages.retain(|_, shared| shared.strong_count() > 0);
        if let Some(shared) = pages.get(&page).and_then(Weak::upgrade) {
            return shared;
        }
        let shared = Arc::new(Shared { page: page.clone(), latest: Default::default() });
        pages.insert(page, Arc::downgrade(&shared));
        shared
    }
}

/// A page, as it was sent last, and when.
#[derive(Debug)]
struct Shared {
    page: LivePage,
    latest: tokio::sync::Mutex<Option<(Instant, Arc<str>)>>,
}

impl Shared {
    /// The fragment as it is now. While one viewer writes it, the others wait for that.
    async fn fragment(&self, dashboard: &Arc<Dashboard>) -> Arc<str> {
        let mut latest = self.latest.lock().await;
        let now = Instant::now();
        if let Some((at, fragment)) = &*latest
            && now - *at < FRESH
        {
            return Arc::clone(fragment);
        }
        // On behalf of all, and so of nobody.
        let caller = Caller::nobody(Arc::clone(dashboard));
        let fragment = self.page.write(&caller).await;
        *latest = Some((now, Arc::clone(&fragment)));
        fragment
    }
}

/// One who looks at a page.
struct Viewer {
    dashboard: Arc<Dashboard>,
    shared: Arc<Shared>,
    ticks: Interval,
    /// What was sent last.
    sent: Option<Arc<str>>,
    _seat: OwnedSemaphorePermit,
}

impl Viewer {
    /// Waits until there is something else to see than what was sent.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            self.ticks.tick().await;
            let fragment = self.shared.fragment(&self.dashboard).await;
            if self.sent.as_ref() != Some(&fragment) {
                let event = Event::default().retry(RECONNECT).data(&fragment);
                self.sent = Some(fragment);
                return Some((Ok(event), self));
            }
        }
    }
}

pub(crate) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route(links::EVENTS, get(events))
}

async fn events(
    State(dashboard): State<Arc<Dashboard>>,
    page: Result<Query<LivePage>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(page) = page.map_err(|_| Failure::NoSuchPage)?;
    let seat = Arc::clone(&dashboard.live.seats).try_acquire_owned();
    let seat = seat.map_err(|_| Failure::TooManyViewers)?;
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shared = dashboard.live.share(page);
    let shutdown = dashboard.options.shutdown.clone();
    let end = async move {
        let _: Result<(), _> = tokio::time::timeout(LIFE, shutdown.cancelled()).await;
    };
    let viewer = Viewer { dashboard, shared, ticks, sent: None, _seat: seat };
    let events = stream::unfold(viewer, Viewer::next).take_until(Box::pin(end));
    Ok(respond(events))
}

fn respond(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
