//! A step opened: everything that its one screen may have had to shorten. Nothing is decided from here.

use super::{Desk, Page};
use crate::domain::count::{counted, either};
use crate::domain::remediation::step::{CheckState, RehearsalOutcome, Step};
use crate::session::incident::Incident;
use crate::ui::theme::Role;

/// The page.
pub(super) fn page(step: &Step, incident: &Incident, desk: Desk<'_>) -> Page {
    let mut page = Page::default();
    let undoes = incident.undos.get(&step.id).map_or_else(String::new, |of| format!("undo of {of}: "));
    let text = format!("{} {}  {undoes}{}", step.id, step.state.word(), step.text());
    page.toned("step", Role::Strong, text);
    page.field("as", step.action.equivalent(&step.target));
    page.field("risk", step.action.risk());
    let scope = &desk.session.header.scope;
    page.field("where", scope.to_string());
    page.field("who", scope.identity.clone().unwrap_or_else(|| "identity not known".to_owned()));
    page.head("WHY");
    if let Some(of) = incident.undos.get(&step.id) {
        page.text(Role::Text, format!("It puts back what {of} changed. The evidence was for {of}:"));
    }
    for id in &step.why {
        let question = incident.evidence(*id).map_or("is not in this incident", |found| found.question.text());
        page.text(Role::Text, format!("{id}  {question}"));
    }
    rehearsal(&mut page, step, desk);
    page.head("WHAT TELLS WHETHER IT WORKED");
    for test in &step.tests {
        page.text(Role::Text, test.text());
    }
    page
}

fn rehearsal(page: &mut Page, step: &Step, desk: Desk<'_>) {
    page.head("REHEARSAL");
    let Some(rehearsal) = &step.rehearsal else {
        page.text(Role::Faint, "Not rehearsed yet.");
        return;
    };
    page.field("came to", format!("{}, {}", rehearsal.outcome.word(), desk.look.moment(rehearsal.at)));
    match &rehearsal.outcome {
        RehearsalOutcome::Rehearsed => {}
        RehearsalOutcome::LocalOnly { why } => page.toned("why", Role::Warning, why.clone()),
        RehearsalOutcome::Forbidden { fault }
        | RehearsalOutcome::Refused { fault }
        | RehearsalOutcome::NotRehearsable { fault } => page.toned("why", Role::Danger, fault.to_string()),
    }
    page.field("digest", step.digest.as_ref().map_or_else(String::new, |digest| digest.as_str().to_owned()));
    page.field("blast", rehearsal.blast.clone());
    page.field("undo", rehearsal.undo.clone());
    if let Some(facts) = &rehearsal.facts {
        page.field("bound to", format!("uid {}  generation {}", facts.uid, facts.generation));
        for (path, value) in &facts.fields {
            page.field("", format!("{path} = {value}"));
        }
    }
    page.head(format!("FIELDS THAT CHANGE ({})", rehearsal.diff.len()));
    for change in &rehearsal.diff {
        page.text(Role::Text, change.path.clone());
        page.text(Role::Danger, format!("  - {}", change.before.as_deref().unwrap_or("(absent)")));
        page.text(Role::Good, format!("  + {}", change.after.as_deref().unwrap_or("(absent)")));
    }
    page.head("CHECKS");
    for check in &rehearsal.checks {
        let (role, mark) = match check.state {
            CheckState::Ok => (Role::Good, "[ok]"),
            CheckState::Warning => (Role::Warning, "[!!]"),
            CheckState::Failed => (Role::Danger, "[no]"),
            CheckState::Unknown => (Role::Warning, "[--]"),
        };
        page.text(role, format!("{mark} {}: {}", check.name, check.text));
    }
    if let Some(request) = &rehearsal.request {
        page.head(match request.hidden() {
            0 => "THE REQUEST (these very bytes)".to_owned(),
            many => {
                let (values, are) = (counted(many, "value"), either(many, "is", "are"));
                format!("THE REQUEST (these bytes, but {values} that {are} hidden here and sent)")
            }
        });
        page.text(Role::Text, format!("PATCH {}", request.path));
        page.text(Role::Text, request.shown());
    }
}
