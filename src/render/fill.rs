//! Fills the holes of a body: URLs, components, ads.

use std::collections::BTreeMap;

use pulldown_cmark_escape::{escape_href, escape_html};
use tera::{Context, Value};

use super::component_error::argument_problems;
use super::engine::Engine;
use super::errors;
use super::world::{Audience, World};
use crate::diag::{Diagnostic, Report, nearest};
use crate::parse::{Argument, Body, Call, HoleKind, Link, LinkKind, Target, widen};
use crate::paths::encode_fragment;
use crate::plan::links::From;

/// What a body is filled with.
pub(super) struct Filler<'a> {
    pub world: &'a World,
    pub engine: &'a Engine,
    pub from: From<'a>,
    pub audience: Audience,
    /// The values that components can take without being passed them: `page`, `site`.
    pub implicits: Context,
    /// Hole → slot, for the top level of the body.
    pub ads: BTreeMap<usize, &'a str>,
}

impl Filler<'_> {
    /// The body as HTML.
    ///
    /// # Errors
    /// Every component call of the body that fails.
    pub(super) fn fill(&self, body: &Body) -> Result<String, Report> {
        let mut report = Report::default();
        let html = self.fill_level(body, &self.ads, &mut report);
        if report.is_empty() { Ok(html) } else { Err(report) }
    }

    fn fill_level(&self, body: &Body, ads: &BTreeMap<usize, &str>, report: &mut Report) -> String {
        let mut out = String::with_capacity(body.html.len() + body.holes.len() * 40);
        let mut from = 0;
        for (index, hole) in body.holes.iter().enumerate() {
            let at = hole.at as usize;
            out.push_str(body.html.get(from..at).unwrap_or_default());
            from = at;
            match &hole.kind {
                HoleKind::Link(number) => self.link(*number, &mut out),
                HoleKind::Component { call, body } => {
                    if let Some(call) = self.from.doc.calls.get(*call as usize) {
                        let inner =
                            body.as_ref().map(|b| self.fill_level(b, &BTreeMap::new(), report));
                        self.component(call, inner.as_deref(), &mut out, report);
                    }
                }
                HoleKind::HeadingLink { id, label } => {
                    if self.audience == Audience::Page {
                        heading_link(id, label, &mut out);
                    }
                }
                HoleKind::Here if self.audience == Audience::Feed => {
                    out.push_str(&self.world.permalink(self.from.route));
                }
                HoleKind::Here => {}
                HoleKind::AdPlace { .. } => {
                    if let Some(slot) = ads.get(&index) {
                        self.ad(slot, &mut out, report);
                    }
                }
            }
        }
        out.push_str(body.html.get(from..).unwrap_or_default());
        out
    }

    fn link(&self, number: u32, out: &mut String) {
        let Some(link) = self.from.doc.links.get(number as usize) else { return };
        let address = self.world.link_url(&link.target, self.from, self.audience);
        match link.kind {
            LinkKind::Attribute | LinkKind::ImageAttribute => {
                let _ = escape_href(&mut *out, address.as_deref().unwrap_or("#"));
            }
            LinkKind::Image => {
                out.push_str(" src=\"");
                // An image with a broken link is empty.
                let _ = escape_href(&mut *out, address.as_deref().unwrap_or("data:,"));
                out.push('"');
                if let Some((width, height)) = self.world.image_size(&link.target, self.from) {
                    out.push_str(&format!(" width=\"{width}\" height=\"{height}\""));
                }
            }
            LinkKind::Policy => self.policy(link, out),
            LinkKind::Anchor => {
                let Some(address) = address else { return };
                out.push_str(" href=\"");
                let _ = escape_href(&mut *out, &address);
                out.push('"');
                self.policy(link, out);
            }
        }
    }

    /// The attributes that the link policy of the site adds to a link to another host.
    fn policy(&self, link: &Link, out: &mut String) {
        let Target::External(url) = &link.target else { return };
        let config = &self.world.config;
        let host = host(url);
        let mut rel: Vec<&str> = Vec::new();
        let mut target = "";
        if host != config.base_url.host() {
            rel.extend(config.markdown.external_links.rel.split_whitespace());
            // The HTML may have a target of its own.
            target = if link.kind == LinkKind::Policy {
                ""
            } else {
                &config.markdown.external_links.target
            };
        }
        let affiliate = config
            .ads
            .affiliate_hosts
            .iter()
            .any(|h| host == *h || host.ends_with(&format!(".{h}")));
        if affiliate || self.from.doc.front.sponsored {
            rel.extend(["sponsored", "nofollow"]);
        }
        if target == "_blank" {
            rel.push("noopener");
        }
        let mut seen: Vec<&str> = Vec::new();
        rel.retain(|r| {
            !seen.contains(r) && {
                seen.push(r);
                true
            }
        });
        for (name, value) in [("rel", rel.join(" ")), ("target", target.to_owned())] {
            if !value.is_empty() {
                out.push_str(&format!(" {name}=\""));
                let _ = pulldown_cmark_escape::escape_html(&mut *out, &value);
                out.push('"');
            }
        }
    }

    fn component(&self, call: &Call, body: Option<&str>, out: &mut String, report: &mut Report) {
        // A feed has neither ads nor a table of contents.
        if self.audience == Audience::Feed && matches!(call.name.as_str(), "ad" | "toc") {
            return;
        }
        if call.name == "ad"
            && let Some(decided) = self.manual_ad(call)
        {
            match decided {
                Ok(()) => return,
                Err(error) => return report.push(error),
            }
        }
        let problems = self.engine.contract_problems(call);
        if !problems.is_empty() {
            let here =
                |d: Diagnostic| d.in_file(self.from.doc.source.as_str()).at(widen(&call.span));
            return report.extend(problems.into_iter().map(here).collect());
        }
        let mut arguments = Context::new();
        for (name, argument) in &call.arguments {
            arguments.insert_value(name.clone(), self.argument(argument));
        }
        match self.engine.component(&call.name, &arguments, &self.implicits, body, self.audience) {
            Ok(html) => out.push_str(html.trim_matches('\n')),
            Err(error) => report.extend(self.component_errors(call, &error)),
        }
        out.push('\n');
    }

    /// Handles a call of `ad` for an unknown slot, or one that the article turns off.
    fn manual_ad(&self, call: &Call) -> Option<Result<(), Diagnostic>> {
        let slot = call.arguments.iter().find_map(|(name, value)| match value {
            Argument::Text(text) if name == "slot" => Some(text.as_str()),
            _ => None,
        })?;
        let slots = &self.world.config.ads.slots;
        if !slots.contains_key(slot) {
            let error = Diagnostic::error(format!("ad slot `{slot}` does not exist"))
                .in_file(self.from.doc.source.as_str())
                .at(widen(&call.span));
            return Some(Err(match nearest(slot, slots.keys().map(String::as_str)) {
                Some(name) => error.hint(format!("did you mean `{name}`?")),
                None => error.hint(format!("add [ads.slots.{slot}] to site.toml")),
            }));
        }
        (!super::ads::shows(&self.from.doc.front.ads, slot, true)).then_some(Ok(()))
    }

    fn argument(&self, argument: &Argument) -> Value {
        match argument {
            Argument::Text(text) => Value::from(text.as_str()),
            Argument::Link(number) => {
                let link = self.from.doc.links.get(*number as usize);
                Value::from(
                    link.and_then(|l| self.world.link_url(&l.target, self.from, self.audience))
                        .unwrap_or_default(),
                )
            }
            Argument::Integer(n) => Value::from(*n),
            Argument::Float(n) => Value::from(*n),
            Argument::Bool(b) => Value::from(*b),
            Argument::List(items) => {
                Value::from(items.iter().map(|a| self.argument(a)).collect::<Vec<_>>())
            }
        }
    }

    /// The reasons why a call failed, each at the call or in the component's template.
    fn component_errors(&self, call: &Call, error: &tera::Error) -> Report {
        let here = |d: Diagnostic| d.in_file(self.from.doc.source.as_str()).at(widen(&call.span));
        match error.kind() {
            tera::ErrorKind::ComponentNotFound(name) => {
                let names = self.engine.component_names();
                let d = here(Diagnostic::error(format!("component `{name}` does not exist")));
                Report::of(match nearest(name, names.iter().copied()) {
                    Some(known) => d.hint(format!("did you mean `{known}`?")),
                    None => d.hint(format!(
                        "components are the files in templates/components/; known ones are {}",
                        names.join(", ")
                    )),
                })
            }
            tera::ErrorKind::RenderingError(_) | tera::ErrorKind::SyntaxError(_) => Report::of(
                errors::rendering(error)
                    .note(format!("in `<{}>`, called in {}", call.name, self.from.doc.source)),
            ),
            other => {
                let definition = self.engine.component_definition(&call.name);
                let problems = definition
                    .map(|d| argument_problems(call, &d, &self.implicits))
                    .unwrap_or_default();
                if problems.is_empty() {
                    let message = format!("component `{}` cannot be rendered", call.name);
                    return Report::of(here(
                        Diagnostic::error(message).note(errors::plain_message(&other.to_string())),
                    ));
                }
                problems.into_iter().map(here).collect()
            }
        }
    }

    fn ad(&self, slot: &str, out: &mut String, report: &mut Report) {
        if self.audience == Audience::Feed {
            return;
        }
        let mut arguments = Context::new();
        arguments.insert("slot", slot);
        match self.engine.component("ad", &arguments, &self.implicits, None, self.audience) {
            Ok(html) => {
                out.push_str(html.trim_matches('\n'));
                out.push('\n');
            }
            Err(error) => report.push(
                errors::rendering(&error)
                    .note(format!("for the ad slot `{slot}` in {}", self.from.doc.source)),
            ),
        }
    }
}

/// The link of a heading to itself. A feed has none: its readers show the text elsewhere.
fn heading_link(id: &str, label: &str, out: &mut String) {
    out.push_str(" <a class=\"anchor\" href=\"#");
    out.push_str(&encode_fragment(id));
    out.push_str("\" aria-label=\"");
    // Writing to a string cannot fail.
    let _ = escape_html(&mut *out, label);
    out.push_str("\">#</a>");
}

/// The host of an `http(s)://…` or `//…` URL, in lower case.
fn host(url: &str) -> String {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().to_ascii_lowercase()
}
