//! Pane 3 for who listens: the newest lines, whole, and what was not read.

use super::row::{self, Sources};
use super::{stamp, title};
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::session::logs::LogGap;
use crate::ui::format::{self, grouped};
use crate::ui::model::{Ui, moments, rows};
use crate::ui::view::kills;
use crate::ui::view::look::Look;

/// The lines, so many of the logs at the most.
pub fn words((ui, session): (&Ui, &Session), (most, look): (usize, &Look)) -> Vec<String> {
    let incident = ui.incident(session);
    let sources = Sources(rows::log_groups(ui, session));
    let names: Vec<&str> = sources.0.iter().map(|group| group.as_str()).collect();
    let feed = session.log_feed(incident);
    let stamp = stamp::stamp_feed(&feed, FeedId::Logs, look);
    let kills = kills::words(session, incident, look);
    let counted = kills::counted_at(session, incident, look).map_or_else(String::new, |(_, [at, _])| at.to_string());
    let gaps: Vec<&LogGap> = session.logs.gaps.iter().filter(|gap| sources.0.contains(&&gap.group)).collect();
    let lost = title::lost(&gaps, look);
    let groups = if names.is_empty() { "no group".to_owned() } else { names.join(", ") };
    let mut lines = vec![format!("Logs of {groups}. Feed: {stamp}. {kills}{counted}. {lost}.")];
    lines.extend(stamp::words(&feed, FeedId::Logs, look));
    lines.extend(gaps.iter().map(|gap| row::gap_words(gap, look).trim_matches(['~', ' ']).to_owned() + "."));
    let shown = rows::logs(ui, session, most);
    let cited: Vec<_> = incident.into_iter().flat_map(moments::cited).collect();
    match (shown.lines.len(), &ui.logs.search) {
        (0, Some(_)) => lines.push("No line has that in it.".to_owned()),
        (0, None) => lines.push("No log lines so far.".to_owned()),
        (many, _) => {
            let zone = format::zone_name(&look.zone, look.now).unwrap_or_else(|| "UTC".to_owned());
            lines.push(format!("The newest {}, oldest first, times in {zone}:", grouped(many as u64)));
        }
    }
    for stored in &shown.lines {
        let line = &stored.line;
        let cite = cited.iter().find(|(_, id)| **id == line.id);
        let cite = cite.map_or_else(String::new, |(evidence, _)| format!(" [{evidence}]"));
        let (at, level) = (look.stamp(line.at), line.level.word());
        lines.push(format!("{at} {level} {}: {}{cite}", line.stream, line.text));
    }
    lines
}
