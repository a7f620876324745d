//! Rows of Insights: every value is a text, times are UTC without saying so, and a group's name has its account before it.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types::ResultField;
use jiff::Timestamp;

use super::id_of;
use crate::domain::observation::log::{LogGroup, RawLogEvent};

pub(super) fn by_field(row: &[ResultField]) -> BTreeMap<String, String> {
    let field = |field: &ResultField| Some((field.field()?.to_owned(), field.value().unwrap_or_default().to_owned()));
    row.iter().filter_map(field).collect()
}

/// A minute and its count.
pub(super) fn minute(row: &BTreeMap<String, String>) -> Result<(Timestamp, u64), String> {
    let at = row.get("bin(1m)").and_then(|text| instant(text)).ok_or_else(|| format!("no minute in {row:?}"))?;
    let lines: f64 =
        row.get("lines").and_then(|text| text.parse().ok()).ok_or_else(|| format!("no count in {row:?}"))?;
    Ok((at, lines as u64))
}

/// A line and its group: that of the row, or the only one asked.
pub(super) fn line(row: &BTreeMap<String, String>, groups: &[LogGroup]) -> Result<(LogGroup, RawLogEvent), String> {
    let at = row.get("@timestamp").and_then(|text| instant(text)).ok_or_else(|| "a line without a time".to_owned())?;
    let named = row.get("@log").map(|log| log.split_once(':').unwrap_or(("", log.as_str())));
    let group = match (named, groups) {
        // As it was asked for: a group of another account by its ARN.
        (Some((account, name)), asked) => {
            asked.iter().find(|group| group.is(account, name)).cloned().unwrap_or_else(|| LogGroup::from(name))
        }
        (None, [only]) => only.clone(),
        (None, _) => return Err("a line without its group".to_owned()),
    };
    let place = usize::try_from(at.as_millisecond()).unwrap_or_default();
    let text = |field: &str| row.get(field).cloned().unwrap_or_default();
    let id = id_of(row.get("@ptr"), place);
    Ok((group, RawLogEvent { id, at, stream: text("@logStream"), message: text("@message") }))
}

/// `2026-05-01 09:31:00.000`.
fn instant(text: &str) -> Option<Timestamp> {
    format!("{}Z", text.trim().replacen(' ', "T", 1)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn minutes_and_counts_are_read_and_what_is_neither_is_told() {
        let (at, lines) = minute(&row(&[("bin(1m)", "2026-05-01 09:31:00.000"), ("lines", "1204")])).unwrap();
        assert_eq!((at.to_string().as_str(), lines), ("2026-05-01T09:31:00Z", 1204));
        assert!(minute(&row(&[("lines", "3")])).unwrap_err().contains("no minute"));
        assert!(minute(&row(&[("bin(1m)", "2026-05-01 09:31:00.000"), ("lines", "many")])).is_err());
    }

    #[test]
    fn a_line_belongs_to_the_group_it_names() {
        let told = row(&[
            ("@timestamp", "2026-05-01 09:31:00.007"),
            ("@log", "123456789012:/ecs/my-api"),
            ("@logStream", "task-1"),
            ("@message", "OOMKilled"),
            ("@ptr", "CmEK"),
        ]);
        let (group, event) = line(&told, &[]).unwrap();
        assert_eq!((group.as_str(), &*event.id.text(), event.stream.as_str()), ("/ecs/my-api", "CmEK", "task-1"));
        assert_eq!(event.at.as_millisecond() % 1_000, 7);
        let arn = LogGroup::from("arn:aws:logs:us-east-1:123456789012:log-group:/ecs/my-api");
        assert_eq!(line(&told, std::slice::from_ref(&arn)).unwrap().0, arn);
        let unnamed = row(&[("@timestamp", "2026-05-01 09:31:00.007"), ("@message", "x")]);
        assert_eq!(line(&unnamed, &["/a".into()]).unwrap().0.as_str(), "/a");
        assert!(line(&unnamed, &["/a".into(), "/b".into()]).is_err());
    }
}
