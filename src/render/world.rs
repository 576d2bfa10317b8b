//! What every job of a site is rendered from, and the calls that templates make.

use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use serde::{Deserialize, Serialize};
use tera::Value;

use super::inputs::Inputs;
use crate::cache::Fingerprint;
use crate::config::Config;
use crate::plan::Plan;

/// Everything that templates can see. It does not change while pages are rendered.
pub struct World {
    pub plan: Plan,
    pub config: Config,
    pub inputs: Box<dyn Inputs>,
    /// The configuration as templates see it.
    pub site: Value,
    /// Route → views and hearts.
    pub counters: super::counters::Counters,
    pub(super) highlight_css: OnceLock<String>,
    pub(super) feed_texts: super::feed_texts::FeedTexts,
    pub(super) card_values: Vec<OnceLock<Value>>,
    /// How many of `card_values` are set.
    pub(super) cards_kept: AtomicUsize,
}

impl World {
    /// The style sheet of highlighted code.
    pub(crate) fn highlight_css(&self) -> &str {
        self.highlight_css.get_or_init(|| super::css::highlight(&self.config))
    }
}

/// Who reads what is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Audience {
    /// A visitor of the site.
    Page,
    /// A feed reader: every URL is absolute, and there are no ads.
    Feed,
}

/// A function call of a template, in a form that can be evaluated again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Call {
    pub function: String,
    /// The arguments as a JSON object, its keys sorted.
    pub arguments: String,
    pub audience: Audience,
}

/// A call with the fingerprint of its result; an error has one too.
pub type TracedCall = (Call, Fingerprint);

/// The calls that a job made while it was rendered, in order.
pub type Trace = Vec<TracedCall>;
