//! What each page shows, and what it asks for.

use std::time::Duration;

use axum::http::StatusCode;
use muster_proto::v1::{Batch, BatchState, DeadLetterGroup, StoreHealth};
use tonic::Status;

use crate::asked::{get, page};
use crate::double::Double;
use crate::html::PAGES;
use crate::world::ago;

#[tokio::test]
async fn the_overview_shows_what_waits_and_how_fast_it_moves() {
    let double = Double::new();
    insta::assert_snapshot!(page(&double, "/").await.main());
}

#[tokio::test]
async fn the_overview_of_a_paused_queue_offers_to_resume_it() {
    let double = Double::new();
    double.world().stats.paused = true;
    let main = page(&double, "/").await.main();
    assert!(main.contains("Paused") && main.contains("action=\"/queue/resume\""));
    assert!(!main.contains("Running") && !main.contains("action=\"/queue/pause\""));
}

#[tokio::test]
async fn the_overview_says_that_the_store_is_away_and_shows_what_was() {
    let double = Double::new();
    let problem = "cannot connect: connection refused".to_owned();
    double.world().stats.store = Some(StoreHealth { problem, ..StoreHealth::default() });
    double.world().stats.at = ago(42);
    let text = page(&double, "/").await.text();
    assert!(text.contains("The store does not answer: cannot connect: connection refused"));
    assert!(text.contains("as it was 42 s ago") && text.contains("State away"));
    assert!(text.contains("without a limit"));
}

#[tokio::test]
async fn batches_are_listed_with_rate_and_time_left() {
    let double = Double::new();
    insta::assert_snapshot!(page(&double, "/batches").await.main());
}

#[tokio::test]
async fn batches_are_filtered_and_paged() {
    let double = Double::new();
    double.world().next_page_token = "7/b 3".to_owned();
    let main = page(&double, "/batches?state=open&page=1%2Fb").await.main();
    assert_eq!(
        double.world().calls,
        [r#"batches ListBatchesRequest { state: Open, page_token: "1/b", page_size: 50 }"#]
    );
    assert!(main.contains(r#"<a href="/batches?state=open" aria-current="true">open</a>"#));
    assert!(main.contains(r#"<a href="/batches?state=open">First page</a>"#));
    assert!(main.contains(r#"<a href="/batches?state=open&#38;page=7%2Fb%203" rel="next">"#));
    assert!(main.contains(r#"data-live="/events?page=batches&#38;state=open&#38;token=1%2Fb""#));
}

#[tokio::test]
async fn the_only_page_of_batches_leads_to_no_other() {
    let double = Double::new();
    assert!(!page(&double, "/batches").await.main().contains("class=\"pages\""));
    double.world().batches.clear();
    assert!(page(&double, "/batches").await.text().contains("There are no such batches."));
}

#[tokio::test]
async fn a_batch_is_shown_whole() {
    let double = Double::new();
    insta::assert_snapshot!("open", page(&double, "/batches/b-1").await.main());
    insta::assert_snapshot!("written", page(&double, "/batches/b-0").await.main());
}

#[tokio::test]
async fn an_aborted_batch_skips_steps_and_is_not_aborted_again() {
    let double = Double::new();
    double.world().batches = vec![Batch {
        id: "b-1".to_owned(),
        state: BatchState::Aborted.into(),
        overdue: true,
        opened_at: ago(100),
        ended_at: ago(40),
        ..Batch::default()
    }];
    let page = page(&double, "/batches/b-1").await;
    let text = page.text();
    assert!(text.contains("opened 2023-11-14T22:11:40Z , 1 min ago aborted"), "{text}");
    assert!(text.contains("40 s ago after 1 min 0 s"), "{text}");
    assert!(text.contains("Its sender did not come back before its deadline."));
    assert!(!page.main().contains("/abort"));
}

#[tokio::test]
async fn a_batch_that_is_held_leads_to_its_dead_letters() {
    let double = Double::new();
    double.world().batches[0].held = true;
    let page = page(&double, "/batches/b-1").await;
    assert!(page.text().contains("held It waits until its dead letters are replayed or dropped."));
    assert!(page.main().contains("<a href=\"/dead/batch/b-1\">dead letters</a>"));
}

#[tokio::test]
async fn workers_are_listed_with_what_they_have_in_hand() {
    let double = Double::new();
    insta::assert_snapshot!(page(&double, "/workers").await.main());
    double.world().workers.clear();
    assert!(page(&double, "/workers").await.text().contains("No process runs workers."));
}

#[tokio::test]
async fn what_a_worker_has_in_hand_is_cut_short() {
    let double = Double::new();
    let chunk = double.world().workers[0].in_hand[0].clone();
    double.world().workers[0].in_hand = vec![chunk; 100];
    let page = page(&double, "/workers").await;
    assert_eq!(page.main().matches("256 records from 1,024").count(), 4);
    assert!(page.text().contains("and 96 more"));
}

#[tokio::test]
async fn dead_letters_are_grouped_by_error() {
    let double = Double::new();
    insta::assert_snapshot!(page(&double, "/dead").await.main());
}

#[tokio::test]
async fn errors_are_searched_for_in_capitals_or_not() {
    let double = Double::new();
    for q in ["out+OF", "%20PANIC%20"] {
        let text = page(&double, &format!("/dead?q={q}")).await.text();
        assert!(text.contains("panic: Out of range") && !text.contains("`email`"), "{text}");
        // All letters are not those that are seen.
        assert!(!text.contains("Replay all"));
    }
    let text = page(&double, "/dead?q=nothing").await.text();
    assert!(text.contains("No error has “nothing” in it."));
    double.world().groups.clear();
    assert!(page(&double, "/dead").await.text().contains("There are no dead letters."));
}

#[tokio::test]
async fn a_page_shows_no_more_groups_than_a_person_reads() {
    let double = Double::new();
    double.world().groups =
        (0..100_000).map(|i| DeadLetterGroup { name: format!("error {i}"), letters: i }).collect();
    let page = page(&double, "/dead").await;
    assert_eq!(page.main().matches("<tr>").count(), 201);
    // The most frequent one is first.
    assert!(page.text().contains("99,999 error 99999"));
    assert!(page.text().contains("99800 more errors are not shown"));
    assert!(page.body.len() < 256 << 10);
}

#[tokio::test]
async fn letters_of_a_group_are_paged() {
    let double = Double::new();
    double.world().next_page_token = "b-1/6".to_owned();
    let main = page(&double, "/dead/group?name=a%26b&page=b-1/5").await.main();
    assert_eq!(
        double.world().calls,
        [concat!(
            r#"letters ListDeadLettersRequest { page_token: "b-1/5", page_size: 50, "#,
            r#"of: Some(Group("a&b")) }"#
        )]
    );
    assert!(main.contains(r#"<a href="/dead/group?name=a%26b&#38;page=b-1%2F6" rel="next">"#));
    assert!(main.contains(r#"<a href="/dead/group?name=a%26b">First page</a>"#));
}

#[tokio::test]
async fn letters_of_a_batch_are_listed() {
    let double = Double::new();
    insta::assert_snapshot!(page(&double, "/dead/batch/b-1").await.main());
    double.world().letters.clear();
    let text = page(&double, "/dead/batch/b-1").await.text();
    assert!(text.contains("There are none here."));
}

#[tokio::test]
async fn a_letter_is_shown_whole() {
    let double = Double::new();
    insta::assert_snapshot!(page(&double, "/dead/letter/b-1/6").await.main());
}

#[tokio::test]
async fn a_letter_that_is_no_record_can_be_replayed_with_one() {
    let double = Double::new();
    double.world().letters[0].record = (&b"\xff"[..]).into();
    let page = page(&double, "/dead/letter/b-1/6").await;
    assert!(page.text().contains("What was sent cannot be read as a record."));
    assert!(page.main().contains("name=\"id\" value=\"17\""));
}

#[tokio::test]
async fn the_roll_shows_its_manifest() {
    let double = Double::new();
    insta::assert_snapshot!(page(&double, "/roll").await.main());
}

#[tokio::test]
async fn a_roll_that_is_not_there_is_no_fault() {
    let double = Double::new();
    double.world().manifest = Err(Status::not_found("internal words"));
    assert!(page(&double, "/roll").await.text().contains("Nothing is written yet"));
    double.world().manifest = Err(Status::failed_precondition("set `server.roll`"));
    assert!(page(&double, "/roll").await.text().contains("set `server.roll`"));
    double.world().manifest = Err(Status::data_loss("torn"));
    assert_eq!(get(&double, "/roll").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

/// What no page may grow with: a call for each row, or each worker.
#[tokio::test]
async fn every_page_is_a_few_calls() {
    for path in PAGES {
        let double = Double::new();
        page(&double, path).await;
        let calls = double.world().calls.len();
        assert!((1..=2).contains(&calls), "{path}: {calls} calls");
    }
}

#[tokio::test]
async fn every_page_says_that_a_service_fails() {
    for (status, code) in [
        (Status::unavailable("the store is unavailable; try again"), 503),
        (Status::not_found("no batch b-1"), 404),
        (Status::failed_precondition("the batch is complete"), 409),
        (Status::invalid_argument("`id` is none"), 400),
        (Status::resource_exhausted("full"), 429),
        (Status::permission_denied("no"), 403),
        (Status::unimplemented("not yet"), 501),
        (Status::internal("the server failed; its log says why"), 500),
    ] {
        let double = Double::new();
        double.world().failure = Some(status.clone());
        for path in PAGES {
            let answered = get(&double, path).await;
            if answered.status == StatusCode::OK && path == "/roll" {
                continue;
            }
            assert_eq!(answered.status.as_u16(), code, "{path}");
            assert!(answered.text().contains(status.message()), "{path}");
            crate::html::check(&answered.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_page_waits_for_ever() {
    for path in PAGES {
        let double = Double::new();
        double.world().silent = true;
        let begun = tokio::time::Instant::now();
        let answered = get(&double, path).await;
        assert_eq!(answered.status, StatusCode::GATEWAY_TIMEOUT, "{path}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{path}");
        assert!(answered.text().contains("too slow to answer"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let double = Double::new();
    for path in ["/nothing", "/batches/b-1/more", "/dead/letter/b-1/x", "/assets/other.css"] {
        let answered = get(&double, path).await;
        assert_eq!(answered.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answered.text().contains("There is nothing at this address."), "{path}");
    }
    assert_eq!(get(&double, "/batches/b-9").await.status, StatusCode::NOT_FOUND);
    let answered = get(&double, "/queue/pause").await;
    assert_eq!(answered.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answered.text().contains("press the button"));
    assert_eq!(get(&double, "/dead/group").await.status, StatusCode::BAD_REQUEST);
}
