//! Our own client against the simulated Logs: a query counts what paging reads, a session shows what comes in.

use jiff::SignedDuration;
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::adapters::aws::insights::{InsightsQuery, Patience, counting, finding, run};
use pagerdeck::adapters::aws::live_tail::{Sampling, TailTimeouts, TailUpdate, live_tail};
use pagerdeck::domain::observation::log::Completeness;
use pagerdeck::domain::observation::scope::{Region, Window};
use pagerdeck::rehearsal::server::Rehearsal;
use tokio::sync::mpsc;

use super::super::{after, rehearse};
use super::read;

fn clients(rehearsal: &Rehearsal) -> Clients {
    pagerdeck::adapters::install_tls_provider();
    Clients::rehearsal(&rehearsal.endpoints.aws, &Region::new("us-east-1")).unwrap()
}

#[tokio::test]
async fn insights_counts_what_paging_reads_and_finds_every_kill() {
    let rehearsal = rehearse("oom-leak").await;
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    let clients = clients(&rehearsal);
    let window = Window { from: after(&rehearsal, -30 * 60), to: after(&rehearsal, 0) };
    let pause = |_| async { rehearsal.clock.jump_to(rehearsal.clock.now() + SignedDuration::from_secs(1)) };
    let ask = |text: String| InsightsQuery { groups: vec!["/ecs/my-api".into()], window, text };
    let counted = run(&clients, &ask(counting(&[])), Patience::default(), pause).await.unwrap();
    let whole = read(&rehearsal, None, 10_000).await.events.len() as u64;
    assert_eq!((counted.minutes().unwrap().total(), counted.matched), (whole, whole));
    let found = run(&clients, &ask(finding(&["oomkilled"])), Patience::default(), pause).await.unwrap();
    let found = found.lines(&["/ecs/my-api".into()]).unwrap();
    assert_eq!((found.events.len(), found.completeness), (14, Completeness::Exact));
    assert!(found.events.windows(2).all(|pair| pair[0].1.at <= pair[1].1.at));
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_session_is_opened_and_shows_each_second() {
    let rehearsal = rehearse("oom-leak").await;
    let clients = clients(&rehearsal);
    let (sender, mut updates) = mpsc::channel(4);
    let group = "/ecs/my-api".into();
    let tailing = live_tail(&clients, &group, TailTimeouts::default(), &sender);
    let hearing = async {
        assert!(matches!(updates.recv().await, Some(TailUpdate::Started)));
        let mut heard = 0;
        for second in 1..=10 {
            rehearsal.clock.jump_to(after(&rehearsal, second));
            let Some(TailUpdate::Lines { events, sampling }) = updates.recv().await else { panic!("no update") };
            assert_eq!(sampling, Sampling::Whole);
            heard += events.len();
        }
        heard
    };
    let heard = tokio::select! {
        ended = tailing => panic!("{ended:?}"),
        heard = hearing => heard,
    };
    assert!(heard > 10, "{heard}");
    rehearsal.stop().await;
}
