//! The wire: a record as it comes in, and as it stands in the roll.

use bytes::Bytes;
use muster_client::input::{Item, Position, RECORD_BYTES_MAX, Reader, Source};
use muster_program::printable;
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_proto::users::UserRequest;
use muster_queue::ResultChunk;
use muster_worker::config::Config;
use muster_worker::processor::{Processor as _, Verdict};
use muster_worker::roll::lines::lay_out;
use prost::Message as _;

use crate::shown;

/// The longest reason for which the built-in processors refuse a record, in bytes.
const REASON_BYTES_MAX: usize = 1024;

/// A record is one to us when it is one to the generated code, with the same in it, and stays so
/// on its way: written anew, processed, and as a line of the roll.
pub fn record(data: &[u8]) {
    let generated = UserRequest::decode(data);
    let user = match User::read(data) {
        Ok(user) => user,
        Err(malformed) => {
            assert!(generated.is_err(), "{malformed}");
            return shown::line(&malformed.to_string());
        }
    };
    let generated = generated.expect("a record is one to the generated code");
    assert_eq!(UserRequest::from(user), generated);
    let mut written = Vec::new();
    user.write(&mut written);
    assert_eq!(written.len(), user.wire_len());
    assert_eq!(written, generated.encode_to_vec());
    processes(&user);
    stands_in_the_roll(data, &user);
}

/// Every processor has an answer, and reasons do not grow with what they quote.
fn processes(user: &User<'_>) {
    let config = Config { normalise: true, ..Config::default() };
    match config.pipeline().process(user) {
        Verdict::Keep => {}
        Verdict::Replace(record) => assert_eq!(record.id, user.id),
        Verdict::Reject(reason) => assert!(reason.len() <= REASON_BYTES_MAX, "{reason}"),
        Verdict::Fail(reason) => panic!("nothing that is built in fails: {reason}"),
    }
}

/// The line of the roll is JSON with the same values, and is read as the same record.
fn stands_in_the_roll(data: &[u8], user: &User<'_>) {
    let mut payload = Encoder::default();
    payload.push_raw(data);
    let chunk = ResultChunk { first: 0, count: 1, payload: payload.take() };
    let mut line = Bytes::new();
    lay_out(vec![chunk], |block| {
        assert_eq!(block.records(), 1);
        line = Bytes::copy_from_slice(block.leading());
        Ok(())
    })
    .expect("a record can be laid out");
    assert_eq!(line.iter().find(|byte| byte.is_ascii_control() && **byte != 0x7f), None);
    let text = std::str::from_utf8(&line).expect("JSON is UTF-8");
    let json: serde_json::Value = serde_json::from_str(text).expect("a line is JSON");
    let User { id, user_name, email, first_name, last_name, ip_address, gender, country, agent } =
        *user;
    let expected = serde_json::json!({
        "id": id, "user_name": user_name, "email": email, "first_name": first_name,
        "last_name": last_name, "ip_address": ip_address, "gender": gender, "country": country,
        "agent": agent,
    });
    assert_eq!(json, expected);
    let shown: serde_json::Value =
        serde_json::from_str(&printable::json(text)).expect("what is shown is JSON");
    assert_eq!(shown, expected);
    if line.len() <= RECORD_BYTES_MAX {
        let mut reader = Reader::of_stream(Source::Stdin, std::io::Cursor::new(line), None);
        match reader.next_item() {
            Some(Item::Record { record, position: Position { line: 1, .. } }) => {
                assert_eq!(record.user(), *user)
            }
            other => panic!("the client reads {other:?}"),
        }
        assert!(reader.next_item().is_none());
    }
}
