//! A page of another origin can do nothing: a browser sends what it is asked to, and the server refuses
//! what is not gRPC.

use muster_integration::browser::Browser;
use muster_integration::certificates::Authority;
use muster_integration::process::Process;
use muster_integration::programs;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::Stack;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::LIMIT;

/// What a page can send without the consent of the server: a message of gRPC (`flag, length, message`),
/// as whatever a form could send.
const SEND: &str = r"
async (url, body, headers) => {
    const request = {method: 'POST', mode: 'no-cors', body: new Uint8Array(body), headers};
    return (await fetch(url, request)).type;
}";

#[test]
fn a_page_of_another_origin_can_do_nothing() {
    let folder = TempDir::new().expect("there is room for a folder");
    let authority = Authority::new("nobody trusts this one");
    let server = authority.server(&["127.0.0.1"]).write(folder.path(), "server");
    let ca = authority.write(folder.path(), "ca");
    let mut stack = Stack::prepare(Memory);
    for (name, path) in
        [("MUSTER_SERVER_TLS_CERT", &server.certificate), ("MUSTER_SERVER_TLS_KEY", &server.key)]
    {
        stack.environment.push((name.to_owned(), path.display().to_string()));
    }
    stack.redis.start();
    stack.start_server();
    let mut process = stack.server.take().expect("it runs");
    process.wait_for_line("ready: the store answers", LIMIT);

    let page = Browser::start().page();
    page.ignore_certificate_errors();
    let url = format!("https://127.0.0.1:{}", stack.grpc_port());
    let record = "[0, 0, 0, 0, 2, 8, 1]";
    for (path, body) in
        [("/Users/SendUserInfo", record), ("/muster.v1.Queue/PauseQueue", "[0, 0, 0, 0, 0]")]
    {
        for headers in ["{}", "{'content-type': 'text/plain'}"] {
            let sent = page.evaluate(&format!("({SEND})('{url}{path}', {body}, {headers})"));
            assert_eq!(sent, "opaque", "the server answers the browser");
        }
    }

    let mut stats = programs::command("muster-client");
    stats.args(["stats", "--json", "--server", &url, "--tls-ca"]).arg(ca);
    let stats = Process::start("stats", &mut stats).wait(LIMIT).expect_code(0).stdout;
    let stats: Value = serde_json::from_str(&stats).expect("it is JSON");
    assert_eq!((&stats["paused"], &stats["accepted"]), (&false.into(), &0.into()), "{stats:#}");
}
