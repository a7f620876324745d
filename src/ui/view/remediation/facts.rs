//! What a decision turns on: a word and what it tells of the step, in full, and in as few words as say the same.

use crate::domain::observation::scope::Scope;
use crate::domain::remediation::runbook::undo_of;
use crate::domain::remediation::step::Step;
use crate::session::Session;
use crate::session::header::Origin;
use crate::session::incident::Incident;

/// Before the way back from an action that has no undo worth offering.
const BY_HAND: &str = "not offered, by hand: ";

/// A word, and what it tells of the step.
pub(super) type Fact = (&'static str, String);

pub(super) fn facts(session: &Session, (incident, step): (&Incident, &Step)) -> [Fact; 5] {
    let scope = &session.header.scope;
    let rehearsal = step.rehearsal.as_ref();
    let request = rehearsal.and_then(|rehearsal| rehearsal.request.as_ref());
    let resource = format!("{}/{}", step.target.kind.plural(), step.target.name);
    let sent = request.map_or_else(|| "no request fixed yet".to_owned(), |_| format!("PATCH {resource}"));
    let cluster = scope.cluster.as_ref().map_or("cluster ?", |name| name.as_str());
    let account = scope.account.as_ref().map_or("?", |account| account.as_str());
    let home = scope.cluster_elsewhere();
    let home = home.map_or_else(String::new, |home| format!(" OF ACCOUNT {} {}", home.account, home.region));
    // Account and region are those of the AWS credentials. Only an EKS name says that the cluster is there, too.
    let known = match (&scope.cluster_home, &session.header.origin) {
        (None, Origin::Real) => " (unverified)",
        (Some(_), _) | (None, Origin::Rehearsal { .. }) => "",
    };
    let why: Vec<String> = step.why.iter().map(ToString::to_string).collect();
    // What speaks for a step does not speak for putting it back.
    let undoes = incident.undos.get(&step.id).map(|of| format!("puts back what {of} changed"));
    // What is found out later is not why it was approved.
    let verdict = match (incident.grounds.get(&step.id), &incident.verdict) {
        (Some(ground), _) => format!("{}, {} at {}", ground.cause, ground.confidence, ground.at.strftime("%H:%M:%SZ")),
        (None, Some(verdict)) => format!("{}, {}", verdict.words(), incident.confidence().unwrap_or_default()),
        (None, None) => "no verdict".to_owned(),
    };
    let blast = rehearsal.map_or("not known", |rehearsal| rehearsal.blast.as_str());
    let undo = rehearsal.map_or_else(|| step.action.undo(None), |rehearsal| rehearsal.undo.clone());
    // What nobody offers afterwards is told before the decision.
    let undo = if undo_of(&step.action).is_some() { undo } else { format!("{BY_HAND}{undo}") };
    [
        ("WHAT", format!("{sent}  (as {})", step.action.equivalent(&step.target))),
        ("WHERE", format!("{cluster}{home}  ns {}  account {account}  {}{known}", step.target.namespace, scope.region)),
        ("WHO", who(scope)),
        ("WHY", format!("{}  blast: {blast}", undoes.unwrap_or_else(|| format!("{} ({verdict})", why.join(" "))))),
        ("UNDO", undo),
    ]
}

/// Who AWS takes us for, and who the API server does: the credentials of a kubeconfig may be somebody else's.
fn who(scope: &Scope) -> String {
    let aws = scope.identity.as_deref().unwrap_or("identity not known");
    match scope.cluster_user.as_deref() {
        Some(user) if Some(user) == scope.identity.as_deref() => format!("aws and kubernetes {user}"),
        Some(user) => format!("aws {aws}  kubernetes {user}"),
        None => format!("aws {aws}  kubernetes user not known"),
    }
}

/// The same facts in fewer words: what another row of the card says as well is left out.
pub(super) fn short_facts(session: &Session, (incident, step): (&Incident, &Step), facts: &[Fact; 5]) -> [Fact; 5] {
    let first = |text: &str, ends: &[&str]| {
        let end = ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
        text[..end].to_owned()
    };
    let [what, place, who, why, undo] = facts;
    let blast = step.rehearsal.as_ref().map_or("not known", |rehearsal| rehearsal.blast.as_str());
    let mut ids: Vec<String> = step.why.iter().map(ToString::to_string).collect();
    // What would be done is told before all the evidence that speaks for it.
    if ids.len() > 3 {
        let more = ids.split_off(2).len();
        ids.push(format!("+{more}"));
    }
    let cause = match (incident.undos.get(&step.id), incident.grounds.get(&step.id), &incident.verdict) {
        (Some(of), _, _) => format!("puts back {of}"),
        (None, Some(ground), _) => format!("{} ({} {})", ids.join(" "), ground.cause, ground.confidence),
        (None, None, Some(verdict)) => {
            let counts = incident.confidence().unwrap_or_default();
            format!("{} ({} {counts})", ids.join(" "), verdict.words())
        }
        (None, None, None) => why.1.clone(),
    };
    let scope = &session.header.scope;
    let account = scope.account.as_ref().map_or_else(String::new, |account| format!("  {account}"));
    let cluster = scope.cluster.as_ref().map_or("cluster ?", |name| name.as_str());
    // A cluster of another account or one that is not proved is told in full, cut or not.
    let is_plain = scope.cluster_elsewhere().is_none() && !place.1.ends_with("(unverified)");
    let place = if is_plain {
        ("WHERE", format!("{cluster}  ns {}{account}  {}", step.target.namespace, scope.region))
    } else {
        place.clone()
    };
    // `arn:aws:sts::123456789012:assumed-role/…`: the account stands above.
    let short = |word: &str| match word.splitn(6, ':').nth(5) {
        Some(name) => name.trim_start_matches("assumed-role/").to_owned(),
        None if word == "kubernetes" => "k8s".to_owned(),
        None => word.to_owned(),
    };
    let who = who.1.split("  ").map(|part| part.split(' ').map(short).collect::<Vec<_>>().join(" "));
    let who = who.collect::<Vec<_>>().join("  ");
    [
        ("WHAT", first(&what.1, &["  (as "])),
        place,
        ("WHO", who),
        ("WHY", format!("{cause}  blast: {}", first(blast, &[",", " ("]))),
        ("UNDO", first(&undo.1, &[" = ", " ("])),
    ]
}
