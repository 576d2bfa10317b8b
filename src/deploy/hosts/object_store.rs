//! `s3`, `gcs`, `azblob` and `webdav`, through object_store.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use base64::Engine;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, RetryConfig, WriteMultipart,
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio::runtime::Runtime;

use super::object_http::{CONTAINER_CODES, StatusConnector, StatusError};
use super::size_limit::within;
use crate::config::deploy::Target;
use crate::deploy::conflicts::parent_folders;
use crate::deploy::difference::Upload;
use crate::deploy::error::HostError;
use crate::deploy::file_host::{FileHost, LockAttempt, RemoteFile};
use crate::deploy::files::FileContent;
use crate::deploy::headers::Headers;
use crate::deploy::worker_pool::WorkerPool;
use crate::net;

/// A bucket, a container, or a folder of a WebDAV server.
pub struct ObjectHost {
    objects: Box<dyn ObjectStore>,
    runtime: Runtime,
    prefix: String,
    place: String,
    kind: Kind,
}

/// The largest lock file that is read, in bytes.
const MAX_LOCK: u64 = 1 << 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Objects,
    /// WebDAV: it has folders, stores no headers, and cannot guarantee that a file is new.
    Files,
}

/// Larger files are uploaded in parts, so that memory does not grow with them.
const MULTIPART_SIZE: u64 = 32 << 20;

impl ObjectHost {
    /// Opens a store, without contacting it.
    ///
    /// # Errors
    /// When the configuration or the environment is invalid.
    pub fn open(target: &Target) -> Result<Self, HostError> {
        net::install_tls_provider();
        let runtime = net::runtime().map_err(|e| HostError::other(e.to_string()))?;
        let (objects, prefix, place, kind) = match target {
            Target::S3 { bucket, region, endpoint, prefix } => (
                s3(bucket, region.as_deref(), endpoint.as_deref())?,
                prefix.clone(),
                place("s3", bucket, prefix),
                Kind::Objects,
            ),
            Target::Gcs { bucket, endpoint, prefix } => (
                gcs(bucket, endpoint.as_deref())?,
                prefix.clone(),
                place("gs", bucket, prefix),
                Kind::Objects,
            ),
            Target::Azblob { account, container, endpoint, prefix } => {
                let name = format!("{account}/{container}");
                (
                    azblob(account, container, endpoint.as_deref())?,
                    prefix.clone(),
                    place("azblob", &name, prefix),
                    Kind::Objects,
                )
            }
            Target::Webdav { endpoint, root, user } => {
                let url = format!("{}/{}", endpoint.trim_end_matches('/'), root.trim_matches('/'));
                (
                    webdav(endpoint, user.as_deref())?,
                    root.trim_matches('/').to_owned(),
                    url,
                    Kind::Files,
                )
            }
            _ => return Err(HostError::other("not an object store")),
        };
        Ok(Self { objects, runtime, prefix, place, kind })
    }

    fn at(&self, path: &str) -> Result<Path, HostError> {
        let whole = if self.prefix.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.prefix)
        };
        Path::parse(&whole)
            .map_err(|e| HostError::other(format!("`{path}` is not a valid object name: {e}")))
    }

    fn attributes(&self, headers: &Headers) -> Attributes {
        if self.kind == Kind::Files {
            return Attributes::new();
        }
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, headers.content_type.clone().into());
        attributes.insert(Attribute::CacheControl, headers.cache_control.clone().into());
        attributes
    }

    async fn put_bytes(
        &self,
        path: &Path,
        bytes: Vec<u8>,
        attributes: Attributes,
    ) -> Result<(), HostError> {
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.objects.put_opts(path, PutPayload::from(bytes), options).await;
        put.map(|_| ()).map_err(host_error)
    }

    /// Sends a large file in parts.
    async fn put_parts(
        &self,
        path: &Path,
        source: &std::path::Path,
        attributes: Attributes,
    ) -> Result<(), HostError> {
        let local = |e: io::Error| HostError::local_file(path.as_ref(), &e);
        let file = open(source).map_err(local)?;
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let upload = self.objects.put_multipart_opts(path, options).await.map_err(host_error)?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, 8 << 20);
        let mut pieces = Pieces(file);
        while let Some(piece) = pieces.next_piece().map_err(local)? {
            writer.wait_for_capacity(4).await.map_err(host_error)?;
            writer.write(&piece);
        }
        writer.finish().await.map(|_| ()).map_err(host_error)
    }
}

#[expect(clippy::disallowed_methods, reason = "the file that is sent")]
fn open(path: &std::path::Path) -> io::Result<std::fs::File> {
    std::fs::File::open(path)
}

/// Reads a file, one megabyte at a time.
struct Pieces(std::fs::File);

impl Pieces {
    fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::with_capacity(1 << 20);
        io::Read::read_to_end(&mut io::Read::take(&mut self.0, 1 << 20), &mut piece)?;
        Ok((!piece.is_empty()).then_some(piece))
    }
}

fn place(scheme: &str, bucket: &str, prefix: &str) -> String {
    if prefix.is_empty() {
        format!("{scheme}://{bucket}")
    } else {
        format!("{scheme}://{bucket}/{prefix}")
    }
}

/// Folio retries by itself.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

fn client() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(15))
        .with_timeout(Duration::from_secs(300))
        .with_allow_http(true)
}

fn boxed<S: ObjectStore>(built: Result<S, Error>) -> Result<Box<dyn ObjectStore>, HostError> {
    built.map(|s| Box::new(s) as Box<dyn ObjectStore>).map_err(host_error)
}

/// Credentials come from the environment or the machine's role, and the region too unless it is
/// configured.
fn s3(
    bucket: &str,
    region: Option<&str>,
    endpoint: Option<&str>,
) -> Result<Box<dyn ObjectStore>, HostError> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_http_connector(StatusConnector)
        .with_client_options(client())
        .with_retry(no_retries());
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    boxed(builder.build())
}

fn gcs(bucket: &str, endpoint: Option<&str>) -> Result<Box<dyn ObjectStore>, HostError> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(bucket)
        .with_http_connector(StatusConnector)
        .with_client_options(client())
        .with_retry(no_retries());
    if let Ok(path) = std::env::var("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_application_credentials(path);
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint);
    }
    boxed(builder.build())
}

fn azblob(
    account: &str,
    container: &str,
    endpoint: Option<&str>,
) -> Result<Box<dyn ObjectStore>, HostError> {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_account(account)
        .with_container_name(container)
        .with_http_connector(StatusConnector)
        .with_client_options(client())
        .with_retry(no_retries());
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.to_owned());
    }
    boxed(builder.build())
}

/// With basic authentication (RFC 7617) if there is a user.
fn webdav(endpoint: &str, user: Option<&str>) -> Result<Box<dyn ObjectStore>, HostError> {
    let mut options = client();
    if let Some(user) = user {
        let password = std::env::var("FOLIO_WEBDAV_PASSWORD").map_err(|_| {
            HostError::access_denied(format!(
                "FOLIO_WEBDAV_PASSWORD, the password of `{user}`, is not set"
            ))
        })?;
        let word = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let mut value = HeaderValue::from_str(&format!("Basic {word}"))
            .map_err(|e| HostError::other(e.to_string()))?;
        value.set_sensitive(true);
        options = options.with_default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]));
    }
    boxed(
        HttpBuilder::new()
            .with_url(endpoint)
            .with_http_connector(StatusConnector)
            .with_client_options(options)
            .with_retry(no_retries())
            .build(),
    )
}

/// The address of the service from which machines in a cloud get their credentials. It is asked
/// when the environment has none.
const METADATA_HOST: &str = "169.254.169.254";

/// The error of a host, by the type and status of a store's error.
fn host_error(error: Error) -> HostError {
    let message = "the request failed";
    let status = StatusError::find(&error);
    let make = match (&error, status) {
        (Error::Unauthenticated { .. } | Error::PermissionDenied { .. }, _) => {
            HostError::access_denied
        }
        (Error::NotFound { .. }, _) => HostError::not_found,
        (_, Some(e)) => by_status(e),
        (Error::Generic { .. }, None) if mentions_host(&error, METADATA_HOST) => {
            HostError::access_denied
        }
        (Error::Generic { .. }, None) => HostError::transient,
        _ => HostError::other,
    };
    make(message.to_owned()).with_source(error)
}

fn by_status(error: &StatusError) -> fn(String) -> HostError {
    let is_missing = error.code.as_deref().is_some_and(|code| CONTAINER_CODES.contains(&code));
    match error.status.as_u16() {
        _ if is_missing => HostError::not_found,
        507 => HostError::out_of_space,
        408 | 425 | 429 | 500..=599 => HostError::transient,
        _ => HostError::other,
    }
}

/// Whether a cause of an error is a request to this host.
fn mentions_host(error: &(dyn std::error::Error + 'static), host: &str) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let request = error.downcast_ref::<reqwest::Error>();
        if request.and_then(|e| e.url()).and_then(|url| url.host_str()) == Some(host) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl FileHost for ObjectHost {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn keeps_headers(&self) -> bool {
        match self.kind {
            Kind::Objects => true,
            Kind::Files => false,
        }
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HostError> {
        let at = self.at(path)?;
        self.runtime.block_on(async {
            let result = match self.objects.get(&at).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                result => result.map_err(host_error)?,
            };
            let mut bytes = Vec::new();
            let mut stream = result.into_stream();
            while let Some(piece) = stream.try_next().await.map_err(host_error)? {
                bytes.extend_from_slice(&piece);
                if bytes.len() as u64 > limit {
                    break;
                }
            }
            within(path, bytes, limit).map(Some)
        })
    }

    fn put(&self, upload: &Upload) -> Result<(), HostError> {
        let at = self.at(upload.file.path.as_str())?;
        let attributes = self.attributes(&upload.file.headers);
        match &upload.file.content {
            FileContent::File(source)
                if upload.file.entry.size > MULTIPART_SIZE && self.kind == Kind::Objects =>
            {
                self.runtime.block_on(self.put_parts(&at, source, attributes))
            }
            _ => {
                let bytes = upload
                    .file
                    .bytes()
                    .map_err(|e| HostError::local_file(upload.file.path.as_str(), &e))?;
                self.runtime.block_on(self.put_bytes(&at, bytes, attributes))
            }
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        let headers =
            Headers { content_type: "application/json".into(), cache_control: "no-store".into() };
        self.runtime.block_on(self.put_bytes(
            &self.at(path)?,
            bytes.to_vec(),
            self.attributes(&headers),
        ))
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), HostError> {
        let (from, to) = (self.at(from)?, self.at(to)?);
        match self.runtime.block_on(self.objects.copy(&from, &to)) {
            Err(Error::NotFound { .. }) => Ok(()),
            result => result.map_err(host_error),
        }
    }

    fn delete(&self, path: &str) -> Result<(), HostError> {
        match self.runtime.block_on(self.objects.delete(&self.at(path)?)) {
            Err(Error::NotFound { .. }) => Ok(()),
            result => result.map_err(host_error),
        }
    }

    fn existing(
        &self,
        paths: &[&str],
        workers: &WorkerPool<'_>,
    ) -> Result<BTreeMap<String, RemoteFile>, HostError> {
        /// For more paths, listing the whole store is cheaper: a request returns a thousand names.
        const MAX_REQUESTS: usize = 32;
        // A bucket has no folders, and a WebDAV server rejects a file below a file.
        let folders: BTreeSet<&str> = paths.iter().flat_map(|path| parent_folders(path)).collect();
        let paths: Vec<&str> =
            paths.iter().copied().filter(|path| !folders.contains(path)).collect();
        if paths.len() <= MAX_REQUESTS || self.kind == Kind::Files {
            let found = workers.each(&paths, |path| {
                let at = self.at(path)?;
                match self.runtime.block_on(self.objects.head(&at)) {
                    Ok(object) => {
                        let file = RemoteFile { size: object.size, hash: None };
                        Ok(Some(((*path).to_owned(), file)))
                    }
                    Err(Error::NotFound { .. }) => Ok(None),
                    Err(e) => Err(host_error(e)),
                }
            });
            return found.into_iter().flatten().filter_map(Result::transpose).collect();
        }
        let below = if self.prefix.is_empty() {
            None
        } else {
            Some(Path::parse(&self.prefix).map_err(|e| host_error(e.into()))?)
        };
        let wanted: BTreeSet<&str> = paths.iter().copied().collect();
        self.runtime.block_on(async {
            let mut list = self
                .objects
                .list(below.as_ref())
                .map(|object| object.map(|o| (o.location.to_string(), o.size)));
            let mut found = BTreeMap::new();
            while let Some((name, size)) = list.try_next().await.map_err(host_error)? {
                let name = name.strip_prefix(&self.prefix).unwrap_or(&name).trim_start_matches('/');
                if wanted.contains(name) {
                    found.insert(name.to_owned(), RemoteFile { size, hash: None });
                }
            }
            Ok(found)
        })
    }

    fn create_lock(&self, path: &str, bytes: &[u8]) -> Result<LockAttempt, HostError> {
        if let Some(held) = self.read(path, MAX_LOCK)? {
            return Ok(LockAttempt::Held(held));
        }
        let at = self.at(path)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = || self.objects.put_opts(&at, PutPayload::from(bytes.to_vec()), options);
        match self.kind {
            Kind::Objects => match self.runtime.block_on(put()) {
                Ok(_) => Ok(LockAttempt::Acquired),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                    Ok(LockAttempt::Held(self.read(path, MAX_LOCK)?.unwrap_or_default()))
                }
                // The server does not support the condition.
                Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                    self.write_and_read_back(path, bytes)
                }
                Err(e) => Err(host_error(e)),
            },
            Kind::Files => self.write_and_read_back(path, bytes),
        }
    }
}

impl ObjectHost {
    fn write_and_read_back(&self, path: &str, bytes: &[u8]) -> Result<LockAttempt, HostError> {
        self.write(path, bytes)?;
        match self.read(path, MAX_LOCK)? {
            Some(other) if other != bytes => Ok(LockAttempt::Held(other)),
            _ => Ok(LockAttempt::Acquired),
        }
    }
}
