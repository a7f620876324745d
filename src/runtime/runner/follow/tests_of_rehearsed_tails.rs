//! A group of a rehearsal followed with Live Tail wanted, while the credentials run out under the open session: the clock
//! runs twenty times as fast as the wall.

use super::tests::within;
use super::*;
use crate::adapters::aws::logs::{LogQuery, read_window};
use crate::config::LogReading;
use crate::domain::observation::log::{LogLine, ingest};
use crate::domain::observation::scope::Window;
use crate::rehearsal::clock::Speed;
use crate::rehearsal::scenario::parse;
use crate::rehearsal::{Rehearsal, StartOptions};
use crate::runtime::clock::Clock;
use crate::runtime::inbox::{Inbox, Postbox};
use crate::runtime::outside::Outside;
use crate::session::event::LogEvent;

const GROUP: &str = "/ecs/my-api";
/// The session that stands breaks, and for a while neither a new one nor a poll is signed by anything valid.
const EXPIRES: &str = "based_on = \"oom-leak\"\nname = \"test\"\ntitle = \"t\"\nteaches = \"t\"\n\
    [[fault]]\nservice = \"logs\"\noperation = \"StartLiveTail\"\nfrom = \"20s\"\nuntil = \"21s\"\neffect = { kind = \"cut\" }\n\
    [[fault]]\nservice = \"logs\"\nfrom = \"20s\"\nuntil = \"50s\"\neffect = { kind = \"expired\" }\n\
    [expect]\ncause = \"memory-leak\"\nconclusive = true\n";

#[derive(Default)]
struct Heard {
    ways: Vec<Way>,
    healths: Vec<FeedHealth>,
    counted: u64,
    accounted_to: Option<Timestamp>,
    shown: Vec<(Timestamp, String)>,
}

impl Heard {
    fn show(&mut self, lines: &[Arc<LogLine>]) {
        self.shown.extend(lines.iter().map(|line| (line.at, line.text.to_string())));
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Feed(FeedEvent::GroupFollowed { following, .. }) => self.ways.push(following),
            Event::Feed(FeedEvent::GroupChanged { health, .. }) => self.healths.push(health),
            Event::Log(LogEvent::Batch { summary, lines, .. }) => {
                self.counted += summary.lines;
                self.accounted_to = self.accounted_to.max(summary.last_at);
                self.show(&lines);
            }
            Event::Log(LogEvent::Early { lines, .. }) => self.show(&lines),
            _ => {}
        }
    }
}

/// Every line of the group in a window, as it is shown.
async fn stored(means: &Means, window: Window) -> Vec<(Timestamp, String)> {
    let query = LogQuery::all(GROUP.into(), window);
    let (sender, mut pages) = mpsc::channel(4);
    let reading = async {
        let read = read_window(means.outside.aws().await.unwrap(), &query, &sender).await;
        drop(sender);
        read.unwrap()
    };
    let gathering = async {
        let mut lines = Vec::new();
        while let Some(page) = pages.recv().await {
            lines.extend(
                page.events
                    .into_iter()
                    .map(|raw| ingest(raw, &query.group))
                    .map(|line| (line.at, line.text.to_string())),
            );
        }
        lines
    };
    let (_, mut lines) = tokio::join!(reading, gathering);
    lines.sort();
    lines
}

fn means_of(rehearsal: &Rehearsal, sender: mpsc::Sender<Inbox>) -> Means {
    crate::adapters::install_tls_provider();
    let mut outside = Outside::of_rehearsal(rehearsal).unwrap();
    outside.logs = LogReading { tail: LogTail::Live, ..LogReading::default() };
    Means {
        outside: Arc::new(outside),
        post: Postbox::new(sender),
        clock: Clock::simulated(Arc::clone(&rehearsal.clock)),
        nudge: Arc::default(),
        failing: Arc::default(),
    }
}

#[tokio::test]
async fn credentials_that_expire_under_a_session_cost_no_line_and_show_none_twice() {
    let options = StartOptions { speed: Speed::Times(20.0), seed: None };
    let rehearsal = crate::rehearsal::start(parse(EXPIRES, "test").unwrap(), options).await.unwrap();
    let (sender, mut inbox) = mpsc::channel(1_000);
    let means = means_of(&rehearsal, sender.clone());
    let tasks = Tasks::new(sender);
    let start = rehearsal.scenario.start;
    let shown = ShownGroup { group: GROUP.into(), told: Told::default() };
    let followed = Followed::begin(shown, start, (&means, &tasks));
    let without = Way::PolledInstead { why: "live tail without credentials".to_owned() };
    let back = |heard: &Heard| {
        let lost = heard.ways.iter().position(|way| *way == without);
        lost.is_some_and(|at| heard.ways[at..].contains(&Way::Tailed))
    };
    let until = start + SignedDuration::from_secs(60);
    let mut heard = Heard::default();
    while !(back(&heard) && heard.accounted_to.is_some_and(|to| to > until)) {
        let Some(message) = within("the tail that is back", inbox.recv()).await else { break };
        if let Inbox::Event { event, .. } = message {
            heard.hear(*event);
        }
    }
    assert!(heard.ways.first() != Some(&without) && heard.ways.contains(&Way::Tailed), "{:?}", heard.ways);
    let is_expired = |health: &FeedHealth| matches!(health, FeedHealth::Lost { fault } if fault.kind == crate::domain::fault::FaultKind::Credentials);
    assert!(heard.healths.iter().any(is_expired), "the polls were refused as well: {:?}", heard.healths);
    let own = |line: &(Timestamp, String)| line.0 >= start && line.0 < until;
    let mut seen: Vec<_> = heard.shown.into_iter().filter(own).collect();
    seen.sort();
    let all: Vec<_> = stored(&means, Window { from: start, to: until }).await.into_iter().filter(own).collect();
    assert!(all.len() > 50 && seen == all, "{} shown, {} stored", seen.len(), all.len());
    assert!(heard.counted >= all.len() as u64);
    followed.stop.stop();
    tasks.end().await;
    rehearsal.stop().await;
}
