//! Names and texts of others, which hold what a browser or an eye would obey.

use muster_proto::users::UserRequest;
use muster_proto::v1::{BatchState, ChunkInHand, RollEntry};
use prost::Message as _;
use tonic::Status;

use crate::asked::{get, post};
use crate::double::Double;
use crate::html::check;
use crate::world::World;

const HOSTILE: &str = "<script>alert(\"1\")</script>'&\u{202e}\u{200b}\x1b[2J\r\n\0\"><img src=x>";
/// As it is shown.
const SHOWN: &str = r"&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;\u{202e}\u{200b}\u{1b}[2J\r\n\0&#34;&#62;&#60;img src=x&#62;";
/// As it stands in an address.
const ENCODED: &str = "%3Cscript%3Ealert%28%221%22%29%3C%2Fscript%3E%27%26%E2%80%AE%E2%80%8B%1B%5B2J%0D%0A%00%22%3E%3Cimg%20src%3Dx%3E";

/// Puts the text wherever others can put one.
fn poison(world: &mut World) {
    let hostile = || HOSTILE.to_owned();
    let stats = &mut world.stats;
    stats.lines.iter_mut().for_each(|line| line.name = hostile());
    stats.log_filter = hostile();
    let store = stats.store.as_mut().unwrap();
    for text in [&mut store.url, &mut store.version, &mut store.durability, &mut store.problem] {
        *text = hostile();
    }
    for batch in &mut world.batches {
        batch.id = hostile();
        batch.roll_sha256 = hostile();
        batch.state = BatchState::Sealed.into();
        batch.held = true;
    }
    for worker in &mut world.workers {
        for text in [&mut worker.id, &mut worker.host, &mut worker.version] {
            *text = hostile();
        }
        worker.in_hand = vec![ChunkInHand { batch: hostile(), first: 0, records: 1 }];
    }
    world.groups.iter_mut().for_each(|group| group.name = hostile());
    for letter in &mut world.letters {
        for text in [&mut letter.batch, &mut letter.reason, &mut letter.group, &mut letter.trace] {
            *text = hostile();
        }
        letter.record = hostile_record().encode_to_vec().into();
    }
    world.next_page_token = hostile();
    let manifest = world.manifest.as_mut().unwrap();
    manifest.sha256 = hostile();
    manifest.recent =
        vec![RollEntry { batch: hostile(), sha256: hostile(), ..RollEntry::default() }];
}

fn hostile_record() -> UserRequest {
    let hostile = || HOSTILE.to_owned();
    UserRequest {
        id: 17,
        user_name: hostile(),
        email: hostile(),
        first_name: hostile(),
        last_name: hostile(),
        ip_address: hostile(),
        gender: hostile(),
        country: hostile(),
        agent: hostile(),
    }
}

fn assert_harmless(html: &str, path: &str) {
    check(html);
    assert!(!html.contains("alert(\""), "{path}");
    assert!(!html.contains("<img"), "{path}");
    let unseen = |c: &char| muster_program::printable::is_obeyed(*c) && *c != '\n';
    assert_eq!(html.chars().find(unseen), None, "{path}");
}

#[tokio::test]
async fn no_page_obeys_what_others_wrote() {
    let double = Double::new();
    poison(&mut double.world());
    for path in [
        "/".to_owned(),
        "/batches".to_owned(),
        format!("/batches/{ENCODED}"),
        "/workers".to_owned(),
        "/dead".to_owned(),
        format!("/dead/group?name={ENCODED}"),
        format!("/dead/batch/{ENCODED}"),
        format!("/dead/letter/{ENCODED}/6"),
        "/roll".to_owned(),
    ] {
        let answered = get(&double, &path).await;
        assert!(answered.status.is_success(), "{path}");
        assert_harmless(&answered.body, &path);
        let (cut, _) = SHOWN.split_at(SHOWN.find("alert").unwrap());
        assert!(answered.body.contains(cut), "{path}");
    }
}

#[tokio::test]
async fn every_field_of_a_letter_is_shown_as_it_is() {
    let double = Double::new();
    poison(&mut double.world());
    let answered = get(&double, &format!("/dead/letter/{ENCODED}/6")).await;
    // The reason, the group, the batch, the trace, and eight fields of the record, in which the
    // form spells out what cannot be seen.
    assert!(answered.body.matches(SHOWN).count() >= 4 + 8, "{}", answered.body);
}

#[tokio::test]
async fn no_question_obeys_what_others_wrote() {
    let double = Double::new();
    poison(&mut double.world());
    for path in [
        format!("/batches/{ENCODED}/abort"),
        format!("/dead/drop?group={ENCODED}"),
        format!("/dead/replay?batch={ENCODED}"),
        format!("/dead/drop?batch={ENCODED}&place=6"),
    ] {
        let question = post(&double, &path, "").await;
        assert!(question.status.is_success(), "{path}");
        assert_harmless(&question.body, &path);
        // The form leads to the same letters, whatever they are called.
        let action = format!("action=\"{}\"", path.replace('&', "&#38;"));
        assert!(question.body.contains(&action), "{}", question.body);
    }
}

#[tokio::test]
async fn no_failure_obeys_what_others_wrote() {
    let double = Double::new();
    double.world().failure = Some(Status::not_found(HOSTILE));
    for path in ["/batches", &format!("/batches?state={ENCODED}"), &format!("/dead?q={ENCODED}")] {
        let answered = get(&double, path).await;
        assert!(answered.status.is_client_error(), "{path}");
        assert_harmless(&answered.body, path);
    }
    double.world().failure = None;
    let path = format!("/dead?q={ENCODED}");
    assert_harmless(&get(&double, &path).await.body, &path);
}
