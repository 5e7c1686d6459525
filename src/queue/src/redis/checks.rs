//! What a server must be to keep the queue: looked at when a connection is made, and every few seconds
//! from then on.

use std::collections::HashMap;

use redis::{Cmd, RedisError, RedisResult, Value};
use tokio::time::timeout;

use super::commands;
use super::info::Info;
use super::link::Link;
use super::settle::Barrier;
use super::strictest::{self, ANSWER_MAX, Asked};
use super::tls::Unusable;
use crate::{Durability, Fsync, Persistence, StoreOptions};

/// The oldest version that has all the commands that are used.
const VERSION_MIN: (u32, u32) = (6, 2);

/// The oldest version that has `WAITAOF`. Every Valkey has it.
const VERSION_WITH_WAITAOF: (u32, u32) = (7, 2);

/// The oldest version whose `WAITAOF` answers after the sync, whatever `appendfsync` is. Before it, and
/// on every Valkey up to 9.1, it answers at once with `everysec`: what was answered "ok" is lost in a
/// power cut. With `always` none of them does. Valkey and Redict call themselves Redis 7.2 here. See
/// <https://github.com/redis/redis/pull/13793>, and `tests/redis_durability/power_cut.rs`.
const VERSION_THAT_WAITS: (u32, u32) = (8, 0);

/// A replica that has said nothing for so many seconds does not follow. They do so once a second.
const LAG_MAX: u64 = 5;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Looked {
    /// What a step waits for: nothing when an answer is all that is asked for, or when the server syncs
    /// before it answers and has no `WAITAOF`.
    pub(super) barrier: Option<Barrier>,
    /// What "ok" means: as this process is set, or stricter, as another one is.
    pub(super) asked: Asked,
    /// What it is, and which version; of several servers, one of them.
    pub(super) server: String,
    /// Of several servers, the one that writes the least.
    pub(super) persistence: Persistence,
    /// How much memory it may use, in bytes; 0 when it has no limit.
    pub(super) limit_bytes: u64,
    /// Why nothing can become as durable as asked for now; of several servers, if that goes for all.
    pub(super) lacks: Option<String>,
}

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

impl Looked {
    /// Whether the settings are those that were found before.
    pub(super) fn is_as(&self, before: &Self) -> bool {
        Self { lacks: None, ..self.clone() } == Self { lacks: None, ..before.clone() }
    }

    /// What "ok" means.
    pub(super) fn durability(&self) -> Durability {
        self.asked.durability()
    }
}

/// Looks at the server, or at every master of a cluster. `key` is where the processes of a store say how
/// durable "ok" is to be, and `before` what they said at the last look.
pub(super) async fn look(
    link: &Link,
    options: &StoreOptions,
    key: &str,
    before: Option<Asked>,
) -> Result<Looked, Unfit> {
    let ask = async |command: Cmd| link.clone().ask_masters(&command).await;
    let config = |pattern| Cmd::new().arg("CONFIG").arg("GET").arg(pattern).take();
    let (infos, fsyncs, saves, others) = tokio::join!(
        ask(Cmd::new().arg("INFO").take()),
        ask(config("*appendfsync*")),
        ask(config("save")),
        strictest::read(link, key),
    );
    let own = Asked::of(options);
    let others = others.or(before).unwrap_or(Asked::Accepted);
    let asked = own.with(others).map_err(Unfit::Misconfigured)?;
    let configs = (fsync(fsyncs), has_snapshots(saves));
    let infos = infos.map_err(|error| commands::unfit("INFO", error))?;
    let looked = judge(infos, &configs, asked, is_cluster(link));
    let looked =
        looked.map_err(|unfit| if asked == own { unfit } else { because_of_others(unfit) })?;
    if own != Asked::Accepted && own == asked {
        strictest::write(link, key, own).await;
    }
    Ok(looked)
}

/// Says that a setting is that of another process.
fn because_of_others(unfit: Unfit) -> Unfit {
    match unfit {
        Unfit::Misconfigured(problem) => Unfit::Misconfigured(format!(
            "another process of the store has a stricter durability, and {problem}"
        )),
        unfit => unfit,
    }
}

/// Reads the format of what is in the store. The part of a cluster that has it may be away, and the
/// others are to work.
pub(super) async fn read_format(link: &Link, key: &str) -> Result<Format, RedisError> {
    let mut link = link.clone();
    let read = Cmd::get(key);
    if is_cluster(&link) {
        let read = timeout(ANSWER_MAX, read.query_async::<Option<u64>>(&mut link)).await;
        return Ok(match read {
            Ok(Ok(found)) => Format::Read(found),
            _ => Format::Away,
        });
    }
    Ok(Format::Read(read.query_async(&mut link).await?))
}

/// What was found where the format is.
pub(super) enum Format {
    /// The format, if there is one.
    Read(Option<u64>),
    /// Nothing, since the part of the cluster that has it does not answer.
    Away,
}

/// Checks that this version reads what is in the store, and marks a store that has none or an earlier one.
pub(super) async fn check_format(link: &Link, key: &str, found: Format) -> Result<(), Unfit> {
    match found {
        Format::Read(Some(format)) if format > crate::FORMAT => {
            Err(Unfit::Misconfigured(crate::later_format(format)))
        }
        Format::Read(Some(crate::FORMAT)) | Format::Away => Ok(()),
        Format::Read(_) => {
            let mut link = link.clone();
            let mut mark = redis::cmd("SET");
            let marked = mark.arg(key).arg(crate::FORMAT);
            // A server without memory is marked later.
            let marked = timeout(ANSWER_MAX, marked.query_async::<Option<String>>(&mut link));
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

/// When all of them sync their append-only files, or why it is not known.
fn fsync(configs: RedisResult<Vec<Value>>) -> Result<Fsync, String> {
    let mut all = Fsync::Always;
    for config in settings(configs)? {
        let has = |name: &str, value: &str| config.get(name).is_some_and(|found| found == value);
        if !config.contains_key("appendfsync") {
            return Err("it has no `appendfsync`".to_owned());
        }
        let fsync = if has("appendfsync", "no") {
            Fsync::No
        } else if has("appendfsync", "always") && has("no-appendfsync-on-rewrite", "no") {
            Fsync::Always
        } else {
            Fsync::EverySecond
        };
        all = all.min(fsync);
    }
    Ok(all)
}

/// Whether all of them take snapshots by themselves, or why it is not known.
fn has_snapshots(configs: RedisResult<Vec<Value>>) -> Result<bool, String> {
    let mut all = true;
    for config in settings(configs)? {
        all &= !config.get("save").ok_or("it has no `save`")?.is_empty();
    }
    Ok(all)
}

/// Settings, by name.
type Settings = HashMap<String, String>;

/// What each of them answered to CONFIG GET.
fn settings(configs: RedisResult<Vec<Value>>) -> Result<Vec<Settings>, String> {
    let configs = configs.map_err(|error| error.to_string())?;
    let read = configs.into_iter().map(redis::from_redis_value);
    read.collect::<Result<_, _>>().map_err(|error: redis::ParsingError| error.to_string())
}

/// When the servers sync, and whether they take snapshots, or why that is not known.
type Configs = (Result<Fsync, String>, Result<bool, String>);

fn judge(
    infos: Vec<Value>,
    configs: &Configs,
    asked: Asked,
    as_cluster: bool,
) -> Result<Looked, Unfit> {
    let mut looked = Looked {
        barrier: None,
        asked,
        server: String::new(),
        persistence: Persistence::File,
        limit_bytes: 0,
        lacks: None,
    };
    let mut all_lack = true;
    for info in infos {
        let info: String = redis::from_redis_value(info).map_err(RedisError::from)?;
        let info = Info(&info);
        info.check(as_cluster)?;
        looked.barrier = match asked {
            Asked::Accepted => None,
            Asked::Replicated(replicas) => {
                let found = info.replicas();
                all_lack &= found < u64::from(replicas.get());
                looked.lacks = Some(format!(
                    "durability is replicated, and {found} of {replicas} replicas follow it: nothing is \
                     accepted until all do"
                ));
                Some(Barrier::Replicas(replicas))
            }
            // If one of them needs it, it does no harm to the others.
            Asked::Synced => info.barrier_to_sync(&configs.0)?.or(looked.barrier),
        };
        looked.persistence = looked.persistence.min(info.persistence(configs));
        // Those of the masters come in any order.
        let (server, limit_bytes) = (info.name_and_version(), info.field("maxmemory"));
        let limit_bytes = limit_bytes.parse().unwrap_or_default();
        if looked.server.is_empty() || (&server, limit_bytes) < (&looked.server, looked.limit_bytes)
        {
            (looked.server, looked.limit_bytes) = (server, limit_bytes);
        }
    }
    looked.lacks = looked.lacks.filter(|_| all_lack);
    Ok(looked)
}

impl Info<'_> {
    /// What every store needs.
    fn check(&self, as_cluster: bool) -> Result<(), Unfit> {
        // Until it has, it says of itself what does not hold: that it writes no log, for one.
        if self.field("loading") == "1" {
            return Err(Unfit::Unavailable("it is still reading its data".to_owned()));
        }
        let misconfigured = |problem: String| Err(Unfit::Misconfigured(problem));
        if self.is_sentinel() {
            return misconfigured(format!(
                "it is a sentinel ({}): use redis-sentinel://HOST:PORT/MASTER, with the name that \
                 it has for the master",
                self.name_and_version()
            ));
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
            "" => {
                return misconfigured(format!(
                    "INFO of {} has no maxmemory_policy, so it may drop the queue when memory is \
                     full: use Redis 6.2 or later, or Valkey",
                    self.name_and_version()
                ));
            }
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

    /// How many replicas follow it, and have said so a short while ago.
    fn replicas(&self) -> u64 {
        let is_up = |replica: &str| {
            let lag = replica.split(',').find_map(|field| field.strip_prefix("lag="));
            let lag = lag.and_then(|lag| lag.parse::<u64>().ok());
            replica.contains("state=online") && lag.is_some_and(|lag| lag <= LAG_MAX)
        };
        let replicas = (0_u32..).map(|number| self.field(&format!("slave{number}")));
        replicas.take_while(|replica| !replica.is_empty()).filter(|replica| is_up(replica)).count()
            as u64
    }

    /// What it writes to its disk.
    fn persistence(&self, (fsync, has_snapshots): &Configs) -> Persistence {
        if self.field("aof_enabled") == "1" {
            let fsync = fsync.as_ref().copied().unwrap_or(Fsync::Unknown);
            return Persistence::AppendOnly { fsync };
        }
        match has_snapshots {
            Ok(true) => Persistence::Snapshots,
            Ok(false) => Persistence::None,
            Err(_) => Persistence::Unknown,
        }
    }

    /// What a step waits for to be on the disk.
    fn barrier_to_sync(&self, fsync: &Result<Fsync, String>) -> Result<Option<Barrier>, Unfit> {
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
        match fsync {
            Ok(Fsync::Always) => Ok(barrier),
            Ok(Fsync::No) => Err(Unfit::Misconfigured(
                "durability is synced, but it never syncs its file by itself: set appendfsync to always"
                    .to_owned(),
            )),
            _ if version >= Some(VERSION_THAT_WAITS) => Ok(barrier),
            Ok(Fsync::EverySecond | Fsync::Unknown) => Err(Unfit::Misconfigured(format!(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_another_kind_are_named() {
        for (info, problem) in [
            (
                "redict_version:7.3.6\r\nredict_mode:sentinel\r\nredis_version:7.2.4\r\n",
                "it is a sentinel (redict 7.3.6): use redis-sentinel://HOST:PORT/MASTER, with the \
                 name that it has for the master",
            ),
            (
                "redis_version:7.2.4\r\nredis_mode:standalone\r\n",
                "INFO of redis 7.2.4 has no maxmemory_policy, so it may drop the queue when memory \
                 is full: use Redis 6.2 or later, or Valkey",
            ),
        ] {
            let Err(Unfit::Misconfigured(found)) = Info(info).check(false) else {
                panic!("{info} is not misconfigured")
            };
            assert_eq!(found, problem);
        }
    }
}
