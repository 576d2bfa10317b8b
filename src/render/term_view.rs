//! What templates see of taxonomies and terms.

use serde_json::json;

use super::site_view::feed_link;
use super::view::{TaxonomyView, TermView, extra};
use super::world::World;
use crate::config::FeedFormat;
use crate::plan::links::From;
use crate::plan::{Taxonomy, Term};

impl World {
    /// A taxonomy's view.
    #[must_use]
    pub fn taxonomy_view(&self, index: usize) -> TaxonomyView<'_> {
        let taxonomy = &self.plan.taxonomies[index];
        let doc = taxonomy.text.map(|id| &*self.plan.term_texts[id].doc);
        TaxonomyView {
            name: &taxonomy.name,
            title: self.taxonomy_title(taxonomy),
            description: doc.and_then(|d| d.front.description.clone()).unwrap_or_default(),
            extra: doc.map_or_else(|| json!({}), extra),
            route: taxonomy.route.as_str(),
            url: self.url(&taxonomy.route),
            permalink: self.permalink(&taxonomy.route),
            terms: taxonomy.terms.iter().map(|term| self.term_view(taxonomy, term)).collect(),
        }
    }

    /// The title of a taxonomy's text, or its name in the language of the site, in the plural.
    pub(crate) fn taxonomy_title(&self, taxonomy: &Taxonomy) -> String {
        let own = taxonomy.text.and_then(|id| self.plan.term_texts[id].doc.front.title.clone());
        if let Some(title) = own {
            return title;
        }
        let name = &taxonomy.name;
        let key = match name.as_str() {
            "category" => "categories",
            "tag" => "tags",
            "author" => "authors",
            "series" => "series",
            _ => {
                let mut letters = name.chars();
                let first = letters.next().into_iter().flat_map(char::to_uppercase);
                return first.chain(letters).collect();
            }
        };
        self.config.texts.text(key).to_owned()
    }

    /// What the page of a term lists, such as "3 articles in this category".
    fn listing_of(&self, taxonomy: &Taxonomy, term: &Term) -> String {
        let key = match taxonomy.name.as_str() {
            "category" => "articles_in_category",
            "tag" => "articles_with_tag",
            "author" => "articles_by_author",
            "series" => "articles_in_series",
            _ => "articles",
        };
        let values = [("name", term.name.clone())];
        self.config.texts.translate(key, Some(term.pages.len() as u64), &values).unwrap_or_default()
    }

    /// A term's view.
    #[must_use]
    pub fn term_view<'a>(&'a self, taxonomy: &Taxonomy, term: &'a Term) -> TermView<'a> {
        let feed_url = |format: &FeedFormat| {
            let route = term.route.join(crate::plan::feed_name(*format));
            feed_link(*format, route.map(|route| self.url(&route)).unwrap_or_default())
        };
        let text = term.text.map(|id| &self.plan.term_texts[id]);
        let front = text.map(|text| &text.doc.front);
        let image = text.and_then(|text| {
            let from = From { doc: &text.doc, route: &text.route };
            self.image(text.doc.front.image.as_ref()?, from)
        });
        let description =
            text.map(|text| text.doc.front.description.as_deref().unwrap_or(&text.doc.lead));
        TermView {
            name: &term.name,
            title: front.and_then(|front| front.title.as_deref()).unwrap_or(&term.name),
            description: description.unwrap_or_default(),
            image,
            extra: text.map_or_else(|| json!({}), |text| extra(&text.doc)),
            route: term.route.as_str(),
            url: self.url(&term.route),
            permalink: self.permalink(&term.route),
            count: term.pages.len(),
            listing: self.listing_of(taxonomy, term),
            feeds: term.feeds.iter().map(feed_url).collect(),
        }
    }
}
