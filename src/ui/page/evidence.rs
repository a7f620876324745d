//! A piece of evidence opened: the question, how it was asked, how complete the answer is, and everything it holds.

use super::{Desk, Page, Plot, link_rows, links, metric};
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::evidence::{Answer, Evidence, EvidenceSource, Payload, answer_text};
use crate::domain::diagnosis::verdict::Side;
use crate::domain::observation::log::LogLine;
use crate::domain::observation::log_template::TemplateCount;
use crate::domain::observation::metric::{Point, Series};
use crate::domain::observation::oom_kill::OomCount;
use crate::ui::format;
use crate::ui::model::moments;
use crate::ui::theme::Role;

/// The page.
pub(super) fn page(evidence: &Evidence, desk: Desk<'_>) -> Page {
    let look = desk.look;
    let mut page = Page::default();
    page.toned("question", Role::Strong, evidence.question.text());
    page.field("answer", answer_text(evidence));
    page.toned("complete", completeness_role(&evidence.answer), completeness(&evidence.answer));
    page.field("window", format!("{} to {}", look.clock(evidence.window.from), look.clock(evidence.window.to)));
    let took = evidence.answered_at.duration_since(evidence.asked_at).as_millis();
    page.field("read", format!("{}, answered in {took} ms", look.moment(evidence.answered_at)));
    page.field("source", source(evidence.source));
    page.field("query", evidence.query.clone());
    cited(&mut page, evidence, desk);
    match &evidence.answer {
        Answer::Observed { payload } | Answer::Truncated { payload, .. } => holds(&mut page, payload, desk),
        Answer::Denied { fault } | Answer::Failed { fault } => {
            page.head("WHY NOT");
            page.text(Role::Danger, fault.summary.clone());
            fault.causes.iter().for_each(|cause| page.field("cause", cause.clone()));
            fault.hints.iter().for_each(|hint| page.field("hint", hint.clone()));
        }
        Answer::NotAsked { why } => {
            page.head("WHY NOT");
            page.text(Role::Warning, why.clone());
        }
        Answer::Absent => page.text(Role::Warning, "Asked, answered, and there is nothing."),
    }
    link_rows(&mut page, links::of_evidence(evidence, desk), desk);
    page
}

fn completeness_role(answer: &Answer) -> Role {
    match answer {
        Answer::Observed { .. } => Role::Good,
        Answer::Truncated { .. } | Answer::Absent | Answer::NotAsked { .. } => Role::Warning,
        Answer::Denied { .. } | Answer::Failed { .. } => Role::Danger,
    }
}

fn completeness(answer: &Answer) -> String {
    match answer {
        Answer::Truncated { payload: Payload::OomKills(count), seen, of: Some(most) } if *seen == count.total => {
            format!(
                "between {} and {}: of some that ended nobody says by what",
                format::grouped(*seen),
                format::grouped(*most)
            )
        }
        Answer::Truncated { seen, of, .. } => {
            let of = of.map_or_else(String::new, |of| format!(" of {}", format::grouped(of)));
            format!("truncated: the first {}{of} were read", format::grouped(*seen))
        }
        answer => answer.completeness().to_owned(),
    }
}

fn source(source: EvidenceSource) -> &'static str {
    match source {
        EvidenceSource::CloudwatchMetrics => "CloudWatch GetMetricData",
        EvidenceSource::CloudwatchLogs => "CloudWatch Logs FilterLogEvents",
        EvidenceSource::Kubernetes => "the Kubernetes API",
        EvidenceSource::Combined => "several sources, never added up",
        EvidenceSource::Files => "files given on the command line",
    }
}

/// Which sentences of the model and findings of the rules rest on it.
fn cited(page: &mut Page, evidence: &Evidence, desk: Desk<'_>) {
    let Some(incident) = desk.ui.incident(desk.session) else { return };
    for claim in incident.narrative.claims.iter().filter(|claim| claim.cites.contains(&evidence.id)) {
        page.toned("cited by", Role::Model, claim.text.clone());
    }
    let ranked = incident.verdict.iter().flat_map(|verdict| &verdict.ranked);
    for (cause, finding) in ranked.flat_map(|ranked| ranked.findings.iter().map(move |finding| (ranked, finding))) {
        if finding.evidence.contains(&evidence.id) {
            let side = match finding.side {
                Side::Supports => "for",
                Side::Against => "against",
            };
            page.field("finding", format!("{side} {}: {}", cause.words(), finding.text));
        }
    }
}

fn holds(page: &mut Page, payload: &Payload, desk: Desk<'_>) {
    match payload {
        Payload::Series { series, threshold, .. } => {
            chart(page, series, *threshold, desk);
            points(page, &series.points, series, desk);
        }
        Payload::OomKills(count) => kills(page, count, desk),
        Payload::Collector { series, pauses, full_collections, heap_errors, excerpts, unread, .. } => {
            page.head("THE COLLECTOR");
            page.field("pauses", format::grouped(*pauses));
            page.field("full", format::grouped(*full_collections));
            page.field("heap errors", format::grouped(*heap_errors));
            not_read(page, unread);
            if let Some(series) = series {
                chart(page, series, None, desk);
            }
            lines(page, excerpts, desk);
        }
        Payload::LogPatterns { lines: read, errors, warnings, templates, excerpts, .. } => {
            patterns(page, (*read, *errors, *warnings), templates);
            lines(page, excerpts, desk);
        }
        Payload::Workload { workload, pods, events, unread } => {
            page.head("THE WORKLOAD (K opens it as it is now)");
            page.field("pods", format!("{} {}/{} ready", workload.target, workload.ready, workload.replicas));
            for pod in pods {
                let restarts: u32 = pod.containers.iter().map(|container| container.restarts).sum();
                page.text(Role::Text, format!("{} {} restarts {restarts}", pod.name, pod.phase));
                for end in pod.containers.iter().filter_map(|container| container.last_end.as_ref()) {
                    page.text(Role::Warning, format!("    last ended {} exit {}", end.reason, end.exit_code));
                }
            }
            for event in events {
                page.text(Role::Warning, format!("{} x{} {}", event.reason, event.count, event.message));
            }
            not_read(page, unread);
        }
        Payload::Changes { revisions, others, unread } => {
            for change in others.iter().rev() {
                page.text(Role::Text, change.told());
            }
            not_read(page, unread);
            page.head("ROLLOUTS");
            for revision in revisions.iter().rev() {
                let at = revision.created_at.map_or_else(|| "?".to_owned(), |at| desk.look.moment(at));
                let images: Vec<&str> = revision.images.values().map(String::as_str).collect();
                page.field("revision", format!("{}  {at}  {}", revision.number, images.join(" ")));
            }
        }
    }
}

fn patterns(page: &mut Page, (read, errors, warnings): (u64, u64, u64), templates: &[TemplateCount]) {
    page.head("LINES BY TEMPLATE");
    let lines = format!("{} {}", format::grouped(read), either(read, "line", "lines"));
    page.field("read", format!("{lines}, {}, {}", counted(errors, "error"), counted(warnings, "warning")));
    for template in templates {
        let level = template.level.word();
        page.text(Role::Text, format!("{:>8}  {level:<5}  {}", format::grouped(template.count), template.template));
    }
}

fn not_read(page: &mut Page, unread: &[String]) {
    if !unread.is_empty() {
        page.text(Role::Warning, format!("not read: {}", unread.join(", ")));
    }
}

/// The chart of the series as it was read, not as it is now.
fn chart(page: &mut Page, series: &Series, threshold: Option<f64>, desk: Desk<'_>) {
    let Some(latest) = series.latest() else { return };
    let of = desk.ui.incident(desk.session);
    let plot = Plot::of(series, (of, desk));
    let (window, recent) = moments::recent(series, latest.at);
    page.head("THE CURVE, as it was read");
    let plot = Plot { series: recent, window, threshold: threshold.or(plot.threshold), ..plot };
    page.plot(plot.clone());
    metric::legend(page, &plot, (of, desk));
}

fn points(page: &mut Page, points: &[Point], series: &Series, desk: Desk<'_>) {
    page.head(format!("POINTS ({})", points.len()));
    for point in points.iter().rev() {
        let value = format!("  {:>10}", format::measure(point.value, series.unit));
        page.parts([(Role::Faint, desk.look.clock(point.at)), (Role::Text, value)]);
    }
}

fn kills(page: &mut Page, count: &OomCount, desk: Desk<'_>) {
    page.head("BY CONTAINER");
    for by in &count.by_container {
        page.text(Role::Text, format!("{:>6}  {}", format::grouped(by.kills), by.container));
    }
    page.head("BY SOURCE (one kill is told by several: they are never added up)");
    for (source, n) in &count.by_source {
        page.field(source.word(), format::grouped(*n));
    }
    page.field("heap errors", format!("{} inside of processes, counted apart", format::grouped(count.heap_errors)));
    page.head("WHEN");
    for at in count.at.iter().rev() {
        page.parts([(Role::Kill, "kill  ".to_owned()), (Role::Text, desk.look.moment(*at))]);
    }
}

fn lines(page: &mut Page, lines: &[LogLine], desk: Desk<'_>) {
    if lines.is_empty() {
        return;
    }
    page.head(format!("EXCERPTS ({}){}", lines.len(), desk.look.stamps_in()));
    for line in lines {
        page.text(Role::Text, format!("{} {:<5} {}", desk.look.stamp(line.at), line.level.word(), line.text));
    }
}
