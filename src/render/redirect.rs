//! The page at an alias: it redirects readers, and tells search engines the canonical URL.

use pulldown_cmark_escape::escape_html;

use super::world::World;
use crate::paths::Route;

/// A redirect that works on every host and without script.
pub(super) fn page(world: &World, to: &Route) -> String {
    text(&world.config.language, &world.permalink(to), &world.url(to))
}

fn text(language: &str, permalink: &str, url: &str) -> String {
    let escaped = |text: &str| {
        let mut safe = String::new();
        let _ = escape_html(&mut safe, text);
        safe
    };
    let (language, permalink, url) = (escaped(language), escaped(permalink), escaped(url));
    format!(
        "{START}{language}{HEAD}{permalink}{REFRESH}{url}{BODY}\
         <body>\n<p>This page has moved to <a href=\"{url}\">{permalink}</a>.</p>\n</body>\n\
             </html>\n"
    )
}

const START: &str = "<!doctype html>\n<html lang=\"";
const HEAD: &str = "\">\n<head>\n<meta charset=\"utf-8\">\n<title>Moved</title>\n\
                    <meta name=\"robots\" content=\"noindex\">\n<link rel=\"canonical\" href=\"";
const REFRESH: &str = "\">\n<meta http-equiv=\"refresh\" content=\"0; url=";
const BODY: &str = "\">\n</head>\n";

/// The target of a redirect page made by [`page`]; `None` for any other page.
#[must_use]
pub(crate) fn target_of(html: &str) -> Option<String> {
    let (_language, rest) = html.strip_prefix(START)?.split_once(HEAD)?;
    let (permalink, rest) = rest.split_once(REFRESH)?;
    let (url, _) = rest.split_once(BODY)?;
    // Quotes and brackets are escaped in every value.
    let is_value = |text: &str| !text.is_empty() && !text.contains(['"', '<', '>']);
    (is_value(permalink) && is_value(url)).then(|| unescaped(url))
}

/// `&amp;` comes last, so that the result is not decoded twice.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_it_leads() {
        for url in ["/new/", "/p/a%20b/?x=1&y=2", "/it's/", "/a&lt;b/", "/\"q\"/", "/ä/"] {
            let page = text("en", &format!("https://t.example{url}"), url);
            assert_eq!(target_of(&page).as_deref(), Some(url));
            assert!(page.contains("<title>Moved</title>") && page.ends_with("</html>\n"));
        }
    }

    #[test]
    fn other_pages_lead_nowhere() {
        let page = text("en", "https://t.example/new/", "/new/");
        for other in [
            String::new(),
            "<!doctype html>\n<html lang=\"en\"><title>Moved</title>".to_owned(),
            page.replace("<title>Moved</title>", "<title>My page</title>"),
            page.replace("noindex", "index"),
            page.replace("0; url=", "5; url="),
            page.replace("url=/new/", "url=/new/\"><script>x</script>\""),
            format!("\n{page}"),
        ] {
            assert_eq!(target_of(&other), None, "{other}");
        }
    }
}
