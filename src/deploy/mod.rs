//! Takes the built site to a host: only what differs, in an order that never shows a page without what it needs.
//!
//! ```text
//! output folder → files::list → LocalFiles ┐
//! host → manifest ─────────────────────────┴→ difference::Difference → publish (or a Whole host) → after
//! ```
//!
//! [`difference`] and [`headers`] are pure. [`remote`] has a file for each kind of host, and only these know how to speak to
//! one. What a host says is checked before it is believed ([`manifest`]). Nothing here changes the output folder.

mod after;
mod crew;
pub mod difference;
mod failure;
pub mod files;
mod foreign;
pub mod headers;
mod lock;
pub mod manifest;
mod publish;
pub mod redirects;
mod releases;
mod remote;
mod summary;
mod there;

use crate::config::Config;
use crate::config::deploy::{Cname, Destination, Target};
use crate::diag::{Diagnostic, Report};
use crate::load::Disk;
use crate::net;
use crate::paths::OutPath;
use crate::pipeline::{self, Progress};
use crew::Crew;
use difference::{Compare, Difference, Keeping};
use failure::Failure;
use files::{Dressing, LocalFile};
use lock::Lock;
use manifest::Manifest;
use publish::Publishing;
use redirects::Dialect;
use remote::{Context, Host, Remote, Whole, WholeChange};
pub use summary::{Done, Summary};
use there::There;

/// What to deploy, where to, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub build: pipeline::Options,
    /// The name of a table of `[deploy]`; the only one there is unless given.
    pub target: Option<String>,
    pub action: Action,
    pub force: Force,
    pub consent: Consent,
    /// Seconds since the epoch, for how long old files stay.
    pub now: i64,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Deploy,
    /// Only say what a deploy would do.
    Plan,
    /// Put back what was there before the last deploy.
    RollBack,
}

/// Whether everything is sent anew, over files of others and over another's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    Yes,
    No,
}

/// Whether many deletes have been agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    Ask,
}

/// The parts of a deploy that a progress bar shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Keeping,
    Uploading,
    Deleting,
    Restoring,
}

impl Step {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keeping => "Keeping",
            Self::Uploading => "Uploading",
            Self::Deleting => "Deleting",
            Self::Restoring => "Restoring",
        }
    }
}

/// The person at the terminal, if there is one.
pub trait Told: Progress {
    /// Hears what is about to be done.
    fn plan(&self, summary: &Summary);
    /// Hears the build's warnings.
    fn built(&self, report: &Report);
    /// Something worth a line.
    fn note(&self, text: &str);
    /// Answers yes or no; `None` where there is nobody to ask.
    fn ask(&self, question: &str) -> Option<bool>;
    /// Chooses a name; `None` where there is nobody to ask.
    fn choose(&self, names: &[&str]) -> Option<String>;
}

/// Why a deploy was not done, or not to its end.
#[derive(Debug)]
pub enum Stopped {
    /// It was asked for in a way that cannot be understood.
    Usage(Report),
    /// Nothing was changed at the host.
    Refused(Report),
    /// Some of it was done.
    Halfway(Report),
}

/// Builds the site and takes it to its host.
///
/// # Errors
/// Problems of the site, of the host, or of what was asked for.
pub fn run(options: &Options, told: &dyn Told) -> Result<Summary, Stopped> {
    let refused = |d: Diagnostic| Stopped::Refused(Report::of(d));
    let disk = Disk::open(&options.build.root).map_err(refused)?;
    let text = disk.config().map_err(refused)?;
    let (config, report) = Config::read(&text, &options.build.overrides);
    let config = match config {
        Some(config) if !report.has_errors() => config,
        // With errors in the configuration the build says what else is wrong.
        _ => return Err(Stopped::Refused(pipeline::build(&options.build, told).err().unwrap_or(report))),
    };
    let destination = choose(&config, options.target.as_deref(), told).map_err(|d| Stopped::Usage(Report::of(d)))?;
    let output = options.build.output.clone().unwrap_or_else(|| disk.root().join("public"));
    let context = Context { root: disk.root(), output: &output, force: options.force };
    let deploy = Deploy { options, config: &config, destination, context, told };
    if options.action == Action::RollBack {
        return deploy.roll_back();
    }
    let built = pipeline::build(&options.build, told).map_err(Stopped::Refused)?;
    told.built(&built.report);
    deploy.run()
}

fn choose<'c>(config: &'c Config, name: Option<&str>, told: &dyn Told) -> Result<&'c Destination, Diagnostic> {
    let names: Vec<&str> = config.deploy.iter().map(|d| d.name.as_str()).collect();
    if names.is_empty() {
        return Err(Diagnostic::error("site.toml names no place to deploy to").hint(
            "add a table such as [deploy.production] with target = \"rsync\" and destination = \"user@host:/var/www/site\"; see docs/deploying",
        ));
    }
    let known = format!("known: {}", names.join(", "));
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => (*only).to_owned(),
        (None, _) => {
            told.choose(&names).ok_or_else(|| Diagnostic::error("site.toml names several places to deploy to: say which").hint(known.clone()))?
        }
    };
    config.deploy.iter().find(|d| d.name == name).ok_or_else(|| {
        let nearest = crate::diag::nearest(&name, names.iter().copied()).map_or(String::new(), |n| format!("did you mean `{n}`? "));
        Diagnostic::error(format!("site.toml has no [deploy.{name}]")).hint(format!("{nearest}{known}"))
    })
}

/// A deploy under way.
struct Deploy<'a> {
    options: &'a Options,
    config: &'a Config,
    destination: &'a Destination,
    context: Context<'a>,
    told: &'a dyn Told,
}

impl Deploy<'_> {
    fn run(&self) -> Result<Summary, Stopped> {
        let mut host = self.open()?;
        let here = self.files(&host)?;
        if let Some(indexnow) = &self.destination.indexnow {
            after::check_key(indexnow, &here).map_err(|d| Stopped::Refused(self.placed(d)))?;
        }
        let mut summary = match &mut host {
            Host::Files(remote) => self.to_files(remote.as_ref(), here)?,
            Host::Whole(whole) => self.to_whole(whole.as_mut(), &here)?,
        };
        if summary.done == Done::Deployed {
            self.tell_search_engines(&mut summary);
        }
        Ok(summary)
    }

    fn open(&self) -> Result<Host, Stopped> {
        remote::open(self.destination, self.context).map_err(|d| Stopped::Refused(self.placed(d)))
    }

    /// A report of one problem of the site's, with its place in the text.
    fn placed(&self, problem: Diagnostic) -> Report {
        let mut report = Report::of(problem);
        if let Ok(disk) = Disk::open(self.context.root) {
            report.attach(|file| disk.text_for_message(file));
        }
        report
    }

    fn failed(&self, place: &str) -> impl Fn(&str, &Failure) -> Diagnostic + '_ {
        let place = place.to_owned();
        move |what, failure| failure.diagnose(what, &place, remote::secrets(&self.destination.target))
    }

    /// The files of the output, and those that the host wants besides.
    fn files(&self, host: &Host) -> Result<Vec<LocalFile>, Stopped> {
        let dressing = Dressing { cache: &self.destination.cache, keeps: host.keeps_headers(), precompress: &self.destination.precompress };
        let mut here = files::list(self.context.output, dressing).map_err(Stopped::Refused)?;
        let mut add = |name: &str, bytes: Vec<u8>| {
            if let Ok(path) = OutPath::new(name)
                && !here.iter().any(|f| f.path == path)
            {
                here.push(LocalFile::made(path, bytes, dressing, ""));
            }
        };
        if let Target::Git { cname, .. } = &self.destination.target {
            // GitHub Pages passes over names that start with an underscore unless told not to run Jekyll.
            add(".nojekyll", Vec::new());
            if *cname == Cname::Write {
                add("CNAME", format!("{}\n", self.config.base_url.host()).into_bytes());
            }
        }
        self.add_redirects(&mut here, dressing).map_err(|f| Stopped::Refused(Report::of(self.failed(&host.place())("redirects", &f))))?;
        here.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(here)
    }

    /// Redirects as the host has them, for the pages that redirect where it has none.
    fn add_redirects(&self, here: &mut Vec<LocalFile>, dressing: Dressing<'_>) -> Result<(), Failure> {
        let dialect = match &self.destination.target {
            Target::Netlify { .. } => Dialect::Netlify,
            Target::CloudflarePages { .. } => Dialect::Cloudflare,
            _ => return Ok(()),
        };
        let left_out = redirects::add(here, dialect, dressing)?;
        if left_out > 0 {
            self.told.note(&format!(
                "{left_out} aliases have no line in _redirects, since Cloudflare reads {} of them; their pages redirect in the browser",
                redirects::MOST
            ));
        }
        Ok(())
    }

    fn compare(&self, here: Vec<LocalFile>, now: &Manifest) -> Difference {
        let compare = if self.options.force == Force::Yes { Compare::Nothing } else { Compare::Difference };
        Difference::of(here, now, compare, self.keeping())
    }

    fn keeping(&self) -> Keeping {
        let days = if self.destination.target.keeps_old() { self.destination.keep_assets_days } else { 0 };
        Keeping { now: self.options.now, days }
    }

    fn crew(&self) -> Crew<'_> {
        Crew { size: self.destination.concurrency, progress: self.told }
    }

    fn summary(&self, difference: &Difference, place: &str, done: Done) -> Summary {
        Summary::of(difference, &self.destination.name, place, &self.config.base_url.absolute("/"), done)
    }

    fn manifest(&self, difference: &Difference) -> Manifest {
        let mut manifest = Manifest::new(&self.config.base_url.absolute(""), self.options.now);
        manifest.files.clone_from(&difference.files);
        manifest.kept.clone_from(&difference.kept);
        manifest
    }

    /// Many deletes are agreed to, or nothing is done.
    fn agree(&self, difference: &Difference, there: &Manifest) -> Result<(), Stopped> {
        if self.options.consent == Consent::Given || !difference.deletes_much(there, self.destination.max_deletes) {
            return Ok(());
        }
        let (deletes, all) = (difference.deletes.len(), there.files.len());
        let some = difference.deletes.iter().take(3).map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
        match self.told.ask(&format!("{deletes} of {all} files would be deleted ({some}, …). Go on?")) {
            Some(true) => Ok(()),
            Some(false) => Err(Stopped::Refused(Report::of(Diagnostic::error("the deploy was called off")))),
            None => Err(Stopped::Refused(Report::of(
                Diagnostic::error(format!("{deletes} of {all} files would be deleted ({some}, …), which is more than goes without a question"))
                    .hint("look at it with --dry-run; agree with --yes, or raise `max_deletes` (a third of the files is always asked about)"),
            ))),
        }
    }

    fn to_files(&self, remote: &dyn Remote, here: Vec<LocalFile>) -> Result<Summary, Stopped> {
        let place = remote.place();
        let failed = self.failed(&place);
        let refuse = |what: &'static str| {
            let failed = &failed;
            move |f: Failure| Stopped::Refused(Report::of(failed(what, &f)))
        };
        let look = refuse("what is there could not be read");
        let there = There::read(remote).map_err(&look)?;
        let now = there.now();
        let difference = self.compare(here.clone(), &now);
        if self.options.action == Action::Plan {
            return Ok(self.summary(&difference, &place, Done::Planned));
        }
        if difference.is_empty() && there.journal.is_none() && difference.kept == there.manifest.kept {
            return Ok(self.summary(&difference, &place, Done::Deployed));
        }
        // Only now is it worth a lock; what is there is looked at again under it.
        let (lock, taken_over) = Lock::take(remote, self.options.force).map_err(refuse("it cannot be locked"))?;
        if let Some(note) = taken_over {
            self.told.note(&note);
        }
        lock.hold(|| self.under_lock(remote, here, &place))
    }

    fn under_lock(&self, remote: &dyn Remote, here: Vec<LocalFile>, place: &str) -> Result<Summary, Stopped> {
        let failed = self.failed(place);
        let refused = |f: Failure| Stopped::Refused(Report::of(failed("what is there could not be read", &f)));
        let crew = self.crew();
        let there = There::read(remote).map_err(refused)?;
        if self.options.force == Force::No && there.journal.as_ref().is_some_and(|j| j.rolling_back.is_some()) {
            let error = Diagnostic::error(format!("{place}: a rollback was broken off"));
            return Err(Stopped::Refused(Report::of(error.hint("run `folio deploy --rollback` again, or deploy over it with --force"))));
        }
        let now = there.now();
        let difference = self.compare(here, &now);
        if self.options.force == Force::No {
            foreign::refuse(remote, &difference, &now, &crew).map_err(|f| Stopped::Refused(Report::of(failed("nothing was uploaded", &f))))?;
        }
        let summary = self.summary(&difference, place, Done::Deployed);
        self.told.plan(&summary);
        self.agree(&difference, &now)?;
        let manifest = self.manifest(&difference);
        let publishing = Publishing { remote, crew: &crew, there: &there, difference: &difference, manifest };
        let verified = publishing.run(&failed).map_err(Stopped::Halfway)?;
        Ok(Summary { verified, ..summary })
    }

    fn to_whole(&self, whole: &mut dyn Whole, here: &[LocalFile]) -> Result<Summary, Stopped> {
        let place = whole.place();
        let failed = self.failed(&place);
        let refuse = |what: &str, f: &Failure| Stopped::Refused(Report::of(failed(what, f)));
        whole.check(here).map_err(|f| refuse("it will not take this site", &f))?;
        let (manifest, others) = whole.look().map_err(|f| refuse("what is there could not be read", &f))?;
        let there = manifest.unwrap_or_default();
        let difference = Difference::of(here.to_vec(), &there, Compare::Difference, self.keeping());
        if self.options.force == Force::No {
            foreign::refuse_listed(difference.files.keys(), &others).map_err(|f| refuse("nothing was uploaded", &f))?;
        }
        let planned = self.options.action == Action::Plan;
        let summary = self.summary(&difference, &place, if planned { Done::Planned } else { Done::Deployed });
        if planned || (difference.is_empty() && difference.kept == there.kept && self.options.force == Force::No) {
            return Ok(summary);
        }
        self.told.plan(&summary);
        self.agree(&difference, &there)?;
        let manifest = self.manifest(&difference);
        let change = WholeChange { difference: &difference, here, manifest: &manifest, force: self.options.force };
        whole.publish(&change, &self.crew()).map_err(|f| refuse("it was not published", &f))?;
        Ok(summary)
    }

    fn roll_back(&self) -> Result<Summary, Stopped> {
        let mut host = self.open()?;
        let place = host.place();
        let failed = self.failed(&place);
        let refused = |f: Failure| Stopped::Refused(Report::of(failed("it was not rolled back", &f)));
        let mut summary = self.summary(&Difference::default(), &place, Done::RolledBack);
        match &mut host {
            Host::Whole(whole) => summary.restored = Some(whole.roll_back().map_err(refused)?),
            Host::Files(remote) => {
                let (lock, taken_over) = Lock::take(remote.as_ref(), self.options.force).map_err(refused)?;
                if let Some(note) = taken_over {
                    self.told.note(&note);
                }
                let result = lock.hold(|| releases::roll_back(remote.as_ref(), &self.crew()));
                let (manifest, files) =
                    result.map_err(|f| Stopped::Refused(Report::of(failed("it was not rolled back to the end; run it again", &f))))?;
                let when = jiff::Timestamp::from_second(manifest.deployed).map_or_else(|_| "an unknown time".to_owned(), |t| t.to_string());
                summary.restored = Some(format!("the deploy of {when}: {files} files put back or taken away"));
            }
        }
        Ok(summary)
    }

    fn tell_search_engines(&self, summary: &mut Summary) {
        let Some(indexnow) = &self.destination.indexnow else { return };
        let url = &self.config.base_url;
        let paths = summary.changed_paths();
        let addresses = after::addresses(url.origin(), url.prefix(), paths.iter());
        if addresses.is_empty() {
            return;
        }
        let location = url.absolute(&format!("/{}.txt", indexnow.key));
        match net::wait(async {
            after::tell(&net::client().build().map_err(|e| net::in_words(&e))?, indexnow, url.host(), &location, &addresses).await
        }) {
            Ok(()) => summary.told = addresses.len(),
            Err(e) => self.told.note(&format!("IndexNow was not told of the changed pages: {e}")),
        }
    }
}
