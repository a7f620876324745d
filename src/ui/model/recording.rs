//! What of the screen's memory may be recorded: typed confirmations, and what was pasted or is being written, may not.

use tui_textarea::TextArea;

use super::Ui;
use super::overlay::{ConfirmField, Overlay};
use crate::domain::observation::redact;
use crate::ui::search::Search;

/// What stands in a recording where a person writes.
const WRITING: &str = "(what is written here is not recorded)";

/// What was taken away for a recording, to be put back.
struct Hidden {
    confirm: Option<ConfirmField>,
    overlay: Option<Overlay>,
    searches: [Option<Search>; 5],
}

impl Ui {
    /// Shows the screen without what a recording must not hold, and is afterwards as it was. What is large stays where it
    /// is. A note is recorded once it is on the timeline, redacted.
    pub fn while_recorded<T>(&mut self, show: impl FnOnce(&Self) -> T) -> T {
        let Hidden { confirm, overlay, searches } = self.hide();
        let shown = show(self);
        (self.confirm, self.overlay) = (confirm, overlay);
        for (place, search) in self.searches().into_iter().zip(searches) {
            *place = search;
        }
        shown
    }

    fn hide(&mut self) -> Hidden {
        let (confirm, overlay) = (self.confirm.clone(), self.overlay.clone());
        let hidden = Hidden { confirm, overlay, searches: self.searches().map(|search| search.clone()) };
        if let Some(field) = &mut self.confirm {
            field.text = "*".repeat(field.text.chars().count());
        }
        match &mut self.overlay {
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
        self.searches().into_iter().for_each(clean);
        hidden
    }

    fn searches(&mut self) -> [&mut Option<Search>; 5] {
        [
            &mut self.alarms.search,
            &mut self.metrics.search,
            &mut self.logs.search,
            &mut self.evidence.search,
            &mut self.timeline.search,
        ]
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
        let before = format!("{ui:?}");
        ui.while_recorded(|seen| {
            assert_eq!(seen.confirm_field(&session).unwrap().text, "*********");
            let told = format!("{seen:?}");
            assert!(!told.contains("s3cret") && !told.contains("AKIAIOSFODNN7EXAMPLE"), "{told}");
        });
        assert!(before.contains("s3cret") && before.contains("AKIAIOSFODNN7EXAMPLE"));
        assert_eq!(format!("{ui:?}"), before, "the screen itself is as it was");
    }
}
