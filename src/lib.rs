//! Folio: a static site generator for people who publish articles that compare things.
//!
//! Data flows one way: disk → [`load::Sources`] → [`parse::Doc`]s → [`plan::Plan`] → files → disk.
//! ARCHITECTURE.md lists the modules in the order in which they may import each other, and
//! `tests/suite/layers.rs` checks that order, between modules and inside them. The library never
//! prints and never ends the process: it returns values and a [`diag::Report`].

// A build without one of the commands leaves what only that command uses of other modules unused.
#![cfg_attr(
    not(all(feature = "serve", feature = "deploy", feature = "external-links")),
    allow(dead_code)
)]

pub mod build;
pub mod cache;
pub mod check;
pub mod cli;
pub mod config;
pub mod dependencies;
#[cfg(feature = "deploy")]
pub mod deploy;
pub mod diag;
mod host_rules;
mod html;
pub mod language;
#[cfg(feature = "serve")]
pub mod live;
pub mod load;
mod media_type;
#[cfg(feature = "net")]
mod net;
pub mod parse;
pub mod paths;
pub mod plan;
pub mod render;
pub mod scaffold;
pub mod schema;
#[cfg(feature = "serve")]
pub mod serve;
pub mod session;
pub mod slug;
pub mod write;
