//! The rows of the keymap, as data.

use super::super::model::Pane;
use crate::domain::drill::Drill;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Give a pane the keys.
    Focus(Pane),
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// The pane alone, or all panes.
    Zoom,
    /// A row down.
    Down,
    /// A row up.
    Up,
    /// The first row.
    Top,
    /// The last row.
    Bottom,
    /// Half a page down.
    HalfDown,
    /// Half a page up.
    HalfUp,
    /// Open what is selected.
    Open,
    /// Open the workload of the incident.
    Workload,
    /// Close what is open, then unzoom.
    Back,
    /// Filter the pane.
    Filter,
    /// The next match.
    NextMatch,
    /// The match before.
    PreviousMatch,
    /// Show all rows and keep matches marked; again: forget the search.
    Clear,
    /// Follow what comes.
    Follow,
    /// Hold what is shown.
    Freeze,
    /// The next error in the logs.
    NextError,
    /// The error before.
    PreviousError,
    /// The next warning in the logs.
    NextWarning,
    /// The warning before.
    PreviousWarning,
    /// The next OOM kill or heap error in the logs.
    NextOom,
    /// The OOM kill or heap error before.
    PreviousOom,
    /// The next rollout.
    NextDeploy,
    /// The rollout before.
    PreviousDeploy,
    /// A minute later, in charts, logs and timeline together.
    TimeOnward,
    /// A minute earlier.
    TimeBack,
    /// Ten minutes later.
    TimeLeapOnward,
    /// Ten minutes earlier.
    TimeLeapBack,
    /// The logs by template, or by line.
    Fold,
    /// Which columns the logs have.
    Columns,
    /// Long log lines cut or wrapped.
    Wrap,
    /// The text of the logs to the left.
    ShiftLeft,
    /// The text of the logs to the right.
    ShiftRight,
    /// Mark the selected log line, or take its mark away.
    Bookmark,
    /// The next marked line.
    NextBookmark,
    /// The next citation in the narrative.
    NextCite,
    /// The citation before.
    PreviousCite,
    /// UTC, local, relative.
    Clock,
    /// Pin the selected evidence.
    Pin,
    /// Show what is selected as JSON.
    Raw,
    /// Show how the verdict's confidence comes about.
    Terms,
    /// Copy what is selected.
    Copy,
    /// Write what is selected to a file.
    Save,
    /// Open an incident about the selected alarm.
    Investigate,
    /// Ask the analyst.
    Inquire,
    /// Write a note on the timeline.
    Note,
    /// Write the transcript out.
    Export,
    /// Ask the feeds now; in pane 4 ask the model again.
    Refresh,
    /// Stand on the rules alone.
    StandOnRules,
    /// The incident before.
    PreviousIncident,
    /// The next incident.
    NextIncident,
    /// Approve the step on screen.
    Approve,
    /// Deny it, with a reason.
    Deny,
    /// Leave it out.
    Skip,
    /// Rehearse it again.
    Rehearse,
    /// Propose its undo.
    Undo,
    /// All keys.
    Help,
    /// All actions.
    Palette,
    /// Let something go wrong in a rehearsal.
    GameDay(Drill),
    /// All faults that a rehearsal can be made to meet.
    Faults,
    /// Draw everything again.
    Repaint,
    /// Read the configuration again.
    Reload,
    /// The next theme.
    Theme,
    /// Leave for a rehearsal, while there is nothing to see.
    TryRehearsal,
    /// End the tour.
    EndTour,
    /// Give the terminal back to the shell.
    Suspend,
    /// Stop a stream or stand down; twice: leave.
    Cancel,
    /// Leave.
    Quit,
}

impl Action {
    /// Whether it decides about a step: never from the palette, never remapped.
    pub fn is_verb(self) -> bool {
        matches!(self, Self::Approve | Self::Deny | Self::Skip | Self::Rehearse | Self::Undo)
    }

    /// Whether more comes of it than another look: it decides, asks somebody, or has something written down.
    pub fn leaves_a_trace(self) -> bool {
        self.is_verb()
            || matches!(
                self,
                Self::StandOnRules
                    | Self::Refresh
                    | Self::Investigate
                    | Self::Inquire
                    | Self::Note
                    | Self::Pin
                    | Self::Copy
                    | Self::Save
                    | Self::Export
                    | Self::GameDay(_)
                    | Self::TryRehearsal
            )
    }

    /// Whether it has a meaning in a rehearsal alone: elsewhere neither help nor palette know it.
    pub fn is_for_rehearsals(self) -> bool {
        matches!(self, Self::GameDay(_) | Self::Faults)
    }
}

/// Where a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// In every pane.
    Everywhere,
    /// In one pane.
    In(Pane),
    /// In every pane but one, where the key means something else.
    OutOf(Pane),
}

impl Context {
    /// Whether it counts while a pane has the keys.
    pub fn holds_in(self, pane: Pane) -> bool {
        match self {
            Self::Everywhere => true,
            Self::In(own) => own == pane,
            Self::OutOf(other) => other != pane,
        }
    }

    /// Whether there is a pane where both count.
    pub fn meets(self, other: Self) -> bool {
        Pane::ALL.into_iter().any(|pane| self.holds_in(pane) && other.holds_in(pane))
    }
}

/// Whether the configuration may give an action other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remap {
    /// It may.
    Free,
    /// It may not: approvals and ways out are the same on every machine.
    Fixed,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id in the configuration and the palette.
    pub id: &'static str,
    /// What it asks for.
    pub action: Action,
    /// Its keys; several chords of one sequence are apart by spaces.
    pub keys: &'static [&'static str],
    /// What it does, for help and palette.
    pub words: &'static str,
    /// What it does, in a word or two for the footer; empty if it is not hinted at.
    pub hint: &'static str,
    /// Where it counts.
    pub context: Context,
    /// Whether its keys may change.
    pub remap: Remap,
}

const fn row(id: &'static str, action: Action, keys: &'static [&'static str], words: &'static str) -> Row {
    Row { id, action, keys, words, hint: "", context: Context::Everywhere, remap: Remap::Free }
}

/// A row of the palette alone, in a rehearsal alone.
const fn drill(id: &'static str, drill: Drill, words: &'static str) -> Row {
    row(id, Action::GameDay(drill), &[], words)
}

impl Row {
    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    const fn only_in(mut self, pane: Pane) -> Self {
        self.context = Context::In(pane);
        self
    }

    const fn out_of(mut self, pane: Pane) -> Self {
        self.context = Context::OutOf(pane);
        self
    }

    const fn fixed(mut self) -> Self {
        self.remap = Remap::Fixed;
        self
    }
}

/// Every key, in the order of the help. Footers take their hints in this order too.
pub const TABLE: &[Row] = &[
    row("approve", Action::Approve, &["A"], "Approve the step on screen (a fresh, deliberate press)")
        .hint("approve")
        .only_in(Pane::Remediation)
        .fixed(),
    row("deny", Action::Deny, &["X"], "Deny the step, with a reason").hint("deny").only_in(Pane::Remediation).fixed(),
    row("skip", Action::Skip, &["S"], "Leave the step out").hint("skip").only_in(Pane::Remediation).fixed(),
    row("rehearse", Action::Rehearse, &["d"], "Rehearse the step again; look at an uncertain one again")
        .hint("rehearse")
        .only_in(Pane::Remediation)
        .fixed(),
    row("undo", Action::Undo, &["U"], "Propose the undo of the step; it is asked like any step")
        .hint("undo")
        .only_in(Pane::Remediation)
        .fixed(),
    row("stand-on-rules", Action::StandOnRules, &["R"], "Stand on the rules alone (journaled)")
        .hint("rules")
        .only_in(Pane::Rca),
    row("focus-1", Action::Focus(Pane::Alarms), &["1"], "Alarms"),
    row("focus-2", Action::Focus(Pane::Metrics), &["2"], "Metrics"),
    row("focus-3", Action::Focus(Pane::Logs), &["3"], "Logs"),
    row("focus-4", Action::Focus(Pane::Rca), &["4"], "Root cause and evidence"),
    row("focus-5", Action::Focus(Pane::Remediation), &["5"], "Remediation"),
    row("focus-6", Action::Focus(Pane::Timeline), &["6"], "Timeline"),
    row("next-pane", Action::NextPane, &["tab"], "Next pane").hint("next pane"),
    row("previous-pane", Action::PreviousPane, &["backtab"], "Pane before"),
    row("zoom", Action::Zoom, &["z"], "This pane alone, or all").hint("zoom"),
    row("down", Action::Down, &["j", "down"], "A row down"),
    row("up", Action::Up, &["k", "up"], "A row up"),
    row("top", Action::Top, &["g g", "home"], "First row"),
    row("bottom", Action::Bottom, &["G", "end"], "Last row"),
    row("half-down", Action::HalfDown, &["ctrl-d", "pagedown"], "Half a page down (in RCA: of the narrative)"),
    row("half-up", Action::HalfUp, &["ctrl-u", "pageup"], "Half a page up (in RCA: of the narrative)"),
    row("open", Action::Open, &["enter", "l", "right"], "Open what is selected").hint("open"),
    row("investigate", Action::Investigate, &["I"], "Investigate the alarm: open an incident about it, firing or not")
        .only_in(Pane::Alarms),
    row("workload", Action::Workload, &["K"], "Open the workload: pods, limits, restarts, how containers ended"),
    row("filter", Action::Filter, &["/"], "Show only rows with a text (text of RCA, steps: mark it)").hint("filter"),
    row("next-match", Action::NextMatch, &["n"], "Next match"),
    row("previous-match", Action::PreviousMatch, &["N"], "Match before"),
    row("clear", Action::Clear, &["\\"], "All rows again, matches marked; once more: forget the search"),
    row("next-error", Action::NextError, &["e"], "Next error in the logs").hint("next error"),
    row("previous-error", Action::PreviousError, &["E"], "Error before"),
    row("next-warning", Action::NextWarning, &["w"], "Next warning in the logs"),
    row("previous-warning", Action::PreviousWarning, &["W"], "Warning before"),
    row("next-oom", Action::NextOom, &["o"], "Next OOM kill or heap error in the logs").hint("next OOM"),
    row("previous-oom", Action::PreviousOom, &["O"], "OOM kill or heap error before"),
    row("next-cite", Action::NextCite, &["c"], "Next citation of the narrative: selects its evidence")
        .hint("citation")
        .only_in(Pane::Rca),
    row("previous-cite", Action::PreviousCite, &["C"], "Citation before").only_in(Pane::Rca),
    row("fold", Action::Fold, &["T"], "Fold the logs by template; Enter opens the lines of one")
        .hint("fold")
        .only_in(Pane::Logs),
    row("columns", Action::Columns, &["c"], "Columns of the logs: time, level, container, stream").only_in(Pane::Logs),
    row("wrap", Action::Wrap, &["u"], "Wrap long log lines, or cut them").only_in(Pane::Logs),
    row("shift-right", Action::ShiftRight, &["L"], "See more of long log lines at their right end").only_in(Pane::Logs),
    row("shift-left", Action::ShiftLeft, &["H"], "Back to the left of long log lines").only_in(Pane::Logs),
    row("bookmark", Action::Bookmark, &["b"], "Mark the log line, or take its mark away").only_in(Pane::Logs),
    row("next-bookmark", Action::NextBookmark, &["B"], "Next marked log line, around the end").only_in(Pane::Logs),
    row("next-deploy", Action::NextDeploy, &["d"], "Next rollout, in charts, logs and timeline")
        .out_of(Pane::Remediation),
    row("previous-deploy", Action::PreviousDeploy, &["D"], "Rollout before").out_of(Pane::Remediation),
    row("time-back", Action::TimeBack, &[","], "Point a minute earlier: charts, logs and timeline together"),
    row("time-onward", Action::TimeOnward, &["."], "Point a minute later; f goes back to the present"),
    row("time-leap-back", Action::TimeLeapBack, &["<"], "Point ten minutes earlier"),
    row("time-leap-onward", Action::TimeLeapOnward, &[">"], "Point ten minutes later"),
    row("palette", Action::Palette, &[":", "ctrl-p"], "All actions, found by a few letters").hint("command"),
    row("follow", Action::Follow, &["f"], "Follow what comes, or hold the place"),
    row("freeze", Action::Freeze, &["p"], "Hold what is shown; what comes is still counted"),
    row("clock", Action::Clock, &["t"], "Times as UTC, local, relative"),
    row("pin", Action::Pin, &["space"], "Pin the selected evidence; in the logs: the line, on the timeline"),
    row("raw", Action::Raw, &["v"], "What is selected as JSON"),
    row("terms", Action::Terms, &["V"], "How sure the verdict is, term by term"),
    row("copy", Action::Copy, &["y"], "Copy what is selected"),
    row("save", Action::Save, &["Y"], "Write what is selected to a file"),
    row("inquire", Action::Inquire, &["i"], "Ask the analyst something"),
    row("note", Action::Note, &["m"], "Write a note on the timeline"),
    row("export", Action::Export, &["x"], "Write the transcript out, as Markdown and as a page for browsers"),
    row("refresh", Action::Refresh, &["r"], "Ask every feed now; in RCA: read and ask again"),
    row("previous-incident", Action::PreviousIncident, &["["], "Incident before"),
    row("next-incident", Action::NextIncident, &["]"], "Next incident"),
    row("faults", Action::Faults, &[], "Game day: any fault for any time, such as: slack 5xx 5m"),
    drill("game-day-throttle-logs", Drill::ThrottleLogs, "Game day: throttle the logs for 60 s"),
    drill("game-day-throttle-metrics", Drill::ThrottleMetrics, "Game day: throttle alarms and metrics for 60 s"),
    drill("game-day-silence-logs", Drill::SilenceLogs, "Game day: the logs never answer for 60 s"),
    drill("game-day-deny-logs", Drill::DenyLogs, "Game day: deny the logs for 60 s"),
    drill("game-day-expire-credentials", Drill::ExpireCredentials, "Game day: expire the AWS credentials for 60 s"),
    drill("game-day-slow-aws", Drill::SlowAws, "Game day: every AWS answer 3 s late for 60 s"),
    drill("game-day-break-model", Drill::BreakModel, "Game day: break the model's stream for 60 s"),
    drill("game-day-throttle-model", Drill::ThrottleModel, "Game day: throttle the model for 60 s"),
    drill("game-day-restart-api-server", Drill::RestartApiServer, "Game day: restart the Kubernetes API server (8 s)"),
    drill("game-day-gone", Drill::ForgetVersions, "Game day: every watch is told 410 for 20 s"),
    drill("game-day-refuse-slack", Drill::RefuseSlack, "Game day: Slack takes no message for 60 s"),
    drill("game-day-hide-aws", Drill::HideAws, "Game day: the names of AWS do not resolve for 60 s"),
    drill("game-day-hide-cluster", Drill::HideCluster, "Game day: the cluster's name does not resolve for 60 s"),
    drill("game-day-skew-clock", Drill::SkewClock, "Game day: the clock is 10 min ahead of AWS for 60 s"),
    drill("game-day-fail-aws", Drill::FailAws, "Game day: AWS fails on its side for 60 s"),
    drill("game-day-reset-logs", Drill::ResetLogs, "Game day: the logs reset every connection for 60 s"),
    drill("game-day-garble-metrics", Drill::GarbleMetrics, "Game day: alarms and metrics answer nonsense for 60 s"),
    drill("game-day-cut-model", Drill::CutModel, "Game day: cut the model's stream for 60 s"),
    drill("game-day-small-pages", Drill::SmallPages, "Game day: everything comes in small pages for 60 s"),
    drill("game-day-deny-cluster", Drill::DenyCluster, "Game day: the cluster denies everything for 60 s"),
    drill("game-day-cut-logs", Drill::CutLogs, "Game day: the logs break off in mid-answer for 60 s"),
    drill("game-day-slow-cluster", Drill::SlowCluster, "Game day: every answer of the cluster 3 s late for 60 s"),
    drill("game-day-throttle-cluster", Drill::ThrottleCluster, "Game day: throttle the cluster for 60 s"),
    drill("game-day-fail-cluster", Drill::FailCluster, "Game day: the cluster fails on its side for 60 s"),
    drill("game-day-silence-cluster", Drill::SilenceCluster, "Game day: the cluster never answers for 60 s"),
    drill("game-day-expire-cluster", Drill::ExpireCluster, "Game day: expire the credentials of the cluster for 60 s"),
    drill("game-day-hide-charts", Drill::HideCharts, "Game day: the chart repository is away for 60 s"),
    drill("game-day-calm", Drill::Calm, "Game day: clear all faults, end every drill"),
    row("back", Action::Back, &["q", "h", "backspace", "esc", "left"], "Back").fixed(),
    row("help", Action::Help, &["?"], "All keys, searchable").hint("help").fixed(),
    row("repaint", Action::Repaint, &["ctrl-l"], "Draw everything again"),
    row("reload", Action::Reload, &["ctrl-r"], "Read the configuration again: looks, keys, panes, notices"),
    row("theme", Action::Theme, &[], "Next theme: dark, light, high contrast"),
    row("try-rehearsal", Action::TryRehearsal, &["ctrl-t"], "Live through a rehearsal instead, while nothing was read"),
    row("end-tour", Action::EndTour, &["ctrl-x"], "End the tour"),
    row("suspend", Action::Suspend, &["ctrl-z"], "Back to the shell; stands down what is armed").fixed(),
    row("cancel", Action::Cancel, &["ctrl-c"], "Stop the stream, stand down; twice: leave").fixed(),
    row("quit", Action::Quit, &[], "Leave; stands down what is armed").fixed(),
];
