//! The stories, one file per theme.

pub(crate) mod calls;
pub(crate) mod canaries;
pub(crate) mod holds;
pub(crate) mod kills;
pub(crate) mod links;
pub(crate) mod payments;
pub(crate) mod pressure;
pub(crate) mod processes;
pub(crate) mod sends;
