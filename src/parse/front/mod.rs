//! Front matter: the fence, the language in it, other tools' names for the same things, and the typed result.
//!
//! Generous in what it takes (design §6), exact in what it says: every problem has its place. Keys that mean
//! nothing are handed on, to be told once a key for the whole site.

mod names;
mod renamed;
mod tree;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::parse::date::{Moment, Reading as DateReading, read as read_date};
use crate::parse::{Remark, narrow};
use names::date_from_name;
pub use names::{name, split_dated_name, title_from_name};
use renamed::{rename, written};
use tree::{Block, parse_block, split};

use crate::config::SortBy;
use crate::diag::{Diagnostic, Report, Severity};
use crate::paths::SourcePath;
use crate::schema::locate::{Place, locate};
use crate::schema::{self, Problem, ProblemKind, Reading, Shape, Step};

/// The front matter of an article or of a section's `_index.md`, as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RawFrontMatter {
    /// Else the opening heading, else the file's name.
    pub title: Option<String>,
    /// One or two sentences for lists, search engines and feeds.
    pub description: Option<String>,
    /// `2026-06-12`, RFC 3339, or `2026-06-12 21:34[:22] [+0530]`.
    pub date: Option<String>,
    /// When it was last changed.
    pub updated: Option<String>,
    /// After this date it is no longer built.
    pub expires: Option<String>,
    /// The last part of its address.
    pub slug: Option<String>,
    /// Its whole address.
    pub path: Option<String>,
    /// Addresses that lead here as well.
    pub aliases: Vec<String>,
    /// Left out unless `--drafts` is given.
    pub draft: bool,
    /// One category, or several; the first is shown.
    pub category: Vec<String>,
    pub tags: Vec<String>,
    pub authors: Vec<String>,
    pub series: Vec<String>,
    /// Terms of taxonomies of your own, by taxonomy.
    pub taxonomies: BTreeMap<String, Vec<String>>,
    /// Order in sections that sort by weight; lighter first.
    pub weight: Option<i64>,
    /// The template to use instead of page.html or section.html.
    pub template: Option<String>,
    /// The picture for cards and previews.
    pub image: Option<ImageField>,
    /// Whether a table of contents is shown.
    pub toc: Option<bool>,
    /// `false`, or `{slot = false}`.
    pub ads: Option<AdsField>,
    /// Whether the comments section is shown.
    pub comments: Option<bool>,
    pub views: Option<u64>,
    pub hearts: Option<u64>,
    /// Paid for: shows a disclosure and marks its links.
    pub sponsored: bool,
    /// Anything your templates want, as `page.extra`.
    pub extra: BTreeMap<String, Value>,
    /// In `_index.md`: the order of the section's articles.
    pub sort_by: Option<SortBy>,
    /// In `_index.md`: articles on a page of the section's list; 0 for all.
    pub paginate_by: Option<usize>,
    /// In `_index.md`: the template of the section's articles.
    pub page_template: Option<String>,
}

/// A picture: its path, or its path with more.
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

/// A picture that stands for an article.
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

/// Front matter, read.
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
    /// Terms by taxonomy, the built-in ones under their names (`category`, `tag`, `author`, `series`).
    pub terms: Terms,
    pub weight: Option<i64>,
    pub template: Option<Spanned>,
    pub page_template: Option<Spanned>,
    /// The picture; its address is among the article's links.
    pub image: Option<ImageRef>,
    pub toc: Option<bool>,
    pub ads: AdSwitches,
    pub comments: Option<bool>,
    pub views: Option<u64>,
    pub hearts: Option<u64>,
    pub sponsored: bool,
    /// `extra` as JSON text: a tree that needs no type here.
    pub extra: String,
    pub sort_by: Option<SortBy>,
    pub paginate_by: Option<usize>,
}

/// Terms by taxonomy: a handful, so that a list is smaller and quicker than a map.
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

/// A text with its place in the file, for what later stages may find wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spanned {
    pub value: String,
    pub span: Range<u32>,
}

/// A picture whose address is the article's link of this number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRef {
    pub link: u32,
    pub alt: String,
    pub credit: String,
}

/// Which ad slots an article turns on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdSwitches {
    /// All slots at once, where the article says.
    pub all: Option<bool>,
    pub slots: BTreeMap<String, bool>,
}

/// What reading a file's front matter came to.
#[derive(Debug, Default)]
pub struct Front {
    pub matter: FrontMatter,
    /// Where the Markdown starts.
    pub body_start: usize,
    pub unknown_keys: Vec<(String, Range<u32>)>,
    pub remarks: Vec<Remark>,
    /// The article's picture, with its place.
    pub image: Option<(Image, Range<u32>)>,
}

static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<RawFrontMatter>);

/// The keys that front matter may have.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    SHAPE.keys()
}

/// Reads the front matter of a file; errors go to the report.
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
    let (raw, problems) = schema::read::<RawFrontMatter>(Value::Object(tree), &SHAPE, Reading::Generous);
    for problem in &problems {
        note_problem(problem, &block, &mut front, report);
    }
    let reader = Reader { block: &block };
    let raw = raw.unwrap_or_default();
    front.image = raw.image.clone().map(ImageField::full).filter(|i| !i.src.is_empty()).map(|image| (image, narrow(&reader.key("image"))));
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

fn note_problem(problem: &Problem, block: &Block<'_>, front: &mut Front, report: &mut Report) {
    match (&problem.kind, problem.path.as_slice()) {
        (ProblemKind::UnknownKey { .. }, [Step::Key(key)]) => {
            let span = locate(block.text, block.syntax, &problem.path, Place::Key);
            front.unknown_keys.push((key.clone(), narrow(&(span.start + block.offset..span.end + block.offset))));
        }
        _ => {
            let mut d = problem.diagnose(Severity::Error, block.text, block.syntax, block.offset);
            let span = written(&problem.path, block.text, block.syntax);
            d.span = Some(span.start + block.offset..span.end + block.offset);
            report.push(d);
        }
    }
}

struct Reader<'a> {
    block: &'a Block<'a>,
}

impl Reader<'_> {
    fn span(&self, path: &[Step]) -> Range<usize> {
        let span = written(path, self.block.text, self.block.syntax);
        span.start + self.block.offset..span.end + self.block.offset
    }

    fn key(&self, key: &str) -> Range<usize> {
        self.span(&[Step::Key(key.to_owned())])
    }

    fn spanned(&self, key: &str, value: Option<String>) -> Option<Spanned> {
        value.map(|value| Spanned { value, span: narrow(&self.key(key)) })
    }

    fn date(&self, key: &str, text: Option<String>, remarks: &mut Vec<Remark>, report: &mut Report) -> Option<Moment> {
        let text = text.filter(|t| !t.trim().is_empty())?;
        match read_date(&text) {
            DateReading::Whole(moment) => Some(moment),
            DateReading::Part(moment) => {
                let read = moment.civil.strftime("%Y-%m-%d %H:%M");
                remarks.push(
                    Remark::new(format!("only part of this date can be read: {read}"), self.key(key))
                        .hint("write it like 2026-06-12 or 2026-06-12T21:34:00+02:00"),
                );
                Some(moment)
            }
            DateReading::Nothing => {
                report.push(
                    Diagnostic::error(format!("`{key}` is not a date: \"{}\"", text.chars().take(60).collect::<String>()))
                        .at(self.key(key))
                        .hint("write it like 2026-06-12 or 2026-06-12T21:34:00+02:00"),
                );
                None
            }
        }
    }

    fn resolve(&self, raw: RawFrontMatter, remarks: &mut Vec<Remark>, report: &mut Report) -> FrontMatter {
        let date = self.date("date", raw.date, remarks, report);
        let updated = self.date("updated", raw.updated, remarks, report);
        let expires = self.date("expires", raw.expires, remarks, report);
        let aliases = raw.aliases.into_iter().filter(|a| !a.trim().is_empty()).map(|value| Spanned { value, span: narrow(&self.key("aliases")) });
        let mut terms: BTreeMap<String, Vec<String>> = raw.taxonomies;
        for (name, values) in [("category", raw.category), ("tag", raw.tags), ("author", raw.authors), ("series", raw.series)] {
            if !values.is_empty() {
                terms.entry(name.to_owned()).or_default().extend(values);
            }
        }
        for values in terms.values_mut() {
            clean_terms(values);
        }
        terms.retain(|_, values| !values.is_empty());
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
            terms: Terms(terms.into_iter().collect()),
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

/// White space folded, and what is no text left out.
fn one_line(text: &str) -> String {
    let text: String = text.chars().filter(|c| c.is_whitespace() || !c.is_control()).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Trims terms, drops empty ones and repeats.
fn clean_terms(values: &mut Vec<String>) {
    let mut seen = Vec::new();
    for value in values.drain(..) {
        let value = one_line(&value);
        if !value.is_empty() && !seen.contains(&value) {
            seen.push(value);
        }
    }
    *values = seen;
}
