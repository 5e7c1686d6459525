//! `--dump-config` shows the settings in force; `--check-config` is silent when they are right.

use crate::Desk;

/// All that reads settings.
const COMMANDS: [&str; 5] =
    ["muster-server", "muster-worker", "muster-client send", "muster run", "muster up"];

fn dump(command: &str) -> String {
    let desk = Desk::new();
    let finished = desk.enter(&format!("{command} --dump-config")).expect_code(0);
    assert_eq!(finished.stderr, "", "settings go to standard output");
    desk.without_path(&finished.stdout)
}

#[test]
fn what_is_right_is_checked_in_silence() {
    let desk = Desk::new();
    desk.put("muster.toml", "store = \"redis://redis:6379\"\ndurability = \"replicated\"\nreplicas = 2\n[worker]\nworkers = 3\n");
    for command in COMMANDS {
        for line in [
            format!("{command} --check-config"),
            format!("{command} --check-config --config muster.toml"),
        ] {
            let finished = desk.enter(&line).expect_code(0);
            assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("", ""), "{line}");
        }
    }
}

#[test]
fn what_is_wrong_is_checked_with_a_message() {
    let desk = Desk::new();
    desk.put("muster.toml", "stoer = \"redis://redis:6379\"\n");
    for command in COMMANDS {
        let line = format!("{command} --check-config --config muster.toml");
        let finished = desk.enter(&line).expect_code(2);
        assert_eq!(finished.stdout, "", "{line}");
        assert!(finished.stderr.contains("`stoer` (muster.toml)"), "{finished}");
        let finished = desk.enter(&format!("{command} --check-config --log =")).expect_code(2);
        assert!(finished.stderr.contains("`log` (the command line): `=` is no log"), "{finished}");
        let finished = desk.enter(&format!("{command} --check-config --traces x")).expect_code(2);
        let problem = "`traces` (the command line): `x` is not of the form http://HOST:PORT";
        assert!(finished.stderr.contains(problem), "{finished}");
    }
}

#[test]
fn variables_that_belong_to_others_are_ignored_and_named() {
    let desk = Desk::new();
    let environment = [
        ("MUSTER_SERVICE_HOST", "10.96.0.7"),
        ("MUSTER_PORT", "tcp://10.96.0.7:50051"),
        ("MUSTER_SERVER_PORT", "tcp://10.96.0.8:50051"),
        ("MUSTER_WORKER_PORT", "tcp://10.96.0.9:9182"),
        ("MUSTER_CLIENT_PORT", "tcp://10.96.0.9:1"),
        ("REDIS_PORT", "tcp://10.96.0.10:6379"),
        ("LOG_LEVEL", "verbose"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("MUSTER_CONFIG", ""),
        ("MUSTER_STORE", ""),
    ];
    for command in COMMANDS {
        let line = format!("{command} --dump-config");
        let plain = desk.enter(&line).expect_code(0);
        let finished = desk.enter_with(&line, &environment).expect_code(0);
        assert_eq!(finished.stdout, plain.stdout, "{command}");
        for name in [
            "MUSTER_SERVICE_HOST",
            "MUSTER_PORT",
            "REDIS_PORT",
            "LOG_LEVEL",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ] {
            assert_eq!(finished.stderr.matches(name).count(), 1, "{name} in {finished}");
        }
        for name in ["MUSTER_CONFIG", "MUSTER_STORE"] {
            assert!(!finished.stderr.contains(name), "{finished}");
        }
    }
    for (command, of_section) in [
        ("muster-server", "MUSTER_SERVER_PORT"),
        ("muster-worker", "MUSTER_WORKER_PORT"),
        ("muster-client send", "MUSTER_CLIENT_PORT"),
    ] {
        let finished = desk.enter_with(&format!("{command} --check-config"), &environment);
        let finished = finished.expect_code(0);
        for name in ["MUSTER_SERVER_PORT", "MUSTER_WORKER_PORT", "MUSTER_CLIENT_PORT"] {
            assert_eq!(finished.stderr.contains(name), name == of_section, "{name} in {finished}");
        }
    }
}

#[test]
fn misspelt_variable_is_refused_with_its_nearest_setting() {
    let desk = Desk::new();
    let environment = [("MUSTER_SERVER_LISEN", "[::]:1")];
    let finished = desk.enter_with("muster-server --check-config", &environment).expect_code(2);
    insta::assert_snapshot!(finished.stderr, @"muster-server: `lisen` (MUSTER_SERVER_LISEN) is no setting; did you mean `listen`?");
}

#[test]
fn a_list_is_set_by_a_variable() {
    let environment = [("MUSTER_SERVER_HOSTS", "muster.example, ops.example")];
    let finished = Desk::new().enter_with("muster-server --dump-config", &environment);
    let finished = finished.expect_code(0);
    let dumped: Vec<&str> = finished.stdout.split_whitespace().collect();
    let hosts = dumped.join(" ");
    assert!(hosts.contains(r#"hosts = ["muster.example", "ops.example"]"#), "{finished}");
}

#[test]
fn what_is_dumped_is_read_as_a_file() {
    for command in COMMANDS {
        let desk = Desk::new();
        let dumped = desk.enter(&format!("{command} --dump-config")).expect_code(0).stdout;
        desk.put("muster.toml", &dumped);
        let again = format!("{command} --dump-config --config muster.toml");
        assert_eq!(desk.enter(&again).expect_code(0).stdout, dumped, "{command}");
    }
}

#[test]
fn a_password_is_not_dumped() {
    let desk = Desk::new();
    desk.put("secret", "redis://:s3cret@redis:6379\n");
    desk.put("muster.store", "redis://:s3cret@redis:6379\n");
    let folder = desk.path();
    let variable = [("MUSTER_STORE", "redis://:s3cret@redis:6379")];
    let of_unit = [("CREDENTIALS_DIRECTORY", folder.as_str())];
    for command in COMMANDS {
        for (flags, environment) in
            [("", &variable), ("", &of_unit), (" --store-file secret", &[("MUSTER_LOG", "warn")])]
        {
            let has_store = !command.contains("client") && !command.contains("run");
            if !has_store && !flags.is_empty() {
                continue;
            }
            let line = format!("{command} --dump-config{flags}");
            let finished = desk.enter_with(&line, environment).expect_code(0);
            assert!(!finished.stdout.contains("s3cret"), "{finished}");
            let shown = finished.stdout.contains("store = \"redis://:***@redis:6379\"");
            assert!(shown || !has_store, "{finished}");
        }
    }
}

#[test]
fn muster_server() {
    insta::assert_snapshot!(dump("muster-server"), @r#"
    durability = "accepted"
    key_prefix = "muster"
    log = "info"
    replicas = 1
    store = "redis://127.0.0.1:6379"
    store_connect_timeout = "10s"
    traces_ratio = 1.0

    [server]
    age_max = "1day"
    anonymous = false
    arrival_max = "10s"
    at_deadline = "abort"
    bytes_max = 1073741824
    call_max = "5m"
    calls_max = 16384
    calls_per_address_max = 8192
    calls_per_connection_max = 1024
    connections_max = 1024
    connections_per_address_max = 512
    deadline = "1h"
    field_bytes_max = 1048576
    grace = "10s"
    header_bytes_max = 16384
    hosts = []
    http = "127.0.0.1:9181"
    idle_max = "15m"
    listen = "127.0.0.1:50051"
    message_bytes_max = 4194304
    open_metrics = false
    plain_text = false
    read_only = false
    record_bytes_max = 1048576
    records_per_second_max = 1000000
    records_per_stream_max = 1000000000
    stream_idle_max = "10m"
    streams_max = 1024
    streams_per_address_max = 256
    write_max = "30s"
    "#);
}

#[test]
fn muster_worker() {
    insta::assert_snapshot!(dump("muster-worker"), @r#"
    durability = "accepted"
    key_prefix = "muster"
    log = "info"
    replicas = 1
    store = "redis://127.0.0.1:6379"
    store_connect_timeout = "10s"
    traces_ratio = 1.0

    [worker]
    attempts_max = 5
    check_email = true
    check_identity = true
    check_ip_address = true
    crashes_max = 2
    grace = "10s"
    lease = "6s"
    normalise = false
    retry_delay = "1s"
    retry_delay_max = "1m"
    roll = "."
    scan_interval = "2s"
    workers = 1
    "#);
}

#[test]
fn muster_client_send() {
    insta::assert_snapshot!(dump("muster-client send"), @r#"
    log = "warn"
    traces_ratio = 1.0

    [client]
    in_flight = 32
    mode = "stream"
    plain_text = false
    retry_for = "1m"
    server = "http://127.0.0.1:50051"
    "#);
}

#[test]
fn muster_run() {
    insta::assert_snapshot!(dump("muster run"), @r#"
    durability = "accepted"
    key_prefix = "muster"
    log = "warn"
    replicas = 1
    store = "redis://127.0.0.1:6379"
    store_connect_timeout = "10s"
    traces_ratio = 1.0

    [worker]
    attempts_max = 5
    check_email = true
    check_identity = true
    check_ip_address = true
    crashes_max = 2
    grace = "10s"
    lease = "6s"
    normalise = false
    retry_delay = "1s"
    retry_delay_max = "1m"
    roll = "."
    scan_interval = "2s"
    workers = 5
    "#);
}

#[test]
fn muster_up() {
    insta::assert_snapshot!(dump("muster up"), @r#"
    durability = "accepted"
    key_prefix = "muster"
    log = "info"
    replicas = 1
    store = "file:muster.redb"
    store_connect_timeout = "10s"
    traces_ratio = 1.0

    [server]
    age_max = "1day"
    anonymous = false
    arrival_max = "10s"
    at_deadline = "abort"
    bytes_max = 1073741824
    call_max = "5m"
    calls_max = 16384
    calls_per_address_max = 8192
    calls_per_connection_max = 1024
    connections_max = 1024
    connections_per_address_max = 512
    deadline = "1h"
    field_bytes_max = 1048576
    grace = "10s"
    header_bytes_max = 16384
    hosts = []
    http = "127.0.0.1:9181"
    idle_max = "15m"
    listen = "127.0.0.1:50051"
    message_bytes_max = 4194304
    open_metrics = false
    plain_text = false
    read_only = false
    record_bytes_max = 1048576
    records_per_second_max = 1000000
    records_per_stream_max = 1000000000
    roll = "."
    stream_idle_max = "10m"
    streams_max = 1024
    streams_per_address_max = 256
    write_max = "30s"

    [worker]
    attempts_max = 5
    check_email = true
    check_identity = true
    check_ip_address = true
    crashes_max = 2
    grace = "10s"
    lease = "6s"
    normalise = false
    retry_delay = "1s"
    retry_delay_max = "1m"
    roll = "."
    scan_interval = "2s"
    workers = 5
    "#);
}
