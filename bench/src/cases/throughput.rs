//! The cases of throughput: Muster, the limits of the machine, and peers.

use muster_integration::redis_server::Durability;

use crate::case::Case;
use crate::files;
use crate::installation::{Setup, System};
use crate::load::Plan;
use crate::measure;
use crate::peers::Peer;

/// How many records are sent before those that are measured.
const WARM_UP: usize = 2000;

/// What Redis keeps, by its name in the report.
const PERSISTENCE: [(&str, Durability, bool); 3] = [
    ("off", Durability::Memory, false),
    ("everysec", Durability::EverySecond, false),
    ("always", Durability::EveryWrite, true),
];

/// Which calls, by their name, and how many of the records they send: fewer where each is slower,
/// so that all cases take about as long.
const UNARY: [(usize, usize); 3] = [(1, 50), (32, 5), (256, 5)];

/// All of them. A stream has so many records.
pub(crate) fn cases(records: usize, peers: Vec<Peer>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, title: String, setup: Setup, plan: &Plan| {
        let plan = Plan { warm_up: WARM_UP.min(plan.records), ..plan.clone() };
        cases.push(Case::new(name, title, move || measure::run(&setup, &plan)));
    };
    let stream = Plan::stream(records);
    let unary = UNARY.map(|(in_flight, part)| (in_flight, Plan::unary(records / part, in_flight)));

    add("echo stream".into(), "tonic alone: stream".into(), Setup::echo(), &stream);
    for (in_flight, plan) in &unary {
        let title = format!("tonic alone: unary, {in_flight} in flight");
        add(format!("echo unary {in_flight}"), title, Setup::echo(), plan);
    }

    for (aof, redis, _) in PERSISTENCE {
        let title = format!("bare path: stream{}", said(aof));
        add(format!("bare stream {aof}"), title, Setup { redis, ..Setup::bare(1) }, &stream);
    }
    let title = "bare path, 64 records an entry: stream".into();
    add("bare 64 stream off".into(), title, Setup::bare(64), &stream);
    for (in_flight, plan) in &unary {
        let title = format!("bare path: unary, {in_flight} in flight");
        add(format!("bare unary {in_flight} off"), title, Setup::bare(1), plan);
    }

    let muster = |redis, synced| Setup { system: System::Muster { synced }, redis, workers: 5 };
    for (aof, redis, synced) in PERSISTENCE {
        let title = format!("Muster: stream{}", said(aof));
        add(format!("muster stream {aof}"), title, muster(redis, synced), &stream);
    }
    for (in_flight, plan) in &unary {
        let title = format!("Muster: unary, {in_flight} in flight");
        add(format!("muster unary {in_flight} off"), title, Setup::muster(), plan);
    }
    let (in_flight, plan) = &unary[2];
    for (aof, redis, synced) in &PERSISTENCE[1..] {
        let title = format!("Muster: unary, {in_flight} in flight{}", said(aof));
        add(format!("muster unary {in_flight} {aof}"), title, muster(*redis, *synced), plan);
    }
    let accepting = Setup::muster().without_workers();
    let title = "Muster, accepted only: stream".into();
    add("muster accepted stream".into(), title, accepting.clone(), &stream);
    let title = format!("Muster, accepted only: unary, {in_flight} in flight");
    add(format!("muster accepted unary {in_flight}"), title, accepting, plan);

    let title = "Muster: `muster-client send --wait`, from a JSON file to the roll";
    cases.push(Case::new("muster send", title, move || files::send(records)));
    let title = "Muster: `muster run`, in one process, synced, from a JSON file to the roll";
    cases.push(Case::new("muster run", title, move || files::run(records)));

    cases.extend(peers.into_iter().map(Peer::into_case));
    cases
}

/// What a title says of Redis.
fn said(aof: &str) -> String {
    match aof {
        "off" => String::new(),
        "always" => ", AOF always, answered when synced".to_owned(),
        aof => format!(", AOF {aof}"),
    }
}
