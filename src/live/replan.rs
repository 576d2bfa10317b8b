//! Decides whether an edit needs a new plan.

use std::sync::Arc;

use super::article::LiveArticle;
use super::preview::Preview;
use super::problems::Problems;
use crate::parse::Doc;
use crate::paths::SourcePath;

/// Whether a new plan is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Replan {
    #[default]
    No,
    Yes,
}

/// Whether an article that was parsed again needs a new plan.
pub(super) fn after_article(
    source: &SourcePath,
    before: Option<&LiveArticle>,
    article: &LiveArticle,
    problems: &Problems,
    preview: &Preview,
) -> Replan {
    // A plan treats articles with and without errors differently.
    let same_validity = before.is_some_and(|b| b.is_valid == article.is_valid);
    let is_planned = match (before.and_then(|b| b.doc.as_ref()), &article.doc) {
        (None, None) => true,
        (Some(old), Some(new)) => {
            Arc::ptr_eq(old, new) || is_valid_with(source, old, new, problems, preview)
        }
        _ => false,
    };
    if same_validity && is_planned { Replan::No } else { Replan::Yes }
}

/// Whether the plan stays valid with an article's new text. Problems that the plan found in the
/// article point into its old text.
fn is_valid_with(
    source: &SourcePath,
    old: &Doc,
    new: &Doc,
    problems: &Problems,
    preview: &Preview,
) -> bool {
    !problems.plan.mentions(source.as_str())
        && preview.with_plan(|plan| plan.is_valid_with(old, new)) == Some(true)
}
