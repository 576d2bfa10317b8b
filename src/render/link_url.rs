//! The URLs of links.

use super::world::{Audience, World};
use crate::parse::Target;
use crate::paths::Route;
use crate::plan::links::{From, Local};

impl World {
    /// The URL of a target; `None` when the target does not exist.
    pub fn link_url(&self, target: &Target, from: From<'_>, audience: Audience) -> Option<String> {
        let base = &self.config.base_url;
        let site = |encoded: &str| match audience {
            Audience::Page => base.local(encoded),
            Audience::Feed => base.absolute(encoded),
        };
        match target {
            Target::External(url) | Target::Scheme(url) => Some(url.to_string()),
            Target::Dead => None,
            Target::Fragment(fragment) => Some(match audience {
                Audience::Page => format!("#{fragment}"),
                Audience::Feed => format!("{}#{fragment}", self.permalink(from.route)),
            }),
            Target::Article { path, fragment } => {
                let node = self.plan.node(path).map(|n| self.plan.route_of(n));
                let asset = || {
                    crate::paths::SourcePath::new(path).ok().and_then(|p| self.plan.assets.get(&p))
                };
                let route = node.or_else(asset)?;
                let fragment = fragment.as_ref().map(|f| format!("#{f}")).unwrap_or_default();
                Some(format!("{}{fragment}", site(&route.encoded())))
            }
            Target::Local { path, rest } => Some(match self.plan.local(path, from, &self.config) {
                Local::Asset(route) => format!("{}{rest}", site(&route.encoded())),
                Local::Absolute { prefixed: false, .. } => format!("{}{rest}", site(path)),
                Local::Absolute { prefixed: true, .. } => match audience {
                    Audience::Page => format!("{path}{rest}"),
                    Audience::Feed => format!("{}{path}{rest}", base.origin()),
                },
                Local::Relative { .. } => match audience {
                    Audience::Page => format!("{path}{rest}"),
                    Audience::Feed => self.absolute_relative(path, rest, from.route),
                },
            }),
        }
    }

    /// Resolves a path against the URL of the page (RFC 3986 §5.2, for paths only).
    fn absolute_relative(&self, path: &str, rest: &str, route: &Route) -> String {
        let route = route.as_str();
        let folder = &route[..route.rfind('/').map_or(0, |i| i + 1)];
        let joined = if path.is_empty() {
            Some(route.trim_start_matches('/').to_owned())
        } else {
            crate::paths::resolve(folder, path)
        };
        let slash = if path.ends_with('/')
            && joined.as_ref().is_some_and(|j| !j.is_empty() && !j.ends_with('/'))
        {
            "/"
        } else {
            ""
        };
        let joined = crate::paths::percent_encode(&crate::paths::percent_decode(
            &joined.unwrap_or_default(),
        ));
        format!("{}{slash}{rest}", self.config.base_url.absolute(&format!("/{joined}")))
    }
}
