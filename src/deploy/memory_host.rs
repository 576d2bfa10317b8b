//! A host in memory that fails where a test says, and tests of a deploy's order and recovery on it.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::difference::{Difference, Retention, Upload};
use super::error::HostError;
use super::file_host::{FileHost, RemoteFile};
use super::files::{HeaderPolicy, LocalFile, hash};
use super::manifest::{JOURNAL, MANIFEST, Manifest};
use super::publish::Publisher;
use super::remote_state::RemoteState;
use super::rollback;
use super::worker_pool::WorkerPool;
use crate::config::deploy::CacheControl;
use crate::paths::OutPath;
use crate::session::NoProgress;

/// A host in memory. Operations that change it are numbered from 0; the one at `fail_at` and every
/// later one fail.
#[derive(Default)]
struct MemoryHost {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    operations: Mutex<Vec<String>>,
    fail_at: Mutex<Option<usize>>,
}

impl MemoryHost {
    fn change(
        &self,
        operation: String,
        change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>),
    ) -> Result<(), HostError> {
        let mut operations = self.operations.lock();
        if self.fail_at.lock().is_some_and(|n| operations.len() >= n) {
            return Err(HostError::other("the test interrupts the deploy"));
        }
        operations.push(operation);
        change(&mut self.files.lock());
        Ok(())
    }

    /// The files of the site, without those of Folio.
    fn site(&self) -> BTreeMap<String, String> {
        let files = self.files.lock();
        files
            .iter()
            .filter(|(path, _)| !super::manifest::is_reserved(path))
            .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()))
            .collect()
    }
}

impl FileHost for MemoryHost {
    fn place(&self) -> String {
        "memory".into()
    }

    fn read(&self, path: &str, _: u64) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.files.lock().get(path).cloned())
    }

    fn put(&self, upload: &Upload) -> Result<(), HostError> {
        let bytes = upload.file.bytes().expect("the file is in memory");
        let path = upload.file.path.as_str().to_owned();
        self.change(format!("put {path}"), |files| drop(files.insert(path, bytes)))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        self.change(format!("write {path}"), |files| {
            files.insert(path.to_owned(), bytes.to_vec());
        })
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), HostError> {
        self.change(format!("copy {from}"), |files| {
            if let Some(bytes) = files.get(from).cloned() {
                files.insert(to.to_owned(), bytes);
            }
        })
    }

    fn delete(&self, path: &str) -> Result<(), HostError> {
        self.change(format!("delete {path}"), |files| drop(files.remove(path)))
    }

    fn existing(
        &self,
        paths: &[&str],
        _: &WorkerPool<'_>,
    ) -> Result<BTreeMap<String, RemoteFile>, HostError> {
        let files = self.files.lock();
        let file = |path: &&str| {
            let bytes = files.get(*path)?;
            let file = RemoteFile { size: bytes.len() as u64, hash: Some(hash(bytes)) };
            Some(((*path).to_owned(), file))
        };
        Ok(paths.iter().filter_map(file).collect())
    }
}

const WORKERS: WorkerPool<'static> = WorkerPool { size: 1, progress: &NoProgress };

fn local_files(files: &[(&str, &str)]) -> Vec<LocalFile> {
    let cache = CacheControl { pages: String::new(), assets: String::new() };
    let policy = HeaderPolicy { cache: &cache, keeps_headers: false, precompress: &[] };
    files
        .iter()
        .map(|(path, text)| {
            let path = OutPath::new(path).unwrap();
            LocalFile::generated(path, text.as_bytes().to_vec(), policy, "")
        })
        .collect()
}

/// Deploys these files as `folio deploy` does once it holds the lock.
fn deploy(host: &MemoryHost, files: &[(&str, &str)]) -> Result<usize, Vec<(String, HostError)>> {
    let state = RemoteState::read(host).unwrap();
    let retention = Retention { now: 0, days: 0 };
    let difference = Difference::of(local_files(files), &state.current(), false, retention);
    let mut manifest = Manifest::new("https://t.example", 0);
    manifest.files.clone_from(&difference.files);
    Publisher { host, workers: &WORKERS, state: &state, difference: &difference, manifest }.run()
}

const OLD: [(&str, &str); 4] =
    [("a.css", "old"), ("atom.xml", "old"), ("index.html", "old"), ("old.html", "old")];
const NEW: [(&str, &str); 4] =
    [("a.css", "new"), ("atom.xml", "new"), ("index.html", "new"), ("new.html", "new")];

fn site(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn assets_come_before_pages_and_deletions_after_the_manifest() {
    let host = MemoryHost::default();
    deploy(&host, &OLD).unwrap();
    host.operations.lock().clear();
    deploy(&host, &NEW).unwrap();
    assert_eq!(host.site(), site(&NEW));
    let operations = host.operations.lock();
    let order: Vec<&str> = operations
        .iter()
        .map(String::as_str)
        .filter(|o| o.starts_with("put") || o.starts_with("delete old") || o.ends_with(MANIFEST))
        .filter(|o| !o.contains(".folio-releases"))
        .collect();
    let manifest = format!("write {MANIFEST}");
    assert_eq!(
        order,
        [
            "put a.css",
            "put new.html",
            "put index.html",
            "put atom.xml",
            &manifest,
            "delete old.html",
            &manifest
        ]
    );
}

#[test]
fn a_deploy_interrupted_anywhere_is_resumed_and_can_be_rolled_back() {
    let complete = {
        let host = MemoryHost::default();
        deploy(&host, &OLD).unwrap();
        host.operations.lock().clear();
        deploy(&host, &NEW).unwrap();
        host.operations.lock().len()
    };
    for step in 0..complete {
        let host = MemoryHost::default();
        deploy(&host, &OLD).unwrap();
        let done = host.operations.lock().len();
        *host.fail_at.lock() = Some(done + step);
        assert!(deploy(&host, &NEW).is_err(), "step {step}");
        *host.fail_at.lock() = None;
        deploy(&host, &NEW).unwrap();
        assert_eq!(host.site(), site(&NEW), "step {step}");
        assert!(!host.files.lock().contains_key(JOURNAL), "step {step}");
        assert!(rollback::run(&host, &WORKERS, false).is_ok(), "step {step}");
        assert_eq!(host.site(), site(&OLD), "step {step}");
    }
}

#[test]
fn a_rollback_interrupted_anywhere_is_resumed() {
    for step in 0..100 {
        let host = MemoryHost::default();
        deploy(&host, &OLD).unwrap();
        deploy(&host, &NEW).unwrap();
        let done = host.operations.lock().len();
        *host.fail_at.lock() = Some(done + step);
        if rollback::run(&host, &WORKERS, false).is_ok() {
            assert!(step > 5, "the rollback has only {step} steps");
            return;
        }
        *host.fail_at.lock() = None;
        assert!(rollback::run(&host, &WORKERS, false).is_ok(), "step {step}");
        assert_eq!(host.site(), site(&OLD), "step {step}");
    }
    panic!("the rollback never ends");
}
