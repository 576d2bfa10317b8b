//! A session: everything a command needs to load, cache and plan a site.
//!
//! `build`, `check`, `serve` and `deploy` all start with [`Session::open`], which locks the site,
//! lists its files, opens the cache and fingerprints what the files contain. [`Session::parse`] and
//! [`Session::plan`] follow; [`Session::renderer`] prepares rendering; [`Session::save`] stores
//! what the next run can use. [`DryRun`] renders a whole site without writing it.
//!
//! A session must not write to an output folder, and must not know which command uses it.

mod dry_run;
mod files;
mod lock;
mod parsing;
mod progress;
mod site;
mod stored;

pub use progress::{NoProgress, Progress};
pub use site::{
    LOCK_TIMEOUT, OpenProblems, Session, SessionOptions, finish_report, now, thread_pool,
};

pub use dry_run::{DryRun, RenderedFile};
pub use files::{ArticleHandles, FileEntry, FileTable, Store};
pub use lock::SiteLock;
pub use parsing::{ParsedArticle, ParsedSite, parse, parse_each, read_doc};
pub use stored::{ContentTable, StoredInputs};
