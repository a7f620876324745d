//! Writes at the wire: others that write in between, whoever calls back, refusals and lost answers.

use super::*;

/// A server whose object moves as the test says; patches without a dry run get `answer(n)`, n from 1.
async fn racing(
    object: impl Fn(u32) -> Value + Send + 'static,
    answer: impl Fn(u32) -> Reply + Send + 'static,
) -> (Server, Client, Permit) {
    let (live, writes) = (Arc::new(AtomicU32::new(0)), AtomicU32::new(0));
    let reads = Arc::clone(&live);
    let script = move |seen: &Seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("PATCH", _) if !seen.query.contains("dryRun") => answer(writes.fetch_add(1, Ordering::SeqCst) + 1),
        ("GET", DEPLOYMENT) => Reply::Json(200, object(reads.fetch_add(1, Ordering::SeqCst))),
        _ => calm(seen),
    };
    let server = Server::start(script).await;
    let (client, rehearsal) = rehearsed(&server).await;
    (server, client, permit(Action::RolloutRestart, rehearsal))
}

fn live_writes(server: &Server) -> Vec<Seen> {
    server.seen_by("PATCH").into_iter().filter(|seen| !seen.query.contains("dryRun")).collect()
}

#[tokio::test]
async fn a_status_change_in_between_is_tried_again_with_the_fresh_version() {
    let conflict_twice = |n| if n < 3 { status(409, "Conflict", "modified") } else { Reply::Json(200, restarted(103)) };
    let (server, client, permit) = racing(|reads| deployment(100 + reads, 41), conflict_twice).await;
    let applied = apply(&client, permit, in_time(), on).await;
    assert!(matches!(applied, Applied::Done { attempts: 3, .. }), "{applied:?}");
    let versions: Vec<Value> = live_writes(&server)
        .iter()
        .map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap()["metadata"]["resourceVersion"].clone())
        .collect();
    assert_eq!(versions, ["101", "102", "103"]);
}

#[tokio::test]
async fn no_request_leaves_after_the_time_of_its_permit() {
    let (server, client, permit) = racing(|_| deployment(100, 41), |_| Reply::Json(200, restarted(101))).await;
    let applied = apply(&client, permit, Instant::now() + Duration::from_secs(1), on).await;
    assert!(matches!(applied, Applied::Refused { .. }), "{applied:?}");
    assert!(live_writes(&server).is_empty());
}

/// Before it leaves, and between a conflict and the next time.
#[tokio::test]
async fn a_request_that_is_called_back_does_not_leave() {
    for (leaves, ways) in [(0, vec![Turn::Leaves]), (1, vec![Turn::Leaves, Turn::CameBack, Turn::Leaves])] {
        let (server, client, permit) = racing(|_| deployment(100, 41), |_| status(409, "Conflict", "modified")).await;
        let asked = std::sync::Mutex::new(Vec::new());
        let turn = |turn| {
            let mut asked = asked.lock().unwrap();
            asked.push(turn);
            let left = asked.iter().filter(|turn| **turn == Turn::Leaves).count();
            std::future::ready(if left > leaves { Go::Back } else { Go::On })
        };
        assert_eq!(apply(&client, permit, in_time(), turn).await, Applied::CalledBack);
        assert_eq!(asked.into_inner().unwrap(), ways);
        assert_eq!(live_writes(&server).len(), leaves);
    }
}

#[tokio::test]
async fn others_that_keep_writing_win() {
    let (server, client, permit) = racing(|_| deployment(100, 41), |_| status(409, "Conflict", "modified")).await;
    assert!(matches!(apply(&client, permit, in_time(), on).await, Applied::Conflict { .. }));
    assert_eq!(live_writes(&server).len(), 3);
}

#[tokio::test]
async fn a_target_that_moved_is_not_touched() {
    let (server, client, permit) =
        racing(|reads| deployment(100, 41 + i64::from(reads)), |_| Reply::Json(200, restarted(1))).await;
    let Applied::Conflict { moved } = apply(&client, permit, in_time(), on).await else {
        panic!("sent on other facts")
    };
    assert_eq!(moved, ["generation 41 -> 42"]);
    assert!(live_writes(&server).is_empty());
    // It also stops when the move is only seen after a 409.
    let object = |reads| deployment(100 + reads, if reads < 2 { 41 } else { 42 });
    let (server, client, permit) = racing(object, |_| status(409, "Conflict", "modified")).await;
    assert!(matches!(apply(&client, permit, in_time(), on).await, Applied::Conflict { .. }));
    assert_eq!(live_writes(&server).len(), 1);
}

#[tokio::test]
async fn a_refusal_changed_nothing_and_a_lost_answer_is_unknown() {
    for (code, unknown) in [(403, false), (422, false), (429, false), (500, true), (504, true)] {
        let (server, client, permit) = racing(|_| deployment(100, 41), move |_| status(code, "Some", "text")).await;
        let applied = apply(&client, permit, in_time(), on).await;
        assert_eq!(matches!(applied, Applied::Unknown { .. }), unknown, "{code} {applied:?}");
        assert_eq!(matches!(applied, Applied::Refused { .. }), !unknown, "{code} {applied:?}");
        assert_eq!(live_writes(&server).len(), 1, "never sent twice");
    }
    let (server, client, permit) = racing(|_| deployment(100, 41), |_| Reply::Silence).await;
    let Applied::Unknown { fault } = apply(&client, permit, in_time(), on).await else {
        panic!("a lost answer is not known")
    };
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert_eq!(live_writes(&server).len(), 1, "never sent twice");
}
