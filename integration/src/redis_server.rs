//! A real Redis that can be killed and started again on the same data.
//!
//! The program is `redis-server`, or what `MUSTER_STORE_PROGRAM` names (`valkey-server`).

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::certificates::Paths;
use crate::ports::free_port;
use crate::process::Process;
use crate::{programs, resp, wait};

const START: Duration = Duration::from_secs(30);

/// What a Redis promises to keep through its own death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: all is in memory.
    Memory,
    /// Every write, but for the last second or two (`appendfsync everysec`).
    EverySecond,
    /// Every write that it has acknowledged (`appendfsync always`).
    EveryWrite,
}

/// A Redis server of its own, on a loopback port, in a folder that goes with it.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Process>,
    program: String,
    port: u16,
    tls_port: Option<u16>,
    durability: Durability,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    folder: PathBuf,
    log: Option<PathBuf>,
    /// The folder, if it goes with the server.
    _own: Option<TempDir>,
}

/// The end of the newest append-only file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AofEnd {
    /// The file.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
}

impl RedisServer {
    /// Chooses a port and a folder; the server does not run yet.
    ///
    /// # Panics
    ///
    /// When there is no room for a folder.
    pub fn prepare(durability: Durability) -> Self {
        let own = tempfile::tempdir().expect("there is room for a folder");
        let server = Self::prepare_in(durability, own.path());
        Self { log: None, _own: Some(own), ..server }
    }

    /// The same, with its data and its log (`redis.log`) in this folder, which stays.
    pub fn prepare_in(durability: Durability, folder: &Path) -> Self {
        Self {
            process: None,
            program: programs::store_program(),
            port: free_port(),
            tls_port: None,
            durability,
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: folder.to_owned(),
            log: Some(folder.join("redis.log")),
            _own: None,
        }
    }

    /// Starts it as this program, in place of the default one.
    #[must_use]
    pub fn with_program(self, program: &str) -> Self {
        Self { program: program.to_owned(), ..self }
    }

    /// Starts it with these arguments too.
    #[must_use]
    pub fn with_arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Lets it speak TLS as well, on a port of its own and with this certificate, to clients that
    /// have one from the authority whose own is in the file `ca`. It reads the files as it starts.
    #[must_use]
    pub fn with_tls(mut self, ca: &Path, server: &Paths) -> Self {
        let port = free_port();
        self.tls_port = Some(port);
        let path = |path: &Path| path.to_str().expect("the path of a test is text").to_owned();
        self.with_arguments(&["--tls-port", &port.to_string(), "--tls-auth-clients", "yes"])
            .with_arguments(&["--tls-ca-cert-file", &path(ca)])
            .with_arguments(&["--tls-cert-file", &path(&server.certificate)])
            .with_arguments(&["--tls-key-file", &path(&server.key)])
    }

    /// Gives it these users beside the one that needs no password, each a line such as
    /// `user NAME on >PASSWORD ~KEYS +COMMAND`.
    ///
    /// # Panics
    ///
    /// When there is no room for the file.
    #[must_use]
    pub fn with_users(self, users: &str) -> Self {
        let file = self.folder.join("users.acl");
        let users = format!("user default on nopass ~* &* +@all\n{users}\n");
        fs::write(&file, users).expect("there is room for a file");
        let file = file.to_str().expect("the path of a test is text").to_owned();
        self.with_arguments(&["--aclfile", &file])
    }

    /// Starts it with these variables in its environment.
    #[must_use]
    pub fn with_environment(self, environment: Vec<(String, String)>) -> Self {
        Self { environment, ..self }
    }

    /// Starts the server, on the data that is there, and waits until it takes commands.
    ///
    /// # Panics
    ///
    /// When the program is not installed or does not start.
    pub fn start(&mut self) {
        let (appends, syncs) = match self.durability {
            Durability::Memory => ("no", "no"),
            Durability::EverySecond => ("yes", "everysec"),
            Durability::EveryWrite => ("yes", "always"),
        };
        let mut command = Command::new(&self.program);
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", appends])
            .args(["--appendfsync", syncs, "--port", &self.port.to_string(), "--dir"])
            .arg(&self.folder)
            .args(&self.arguments)
            .envs(self.environment.iter().cloned());
        let name = format!("{} (`script/test` installs redis-server)", self.program);
        let mut process = match &self.log {
            Some(log) => Process::start_with_log(&name, &mut command, log),
            None => Process::start(&name, &mut command),
        };
        process.wait_for_line("Ready to accept connections", START);
        self.process = Some(process);
    }

    /// Kills the server (SIGKILL); its data stays.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn kill(&mut self) {
        self.process.take().expect("the Redis to kill runs").kill();
    }

    /// Stops it where it is (SIGSTOP), until [`RedisServer::thaw`].
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn freeze(&self) {
        self.process.as_ref().expect("the Redis to freeze runs").freeze();
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn thaw(&self) {
        self.process.as_ref().expect("the Redis to thaw runs").thaw();
    }

    /// Copies its data into a folder. The copy may lack the end of the last write.
    ///
    /// # Panics
    ///
    /// When there is no room for it.
    pub fn copy_data(&self, copy: &Path) {
        self.data().for_each(|path| copy_into(&path, copy));
    }

    /// Removes the data of a server that does not run, and puts a copy in its place, if there is one.
    ///
    /// # Panics
    ///
    /// When it runs, or there is no room.
    pub fn replace_data(&self, copy: Option<&Path>) {
        assert!(!self.is_started(), "the data of a server that runs is not replaced");
        for path in self.data() {
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.expect("data can be removed");
        }
        copy.into_iter().flat_map(entries).for_each(|path| copy_into(&path, &self.folder));
    }

    /// The files and folders with its data: all in its folder but its log.
    fn data(&self) -> impl Iterator<Item = PathBuf> {
        entries(&self.folder).filter(|path| self.log.as_ref() != Some(path))
    }

    /// Whether it was started, and not killed.
    pub fn is_started(&self) -> bool {
        self.process.is_some()
    }

    /// The id of its process, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// What it keeps through its own death.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it speaks TLS.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn tls_port(&self) -> u16 {
        self.tls_port.expect("it is one with TLS")
    }

    /// Where programs find it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A field of `INFO`; `None` if the server does not answer or does not have it.
    pub fn info(&self, section: &str, field: &str) -> Option<String> {
        let info: String = resp::ask(self.port, &["INFO", section]).ok()?;
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| *name == field).map(|(_, value)| value.to_owned())
    }

    /// Lets the server write its append-only file anew, and waits until it has.
    ///
    /// # Panics
    ///
    /// When it does not within half a minute.
    pub fn rewrite_aof(&self) {
        resp::ask::<()>(self.port, &["BGREWRITEAOF"]).expect("a rewrite can be asked for");
        let is = |field, value| self.info("persistence", field).as_deref() == Some(value);
        let done = || {
            let idle = is("aof_rewrite_in_progress", "0") && is("aof_rewrite_scheduled", "0");
            (idle && is("aof_last_bgrewrite_status", "ok")).then_some(())
        };
        wait::until(START, done, || "the append-only file is not written anew".to_owned());
    }

    /// The files that the server appends to: one, or since Redis 7 those in a folder that are not a
    /// base.
    pub fn append_only_files(&self) -> Vec<PathBuf> {
        let folders = [self.folder.clone(), self.folder.join("appendonlydir")];
        let is_appended = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".incr.aof") || name == "appendonly.aof"
        };
        let files = folders.iter().filter(|folder| folder.is_dir()).flat_map(|path| entries(path));
        files.filter(is_appended).collect()
    }

    /// The end of the file that the server appends to.
    ///
    /// # Panics
    ///
    /// When there is no such file.
    pub fn aof_end(&self) -> AofEnd {
        // Before Redis 7 there is one file.
        let path = newest_incremental(&self.folder.join("appendonlydir"))
            .unwrap_or_else(|| self.folder.join("appendonly.aof"));
        let bytes = fs::metadata(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")).len();
        AofEnd { path, bytes }
    }

    /// Cuts the append-only file of a server that does not run.
    ///
    /// # Panics
    ///
    /// When the file cannot be cut.
    pub fn cut_aof(&self, end: &AofEnd) {
        assert!(!self.is_started(), "the file of a server that runs is not cut");
        let file = File::options().write(true).open(&end.path).expect("the file is there");
        file.set_len(end.bytes).expect("a file can be cut");
    }
}

/// Kills the master on this port (SIGKILL). For the time `alone` before, its replicas hear nothing
/// of it: what it takes then dies with it, unless somebody waited for a replica to have it.
///
/// # Panics
///
/// When it is none of these servers, or does not run.
pub fn kill_master(servers: &mut [RedisServer], port: u16, alone: Duration) {
    let follows = |server: &&mut RedisServer| {
        server.info("replication", "master_port") == Some(port.to_string())
    };
    let (mut masters, others): (Vec<_>, Vec<_>) =
        servers.iter_mut().partition(|server| server.port == port);
    let replicas: Vec<_> =
        others.into_iter().filter(follows).filter_map(|server| server.process.as_ref()).collect();
    replicas.iter().for_each(|replica| replica.freeze());
    let _: u64 =
        resp::ask(port, &["CLIENT", "KILL", "TYPE", "replica"]).expect("the master serves");
    thread::sleep(alone);
    masters.pop().expect("the master is one of these").kill();
    replicas.iter().for_each(|replica| replica.thaw());
}

/// What lies in a folder.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    entries.map(|entry| entry.expect("a folder can be read").path())
}

/// Copies a file, or a folder with what lies in it, into a folder. A file that goes meanwhile is left
/// out.
fn copy_into(path: &Path, folder: &Path) {
    let copy = folder.join(path.file_name().expect("an entry has a name"));
    if path.is_dir() {
        fs::create_dir(&copy).expect("there is room for a folder");
        entries(path).for_each(|entry| copy_into(&entry, &copy));
    } else if let Err(error) = fs::copy(path, &copy) {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{}: {error}", path.display());
    }
}

/// The incremental file with the highest number, `appendonly.aof.NUMBER.incr.aof`.
fn newest_incremental(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.map_while(Result::ok).map(|entry| entry.path());
    let number = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_suffix(".incr.aof")?.rsplit('.').next()?.parse().ok()
    };
    files.filter(|path| number(path).is_some()).max_by_key(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(redis: &RedisServer, key: &str) {
        let () = resp::ask(redis.port, &["SET", key, "value"]).unwrap();
    }

    fn has(redis: &RedisServer, key: &str) -> bool {
        resp::ask(redis.port, &["EXISTS", key]).unwrap()
    }

    /// Whether a key set before the server is killed is there after it.
    fn outlives_a_kill(durability: Durability) -> bool {
        let mut redis = RedisServer::prepare(durability);
        redis.start();
        set(&redis, "key");
        redis.kill();
        redis.start();
        has(&redis, "key")
    }

    #[test]
    fn what_is_synced_outlives_a_kill_and_what_is_in_memory_does_not() {
        assert!(outlives_a_kill(Durability::EveryWrite));
        assert!(!outlives_a_kill(Durability::Memory));
    }

    #[test]
    fn data_is_that_of_the_copy_that_was_put_back_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        let mut redis = RedisServer::prepare(Durability::EveryWrite);
        redis.start();
        set(&redis, "before");
        fs::create_dir(&copy).unwrap();
        redis.copy_data(&copy);
        set(&redis, "after");
        redis.kill();
        redis.replace_data(Some(&copy));
        redis.start();
        assert!(has(&redis, "before") && !has(&redis, "after"));
        redis.kill();
        redis.replace_data(None);
        redis.start();
        assert!(!has(&redis, "before"));
    }

    #[test]
    fn a_cut_file_loses_what_was_written_after_the_cut_and_nothing_before() {
        let mut redis = RedisServer::prepare(Durability::EveryWrite);
        redis.start();
        set(&redis, "before");
        let end = redis.aof_end();
        set(&redis, "after");
        assert!(redis.aof_end().bytes > end.bytes);
        redis.kill();
        redis.cut_aof(&AofEnd { bytes: end.bytes + 3, ..end });
        redis.start();
        assert!(has(&redis, "before") && !has(&redis, "after"));
        assert_eq!(redis.info("persistence", "aof_enabled").as_deref(), Some("1"));
    }
}
