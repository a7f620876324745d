//! Line 1, never hidden: where this is, as whom, whether it may move the world, and until when.
//!
//! ```text
//!  PROD  123456789012 │ us-east-1 │ oncall-ro │ eks-prod/payments │ DRY-RUN │ creds 42m │ analyst │ 09:31:07Z
//! ```
//!
//! Where there is no room, parts shorten and go in a fixed order; rehearsal, environment and mode never do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::put;
use crate::domain::count::counted;
use crate::domain::observation::scope::{ClusterName, KubeContext, Namespace};
use crate::domain::observation::skew::ClockSkew;
use crate::domain::remediation::request::Mode;
use crate::session::Session;
use crate::session::header::{Header, Origin};
use crate::session::incident::{Baton, Incident};
use crate::session::state::Credentials;
use crate::ui::format;
use crate::ui::model::{Pace, Showing};
use crate::ui::theme::Role;

/// Credentials that end within this are worth a warning.
const CREDENTIALS_SOON_S: i64 = 600;
/// Columns of a cluster's name where there is not room for more.
const SHORT_CLUSTER: usize = 12;

/// A part with its spellings from long to short; an empty one means it may go.
struct Part {
    role: Role,
    spellings: Vec<String>,
    at: usize,
}

impl Part {
    fn new(role: Role, spellings: impl IntoIterator<Item = String>) -> Self {
        Self { role, spellings: spellings.into_iter().collect(), at: 0 }
    }

    fn text(&self) -> &str {
        self.spellings.get(self.at).map_or("", String::as_str)
    }

    fn shorten(&mut self) -> bool {
        let more = self.at + 1 < self.spellings.len();
        self.at += usize::from(more);
        more
    }
}

/// Draws line 1.
pub fn draw(buffer: &mut Buffer, area: Rect, (session, incident): (&Session, Option<&Incident>), look: &Look) {
    put(buffer, area, &line(session, incident, (usize::from(area.width), look)), look);
}

/// Line 1 in at most `columns`, as far as what must stay leaves that possible.
fn line(session: &Session, incident: Option<&Incident>, (columns, look): (usize, &Look)) -> Line<'static> {
    let mut parts = parts(session, incident, look);
    let mut between = Between::Rule;
    let mut gone = Vec::new();
    for way in WAYS {
        if total(&parts, between) <= columns {
            break;
        }
        match way {
            Way::Shorter(index) if parts[index].shorten() => gone.push(index),
            Way::Shorter(_) => {}
            Way::Closer => between = Between::Blank,
        }
    }
    // What went before it was known how much had to go comes back where there is room after all, the last to go first.
    for index in gone.into_iter().rev() {
        let before = parts[index].at;
        parts[index].at = before.saturating_sub(1);
        if total(&parts, between) > columns {
            parts[index].at = before;
        }
    }
    join(&parts, between, look)
}

/// How room is made.
#[derive(Clone, Copy)]
enum Way {
    /// The next spelling of a part, by its place in `parts`.
    Shorter(usize),
    /// Nothing but a blank between the parts.
    Closer,
}

/// What gives way, the first first: who has the baton, the scenario's name, seconds and account numbers before any word of
/// the place; then how the rest of it is told; where this is at the very last.
const WAYS: [Way; 17] = [
    Way::Shorter(8),
    Way::Shorter(0),
    Way::Shorter(2),
    Way::Shorter(9),
    Way::Shorter(7),
    Way::Closer,
    Way::Shorter(4),
    Way::Shorter(2),
    Way::Shorter(9),
    Way::Shorter(7),
    Way::Shorter(5),
    Way::Shorter(5),
    Way::Shorter(3),
    Way::Shorter(5),
    Way::Shorter(9),
    Way::Shorter(12),
    Way::Shorter(13),
];

/// What stands between two parts.
#[derive(Clone, Copy)]
enum Between {
    Rule,
    Blank,
}

impl Between {
    fn columns(self) -> usize {
        match self {
            Self::Rule => 3,
            Self::Blank => 1,
        }
    }
}

fn parts(session: &Session, incident: Option<&Incident>, look: &Look) -> Vec<Part> {
    let header = &session.header;
    let none = String::new;
    let rehearsal = unreal(header, look);
    let read_only = session
        .read_only
        .as_ref()
        .map(drop)
        .or(session.elsewhere.as_ref().map(drop))
        .map(|()| " READ-ONLY ".to_owned());
    let elsewhere =
        header.scope.cluster_elsewhere().map(|home| format!(" CLUSTER OF {} {} ", home.account, home.region));
    let account = header.scope.account.as_ref().map_or("account ?".to_owned(), ToString::to_string);
    let own_word = !header.environment.eq_ignore_ascii_case(&account) && !header.environment.is_empty();
    let environment = if own_word { header.environment.clone() } else { account.clone() };
    let short = (account.len() == 12).then(|| format!("{}..{}", &account[..4], &account[8..]));
    let account = if own_word { vec![format!("acct {account}"), short.unwrap_or_default(), none()] } else { vec![] };
    let place = place(session, look);
    let (credentials_role, credentials) = credentials(session, look);
    let baton = incident.map_or(Baton::Watch, |incident| incident.phase.baton());
    let clock = clocks(look);
    vec![
        rehearsal,
        Part::new(environment_role(&environment, look), [format!(" {environment} ")]),
        Part::new(Role::Text, account),
        Part::new(Role::Text, [header.scope.region.to_string(), none()]),
        Part::new(Role::Text, [identity(header.scope.identity.as_deref()), none()]),
        Part::new(Role::Text, place.into_iter().chain([none()])),
        mode(header.mode, look),
        Part::new(credentials_role, credentials),
        Part::new(Role::Text, [baton.word().to_owned(), none()]),
        Part::new(Role::Strong, [clock.0, clock.1, none()]),
        Part::new(Role::Danger, read_only),
        Part::new(Role::Danger, elsewhere),
        Part::new(Role::Warning, drills(session, look)),
        Part::new(Role::Warning, skew(session)),
    ]
}

/// How far the clock of this machine is off, where that matters; pane 6 says what to do about it.
fn skew(session: &Session) -> Vec<String> {
    match session.clock {
        ClockSkew::NONE => Vec::new(),
        off => vec![format!("clock {}", off.short()), String::new()],
    }
}

/// How many faults of a game day strike now; pane 6 names them.
fn drills(session: &Session, look: &Look) -> Vec<String> {
    match session.drills_at(look.now).count() {
        0 => Vec::new(),
        many => vec![format!("{} on", counted(many, "fault")), String::new()],
    }
}

/// The clock, and as short as it can be told: with its zone, without which it would be taken for UTC.
fn clocks(look: &Look) -> (String, String) {
    // A clock that tells how long ago now is helps nobody: relative times are for rows.
    let zone = match &look.zone {
        format::Zone::Relative => &format::Zone::Utc,
        zone => zone,
    };
    let short = format::minute_clock(look.now, zone);
    match look.pace {
        Pace::Lively => (format::clock(look.now, zone, look.now), short),
        Pace::Quiet => (short.clone(), short),
    }
}

fn environment_role(word: &str, look: &Look) -> Role {
    if let Some(role) = look.environments.get(word) {
        return *role;
    }
    // What cannot be told apart from production is shown as production.
    let harmless = ["dev", "test", "stag", "sandbox", "simulat", "rehears", "local"];
    let lower = word.to_ascii_lowercase();
    if harmless.iter().any(|start| lower.contains(start)) { Role::Environment } else { Role::Production }
}

/// Why this is no production that goes on: it is simulated, or it has been. Nothing of it is ever left out.
fn unreal(header: &Header, look: &Look) -> Part {
    match (&header.origin, look.showing) {
        (Origin::Real, Showing::Session) => Part::new(Role::Rehearsal, []),
        (Origin::Rehearsal { scenario, .. }, Showing::Session) => {
            Part::new(Role::Rehearsal, [format!(" REHEARSAL {scenario} "), " REHEARSAL ".to_owned()])
        }
        (Origin::Real, Showing::Journal) => Part::new(Role::Replay, [" REPLAY ".to_owned()]),
        (Origin::Rehearsal { scenario, .. }, Showing::Journal) => {
            let of = format!(" REPLAY of the REHEARSAL {scenario} ");
            Part::new(Role::Replay, [of, " REPLAY (REHEARSAL) ".to_owned()])
        }
    }
}

/// The mode; in a replay that of then, in no colour that warns of now.
fn mode(mode: Mode, look: &Look) -> Part {
    let role = match (mode, look.showing) {
        (_, Showing::Journal) => {
            return Part::new(Role::Text, [format!("was {}", mode.word().trim_matches(['*', ' ']))]);
        }
        (Mode::DryRun, Showing::Session) => Role::DryRun,
        (Mode::Live, Showing::Session) => Role::Live,
    };
    Part::new(role, [mode.word().to_owned()])
}

/// The role's name out of an ARN: `arn:aws:sts::1234:assumed-role/oncall-ro/session` is `oncall-ro`.
pub fn identity(arn: Option<&str>) -> String {
    let Some(arn) = arn else { return "role ?".to_owned() };
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    let mut parts = resource.split('/');
    let kind = parts.next().unwrap_or_default();
    parts.next().unwrap_or(kind).to_owned()
}

/// Cluster and namespace; with the end of a long cluster's name, which tells it from others; and the namespace alone.
fn place(session: &Session, look: &Look) -> Vec<String> {
    let scope = &session.header.scope;
    let context = scope.context.as_ref().map(KubeContext::as_str);
    let cluster = context.or(scope.cluster.as_ref().map(ClusterName::as_str)).unwrap_or("no cluster");
    // The context that the AWS command line writes is the cluster's ARN: account and region stand in the line already.
    let cluster = cluster.rsplit_once(":cluster/").map_or(cluster, |(_, name)| name);
    let short = format::clip_start(cluster, SHORT_CLUSTER, look.glyphs);
    let namespaces: Vec<&str> = session.header.namespaces.iter().map(Namespace::as_str).collect();
    let first = match namespaces.as_slice() {
        [] => return vec![cluster.to_owned(), short.into_owned()],
        [one] => (*one).to_owned(),
        [one, more @ ..] => format!("{one}+{}", more.len()),
    };
    vec![format!("{cluster}/{first}"), format!("{short}/{first}"), first]
}

fn credentials(session: &Session, look: &Look) -> (Role, Vec<String>) {
    if session.credentials_fault().is_some() && !has_ended(session, look) {
        return (Role::Danger, vec!["creds FAILED".to_owned()]);
    }
    match session.credentials {
        Credentials::Unknown => (Role::Faint, vec!["creds ?".to_owned(), String::new()]),
        Credentials::Lasting => (Role::Text, vec!["creds lasting".to_owned(), String::new()]),
        Credentials::ExpireAt(at) => {
            let left = look.seconds_left(at);
            let text = format!("creds {}", look.left(left));
            match left {
                ..=0 => (Role::Danger, vec!["creds EXPIRED".to_owned()]),
                1..CREDENTIALS_SOON_S => (Role::Warning, vec![format!("{text}!")]),
                // A time that runs down gives way later than that there is none: the second spelling is the first.
                _ => (Role::Text, vec![text.clone(), text, String::new()]),
            }
        }
    }
}

/// Whether the credentials are known to be past their end.
fn has_ended(session: &Session, look: &Look) -> bool {
    matches!(session.credentials, Credentials::ExpireAt(at) if look.seconds_left(at) <= 0)
}

fn total(parts: &[Part], between: Between) -> usize {
    let shown: Vec<usize> = parts.iter().map(|part| format::width(part.text())).filter(|wide| *wide > 0).collect();
    shown.iter().sum::<usize>() + shown.len().saturating_sub(1) * between.columns()
}

fn join(parts: &[Part], between: Between, look: &Look) -> Line<'static> {
    let between = match between {
        Between::Rule => look.sign(" │ ", " | "),
        Between::Blank => " ",
    };
    let mut spans: Vec<Span<'static>> = Vec::new();
    for part in parts.iter().filter(|part| !part.text().is_empty()) {
        if !spans.is_empty() {
            spans.push(look.span(Role::Rule, between));
        }
        spans.push(look.span(part.role, part.text().to_owned()));
    }
    Line::from(spans)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::observation::scope::Scope;

    fn session(mode: Mode) -> Session {
        let scope = Scope {
            account: Some("123456789012".into()),
            region: "us-east-1".into(),
            cluster: Some("eks-prod".into()),
            cluster_home: None,
            context: None,
            identity: Some("arn:aws:sts::123456789012:assumed-role/oncall-ro/ana".to_owned()),
            ..Scope::default()
        };
        let origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 1, speed: "1".to_owned() };
        let namespaces = vec!["payments".into()];
        let header = Header { mode, scope, namespaces, environment: "PROD".to_owned(), origin, ..Header::default() };
        Session { header, ..Session::default() }
    }

    pub(in crate::ui::view) fn look() -> Look {
        Look {
            theme: crate::ui::theme::Theme::default(),
            glyphs: crate::ui::model::Glyphs::Ascii,
            markers: crate::ui::model::Markers::Ascii,
            environments: crate::ui::model::EnvironmentRoles::default(),
            zone: format::Zone::Utc,
            now: "2026-05-01T09:31:07Z".parse().unwrap(),
            showing: Showing::Session,
            pace: Pace::Lively,
            typed: crate::ui::model::Typed::Shown,
        }
    }

    #[test]
    fn what_must_stay_stays_at_every_width() {
        let session = session(Mode::Live);
        for columns in 40..200 {
            let text = line(&session, None, (columns, &look())).to_string();
            for word in ["REHEARSAL", "PROD", "*** LIVE ***"] {
                assert!(text.contains(word), "{columns}: {text}");
            }
            assert!(text.len() <= columns.max(40), "{columns}: {text}");
        }
    }

    #[test]
    fn where_a_live_session_acts_is_read_at_every_size() {
        let mut session = session(Mode::Live);
        session.credentials = Credentials::ExpireAt(look().now + jiff::SignedDuration::from_mins(42));
        for (columns, words) in [
            (60, &["REHEARSAL", "PROD", "*** LIVE ***", "us-east-1", "eks-prod/payments"][..]),
            (80, &["REHEARSAL", "PROD", "*** LIVE ***", "us-east-1", "eks-prod/payments", "creds 42m"]),
        ] {
            let text = line(&session, None, (columns, &look())).to_string();
            assert!(words.iter().all(|word| text.contains(word)) && text.len() <= columns, "{columns}: {text}");
        }
        session.header.origin = Origin::Real;
        let text = line(&session, None, (60, &look())).to_string();
        assert!(text.contains("us-east-1") && text.contains("eks-prod/payments"), "{text}");
        session.header.scope.context = Some("arn:aws:eks:us-east-1:123456789012:cluster/eks-prod".into());
        let text = line(&session, None, (60, &look())).to_string();
        assert!(text.contains("us-east-1") && text.contains("eks-prod/payments"), "{text}");
    }

    #[test]
    fn a_replay_is_told_first_and_its_mode_as_that_of_then() {
        let look = Look { showing: Showing::Journal, ..look() };
        let mut session = session(Mode::Live);
        for columns in 50..200 {
            let text = line(&session, None, (columns, &look)).to_string();
            assert!(text.starts_with(" REPLAY ") || text.starts_with(" REPLAY of the REHEARSAL oom-leak "), "{text}");
            assert!(text.contains("REHEARSAL") && text.contains("was LIVE") && !text.contains("***"), "{text}");
        }
        session.header.origin = Origin::Real;
        let text = line(&session, None, (200, &look)).to_string();
        assert!(text.starts_with(" REPLAY  |  PROD  | "), "{text}");
    }

    #[test]
    fn a_wide_line_tells_everything() {
        let text = line(&session(Mode::DryRun), None, (200, &look())).to_string();
        assert_eq!(
            text,
            " REHEARSAL oom-leak  |  PROD  | acct 123456789012 | us-east-1 | oncall-ro | eks-prod/payments | DRY-RUN | \
             creds ? | watch | 09:31:07Z"
        );
    }

    #[test]
    fn no_other_zone_is_told_as_utc() {
        let zone = format::Zone::Local(jiff::tz::TimeZone::fixed(jiff::tz::offset(2)));
        let look = Look { zone, ..look() };
        let told = |columns| line(&session(Mode::DryRun), None, (columns, &look)).to_string();
        assert!(told(200).ends_with("11:31:07 +02"), "{}", told(200));
        assert!((40..200).any(|columns| told(columns).ends_with("11:31 +02")));
        assert!((40..200).all(|columns| !told(columns).contains("11:31Z")));
    }

    #[test]
    fn credentials_that_end_are_never_left_out() {
        let mut session = session(Mode::Live);
        let soon = look().now + jiff::SignedDuration::from_mins(9);
        session.credentials = Credentials::ExpireAt(soon);
        assert!(line(&session, None, (60, &look())).to_string().contains("creds 9m!"));
        session.credentials = Credentials::ExpireAt(look().now);
        assert!(line(&session, None, (60, &look())).to_string().contains("creds EXPIRED"));
    }

    #[test]
    fn credentials_that_are_refused_are_not_told_as_lasting() {
        use crate::domain::fault::{Fault, FaultKind};
        use crate::session::feeds::{Feed, FeedHealth, FeedId};
        let mut session = session(Mode::Live);
        let ends = look().now + jiff::SignedDuration::from_hours(1);
        for (known, words) in [
            (Credentials::Unknown, "creds FAILED"),
            (Credentials::Lasting, "creds FAILED"),
            (Credentials::ExpireAt(ends), "creds FAILED"),
            (Credentials::ExpireAt(look().now), "creds EXPIRED"),
        ] {
            session.credentials = known;
            for (kind, fails) in [(FaultKind::Credentials, true), (FaultKind::Denied, false)] {
                let health = FeedHealth::Lost { fault: Fault::new(kind, "no") };
                session.feeds.insert(FeedId::Alarms, Feed { health, ..Feed::default() });
                let told = line(&session, None, (60, &look())).to_string();
                assert_eq!(told.contains(words), fails || words == "creds EXPIRED", "{known:?} {kind:?}: {told}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_off_stands_in_the_line_until_nothing_else_could_go() {
        let mut session = session(Mode::Live);
        session.clock = ClockSkew::NONE.remeasured(jiff::SignedDuration::from_secs(-250));
        for columns in 60..200 {
            let text = line(&session, None, (columns, &look())).to_string();
            assert!(text.contains("clock -4m10s"), "{columns}: {text}");
        }
        session.clock = ClockSkew::NONE;
        assert!(!line(&session, None, (200, &look())).to_string().contains("clock"));
    }

    #[test]
    fn an_unknown_environment_counts_as_production() {
        assert_eq!(environment_role("123456789012", &look()), Role::Production);
        assert_eq!(environment_role("STAGING", &look()), Role::Environment);
        let roles = [("STAGING".to_owned(), Role::Production)].into();
        let said = Look { environments: std::sync::Arc::new(roles), ..look() };
        assert_eq!(environment_role("STAGING", &said), Role::Production, "the person's word counts");
        assert_eq!(identity(Some("arn:aws:iam::1:user/ana")), "ana");
        assert_eq!(identity(Some("arn:aws:iam::1:root")), "root");
    }
}
