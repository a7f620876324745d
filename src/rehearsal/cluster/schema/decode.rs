//! Reading an object as the API server does: wrong types are refused, unknown fields dropped and told, nulls left out,
//! amounts brought to their canonical form.

use serde_json::Value;

use super::{Shape, Type, of};
use crate::rehearsal::cluster::kind::Kind;
use crate::rehearsal::cluster::quantity;

/// Where the reader stands: the Go struct, the path without indexes, and the path with them.
#[derive(Clone)]
struct Place {
    owner: &'static str,
    path: String,
    shown: String,
}

impl Place {
    fn field(&self, owner: &'static str, name: &str) -> Self {
        let join = |path: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        Self { owner, path: join(&self.path), shown: join(&self.shown) }
    }

    fn item(&self, index: usize) -> Self {
        Self { shown: format!("{}[{index}]", self.shown), ..self.clone() }
    }
}

/// Reads an object in place; the answer is the paths of the fields that its type does not have, now gone.
///
/// # Errors
/// The sentence by which the API server refuses a value of the wrong type.
pub fn decode(kind: &Kind, object: &mut Value) -> Result<Vec<String>, String> {
    let Some(shape) = of(kind) else { return Ok(Vec::new()) };
    let start = Place { owner: kind.kind, path: String::new(), shown: String::new() };
    let mut unknown = Vec::new();
    fields(shape, object, &start, &mut unknown).map_err(|why| cannot(kind, &why))?;
    Ok(unknown)
}

/// The sentence by which the API server refuses an object it cannot read.
pub fn cannot(kind: &Kind, why: &str) -> String {
    format!("{0} in version \"{1}\" cannot be handled as a {0}: {why}", kind.kind, kind.version)
}

fn value(shape: &Shape, found: &mut Value, place: &Place, unknown: &mut Vec<String>) -> Result<(), String> {
    let is_right = match shape {
        Shape::Any => true,
        Shape::Text | Shape::Time | Shape::Bytes => found.is_string(),
        Shape::Whole => found.is_i64() || found.is_u64(),
        Shape::Number => found.is_number(),
        Shape::Truth => found.is_boolean(),
        Shape::WholeOrText => found.is_i64() || found.is_string(),
        Shape::Quantity => return amount(found),
        Shape::Object(_) => {
            return match shape.object() {
                Some(inner) if found.is_object() => fields(inner, found, place, unknown),
                _ => Err(unmarshal(found, shape, place)),
            };
        }
        Shape::Map { of, .. } => match found.as_object_mut() {
            Some(map) => {
                map.retain(|_, held| !held.is_null());
                return map.iter_mut().try_for_each(|(name, held)| {
                    let shown = place.field(place.owner, name).shown;
                    value(of, held, &Place { shown, ..place.clone() }, unknown)
                });
            }
            None => false,
        },
        Shape::List { of, .. } => match found.as_array_mut() {
            Some(items) => {
                let mut each = items.iter_mut().enumerate();
                return each.try_for_each(|(index, item)| value(of, item, &place.item(index), unknown));
            }
            None => false,
        },
    };
    if is_right { Ok(()) } else { Err(unmarshal(found, shape, place)) }
}

fn fields(shape: &'static Type, found: &mut Value, place: &Place, unknown: &mut Vec<String>) -> Result<(), String> {
    let Some(map) = found.as_object_mut() else {
        return Err(unmarshal(found, &Shape::Object(shape.name.to_owned()), place));
    };
    let owner = shape.name.rsplit('.').next().unwrap_or_default();
    map.retain(|name, held| {
        let is_known = shape.shape(name).is_some();
        if !is_known {
            unknown.push(place.field(owner, name).shown);
        }
        is_known && !held.is_null()
    });
    map.iter_mut().try_for_each(|(name, held)| match shape.shape(name) {
        Some(inner) => value(inner, held, &place.field(owner, name), unknown),
        None => Ok(()),
    })
}

fn amount(found: &mut Value) -> Result<(), String> {
    let text = match &*found {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(quantity::PATTERN.to_owned()),
    };
    *found = Value::String(quantity::canonical(&text).ok_or_else(|| quantity::PATTERN.to_owned())?);
    Ok(())
}

fn unmarshal(found: &Value, shape: &Shape, place: &Place) -> String {
    let (word, wanted) = (json_word(found), go_word(shape));
    if place.path.is_empty() {
        return format!("json: cannot unmarshal {word} into Go value of type {wanted}");
    }
    format!("json: cannot unmarshal {word} into Go struct field {}.{} of type {wanted}", place.owner, place.path)
}

fn go_word(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::Bytes => "string".to_owned(),
        Shape::Whole => "int32".to_owned(),
        Shape::Number => "float64".to_owned(),
        Shape::Truth => "bool".to_owned(),
        Shape::Time => "v1.Time".to_owned(),
        Shape::WholeOrText => "intstr.IntOrString".to_owned(),
        Shape::Quantity => "resource.Quantity".to_owned(),
        Shape::Any => "interface {}".to_owned(),
        Shape::Object(name) => name.split_once('.').map_or(name.as_str(), |split| split.1).to_owned(),
        Shape::Map { of, .. } => format!("map[string]{}", go_word(of)),
        Shape::List { of, .. } => format!("[]{}", go_word(of)),
    }
}

fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rehearsal::cluster::kind::row;

    fn sound() -> Value {
        json!({"metadata": {"name": "x"}, "spec": {"replicas": 1, "template": {
            "metadata": {"labels": {"app": "x"}, "creationTimestamp": null},
            "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "1024Mi", "cpu": 0.5}}}]}}}})
    }

    #[test]
    fn amounts_become_canonical_and_nulls_and_strangers_go() {
        let mut object = sound();
        object["spec"]["template"]["spec"]["containers"][0]["mood"] = json!("good");
        object["colour"] = json!("red");
        let unknown = decode(row("deployments"), &mut object).unwrap();
        assert_eq!(unknown, ["colour", "spec.template.spec.containers[0].mood"]);
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container, &json!({"name": "app", "resources": {"limits": {"memory": "1Gi", "cpu": "500m"}}}));
        assert_eq!(object["spec"]["template"]["metadata"], json!({"labels": {"app": "x"}}));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_told_in_the_words_of_go() {
        for (pointer, value, want) in [
            ("/spec/template/spec/containers/0/resources/limits/memory", json!("lots"), "quantities must match"),
            (
                "/spec/replicas",
                json!("3"),
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                "/spec/template/metadata/labels/app",
                json!(3),
                "json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.labels of type string",
            ),
            ("/spec/template/spec/containers", json!({}), "cannot unmarshal object into Go struct field PodSpec"),
            ("/metadata", json!("x"), "cannot unmarshal string into Go struct field Deployment.metadata"),
        ] {
            let mut wrong = sound();
            *wrong.pointer_mut(pointer).unwrap() = value;
            let told = decode(row("deployments"), &mut wrong).unwrap_err();
            assert!(told.contains(want), "{told}");
            assert!(told.starts_with("Deployment in version \"v1\" cannot be handled as a Deployment: "));
        }
    }
}
