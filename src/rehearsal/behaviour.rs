//! How memory behaves under a scenario's regime: the level of a container's life at an instant, the kills before start
//! and the next one. Pure arithmetic over lives and a seed; the cluster keeps the lives, the world draws the series.

use jiff::{SignedDuration, Timestamp};

use super::scenario::{KillSpec, Regime, Retained, WorkloadSpec};

/// Share of the limit at which the kernel starts to kill.
const FULL: f64 = 0.97;
/// Share of the limit that a container under pressure hovers at.
const BRIM: f64 = 0.985;
/// Memory below which nothing suffers and above which everything does, in percent of the limit.
const EASE: f64 = 75.0;
const STRAIN: f64 = 93.0;
/// How long a restarted container takes to load what its pod retained.
const RELOAD_S: f64 = 10.0;

/// One life of a container: from a start to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// What it runs.
    pub image: String,
    /// When the pod was created.
    pub pod_created_at: Timestamp,
    /// When this life began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// How it ended; `None` while it runs.
    pub end: Option<LifeEnd>,
    /// The memory limit of this life, bytes.
    pub limit: Option<u64>,
}

impl Life {
    /// Whether it ran at an instant.
    pub fn runs_at(&self, at: Timestamp) -> bool {
        self.started_at <= at && self.ended_at.is_none_or(|ended| at < ended)
    }
}

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeEnd {
    /// Killed for its memory: reason `OOMKilled`, exit code 137.
    OomKilled,
    /// Killed by the kubelet when its liveness probe failed: reason `Error`, exit code 137.
    ProbeKilled,
    /// Its pod was deleted or replaced.
    Replaced,
}

/// A kill before start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastKill {
    /// Which of the workload's pods, from 0.
    pub pod: usize,
    /// When.
    pub at: Timestamp,
}

/// The regime of one workload, with what it needs to be computed.
#[derive(Clone, Debug)]
pub struct Behaviour {
    regime: Regime,
    declared: Option<u64>,
    start: Timestamp,
    seed: u64,
    key: String,
}

impl Behaviour {
    /// The behaviour of a workload in a rehearsal that starts at `start`.
    pub fn new(workload: &WorkloadSpec, start: Timestamp, seed: u64) -> Self {
        let key = workload.target().key();
        Self { regime: workload.memory.clone(), declared: workload.declared_limit(), start, seed, key }
    }

    /// The kills before start, ascending: exactly as many as the scenario says.
    ///
    /// A leak's come closer together as the room shrinks (share of the time to the power 1/1.3), a ceiling's evenly.
    /// They go round the pods in shrinking rounds, so that some containers are hit more often than others.
    pub fn past_kills(&self, replicas: u32) -> Vec<PastKill> {
        let Some(kills) = self.regime.kills() else {
            return Vec::new();
        };
        if replicas == 0 {
            return Vec::new();
        }
        let power = if matches!(self.regime, Regime::Leak { .. }) { 1.0 / 1.3 } else { 1.0 };
        let span = kills.to.as_secs_f64() - kills.from.as_secs_f64();
        let turns = turns(replicas as usize, kills.count as usize);
        turns
            .into_iter()
            .enumerate()
            .map(|(index, pod)| {
                let jitter = self.unit(&format!("past {index}")) * 0.6 + 0.2;
                let share = ((index as f64 + jitter) / f64::from(kills.count)).powf(power);
                PastKill { pod, at: self.start + millis(kills.from.as_secs_f64() + span * share) }
            })
            .collect()
    }

    /// How the kills of this regime end a life.
    pub fn kill_end(&self) -> LifeEnd {
        if matches!(self.regime, Regime::Hangs { .. }) { LifeEnd::ProbeKilled } else { LifeEnd::OomKilled }
    }

    /// When a life will be killed, for its memory or by its probe, if nothing else ends it; `None` when it fits its limit. Always after
    /// start: what was before is [`Self::past_kills`].
    pub fn next_kill(&self, life: &Life) -> Option<Timestamp> {
        let room = self.room(life)?;
        let (full_at, kills) = match &self.regime {
            Regime::Flat { .. } | Regime::Stuck { .. } => return None,
            Regime::Hangs { kills, .. } => (life.started_at, kills),
            Regime::Leak { floor, rate, retained, kills, .. } => {
                let minutes = ((room * FULL - floor) / rate).max(0.0);
                (self.leak_origin(life, *retained)? + millis(minutes * 60.0), kills)
            }
            Regime::Ceiling { demand, kills, fill, .. } => {
                if *demand <= room {
                    return None;
                }
                (life.started_at.max(self.onset()) + *fill, kills)
            }
        };
        Some(self.not_before_quiet(full_at.max(life.started_at + self.gap(kills, life)), kills, life))
    }

    /// The memory in use by a life, bytes; 0 outside it or without a declared limit to measure by.
    pub fn memory_bytes(&self, life: &Life, at: Timestamp) -> f64 {
        let Some(declared) = self.declared else { return 0.0 };
        if life.runs_at(at) { self.level(life, at) / 100.0 * declared as f64 } else { 0.0 }
    }

    /// The memory in use by a life in percent of its own limit, 0 to 100.
    pub fn memory_percent(&self, life: &Life, at: Timestamp) -> f64 {
        let Some(limit) = life.limit.or(self.declared).filter(|limit| *limit > 0) else { return 0.0 };
        (self.memory_bytes(life, at) / limit as f64 * 100.0).clamp(0.0, 100.0)
    }

    /// How hard a life is pressed, 0 to 1: by its memory, or, of one that is stuck, at the full.
    pub fn pressure(&self, life: &Life, at: Timestamp) -> f64 {
        if matches!(self.regime, Regime::Stuck { .. }) {
            let stuck = life.started_at < self.onset() && at >= self.onset();
            return f64::from(u8::from(stuck));
        }
        ((self.memory_percent(life, at) - EASE) / (STRAIN - EASE)).clamp(0.0, 1.0)
    }

    /// The level of a running life, in percent of the declared limit.
    fn level(&self, life: &Life, at: Timestamp) -> f64 {
        let brim = self.room(life).unwrap_or(100.0) * BRIM;
        match &self.regime {
            Regime::Flat { level, noise } | Regime::Hangs { level, noise, .. } | Regime::Stuck { level, noise, .. } => {
                (level + self.jitter(life, at, *noise)).max(0.0)
            }
            Regime::Leak { floor, rate, retained, noise, .. } => {
                let grown = self
                    .leak_origin(life, *retained)
                    .map_or(0.0, |origin| at.duration_since(origin).as_secs_f64().max(0.0) / 60.0 * rate);
                let held = (floor + grown).min(brim + 0.5) + self.jitter(life, at, *noise);
                held.min(brim + 1.0) * loaded(life, at, *retained)
            }
            Regime::Ceiling { demand, fresh, fill, before, noise, .. } => {
                let jitter = self.jitter(life, at, *noise);
                if at < self.onset() {
                    return before + jitter;
                }
                let age = at.duration_since(life.started_at.max(self.onset())).as_secs_f64();
                let from = if life.started_at < self.onset() { *before } else { *fresh };
                let share = (age / fill.as_secs_f64().max(1.0)).clamp(0.0, 1.0);
                (from + (demand.min(brim) - from) * share + jitter).min(brim + 1.0)
            }
        }
    }

    /// When the growth that a life feels began; `None` where it runs an image that does not leak.
    fn leak_origin(&self, life: &Life, retained: Retained) -> Option<Timestamp> {
        let Regime::Leak { image, .. } = &self.regime else { return None };
        if image.as_ref().is_some_and(|image| *image != life.image) {
            return None;
        }
        let began = match retained {
            Retained::Pod => life.pod_created_at,
            Retained::Container => life.started_at,
        };
        Some(began.max(self.onset()))
    }

    /// When the regime set in.
    fn onset(&self) -> Timestamp {
        match &self.regime {
            Regime::Leak { onset, .. } | Regime::Ceiling { onset, .. } => self.start + *onset,
            Regime::Stuck { since, .. } => self.start + *since,
            Regime::Flat { .. } | Regime::Hangs { .. } => self.start,
        }
    }

    /// The limit of a life in percent of the declared one.
    fn room(&self, life: &Life) -> Option<f64> {
        let declared = self.declared? as f64;
        Some(life.limit.map_or(100.0, |limit| limit as f64 / declared * 100.0))
    }

    /// The time this life lasts at least, between the scenario's shortest and longest.
    fn gap(&self, kills: &KillSpec, life: &Life) -> SignedDuration {
        let share = self.unit(&format!("gap {} {}", life.pod, life.started_at));
        millis(kills.gap_min.as_secs_f64() + (kills.gap_max - kills.gap_min).as_secs_f64() * share)
    }

    /// Moves a kill that would fall before the end of the quiet time behind it, each life by its own amount.
    fn not_before_quiet(&self, at: Timestamp, kills: &KillSpec, life: &Life) -> Timestamp {
        let quiet_ends = self.start + kills.quiet;
        if at >= quiet_ends {
            return at;
        }
        quiet_ends + millis(kills.gap_min.as_secs_f64() * self.unit(&format!("quiet {}", life.pod)))
    }

    fn jitter(&self, life: &Life, at: Timestamp, amplitude: f64) -> f64 {
        let tick = at.as_second().div_euclid(10);
        amplitude * (self.unit(&format!("{} {tick}", life.pod)) * 2.0 - 1.0)
    }

    fn unit(&self, what: &str) -> f64 {
        unit(self.seed, &self.key, what)
    }
}

/// A restarted container of an old pod is not full at once: it loads what the pod retained.
fn loaded(life: &Life, at: Timestamp, retained: Retained) -> f64 {
    let age = at.duration_since(life.started_at).as_secs_f64();
    if retained == Retained::Container || life.started_at == life.pod_created_at || age >= RELOAD_S {
        return 1.0;
    }
    0.35 + 0.65 * age / RELOAD_S
}

/// Pods in the order they are hit: all, then two thirds, then half, then one, and round again.
fn turns(replicas: usize, count: usize) -> Vec<usize> {
    let rounds = [replicas, (replicas * 2).div_ceil(3), replicas.div_ceil(2), 1];
    rounds.iter().cycle().flat_map(|size| 0..*size).take(count).collect()
}

fn millis(seconds: f64) -> SignedDuration {
    SignedDuration::from_millis((seconds * 1_000.0).round() as i64)
}

/// A number in `[0, 1)` that depends on the seed and two names alone (FNV-1a over them, finished as in splitmix64).
pub fn unit(seed: u64, key: &str, what: &str) -> f64 {
    (mixed(seed, key, what) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The same as 64 bits.
pub fn mixed(seed: u64, key: &str, what: &str) -> u64 {
    let bytes = key.bytes().chain(std::iter::once(0)).chain(what.bytes());
    let folded = bytes.fold(0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut bits = folded.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests;
