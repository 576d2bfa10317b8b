//! After a deploy: a sample is read back, and search engines are told.

use std::time::Duration;

use super::failure::{Failure, FailureKind, retry};
use super::files::{LocalFile, hash};
use super::manifest::NAME;
use super::remote::Remote;
use crate::config::deploy::IndexNow;
use crate::diag::Diagnostic;
use crate::paths::OutPath;

/// How many files are read back.
const SAMPLE: usize = 8;
/// A file that is larger is not read back.
const LARGEST: u64 = 16 << 20;
/// The most addresses in one message (indexnow.org, documentation).
const URLS: usize = 10_000;

/// Reads a few of the files back and compares them, and says how many.
///
/// # Errors
/// When one is not there as it was sent: its path, and why.
pub fn verify_files(remote: &dyn Remote, sent: &[&LocalFile]) -> Result<usize, (String, Failure)> {
    let small: Vec<&&LocalFile> = sent.iter().filter(|f| f.entry.size <= LARGEST).collect();
    let sample: Vec<&&LocalFile> = small.iter().step_by(small.len().div_ceil(SAMPLE).max(1)).copied().collect();
    for file in &sample {
        let path = file.path.as_str();
        let back = retry(|| remote.read(path, LARGEST)).map_err(|f| (path.to_owned(), f))?;
        if back.is_none_or(|bytes| hash(&bytes) != file.entry.hash) {
            return Err((path.to_owned(), Failure::new(FailureKind::Other, format!("`{path}` is not there as it was sent"))));
        }
    }
    Ok(sample.len())
}

/// Reads the manifest back and compares it.
///
/// # Errors
/// When it is not there as it was sent.
pub fn verify_manifest(remote: &dyn Remote, manifest: &[u8]) -> Result<(), Failure> {
    match retry(|| remote.read(NAME, super::manifest::LIMIT))? {
        Some(bytes) if bytes == manifest => Ok(()),
        _ => Err(Failure::new(FailureKind::Other, format!("{NAME} is not there as it was sent; is somebody else writing there?"))),
    }
}

/// Checks that the site has the file by which IndexNow knows whose key it is.
///
/// # Errors
/// When it has not.
pub fn check_key(indexnow: &IndexNow, here: &[LocalFile]) -> Result<(), Diagnostic> {
    let name = format!("{}.txt", indexnow.key);
    let file = here.iter().find(|f| f.path.as_str() == name);
    if file.and_then(|f| f.bytes().ok()).is_some_and(|bytes| String::from_utf8_lossy(&bytes).trim() == indexnow.key) {
        return Ok(());
    }
    Err(Diagnostic::error(format!("IndexNow looks for /{name} with the key in it, and the site has no such file"))
        .in_file(crate::config::FILE)
        .at_text("indexnow_key")
        .hint(format!("write the key into static/{name}")))
}

/// The addresses of changed pages.
#[must_use]
pub fn addresses<'a>(origin: &str, prefix: &str, paths: impl Iterator<Item = &'a OutPath>) -> Vec<String> {
    let pages = paths.filter(|path| path.as_str().ends_with(".html") && path.as_str() != "404.html");
    pages.map(|path| format!("{origin}{prefix}{}", path.route().encoded())).collect()
}

/// Tells IndexNow of changed pages (indexnow.org, documentation: submitting a set of URLs).
///
/// # Errors
/// When the message is not taken.
pub async fn tell(client: &reqwest::Client, indexnow: &IndexNow, host: &str, location: &str, urls: &[String]) -> Result<(), String> {
    for part in urls.chunks(URLS) {
        let message = serde_json::json!({"host": host, "key": indexnow.key, "keyLocation": location, "urlList": part});
        let request = client.post(&indexnow.endpoint).header("content-type", "application/json; charset=utf-8").body(message.to_string());
        let answer = request.timeout(Duration::from_secs(20)).send().await.map_err(|e| crate::net::in_words(&e))?;
        if !answer.status().is_success() {
            return Err(format!("{} answered {}", indexnow.endpoint, answer.status()));
        }
    }
    Ok(())
}
