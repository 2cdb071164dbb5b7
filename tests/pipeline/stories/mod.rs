//! The stories, one file per theme.

pub(crate) mod calls;
pub(crate) mod canaries;
pub(crate) mod caps;
pub(crate) mod crowds;
pub(crate) mod holds;
pub(crate) mod kills;
pub(crate) mod links;
pub(crate) mod operator;
pub(crate) mod payments;
pub(crate) mod processes;
pub(crate) mod sends;
pub(crate) mod traces;
