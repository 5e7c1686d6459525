//! What is done: first the question, then the deed, then the word of it.

use std::net::SocketAddr;

use axum::http::StatusCode;
use muster_proto::users::UserRequest;
use prost::Message as _;
use tonic::Status;

use crate::asked::{Answered, dashboard, form_of, page, post, send};
use crate::double::Double;
use crate::world::record;

/// Each thing that can be done: its address, the call that does it, where it leads.
const ACTIONS: [(&str, &str, &str); 11] = [
    ("/queue/pause", "pause PauseQueueRequest", "/?done=paused&n=0"),
    ("/queue/resume", "resume ResumeQueueRequest", "/?done=resumed&n=0"),
    ("/queue/log", "log SetLogFilterRequest", "/?done=logged&n=0"),
    (
        "/batches/b-1/abort",
        r#"abort AbortBatchRequest { id: "b-1" }"#,
        "/batches/b-1?done=aborted&n=0",
    ),
    (
        "/dead/replay?all=yes",
        "replay ReplayDeadLettersRequest { selector: Some(DeadLetterSelector { which: \
         Some(All(true)) }), record: None }",
        "/dead?done=replayed&n=48",
    ),
    (
        "/dead/replay?group=%60email%60%20is%20no%20address",
        "replay ReplayDeadLettersRequest { selector: Some(DeadLetterSelector { which: \
         Some(Group(\"`email` is no address\")) }), record: None }",
        "/dead?done=replayed&n=48",
    ),
    (
        "/dead/replay?batch=b-1",
        "replay ReplayDeadLettersRequest { selector: Some(DeadLetterSelector { which: \
         Some(Batch(\"b-1\")) }), record: None }",
        "/dead/batch/b-1?done=replayed&n=48",
    ),
    (
        "/dead/replay?batch=b-1&place=6",
        "replay ReplayDeadLettersRequest { selector: Some(DeadLetterSelector { which: \
         Some(Letter(DeadLetterId { batch: \"b-1\", place: 6 })) }), record: None }",
        "/dead/batch/b-1?done=replayed&n=48",
    ),
    (
        "/dead/drop?all=yes",
        "drop DropDeadLettersRequest { selector: Some(DeadLetterSelector { which: \
         Some(All(true)) }) }",
        "/dead?done=dropped&n=1",
    ),
    (
        "/dead/drop?batch=b-1",
        "drop DropDeadLettersRequest { selector: Some(DeadLetterSelector { which: \
         Some(Batch(\"b-1\")) }) }",
        "/dead/batch/b-1?done=dropped&n=1",
    ),
    (
        "/dead/drop?batch=b-1&place=6",
        "drop DropDeadLettersRequest { selector: Some(DeadLetterSelector { which: \
         Some(Letter(DeadLetterId { batch: \"b-1\", place: 6 })) }) }",
        "/dead/batch/b-1?done=dropped&n=1",
    ),
];

/// The calls that change something.
fn deeds(double: &Double) -> Vec<String> {
    let is_deed = |call: &&String| {
        ["pause", "resume", "log", "abort", "replay", "drop", "seal"]
            .iter()
            .any(|deed| call.starts_with(&format!("{deed} ")))
    };
    double.world().calls.iter().filter(is_deed).cloned().collect()
}

#[tokio::test]
async fn nothing_is_done_before_the_question_is_answered() {
    for (path, _, _) in ACTIONS {
        let double = Double::new();
        for form in ["", "confirmed=no", "confirmed=", "other=yes"] {
            let question = post(&double, path, form).await;
            assert_eq!(question.status, StatusCode::OK, "{path}");
            let shown = question.main();
            let action = path.replace('&', "&#38;");
            assert!(shown.contains(&format!("method=\"post\" action=\"{action}\"")), "{shown}");
            assert!(shown.contains(r#"<input type="hidden" name="confirmed" value="yes">"#));
        }
        assert_eq!(deeds(&double), [""; 0], "{path}");
    }
}

#[tokio::test]
async fn what_is_confirmed_is_done_once_and_said() {
    for (path, deed, leads_to) in ACTIONS {
        let double = Double::new();
        let answered = post(&double, path, "confirmed=yes").await;
        assert_eq!(answered.leads_to(), leads_to, "{path}");
        let deeds = deeds(&double);
        assert_eq!(deeds.len(), 1, "{path}");
        assert!(deeds[0].starts_with(deed), "{deeds:?}");
        assert!(page(&double, leads_to).await.main().contains("class=\"notice\""), "{leads_to}");
    }
}

async fn question(path: &str) -> Answered {
    post(&Double::new(), path, "").await
}

#[tokio::test]
async fn a_question_says_how_much_is_meant() {
    for (path, said) in [
        ("/queue/pause", "Workers finish the 20 chunks that they have in hand"),
        ("/queue/resume", "12,346,679 records are not committed"),
        ("/batches/b-1/abort", "4,000 records of it were received, 50 of them are dead letters"),
        ("/dead/replay?all=yes", "Replay 50 dead letters of all batches?"),
        ("/dead/drop?batch=b-1", "Drop 50 dead letters of batch b-1?"),
        (
            "/dead/drop?group=panic%3A%20Out%20of%20range",
            "Drop 2 dead letters of group “panic: Out of range”?",
        ),
        ("/dead/drop?batch=b-1&place=6", "Drop the dead letter at place 6 of batch b-1?"),
    ] {
        let text = question(path).await.text();
        assert!(text.contains(said), "{path}: {text}");
    }
}

#[tokio::test]
async fn the_filter_of_the_log_is_asked_about_and_set() {
    let double = Double::new();
    let question = post(&double, "/queue/log", "filter=info%2Cmuster%3Ddebug").await;
    let shown = question.main();
    assert!(shown.contains("logs by this filter, until it is set anew"), "{shown}");
    let carried = r#"<input type="hidden" name="filter" value="info,muster=debug">"#;
    assert!(shown.contains(carried), "{shown}");
    post(&double, "/queue/log", "confirmed=yes&filter=info%2Cmuster%3Ddebug").await;
    let filled = r#"<input id="filter" name="filter" value="info,muster=debug""#;
    assert!(page(&double, "/").await.main().contains(filled));
    let refused = post(&double, "/queue/log", "confirmed=yes&filter=loudly").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text().contains("`loudly` is no log level"), "{}", refused.text());
}

#[tokio::test]
async fn a_question_is_shown_whole() {
    insta::assert_snapshot!(question("/dead/drop?all=yes").await.main());
}

#[tokio::test]
async fn letters_that_are_newer_than_the_statistics_are_asked_about() {
    let double = Double::new();
    double.world().stats.dead_letters = 0;
    let question = post(&double, "/dead/drop?all=yes", "").await;
    assert_eq!(question.status, StatusCode::OK);
    assert!(question.text().contains("Drop 50 dead letters of all batches?"));
}

#[tokio::test]
async fn what_is_gone_is_not_asked_about() {
    let double = Double::new();
    let answered = post(&double, "/dead/drop?group=other", "").await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    assert!(answered.text().contains("There are no such dead letters any more."));
    let answered = post(&double, "/dead/drop?batch=b-1&place=7", "").await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    for path in ["/dead/drop", "/dead/drop?all=no", "/dead/drop?batch=b-1&all=yes"] {
        let answered = post(&double, path, "confirmed=yes").await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(deeds(&double), [""; 0]);
}

#[tokio::test]
async fn what_fails_is_said() {
    let double = Double::new();
    double.world().failure = Some(Status::failed_precondition("the batch is complete"));
    let answered = post(&double, "/batches/b-1/abort", "confirmed=yes").await;
    assert_eq!(answered.status, StatusCode::CONFLICT);
    assert!(answered.text().contains("the batch is complete"));
}

#[tokio::test(start_paused = true)]
async fn what_is_done_may_take_longer_than_a_page() {
    let double = Double::new();
    double.world().silent = true;
    let begun = tokio::time::Instant::now();
    let answered = post(&double, "/dead/replay?all=yes", "confirmed=yes").await;
    assert_eq!(answered.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(begun.elapsed().as_secs(), 60);
    assert!(answered.text().contains("look before you do it again"));
}

/// The form of a record whose agent cannot be typed.
const EDITED: &str = "id=17&user_name=agerber0&email=anna%40example.com&first_name=Anna&last_name=\
    &ip_address=&gender=&country=%C3%96sterreich&agent=a%5Cn%5Cu%7B202e%7D%5C%5Cb";

#[tokio::test]
async fn a_letter_is_replayed_with_the_record_that_was_edited() {
    let double = Double::new();
    let question = post(&double, "/dead/letter/b-1/6/replay", EDITED).await;
    assert!(question.text().contains("This record is processed in its stead:"));
    // It goes back as it was typed.
    assert!(question.main().contains(r#"name="agent" value="a\n\u{202e}\\b""#));
    assert_eq!(deeds(&double), [""; 0]);

    let form = format!("{EDITED}&confirmed=yes");
    let answered = post(&double, "/dead/letter/b-1/6/replay", &form).await;
    assert_eq!(answered.leads_to(), "/dead/batch/b-1?done=replayed&n=48");
    let edited = UserRequest {
        email: "anna@example.com".to_owned(),
        agent: "a\n\u{202e}\\b".to_owned(),
        ..record()
    };
    let encoded = bytes(&edited);
    assert!(deeds(&double)[0].ends_with(&format!("record: Some({encoded}) }}")));
}

fn bytes(record: &UserRequest) -> String {
    format!("{:?}", muster_proto::v1::RollPart { data: record.encode_to_vec().into() }.data)
}

#[tokio::test]
async fn a_record_that_is_none_is_refused() {
    let double = Double::new();
    for (edited, said) in [
        (EDITED.replace("id=17", "id=seventeen"), "`id` must be a whole number"),
        (EDITED.replace("%5Cn", "%5Cq"), "In `agent` a backslash stands before something else"),
        ("id=1".to_owned(), "missing field"),
    ] {
        let form = format!("{edited}&confirmed=yes");
        let answered = post(&double, "/dead/letter/b-1/6/replay", &form).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST);
        assert!(answered.text().contains(said), "{}", answered.text());
    }
    assert_eq!(deeds(&double), [""; 0]);
}

#[tokio::test]
async fn a_form_has_a_limit() {
    let double = Double::new();
    let form = |len: usize| format!("confirmed=yes&{}", "a".repeat(len - 14));
    assert_eq!(
        post(&double, "/queue/pause", &form(64 << 10)).await.leads_to(),
        "/?done=paused&n=0"
    );
    let answered = post(&double, "/queue/pause", &form((64 << 10) + 1)).await;
    assert_eq!(answered.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answered.text().contains("more than 64 KiB"));
}

#[tokio::test]
async fn what_was_done_is_said_from_a_list_alone() {
    let double = Double::new();
    let text = page(&double, "/dead?done=replayed&n=1200").await.text();
    assert!(text.starts_with("Replayed: 1,200 dead letters."), "{text}");
    for path in ["/dead?done=You+won", "/dead?done=replayed&n=many", "/dead?n=3"] {
        assert!(!page(&double, path).await.main().contains("class=\"notice\""), "{path}");
    }
}

#[tokio::test]
async fn the_services_are_told_who_asks() {
    let double = Double::new();
    let mut request = form_of("/queue/pause", "confirmed=yes", &[]);
    let peer: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    request.extensions_mut().insert(muster_access::Peer::at(peer));
    assert_eq!(send(dashboard(&double), request).await.status, StatusCode::SEE_OTHER);
    assert_eq!(double.world().peer, Some(peer));
    assert_eq!(double.world().user_agent.as_deref(), Some("dashboard"));
}
