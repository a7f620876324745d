//! When the trouble began, and whether its beginning lies in what was read at all.

use jiff::{SignedDuration, Timestamp};

use super::{Cpu, Level, Reading, Voice};
use crate::domain::diagnosis::evidence::Question;
use crate::domain::diagnosis::statistics::Onset;

impl Reading {
    /// The earliest sign of trouble: what rose, requests that stopped, containers that do not come up. Where nothing did,
    /// a standstill: a night without requests looks alike, so that it stands back behind the others.
    pub(in super::super) fn trouble(&self) -> Option<Timestamp> {
        self.uproar().or_else(|| self.standstill())
    }

    /// Whether the processor is high from the first point on: what came before its rise is then not to be told.
    pub(in super::super) fn began_unseen(&self) -> bool {
        self.cpu.as_ref().is_some_and(|cpu| cpu.is_high() && rise(cpu.onset).is_none())
    }

    /// Whether a sign may have come earlier than those that are known: what would tell was asked and not read.
    pub(in super::super) fn signs_are_withheld(&self) -> bool {
        use Question::{Cpu, Errors, Latency, Memory, Traffic, Workload};
        [Memory, Cpu, Errors, Latency, Traffic, Workload].into_iter().any(|question| self.is_withheld(question))
    }

    /// Every sign of trouble, the earliest first; of the processor also when it was half of the way up, as a small rise may
    /// come before the great one.
    pub(in super::super) fn onsets(&self) -> Vec<Timestamp> {
        let mut all: Vec<Timestamp> =
            self.rises().into_iter().flatten().chain(self.cpu.as_ref().and_then(climb)).collect();
        if all.is_empty() {
            all.extend(self.standstill());
        }
        all.sort_unstable();
        all
    }

    /// When what users and pods feel began: failures, response times, a processor that is high, requests that stopped,
    /// containers that do not come up. A standstill where nothing did.
    pub(in super::super) fn symptom(&self) -> Option<Timestamp> {
        let [_, _, _, errors, latency, stopped, stuck] = self.rises();
        let cpu = self.cpu.as_ref().filter(|cpu| cpu.is_high()).and_then(climb);
        [errors, latency, stopped, stuck, cpu].into_iter().flatten().min().or_else(|| self.standstill())
    }

    /// How long the period lasts that a sign of trouble is dated by: it came somewhere within. Nothing where the time is that
    /// of an event.
    pub(in super::super) fn period_of(&self, sign: Timestamp) -> SignedDuration {
        let collector = self.collector.as_ref().and_then(|collector| collector.time.as_ref());
        let levels = [collector, self.errors.as_ref(), self.latency.as_ref(), self.traffic.as_ref()];
        let series =
            [self.memory.as_ref().and_then(|memory| memory.onset), self.cpu.as_ref().and_then(|cpu| cpu.onset)];
        let silent = self.logs.as_ref().and_then(|logs| match logs.voice {
            Voice::Silent(onset) => Some(onset),
            Voice::Heard | Voice::Unknown => None,
        });
        let onsets = levels.into_iter().flatten().filter_map(|level| level.onset).chain(series.into_iter().flatten());
        let dated = onsets.chain(silent).filter(|onset| onset.at == sign || onset.half_at == sign);
        let seconds = dated.map(|onset| onset.period_minutes * 60.0).fold(0.0, f64::max);
        SignedDuration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    fn uproar(&self) -> Option<Timestamp> {
        self.rises().into_iter().flatten().min()
    }

    fn rises(&self) -> [Option<Timestamp>; 7] {
        let memory = self.memory.as_ref().and_then(|memory| rise(memory.onset));
        let cpu = self.cpu.as_ref().and_then(|cpu| rise(cpu.onset));
        let collector = self.collector.as_ref().and_then(|c| c.time.as_ref()).and_then(|time| rise(time.onset));
        let errors = self
            .errors
            .as_ref()
            .filter(|errors| errors.errors_rose(self.traffic.as_ref()))
            .and_then(|errors| rise(errors.onset));
        let latency = self.latency.as_ref().filter(|latency| latency.latency_rose());
        let latency = latency.and_then(|latency| rise(latency.onset));
        let stopped = self.traffic.as_ref().and_then(Level::stopped).map(|onset| onset.at);
        let stuck = self.workload.as_ref().and_then(|place| place.stuck_since(self.until));
        [memory, cpu, collector, errors, latency, stopped, stuck]
    }

    fn standstill(&self) -> Option<Timestamp> {
        let silent = self.logs.as_ref().and_then(|logs| match logs.voice {
            Voice::Silent(onset) => Some(onset.at),
            Voice::Heard | Voice::Unknown => None,
        });
        let idle = self.cpu.as_ref().and_then(Cpu::went_idle).map(|onset| onset.at);
        [silent, idle].into_iter().flatten().min()
    }
}

/// When the processor was up, or half of the way.
fn climb(cpu: &Cpu) -> Option<Timestamp> {
    cpu.onset.filter(|onset| onset.after > onset.before).map(|onset| onset.at.max(onset.half_at))
}

fn rise(onset: Option<Onset>) -> Option<Timestamp> {
    onset.filter(|onset| onset.after > onset.before).map(|onset| onset.at)
}
