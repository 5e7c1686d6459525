//! What there is for the services to show: a bit of everything.

use std::net::SocketAddr;

use muster_proto::users::UserRequest;
use muster_proto::v1::*;
use prost::Message as _;
use prost_types::{Duration, Timestamp};
use tonic::Status;

/// The moment at which all tests take place.
pub(crate) const NOW_SECONDS: i64 = 1_700_000_000;

/// What the services answer, and were asked.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stats: Stats,
    pub(crate) batches: Vec<Batch>,
    pub(crate) next_page_token: String,
    pub(crate) workers: Vec<Worker>,
    pub(crate) groups: Vec<DeadLetterGroup>,
    pub(crate) letters: Vec<DeadLetter>,
    pub(crate) manifest: Result<RollManifest, Status>,
    pub(crate) roll: Vec<Result<RollPart, Status>>,
    /// What every call answers in place of the above.
    pub(crate) failure: Option<Status>,
    /// Whether no call is ever answered.
    pub(crate) silent: bool,
    /// The calls, with their arguments.
    pub(crate) calls: Vec<String>,
    /// Who made the last one, and by what.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) user_agent: Option<String>,
}

/// This long before the tests take place.
pub(crate) fn ago(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: NOW_SECONDS - seconds, nanos: 0 })
}

pub(crate) fn record() -> UserRequest {
    UserRequest {
        id: 17,
        user_name: "agerber0".to_owned(),
        email: "agerber0 at example.com".to_owned(),
        first_name: "Anna".to_owned(),
        country: "Österreich".to_owned(),
        agent: "Mozilla/5.0 (X11)".to_owned(),
        ..UserRequest::default()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let batch = Batch {
            id: "b-1".to_owned(),
            state: BatchState::Open.into(),
            received: 4000,
            kept: 900,
            dead: 50,
            dropped: 30,
            replayed: 20,
            retrying: 3,
            policy: BatchPolicy::Partial.into(),
            priority: BatchPriority::High.into(),
            chunks: 16,
            chunks_committed: 4,
            opened_at: ago(100),
            ..Batch::default()
        };
        let written = Batch {
            id: "b-0".to_owned(),
            state: BatchState::Written.into(),
            received: 12_345_678,
            kept: 12_345_678,
            retrying: 0,
            dead: 0,
            dropped: 0,
            replayed: 0,
            policy: BatchPolicy::Fail.into(),
            roll_sha256: "5ba93c9db0cff93f52b521d7420e43f6eda2784fbbd5d87c2a8b37d4bd7e9c10".into(),
            opened_at: ago(7200),
            sealed_at: ago(7000),
            completed_at: ago(6990),
            ended_at: ago(6989),
            ..batch.clone()
        };
        Self {
            stats: stats(),
            batches: vec![batch, written],
            next_page_token: String::new(),
            workers: workers(),
            groups: vec![
                DeadLetterGroup { name: "`email` is no address".to_owned(), letters: 48 },
                DeadLetterGroup { name: "panic: Out of range".to_owned(), letters: 2 },
            ],
            letters: vec![letter()],
            manifest: Ok(manifest()),
            roll: [&b"[\n"[..], b"]\n"].map(|data| Ok(RollPart { data: data.into() })).into(),
            failure: None,
            silent: false,
            calls: Vec::new(),
            peer: None,
            user_agent: None,
        }
    }
}

fn stats() -> Stats {
    let line = |name: &str, records, bytes, oldest: Option<i64>| Line {
        name: name.to_owned(),
        records,
        bytes,
        oldest: oldest.map(|seconds| Duration { seconds, nanos: 0 }),
    };
    Stats {
        at: ago(0),
        paused: false,
        lines: vec![
            line("high", 1000, 250_000, Some(3)),
            line("normal", 12_345_678, 3 << 30, Some(252)),
            line("low", 0, 0, None),
            line("isolated", 1, 250, Some(7)),
        ],
        dead_letters: 50,
        held_batches: 0,
        leased: 20,
        accepted: 99_999_999,
        kept: 87_654_321,
        dead: 77,
        workers: 5,
        workers_lost: 1,
        flow: [(2, 0, 100), (1, 50, 100), (0, 100, 200)]
            .map(|(age, accepted, processed)| Flow { at: ago(age), accepted, processed })
            .into(),
        store: Some(StoreHealth {
            url: "redis://127.0.0.1:6379".to_owned(),
            version: "redis 7.0.15".to_owned(),
            latency: Some(Duration { seconds: 0, nanos: 400_000 }),
            used_bytes: 1 << 30,
            limit_bytes: 4 << 30,
            durability: "synced".to_owned(),
            problem: String::new(),
            persistence: "append-only file, synced before each answer".to_owned(),
            may_lose: String::new(),
            full: false,
        }),
        log_filter: String::new(),
        roll: None,
    }
}

fn workers() -> Vec<Worker> {
    let chunk = |batch: &str, first| ChunkInHand { batch: batch.to_owned(), first, records: 256 };
    let worker = Worker {
        id: "8b1f0c2e9a774d53".to_owned(),
        host: "north".to_owned(),
        pid: 4711,
        version: "0.1.0".to_owned(),
        workers: 5,
        state: WorkerState::Running.into(),
        since: ago(7200),
        last_heartbeat: ago(2),
        processed: 1_234_567,
        failed: 12,
        in_hand: vec![chunk("b-1", 1024), chunk("b-2", 0)],
        roll_problem: String::new(),
        roll_problem_since: None,
    };
    let lost = Worker {
        id: "lost".to_owned(),
        host: "south".to_owned(),
        state: WorkerState::Lost.into(),
        last_heartbeat: ago(300),
        in_hand: vec![chunk("b-1", 2048)],
        ..worker.clone()
    };
    vec![worker, lost]
}

fn letter() -> DeadLetter {
    DeadLetter {
        batch: "b-1".to_owned(),
        place: 6,
        record_id: 17,
        reason: "`email` is no address: \"agerber0 at example.com\"".to_owned(),
        group: "`email` is no address".to_owned(),
        attempts: 5,
        crashes: 1,
        first: ago(90),
        last: ago(30),
        trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        record: record().encode_to_vec().into(),
    }
}

fn manifest() -> RollManifest {
    RollManifest {
        records: 12_345_678,
        batches: 2,
        dead: 3,
        bytes: 4,
        sha256: "5ba93c9db0cf".to_owned(),
        written_at: ago(6989),
        recent: vec![RollEntry {
            batch: "b-0".to_owned(),
            records: 12_345_678,
            dead: 3,
            sha256: "aa11bb22cc33dd44".to_owned(),
        }],
    }
}
