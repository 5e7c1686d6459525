//! What is said of a command that cannot be carried out. Each ends with 2: nothing was begun.

use muster_integration::process::Finished;

use crate::Desk;

/// The message of a command that ends with 2.
fn refusal(desk: &Desk, line: &str) -> String {
    message(desk, desk.enter(line))
}

/// The same, with a variable in the command's environment.
fn refusal_with(desk: &Desk, line: &str, name: &str, value: &str) -> String {
    message(desk, desk.enter_with(line, &[(name, value)]))
}

fn message(desk: &Desk, finished: Finished) -> String {
    let finished = finished.expect_code(2);
    assert_eq!(finished.stdout, "", "errors go to standard error");
    desk.without_path(&finished.stderr)
}

#[test]
fn a_setting_that_is_none() {
    let desk = Desk::new();
    desk.put("muster.toml", "[server]\nlisten_on = 1\n[worker]\nwrokers = 5\n[client]\nurl = 1\n");
    insta::assert_snapshot!(refusal(&desk, "muster-server --config [folder]/muster.toml"), @r"
    muster-server: `listen_on` ([folder]/muster.toml) is no setting; did you mean `listen`?
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-worker --config muster.toml"), @r"
    muster-worker: `wrokers` (muster.toml) is no setting; did you mean `workers`?
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-client send --config muster.toml users.json"), @r"
    muster-client: `url` (muster.toml) is no setting; --dump-config shows all there are
    ");
}

#[test]
fn a_value_that_does_not_fit() {
    let desk = Desk::new();
    desk.put("worker.toml", "[worker]\nworkers = \"many\"\n");
    insta::assert_snapshot!(refusal(&desk, "muster-worker --config worker.toml"), @r#"
    muster-worker: `workers` (worker.toml): found string "many", expected a whole number from 1 to 65535
    "#);
    insta::assert_snapshot!(refusal_with(&desk, "muster-worker", "MUSTER_WORKER_LEASE", "1ms"), @r"
    muster-worker: `lease` (MUSTER_WORKER_LEASE): must be at least 500ms
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-server --listen 127.0.0.1:9181"), @r"
    muster-server: `http` (the defaults): is 127.0.0.1:9181, as `listen` is
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-client send --server localhost users.json"), @r"
    muster-client: `server` (the command line): `localhost` is not of the form http://HOST:PORT or https://HOST:PORT
    ");
}

#[test]
fn an_address_that_is_a_name_and_a_time_out_of_bounds() {
    let desk = Desk::new();
    let addresses = "an IP address and a port, such as 127.0.0.1:50051 or [::1]:50051, not a name";
    for line in [
        "muster-server --listen",
        "muster-worker --http",
        "muster up --http",
        "muster-client send x --http",
    ] {
        let said = refusal(&desk, &format!("{line} localhost:1"));
        assert!(said.contains(&format!("<ADDR>': give {addresses}")), "{said}");
    }
    let said = refusal_with(&desk, "muster-server", "MUSTER_SERVER_LISTEN", "localhost:1");
    assert!(
        said.contains(&format!("`listen` (MUSTER_SERVER_LISTEN): expected {addresses}")),
        "{said}"
    );
    for time in ["1ms", "1h"] {
        let said = refusal_with(&desk, "muster-worker", "MUSTER_STORE_CONNECT_TIMEOUT", time);
        let problem =
            "`store_connect_timeout` (MUSTER_STORE_CONNECT_TIMEOUT): must be from 100ms to 5m";
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn a_server_is_not_open_to_others_by_accident() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, "muster-server --listen 0.0.0.0:1"), @r"
    muster-server: `listen` (the command line): 0.0.0.0:1 is reached by others, and would be in plain text: set `tls_cert` and `tls_key`, or `plain_text = true` if all who share the network may read it
    ");
    insta::assert_snapshot!(refusal(&desk, "muster up --http [::]:1 --plain-text"), @r"
    muster: `http` (the command line): [::]:1 is reached by others, who could do everything: set `access` to an access list, or `anonymous = true` if all of them may
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-server --tls-cert a.pem"), @r"
    muster-server: `tls_cert` (the command line): has no `tls_key` beside it
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-server --access a.toml --anonymous"), @r"
    muster-server: `anonymous` (the command line): contradicts `access`: leave out one of them
    ");
    // Those that are open in words are checked alone, and do not listen.
    for line in [
        "muster-server --listen 0.0.0.0:1 --plain-text --anonymous",
        "muster-server --listen 0.0.0.0:1 --plain-text --access a.toml",
        "muster-server --listen 0.0.0.0:1 --tls-cert a.pem --tls-key a.pem --tls-client-ca a.pem",
    ] {
        desk.enter(&format!("{line} --check-config")).expect_code(0);
    }
}

#[test]
fn a_token_that_cannot_be_made() {
    let desk = Desk::new();
    desk.put("access.toml", "[[token]]\nname = \"ann\"\nroles = [\"read\"]\nsha256 = \"1\"\n");
    let made = desk.enter("muster token new ann --role read --access access.toml").expect_code(1);
    insta::assert_snapshot!(made.stderr, @r"
    muster: access.toml: the token `ann`: a digest is 64 hexadecimal digits: the SHA-256 of a token
    ");
    let made = desk.enter("muster token new ann --role read --access new.toml").expect_code(0);
    assert!(made.stdout.starts_with("muster_") && made.stderr.is_empty(), "{made}");
    let made = desk.enter("muster token new ann --role send --access new.toml").expect_code(1);
    insta::assert_snapshot!(made.stderr, @r"
    muster: new.toml: the token `ann`: its `name` is there twice
    ");
    assert!(made.stdout.is_empty(), "a token that nobody knows is not shown");
    desk.enter("muster token new a/b --role send").expect_code(2);
    desk.enter("muster token new ann --role root").expect_code(2);
    let shown = desk.enter("muster token new ann --role send --role read").expect_code(0);
    assert!(shown.stderr.contains("roles = [\"send\", \"read\"]"), "{shown}");
}

#[test]
fn settings_that_cannot_be_read() {
    let desk = Desk::new();
    desk.put("half.toml", "[server\n");
    insta::assert_snapshot!(refusal(&desk, "muster-server --config nowhere.toml"), @r"
    muster-server: cannot read the settings in nowhere.toml: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(refusal(&desk, "muster up --config half.toml"), @r"
    muster: half.toml is no TOML: line 1, column 8: unclosed table, expected `]`
    ");
}

#[test]
fn a_store_that_is_none() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, "muster-server --store http://localhost:6379"), @r"
    muster-server: `store` (the command line): a store is redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER, redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…), or file:PATH
    ");
    insta::assert_snapshot!(refusal_with(&desk, "muster-worker", "MUSTER_STORE", "localhost:6379"), @r"
    muster-worker: `store` (MUSTER_STORE): a store is redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER, redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…), or file:PATH
    ");
    insta::assert_snapshot!(refusal(&desk, "muster up --store file:"), @r"
    muster: `store` (the command line): a store is redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER, redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…), or file:PATH
    ");
}

#[test]
fn a_store_with_tls_that_is_none() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, "muster-server --store redis://redis?ca=ca.pem"), @r"
    muster-server: `store` (the command line): only a store with TLS (rediss://…, rediss-sentinel://…, rediss-cluster://…) has something behind a `?`
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-worker --store rediss://redis?password=s3cret"), @r"
    muster-worker: `store` (the command line): behind the `?` of a store with TLS come ca=FILE, cert=FILE and key=FILE, each once at most, with `&` between, and nothing else
    ");
    insta::assert_snapshot!(refusal(&desk, "muster up --store rediss://redis?cert=cert.pem"), @r"
    muster: `store` (the command line): `cert` and `key` of a store with TLS go together: there is one without the other
    ");
}

#[test]
fn a_password_that_is_not_encoded_is_refused_with_how_to_write_it() {
    let desk = Desk::new();
    for url in ["redis://:s3#cret@redis", "redis://:s3/cret@redis:6379", "redis://:s3?cret@redis"] {
        let said = refusal_with(&desk, "muster-server", "MUSTER_STORE", url);
        let how = "write `#` as %23, `/` as %2F, `?` as %3F and `%` as %25";
        assert!(said.contains("`store` (MUSTER_STORE): ") && said.contains(how), "{said}");
        assert!(!said.contains("cret"), "{said}");
    }
}

#[test]
fn a_password_among_the_arguments() {
    let desk = Desk::new();
    let store = "--store redis://muster:s3cret@redis:6379";
    insta::assert_snapshot!(refusal(&desk, &format!("muster-server {store}")), @r"
    muster-server: --store has a password in it, and everyone on this machine can read the arguments of a process: give it by MUSTER_STORE, or name a file that holds it, by --store-file or `store_file`
    ");
    for program in ["muster-worker", "muster up", "muster-server --check-config"] {
        let refused = refusal(&desk, &format!("{program} {store}"));
        assert!(refused.contains(": --store has a password in it, and"), "{refused}");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
    insta::assert_snapshot!(refusal(&desk, &format!("muster verify [folder] {store}")), @r"
    muster: --store has a password in it, and everyone on this machine can read the arguments of a process: name a file that holds it, by --store-file
    ");
}

#[test]
fn a_secret_that_does_not_fit() {
    let desk = Desk::new();
    desk.put("broken.toml", "log = \"info\"\nstore = \"redis://:s3cret@redis\n");
    desk.put("number.toml", "store = 7353\n");
    desk.put("secret", "http://:s3cret@redis\n");
    insta::assert_snapshot!(refusal(&desk, "muster-worker --config broken.toml"), @r#"
    muster-worker: broken.toml is no TOML: line 2, column 31: invalid basic string, expected `"`
    "#);
    insta::assert_snapshot!(refusal(&desk, "muster-server --config number.toml"), @r"
    muster-server: `store` (number.toml): expected a string; what was found is not shown
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-server --store-file secret"), @r"
    muster-server: `store` (secret): a store is redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER, redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…), or file:PATH
    ");
    insta::assert_snapshot!(refusal(&desk, "muster verify [folder] --store-file secret"), @r"
    muster: secret: a store is redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER, redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…), or file:PATH
    ");
}

#[test]
fn a_durability_that_is_none() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, "muster-server --durability sync"), @r"
    muster-server: `durability` (the command line): found `sync`, expected one of: accepted, synced, replicated
    ");
    insta::assert_snapshot!(refusal(&desk, "muster up --durability replicated"), @r"
    muster: `durability` (the command line): is `replicated`, but the store is a file, which has no replicas
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-worker --replicas 0"), @r"
    error: invalid value '0' for '--replicas <N>': 0 is not in 1..=255

    For more information, try '--help'.
    ");
    // The twin: a file is synced, and a server may have replicas.
    for line in [
        "muster up --durability synced --check-config",
        "muster-server --durability replicated --replicas 2 --check-config",
    ] {
        assert_eq!(desk.enter(line).expect_code(0).stderr, "", "{line}");
    }
}

#[test]
fn input_that_is_missing() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, "muster-client send users.json"), @r"
    muster-client: users.json does not exist: check the path, or use - for standard input
    ");
    insta::assert_snapshot!(refusal(&desk, "muster run [folder]/users.json"), @r"
    muster: [folder]/users.json does not exist: check the path, or use - for standard input
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-client send"), @r"
    error: the following required arguments were not provided:
      <INPUT>...

    Usage: muster-client send <INPUT>...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal(&desk, "muster run"), @r"
    error: the following required arguments were not provided:
      <INPUT>...

    Usage: muster run <INPUT>...

    For more information, try '--help'.
    ");
}

#[test]
fn a_batch_that_cannot_be() {
    let desk = Desk::new();
    desk.put("users.json", "[]");
    insta::assert_snapshot!(refusal(&desk, "muster-client send --batch nightly/users users.json"), @r"
    error: invalid value 'nightly/users' for '--batch <ID>': a batch id is 1 to 64 characters of A-Z a-z 0-9 . _ -

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-client send --batch= users.json"), @r"
    error: invalid value '' for '--batch <ID>': a batch id is 1 to 64 characters of A-Z a-z 0-9 . _ -

    For more information, try '--help'.
    ");
    // The twin: whatever a batch may be called.
    let line = format!("muster-client send --batch {} --check-config", "Az09._-".repeat(9));
    assert_eq!(desk.enter(&line).expect_code(0).stderr, "");
}

#[test]
fn what_is_mistyped_is_guessed() {
    let desk = Desk::new();
    insta::assert_snapshot!(refusal(&desk, "muster-client bacth list"), @r"
    error: unrecognized subcommand 'bacth'

      tip: a similar subcommand exists: 'batch'

    Usage: muster-client <COMMAND>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-client batch list --limits 3"), @r"
    error: unexpected argument '--limits' found

      tip: a similar argument exists: '--limit'

    Usage: muster-client batch list --limit <N>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-client batch list --state complet"), @r"
    error: invalid value 'complet' for '--state <STATE>'
      [possible values: open, sealed, complete, written, aborted]

      tip: a similar value exists: 'complete'

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal(&desk, "muster-client send --priority hihg users.json"), @r"
    error: invalid value 'hihg' for '--priority <PRIORITY>'
      [possible values: high, normal, low]

      tip: a similar value exists: 'high'

    For more information, try '--help'.
    ");
}
