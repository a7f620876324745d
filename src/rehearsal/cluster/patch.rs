//! The four ways to change an object by a patch. Pure: an object and a patch in, an object or the reason out.

pub mod json;
pub mod merge;
pub mod strategic;

use serde_json::Value;

use super::schema::Shape;

#[cfg(test)]
mod tests;

/// Which language a patch is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902, `application/json-patch+json`.
    Json,
    /// RFC 7386, `application/merge-patch+json`.
    Merge,
    /// `application/strategic-merge-patch+json`: lists of named things merge by name.
    Strategic,
    /// `application/apply-patch+yaml`: the whole intent of one field manager.
    Apply,
}

impl PatchKind {
    /// The kind of a `Content-Type`, its parameters left aside.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" => Some(Self::Apply),
            _ => None,
        }
    }

    /// Every media type accepted, for the 415 answer.
    pub const MEDIA_TYPES: [&str; 4] = [
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ];
}

/// Why a patch does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchError {
    /// The patch document itself is wrong.
    Malformed(String),
    /// A JSON patch asks for a place that is not there, or its `test` fails.
    Inapplicable(String),
    /// A strategic merge cannot find its way.
    Unmergeable(String),
}

/// The object as the patch makes it; its shape tells a strategic merge how lists merge. An apply is no patch of an object
/// but a manager's whole intent: see [`super::managed`].
pub fn patched(kind: PatchKind, shape: &Shape, object: &Value, patch: &Value) -> Result<Value, PatchError> {
    let mut changed = object.clone();
    match kind {
        PatchKind::Json => json::apply(&mut changed, patch)?,
        PatchKind::Merge => {
            require_object(patch)?;
            merge::apply(&mut changed, patch);
        }
        PatchKind::Strategic | PatchKind::Apply => {
            require_object(patch)?;
            strategic::apply(shape, &mut changed, patch)?;
        }
    }
    Ok(changed)
}

fn require_object(patch: &Value) -> Result<(), PatchError> {
    if patch.is_object() { Ok(()) } else { Err(PatchError::Malformed("a patch of this type is an object".to_owned())) }
}
