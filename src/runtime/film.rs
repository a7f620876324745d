//! A journal played again into an asciicast: the screen as it was folded, frame by frame.

use super::options::options;
use super::terminal::Film;
use crate::config::Config;
use crate::domain::fault::{Fault, FaultKind};
use crate::session::{Record, Session, update};
use crate::ui::model::{Instants, Size, Ui};
use crate::ui::{update as screen, view};

/// The size it is played in: a common wide terminal.
const SIZE: Size = Size { cols: 120, rows: 40 };
/// Frames are at least this far apart, in the time of the incident.
const APART_MS: u64 = 100;

/// The film of records.
pub fn film(records: &[Record], config: &Config) -> Result<String, Fault> {
    let mut ui = Ui::new(options(config)?, SIZE);
    let mut session = Session::default();
    let mut reel: Option<(Film, jiff::Timestamp, u64)> = None;
    for record in records {
        drop(update(&mut session, record));
        let (film, began, last) = if let Some(reel) = &mut reel {
            reel
        } else {
            let film = Film::new(SIZE, (session.header.wall_started_at, session.header.id.as_str()))?;
            reel.insert((film, record.at, 0))
        };
        let at_ms = u64::try_from(record.at.duration_since(*began).as_millis()).unwrap_or(0);
        if at_ms >= *last + APART_MS || *last == 0 {
            *last = at_ms.max(1);
            screen::prepare(&mut ui, &session, Instants { now: record.at, mono_ms: at_ms });
            film.frame(at_ms, |frame| view::draw(frame, &ui, &session, record.at));
        }
    }
    let Some((mut film, began, _)) = reel else {
        return Err(Fault::new(FaultKind::NotFound, "The journal holds no record.")
            .hint("The session ended while it was starting: there is nothing to be seen."));
    };
    let at_ms = u64::try_from(session.now.duration_since(began).as_millis()).unwrap_or(0);
    screen::prepare(&mut ui, &session, Instants { now: session.now, mono_ms: at_ms });
    film.frame(at_ms, |frame| view::draw(frame, &ui, &session, session.now));
    Ok(film.text())
}
