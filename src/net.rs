//! What all requests to other hosts share: TLS, the HTTP client and the Tokio runtime.
//!
//! This module must not know what is requested.

use std::io;
use std::sync::Once;

/// A builder of HTTP clients that use the system's certificates.
pub(crate) fn client() -> reqwest::ClientBuilder {
    install_tls_provider();
    reqwest::Client::builder().user_agent(concat!("folio/", env!("CARGO_PKG_VERSION")))
}

/// Makes `ring` the cryptography of TLS, once per process.
pub(crate) fn install_tls_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // This fails only if another provider is installed, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A Tokio runtime for requests.
///
/// # Errors
/// When the system does not start threads.
#[cfg(feature = "deploy")]
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// A Tokio runtime on the current thread.
///
/// # Errors
/// When the system does not provide one.
#[cfg(feature = "external-links")]
pub(crate) fn single_threaded_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
