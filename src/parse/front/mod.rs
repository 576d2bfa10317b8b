//! Front matter: the delimiters, the syntax between them, the keys of other tools, and the typed
//! result.
//!
//! It accepts the keys of other tools, and reports every problem with its location. Unknown keys
//! are passed on, to be reported once per key for the whole site.

mod names;
mod renamed;
mod tree;

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::SortBy;
use crate::diag::{Diagnostic, Report, Severity};
use crate::parse::date::{Moment, Reading as DateReading, read as read_date};
use crate::parse::remark::{Remark, narrow};
use crate::paths::SourcePath;
use crate::schema::locate::{Locator, Place};
use crate::schema::{self, Problem, ProblemKind, Reading, Shape, Step};
use crate::slug::SlugRule;
use names::date_from_name;
use renamed::{rename, written};
use tree::{Block, parse_block, split};

pub use names::{name, split_dated_name, title_from_name};

/// The front matter of an article or of a section's `_index.md`, as written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RawFrontMatter {
    /// The title; by default the opening heading, or the file name.
    pub title: Option<String>,
    /// One or two sentences for lists, search engines and feeds.
    pub description: Option<String>,
    /// `2026-06-12`, RFC 3339, or `2026-06-12 21:34[:22] [+0530]`.
    pub date: Option<String>,
    /// When the article was last changed.
    pub updated: Option<String>,
    /// The day after which the article is no longer built.
    pub expires: Option<String>,
    /// The last part of the route.
    pub slug: Option<String>,
    /// The whole route.
    pub path: Option<String>,
    /// Further routes that redirect to the article.
    pub aliases: Vec<String>,
    /// Drafts are built with `--drafts` only.
    pub draft: bool,
    /// One category, or several; the first is shown.
    pub category: Vec<String>,
    pub tags: Vec<String>,
    pub authors: Vec<String>,
    pub series: Vec<String>,
    /// Terms of other taxonomies, by taxonomy.
    pub taxonomies: BTreeMap<String, Vec<String>>,
    /// The position in sections that sort by weight, smallest first.
    pub weight: Option<i64>,
    /// The template to use instead of page.html or section.html.
    pub template: Option<String>,
    /// The image of cards and previews.
    pub image: Option<ImageField>,
    /// Whether the article has a table of contents.
    pub toc: Option<bool>,
    /// `false`, or `{slot = false}`.
    pub ads: Option<AdsField>,
    /// Whether the comments section is shown.
    pub comments: Option<bool>,
    pub views: Option<u64>,
    pub hearts: Option<u64>,
    /// Whether the article is paid for: it shows a disclosure, and its links are marked as
    /// sponsored.
    pub sponsored: bool,
    /// Any values for your templates, as `page.extra`.
    pub extra: BTreeMap<String, Value>,
    /// In `_index.md`: how the section's articles are sorted.
    pub sort_by: Option<SortBy>,
    /// In `_index.md`: how many articles a page of the section's list shows; 0 for all.
    pub paginate_by: Option<usize>,
    /// In `_index.md`: the template of the section's articles.
    pub page_template: Option<String>,
}

/// An image: its path, or its path with more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ImageField {
    Source(String),
    Full(Image),
}

impl ImageField {
    fn full(self) -> Image {
        match self {
            Self::Source(src) => Image { src, ..Image::default() },
            Self::Full(image) => image,
        }
    }
}

/// The image of an article.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    pub src: String,
    #[serde(default)]
    pub alt: String,
    #[serde(default)]
    pub credit: String,
}

/// Ads on or off, for all slots or by slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AdsField {
    All(bool),
    BySlot(BTreeMap<String, bool>),
}

/// Validated front matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrontMatter {
    pub title: Option<String>,
    pub description: Option<String>,
    pub date: Option<Moment>,
    pub updated: Option<Moment>,
    pub expires: Option<Moment>,
    pub slug: Option<Spanned>,
    pub path: Option<Spanned>,
    pub aliases: Vec<Spanned>,
    pub draft: bool,
    /// Terms by taxonomy, the built-in ones under their names (`category`, `tag`, `author`,
    /// `series`).
    pub terms: Terms,
    pub weight: Option<i64>,
    pub template: Option<Spanned>,
    pub page_template: Option<Spanned>,
    /// The image, whose URL is one of the article's links.
    pub image: Option<ImageRef>,
    pub toc: Option<bool>,
    pub ads: AdSwitches,
    pub comments: Option<bool>,
    pub views: Option<u64>,
    pub hearts: Option<u64>,
    pub sponsored: bool,
    /// `extra` as JSON text, since its type is not known.
    pub extra: String,
    pub sort_by: Option<SortBy>,
    pub paginate_by: Option<usize>,
}

/// Terms by taxonomy. There are few, so a list is smaller and faster than a map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms(Box<[(String, Vec<String>)]>);

impl Terms {
    /// The terms of a taxonomy.
    #[must_use]
    pub fn get(&self, taxonomy: &str) -> Option<&Vec<String>> {
        self.0.iter().find(|(name, _)| name == taxonomy).map(|(_, terms)| terms)
    }

    /// Every taxonomy with its terms, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, terms)| (name.as_str(), terms.as_slice()))
    }
}

/// A text with its location in the file, for later stages that may report a problem with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spanned {
    pub value: String,
    pub span: Range<u32>,
}

/// An image whose URL is the link with this number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRef {
    pub link: u32,
    pub alt: String,
    pub credit: String,
}

/// Which ad slots an article turns on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdSwitches {
    /// For all slots, if the article says so.
    pub all: Option<bool>,
    pub slots: BTreeMap<String, bool>,
}

/// The result of reading the front matter of a file.
#[derive(Debug, Default)]
pub struct Front {
    pub matter: FrontMatter,
    /// The offset at which the Markdown starts.
    pub body_start: usize,
    pub unknown_keys: Vec<(String, Range<u32>)>,
    pub remarks: Vec<Remark>,
    /// The article's image, with its location.
    pub image: Option<(Image, Range<u32>)>,
}

static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<RawFrontMatter>);

/// The keys of front matter.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    SHAPE.keys()
}

/// Reads the front matter of a file, and adds errors to the report.
pub fn read(text: &str, source: &SourcePath, report: &mut Report) -> Front {
    let (block, body_start) = match split(text) {
        Ok(Some(found)) => found,
        Ok(None) => return without_matter(source),
        Err(error) => {
            report.push(error);
            return Front::default();
        }
    };
    let mut front = Front { body_start, ..Front::default() };
    let tree = match parse_block(&block) {
        Ok(tree) => rename(tree),
        Err(error) => {
            report.push(error);
            return front;
        }
    };
    let (raw, problems) =
        schema::read::<RawFrontMatter>(Value::Object(tree), &SHAPE, Reading::Generous);
    let reader = Reader { block: &block, locator: LazyCell::new(Box::new(|| block.locator())) };
    for problem in &problems {
        note_problem(problem, &reader, &mut front, report);
    }
    let raw = raw.unwrap_or_default();
    front.image = raw
        .image
        .clone()
        .map(ImageField::full)
        .filter(|i| !i.src.is_empty())
        .map(|image| (image, narrow(&reader.key("image"))));
    front.matter = reader.resolve(raw, &mut front.remarks, report);
    if front.matter.date.is_none() {
        front.matter.date = date_from_name(source);
    }
    front
}

fn without_matter(source: &SourcePath) -> Front {
    let matter = FrontMatter { date: date_from_name(source), ..FrontMatter::default() };
    Front { matter, ..Front::default() }
}

fn note_problem(problem: &Problem, reader: &Reader<'_>, front: &mut Front, report: &mut Report) {
    let offset = reader.block.offset;
    match (&problem.kind, problem.path.as_slice()) {
        (ProblemKind::UnknownKey { .. }, [Step::Key(key)]) => {
            let span = reader.locator.locate(&problem.path, Place::Key);
            front
                .unknown_keys
                .push((key.clone(), narrow(&(span.start + offset..span.end + offset))));
        }
        _ => {
            let d = problem.diagnose(Severity::Error, &reader.locator, offset);
            report.push(d.at(reader.span(&problem.path)));
        }
    }
}

struct Reader<'a> {
    block: &'a Block<'a>,
    /// Made when there is something to locate.
    locator: LazyCell<Locator<'a>, Box<dyn FnOnce() -> Locator<'a> + 'a>>,
}

impl Reader<'_> {
    fn span(&self, path: &[Step]) -> Range<usize> {
        let span = written(path, &self.locator);
        span.start + self.block.offset..span.end + self.block.offset
    }

    fn key(&self, key: &str) -> Range<usize> {
        self.span(&[Step::Key(key.to_owned())])
    }

    fn spanned(&self, key: &str, value: Option<String>) -> Option<Spanned> {
        value.map(|value| Spanned { value, span: narrow(&self.key(key)) })
    }

    fn date(
        &self,
        key: &str,
        text: Option<String>,
        remarks: &mut Vec<Remark>,
        report: &mut Report,
    ) -> Option<Moment> {
        let text = text.filter(|t| !t.trim().is_empty())?;
        match read_date(&text) {
            DateReading::Whole(moment) => Some(moment),
            DateReading::Part(moment) => {
                let read = moment.civil.strftime("%Y-%m-%d %H:%M");
                remarks.push(
                    Remark::new(format!("only part of this date is valid: {read}"), self.key(key))
                        .hint("write it like 2026-06-12 or 2026-06-12T21:34:00+02:00"),
                );
                Some(moment)
            }
            DateReading::Nothing => {
                report.push(
                    Diagnostic::error(format!(
                        "`{key}` is not a date: \"{}\"",
                        text.chars().take(60).collect::<String>()
                    ))
                    .at(self.key(key))
                    .hint("write it like 2026-06-12 or 2026-06-12T21:34:00+02:00"),
                );
                None
            }
        }
    }

    /// Reports an article that was changed before it was published.
    fn check_order(
        &self,
        date: Option<&Moment>,
        updated: Option<&Moment>,
        remarks: &mut Vec<Remark>,
    ) {
        let (Some(date), Some(updated)) = (date, updated) else { return };
        if updated.civil < date.civil {
            remarks.push(
                Remark::new("`updated` is before `date`", self.key("updated"))
                    .hint("`date` is when the article was published, `updated` its last change"),
            );
        }
    }

    /// Reports a slug with characters that are not usual in a URL. A slash is an error elsewhere.
    fn check_slug(&self, slug: Option<&str>, remarks: &mut Vec<Remark>) {
        let Some(slug) = slug.map(str::trim) else { return };
        let is_usual = |c: char| {
            c.is_alphanumeric()
                || unicode_normalization::char::is_combining_mark(c)
                || "-_.~/".contains(c)
        };
        if slug.chars().all(is_usual) {
            return;
        }
        let better = SlugRule::default().slug(slug);
        let remark = Remark::new(format!("`slug` is not a slug: \"{slug}\""), self.key("slug"));
        remarks.push(if better.is_empty() {
            remark.hint("write letters, digits and hyphens")
        } else {
            remark.hint(format!("write `slug: {better}`"))
        });
    }

    /// The terms of every taxonomy, of which `named` have keys of their own.
    fn terms(
        &self,
        mut terms: BTreeMap<String, Vec<String>>,
        named: [(&str, Vec<String>); 4],
        remarks: &mut Vec<Remark>,
    ) -> Terms {
        for (name, values) in named {
            if !values.is_empty() {
                terms.entry(name.to_owned()).or_default().extend(values);
            }
        }
        for (name, values) in &mut terms {
            for (first, second) in clean_terms(values) {
                remarks.push(
                    Remark::new(
                        format!("`{first}` and `{second}` are the same term of `{name}`"),
                        self.key(key_of(name)),
                    )
                    .hint("write one of the two"),
                );
            }
        }
        terms.retain(|_, values| !values.is_empty());
        Terms(terms.into_iter().collect())
    }

    fn resolve(
        &self,
        raw: RawFrontMatter,
        remarks: &mut Vec<Remark>,
        report: &mut Report,
    ) -> FrontMatter {
        let date = self.date("date", raw.date, remarks, report);
        let updated = self.date("updated", raw.updated, remarks, report);
        let expires = self.date("expires", raw.expires, remarks, report);
        self.check_order(date.as_ref(), updated.as_ref(), remarks);
        self.check_slug(raw.slug.as_deref(), remarks);
        let aliases = raw
            .aliases
            .into_iter()
            .filter(|a| !a.trim().is_empty())
            .map(|value| Spanned { value, span: narrow(&self.key("aliases")) });
        let named = [
            ("category", raw.category),
            ("tag", raw.tags),
            ("author", raw.authors),
            ("series", raw.series),
        ];
        let terms = self.terms(raw.taxonomies, named, remarks);
        let ads = match raw.ads {
            None => AdSwitches::default(),
            Some(AdsField::All(all)) => AdSwitches { all: Some(all), slots: BTreeMap::new() },
            Some(AdsField::BySlot(slots)) => AdSwitches { all: None, slots },
        };
        FrontMatter {
            title: raw.title.map(|t| one_line(&t)).filter(|t| !t.is_empty()),
            description: raw.description.map(|t| one_line(&t)).filter(|t| !t.is_empty()),
            date,
            updated,
            expires,
            slug: self.spanned("slug", raw.slug.filter(|s| !s.trim().is_empty())),
            path: self.spanned("path", raw.path.filter(|p| !p.trim().is_empty())),
            aliases: aliases.collect(),
            draft: raw.draft,
            terms,
            weight: raw.weight,
            template: self.spanned("template", raw.template),
            page_template: self.spanned("page_template", raw.page_template),
            image: None,
            toc: raw.toc,
            ads,
            comments: raw.comments,
            views: raw.views,
            hearts: raw.hearts,
            sponsored: raw.sponsored,
            extra: Value::Object(raw.extra.into_iter().collect()).to_string(),
            sort_by: raw.sort_by,
            paginate_by: raw.paginate_by,
        }
    }
}

/// Collapses white space, and removes control characters.
fn one_line(text: &str) -> String {
    let text: String = text.chars().filter(|c| c.is_whitespace() || !c.is_control()).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Trims terms, and removes empty ones and duplicates. Returns the pairs that differ in letter case
/// alone.
fn clean_terms(values: &mut Vec<String>) -> Vec<(String, String)> {
    // Letters in lower case → the first spelling.
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut twins = Vec::new();
    let mut kept = Vec::new();
    for value in values.drain(..) {
        let value = one_line(&value);
        if value.is_empty() {
            continue;
        }
        match seen.get(&value.to_lowercase()) {
            Some(other) if *other == value => {}
            Some(other) => twins.push((other.clone(), value)),
            None => {
                seen.insert(value.to_lowercase(), value.clone());
                kept.push(value);
            }
        }
    }
    *values = kept;
    twins
}

/// The key of front matter with the terms of a taxonomy.
fn key_of(taxonomy: &str) -> &str {
    match taxonomy {
        "tag" => "tags",
        "author" => "authors",
        other => other,
    }
}
