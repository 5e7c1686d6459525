//! The connections to the servers: one that all short steps share, and some for one caller each,
//! who waits in a read or until a step is settled.
//!
//! A connection that fails is given up, and the next caller makes a new one: it goes to the server
//! that is the master by then, and is looked at first (`checks`). That holds for a lost
//! connection, for a master that keeps its connections but has become a replica, and for one that
//! does not bring a step to its replicas or its disk in time.
//!
//! `redis::aio::ConnectionManager` is not used: when connecting fails for another reason than I/O
//! (a password that is rotated, a database that cannot be selected), it keeps that answer for good.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::ConnectionLike as _;
use redis::{Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::checks::{self, Looked, Unfit};
use super::commands;
use super::keys::Partition;
use super::link::{Link, Opener};
use super::pool::{Own, Pool};
use super::refusals::Refusals;
use super::script::Invocation;
use super::settle::{self, Settled};
use crate::{CurrentAccess, Error, Persistence, Result, StoreOptions, metrics};

/// How often the server is looked at again: its settings may have changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);

/// How long an answer may take. A script that the server does not know yet takes two round trips. After
/// one heartbeat without an answer, the next one must come before a lease of 6 s ends.
const RESPONSE_MAX: Duration = Duration::from_secs(3);

/// How long a refusal for want of memory counts. Who is refused tries again sooner. What the server says
/// of its memory is not enough: the step that it refuses may be larger than what it has left.
const FULL_LASTS: Duration = Duration::from_secs(2);

/// How many steps are settled at once: each has a connection of its own.
const SETTLING_MAX: usize = 256;

/// What the server says when a group is not there, or goes while a read waits for it.
const GROUP_GONE: [&str; 2] = ["NOGROUP", "UNBLOCKED"];

/// What a server says that is not, or not any more, the one to ask.
const NOT_THE_MASTER: [&str; 4] = ["READONLY", "MASTERDOWN", "CLUSTERDOWN", "MOVED"];

/// Connects when it is needed, and anew when a connection was lost.
pub(super) struct Connection {
    opener: Opener,
    options: StoreOptions,
    /// The URL without its password.
    store: String,
    /// The key of the format,
    format: String,
    /// and that of the durability.
    durability: String,
    /// What was found at the last look.
    looked: Mutex<Option<Looked>>,
    /// When the server refused a step because its memory is full.
    full_at: Mutex<Option<Instant>>,
    shared: tokio::sync::Mutex<Option<Arc<Shared>>>,
    pool: Pool,
    may_settle: Semaphore,
    refusals: Refusals,
}

/// The shared connection, and what was found at its server when it was made.
struct Shared {
    link: Link,
    looked: Looked,
    looked_at: Mutex<Instant>,
}

impl Connection {
    /// Prepares for the servers of a store, without connecting.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the URL does not say what Redis needs, and
    /// [`Error::Misconfigured`] when a file that it names for TLS cannot be used: once the program
    /// runs it is waited for.
    pub(super) fn new(
        access: CurrentAccess,
        options: &StoreOptions,
        first: &Partition,
    ) -> Result<Self> {
        let url = access.get().url;
        if url.has_tls() {
            // It fails when the program has chosen one before: then that one is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let store = url.to_string();
        let opener = match Opener::new(access, options.connect_timeout) {
            Ok(opener) => opener,
            Err(Unfit::Misconfigured(problem)) => {
                return Err(Error::Misconfigured { store, problem });
            }
            Err(Unfit::Unavailable(reason)) => return Err(Error::Unavailable { store, reason }),
            Err(Unfit::Error(error)) => {
                return Err(Error::Unavailable { store, reason: error.to_string() });
            }
        };
        Ok(Self {
            opener,
            options: *options,
            store,
            format: first.format(),
            durability: first.durability(),
            looked: Mutex::default(),
            full_at: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
            pool: Pool::default(),
            may_settle: Semaphore::new(SETTLING_MAX),
            refusals: Refusals::default(),
        })
    }

    /// The URL without its password.
    pub(super) fn store(&self) -> &str {
        &self.store
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(&self, script: &Invocation<'_>) -> Result<T> {
        let answer = async { self.run_on(&self.shared().await?, script).await };
        metrics::counted(answer.await)
    }

    async fn run_on<T: FromRedisValue>(
        &self,
        shared: &Arc<Shared>,
        script: &Invocation<'_>,
    ) -> Result<T> {
        let mut link = shared.link.clone();
        let answer = within(RESPONSE_MAX, script.run(&mut link)).await;
        self.checked(shared, answer)
    }

    /// Runs a script behind the commands `before`.
    async fn run_behind<T: FromRedisValue>(
        &self,
        shared: &Arc<Shared>,
        before: Pipeline,
        script: &Invocation<'_>,
    ) -> Result<T> {
        let mut commands = before;
        let script_at = commands.len();
        commands.add_command(script.by_hash().clone());
        let mut link = shared.link.clone();
        let answers = settle::send(&mut link, &commands, script, script_at);
        let mut answers = self.checked(shared, within(RESPONSE_MAX, answers).await)?;
        let answer = answers.pop().unwrap_or(Value::Nil);
        redis::from_redis_value(answer).map_err(|error| self.failed(&error.into()))
    }

    /// Runs a script behind the commands `before`, and returns once what all of them wrote, and
    /// what the script saw, is as durable as asked for. `keys` are those of the script. See
    /// [`settle`].
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] also when it is not as durable after a while: the step may be taken
    /// again.
    pub(super) async fn run_settled<T: FromRedisValue>(
        &self,
        before: Pipeline,
        script: &Invocation<'_>,
        keys: &[String; 2],
    ) -> Result<T> {
        metrics::counted(self.settle(before, script, keys).await)
    }

    async fn settle<T: FromRedisValue>(
        &self,
        before: Pipeline,
        script: &Invocation<'_>,
        keys: &[String; 2],
    ) -> Result<T> {
        let shared = self.shared().await?;
        let Some(barrier) = shared.looked.barrier else {
            return self.run_behind(&shared, before, script).await;
        };
        let _permit = self.may_settle.acquire().await;
        let mut own = self.own().await?;
        let settled = settle::run(&mut own.link, before, script, keys, barrier);
        let settled = self.checked(&shared, within(settle::ANSWER_MAX, settled).await)?;
        self.pool.put_back(own);
        match settled {
            Settled::Yes(answer) => {
                redis::from_redis_value(answer).map_err(|error| self.failed(&error.into()))
            }
            Settled::Late(reason) => {
                // A master that is cut off from its replicas answers, and may be none any more:
                // whoever knows the master is asked again.
                self.give_up(&shared);
                self.refusals.say(&self.store, &reason);
                Err(self.unavailable(reason))
            }
        }
    }

    /// Sends a command that does not wait.
    pub(super) async fn send<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let answer = async {
            let shared = self.shared().await?;
            let mut link = shared.link.clone();
            let answer = within(RESPONSE_MAX, command.query_async(&mut link)).await;
            self.checked(&shared, answer)
        };
        metrics::counted(answer.await)
    }

    /// Sends commands that do not wait.
    pub(super) async fn send_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T> {
        let answer = async {
            let shared = self.shared().await?;
            let mut link = shared.link.clone();
            let answer = within(RESPONSE_MAX, commands.query_async(&mut link)).await;
            self.checked(&shared, answer)
        };
        metrics::counted(answer.await)
    }

    /// Asks whether the server is there. Every few seconds, looks whether it is still as it must be; if
    /// not, or if a step must wait for something else now, all connections are replaced.
    pub(super) async fn ping(&self) -> Result<()> {
        let shared = match self.shared().await {
            Ok(shared) if shared.is_due() => shared,
            Ok(_) => {
                self.send::<()>(&Cmd::ping()).await?;
                return self.has_what_it_needs();
            }
            Err(error) => return metrics::counted(Err(error)),
        };
        let problem = match timeout(RESPONSE_MAX, self.look(&shared.link)).await {
            Ok(Ok(looked)) => {
                let is_as_before = looked.barrier == shared.looked.barrier;
                self.note(looked);
                if is_as_before {
                    return metrics::counted(self.has_what_it_needs());
                }
                None
            }
            Ok(Err(unfit)) => Some(self.unfit(unfit)),
            Err(_) => Some(self.unavailable(no_answer(RESPONSE_MAX))),
        };
        self.give_up(&shared);
        metrics::counted(problem.map_or(Ok(()), Err))
    }

    /// What the server says of itself; on a cluster, one of its masters. And what was found at the last
    /// look.
    pub(super) async fn info(&self) -> Result<(String, Looked)> {
        let answer = async {
            let shared = self.shared().await?;
            let (mut link, info) = (shared.link.clone(), Cmd::new().arg("INFO").take());
            let answers = within(RESPONSE_MAX, link.ask_masters(&info)).await;
            let mut answers = self.checked(&shared, answers)?;
            let answer = answers.pop().unwrap_or(Value::Nil);
            let info =
                redis::from_redis_value(answer).map_err(|error| self.failed(&error.into()))?;
            let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ok((info, looked.unwrap_or_else(|| shared.looked.clone())))
        };
        metrics::counted(answer.await)
    }

    /// # Errors
    ///
    /// [`Error::Unavailable`] when nothing could become as durable as asked for at the last look.
    fn has_what_it_needs(&self) -> Result<()> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match looked.as_ref().and_then(|looked| looked.lacks.clone()) {
            Some(lacks) => Err(self.unavailable(lacks)),
            None => Ok(()),
        }
    }

    async fn look(&self, link: &Link) -> std::result::Result<Looked, Unfit> {
        let before = self
            .looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|looked| looked.asked);
        checks::look(link, &self.options, &self.durability, before).await
    }

    /// Whether the server has just refused a step because its memory is full.
    pub(super) fn was_full(&self) -> bool {
        let full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        full_at.is_some_and(|at| at.elapsed() < FULL_LASTS)
    }

    /// Keeps what was found, and logs it if it has changed.
    fn note(&self, found: Looked) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.as_ref().is_some_and(|looked| looked.is_as(&found)) {
            *looked = Some(found);
            return;
        }
        let own = self.options.durability;
        if found.durability() != own
            && looked.as_ref().map(Looked::durability) != Some(found.durability())
        {
            tracing::warn!(
                durability = %found.durability(), set = %own,
                "another process of the store has a stricter durability: this process uses it as well"
            );
        }
        let Looked { server, persistence, limit_bytes, .. } = &found;
        // No other eviction policy is accepted.
        tracing::info!(server, %persistence, memory_limit = limit_bytes, eviction = "noeviction", "the store");
        if *persistence <= Persistence::Snapshots
            && let Some(may_lose) = persistence.may_lose(found.durability())
        {
            tracing::warn!("{may_lose}");
        }
        *looked = Some(found);
    }

    /// Sends commands of which the first waits up to `block` at the server, on a connection of their
    /// own. `None` when the group it reads for is gone.
    ///
    /// A dropped future closes the connection, so that the server stops waiting.
    pub(super) async fn send_blocking(
        &self,
        commands: &Pipeline,
        block: Duration,
    ) -> Result<Option<Vec<Value>>> {
        metrics::counted(self.block(commands, block).await)
    }

    async fn block(&self, commands: &Pipeline, block: Duration) -> Result<Option<Vec<Value>>> {
        let mut own = self.own().await?;
        let answers = own.link.req_packed_commands(commands, 0, commands.len());
        let answers = within(block + RESPONSE_MAX, answers).await;
        match answers.and_then(|all| all.into_iter().map(Value::extract_error).collect()) {
            Ok(answers) => {
                self.pool.put_back(own);
                Ok(Some(answers))
            }
            Err(error) if error.code().is_some_and(|code| GROUP_GONE.contains(&code)) => Ok(None),
            Err(error) => {
                self.pool.empty();
                Err(self.failed(&error))
            }
        }
    }

    /// The shared connection. Callers that find it gone wait for the one that makes a new one, each no
    /// longer than connecting may take. Whoever connects has all of that time, however long it has waited:
    /// else nobody would have enough after an outage, while callers keep coming.
    async fn shared(&self) -> Result<Arc<Shared>> {
        let limit = self.options.connect_timeout;
        let Ok(mut shared) = timeout(limit, self.shared.lock()).await else {
            return Err(self.no_connection());
        };
        if let Some(connection) = &*shared {
            return Ok(Arc::clone(connection));
        }
        let connect = async {
            let link = self.opener.open().await?;
            let (looked, has_commands, format) = tokio::join!(
                self.look(&link),
                commands::check(&link),
                checks::read_format(&link, &self.format),
            );
            let looked = looked?;
            has_commands?;
            checks::check_format(&link, &self.format, format?).await?;
            self.note(looked.clone());
            Ok::<_, Unfit>(Shared { link, looked, looked_at: Mutex::new(Instant::now()) })
        };
        match timeout(limit, connect).await {
            Ok(Ok(connection)) => Ok(Arc::clone(shared.insert(Arc::new(connection)))),
            Ok(Err(unfit)) => Err(self.unfit(unfit)),
            Err(_) => Err(self.no_connection()),
        }
    }

    /// A connection of one's own. It is not looked at: what is sent on it fails at a server that
    /// is none for it.
    async fn own(&self) -> Result<Own> {
        if let Some(own) = self.pool.take() {
            return Ok(own);
        }
        let generation = self.pool.generation();
        match timeout(self.options.connect_timeout, self.opener.open()).await {
            Ok(Ok(link)) => Ok(Own::new(link, generation)),
            Ok(Err(unfit)) => Err(self.unfit(unfit)),
            Err(_) => Err(self.no_connection()),
        }
    }

    fn unfit(&self, unfit: Unfit) -> Error {
        match unfit {
            Unfit::Error(error) => self.failed(&error),
            Unfit::Unavailable(reason) => self.unavailable(reason),
            Unfit::Misconfigured(problem) => {
                Error::Misconfigured { store: self.store.clone(), problem }
            }
        }
    }

    /// Passes on an answer; after an error that the connection may not survive, the next caller
    /// gets a new one.
    fn checked<T>(&self, used: &Arc<Shared>, answer: RedisResult<T>) -> Result<T> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let is_not_master = code(&error).is_some_and(|code| NOT_THE_MASTER.contains(&code));
        if is_not_master || error.is_io_error() || error.is_unrecoverable_error() {
            self.give_up(used);
        }
        Err(self.failed(&error))
    }

    /// Leaves a connection that is lost, and those beside it. Where the lock is taken, somebody
    /// connects anew already.
    fn give_up(&self, used: &Arc<Shared>) {
        if let Ok(mut shared) = self.shared.try_lock()
            && shared.take_if(|connection| Arc::ptr_eq(connection, used)).is_some()
        {
            self.pool.empty();
        }
    }

    fn no_connection(&self) -> Error {
        let limit = self.options.connect_timeout;
        self.unavailable(format!(
            "no connection within {limit:?}; if the store is that slow, raise `store_connect_timeout`"
        ))
    }

    fn failed(&self, error: &RedisError) -> Error {
        if code(error) == Some("OOM") {
            *self.full_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            let full = Error::OutOfMemory { store: self.store.clone() };
            self.refusals.say(&self.store, &full.to_string());
            return full;
        }
        let reason = reason(error);
        if error.code().is_some() {
            self.refusals.say(&self.store, &reason);
        }
        self.unavailable(reason)
    }

    fn unavailable(&self, reason: String) -> Error {
        Error::Unavailable { store: self.store.clone(), reason }
    }
}

impl Shared {
    /// Whether it is time to look at the server again. True for only one of several callers.
    fn is_due(&self) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looked_at.elapsed() >= LOOK_INTERVAL;
        if is_due {
            *looked_at = Instant::now();
        }
        is_due
    }
}

fn no_answer(within: Duration) -> String {
    format!("no answer within {} ms", within.as_millis())
}

/// An answer, if it comes in time.
async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, no_answer(limit)).into()))
}

/// The code of an error. A server before 7.0 hides that of a script's command in the script's own,
/// as in `ERR Error running script (…): @user_script: 22: -READONLY You can't write …`.
fn code(error: &RedisError) -> Option<&str> {
    let hidden = error
        .detail()
        .filter(|detail| detail.starts_with("Error running script"))
        .and_then(|detail| detail.split_once(": -"))
        .and_then(|(_, command)| command.split(' ').next());
    hidden.or(error.code())
}

/// What an error of the server means to whoever runs it.
fn reason(error: &RedisError) -> String {
    let text = error.to_string();
    match code(error) {
        Some("READONLY") => "it has become a replica, and takes no writes (READONLY)".to_owned(),
        Some("LOADING") => "it is still reading its data (LOADING)".to_owned(),
        Some("MASTERDOWN") => "it is a replica that has lost its master (MASTERDOWN)".to_owned(),
        Some("TRYAGAIN") => "the keys are moving to another node (TRYAGAIN)".to_owned(),
        Some("CLUSTERDOWN") => format!("the cluster is down: {text}"),
        Some("MISCONF") => format!("it cannot write to its disk: {text}"),
        _ => text,
    }
}
