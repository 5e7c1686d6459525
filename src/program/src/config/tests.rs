//! What a person who sets something sees.

use serde::{Deserialize, Serialize};

use super::*;
use crate::shutdown::Shutdown;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    store: String,
    log: String,
    traces: Option<String>,
    traces_ratio: f64,
    listen: String,
    hosts: Vec<String>,
    workers: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: "redis://127.0.0.1:6379".to_owned(),
            log: "info".to_owned(),
            traces: None,
            traces_ratio: 1.0,
            listen: "127.0.0.1:50051".to_owned(),
            hosts: Vec::new(),
            workers: 5,
        }
    }
}

impl Settings for Config {
    const SECTION: &'static str = "server";
    const SECRETS: &'static [&'static str] = &["store"];

    fn validate(&self) -> Result<(), (&'static str, String)> {
        if self.workers == 0 { Err(("workers", "must be at least 1".to_owned())) } else { Ok(()) }
    }

    fn log(&self) -> &str {
        &self.log
    }

    fn traces(&self) -> Option<&str> {
        self.traces.as_deref()
    }

    fn traces_ratio(&self) -> f64 {
        self.traces_ratio
    }

    fn grace(&self) -> Duration {
        Duration::ZERO
    }
}

#[derive(Default, Serialize)]
struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_file: Option<String>,
}

fn with(file: Option<&str>, environment: &[(&str, &str)], flags: &Flags) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("muster.toml");
    let sources = Sources {
        file: file.map(|text| {
            std::fs::write(&path, text).unwrap();
            path
        }),
        environment: pairs(environment),
        ..Sources::default()
    };
    load(&sources, flags)
}

fn pairs(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What is said of the variables that are ignored.
fn warnings(environment: &[(&str, &str)]) -> Vec<String> {
    let defaults = Layer::new("the defaults", &Config::default()).unwrap();
    let environment = pairs(environment);
    environment::read(&environment, Config::SECTION, Config::SECRETS, &defaults).unwrap().warnings
}

fn error(file: Option<&str>, environment: &[(&str, &str)]) -> String {
    with(file, environment, &Flags::default()).unwrap_err().to_string()
}

#[test]
fn each_source_wins_over_the_one_before() {
    let file = "workers = 6\nstore = 'redis://a'\n[server]\nlisten = '[::]:1'\n[worker]\nx = 1";
    let environment =
        [("MUSTER_SERVER_WORKERS", "7"), ("MUSTER_LOG", "debug"), ("LOG_LEVEL", "warn")];
    let none = Flags::default();
    assert_eq!(with(None, &[], &none).unwrap(), Config::default());
    let config = with(Some(file), &[], &none).unwrap();
    assert_eq!(
        (config.workers, config.store.as_str(), config.listen.as_str()),
        (6, "redis://a", "[::]:1")
    );
    let config = with(Some(file), &environment, &none).unwrap();
    assert_eq!((config.workers, config.log.as_str()), (7, "debug"));
    let config = with(Some(file), &environment, &Flags { workers: Some(8), ..none }).unwrap();
    assert_eq!(config.workers, 8);
}

#[test]
fn the_replaced_system_s_variables_are_understood() {
    let none = Flags::default();
    let config = with(None, &[("REDIS_HOST", "redis"), ("LOG_LEVEL", "DEBUG")], &none).unwrap();
    assert_eq!((config.store.as_str(), config.log.as_str()), ("redis://redis:6379", "DEBUG"));
    let both = [("REDIS_PORT", "7"), ("MUSTER_STORE", "redis://other")];
    assert_eq!(with(None, &both[..1], &none).unwrap().store, "redis://127.0.0.1:7");
    assert_eq!(with(None, &both, &none).unwrap().store, "redis://other");
}

#[test]
fn open_telemetry_s_variable_is_understood_and_can_be_overruled() {
    let of = |environment: &[_]| with(None, environment, &Flags::default()).unwrap();
    let standard = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
    assert_eq!(of(&[standard]).traces.as_deref(), Some("http://collector:4317"));
    for own in ["http://other:4317", ""] {
        assert_eq!(of(&[standard, ("MUSTER_TRACES", own)]).traces.as_deref(), Some(own));
    }
    for (text, ratio) in [("0.25", 0.25), ("0", 0.0), ("1", 1.0)] {
        assert_eq!(of(&[("MUSTER_TRACES_RATIO", text)]).traces_ratio, ratio);
    }
}

#[test]
fn traces_may_go_to_a_collector_with_tls() {
    for name in ["MUSTER_TRACES", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        let config = with(None, &[(name, "https://collector:4317")], &Flags::default()).unwrap();
        assert_eq!(config.traces.as_deref(), Some("https://collector:4317"));
    }
}

#[test]
fn where_traces_cannot_go_is_named() {
    for (name, value, problem) in [
        (
            "MUSTER_TRACES",
            "collector",
            "`collector` is not of the form http://HOST:PORT or https://HOST:PORT",
        ),
        (
            "MUSTER_TRACES",
            "grpc://a:1",
            "`grpc://a:1` is not of the form http://HOST:PORT or https://HOST:PORT",
        ),
        ("MUSTER_TRACES_RATIO", "1.5", "must be from 0 to 1"),
        ("MUSTER_TRACES_RATIO", "half", "found string \"half\", expected a number"),
    ] {
        let message = error(None, &[(name, value)]);
        assert!(message.ends_with(&format!("({name}): {problem}")), "{message}");
    }
}

#[test]
fn variables_of_other_programs_and_the_file_s_name_are_no_settings() {
    let environment = [("MUSTER_WORKER_ROLL", "/x"), ("MUSTER_CONFIG", "/etc/muster.toml")];
    assert_eq!(with(None, &environment, &Flags::default()).unwrap(), Config::default());
}

/// What Kubernetes and Docker set for services called `muster`, `muster-server`, `muster-worker`,
/// `muster-store` and `redis`.
const OF_SERVICES: [(&str, &str); 25] = [
    ("MUSTER_SERVICE_HOST", "10.96.0.7"),
    ("MUSTER_SERVICE_PORT", "50051"),
    ("MUSTER_SERVICE_PORT_GRPC", "50051"),
    ("MUSTER_PORT", "tcp://10.96.0.7:50051"),
    ("MUSTER_PORT_50051_TCP", "tcp://10.96.0.7:50051"),
    ("MUSTER_PORT_50051_TCP_ADDR", "10.96.0.7"),
    ("MUSTER_NAME", "/client/muster"),
    ("MUSTER_SERVER_SERVICE_HOST", "10.96.0.8"),
    ("MUSTER_SERVER_SERVICE_PORT", "50051"),
    ("MUSTER_SERVER_PORT", "tcp://10.96.0.8:50051"),
    ("MUSTER_SERVER_PORT_50051_TCP", "tcp://10.96.0.8:50051"),
    ("MUSTER_SERVER_PORT_50051_TCP_ADDR", "10.96.0.8"),
    ("MUSTER_SERVER_PORT_50051_TCP_PORT", "50051"),
    ("MUSTER_SERVER_PORT_50051_TCP_PROTO", "tcp"),
    ("MUSTER_WORKER_SERVICE_HOST", "10.96.0.9"),
    ("MUSTER_WORKER_PORT", "tcp://10.96.0.9:9182"),
    ("MUSTER_STORE_SERVICE_HOST", "10.96.0.11"),
    ("MUSTER_STORE_PORT", "tcp://10.96.0.11:6379"),
    ("MUSTER_STORE_PORT_6379_TCP", "tcp://10.96.0.11:6379"),
    ("MUSTER_STORE_NAME", "/client/muster-store"),
    ("MUSTER_STORE_ENV_PATH", "/bin"),
    ("REDIS_SERVICE_HOST", "10.96.0.10"),
    ("REDIS_SERVICE_PORT", "6379"),
    ("REDIS_PORT", "tcp://10.96.0.10:6379"),
    ("REDIS_PORT_6379_TCP_ADDR", "10.96.0.10"),
];

#[test]
fn variables_of_services_are_ignored_and_named() {
    assert_eq!(with(None, &OF_SERVICES, &Flags::default()).unwrap(), Config::default());
    let warnings = warnings(&OF_SERVICES).join("\n");
    // Those of a worker may be settings of one, and those of Redis are nobody's setting.
    let is_ours = |name: &str| name.starts_with("MUSTER_") && !name.starts_with("MUSTER_WORKER_");
    for (name, _) in OF_SERVICES {
        let is_named = warnings.split_whitespace().any(|word| word == name);
        assert_eq!(is_named, is_ours(name) || name == "REDIS_PORT", "{name} in {warnings}");
    }
}

#[test]
fn variables_that_other_programs_read_too_are_ignored_if_they_mean_nothing_here() {
    let environment = [
        ("REDIS_HOST", "redis"),
        ("REDIS_PORT", "tcp://10.96.0.10:6379"),
        ("LOG_LEVEL", "verbose"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
    ];
    let config = with(None, &environment, &Flags::default()).unwrap();
    assert_eq!(config, Config { store: "redis://redis:6379".to_owned(), ..Config::default() });
    let warnings = warnings(&environment);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for (warning, (name, _)) in warnings.iter().zip(&environment[1..]) {
        assert!(warning.starts_with(&format!("{name} is ignored: ")), "{warning}");
    }
}

#[test]
fn misspelt_variable_is_refused_with_its_nearest_setting() {
    for (name, key, near) in [
        ("MUSTER_SERVER_LISEN", "lisen", "listen"),
        ("MUSTER_SERVER_LOGS", "logs", "log"),
        ("MUSTER_DURABILTY", "durabilty", "durability"),
        ("MUSTER_SENTINEL_PASWORD", "sentinel_pasword", "sentinel_password"),
    ] {
        assert_eq!(
            error(None, &[(name, "x")]),
            format!("`{key}` ({name}) is no setting; did you mean `{near}`?")
        );
    }
}

#[test]
fn unknown_variable_is_ignored_and_named() {
    assert_eq!(
        warnings(&[("MUSTER_SERVER_QQQ", "x"), ("MUSTER_QQQ", "x")]),
        [
            "MUSTER_QQQ is not a setting and is ignored",
            "MUSTER_SERVER_QQQ is not a setting and is ignored",
        ]
    );
    let known =
        [("MUSTER_SERVER_LISTEN", "[::]:1"), ("MUSTER_LOG", "warn"), ("MUSTER_REPLICAS", "2")];
    assert_eq!(warnings(&known), [""; 0]);
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let file = "store = 'redis://a'\nworkers = 6\nlog = 'debug'\n[server]\nhosts = ['a']";
    let none = Flags::default();
    let without = with(Some(file), &[], &none).unwrap();
    let empty = [
        ("MUSTER_STORE", ""),
        ("MUSTER_STORE_FILE", ""),
        ("MUSTER_LOG", ""),
        ("MUSTER_SERVER_WORKERS", ""),
        ("MUSTER_SERVER_HOSTS", ""),
        ("MUSTER_SERVER_LISEN", ""),
        ("MUSTER_QQQ", ""),
        ("REDIS_HOST", ""),
        ("LOG_LEVEL", ""),
    ];
    assert_eq!(with(Some(file), &empty, &none).unwrap(), without);
    assert_eq!(warnings(&empty), [""; 0]);
}

#[test]
fn a_list_in_a_variable_is_separated_by_commas() {
    for (text, hosts) in [
        ("a.example", &["a.example"][..]),
        ("a.example,b.example", &["a.example", "b.example"]),
        (" a , 7 ,, ", &["a", "7"]),
    ] {
        let config = with(None, &[("MUSTER_SERVER_HOSTS", text)], &Flags::default()).unwrap();
        assert_eq!(config.hosts, hosts, "{text:?}");
    }
}

#[test]
fn the_store_may_be_in_a_file_of_its_own() {
    let none = Flags::default();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("store").display().to_string();
    std::fs::write(&secret, "redis://:s3cret@a\n").unwrap();
    let variable = [("MUSTER_STORE_FILE", secret.as_str())];
    let file = format!("store_file = '{secret}'");
    for config in [with(None, &variable, &none), with(Some(&file), &[], &none)] {
        assert_eq!(config.unwrap().store, "redis://:s3cret@a");
    }
    let later = with(Some(&file), &[("MUSTER_STORE", "redis://b")], &none).unwrap();
    assert_eq!(later.store, "redis://b");
    let later = with(Some("store = 'redis://b'"), &variable, &none).unwrap();
    assert_eq!(later.store, "redis://:s3cret@a");
}

#[test]
fn a_program_without_a_store_leaves_its_file_alone() {
    let layer =
        Layer::new("a file", &Dict::from([("store_file".to_owned(), "/none".into())])).unwrap();
    let layers = secret::read(layer, &[]).unwrap();
    assert_eq!(layers.into_iter().map(|layer| layer.values).collect::<Vec<_>>(), [Dict::new()]);
}

#[test]
fn the_file_of_the_store_may_be_a_flag() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("store");
    std::fs::write(&secret, "redis://:s3cret@a\n").unwrap();
    let store_file = Some(secret.display().to_string());
    let flags = Flags { store_file, ..Flags::default() };
    let config = with(None, &[("MUSTER_STORE", "redis://b")], &flags).unwrap();
    assert_eq!(config.store, "redis://:s3cret@a");
}

#[test]
fn a_credential_counts_more_than_the_file_and_less_than_a_variable() {
    let none = Flags::default();
    let folder = tempfile::tempdir().unwrap();
    let of_unit = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    let file = Some("store = 'redis://b'");
    assert_eq!(with(file, &of_unit, &none).unwrap().store, "redis://b");

    let credential = folder.path().join("muster.store");
    std::fs::write(&credential, "redis://:s3cret@a\n").unwrap();
    std::fs::write(folder.path().join("muster.log"), "debug").unwrap();
    let config = with(file, &of_unit, &none).unwrap();
    assert_eq!((config.store.as_str(), config.log.as_str()), ("redis://:s3cret@a", "info"));
    let [folder] = of_unit;
    let variables = [folder, ("MUSTER_STORE", "redis://c")];
    assert_eq!(with(file, &variables, &none).unwrap().store, "redis://c");

    std::fs::remove_file(&credential).unwrap();
    std::fs::create_dir(&credential).unwrap();
    let message = error(None, &of_unit);
    assert!(message.starts_with("cannot read the settings in /"), "{message}");
    assert!(message.contains("/muster.store: "), "{message}");
}

#[test]
fn a_password_in_an_argument_is_refused_and_not_repeated() {
    let flags = Flags { store: Some("redis://:s3cret@a"), ..Flags::default() };
    let message = with(None, &[], &flags).unwrap_err().to_string();
    assert_eq!(
        message,
        "--store has a password in it, and everyone on this machine can read the arguments of a \
         process: give it by MUSTER_STORE, or name a file that holds it, by --store-file or \
         `store_file`"
    );
    let flags = Flags { store: Some("redis://a"), ..Flags::default() };
    assert_eq!(with(None, &[], &flags).unwrap().store, "redis://a");
}

#[test]
fn a_line_that_is_no_toml_is_named_and_not_shown() {
    for (text, problem) in [
        ("log = 'info'\nstore = redis://:s3cret@a", "muster.toml is no TOML: line 2, column 9: "),
        ("store = 'redis://:s3cret@a", "muster.toml is no TOML: line 1, column "),
        ("redis://:s3cret@a", "muster.toml is no TOML: line 1, column "),
        ("store = 'redis://:s3cret@a'\nstore = 'b'", "line 2, column 1: duplicate key"),
    ] {
        let message = error(Some(text), &[]);
        assert!(message.contains(problem), "{message}");
        assert!(!message.contains("s3cret") && !message.contains('\n'), "{message}");
    }
}

#[test]
fn a_secret_of_the_wrong_type_is_not_shown() {
    for text in ["store = 7353", "store = ['7353']", "[store]\nurl = '7353'", "store = 7353.5"] {
        let message = error(Some(text), &[]);
        assert!(
            message.ends_with("muster.toml): expected a string; what was found is not shown"),
            "{message}"
        );
    }
    // Whatever it looks like, a variable is a text.
    let config = with(None, &[("MUSTER_STORE", "7353")], &Flags::default()).unwrap();
    assert_eq!(config.store, "7353");
}

#[test]
fn a_bad_value_beside_a_secret_s_file_is_of_the_file_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "redis://:s3cret@a").unwrap();
    let message = error(Some(&format!("workers = 0\nstore_file = '{}'", secret.display())), &[]);
    assert!(message.ends_with("muster.toml): must be at least 1"), "{message}");
}

#[test]
fn a_file_of_the_store_that_cannot_be_used_is_named() {
    assert_eq!(
        error(None, &[("MUSTER_STORE_FILE", "/none")]),
        "cannot read the settings in /none: No such file or directory (os error 2)"
    );
    assert_eq!(
        error(None, &[("MUSTER_STORE_FILE", "7")]),
        "`store_file` (MUSTER_STORE_FILE): is not the name of a file"
    );
    let message = error(Some("store = 'redis://a'\nstore_file = '/none'"), &[]);
    assert!(message.ends_with("muster.toml): there is `store` beside it"), "{message}");
}

#[test]
fn an_unknown_key_is_named_with_its_nearest_neighbour() {
    let message = error(Some("[sever]\nlisten = 'x'"), &[]);
    assert!(message.ends_with("muster.toml) is no setting; did you mean `server`?"), "{message}");
    let message = error(Some("qqq = 1"), &[]);
    assert!(message.ends_with("is no setting; --dump-config shows all there are"), "{message}");
}

#[test]
fn a_bad_value_is_named_with_its_origin() {
    assert_eq!(
        error(None, &[("MUSTER_SERVER_WORKERS", "five")]),
        "`workers` (MUSTER_SERVER_WORKERS): found string \"five\", expected a whole number from 0 to 65535"
    );
    assert_eq!(
        error(None, &[("MUSTER_SERVER_WORKERS", "0")]),
        "`workers` (MUSTER_SERVER_WORKERS): must be at least 1"
    );
    let message = error(Some("workers ="), &[]);
    assert!(message.contains("muster.toml is no TOML"), "{message}");
}

#[test]
fn what_is_wrong_is_shown_short_and_harmless() {
    let message = error(Some(&format!("\"\\u001b{}\" = 1", "k".repeat(10_000))), &[]);
    assert!(message.starts_with(r"`\u{1b}kkk"), "{message}");
    let message = error(None, &[("MUSTER_LOG", &"\u{202e}".repeat(10_000))]);
    assert!(message.starts_with(r"`log` (MUSTER_LOG): `\u{202e}\u{202e}"), "{message}");
    assert!(message.len() < 1200, "{message}");
}

#[test]
fn a_missing_file_is_named() {
    let sources = Sources { file: Some("/nowhere/muster.toml".into()), ..Sources::default() };
    let message = load::<Config>(&sources, &Flags::default()).unwrap_err().to_string();
    assert!(message.starts_with("cannot read the settings in /nowhere/muster.toml"), "{message}");
}

#[test]
fn what_is_dumped_can_be_read_again() {
    let config = Config { workers: 9, log: "debug".to_owned(), ..Config::default() };
    let dumped = dump(&config).unwrap().to_string();
    assert!(dumped.contains("[server]\n"), "{dumped}");
    assert_eq!(with(Some(&dumped), &[], &Flags::default()).unwrap(), config);
}

/// Settings that are read from a file that holds the store, and the file.
fn by_file(folder: &Path) -> (Loader<Config>, PathBuf) {
    let secret = folder.join("store");
    std::fs::write(&secret, "redis://:s3cret@a").unwrap();
    let variable = ("MUSTER_STORE_FILE".to_owned(), secret.display().to_string());
    let sources = Sources { file: None, environment: vec![variable], warns: false };
    (Loader::new(&Config::default(), sources, &Flags::default()).unwrap(), secret)
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_read_again_when_its_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (loader, secret) = by_file(folder.path());
    let (taken, mut stores) = tokio::sync::mpsc::unbounded_channel();
    let shutdown = Shutdown::default();
    let take = move |config: Config| {
        if config.store == "refused" {
            return Err("it is another store".to_owned());
        }
        taken.send(config.store).map_err(|error| error.to_string())
    };
    loader.watch_secrets(take, &shutdown).unwrap();
    assert_eq!(stores.recv().await.unwrap(), "redis://:s3cret@a");
    for text in ["redis://:s3cret@b", "refused", "redis://:s3cret@c"] {
        std::fs::write(&secret, text).unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    std::fs::remove_file(&secret).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    std::fs::write(&secret, "redis://:s3cret@d").unwrap();
    for expected in ["b", "c", "d"] {
        assert_eq!(stores.recv().await.unwrap(), format!("redis://:s3cret@{expected}"));
    }
    shutdown.begin();
    shutdown.drain().await;
    assert_eq!(stores.recv().await, None);
}

#[test]
fn a_secret_that_cannot_be_read_at_the_start_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (loader, secret) = by_file(folder.path());
    std::fs::remove_file(secret).unwrap();
    let problem = loader.watch_secrets(|_| Ok(()), &Shutdown::default()).unwrap_err();
    assert!(problem.starts_with("cannot read the settings in "), "{problem}");
}
