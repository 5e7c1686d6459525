//! One file a page, and what is done from it.

pub(crate) mod batch;
pub(crate) mod batches;
mod dead;
mod letter;
mod letters;
pub(crate) mod overview;
mod queue;
mod resolve;
mod roll;
pub(crate) mod workers;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::{Dashboard, links};

pub(crate) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route(links::OVERVIEW, get(overview::show))
        .route(links::PAUSE, post(queue::pause))
        .route(links::RESUME, post(queue::resume))
        .route(links::LOG, post(queue::set_log_filter))
        .route(links::BATCHES, get(batches::show))
        .route("/batches/{id}", get(batch::show))
        .route("/batches/{id}/abort", post(batch::abort))
        .route(links::WORKERS, get(workers::show))
        .route(links::DEAD, get(dead::show))
        .route("/dead/group", get(letters::of_group))
        .route("/dead/batch/{id}", get(letters::of_batch))
        .route("/dead/letter/{batch}/{place}", get(letter::show))
        .route("/dead/letter/{batch}/{place}/replay", post(letter::replay_edited))
        .route(links::REPLAY, post(resolve::replay))
        .route(links::DROP, post(resolve::drop_letters))
        .route(links::ROLL, get(roll::show))
        .route(links::ROLL_FILE, get(roll::download))
}
