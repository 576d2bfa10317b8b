//! What requests to other hosts have in common: TLS, a runtime, and errors in words.

/// A client for HTTP to be finished, with the system's certificates.
pub(crate) fn client() -> reqwest::ClientBuilder {
    provide_tls();
    reqwest::Client::builder().user_agent(concat!("folio/", env!("CARGO_PKG_VERSION")))
}

/// Says once which cryptography TLS is done with.
pub(crate) fn provide_tls() {
    // An error says that it has been said before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Does something that waits for a network, on a runtime of its own.
///
/// # Errors
/// What it fails with, or that there is no runtime.
pub(crate) fn wait<T>(task: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    runtime().map_err(|e| e.to_string())?.block_on(task)
}

/// A runtime for requests.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// An error with what lies behind it, each said once.
#[must_use]
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let text = inner.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        source = inner.source();
    }
    words
}
