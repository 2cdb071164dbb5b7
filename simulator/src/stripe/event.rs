//! What changed, when, and at whose request.

use serde_json::Value;

use crate::ids::Ids;

/// An event before it is signed and sent.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) account: Option<String>,
    pub(crate) kind: &'static str,
    pub(crate) created_s: i64,
    pub(crate) object: Value,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) request: Option<String>,
}

/// Who asked for a change, for the event it causes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    pub(crate) request: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// One change under way: the time, the ids and the cause that all of its parts share.
pub(crate) struct Change<'a> {
    pub(crate) now_s: i64,
    pub(crate) ids: &'a Ids,
    pub(crate) cause: Cause,
}
