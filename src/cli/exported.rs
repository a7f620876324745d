//! `eval` and `evidence`: judged at once, from scenarios and from files.

use super::args::{EvalArgs, EvidenceArgs, FormWord};
use super::print;
use crate::domain::fault::{Fault, FaultKind};
use crate::runtime::{Ending, exported, scorecard};

/// `eval`: a scorecard that is not clean is told by the exit code as well.
pub(super) fn eval(args: &EvalArgs, form: Option<FormWord>) -> Result<Ending, Fault> {
    let asked = scorecard::Asked { scenarios: args.scenarios.clone(), seeds: args.seeds };
    let card = scorecard::run(&asked)?;
    let text = match form {
        None | Some(FormWord::Text) => card.text(),
        Some(FormWord::Json | FormWord::Jsonl) => card.json(),
        Some(FormWord::Md) => card.markdown(),
    };
    print::out(&text)?;
    Ok(if card.is_clean() {
        Ending::AsExpected
    } else {
        Ending::NotAsExpected { why: "some cases did not come to what they expect".to_owned() }
    })
}

/// `evidence`.
pub(super) fn evidence(args: &EvidenceArgs, form: Option<FormWord>) -> Result<Ending, Fault> {
    if args.anomalies && args.metrics.is_empty() {
        return Err(
            Fault::new(FaultKind::Usage, "--anomalies needs a --metric.").hint("`--metric cpu=FILE.csv` names one.")
        );
    }
    if args.templates && args.logs.is_empty() {
        return Err(Fault::new(FaultKind::Usage, "--templates needs a --log.").hint("`--log FILE` names one."));
    }
    let read = exported::read(&exported::Files {
        metrics: args.metrics.clone(),
        thresholds: args.thresholds.clone(),
        logs: args.logs.clone(),
        collector: args.collector.clone(),
        objects: args.objects.clone(),
        workload: args.workload.clone(),
        minutes: args.minutes,
    })?;
    if let Some(folder) = &args.save_scenario {
        exported::save(&read, folder)?;
    }
    let text = match (args.anomalies, args.templates, form) {
        (true, _, _) => exported::anomalies(&read),
        (_, true, _) => exported::templates(&read),
        (false, false, Some(FormWord::Json | FormWord::Jsonl)) => exported::json(&read),
        (false, false, None | Some(FormWord::Text | FormWord::Md)) => exported::text(&read),
    };
    print::out(&text)
}
