//! How a live site begins: what the store has of it from there, the rest from its files.

use std::path::PathBuf;

use super::article::collect;
use super::preview::Preview;
use super::problems::Problems;
use super::state::{Due, State, effort};
use crate::config::{Config, Overrides};
use crate::diag::{Diagnostic, Report};
use crate::load::{Disk, reason};
use crate::memo::Mark;
use crate::parse::{Memo, Settings};
use crate::paths::SourcePath;
use crate::pipeline::files::{Cache, Store};
use crate::pipeline::{PATIENCE, Progress, now, parsing};
use crate::plan::Visibility;
use crate::write::Claim;

/// Where what was parsed is kept.
struct Home {
    folder: PathBuf,
    /// The lock on it, when it is the site's own.
    _claim: Option<Claim>,
    _temporary: Option<tempfile::TempDir>,
    problems: Report,
}

/// The site's own state folder; where that cannot be had, a temporary one.
fn home(disk: &Disk) -> Result<Home, Report> {
    let refused = match Claim::wait(disk.root(), PATIENCE) {
        Ok(claim) => return Ok(Home { folder: claim.state().to_owned(), _claim: Some(claim), _temporary: None, problems: Report::default() }),
        Err(refused) => refused,
    };
    let temporary = tempfile::tempdir().map_err(|_| Report::of(refused.clone()))?;
    let warning = Diagnostic::warning(format!("what is parsed is not kept: {}", refused.message)).hint("the next start may read every article again");
    Ok(Home { folder: temporary.path().to_owned(), _claim: None, _temporary: Some(temporary), problems: Report::of(warning) })
}

impl State {
    /// Reads a site, plans it and shows it.
    ///
    /// # Errors
    /// When `site.toml` is missing or nothing can be made of it, or there is no room for what is parsed.
    pub(super) fn start(disk: &Disk, program: &str, visibility: Visibility, preview: &Preview, progress: &dyn Progress) -> Result<Self, Report> {
        let looked = now();
        let config_text = disk.config().map_err(Report::of)?;
        let (config, config_problems) = Config::read(&config_text, &Overrides::default());
        let Some(config) = config else { return Err(config_problems) };
        let mut home = home(disk)?;
        let (store, warning) = Store::open(&home.folder, program, Cache::Use, looked).map_err(Report::of)?;
        home.problems.extend(warning.into_iter().collect());
        let pack_name = store.pack_name().to_owned();
        let no_room = |e: std::io::Error| Report::of(Diagnostic::error(format!("there is no room for what is parsed: {}", reason(&e))));
        let store = store.branch().map_err(no_room)?;
        let (sources, load) = disk.scan();
        let settings = Settings::of(&config);
        let mut files = store.mark_files(disk, &sources);
        if let Ok(snapshot) = SourcePath::new(&config.counters.snapshot)
            && let Some(entry) = store.mark_one(disk, &snapshot)
        {
            files.insert(snapshot, entry);
        }
        progress.stage("Reading", sources.articles.len());
        let known = |path: &SourcePath| files.get(path).and_then(|entry| store.parsed(entry, settings.mark())).is_some();
        let new = sources.articles.iter().filter(|path| !known(path)).count();
        let parsed = parsing::parse_all(&sources.articles, &mut files, &store, effort(new), disk, &settings, progress);
        let articles = collect(parsed, &mut files);
        let postponed = articles.iter().filter(|(_, a)| a.is_postponed()).map(|(source, _)| source.clone()).collect();
        let mut state = Self {
            config_text,
            config,
            settings,
            sources,
            files,
            articles,
            looked,
            pack: store.pack,
            pack_name,
            good_templates: Vec::new(),
            tried_templates: Mark::default(),
            problems: Problems { config: config_problems, load, store: home.problems, ..Problems::default() },
            due: Due::Everything,
            memo: Memo::default(),
            edited: Vec::new(),
            postponed,
        };
        state.plan(disk, visibility, preview, &std::collections::BTreeMap::new());
        Ok(state)
    }
}
