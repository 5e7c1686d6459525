//! What a server must be to keep the queue: looked at when a connection is made, and every few seconds
//! from then on.

use std::time::Duration;

use redis::{Cmd, RedisError, RedisResult, Value};
use tokio::time::timeout;

use super::info::Info;
use super::link::Link;
use super::settle::Barrier;
use super::tls::Unusable;
use crate::{Durability, StoreOptions};

/// The oldest version that has all the commands that are used.
const VERSION_MIN: (u32, u32) = (6, 2);

/// The oldest version that has `WAITAOF`. Every Valkey has it.
const VERSION_WITH_WAITAOF: (u32, u32) = (7, 2);

/// The oldest version whose `WAITAOF` answers after the sync, whatever `appendfsync` is. Before it, and
/// on every Valkey up to 9.1, it answers at once with `everysec`: what was answered "ok" is lost in a
/// power cut. With `always` none of them does. Valkey and Redict call themselves Redis 7.2 here. See
/// <https://github.com/redis/redis/pull/13793>, and `tests/redis_durability/power_cut.rs`.
const VERSION_THAT_WAITS: (u32, u32) = (8, 0);

/// How long a cluster may take to say the format of the store.
const FORMAT_MAX: Duration = Duration::from_millis(300);

/// Why a connection is not used.
pub(super) enum Unfit {
    /// The server is not as it must be: what it is, and what to do.
    Misconfigured(String),
    /// The server cannot do it now.
    Unavailable(String),
    /// It did not answer.
    Error(RedisError),
}

impl From<RedisError> for Unfit {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

impl From<Unusable> for Unfit {
    fn from(file: Unusable) -> Self {
        // It is being renewed, perhaps.
        Self::Unavailable(file.to_string())
    }
}

/// Looks at the server, or at every master of a cluster. Returns what a step waits for: nothing
/// when an answer is all that is asked for, or when the server syncs before it answers and has no
/// `WAITAOF`.
pub(super) async fn look(link: &Link, options: &StoreOptions) -> Result<Option<Barrier>, Unfit> {
    let (mut infos, mut configs) = (link.clone(), link.clone());
    let info = Cmd::new().arg("INFO").take();
    if options.durability != Durability::Synced {
        let infos = infos.ask_masters(&info).await?;
        return judge(infos, Err("not asked".to_owned()), options, is_cluster(link));
    }
    let config = Cmd::new().arg("CONFIG").arg("GET").arg("*appendfsync*").take();
    let (infos, configs) = tokio::join!(infos.ask_masters(&info), configs.ask_masters(&config));
    judge(infos?, when_synced(configs), options, is_cluster(link))
}

/// Checks that this version reads what is in the store, and marks a store that has no format yet.
pub(super) async fn check_format(link: &Link, key: &str) -> Result<(), Unfit> {
    let mut link = link.clone();
    let read = Cmd::get(key);
    let found = if is_cluster(&link) {
        // The part that has it may be away, and the others are to work.
        let read = timeout(FORMAT_MAX, read.query_async::<Option<u64>>(&mut link)).await;
        let Ok(Ok(found)) = read else { return Ok(()) };
        found
    } else {
        read.query_async(&mut link).await?
    };
    match found {
        Some(format) if format > crate::FORMAT => {
            Err(Unfit::Misconfigured(crate::later_format(format)))
        }
        Some(_) => Ok(()),
        None => {
            let mut mark = redis::cmd("SET");
            let marked = mark.arg(key).arg(crate::FORMAT).arg("NX");
            // A server without memory is marked later.
            let marked = timeout(FORMAT_MAX, marked.query_async::<Option<String>>(&mut link));
            if !matches!(marked.await, Ok(Ok(_))) {
                tracing::debug!("the store is not marked with its format");
            }
            Ok(())
        }
    }
}

fn is_cluster(link: &Link) -> bool {
    matches!(link, Link::Cluster(_))
}

/// When a server syncs its append-only file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Syncs {
    /// When the system does it.
    Never,
    /// Each second, or not always before it answers.
    Later,
    /// Before it answers.
    First,
}

/// When all of them have synced, or why it is not known.
fn when_synced(configs: RedisResult<Vec<Value>>) -> Result<Syncs, String> {
    let configs = configs.map_err(|error| error.to_string())?;
    let mut all = Syncs::First;
    for config in configs {
        let config: std::collections::HashMap<String, String> =
            redis::from_redis_value(config).map_err(|error| error.to_string())?;
        let has = |name: &str, value: &str| config.get(name).is_some_and(|found| found == value);
        let syncs = if has("appendfsync", "no") {
            Syncs::Never
        } else if has("appendfsync", "always") && has("no-appendfsync-on-rewrite", "no") {
            Syncs::First
        } else {
            Syncs::Later
        };
        all = all.min(syncs);
    }
    Ok(all)
}

fn judge(
    infos: Vec<Value>,
    syncs: Result<Syncs, String>,
    options: &StoreOptions,
    as_cluster: bool,
) -> Result<Option<Barrier>, Unfit> {
    let mut barrier = None;
    for info in infos {
        let info: String = redis::from_redis_value(info).map_err(RedisError::from)?;
        let info = Info(&info);
        info.check(as_cluster)?;
        barrier = match options.durability {
            Durability::Accepted => None,
            Durability::Replicated => Some(Barrier::Replicas(options.replicas)),
            // If one of them needs it, it does no harm to the others.
            Durability::Synced => info.barrier_to_sync(&syncs)?.or(barrier),
        };
    }
    Ok(barrier)
}

impl Info<'_> {
    /// What every store needs.
    fn check(&self, as_cluster: bool) -> Result<(), Unfit> {
        // Until it has, it says of itself what does not hold: that it writes no log, for one.
        if self.field("loading") == "1" {
            return Err(Unfit::Unavailable("it is still reading its data".to_owned()));
        }
        let misconfigured = |problem: String| Err(Unfit::Misconfigured(problem));
        // Valkey calls it `server_mode`.
        if [self.field("redis_mode"), self.field("server_mode")].contains(&"sentinel") {
            return misconfigured(
                "it is a sentinel: name it, and the master it knows, as \
                 redis-sentinel://HOST:PORT/MASTER"
                    .to_owned(),
            );
        }
        if self.field("cluster_enabled") == "1" && !as_cluster {
            return misconfigured(
                "it is a node of a cluster: name it as redis-cluster://HOST:PORT".to_owned(),
            );
        }
        match self.version() {
            Some(version) if version >= VERSION_MIN => {}
            _ => {
                let found = self.field("redis_version");
                return misconfigured(format!(
                    "its version is {found:?}, and Redis 6.2 or later, or Valkey, is needed"
                ));
            }
        }
        match self.field("maxmemory_policy") {
            "noeviction" => {}
            policy => {
                return misconfigured(format!(
                    "its eviction policy is {policy}, which may drop the queue when memory is \
                     full: set maxmemory-policy to noeviction"
                ));
            }
        }
        match self.field("role") {
            "slave" => Err(Unfit::Unavailable("it is a replica, and takes no writes".to_owned())),
            _ => Ok(()),
        }
    }

    /// What a step waits for to be on the disk.
    fn barrier_to_sync(&self, syncs: &Result<Syncs, String>) -> Result<Option<Barrier>, Unfit> {
        if self.field("aof_enabled") != "1" {
            return Err(Unfit::Misconfigured(
                "durability is synced, but it writes nothing to its disk: set appendonly to yes \
                 and appendfsync to always, or durability to accepted"
                    .to_owned(),
            ));
        }
        let version = self.version();
        // Also where it syncs before it answers: with threads for its connections, Redis 8.2 and
        // Valkey answer some commands before that.
        let barrier = (version >= Some(VERSION_WITH_WAITAOF)).then_some(Barrier::Disk);
        let server = self.name_and_version();
        match syncs {
            Ok(Syncs::First) => Ok(barrier),
            Ok(Syncs::Never) => Err(Unfit::Misconfigured(
                "durability is synced, but it never syncs its file by itself: set appendfsync to always"
                    .to_owned(),
            )),
            _ if version >= Some(VERSION_THAT_WAITS) => Ok(barrier),
            Ok(Syncs::Later) => Err(Unfit::Misconfigured(format!(
                "durability is synced, but {server} answers before it has synced: set appendfsync to \
                 always and no-appendfsync-on-rewrite to no, or use Redis 8.0 or later"
            ))),
            Err(error) => Err(Unfit::Misconfigured(format!(
                "durability is synced, but {server} does not tell whether it syncs before it answers \
                 (CONFIG GET: {error}): let the user run CONFIG GET, or use Redis 8.0 or later"
            ))),
        }
    }
}
