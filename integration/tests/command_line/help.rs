//! The help of every program and every command.

use crate::Desk;

fn help(command: &str) -> String {
    let desk = Desk::new();
    let finished = desk.enter(&format!("{command} --help")).expect_code(0);
    assert_eq!(finished.stderr, "", "help goes to standard output");
    desk.without_path(&finished.stdout)
}

#[test]
fn muster_server() {
    insta::assert_snapshot!(help("muster-server"), @r#"
    Takes user records in over gRPC and queues them durably

    Usage: muster-server [OPTIONS] [COMMAND]

    Commands:
      health       Ask the program that runs with these settings whether it is ready
      completions  Print what a shell needs to complete this program's command line
      help         Print this message or the help of the given subcommand(s)

    Options:
          --listen <ADDR>       Where gRPC is served [default: 127.0.0.1:50051]
          --http <ADDR>         Where /livez, /readyz and /metrics are served [default: 127.0.0.1:9181]
          --store <URL>         The store: redis://HOST:PORT,
                                redis-sentinel://HOST:PORT,HOST:PORT/MASTER,
                                redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…) or file:PATH
                                [default: redis://127.0.0.1:6379]
          --durability <LEVEL>  What "ok" means: accepted by the store, synced to its disk, or
                                replicated; a file is always synced [default: accepted]
          --replicas <N>        How many replicas have what is replicated [default: 1]
          --log <FILTER>        The log's level, or a filter such as info,muster_queue=trace [default:
                                info]
          --traces <URL>        Where traces go, by OTLP: http://HOST:PORT [default: nowhere]
          --config <FILE>       Read settings from this TOML file [env: MUSTER_CONFIG=]
          --check-config        Check the settings, and end
          --dump-config         Print the settings in force as TOML, without secrets, and end
      -h, --help                Print help
      -V, --version             Print version
    "#);
}

#[test]
fn muster_server_health() {
    insta::assert_snapshot!(help("muster-server health"), @r"
    Ask the program that runs with these settings whether it is ready

    Usage: muster-server health

    Options:
      -h, --help  Print help

    Exit codes: 0 it is ready, 1 it is not, or does not answer, 2 wrong usage
    ");
}

#[test]
fn muster_server_completions() {
    insta::assert_snapshot!(help("muster-server completions"), @r"
    Print what a shell needs to complete this program's command line

    Usage: muster-server completions <SHELL>

    Arguments:
      <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn muster_server_manual() {
    insta::assert_snapshot!(help("muster-server manual"), @r"
    Write the manual pages of this program and its commands into a folder

    Usage: muster-server manual <DIR>

    Arguments:
      <DIR>  The folder; it is made if it is missing

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn muster_worker() {
    insta::assert_snapshot!(help("muster-worker"), @r#"
    Leases chunks of records, processes them, commits, and writes the roll

    Usage: muster-worker [OPTIONS] [COMMAND]

    Commands:
      health       Ask the program that runs with these settings whether it is ready
      completions  Print what a shell needs to complete this program's command line
      help         Print this message or the help of the given subcommand(s)

    Options:
          --http <ADDR>         Where /livez, /readyz and /metrics are served [default: nowhere]
          --roll <DIR>          The folder of the roll, shared by all workers of the store [default: the
                                working folder]
          --workers <N>         How many workers this process runs [default: 1]
          --store <URL>         The store: redis://HOST:PORT,
                                redis-sentinel://HOST:PORT,HOST:PORT/MASTER,
                                redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…) or file:PATH
                                [default: redis://127.0.0.1:6379]
          --durability <LEVEL>  What "ok" means: accepted by the store, synced to its disk, or
                                replicated; a file is always synced [default: accepted]
          --replicas <N>        How many replicas have what is replicated [default: 1]
          --log <FILTER>        The log's level, or a filter such as info,muster_queue=trace [default:
                                info]
          --traces <URL>        Where traces go, by OTLP: http://HOST:PORT [default: nowhere]
          --config <FILE>       Read settings from this TOML file [env: MUSTER_CONFIG=]
          --check-config        Check the settings, and end
          --dump-config         Print the settings in force as TOML, without secrets, and end
      -h, --help                Print help
      -V, --version             Print version
    "#);
}

#[test]
fn muster_client() {
    insta::assert_snapshot!(help("muster-client"), @r"
    Sends user records to a Muster server, and looks after them

    Usage: muster-client <COMMAND>

    Commands:
      send         Send the records of JSON and NDJSON files as one batch
      batch        Look at a batch, wait for it, or discard it
      dead         Look at dead letters, have them processed again, or drop them
      completions  Print what a shell needs to complete this program's command line
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn muster_client_send() {
    insta::assert_snapshot!(help("muster-client send"), @r"
    Send the records of JSON and NDJSON files as one batch

    Usage: muster-client send [OPTIONS] [INPUT]...

    Arguments:
      [INPUT]...
              Files, folders (their *.json, *.ndjson and *.jsonl), or - for standard input

    Options:
          --batch <ID>
              The batch: the same input under the same batch counts once [default: a new one]

          --priority <PRIORITY>
              Which batches are processed first [default: normal]

              [possible values: high, normal, low]

          --policy <POLICY>
              If records are dead letters: write the others, or nothing until they are replayed or
              dropped [default: partial]

              [possible values: partial, fail]

          --wait
              Wait until the batch is in the roll

          --json
              Print one JSON object instead of a summary

          --mode <MODE>
              One client stream, or a unary call for each record [default: stream]

              Possible values:
              - stream: All of them by one client stream
              - unary:  A call for each

          --in-flight <N>
              How many unary calls are under way at once [default: 32]

          --server <URL>
              The server [default: http://127.0.0.1:50051]

          --retry-for <TIME>
              How long to try again while nothing gets through [default: 60s]

          --log <FILTER>
              The log's level, or a filter [default: warn]

          --traces <URL>
              Where traces go, by OTLP: http://HOST:PORT [default: nowhere]

          --config <FILE>
              Read settings from this TOML file

              [env: MUSTER_CONFIG=]

          --check-config
              Check the settings, and end

          --dump-config
              Print the settings in force as TOML, without secrets, and end

      -h, --help
              Print help (see a summary with '-h')

    Exit codes: 0 all accepted (with --wait: all in the roll), 1 failed, 2 wrong usage, 3 some records
    were rejected or are dead letters
    ");
}

#[test]
fn muster_client_batch() {
    insta::assert_snapshot!(help("muster-client batch"), @r"
    Look at a batch, wait for it, or discard it

    Usage: muster-client batch <COMMAND>

    Commands:
      show   Show a batch: its state, and what became of its records
      wait   Wait until a batch is in the roll, or waits for somebody itself
      abort  Discard a batch that is not complete, with its dead letters
      help   Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn muster_client_batch_show() {
    insta::assert_snapshot!(help("muster-client batch show"), @r"
    Show a batch: its state, and what became of its records

    Usage: muster-client batch show [OPTIONS] <ID>

    Arguments:
      <ID>  The batch

    Options:
          --json              Print JSON, one object a line
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help
    ");
}

#[test]
fn muster_client_batch_wait() {
    insta::assert_snapshot!(help("muster-client batch wait"), @r"
    Wait until a batch is in the roll, or waits for somebody itself

    Usage: muster-client batch wait [OPTIONS] <ID>

    Arguments:
      <ID>  The batch

    Options:
          --json              Print JSON, one object a line
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help

    Exit codes: 0 all of it is in the roll, 1 failed, or the batch is aborted, 2 wrong usage, 3 some
    records are dead letters
    ");
}

#[test]
fn muster_client_batch_abort() {
    insta::assert_snapshot!(help("muster-client batch abort"), @r"
    Discard a batch that is not complete, with its dead letters

    Usage: muster-client batch abort [OPTIONS] <ID>

    Arguments:
      <ID>  The batch

    Options:
          --yes               Do not ask
          --json              Print JSON, one object a line
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help
    ");
}

#[test]
fn muster_client_dead() {
    insta::assert_snapshot!(help("muster-client dead"), @r"
    Look at dead letters, have them processed again, or drop them

    Usage: muster-client dead <COMMAND>

    Commands:
      list    List the dead letters of a batch or a group; without either, the groups
      show    Show one dead letter, with its record
      export  Write dead letters with their records as NDJSON
      replay  Have dead letters processed again
      drop    Drop dead letters for good
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn muster_client_dead_list() {
    insta::assert_snapshot!(help("muster-client dead list"), @r"
    List the dead letters of a batch or a group; without either, the groups

    Usage: muster-client dead list [OPTIONS]

    Options:
          --batch <ID>        Those of this batch
          --group <NAME>      Those of this group
          --json              Print JSON, one object a line
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help
    ");
}

#[test]
fn muster_client_dead_show() {
    insta::assert_snapshot!(help("muster-client dead show"), @r"
    Show one dead letter, with its record

    Usage: muster-client dead show [OPTIONS] <BATCH> <PLACE>

    Arguments:
      <BATCH>  The batch
      <PLACE>  The record's place in the batch, from 0

    Options:
          --json              Print JSON, one object a line
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help
    ");
}

#[test]
fn muster_client_dead_export() {
    insta::assert_snapshot!(help("muster-client dead export"), @r"
    Write dead letters with their records as NDJSON

    Usage: muster-client dead export [OPTIONS]

    Options:
          --batch <ID>        Those of this batch
          --group <NAME>      Those of this group
          --output <FILE>     The file to write [default: standard output]
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help
    ");
}

#[test]
fn muster_client_dead_replay() {
    insta::assert_snapshot!(help("muster-client dead replay"), @r"
    Have dead letters processed again

    Usage: muster-client dead replay [OPTIONS] <BATCH|--batch <ID>|--group <NAME>|--all> [PLACE]

    Arguments:
      [BATCH]  The batch of one letter
      [PLACE]  The place of that letter in its batch

    Options:
          --batch <ID>        All of this batch
          --group <NAME>      All of this group
          --all               All there are
          --record <FILE>     Process this record in the letter's stead: a file with one JSON object, or
                              - for standard input
          --wait              Wait until the batches that have the records now are in the roll
          --json              Print JSON, one object a line
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help

    Exit codes: 0 done (with --wait: all in the roll), 1 failed, 2 wrong usage, 3 with --wait: some
    records of the batches are dead letters
    ");
}

#[test]
fn muster_client_dead_drop() {
    insta::assert_snapshot!(help("muster-client dead drop"), @r"
    Drop dead letters for good

    Usage: muster-client dead drop [OPTIONS] <BATCH|--batch <ID>|--group <NAME>|--all> [PLACE]

    Arguments:
      [BATCH]  The batch of one letter
      [PLACE]  The place of that letter in its batch

    Options:
          --batch <ID>        All of this batch
          --group <NAME>      All of this group
          --all               All there are
          --yes               Do not ask
          --json              Print JSON, one object a line
          --server <URL>      The server [default: http://127.0.0.1:50051]
          --retry-for <TIME>  How long to try again while nothing gets through [default: 60s]
          --log <FILTER>      The log's level, or a filter [default: warn]
          --config <FILE>     Read settings from this TOML file [env: MUSTER_CONFIG=]
      -h, --help              Print help
    ");
}

#[test]
fn muster() {
    insta::assert_snapshot!(help("muster"), @r"
    Gathers user records and writes one complete roll, in one process

    Usage: muster <COMMAND>

    Commands:
      run          Do the whole job, from files to the roll, and end
      up           Run a server and workers, and stay
      verify       Prove that a roll has every record of its inputs once
      completions  Print what a shell needs to complete this program's command line
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn muster_run() {
    insta::assert_snapshot!(help("muster run"), @r"
    Do the whole job, from files to the roll, and end

    Usage: muster run [OPTIONS] [INPUT]...

    Arguments:
      [INPUT]...  Files, folders (their *.json, *.ndjson and *.jsonl), or - for standard input

    Options:
          --output <FILE>  The roll: a JSON array of all records, in the order of the input [default:
                           all_users.json]
          --json           Print one JSON object instead of a summary
          --workers <N>    How many workers process records at once [default: 5]
          --log <FILTER>   The log's level, or a filter [default: warn]
          --traces <URL>   Where traces go, by OTLP: http://HOST:PORT [default: nowhere]
          --config <FILE>  Read settings from this TOML file [env: MUSTER_CONFIG=]
          --check-config   Check the settings, and end
          --dump-config    Print the settings in force as TOML, without secrets, and end
      -h, --help           Print help

    Exit codes: 0 everything is in the roll, 1 failed, 2 wrong usage, 3 the roll is written but some
    records were rejected or are dead letters
    ");
}

#[test]
fn muster_up() {
    insta::assert_snapshot!(help("muster up"), @r#"
    Run a server and workers, and stay

    Usage: muster up [OPTIONS] [COMMAND]

    Commands:
      health  Ask the program that runs with these settings whether it is ready
      help    Print this message or the help of the given subcommand(s)

    Options:
          --listen <ADDR>       Where gRPC is served [default: 127.0.0.1:50051]
          --http <ADDR>         Where /livez, /readyz and /metrics are served [default: 127.0.0.1:9181]
          --roll <DIR>          The folder of the roll [default: the working folder]
          --workers <N>         How many workers process records at once [default: 5]
          --store <URL>         The store: file:PATH, redis://HOST:PORT,
                                redis-sentinel://HOST:PORT,HOST:PORT/MASTER or
                                redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…) [default:
                                file:muster.redb, in the working folder]
          --durability <LEVEL>  What "ok" means: accepted by the store, synced to its disk, or
                                replicated; a file is always synced [default: accepted]
          --replicas <N>        How many replicas have what is replicated [default: 1]
          --log <FILTER>        The log's level, or a filter such as info,muster_queue=trace [default:
                                info]
          --traces <URL>        Where traces go, by OTLP: http://HOST:PORT [default: nowhere]
          --config <FILE>       Read settings from this TOML file [env: MUSTER_CONFIG=]
          --check-config        Check the settings, and end
          --dump-config         Print the settings in force as TOML, without secrets, and end
      -h, --help                Print help
    "#);
}

#[test]
fn muster_up_health() {
    insta::assert_snapshot!(help("muster up health"), @r"
    Ask the program that runs with these settings whether it is ready

    Usage: muster up health

    Options:
      -h, --help  Print help

    Exit codes: 0 it is ready, 1 it is not, or does not answer, 2 wrong usage
    ");
}

#[test]
fn muster_verify() {
    insta::assert_snapshot!(help("muster verify"), @r"
    Prove that a roll has every record of its inputs once

    Usage: muster verify [OPTIONS] <INPUT>...

    Arguments:
      <INPUT>...  What was sent: files, and folders (their *.json, *.ndjson and *.jsonl)

    Options:
          --roll <FILE>  The roll; its manifest is looked for beside it [default: all_users.json]
          --dead <FILE>  Dead letters, one JSON object a line; may be given several times
          --store <URL>  The store, for the dead letters in it: file:PATH, redis://HOST:PORT,
                         redis-sentinel://… or redis-cluster://… (with TLS: rediss…). What has a file
                         open must have ended
          --batch <ID>   Of the store take the dead letters of this batch alone; may be given several
                         times
          --normalise    The workers tidied the records up (their setting `normalise`)
          --in-order     Prove as well that the roll has the records in the order of the inputs
          --json         Print one JSON object instead of a summary
      -h, --help         Print help

    Exit codes: 0 proven, 1 could not be done, 2 wrong usage, 3 not proven: something is missing,
    doubled, foreign or out of order, or the manifest disagrees
    ");
}
