//! Folio: a static site generator for people who publish articles that compare things.
//!
//! Data runs one way: disk → [`load::Sources`] → [`parse::Doc`]s → [`plan::Plan`] → pages → disk.
//! A module may import only from those declared above it here; `tests/layers.rs` holds that order.
//! The library never prints and never ends the process: it returns values and a [`diag::Report`].

pub mod check;
pub mod cli;
pub mod config;
pub mod deploy;
pub mod diag;
pub mod load;
pub mod memo;
mod net;
pub mod parse;
pub mod paths;
pub mod pipeline;
pub mod plan;
pub mod render;
mod rules;
pub mod scaffold;
pub mod schema;
pub mod serve;
pub mod write;
