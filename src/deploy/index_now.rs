//! Notifies search engines of changed pages (indexnow.org, documentation).

use std::time::Duration;

use super::error::Source;
use super::files::LocalFile;
use crate::config::BaseUrl;
use crate::config::deploy::IndexNow;
use crate::diag::Diagnostic;
use crate::net;
use crate::paths::OutPath;

/// The most URLs of one request (documentation: "Submitting set of URLs").
const MAX_URLS: usize = 10_000;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Checks that the site has the file that proves the ownership of the key.
///
/// # Errors
/// When it does not.
pub fn check_key(settings: &IndexNow, files: &[LocalFile]) -> Result<(), Diagnostic> {
    let name = format!("{}.txt", settings.key);
    let content = files.iter().find(|f| f.path.as_str() == name).and_then(|f| f.bytes().ok());
    if content.is_some_and(|bytes| String::from_utf8_lossy(&bytes).trim() == settings.key) {
        return Ok(());
    }
    Err(Diagnostic::error(format!(
        "the site has no file /{name} with the IndexNow key, which search engines require"
    ))
    .in_file(crate::config::FILE)
    .at_text("indexnow_key")
    .hint(format!("write the key into static/{name}")))
}

/// Submits the URLs of changed pages, and returns how many there are.
///
/// # Errors
/// When a request fails or is rejected.
pub fn notify(settings: &IndexNow, base: &BaseUrl, paths: &[OutPath]) -> Result<usize, Source> {
    let urls: Vec<String> = paths
        .iter()
        .filter(|path| path.as_str().ends_with(".html") && path.as_str() != "404.html")
        .map(|path| base.absolute(&path.route().encoded()))
        .collect();
    if urls.is_empty() {
        return Ok(0);
    }
    let client = net::client().build()?;
    net::runtime()?.block_on(submit(&client, settings, base, &urls))?;
    Ok(urls.len())
}

async fn submit(
    client: &reqwest::Client,
    settings: &IndexNow,
    base: &BaseUrl,
    urls: &[String],
) -> Result<(), Source> {
    for urls in urls.chunks(MAX_URLS) {
        let body = serde_json::json!({
            "host": base.host(),
            "key": settings.key,
            "keyLocation": base.absolute(&format!("/{}.txt", settings.key)),
            "urlList": urls,
        });
        let request = client
            .post(&settings.endpoint)
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string());
        request.timeout(TIMEOUT).send().await?.error_for_status()?;
    }
    Ok(())
}
