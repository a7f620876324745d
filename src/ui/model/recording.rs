//! What of the screen's memory may be recorded: typed confirmations, and what was pasted or is being written, may not.

use tui_textarea::TextArea;

use super::Ui;
use super::overlay::Overlay;
use crate::domain::observation::redact;
use crate::ui::search::Search;

/// What stands in a recording where a person writes.
const WRITING: &str = "(what is written here is not recorded)";

impl Ui {
    /// The same screen without what a recording must not hold. A note is recorded once it is on the timeline, redacted.
    pub fn for_recording(&self) -> Self {
        let mut ui = self.clone();
        if let Some(field) = &mut ui.confirm {
            field.text = "*".repeat(field.text.chars().count());
        }
        match &mut ui.overlay {
            Some(Overlay::Write { area, .. }) => **area = TextArea::from([WRITING]),
            Some(
                Overlay::Filter { text, .. } | Overlay::Help { query: text, .. } | Overlay::Palette { query: text, .. },
            ) => {
                *text = redact::redact(text).text;
            }
            Some(Overlay::Detail(opened)) => {
                if let Some(text) = &mut opened.typing {
                    *text = redact::redact(text).text;
                }
                clean(&mut opened.search);
            }
            Some(Overlay::Columns { .. }) | None => {}
        }
        for search in [&mut ui.alarms.search, &mut ui.metrics.search, &mut ui.logs.search] {
            clean(search);
        }
        clean(&mut ui.evidence.search);
        clean(&mut ui.timeline.search);
        ui
    }
}

fn clean(search: &mut Option<Search>) {
    if let Some(found) = search {
        let told = redact::redact(found.text());
        if told.text != found.text() {
            *found = Search::filter(&told.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::remediation::step::StepState;
    use crate::ui::model::overlay::Writing;
    use crate::ui::update::tests::session;

    #[test]
    fn what_is_typed_to_confirm_or_written_is_not_in_a_recording() {
        let session = session(StepState::Armed { until: Timestamp::MAX });
        let mut ui = Ui::default();
        let mut field = ui.confirm_field(&session).unwrap();
        field.text = "my-api 7f".to_owned();
        ui.confirm = Some(field);
        ui.overlay = Some(Overlay::Write { writing: Writing::Note, area: Box::new(TextArea::from(["s3cret"])) });
        ui.logs.search = Some(Search::filter("AKIAIOSFODNN7EXAMPLE"));
        let seen = ui.for_recording();
        assert_eq!(seen.confirm_field(&session).unwrap().text, "*********");
        let told = format!("{seen:?}");
        assert!(!told.contains("s3cret") && !told.contains("AKIAIOSFODNN7EXAMPLE"), "{told}");
        assert_eq!(ui.confirm.unwrap().text, "my-api 7f", "the screen itself is as it was");
    }
}
