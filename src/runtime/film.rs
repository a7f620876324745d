//! A journal played again into an asciicast: the screen as it was folded, frame by frame.

use jiff::Timestamp;

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
    let mut reel: Option<Reel> = None;
    for record in records {
        if let Some(reel) = &mut reel {
            let at_ms = reel.ms(record.at);
            // What was told at once is one picture, and it is seen before time goes on: the next record may be minutes away.
            if at_ms >= reel.drawn_ms.map_or(0, |drawn| drawn + APART_MS) && at_ms > reel.told_ms {
                reel.draw(&mut ui, &session, reel.told_ms);
            }
            reel.told_ms = reel.told_ms.max(at_ms);
        }
        drop(update(&mut session, record));
        if reel.is_none() {
            let film = Film::new(SIZE, (session.header.wall_started_at, session.header.id.as_str()))?;
            reel = Some(Reel { film, began: record.at, drawn_ms: None, told_ms: 0 });
        }
    }
    let Some(mut reel) = reel else {
        return Err(Fault::new(FaultKind::NotFound, "The journal holds no record.")
            .hint("The session ended while it was starting: there is nothing to be seen."));
    };
    let end = reel.ms(session.now);
    reel.draw(&mut ui, &session, end);
    Ok(reel.film.text())
}

/// A film in the making.
struct Reel {
    film: Film,
    began: Timestamp,
    /// When a picture was drawn last.
    drawn_ms: Option<u64>,
    /// When the last record was told.
    told_ms: u64,
}

impl Reel {
    fn ms(&self, at: Timestamp) -> u64 {
        u64::try_from(at.duration_since(self.began).as_millis()).unwrap_or(0)
    }

    fn draw(&mut self, ui: &mut Ui, session: &Session, at_ms: u64) {
        screen::prepare(ui, session, Instants { now: session.now, mono_ms: at_ms });
        self.film.frame(at_ms, |frame| view::draw(frame, ui, session, session.now));
        self.drawn_ms = Some(at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, World, resolve};
    use crate::session::event::{Event, SessionEvent};

    /// The frames of a film: their times, and what each draws.
    fn frames(film: &str) -> Vec<(f64, String)> {
        let lines = film.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| (line[0].as_f64().unwrap(), line[2].as_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn what_is_told_at_once_is_seen_before_a_silence() {
        let env = Environment::of([("HOME", "/nowhere"), ("LANG", "C.UTF-8")]);
        let config = resolve(&Flags::default(), &env, World::Rehearsal).unwrap();
        let notes = [(0, "QQQQ"), (0, "WWWW"), (50, "XXXX"), (60_000, "ZZZZ")];
        let records: Vec<Record> = (1..)
            .zip(notes)
            .map(|(seq, (at, text))| Record {
                seq,
                at: Timestamp::from_millisecond(at).unwrap(),
                incident: None,
                event: Event::Session(SessionEvent::Noted { text: text.to_owned() }),
            })
            .collect();
        let frames = frames(&film(&records, &config).unwrap());
        let seen = |word: &str| frames.iter().find(|(_, drawn)| drawn.contains(word)).map(|(at, _)| *at);
        for (word, at) in [("QQQQ", 0.0), ("WWWW", 0.0), ("XXXX", 0.05), ("ZZZZ", 60.0)] {
            assert_eq!(seen(word), Some(at), "{word}: {:?}", frames.iter().map(|(at, _)| *at).collect::<Vec<_>>());
        }
    }
}
