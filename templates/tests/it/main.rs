//! Everything we say, said: each template, in each language, with every kind of data.

#[path = "../../examples/samples/data.rs"]
mod data;
mod docs;
mod escaping;
mod messages;
mod pages;
