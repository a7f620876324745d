//! Follow-ups: what a report promises, and how it stands with those that can be watched.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::count::{counted, either};
use crate::domain::observation::metric::{MetricRole, Point, Series};

/// Seconds in a row at the bound or over it that fail a watch: one minute is no trend, and its point may be corrected.
const OVER_S: i64 = 180;

/// After its end a follow-up waits so long for the points that CloudWatch has late.
pub const LATE: SignedDuration = SignedDuration::from_mins(5);

/// What a follow-up looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "watch", rename_all = "kebab-case")]
pub enum FollowUpTest {
    /// A metric stays below a bound for a time.
    MetricBelow {
        /// Which metric of the service.
        role: MetricRole,
        /// The bound, in its unit.
        bound: f64,
        /// For how long, minutes.
        minutes: u32,
    },
    /// Something only a person can do.
    Person,
}

/// How a follow-up stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Standing {
    /// It is not settled yet: a watch goes on while the session is open, the rest is a person's.
    #[default]
    Pending,
    /// It was watched to its end, and every point was below.
    Held {
        /// The highest.
        highest: f64,
    },
    /// A point was not below.
    Failed {
        /// The first of them.
        at: Timestamp,
        /// Its value.
        value: f64,
    },
    /// Its time is over, and points are missing.
    Unmeasured {
        /// Points there are.
        seen: u32,
        /// Points there should be.
        of: u32,
    },
    /// The session ended before the watch did.
    NotWatched,
}

impl Standing {
    /// The word of it in JSON and before its text.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held { .. } => "held",
            Self::Failed { .. } => "failed",
            Self::Unmeasured { .. } => "unmeasured",
            Self::NotWatched => "not-watched",
        }
    }
}

/// A follow-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The promise as a sentence: `watch CPU for 30 minutes`.
    pub text: String,
    /// What is looked at.
    pub test: FollowUpTest,
    /// When it is due.
    pub due_at: Timestamp,
    /// How it stands.
    #[serde(default)]
    pub standing: Standing,
}

impl FollowUp {
    /// The metric that has to be read for it, while it is.
    pub fn watches(&self) -> Option<MetricRole> {
        match (&self.test, self.standing) {
            (FollowUpTest::MetricBelow { role, .. }, Standing::Pending) => Some(*role),
            (FollowUpTest::MetricBelow { .. } | FollowUpTest::Person, _) => None,
        }
    }

    /// How it stands by the points there are now. Only periods that lie in it whole and are over are counted: one of before
    /// is not its, and one under way is known in part.
    pub fn judged(&self, series: Option<&Series>, now: Timestamp) -> Standing {
        let FollowUpTest::MetricBelow { bound, minutes, .. } = self.test else { return self.standing };
        if self.standing != Standing::Pending {
            return self.standing;
        }
        let from = self.due_at - SignedDuration::from_mins(i64::from(minutes));
        let period = series.map_or(60, |series| i64::from(series.query.period_s.max(1)));
        let ends = |at: Timestamp| at + SignedDuration::from_secs(period);
        let points: Vec<Point> = series
            .into_iter()
            .flat_map(|series| &series.points)
            .filter(|point| point.at >= from && ends(point.at) <= self.due_at.min(now))
            .copied()
            .collect();
        let enough = usize::try_from((OVER_S + period - 1) / period).unwrap_or(1).max(1);
        let over = points.windows(enough).find(|run| run.iter().all(|point| point.value >= bound));
        if let Some(over) = over.and_then(<[Point]>::last) {
            return Standing::Failed { at: over.at, value: over.value };
        }
        let (first, last) = (from.as_second() + period - 1, self.due_at.as_second());
        let of = u32::try_from((last.div_euclid(period) - first.div_euclid(period)).max(1)).unwrap_or(u32::MAX);
        let seen = u32::try_from(points.len()).unwrap_or(u32::MAX);
        let highest = points.iter().map(|point| point.value).max_by(f64::total_cmp);
        match highest {
            Some(highest) if now >= self.due_at && seen >= of => Standing::Held { highest },
            Some(_) | None if now >= self.due_at + LATE => Standing::Unmeasured { seen, of },
            Some(_) | None => Standing::Pending,
        }
    }

    /// The same once the session has ended: a watch that was not settled never is.
    pub fn when_left(&self) -> Standing {
        if self.watches().is_some() { Standing::NotWatched } else { self.standing }
    }

    /// How it stands, for a person; empty where there is nothing to say.
    pub fn told(&self) -> String {
        match (self.standing, &self.test) {
            (Standing::Pending, FollowUpTest::Person) => String::new(),
            (Standing::Pending, FollowUpTest::MetricBelow { .. }) => {
                "pending: watched while this session is open".to_owned()
            }
            (Standing::Held { highest }, _) => format!("held: {highest:.1} at the most"),
            (Standing::Failed { at, value }, _) => format!("FAILED: {value:.1} at {}", at.strftime("%H:%M UTC")),
            (Standing::Unmeasured { seen, of }, _) => {
                format!("not known: {seen} of {} {} there to tell", counted(of, "point"), either(of, "was", "were"))
            }
            (Standing::NotWatched, _) => "not watched to its end: the session ended before".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::metric::{MetricId, MetricQuery, Statistic, Unit};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_777_627_860 + second).unwrap()
    }

    /// Of ten minutes from 23 seconds past a minute on: nine whole periods lie in it.
    fn watch() -> FollowUp {
        let test = FollowUpTest::MetricBelow { role: MetricRole::Cpu, bound: 85.0, minutes: 10 };
        FollowUp { text: "watch CPU".to_owned(), test, due_at: at(623), standing: Standing::Pending }
    }

    fn series(points: impl IntoIterator<Item = (i64, f64)>) -> Series {
        let (metric, statistic) = (MetricId::default(), Statistic::Average);
        let query = MetricQuery { role: MetricRole::Cpu, metric, statistic, period_s: 60 };
        let points = points.into_iter().map(|(minute, value)| Point { at: at(minute * 60), value });
        Series::new(query, Unit::Percent, points)
    }

    #[test]
    fn a_watch_holds_when_every_minute_of_it_was_below() {
        let all = series((-5..20).map(|minute| (minute, if (1..10).contains(&minute) { 60.0 } else { 99.0 })));
        assert_eq!(watch().judged(Some(&all), at(500)), Standing::Pending, "the minutes before it are not its");
        assert_eq!(watch().judged(Some(&all), at(622)), Standing::Pending);
        assert_eq!(watch().judged(Some(&all), at(623)), Standing::Held { highest: 60.0 });
    }

    #[test]
    fn three_minutes_at_the_bound_fail_it_at_once_and_for_good() {
        let once = series([(1, 40.0), (2, 85.0), (3, 40.0), (4, 91.0), (5, 91.0), (6, 40.0)]);
        assert_eq!(watch().judged(Some(&once), at(420)), Standing::Pending, "never three in a row");
        let over = series([(1, 40.0), (2, 85.0), (3, 86.0), (4, 85.0), (5, 40.0)]);
        assert_eq!(watch().judged(Some(&over), at(299)), Standing::Pending, "the third minute is not over");
        let failed = Standing::Failed { at: at(240), value: 85.0 };
        assert_eq!(watch().judged(Some(&over), at(300)), failed);
        let settled = FollowUp { standing: failed, ..watch() };
        let calm = series((1..10).map(|minute| (minute, 1.0)));
        assert_eq!(settled.judged(Some(&calm), at(9_000)), failed);
        assert_eq!((settled.watches(), settled.when_left()), (None, failed));
    }

    #[test]
    fn missing_minutes_are_waited_for_and_never_taken_for_good_ones() {
        let holed = series([(1, 40.0), (2, 40.0), (9, 40.0)]);
        assert_eq!(watch().judged(Some(&holed), at(923) - SignedDuration::from_secs(1)), Standing::Pending);
        assert_eq!(watch().judged(Some(&holed), at(923)), Standing::Unmeasured { seen: 3, of: 9 });
        assert_eq!(watch().judged(None, at(922)), Standing::Pending);
        assert_eq!(watch().judged(None, at(923)), Standing::Unmeasured { seen: 0, of: 9 });
    }

    #[test]
    fn what_is_left_before_its_end_was_not_watched_and_what_is_a_persons_is_not_ours() {
        assert_eq!((watch().watches(), watch().when_left()), (Some(MetricRole::Cpu), Standing::NotWatched));
        let person = FollowUp { test: FollowUpTest::Person, ..watch() };
        assert_eq!((person.watches(), person.when_left()), (None, Standing::Pending));
        assert_eq!((person.judged(None, at(99_999)), person.told()), (Standing::Pending, String::new()));
    }

    #[test]
    fn a_promise_of_an_older_journal_is_pending() {
        let older = r#"{"text":"watch CPU","test":{"watch":"metric-below","role":"cpu","bound":85.0,"minutes":10},"due_at":"2026-05-01T09:41:23Z"}"#;
        assert_eq!(serde_json::from_str::<FollowUp>(older).unwrap(), watch());
    }
}
