//! Mutated inputs: whatever they contain, they are read or refused, quickly and without a panic.
//!
//! Each target starts from the inputs of [`SEEDS`], which are interesting by themselves or were
//! once found to fail. `FOLIO_FUZZ_SECONDS` makes each target run that long, `FOLIO_SEED` starts it
//! elsewhere; otherwise a few hundred mutations are tried.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use folio::cache::Fingerprint;
use folio::config::{self, Config, Overrides};
use folio::diag::Diagnostic;
use folio::language::Language;
use folio::load::{Sources, TemplateSource, theme};
use folio::parse::{self, Body, HighlightCache, Settings};
use folio::paths::SourcePath;
use folio::plan::{self, FaultyArticles, Node, Visibility};
use folio::render::{Inputs, Renderer};

use crate::common::random::{Random, number};

/// Pieces that mutations insert.
const TOKENS: [&str; 60] = [
    "---\n",
    "+++\n",
    "title: ",
    "date: 2026-02-30",
    "tags: [",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "\t",
    "\r\n",
    "\0",
    "\u{feff}",
    "é",
    "目",
    "\u{202e}",
    "\u{1f469}\u{200d}\u{1f467}",
    "\"",
    "'",
    "`",
    "```",
    "~~~ rust\n",
    "> ",
    "- ",
    "1. ",
    "# ",
    "| a | b |\n|---|\n",
    "[^1]",
    "[^1]: x",
    "![](a b.png)",
    "[x](<",
    "](javascript:1)",
    "<a href=",
    "<!--",
    "-->",
    "<![CDATA[",
    "<script>",
    "</p>",
    "<p ",
    "&#0;",
    "&#x110000;",
    "$$",
    "\\frac{",
    "{{<x ",
    " />}}",
    "{% <x> %}\n",
    "{% </x> %}\n",
    "{{ ",
    " }}",
    "{% if x %}",
    "{% endif %}",
    "{% for a in ",
    "{# ",
    "99999999999999999999",
    "-1",
    "../../",
    "%2e%2e/",
];

fn settings() -> Settings {
    Settings {
        markdown: config::Markdown {
            math: true,
            smart_punctuation: true,
            ..config::Markdown::default()
        },
        line_numbers: true,
        slugs: folio::slug::SlugRule::new("de", false),
        texts: Arc::new(Language::read("de", None).0),
    }
}

/// A mutation of one of the seeds.
fn mutate(seeds: &[&str], random: &mut Random) -> String {
    let mut bytes = random.of(seeds).as_bytes().to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 => {
                let token = random.of(&TOKENS).as_bytes();
                bytes.splice(at..at, token.iter().copied());
            }
            1 if !bytes.is_empty() => {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            2 => {
                let end = (at + random.below(20)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let end = (at + random.below(40)).min(bytes.len());
                let piece = bytes[at..end].repeat(1 + random.below(30));
                bytes.splice(at..at, piece);
            }
            4 => {
                let other = random.of(seeds).as_bytes();
                let from = random.below(other.len() + 1);
                bytes.splice(at..at, other[from..].iter().copied());
            }
            5 => {
                let token = random.of(&TOKENS).repeat(1 + random.below(200));
                bytes.splice(at..at, token.into_bytes());
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Tries mutations of the seeds, the seeds themselves first.
fn fuzz(target: &str, seeds: &[&str], try_one: impl Fn(&str)) {
    let seconds = number("FOLIO_FUZZ_SECONDS", 0);
    let mut random = Random::new(number("FOLIO_SEED", 1));
    let start = Instant::now();
    let (mut tried, mut slowest) = (0_u64, Duration::ZERO);
    while if seconds > 0 { start.elapsed().as_secs() < seconds } else { tried < 300 } {
        let index = usize::try_from(tried).unwrap();
        let input =
            seeds.get(index).map_or_else(|| mutate(seeds, &mut random), |s| (*s).to_owned());
        let began = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| try_one(&input)));
        let took = began.elapsed();
        if took > slowest {
            slowest = took;
            if took > Duration::from_secs(5) {
                println!("{target}: {took:?} for {input:?}");
            }
        }
        assert!(result.is_ok(), "{target}: a panic for {input:?}");
        tried += 1;
    }
    println!("{target}: {tried} inputs in {:?}, the slowest took {slowest:?}", start.elapsed());
}

fn source() -> SourcePath {
    SourcePath::new("content/posts/a.md").unwrap()
}

fn parse_article(text: &str, settings: &Settings) {
    let parsed = parse::parse(&source(), text, settings, &mut HighlightCache::default());
    assert!(parsed.body.holes.iter().all(|h| parsed.body.html.is_char_boundary(h.at as usize)));
    assert!(parsed.doc.links.iter().all(|l| l.span.end as usize <= text.len()));
    let _ = folio::check::facts::facts(parsed.body.html.as_bytes());
}

#[test]
fn front_matter() {
    let settings = settings();
    let seeds = [
        "---\ntitle: A\ndate: 2026-01-01\nupdated: 2025-01-01\ntags: [C++, c++]\n---\n\nx\n",
        "---\ntitle: \"A\ndate: x\n---\n",
        "---\ntitle: a: b\n\tx: 1\n---\n",
        "---\na: &a [*a]\nb: {<<: *a}\n---\n",
        "---\ntitle: [a, {b: c}]\nextra: {a: [1, 2.5, ~, true]}\nimage: {src: javascript:1}\n---\n",
        "+++\ntitle = \"A\"\ndate = 2026-01-01T00:00:00Z\n[taxonomies]\ntags = [\"x\"]\n+++\n",
        "---\n---\n",
        "---\ntitle: A",
        "\u{feff}---\r\ntitle: A\r\n---\r\n",
        "---\naliases: [/../a, /b, \"http://x\"]\nslug: a/b\npath: /:year/:title/\nads: {top: false}\n---\n",
    ];
    fuzz("front matter", &seeds, |text| parse_article(text, &settings));
}

#[test]
fn markdown_with_components() {
    let settings = settings();
    let seeds = [
        "# A\n\n{{<figure src=\"a.png\" width={3} list={[1, \"a\"]} />}}\n\ntext[^1] **b** `c`\n\n[^1]: note\n",
        "{% <callout kind=\"tip\"> %}\n\n- a\n\n  {% <x> %}\n  b\n  {% </x> %}\n\n{% </callout> %}\n",
        "{{<comparison\n\n{{<ad x=\"\n\n{% <a> \n\n{% </a %}\n",
        "| a | b |\n|:--|--:|\n| c | d | e |\n{caption=\"x *y*\"}\n\n> [!WARN]\n> x\n",
        "```rust {1,3-4} file=\"a.rs\" linenos\nfn main() {}\n```\n\n~~~\nopen\n",
        "$x^2$ and $$\\frac{1}{2}$$ \"q\" -- 'a' ...\n\nTerm\n: Definition\n\n- [ ] a\n- [x] b\n",
        "[a](b.md#c) [d](/e/) ![f](g h.png) <https://x.example> [[Wiki]] ::: tip\nx\n:::\n",
        "<!-- more -->\n\na <b onclick=x>c</b> <Chart x={1} />\n\nimport X from 'y'\n",
        "## A {#b .c k=v}\n\n## A\n\nSetext\n===\n\n***\n\n1. a\n   2. b\n",
        "x\n\n    {{<code>}}\n\n{{ x }} {% y %} <%= z %> {: .a} [TOC] !!! note\n",
    ];
    fuzz("markdown with components", &seeds, |text| parse_article(text, &settings));
}

#[test]
fn raw_html() {
    let settings = settings();
    let seeds = [
        "<p a b=\"c\" d='e' f=g>x</p>\n\n<img src=a.png alt=\"\">\n",
        "<a href=\"javascript:1\" href=b>x</a> <svg><a xlink:href=\"y\"/></svg>\n",
        "<table><tr><td id=a id=b>c<td>d</table>\n\n<details open>\n\n*x*\n\n</details>\n",
        "<!-- a --!> <!doctype html> <?php x ?> <![CDATA[ y ]]>\n",
        "<script>var a = \"</script>\";</script>\n<style>p{}</style>\n<textarea></p></textarea>\n",
        "<div\n\nclass=\"a\n\nb\">\n<p>&amp;&lt;&#x41;&notanentity;</p>\n",
        "<iframe src=\"//x.example\"></iframe><base href=x><form action=/y><input value=\"z\">\n",
    ];
    fuzz("raw HTML", &seeds, |text| parse_article(text, &settings));
}

#[test]
fn configurations() {
    let seeds = [
        "title = \"T\"\nbase_url = \"https://t.example/blog\"\nlanguage = \"de\"\n[author]\nname = \"A\"\n",
        "title = 'T'\nbase_url = 'https://t.example:99999/%2e%2e/'\ntimezone = 'Mars/Base'\n",
        "[menu]\nmain = [{ name = \"a\", url = \"javascript:x\" }]\n[permalinks]\nposts = \"/{year}/{slug}}/\"\n",
        "[ads.slots.a]\nplace = \"in-content\"\nsizes = [\"1x2\", \"x\"]\nafter_words = -1\n[feeds]\nformats = [\"atom\", \"atom\"]\n",
        "[deploy.a]\ntarget = \"s3\"\nbucket = \"b\"\nsecret_key = \"x\"\n[deploy.b]\ntarget = \"rsync\"\ndestination = \"-e x\"\n",
        "[taxonomies.tag]\nslugs = { \"C++\" = \"a/b\" }\n[check]\norphan = \"off\"\nexternal.timeout = 1\n",
        "[counters]\nsnapshot = \"/etc/passwd\"\n[article]\ndate_format = \"%Q\"\nwords_per_minute = 0\n[extra]\na.b.c = 1\n",
    ];
    fuzz("site.toml", &seeds, |text| {
        let (config, report) = Config::read(text, &Overrides::default(), |_| Some(text.to_owned()));
        assert!(config.is_some() || report.has_errors());
        assert!(report.items().iter().all(|d| d.span().is_none_or(|s| s.start <= s.end)));
    });
}

/// A data file and the site that reads it.
struct MemoryInputs {
    data: Vec<u8>,
}

impl Inputs for MemoryInputs {
    fn body(&self, _: Node) -> Result<Body, Diagnostic> {
        Ok(Body { html: "<p>x</p>".to_owned(), ..Body::default() })
    }

    fn file(&self, path: &SourcePath) -> Result<Option<Vec<u8>>, Diagnostic> {
        Ok(path.as_str().starts_with("data/").then(|| self.data.clone()))
    }

    fn open_file(&self, _: &SourcePath) -> Result<Option<File>, Diagnostic> {
        Ok(None)
    }

    fn found(&self, _: &SourcePath, _: Fingerprint) {}

    fn image_size(&self, _: &SourcePath) -> Option<(usize, usize)> {
        None
    }

    fn file_fingerprint(&self, _: &SourcePath) -> Option<Fingerprint> {
        None
    }
}

/// Renders a site of one article with a template of its own.
fn render_site(template: &str, data: &[u8], counters: &str) {
    let config = format!(
        "title = \"T\"\nbase_url = \"https://t.example\"\n[counters]\nsnapshot = \"{counters}\"\n"
    );
    let config = Config::parse(&config, &Overrides::default()).unwrap().0;
    let settings = Settings::of(&config);
    let article = "---\ntitle: A\ndate: 2026-01-01\ntags: [x]\n---\n\nText.\n";
    let parsed = parse::parse(&source(), article, &settings, &mut HighlightCache::default());
    let mut templates: Vec<TemplateSource> = theme::TEMPLATES
        .iter()
        .filter(|(name, _)| *name != "page.html")
        .map(|(name, text)| TemplateSource { name: (*name).to_owned(), text: (*text).into() })
        .collect();
    templates
        .push(TemplateSource { name: "page.html".to_owned(), text: template.to_owned().into() });
    let sources = Sources { templates: templates.clone(), ..Sources::default() };
    let visibility =
        Visibility { include_drafts: true, include_future: true, now: jiff::Timestamp::UNIX_EPOCH };
    let docs = vec![Arc::new(parsed.doc)];
    let (plan, _) = plan::plan(docs, &FaultyArticles::default(), &sources, &config, visibility);
    let inputs = Box::new(MemoryInputs { data: data.to_vec() });
    let Ok(renderer) = Renderer::new(plan, config, templates, inputs) else { return };
    let jobs: Vec<_> = renderer.plan().jobs.values().collect();
    for job in jobs.iter().filter(|job| matches!(job.kind, plan::JobKind::Page(_))) {
        let _ = renderer.render(job);
    }
}

#[test]
fn data_files() {
    let seeds = [
        "a: 1\nb: [x, {c: d}]\n",
        "a,b\n1,\"2\n3\"\n\"x\"\"y\",z\n",
        "{\"a\": {\"b\": [1, 2.5, null]}}",
        "a = 1\n[[b]]\nc = 1979-05-27\n",
        "/a/: {views: 1}\n",
        "{\"/posts/a/\": {\"views\": 1, \"hearts\": null}, \"/posts/a/\": {}}",
        "a: &x [1]\nb: [*x, *x]\n",
    ];
    let names = ["a.yaml", "a.csv", "a.json", "a.toml"];
    fuzz("data files", &seeds, |text| {
        for name in names {
            let template = format!("{{% set d = data(path=\"{name}\") %}}{{{{ d | json }}}}");
            render_site(&template, text.as_bytes(), "counters.json");
        }
        render_site("x", text.as_bytes(), "data/counters.json");
    });
}

#[test]
fn templates() {
    let seeds = [
        "{% extends \"base.html\" %}{% block main %}<h1>{{ page.title }}</h1>{{ page.content }}{% endblock main %}",
        "{% for p in pages(section=\"posts\", limit=3) %}{{ p.title | upper | truncate(length=3) }}{% else %}x{% endfor %}",
        "{{<figure src=\"a.png\" alt={page.title} />}}{% <callout kind=\"tip\"> %}x{% </callout> %}",
        "{% set x = [1, 2, {\"a\": 1}] %}{{ x[2].a + x[0] * 2 // 3 % 4 }}{{ page.date | date(format=\"%B\") }}",
        "{% if page.tags and not page.draft or page.views is number %}a{% elif x is defined %}b{% else %}c{% endif %}",
        "{% component own(a: string = \"x\", ...rest) %}{{ a }}{{ body }}{% endcomponent own %}{{<own />}}",
        "{% include \"head.html\" %}{# comment #}{% raw %}{{ x }}{% endraw %}{{ trans(key=\"views\", count=2) }}",
        "{{ url(path=\"@/posts/a.md\") }}{{ image(src=\"/a.png\", width=2).url }}{{ \"a\" ~ 1 }}{{ -1 | abs }}",
    ];
    fuzz("templates", &seeds, |text| render_site(text, b"{}", "counters.json"));
}

#[test]
fn deploy_manifests() {
    let entry = "{\"hash\":\"00000000000000000000000000000000\",\"size\":1}";
    let whole = format!(
        "{{\"folio\":1,\"deployed\":1,\"base_url\":\"https://t.example\",\"files\":{{\"a/index.html\":{entry},\"../x\":{entry}}},\"kept\":{{}},\"leaving\":{{}}}}"
    );
    let seeds = [
        whole.as_str(),
        "{\"base\":\"x\",\"planned\":[\"a\",\"../b\"],\"done\":{},\"release\":null,\"copying\":[]}",
        "{\"releases\":[{\"id\":\"../../etc\",\"files\":[\"/etc/passwd\"]}]}",
        "{\"folio\":99}",
        "[]",
    ];
    fuzz("deploy manifests", &seeds, |text| {
        use folio::deploy::manifest::{Journal, Manifest, Releases};
        if let Ok(manifest) = Manifest::read(text.as_bytes()) {
            let is_inside =
                |path: &String| path.split('/').all(|part| !matches!(part, "" | "." | ".."));
            assert!(manifest.files.keys().all(is_inside));
            assert!(Manifest::read(&manifest.bytes()).is_ok());
        }
        let _ = Journal::read(text.as_bytes());
        let _ = Releases::read(text.as_bytes());
    });
}
