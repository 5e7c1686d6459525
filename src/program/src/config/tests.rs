//! What a person who sets something sees.

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    store: String,
    log: String,
    traces: Option<String>,
    traces_ratio: f64,
    listen: String,
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
            workers: 5,
        }
    }
}

impl Settings for Config {
    const SECTION: &'static str = "server";

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
}

fn with(file: Option<&str>, environment: &[(&str, &str)], flags: &Flags) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("muster.toml");
    let sources = Sources {
        file: file.map(|text| {
            std::fs::write(&path, text).unwrap();
            path
        }),
        environment: environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
    };
    load(&sources, flags)
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
    let config = with(Some(file), &environment, &Flags { workers: Some(8) }).unwrap();
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
fn where_traces_cannot_go_is_named() {
    for (name, value, problem) in [
        ("MUSTER_TRACES", "collector", "`collector` is not of the form http://HOST:PORT"),
        ("MUSTER_TRACES", "https://a:1", "`https://a:1` is not of the form http://HOST:PORT"),
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
    assert_eq!(secret::read_store(layer, false).unwrap().values, Dict::new());
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
    assert_eq!(
        error(None, &[("MUSTER_SERVER_LISEN", "x")]),
        "`lisen` (MUSTER_SERVER_LISEN) is no setting; did you mean `listen`?"
    );
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
fn a_line_that_is_no_toml_is_named_and_not_shown() {
    let message = error(Some("log = \"info\"\nstore = \"redis://:s3cret@a"), &[]);
    assert!(message.contains("muster.toml is no TOML: line 2, column "), "{message}");
    assert!(!message.contains("s3cret"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
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
    let sources = Sources { file: Some("/nowhere/muster.toml".into()), environment: Vec::new() };
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
