//! Objects by verb: reads as JSON or as a table, writes with their options, and the subresources that are no objects.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderValue, header};
use serde_json::{Value, json};

use super::form::Form;
use super::path::Objects;
use super::{Call, KubernetesState, answer, caller, dry_run, logs, read, table, watch};
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::kind::Subresource;
use crate::rehearsal::cluster::managed::Force;
use crate::rehearsal::cluster::patch::PatchKind;
use crate::rehearsal::cluster::selector::Selector;
use crate::rehearsal::cluster::store::Key;
use crate::rehearsal::cluster::write::{Strangers, Target, WriteOptions, Written, scale_of};
use crate::rehearsal::ledger::DryRun;

/// Answers a request for objects, after asking the rules.
pub(super) fn serve(state: &KubernetesState, call: &Call, objects: &Objects, verb: &str) -> Result<Response, Failure> {
    let now = state.clock.now();
    state.cluster.at(now, |cluster| objects.authorise(&caller::access(cluster, call)?, verb))?;
    if objects.subresource.is_some_and(|sub| !sub.verbs().contains(&verb)) {
        return Err(Failure::method_not_allowed());
    }
    let is_named = !objects.name.is_empty();
    let names = match verb {
        "create" => objects.subresource.is_some() || !is_named,
        "update" | "patch" => is_named,
        _ => true,
    };
    if !names {
        return Err(Failure::method_not_allowed());
    }
    match (objects.subresource, verb) {
        (Some(Subresource::Log), _) => logs::read(state, objects, call),
        (Some(Subresource::Exec | Subresource::Attach | Subresource::PortForward), _) => {
            state.cluster.at(now, |cluster| cluster.require(objects.kind, &objects.namespace, &objects.name))?;
            Err(Failure::no_process())
        }
        (Some(Subresource::Eviction), _) => {
            let (dry_run, eviction) = (dry_run(call)?, call.document()?);
            let evicted = state.cluster.at(now, |cluster| cluster.evict(objects.target(), &eviction, dry_run))?;
            Ok(answer::json(201, &evicted))
        }
        (_, "list") => state.cluster.at(now, |cluster| read::list(cluster, objects, call)),
        (_, "watch") => watch::open(state, objects, call),
        (_, "get") => state.cluster.at(now, |cluster| get(cluster, objects, call)),
        (_, "delete") => {
            let (dry_run, options) = (dry_run(call)?, delete_options(call)?);
            let left = state.cluster.at(now, |cluster| cluster.delete(objects.target(), &options, dry_run))?;
            Ok(answer::json(200, &left))
        }
        (_, "deletecollection") => {
            let (dry_run, options) = (dry_run(call)?, delete_options(call)?);
            state.cluster.at(now, |cluster| delete_all(cluster, (objects, call), &options, dry_run))
        }
        (_, "create" | "update" | "patch") => {
            let document = call.document()?;
            state.cluster.at(now, |cluster| write(cluster, (objects, call), &document, verb))
        }
        _ => Err(Failure::method_not_allowed()),
    }
}

/// What a delete asks for: in its body, or, where that is empty, in its query.
fn delete_options(call: &Call) -> Result<Value, Failure> {
    let mut options = call.document()?;
    if options.is_null() {
        options = json!({});
        if let Ok(seconds) = call.parameter("gracePeriodSeconds").parse::<i64>() {
            options["gracePeriodSeconds"] = json!(seconds);
        }
        let policy = call.parameter("propagationPolicy");
        if !policy.is_empty() {
            options["propagationPolicy"] = json!(policy);
        }
    }
    if options["orphanDependents"] == true {
        options["propagationPolicy"] = json!("Orphan");
    }
    Ok(options)
}

/// Deletes what a selector chooses; the answer is the list of it.
fn delete_all(
    cluster: &mut Cluster,
    (objects, call): (&Objects, &Call),
    options: &Value,
    dry_run: DryRun,
) -> Result<Response, Failure> {
    let kind = objects.kind;
    let selector = Selector::parse(kind, call.parameter("labelSelector"), call.parameter("fieldSelector"))?;
    let chosen = cluster.store().list(kind, objects.space()).filter(|entry| selector.matches(entry.1));
    let chosen: Vec<(Key, Arc<Value>)> = chosen.map(|(key, object)| (key.clone(), Arc::clone(object))).collect();
    for (key, _) in &chosen {
        let target = Target { kind, namespace: &key.namespace, name: &key.name, subresource: None };
        cluster.delete(target, options, dry_run)?;
    }
    let items: Vec<&Value> = chosen.iter().map(|entry| &*entry.1).collect();
    let metadata = json!({"resourceVersion": cluster.store().revision().to_string()});
    let (word, api) = (format!("{}List", kind.kind), kind.api_version());
    Ok(answer::json(200, &json!({"kind": word, "apiVersion": api, "metadata": metadata, "items": items})))
}

fn get(cluster: &mut Cluster, objects: &Objects, call: &Call) -> Result<Response, Failure> {
    let object = cluster.require(objects.kind, &objects.namespace, &objects.name)?;
    if objects.subresource == Some(Subresource::Scale) {
        return Ok(answer::json(200, &scale_of(&object)));
    }
    Ok(match Form::of(call)? {
        Form::Whole => answer::json(200, &object),
        Form::Metadata => answer::json(200, &Form::metadata_of(&object)),
        Form::Table => {
            let shown = table::Shown::of(call, cluster.now());
            answer::json(200, &table::of(objects.kind, &Value::Null, &[&object], shown))
        }
    })
}

fn write(
    cluster: &mut Cluster,
    (objects, call): (&Objects, &Call),
    document: &Value,
    verb: &str,
) -> Result<Response, Failure> {
    let target = objects.target();
    let options = options(call)?;
    let is_new = cluster.require(target.kind, target.namespace, target.name).is_err();
    let written = match verb {
        "create" => cluster.create(target, document.clone(), options)?,
        "update" => cluster.replace(target, document.clone(), options)?,
        _ => cluster.patch(target, (language(call)?, document), options)?,
    };
    Ok(told(if is_new { 201 } else { 200 }, &written))
}

/// The object, with what the client should be warned of (RFC 7234, `Warning`).
fn told(code: u16, written: &Written) -> Response {
    let mut response = answer::json(code, &written.object);
    for warning in &written.warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

fn options(call: &Call) -> Result<WriteOptions<'_>, Failure> {
    // Without a name of its own a manager is known by the first word of its user agent.
    let agent = call.header(header::USER_AGENT).split('/').next().unwrap_or_default();
    let named = call.parameter("fieldManager");
    let strangers = match call.parameter("fieldValidation") {
        "" | "Warn" => Strangers::Warn,
        "Ignore" => Strangers::Ignore,
        "Strict" => Strangers::Refuse,
        other => return Err(answer::bad_option("fieldValidation", other, "Ignore\", \"Strict\", \"Warn")),
    };
    Ok(WriteOptions {
        dry_run: dry_run(call)?,
        manager: if named.is_empty() { agent } else { named },
        force: if call.says("force") { Force::Yes } else { Force::No },
        strangers,
    })
}

fn language(call: &Call) -> Result<PatchKind, Failure> {
    let language = PatchKind::of_media_type(call.header(header::CONTENT_TYPE))
        .ok_or_else(|| Failure::unsupported_media_type(&PatchKind::MEDIA_TYPES))?;
    if language == PatchKind::Apply && call.parameter("fieldManager").is_empty() {
        return Err(answer::missing_option("fieldManager", "is required for apply patch"));
    }
    if language != PatchKind::Apply && call.says("force") {
        return Err(answer::forbidden_option("force", "may not be specified for non-apply patch"));
    }
    Ok(language)
}
