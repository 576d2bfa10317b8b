//! `s3`, `gcs`, `azblob` and `webdav`, through object_store.

use std::collections::BTreeSet;
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
    Attribute, Attributes, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, RetryConfig,
    WriteMultipart,
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tokio::runtime::Runtime;

use super::{Claimed, KeepsHeaders, Remote};
use crate::config::deploy::Target;
use crate::deploy::crew::Crew;
use crate::deploy::difference::Upload;
use crate::deploy::failure::{Failure, FailureKind};
use crate::deploy::files::Content;
use crate::deploy::headers::Headers;
use crate::net::{self, in_words};

/// A bucket, a container, or a folder of a WebDAV server.
pub struct Store {
    objects: Box<dyn ObjectStore>,
    runtime: Runtime,
    prefix: String,
    place: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Objects,
    /// Folders, no headers, no promise that a file is new.
    Files,
}

/// Files above this go up in parts, so that memory does not grow with them.
const LARGE: u64 = 32 << 20;

impl Store {
    /// Opens a store; nothing is asked of it yet.
    ///
    /// # Errors
    /// When what is said of it, here or in the environment, cannot be.
    pub fn open(target: &Target) -> Result<Self, Failure> {
        net::provide_tls();
        let runtime = net::runtime().map_err(|e| Failure::new(FailureKind::Other, e.to_string()))?;
        let (objects, prefix, place, kind) = match target {
            Target::S3 { bucket, region, endpoint, prefix } => {
                (s3(bucket, region.as_deref(), endpoint.as_deref())?, prefix.clone(), place("s3", bucket, prefix), Kind::Objects)
            }
            Target::Gcs { bucket, endpoint, prefix } => {
                (gcs(bucket, endpoint.as_deref())?, prefix.clone(), place("gs", bucket, prefix), Kind::Objects)
            }
            Target::Azblob { account, container, endpoint, prefix } => {
                let name = format!("{account}/{container}");
                (azblob(account, container, endpoint.as_deref())?, prefix.clone(), place("azblob", &name, prefix), Kind::Objects)
            }
            Target::Webdav { endpoint, root, user } => {
                let url = format!("{}/{}", endpoint.trim_end_matches('/'), root.trim_matches('/'));
                (webdav(endpoint, user.as_deref())?, root.trim_matches('/').to_owned(), url, Kind::Files)
            }
            _ => return Err(Failure::new(FailureKind::Other, "this is no store")),
        };
        Ok(Self { objects, runtime, prefix, place, kind })
    }

    fn at(&self, path: &str) -> Result<Path, Failure> {
        let whole = if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) };
        Path::parse(&whole).map_err(|e| Failure::new(FailureKind::Other, format!("`{path}` is no name there: {e}")))
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

    async fn put_bytes(&self, path: &Path, bytes: Vec<u8>, attributes: Attributes) -> Result<(), Failure> {
        let payload = PutPayload::from(bytes);
        let put = async || {
            let options = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
            self.objects.put_opts(path, payload.clone(), options).await.map(|_| ())
        };
        beside_others(put).await.map_err(|e| failure(&e))
    }

    /// Sends a large file in parts.
    async fn put_parts(&self, path: &Path, source: &std::path::Path, attributes: Attributes) -> Result<(), Failure> {
        let local = |e: io::Error| Failure::local(path.as_ref(), &e);
        let file = open(source).map_err(local)?;
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let upload = self.objects.put_multipart_opts(path, options).await.map_err(|e| failure(&e))?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, 8 << 20);
        let mut pieces = Pieces(file);
        while let Some(piece) = pieces.next_piece().map_err(local)? {
            writer.wait_for_capacity(4).await.map_err(|e| failure(&e))?;
            writer.write(&piece);
        }
        writer.finish().await.map(|_| ()).map_err(|e| failure(&e))
    }
}

/// Where a folder is missing, the client of WebDAV makes it. When two do so at once the second is refused, in whatever way
/// the server likes, and finds the folder there when it tries again.
async fn beside_others(attempt: impl AsyncFn() -> Result<(), Error>) -> Result<(), Error> {
    for _ in 0..3 {
        match attempt().await {
            Err(e) if in_words(&e).contains("MKCOL") => {}
            result => return result,
        }
    }
    attempt().await
}

#[expect(clippy::disallowed_methods, reason = "the file that is sent")]
fn open(path: &std::path::Path) -> io::Result<std::fs::File> {
    std::fs::File::open(path)
}

/// A file, a megabyte at a time.
struct Pieces(std::fs::File);

impl Pieces {
    fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::with_capacity(1 << 20);
        io::Read::read_to_end(&mut io::Read::take(&mut self.0, 1 << 20), &mut piece)?;
        Ok((!piece.is_empty()).then_some(piece))
    }
}

fn place(scheme: &str, bucket: &str, prefix: &str) -> String {
    if prefix.is_empty() { format!("{scheme}://{bucket}") } else { format!("{scheme}://{bucket}/{prefix}") }
}

/// Folio tries again by itself, and says so to nobody twice.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

fn client() -> ClientOptions {
    ClientOptions::new().with_connect_timeout(Duration::from_secs(15)).with_timeout(Duration::from_secs(300)).with_allow_http(true)
}

fn boxed<S: ObjectStore>(built: Result<S, Error>) -> Result<Box<dyn ObjectStore>, Failure> {
    built.map(|s| Box::new(s) as Box<dyn ObjectStore>).map_err(|e| failure(&e))
}

/// Keys come from the environment or the machine's role, the region too where it is not said.
fn s3(bucket: &str, region: Option<&str>, endpoint: Option<&str>) -> Result<Box<dyn ObjectStore>, Failure> {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_client_options(client()).with_retry(no_retries());
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    boxed(builder.build())
}

fn gcs(bucket: &str, endpoint: Option<&str>) -> Result<Box<dyn ObjectStore>, Failure> {
    let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_client_options(client()).with_retry(no_retries());
    if let Ok(path) = std::env::var("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_application_credentials(path);
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint);
    }
    boxed(builder.build())
}

fn azblob(account: &str, container: &str, endpoint: Option<&str>) -> Result<Box<dyn ObjectStore>, Failure> {
    let mut builder =
        MicrosoftAzureBuilder::from_env().with_account(account).with_container_name(container).with_client_options(client()).with_retry(no_retries());
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.to_owned());
    }
    boxed(builder.build())
}

/// Basic authentication (RFC 7617), where there is a user.
fn webdav(endpoint: &str, user: Option<&str>) -> Result<Box<dyn ObjectStore>, Failure> {
    let mut options = client();
    if let Some(user) = user {
        let password = std::env::var("FOLIO_WEBDAV_PASSWORD")
            .map_err(|_| Failure::new(FailureKind::Denied, format!("the password of `{user}` is not in the environment")))?;
        let word = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let mut value = HeaderValue::from_str(&format!("Basic {word}")).map_err(|e| Failure::new(FailureKind::Other, e.to_string()))?;
        value.set_sensitive(true);
        options = options.with_default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]));
    }
    boxed(HttpBuilder::new().with_url(endpoint).with_client_options(options).with_retry(no_retries()).build())
}

/// What a store's error comes to.
fn failure(error: &Error) -> Failure {
    let words = in_words(error);
    let kind = match error {
        Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => FailureKind::Denied,
        Error::NotFound { .. } => FailureKind::Missing,
        Error::Generic { .. } => generic(&words),
        _ => FailureKind::Other,
    };
    Failure::new(kind, first_lines(&words))
}

/// Stores put most of what can happen into one kind of error; the status is in its words, beside addresses and times,
/// whose digits say nothing.
fn generic(words: &str) -> FailureKind {
    let has = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    if has(&["status code: 507", "Insufficient Storage", "QuotaExceeded"]) {
        return FailureKind::Full;
    }
    if has(&["NoSuchBucket", "dns error", "failed to lookup"]) {
        return FailureKind::Missing;
    }
    if has(&[
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AccessDenied",
        "InvalidClientTokenId",
        "MissingCredentials",
        "CredentialsError",
        "169.254.169.254",
    ]) {
        return FailureKind::Denied;
    }
    if has(&["status code: 400", "status code: 405", "invalid certificate"]) {
        return FailureKind::Other;
    }
    FailureKind::Passing
}

/// The start of what a server says: it may be a page of markup.
fn first_lines(words: &str) -> String {
    let flat: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut: String = flat.chars().take(400).collect();
    if cut.len() < flat.len() { format!("{cut}…") } else { cut }
}

impl Remote for Store {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn keeps_headers(&self) -> KeepsHeaders {
        match self.kind {
            Kind::Objects => KeepsHeaders::Yes,
            Kind::Files => KeepsHeaders::No,
        }
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let at = self.at(path)?;
        self.runtime.block_on(async {
            let result = match self.objects.get(&at).await {
                Err(Error::NotFound { source, .. }) if in_words(source.as_ref()).contains("NoSuchBucket") => {
                    return Err(Failure::new(FailureKind::Missing, "there is no such bucket"));
                }
                Err(Error::NotFound { .. }) => return Ok(None),
                result => result.map_err(|e| failure(&e))?,
            };
            let mut bytes = Vec::new();
            let mut stream = result.into_stream();
            while let Some(piece) = stream.try_next().await.map_err(|e| failure(&e))? {
                bytes.extend_from_slice(&piece);
                if bytes.len() as u64 > limit {
                    break;
                }
            }
            super::within(path, bytes, limit).map(Some)
        })
    }

    fn put(&self, upload: &Upload) -> Result<(), Failure> {
        let at = self.at(upload.file.path.as_str())?;
        let attributes = self.attributes(&upload.file.headers);
        match &upload.file.content {
            Content::File(source) if upload.file.entry.size > LARGE && self.kind == Kind::Objects => {
                self.runtime.block_on(self.put_parts(&at, source, attributes))
            }
            _ => {
                let bytes = upload.file.bytes().map_err(|e| Failure::local(upload.file.path.as_str(), &e))?;
                self.runtime.block_on(self.put_bytes(&at, bytes, attributes))
            }
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let headers = Headers { content_type: "application/json".into(), cache_control: "no-store".into() };
        self.runtime.block_on(self.put_bytes(&self.at(path)?, bytes.to_vec(), self.attributes(&headers)))
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), Failure> {
        let (from, to) = (self.at(from)?, self.at(to)?);
        match self.runtime.block_on(beside_others(async || self.objects.copy(&from, &to).await)) {
            Err(Error::NotFound { .. }) => Ok(()),
            result => result.map_err(|e| failure(&e)),
        }
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        match self.runtime.block_on(self.objects.delete(&self.at(path)?)) {
            Err(Error::NotFound { .. }) => Ok(()),
            result => result.map_err(|e| failure(&e)),
        }
    }

    fn taken(&self, paths: &[&str], crew: &Crew<'_>) -> Result<BTreeSet<String>, Failure> {
        /// With more it is cheaper to list all that is there, a thousand at a time.
        const FEW: usize = 32;
        // A bucket has no folders, and a WebDAV server refuses a file below a file by itself.
        let above: BTreeSet<&str> = paths.iter().flat_map(|path| crate::deploy::foreign::folders(path)).collect();
        let paths: Vec<&str> = paths.iter().copied().filter(|path| !above.contains(path)).collect();
        if paths.len() <= FEW || self.kind == Kind::Files {
            let found = crew.each(&paths, |path| {
                let at = self.at(path)?;
                match self.runtime.block_on(self.objects.head(&at)) {
                    Ok(_) => Ok(Some((*path).to_owned())),
                    Err(Error::NotFound { .. }) => Ok(None),
                    Err(e) => Err(failure(&e)),
                }
            });
            return found.into_iter().flatten().filter_map(Result::transpose).collect();
        }
        let below = if self.prefix.is_empty() { None } else { Some(Path::parse(&self.prefix).map_err(|e| failure(&e.into()))?) };
        let wanted: BTreeSet<&str> = paths.iter().copied().collect();
        self.runtime.block_on(async {
            let mut list = self.objects.list(below.as_ref()).map(|object| object.map(|o| o.location.to_string()));
            let mut taken = BTreeSet::new();
            while let Some(name) = list.try_next().await.map_err(|e| failure(&e))? {
                let name = name.strip_prefix(&self.prefix).unwrap_or(&name).trim_start_matches('/');
                if wanted.contains(name) {
                    taken.insert(name.to_owned());
                }
            }
            Ok(taken)
        })
    }

    fn claim(&self, path: &str, bytes: &[u8]) -> Result<Claimed, Failure> {
        if let Some(held) = self.read(path, 1 << 16)? {
            return Ok(Claimed::Held(held));
        }
        let at = self.at(path)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = || self.objects.put_opts(&at, PutPayload::from(bytes.to_vec()), options);
        match self.kind {
            Kind::Objects => match self.runtime.block_on(put()) {
                Ok(_) => Ok(Claimed::Yes),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Claimed::Held(self.read(path, 1 << 16)?.unwrap_or_default())),
                // A server that does not know the condition is asked plainly.
                Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => self.claim_plainly(path, bytes),
                Err(e) => Err(failure(&e)),
            },
            Kind::Files => self.claim_plainly(path, bytes),
        }
    }
}

impl Store {
    fn claim_plainly(&self, path: &str, bytes: &[u8]) -> Result<Claimed, Failure> {
        self.write(path, bytes)?;
        match self.read(path, 1 << 16)? {
            Some(there) if there != bytes => Ok(Claimed::Held(there)),
            _ => Ok(Claimed::Yes),
        }
    }
}
