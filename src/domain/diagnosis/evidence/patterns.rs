//! Templates as they are sent to the analyst: counts, times, and when their rate changed; never the lines themselves.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Evidence, Payload};
use crate::domain::diagnosis::statistics;
use crate::domain::observation::log::LogLevel;
use crate::domain::observation::log_template::{PARTS, TemplateCount};
use crate::domain::observation::metric::Point;
use crate::domain::observation::redact::redact;
use crate::domain::observation::scope::Window;

/// Characters of a template that are sent.
const LONGEST: usize = 160;
/// Bytes of JSON a token stands for, about. The service tells the true number afterwards.
const BYTES_A_TOKEN: usize = 4;

/// A template in the evidence document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SentTemplate {
    /// Its text, cut at 160 characters, redacted again.
    pub text: String,
    /// Its loudest level.
    pub level: LogLevel,
    /// Lines.
    pub lines: u64,
    /// First seen in the window.
    pub first_at: Timestamp,
    /// Last seen in the window.
    pub last_at: Timestamp,
    /// When its lines became more or fewer, and how many a part of the window then and before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<RateChange>,
}

/// A lasting change of how often a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RateChange {
    /// When.
    pub at: Timestamp,
    /// Lines a minute before.
    pub before: f64,
    /// Lines a minute since.
    pub since: f64,
}

/// The templates of a piece of evidence as they are sent; empty for evidence of another kind.
pub fn sent(evidence: &Evidence) -> Vec<SentTemplate> {
    let Some(Payload::LogPatterns { templates, .. }) = evidence.answer.payload() else { return Vec::new() };
    templates.iter().map(|template| as_sent(template, evidence.window)).collect()
}

/// About how many tokens the templates take in the prompt.
pub fn told_tokens(evidence: &Evidence) -> u64 {
    let bytes = |template: &SentTemplate| serde_json::to_string(template).map_or(0, |text| text.len() + 1);
    (sent(evidence).iter().map(bytes).sum::<usize>() / BYTES_A_TOKEN) as u64
}

fn as_sent(template: &TemplateCount, window: Window) -> SentTemplate {
    SentTemplate {
        text: redact(&template.template.chars().take(LONGEST).collect::<String>()).text,
        level: template.level,
        lines: template.count,
        first_at: template.first_at,
        last_at: template.last_at,
        changed: rate_change(template, window),
    }
}

/// When a template's lines became more or fewer for good, by the onset of their number in each part of the window.
pub(super) fn rate_change(template: &TemplateCount, window: Window) -> Option<RateChange> {
    let part_s = window.seconds() as f64 / f64::from(PARTS);
    let at = |n: usize| window.from.checked_add(SignedDuration::try_from_secs_f64(part_s * n as f64).ok()?).ok();
    let a_minute = 60.0 / part_s;
    let points: Vec<Point> = template
        .by_part
        .iter()
        .enumerate()
        .filter_map(|(n, lines)| Some(Point { at: at(n)?, value: f64::from(*lines) * a_minute }))
        .filter(|point| point.value.is_finite())
        .collect();
    let found = statistics::onset(&points, &[])?;
    let round = |value: f64| (value * 10.0).round() / 10.0;
    Some(RateChange { at: found.at, before: round(found.before), since: round(found.after) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(by_part: Vec<u32>) -> TemplateCount {
        TemplateCount {
            template: "order <*> failed password=hunter2secret".to_owned(),
            level: LogLevel::Error,
            count: by_part.iter().map(|lines| u64::from(*lines)).sum(),
            first_at: Timestamp::UNIX_EPOCH,
            last_at: Timestamp::UNIX_EPOCH,
            example: String::new(),
            by_part,
        }
    }

    fn half_hour() -> Window {
        let at = |s| Timestamp::from_second(s).unwrap();
        Window { from: at(0), to: at(1_800) }
    }

    #[test]
    fn a_rate_that_changes_is_told_with_its_time() {
        let from = |quiet: u32, loud: u32| (0..30).map(|n| if n < 20 { quiet } else { loud }).collect();
        let found = rate_change(&template(from(2, 24)), half_hour()).unwrap();
        assert_eq!((found.at.as_second(), found.since / found.before), (1_200, 12.0));
        let new = rate_change(&template(from(0, 5)), half_hour()).unwrap();
        assert_eq!((new.at.as_second(), new.before, new.since), (1_200, 0.0, 5.0));
        assert_eq!(rate_change(&template(from(4, 4)), half_hour()), None);
        assert_eq!(rate_change(&template(Vec::new()), half_hour()), None);
    }

    #[test]
    fn what_is_sent_is_redacted_and_bounded() {
        let sent = as_sent(&template(vec![1; 30]), half_hour());
        assert_eq!((sent.text.as_str(), sent.lines), ("order <*> failed password=[redacted:password]", 30));
    }
}
