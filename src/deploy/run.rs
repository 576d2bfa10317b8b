//! Runs a deploy: build, compare, confirm, publish.

use super::conflicts;
use super::difference::{Difference, Retention};
use super::error::{DeployError, HostError, error_chain};
use super::file_host::{AtomicChange, AtomicHost, FileHost};
use super::files::{self, HeaderPolicy, LocalFile};
use super::hosts::{self, Host, HostContext};
use super::index_now;
use super::lock::DeployLock;
use super::manifest::Manifest;
use super::options::{Action, DeployOptions};
use super::publish::Publisher;
use super::redirects::{self, Dialect};
use super::remote_state::RemoteState;
use super::reporter::Reporter;
use super::rollback;
use super::summary::{Outcome, Summary};
use super::worker_pool::WorkerPool;
use crate::build::build;
use crate::config::Config;
use crate::config::deploy::{Destination, Target};
use crate::diag::{Diagnostic, LocatedReport, Report, nearest};
use crate::load::ConfigFiles;
use crate::load::Disk;
use crate::paths::OutPath;
use crate::session::finish_report;

/// Builds the site and deploys it.
///
/// # Errors
/// Problems of the site, of the host, or of the arguments.
pub fn run(options: &DeployOptions, reporter: &dyn Reporter) -> Result<Summary, DeployError> {
    let session = &options.build.session;
    let refused = |d: Diagnostic| DeployError::Refused(d.into());
    let disk = Disk::open(&session.root).map_err(refused)?;
    let ConfigFiles { config, problems, .. } =
        disk.read_config(&session.overrides).map_err(refused)?;
    let Some(config) = config.filter(|_| !problems.has_errors()) else {
        // The build reports what else is wrong with the site.
        let report = build(&options.build, reporter).err();
        let report = report.unwrap_or_else(|| finish_report(problems, &disk));
        return Err(DeployError::Refused(report));
    };
    let destination = choose(&config, options.target.as_deref(), reporter)
        .map_err(|d| DeployError::Usage(d.into()))?;
    let output = options.build.output.clone().unwrap_or_else(|| disk.root().join("public"));
    let context = HostContext { root: disk.root(), output: &output, force: options.force };
    let deploy = Deploy { options, config: &config, destination, context, disk: &disk, reporter };
    if options.action == Action::RollBack {
        return deploy.roll_back();
    }
    let built = build(&options.build, reporter).map_err(DeployError::Refused)?;
    reporter.built(&built.report);
    deploy.run()
}

fn choose<'c>(
    config: &'c Config,
    name: Option<&str>,
    reporter: &dyn Reporter,
) -> Result<&'c Destination, Diagnostic> {
    let names: Vec<&str> = config.deploy.iter().map(|d| d.name.as_str()).collect();
    if names.is_empty() {
        return Err(Diagnostic::error("site.toml has no deploy targets").hint(
            "add a table such as [deploy.production] with target = \"rsync\" and destination = \
             \"user@host:/var/www/site\"",
        ));
    }
    let known = format!("known targets: {}", names.join(", "));
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => (*only).to_owned(),
        (None, _) => reporter.choose(&names).ok_or_else(|| {
            Diagnostic::error("site.toml has several deploy targets; name one").hint(known.clone())
        })?,
    };
    config.deploy.iter().find(|d| d.name == name).ok_or_else(|| {
        let nearest = nearest(&name, names.iter().copied())
            .map_or(String::new(), |n| format!("did you mean `{n}`? "));
        Diagnostic::error(format!("unknown deploy target `{name}`"))
            .hint(format!("{nearest}{known}"))
    })
}

/// What a deploy works with.
struct Deploy<'a> {
    options: &'a DeployOptions,
    config: &'a Config,
    destination: &'a Destination,
    context: HostContext<'a>,
    disk: &'a Disk,
    reporter: &'a dyn Reporter,
}

/// The words for a failure to read what a host holds.
const STATE_UNREADABLE: &str = "cannot read what the host holds";

impl Deploy<'_> {
    fn run(&self) -> Result<Summary, DeployError> {
        let mut host = self.open_host()?;
        let files = self.files(&host)?;
        if let Some(settings) = &self.destination.indexnow {
            index_now::check_key(settings, &files).map_err(|d| self.refused_at(d))?;
        }
        let mut summary = match &mut host {
            Host::Files(host) => self.deploy_files(host.as_ref(), files)?,
            Host::Atomic(host) => self.deploy_site(host.as_mut(), &files)?,
        };
        if summary.outcome == Outcome::Deployed {
            self.notify_search_engines(&mut summary);
        }
        Ok(summary)
    }

    fn open_host(&self) -> Result<Host, DeployError> {
        hosts::open(self.destination, self.context).map_err(|d| self.refused_at(d))
    }

    /// Refuses because of a problem in a file of the site.
    fn refused_at(&self, problem: Diagnostic) -> DeployError {
        DeployError::Refused(finish_report(Report::of(problem), self.disk))
    }

    /// Refuses because `what` failed at `place`.
    fn refused(&self, place: &str, what: &str, error: &HostError) -> DeployError {
        DeployError::Refused(self.diagnose(place, what, error).into())
    }

    fn diagnose(&self, place: &str, what: &str, error: &HostError) -> Diagnostic {
        error.diagnose(what, place, hosts::credentials_help(&self.destination.target))
    }

    /// The files of the output, and those that the host needs besides.
    fn files(&self, host: &Host) -> Result<Vec<LocalFile>, DeployError> {
        let policy = HeaderPolicy {
            cache: &self.destination.cache,
            keeps_headers: host.keeps_headers(),
            precompress: &self.destination.precompress,
        };
        let listed = files::list(self.context.output, policy);
        let mut files = listed.map_err(|report| DeployError::Refused(report.into()))?;
        let mut add = |name: &str, bytes: Vec<u8>| {
            if let Ok(path) = OutPath::new(name)
                && !files.iter().any(|f| f.path == path)
            {
                files.push(LocalFile::generated(path, bytes, policy, ""));
            }
        };
        if let Target::Git { write_cname, .. } = &self.destination.target {
            // Without this file, GitHub Pages runs Jekyll, which skips names that start with `_`.
            add(".nojekyll", Vec::new());
            if *write_cname {
                add("CNAME", format!("{}\n", self.config.base_url.host()).into_bytes());
            }
        }
        self.add_redirects(&mut files, policy)
            .map_err(|e| self.refused(&host.place(), "cannot write redirects", &e))?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Adds redirects in the form of the host, if it has one, to the pages that redirect.
    fn add_redirects(
        &self,
        files: &mut Vec<LocalFile>,
        policy: HeaderPolicy<'_>,
    ) -> Result<(), HostError> {
        let dialect = match &self.destination.target {
            Target::Netlify { .. } => Dialect::Netlify,
            Target::CloudflarePages { .. } => Dialect::Cloudflare,
            _ => return Ok(()),
        };
        let omitted = redirects::add(files, dialect, policy)?;
        if omitted > 0 {
            let (aliases, pages) = match omitted {
                1 => ("1 alias is".to_owned(), "its page redirects"),
                n => (format!("{n} aliases are"), "their pages redirect"),
            };
            self.reporter.note(&format!(
                "{aliases} not in _redirects, of which the host reads only {} rules; {pages} in \
                 the browser",
                redirects::MAX_RULES
            ));
        }
        Ok(())
    }

    fn retention(&self) -> Retention {
        let target = &self.destination.target;
        let days = if target.retains_files() { self.destination.keep_assets_days } else { 0 };
        Retention { now: self.options.now, days }
    }

    fn workers(&self) -> WorkerPool<'_> {
        WorkerPool { size: self.destination.concurrency, progress: self.reporter }
    }

    fn summary(&self, difference: &Difference, place: &str, outcome: Outcome) -> Summary {
        let url = self.config.base_url.absolute("/");
        Summary::of(difference, &self.destination.name, place, &url, outcome)
    }

    fn manifest(&self, difference: &Difference) -> Manifest {
        let mut manifest = Manifest::new(&self.config.base_url.absolute(""), self.options.now);
        manifest.files.clone_from(&difference.files);
        manifest.kept.clone_from(&difference.retained);
        manifest
    }

    /// Asks for confirmation when many files would be deleted.
    fn confirm(&self, difference: &Difference, remote: &Manifest) -> Result<(), DeployError> {
        if self.options.assume_yes || !difference.deletes_many(remote, self.destination.max_deletes)
        {
            return Ok(());
        }
        let (deletes, all) = (difference.deletes.len(), remote.files.len());
        let examples: Vec<String> =
            difference.deletes.iter().take(3).map(|p| format!("`{p}`")).collect();
        let what =
            format!("{deletes} of {all} files would be deleted ({}, …)", examples.join(", "));
        let error = match self.reporter.ask(&format!("{what}. Continue?")) {
            Some(true) => return Ok(()),
            Some(false) => Diagnostic::error("the deploy was cancelled"),
            None => Diagnostic::error(format!("{what}; this needs confirmation")).hint(
                "look at them with --dry-run, confirm with --yes, or raise `max_deletes` (more \
                 than a third of the files always needs confirmation)",
            ),
        };
        Err(DeployError::Refused(error.into()))
    }

    fn deploy_files(
        &self,
        host: &dyn FileHost,
        files: Vec<LocalFile>,
    ) -> Result<Summary, DeployError> {
        let place = host.place();
        let state =
            RemoteState::read(host).map_err(|e| self.refused(&place, STATE_UNREADABLE, &e))?;
        let difference =
            Difference::of(files.clone(), &state.current(), self.options.force, self.retention());
        if self.options.action == Action::Plan {
            return Ok(self.summary(&difference, &place, Outcome::Planned));
        }
        if difference.is_empty()
            && state.journal.is_none()
            && difference.retained == state.manifest.kept
        {
            return Ok(self.summary(&difference, &place, Outcome::Deployed));
        }
        let lock = self.lock(host, &place)?;
        // The state may have changed before the lock was acquired.
        lock.hold(|| self.deploy_locked(host, files, &place))
    }

    fn lock<'h>(&self, host: &'h dyn FileHost, place: &str) -> Result<DeployLock<'h>, DeployError> {
        let (lock, note) = DeployLock::acquire(host, self.options.force)
            .map_err(|e| self.refused(place, "cannot lock the host", &e))?;
        if let Some(note) = note {
            self.reporter.note(&note);
        }
        Ok(lock)
    }

    fn deploy_locked(
        &self,
        host: &dyn FileHost,
        files: Vec<LocalFile>,
        place: &str,
    ) -> Result<Summary, DeployError> {
        let workers = self.workers();
        let state =
            RemoteState::read(host).map_err(|e| self.refused(place, STATE_UNREADABLE, &e))?;
        if !self.options.force && state.is_rolling_back() {
            let error = Diagnostic::error(format!("{place}: a rollback was interrupted")).hint(
                "run `folio deploy --rollback` again to resume it, or deploy over it with --force",
            );
            return Err(DeployError::Refused(error.into()));
        }
        let current = state.current();
        let mut difference = Difference::of(files, &current, self.options.force, self.retention());
        if !self.options.force {
            let kept = conflicts::check(host, &difference, &current, &workers)
                .and_then(|()| {
                    let touched = state.touched();
                    conflicts::changed(host, &difference, &current, &touched, &workers)
                })
                .and_then(|changed| conflicts::keep_changed(&mut difference, &changed))
                .map_err(|e| self.refused(place, "nothing was uploaded", &e))?;
            if !kept.is_empty() {
                self.reporter.note(&format!(
                    "{} changed on the host since the last deploy and {} kept; delete it there",
                    conflicts::examples(&kept.iter().cloned().collect()),
                    if kept.len() == 1 { "is" } else { "are" }
                ));
            }
        }
        let summary = self.summary(&difference, place, Outcome::Deployed);
        self.reporter.plan(&summary);
        self.confirm(&difference, &current)?;
        let manifest = self.manifest(&difference);
        let publisher =
            Publisher { host, workers: &workers, state: &state, difference: &difference, manifest };
        let verified = publisher.run().map_err(|failures| {
            let diagnose = |(what, error): &(String, HostError)| self.diagnose(place, what, error);
            let report: Report = failures.iter().map(diagnose).collect();
            DeployError::Incomplete(report.into())
        })?;
        Ok(Summary { verified, ..summary })
    }

    fn deploy_site(
        &self,
        host: &mut dyn AtomicHost,
        files: &[LocalFile],
    ) -> Result<Summary, DeployError> {
        let place = host.place();
        host.check(files)
            .map_err(|e| self.refused(&place, "the host does not accept this site", &e))?;
        let (manifest, others) =
            host.state().map_err(|e| self.refused(&place, STATE_UNREADABLE, &e))?;
        let remote = manifest.unwrap_or_default();
        // Such a host receives the whole site anyway, so `force` makes no difference here.
        let difference = Difference::of(files.to_vec(), &remote, false, self.retention());
        if !self.options.force {
            conflicts::check_listed(difference.files.keys(), &others)
                .map_err(|e| self.refused(&place, "nothing was uploaded", &e))?;
        }
        if self.options.action == Action::Plan {
            return Ok(self.summary(&difference, &place, Outcome::Planned));
        }
        let summary = self.summary(&difference, &place, Outcome::Deployed);
        let is_unchanged = difference.is_empty() && difference.retained == remote.kept;
        if is_unchanged && !self.options.force {
            return Ok(summary);
        }
        self.reporter.plan(&summary);
        self.confirm(&difference, &remote)?;
        let manifest = self.manifest(&difference);
        let change = AtomicChange {
            difference: &difference,
            files,
            manifest: &manifest,
            force: self.options.force,
        };
        host.publish(&change, &self.workers())
            .map_err(|e| self.refused(&place, "the site was not published", &e))?;
        Ok(summary)
    }

    fn roll_back(&self) -> Result<Summary, DeployError> {
        let mut host = self.open_host()?;
        let place = host.place();
        let mut summary = self.summary(&Difference::default(), &place, Outcome::RolledBack);
        let restored = match &mut host {
            Host::Atomic(host) => {
                host.roll_back().map_err(|e| self.refused(&place, "cannot roll back", &e))?
            }
            Host::Files(host) => {
                let lock = self.lock(host.as_ref(), &place)?;
                let result =
                    lock.hold(|| rollback::run(host.as_ref(), &self.workers(), self.options.force));
                let rolled_back = result.map_err(|failure| match failure {
                    rollback::Failure::NotStarted(e) => {
                        self.refused(&place, "cannot roll back", &e)
                    }
                    rollback::Failure::Incomplete(e) => {
                        let what = "the rollback is incomplete; run it again to resume";
                        DeployError::Incomplete(self.diagnose(&place, what, &e).into())
                    }
                })?;
                rolled_back.describe()
            }
        };
        summary.restored = Some(restored);
        Ok(summary)
    }

    fn notify_search_engines(&self, summary: &mut Summary) {
        let Some(settings) = &self.destination.indexnow else { return };
        match index_now::notify(settings, &self.config.base_url, &summary.changed_paths()) {
            Ok(urls) => summary.announced = urls,
            Err(e) => {
                let reason = error_chain(e.as_ref());
                self.reporter.note(&format!("IndexNow could not be notified: {reason}"));
            }
        }
    }
}

/// A report that is not about the site's files.
impl From<Diagnostic> for DeployError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Refused(LocatedReport::from(diagnostic))
    }
}
