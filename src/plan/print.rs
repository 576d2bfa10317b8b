//! The plan as text, one line per file of the output.

use std::fmt;

use super::model::{CopyFrom, JobKind, Pager, Plan, Scope};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (out, job) in &self.jobs {
            writeln!(f, "{out}  {}", self.describe(&job.kind))?;
        }
        Ok(())
    }
}

impl Plan {
    /// What a job renders, in words.
    #[must_use]
    pub fn describe(&self, kind: &JobKind) -> String {
        match kind {
            JobKind::Page(id) => {
                let page = &self.pages[*id];
                let name = |id: &usize| self.pages[*id].doc.source.as_str().to_owned();
                let neighbours = &self.neighbours[*id];
                let mut text = format!("page {} with {}", page.doc.source, page.template);
                if let Some(newer) = &neighbours.newer {
                    text += &format!(", newer {}", name(newer));
                }
                if let Some(older) = &neighbours.older {
                    text += &format!(", older {}", name(older));
                }
                if !neighbours.related.is_empty() {
                    text += &format!(
                        ", related {}",
                        neighbours.related.iter().map(name).collect::<Vec<_>>().join(" ")
                    );
                }
                text
            }
            JobKind::Section { section, pager } => {
                let s = &self.sections[*section];
                format!("section {:?} with {}{}", s.path, s.template, part(*pager))
            }
            JobKind::Taxonomy(t) => format!("taxonomy {}", self.taxonomies[*t].name),
            JobKind::Term { taxonomy, term, pager } => {
                let t = &self.taxonomies[*taxonomy];
                format!("{} {:?}{}", t.name, t.terms[*term].name, part(*pager))
            }
            JobKind::Archive => "archive".into(),
            JobKind::Year(year) => format!("archive of {year}"),
            JobKind::Feed { format, scope } => match scope {
                Scope::Site => format!("{format:?} feed of the site"),
                Scope::Term { taxonomy, term } => {
                    format!("{format:?} feed of {:?}", self.taxonomies[*taxonomy].terms[*term].name)
                }
            },
            JobKind::Sitemap { part } => format!("sitemap, part {part}"),
            JobKind::SitemapIndex { parts } => format!("sitemap index of {parts}"),
            JobKind::Robots => "robots".into(),
            JobKind::AdsTxt => "ads.txt".into(),
            JobKind::NotFound => "not found".into(),
            JobKind::HighlightCss => "highlight style sheet".into(),
            JobKind::Redirect { to, from } => format!("redirect to {to} for {from}"),
            JobKind::Copy(CopyFrom::Site(path)) => format!("copy of {path}"),
            JobKind::Copy(CopyFrom::Theme { name, .. }) => format!("copy of the theme's {name}"),
        }
    }
}

fn part(pager: Pager) -> String {
    format!(", entries {}..{}, page {} of {}", pager.start, pager.end, pager.number, pager.count)
}
