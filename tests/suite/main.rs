//! The tests that run the real program, in one binary, so that they are linked once.
//!
//! [`common`] sets up sites in temporary folders and runs `folio` on them. The other modules are
//! named after what they test. A test that needs a tool which is missing says so and passes; with
//! `FOLIO_REQUIRE_TOOLS` set, as in CI, it fails instead.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests may panic, access files and print"
)]
#![allow(clippy::too_many_lines, reason = "a test reads as one chain of steps")]

mod common;

mod browser;
mod build;
mod check;
mod check_external;
mod commonmark;
mod deploy;
mod deploy_services;
mod errors;
#[cfg(target_os = "linux")]
mod faults;
mod hosts;
mod incremental;
mod layers;
mod lost_text;
mod manual;
mod mutations;
mod plan;
mod properties;
mod publication;
mod schemas;
mod serve;
mod theme;
