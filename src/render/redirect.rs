//! The page at an old address: it sends readers on and tells search engines where to look.

use super::World;
use crate::paths::Route;
use pulldown_cmark_escape::escape_html;

/// A redirect that works on any host and without script.
pub(super) fn page(world: &World, to: &Route) -> String {
    let mut permalink = String::new();
    let mut url = String::new();
    let mut language = String::new();
    let _ = escape_html(&mut permalink, &world.permalink(to));
    let _ = escape_html(&mut url, &world.url(to));
    let _ = escape_html(&mut language, &world.config.language);
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<title>Moved</title>\n<meta name=\"robots\" content=\"noindex\">\n\
         <link rel=\"canonical\" href=\"{permalink}\">\n<meta http-equiv=\"refresh\" content=\"0; url={url}\">\n</head>\n\
         <body>\n<p>This page has moved to <a href=\"{url}\">{permalink}</a>.</p>\n</body>\n</html>\n"
    )
}
