//! `[deploy.NAME]`: where `folio deploy` uploads the site.
//!
//! [`Raw`] is the table as written, with the options of every kind of host. [`Destination`] is a
//! validated one, with exactly the options that its kind has. Secrets come from the environment; a
//! key that looks like one is rejected before anything else.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::located::At;
use crate::diag::{Diagnostic, Report};

/// A place that `folio deploy` uploads the site to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Raw {
    /// The kind of host.
    pub target: Kind,
    /// dir: the folder, relative to the site's.
    pub path: Option<String>,
    /// git: the repository to push to.
    pub remote: Option<String>,
    /// git: the branch to push to (gh-pages); cloudflare-pages: the branch of the deployment
    /// (main).
    pub branch: Option<String>,
    /// git: write a CNAME file with the host of `base_url`.
    pub cname: Option<bool>,
    /// rsync: `user@host:/path`, a host of your ssh configuration, `rsync://host/module` or a
    /// folder.
    pub destination: Option<String>,
    /// rsync: additional options.
    pub options: Option<Vec<String>>,
    /// s3, gcs: the bucket.
    pub bucket: Option<String>,
    /// s3: the region.
    pub region: Option<String>,
    /// s3, gcs, azblob, webdav: the URL of the server; netlify and cloudflare-pages: the URL of the
    /// API.
    pub endpoint: Option<String>,
    /// s3, gcs, azblob: the folder in the bucket or container.
    pub prefix: Option<String>,
    /// azblob: the storage account.
    pub account: Option<String>,
    /// azblob: the container.
    pub container: Option<String>,
    /// sftp: the host in the form of ssh: `user@host` or a name of your ssh configuration.
    pub host: Option<String>,
    /// sftp: the port.
    pub port: Option<u16>,
    /// sftp, webdav: the folder on the host.
    pub root: Option<String>,
    /// webdav: the user; the password is read from the environment.
    pub user: Option<String>,
    /// netlify: the id or domain of the site.
    pub site: Option<String>,
    /// cloudflare-pages: the id of the account.
    pub account_id: Option<String>,
    /// cloudflare-pages: the project.
    pub project: Option<String>,
    /// How many files may be deleted without confirmation (256); never more than a third of all.
    pub max_deletes: Option<usize>,
    /// For how many days files with hashed names are retained after they leave the site (7).
    pub keep_assets_days: Option<u32>,
    /// How many uploads run at the same time (8).
    pub concurrency: Option<usize>,
    /// dir, rsync, sftp, webdav: also upload files compressed in these ways, for servers that look
    /// for them.
    pub precompress: Option<Vec<Encoding>>,
    /// `Cache-Control` of pages, feeds and sitemaps.
    pub cache_pages: Option<String>,
    /// `Cache-Control` of other files, except those with hashed names.
    pub cache_assets: Option<String>,
    /// The key of IndexNow, which the site has in the file /KEY.txt.
    pub indexnow_key: Option<String>,
    /// The URL that IndexNow is notified at.
    pub indexnow_endpoint: Option<String>,
}

/// A kind of host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Dir,
    Git,
    Rsync,
    S3,
    Gcs,
    Azblob,
    Sftp,
    Webdav,
    Netlify,
    CloudflarePages,
}

/// How a compressed version of a file is made.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    Gzip,
    Br,
}

/// A validated destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub name: String,
    pub target: Target,
    /// How many files may be deleted without confirmation.
    pub max_deletes: usize,
    pub keep_assets_days: u32,
    pub concurrency: usize,
    pub precompress: Vec<Encoding>,
    pub cache: CacheControl,
    pub indexnow: Option<IndexNow>,
}

/// A kind of host with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Dir { path: String },
    Git { remote: String, branch: String, write_cname: bool },
    Rsync { destination: String, options: Vec<String> },
    S3 { bucket: String, region: Option<String>, endpoint: Option<String>, prefix: String },
    Gcs { bucket: String, endpoint: Option<String>, prefix: String },
    Azblob { account: String, container: String, endpoint: Option<String>, prefix: String },
    Sftp { host: String, port: Option<u16>, root: String },
    Webdav { endpoint: String, root: String, user: Option<String> },
    Netlify { site: String, endpoint: String },
    CloudflarePages { account_id: String, project: String, branch: String, endpoint: String },
}

impl Target {
    /// Whether files that are no longer part of the site can be retained there for a while.
    #[must_use]
    pub fn retains_files(&self) -> bool {
        !matches!(self, Self::Netlify { .. } | Self::CloudflarePages { .. })
    }
}

/// The `Cache-Control` headers of files (RFC 9111 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheControl {
    pub pages: String,
    pub assets: String,
}

/// How search engines are notified of changed pages (indexnow.org).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexNow {
    pub key: String,
    pub endpoint: String,
}

/// Options that every kind of host has.
const COMMON: [&str; 8] = [
    "max_deletes",
    "keep_assets_days",
    "concurrency",
    "precompress",
    "cache_pages",
    "cache_assets",
    "indexnow_key",
    "indexnow_endpoint",
];

impl Kind {
    /// The options of this kind of host: the required and the optional ones.
    fn options(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Dir => (&["path"], &[]),
            Self::Git => (&["remote"], &["branch", "cname"]),
            Self::Rsync => (&["destination"], &["options"]),
            Self::S3 => (&["bucket"], &["region", "endpoint", "prefix"]),
            Self::Gcs => (&["bucket"], &["endpoint", "prefix"]),
            Self::Azblob => (&["account", "container"], &["endpoint", "prefix"]),
            Self::Sftp => (&["host"], &["port", "root"]),
            Self::Webdav => (&["endpoint"], &["root", "user"]),
            Self::Netlify => (&["site"], &["endpoint"]),
            Self::CloudflarePages => (&["account_id", "project"], &["branch", "endpoint"]),
        }
    }

    /// Whether the server may look for compressed versions of files.
    fn serves_siblings(self) -> bool {
        matches!(self, Self::Dir | Self::Rsync | Self::Sftp | Self::Webdav)
    }

    /// Whether files that are no longer part of the site can be retained: on other hosts a deploy
    /// is the whole site.
    fn retains_files(self) -> bool {
        !matches!(self, Self::Netlify | Self::CloudflarePages)
    }

    /// The name in `site.toml`.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// Removes what looks like a secret from the tables of `[deploy]`, and reports it.
pub(super) fn refuse_secrets(tree: &mut Value, at: &At<'_>, report: &mut Report) {
    let Some(tables) = tree.get_mut("deploy").and_then(Value::as_object_mut) else { return };
    for (name, table) in tables {
        let Some(table) = table.as_object_mut() else { continue };
        let secret: Vec<String> = table.keys().filter(|key| looks_secret(key)).cloned().collect();
        for key in secret {
            let place = at.span(&["deploy", name, &key]);
            table.shift_remove(&key);
            let message = format!(
                "`deploy.{name}.{key}` looks like a secret, which must not be in site.toml"
            );
            report.push(secret_error(message, place));
        }
        for (key, _) in table.iter().filter(|(_, value)| texts(value).any(holds_secret)) {
            let place = at.span(&["deploy", name, key]);
            let message = format!(
                "`deploy.{name}.{key}` contains a password or a token, which must not be in \
                 site.toml"
            );
            report.push(secret_error(message, place));
        }
    }
}

/// The line itself is not shown, since an error message may end up in a public log.
fn secret_error(message: String, place: std::ops::Range<usize>) -> Diagnostic {
    Diagnostic::error(message).in_file(super::located::FILE).at_position(place).hint(
        "remove it, change it if the file was ever published, and set it in the environment \
               (see `Deploying` in the manual)",
    )
}

fn looks_secret(key: &str) -> bool {
    let bare: String = key.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let words = [
        "secret",
        "password",
        "passwd",
        "passphrase",
        "token",
        "accesskey",
        "apikey",
        "privatekey",
        "credential",
        "accountkey",
        "saskey",
    ];
    words.iter().any(|word| bare.contains(word)) || matches!(bare.as_str(), "key" | "sas" | "auth")
}

/// The texts in a value, including those in lists.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    value.as_str().into_iter().chain(list)
}

/// Whether a text contains a secret: `https://user:password@host/` or `https://token@host/` (RFC
/// 3986 §3.2.1), a signed URL, or a password on a command line.
fn holds_secret(text: &str) -> bool {
    if ["sshpass", "sig=", "X-Amz-Signature=", "ghp_", "github_pat_", "glpat-"]
        .iter()
        .any(|word| text.contains(word))
    {
        return true;
    }
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let Some((user, _)) = rest.split('/').next().and_then(|authority| authority.rsplit_once('@'))
    else {
        return false;
    };
    scheme.starts_with("http")
        || user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

/// Validates the tables. A table with a problem is reported and left out.
pub(super) fn resolve(
    raw: BTreeMap<String, Raw>,
    at: &At<'_>,
    report: &mut Report,
) -> Vec<Destination> {
    raw.into_iter().filter_map(|(name, raw)| destination(name, &raw, at, report)).collect()
}

fn destination(name: String, raw: &Raw, at: &At<'_>, report: &mut Report) -> Option<Destination> {
    let before = report.items().len();
    check_options(&name, raw, at, report);
    check_url(&name, "endpoint", raw.endpoint.as_deref(), at, report);
    check_url(&name, "indexnow_endpoint", raw.indexnow_endpoint.as_deref(), at, report);
    let target = target(raw);
    check_words(&name, &target, at, report);
    let mut precompress = raw.precompress.clone().unwrap_or_default();
    precompress.sort_unstable();
    precompress.dedup();
    let destination = Destination {
        target,
        max_deletes: raw.max_deletes.unwrap_or(256),
        keep_assets_days: raw.keep_assets_days.unwrap_or(7),
        concurrency: raw.concurrency.unwrap_or(8).clamp(1, 256),
        precompress,
        cache: CacheControl {
            pages: or(raw.cache_pages.as_ref(), "public, max-age=0, must-revalidate"),
            assets: or(raw.cache_assets.as_ref(), "public, max-age=3600"),
        },
        indexnow: raw.indexnow_key.clone().map(|key| IndexNow {
            key,
            endpoint: or(raw.indexnow_endpoint.as_ref(), "https://api.indexnow.org/indexnow"),
        }),
        name,
    };
    (report.items().len() == before).then_some(destination)
}

/// An optional value, or the default.
fn or(value: Option<&String>, default: &str) -> String {
    value.map_or(default, String::as_str).to_owned()
}

/// The kind of host with its options. Required options that are missing are reported elsewhere, and
/// empty here.
fn target(raw: &Raw) -> Target {
    let text = |value: &Option<String>| or(value.as_ref(), "");
    let prefix = || text(&raw.prefix).trim_matches('/').to_owned();
    let endpoint = || raw.endpoint.clone();
    match raw.target {
        Kind::Dir => Target::Dir { path: text(&raw.path) },
        Kind::Git => Target::Git {
            remote: text(&raw.remote),
            branch: or(raw.branch.as_ref(), "gh-pages"),
            write_cname: raw.cname == Some(true),
        },
        Kind::Rsync => Target::Rsync {
            destination: text(&raw.destination),
            options: raw.options.clone().unwrap_or_default(),
        },
        Kind::S3 => Target::S3 {
            bucket: text(&raw.bucket),
            region: raw.region.clone(),
            endpoint: endpoint(),
            prefix: prefix(),
        },
        Kind::Gcs => {
            Target::Gcs { bucket: text(&raw.bucket), endpoint: endpoint(), prefix: prefix() }
        }
        Kind::Azblob => Target::Azblob {
            account: text(&raw.account),
            container: text(&raw.container),
            endpoint: endpoint(),
            prefix: prefix(),
        },
        Kind::Sftp => {
            Target::Sftp { host: text(&raw.host), port: raw.port, root: or(raw.root.as_ref(), ".") }
        }
        Kind::Webdav => Target::Webdav {
            endpoint: text(&raw.endpoint),
            root: text(&raw.root),
            user: raw.user.clone(),
        },
        Kind::Netlify => Target::Netlify {
            site: text(&raw.site),
            endpoint: or(raw.endpoint.as_ref(), "https://api.netlify.com/api/v1"),
        },
        Kind::CloudflarePages => Target::CloudflarePages {
            account_id: text(&raw.account_id),
            project: text(&raw.project),
            branch: or(raw.branch.as_ref(), "main"),
            endpoint: or(raw.endpoint.as_ref(), "https://api.cloudflare.com/client/v4"),
        },
    }
}

/// Checks that an option is an `http` or `https` URL.
fn check_url(name: &str, key: &str, value: Option<&str>, at: &At<'_>, report: &mut Report) {
    let invalid = |url: &&str| !url.starts_with("https://") && !url.starts_with("http://");
    if let Some(url) = value.filter(invalid) {
        report.push(
            at.error(&["deploy", name, key], format!("\"{url}\" is not an http or https URL"))
                .hint("write it like https://dav.example.org/site"),
        );
    }
}

/// Checks that required options are present and not empty, and that there are no unknown ones.
fn check_options(name: &str, raw: &Raw, at: &At<'_>, report: &mut Report) {
    let (needed, taken) = raw.target.options();
    let kind = raw.target.name();
    let given: BTreeMap<String, Value> = match serde_json::to_value(raw) {
        Ok(Value::Object(map)) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => BTreeMap::new(),
    };
    for key in needed {
        match given.get(*key) {
            None => report.push(at.error(
                &["deploy", name],
                format!("`deploy.{name}` has `target = \"{kind}\"` and needs `{key}`"),
            )),
            Some(value) if value.as_str().is_some_and(|s| s.trim().is_empty()) => {
                report.push(
                    at.error(&["deploy", name, key], format!("`deploy.{name}.{key}` is empty")),
                );
            }
            Some(_) => {}
        }
    }
    let known = |key: &str| {
        key == "target" || needed.contains(&key) || taken.contains(&key) || COMMON.contains(&key)
    };
    for key in given.keys().filter(|key| !known(key)) {
        let list = needed.iter().chain(taken).copied().collect::<Vec<_>>().join(", ");
        report.push(
            at.error(
                &["deploy", name, key],
                format!("unknown option `{key}` for deploy target `{kind}`"),
            )
            .hint(format!("options of `{kind}` are {list}")),
        );
    }
    check_ineffective_options(name, raw, at, report);
}

/// Reports options that have no effect for this kind of host, and headers that no host can send.
fn check_ineffective_options(name: &str, raw: &Raw, at: &At<'_>, report: &mut Report) {
    let kind = raw.target.name();
    if raw.precompress.as_ref().is_some_and(|list| !list.is_empty())
        && !raw.target.serves_siblings()
    {
        report.push(
            at.error(
                &["deploy", name, "precompress"],
                format!("`precompress` has no effect for deploy target `{kind}`"),
            )
            .hint("remove `precompress`; such hosts compress files themselves"),
        );
    }
    if raw.keep_assets_days.is_some_and(|days| days > 0) && !raw.target.retains_files() {
        report.push(
            at.error(
                &["deploy", name, "keep_assets_days"],
                format!(
                    "`keep_assets_days` has no effect for deploy target `{kind}`, because each \
                     deploy replaces the whole site"
                ),
            )
            .hint("remove `keep_assets_days`"),
        );
    }
    if raw
        .cache_pages
        .iter()
        .chain(&raw.cache_assets)
        .any(|value| value.chars().any(char::is_control))
    {
        report.push(at.error(
            &["deploy", name],
            "a `Cache-Control` header must not contain line breaks".to_owned(),
        ));
    }
}

/// An argument of another program must not look like one of its options.
fn check_words(name: &str, target: &Target, at: &At<'_>, report: &mut Report) {
    let words: &[(&str, &str)] = match target {
        Target::Git { remote, branch, .. } => &[("remote", remote), ("branch", branch)],
        Target::Rsync { destination, .. } => &[("destination", destination)],
        Target::Sftp { host, .. } => &[("host", host)],
        _ => &[],
    };
    for (key, word) in words.iter().filter(|(_, word)| word.starts_with('-')) {
        report.push(
            at.error(&["deploy", name, key], format!("\"{word}\" would be read as an option")),
        );
    }
    let Target::Rsync { options, .. } = target else { return };
    // The plan decides what is deleted and sent.
    let meddles = |option: &&String| {
        ["--del", "--force", "--remove", "--files-from", "--from0", "--dry-run", "-n"]
            .iter()
            .any(|o| option.starts_with(o))
    };
    if let Some(option) = options.iter().find(meddles) {
        report.push(
            at.error(
                &["deploy", name, "options"],
                format!(
                    "rsync's \"{option}\" is not allowed, because it changes which files are \
                         deleted or sent"
                ),
            )
            .hint(
                "use options for the connection only, such as \"--rsh=ssh -p 2222\" or \
                   \"--bwlimit=1000\"",
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for key in
            ["secret_access_key", "password", "API-Token", "api_key", "accessKeyId", "key", "sas"]
        {
            assert!(looks_secret(key), "{key}");
        }
        for key in ["bucket", "keep_assets_days", "branch", "endpoint", "destination"] {
            assert!(!looks_secret(key), "{key}");
        }
        for text in [
            "https://me:pw@host/x",
            "https://ghp_abc@host",
            "https://a.example/?sv=1&sig=x",
            "sshpass -p pw ssh",
            "ssh://me:pw@host",
        ] {
            assert!(holds_secret(text), "{text}");
        }
        for text in [
            "https://host/a@b",
            "git@host:me/x.git",
            "ssh://me@host:22/x",
            "me@host:/var/www",
            "rsync://host/module",
        ] {
            assert!(!holds_secret(text), "{text}");
        }
    }
}
