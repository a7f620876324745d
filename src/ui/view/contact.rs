//! First contact, over the panes while nothing was ever read: what was found, what is missing, the command for each, and
//! the way into a rehearsal.

use ratatui::buffer::Buffer;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use super::look::Look;
use super::sheet::{Held, Sheet, frame};
use crate::session::Session;
use crate::ui::contact::{self, Standing};
use crate::ui::keymap::{Action, Binding};
use crate::ui::model::{Pane, Ui, Zoom};
use crate::ui::theme::Role;

/// What can be done from here, in a sentence and in a word: the last line tells it as well, for a low screen has no room for
/// it above.
const WAYS: [(Action, &str, &str); 3] = [
    (Action::TryRehearsal, "live through an incident in a simulated cloud, now", "rehearse"),
    (Action::Refresh, "ask again, after you logged in beside", "ask again"),
    (Action::Help, "all keys", "help"),
];

/// Whether it is on screen. Another pane than the first, or a zoom, shows the panes as they are.
fn is_shown(ui: &Ui, session: &Session) -> bool {
    contact::is_first(session) && ui.focus == Pane::Alarms && ui.zoom == Zoom::Overview
}

fn key(ui: &Ui, action: Action) -> String {
    ui.options.keymap.binding(action).map(Binding::first_key).unwrap_or_default()
}

/// The keys of the last line while it is on screen.
pub fn hints(ui: &Ui, session: &Session) -> Option<Vec<(String, &'static str)>> {
    is_shown(ui, session).then(|| WAYS.iter().map(|(action, _, short)| (key(ui, *action), *short)).collect())
}

/// Draws it.
pub fn draw(buffer: &mut Buffer, (ui, session): (&Ui, &Session), look: &Look) {
    if !is_shown(ui, session) {
        return;
    }
    let area = ui.layout().main;
    Clear.render(area, buffer);
    let title = look
        .line([(Role::Focus, " FIRST CONTACT ".into()), (Role::Text, " what is there, and what is missing".into())]);
    let foot = Line::from(look.span(Role::Faint, "2-6 show the panes"));
    let inner = frame(buffer, area, (&title, &foot), (look, Held::Keys));
    let mut sheet = Sheet::new(buffer, inner, look);
    for (name, standing) in contact::parts(session) {
        tell(&mut sheet, name, &standing);
    }
    sheet.text(Role::Text, "");
    for (action, words, _) in WAYS {
        sheet.row(&look.line([(Role::Accent, format!(" {:<7}", key(ui, action)).into()), (Role::Text, words.into())]));
    }
    sheet.wrapped(
        Role::Faint,
        " `pagerdeck doctor` checks every permission and names the fix. Ctrl-C twice leaves.",
        1,
    );
}

fn tell(sheet: &mut Sheet<'_>, name: &str, standing: &Standing) {
    let columns = 15;
    let line = |sheet: &mut Sheet<'_>, role: Role, sign: &str, text: &str| {
        sheet.wrapped(role, &format!(" [{sign}] {name:<9}{text}"), columns);
    };
    match standing {
        Standing::Found(what) => line(sheet, Role::Good, "ok", what),
        Standing::Awaited => line(sheet, Role::Warning, "..", "no answer yet"),
        Standing::Missing(fault) | Standing::Without(fault) => {
            let missing = matches!(standing, Standing::Missing(_));
            let (role, sign) = if missing { (Role::Danger, "no") } else { (Role::Text, "--") };
            line(sheet, role, sign, &fault.summary);
            for cause in &fault.causes {
                sheet.wrapped(Role::Faint, &format!("{:columns$}cause: {cause}", ""), columns);
            }
            for hint in &fault.hints {
                sheet.wrapped(Role::Strong, &format!("{:columns$}{hint}", ""), columns);
            }
        }
    }
}
