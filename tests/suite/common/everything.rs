//! A site with every feature, and random edits of it.

use super::Site;
use super::random::Random;

const WORDS: [&str; 12] = [
    "queue", "cache", "index", "shard", "cursor", "token", "stream", "batch", "lock", "page",
    "log", "heap",
];
const TAGS: [&str; 5] = ["rust", "go", "C++", "sql", "web"];
const SECTIONS: [&str; 3] = ["posts", "notes", "posts/deep"];

/// A site under random edits.
pub struct Everything {
    pub site: Site,
    random: Random,
    next: usize,
    config: usize,
}

impl Everything {
    pub fn new(seed: u64) -> Self {
        let site = Site::bare()
            .file(
                "content/_index.md",
                "---\ntitle: Home\n---\n\nWelcome, see [posts](posts/_index.md).\n",
            )
            .file(
                "content/posts/_index.md",
                "---\ntitle: Posts\nsort_by: date\npaginate_by: 3\n---\n\nA section.\n",
            )
            .file("content/about.md", "---\ntitle: About\n---\n\n{{<latest />}}\n\n## Here\n")
            .file("templates/components/latest.html", LATEST)
            .file("templates/partial.html", "<p>partial</p>")
            .file("templates/special.html", SPECIAL)
            .file("data/facts.yaml", "a: 1\n")
            .file("data/counters.json", "{\"/about/\": {\"views\": 1}}")
            .file("static/plain.txt", "plain")
            .file("static/dot.gif", b"GIF89a\x01\0\x01\0\0\0\0\0")
            .file("static/deep/er.css", "body {}");
        let mut everything = Self { site, random: Random::new(seed), next: 0, config: 0 };
        everything.write_config();
        for _ in 0..8 {
            everything.add_article();
        }
        everything
    }

    /// Makes one to three edits and says which.
    pub fn edit(&mut self) -> Vec<String> {
        (0..=self.random.below(3)).map(|_| self.one_edit()).collect()
    }

    fn one_edit(&mut self) -> String {
        match self.random.below(29) {
            0..=2 => self.rewrite("body"),
            3 => self.rewrite("title"),
            4 => self.rewrite("date"),
            5 => self.rewrite("tags"),
            6 => self.rewrite("draft"),
            7 => self.rewrite("alias"),
            8 => self.add_article(),
            9 => self.remove_article(),
            10 => self.rename_article(),
            11 => self.forge_time(),
            12 => self.make_bundle(),
            13 => self.put("data/facts.yaml", &["a: 1\n", "a: 2\n", "b: [1, 2]\n"]),
            14 => self.put(
                "data/counters.json",
                &[
                    "{}",
                    "{\"/about/\": \
                {\"views\": 2, \"hearts\": 3}}",
                ],
            ),
            15 => self.put("templates/components/latest.html", &[LATEST, LATEST_SHORT]),
            16 => self.put("templates/partial.html", &["<p>partial</p>", "<p>other</p>"]),
            17 => self.put("templates/special.html", &[SPECIAL, SPECIAL_OTHER]),
            18 => self.toggle(
                "templates/term.html",
                "{% extends \"base.html\" %}{% block main %}<h1>{{ term.name }}</h1>{{\
                 <cards list={list} />}}{% endblock %}",
            ),
            19 => self.put("static/plain.txt", &["plain", "other", "third"]),
            20 => self.toggle("static/extra/file.txt", "extra"),
            21 => {
                self.config = self.random.below(CONFIGS.len());
                self.write_config();
                format!("config {}", self.config)
            }
            22 => self.tamper(),
            23 => self.toggle("languages/en.toml", "related = \"See too\"\nnote = \"Mark\"\n"),
            24 => self.toggle("content/tags/rust.md", "---\ntitle: Rust\n---\n\nAll of it.\n"),
            25 => self.toggle("content/tags/_index.md", "---\ntitle: Words\n---\n\nA list.\n"),
            26 => self.picture(),
            27 => self.toggle("templates/article-end.html", "<p>The end.</p>"),
            _ => self.put(
                "content/about.md",
                &[
                    "---\ntitle: About\n---\n\n{{<latest />}}\n\n## Here\n",
                    "---\ntitle: About \
                    us\n---\n\n## There\n",
                    "no front matter",
                ],
            ),
        }
    }

    /// Writes a picture, the header of a GIF of a random size.
    fn picture(&mut self) -> String {
        let size = u8::try_from(1 + self.random.below(3)).unwrap();
        self.site.write(
            "static/dot.gif",
            [b'G', b'I', b'F', b'8', b'9', b'a', size, 0, size, 0, 0, 0, 0, 0],
        );
        format!("picture of size {size}")
    }

    fn write_config(&self) {
        self.site.write(
            "site.toml",
            format!("title = \"T\"\nbase_url = \"https://t.example/p\"\n{}", CONFIGS[self.config]),
        );
    }

    pub fn articles(&self) -> Vec<String> {
        let all = super::files(&self.site.path("content"));
        all.into_keys()
            .filter(|n| n.ends_with(".md") && !n.ends_with("_index.md") && n != "about.md")
            .map(|n| format!("content/{n}"))
            .collect()
    }

    fn words(&mut self, n: usize) -> String {
        (0..n).map(|_| *self.random.of(&WORDS)).collect::<Vec<_>>().join(" ")
    }

    fn article(&mut self) -> String {
        let others = self.articles();
        let day = 1 + self.random.below(28);
        let (year, month) = (2023 + self.random.below(5), 1 + self.random.below(12));
        let mut text = format!("---\ntitle: {}\ndate: {year}-{month:02}-{day:02}\n", self.words(2));
        text += &format!(
            "tags: [{}, {}]\ncategory: {}\n",
            self.random.of(&TAGS),
            self.random.of(&TAGS),
            self.random.of(&["One", "Two"])
        );
        match self.random.below(8) {
            0 => text += "series: Serial\n",
            1 => text += "template: special.html\n",
            2 => text += "toc: true\nsponsored: true\n",
            3 => text += "expires: 2026-01-01\n",
            4 => text += "draft: true\n",
            5 => text += &format!("aliases: [/old/{}/]\n", self.random.below(30)),
            _ => {}
        }
        text += &format!("---\n\n{}.\n\n<!-- more -->\n\n## {}\n\n", self.words(8), self.words(2));
        if !others.is_empty() {
            let other = self.random.of(&others).clone();
            text += &format!(
                "See [it](@/{}) and [this](/about/#here).\n\n",
                other.trim_start_matches("content/")
            );
        }
        text += &match self.random.below(7) {
            5 => "![Dot](/dot.gif)\n".to_owned(),
            0 => "```rust\nfn main() { let x = 1; }\n```\n".to_owned(),
            1 => "{% <callout kind=\"tip\"> %}\nInside.\n{% </callout> %}\n".to_owned(),
            2 => "{{<latest />}}\n".to_owned(),
            3 => "| a | b |\n|---|---|\n| 1 | 2 |\n{caption=\"C\"}\n".to_owned(),
            4 => "Text[^1].\n\n[^1]: Note.\n".to_owned(),
            _ => format!("{}\n", self.words(30)),
        };
        text
    }

    fn add_article(&mut self) -> String {
        self.next += 1;
        let section = *self.random.of(&SECTIONS);
        let name = match self.random.below(3) {
            0 => format!(
                "content/{section}/2025-0{}-1{}-a{}.md",
                1 + self.random.below(9),
                self.random.below(9),
                self.next
            ),
            1 => format!("content/{section}/a{}/index.md", self.next),
            _ => format!("content/{section}/a{}.md", self.next),
        };
        let text = self.article();
        self.site.write(&name, text);
        format!("add {name}")
    }

    fn any(&mut self) -> Option<String> {
        let articles = self.articles();
        (!articles.is_empty()).then(|| self.random.of(&articles).clone())
    }

    fn rewrite(&mut self, what: &str) -> String {
        let Some(name) = self.any() else { return self.add_article() };
        let text = std::fs::read_to_string(self.site.path(&name)).unwrap();
        let line = match what {
            "title" => format!("title: {}", self.words(3)),
            "date" => {
                format!("date: 2024-0{}-0{}", 1 + self.random.below(9), 1 + self.random.below(9))
            }
            "tags" => format!("tags: [{}]", self.random.of(&TAGS)),
            "draft" => format!("draft: {}", self.random.of(&["true", "false"])),
            "alias" => format!("aliases: [/old/{}/]", self.random.below(30)),
            _ => {
                self.site
                    .write(&name, format!("{text}\nMore {}.\n", WORDS[self.next % WORDS.len()]));
                return format!("body of {name}");
            }
        };
        let key = line.split(':').next().unwrap();
        let kept: Vec<&str> = text.lines().filter(|l| !l.starts_with(&format!("{key}:"))).collect();
        let new = kept.join("\n").replacen("---\n", &format!("---\n{line}\n"), 1) + "\n";
        self.site.write(&name, new);
        format!("{line} in {name}")
    }

    fn remove_article(&mut self) -> String {
        let Some(name) = self.any() else { return self.add_article() };
        self.site.remove(&name);
        format!("remove {name}")
    }

    fn rename_article(&mut self) -> String {
        let Some(name) = self.any() else { return self.add_article() };
        self.next += 1;
        let new = format!("content/posts/r{}.md", self.next);
        std::fs::rename(self.site.path(&name), self.site.path(&new)).unwrap();
        format!("rename {name} to {new}")
    }

    /// Changes a letter and sets the file's time back to what it was.
    fn forge_time(&mut self) -> String {
        let Some(name) = self.any() else { return self.add_article() };
        let path = self.site.path(&name);
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let (from, to) = if text.contains("queue") { ("queue", "QUEUE") } else { ("e", "E") };
        let at = text.rfind(from).unwrap_or(0);
        let mut new = text.clone();
        if text.contains(from) {
            new.replace_range(at..at + from.len(), to);
        }
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        std::io::Write::write_all(&mut file, new.as_bytes()).unwrap();
        file.set_modified(time).unwrap();
        format!("forge {name}")
    }

    /// Makes a folder with a picture of a file.
    fn make_bundle(&mut self) -> String {
        let Some(name) = self.any().filter(|n| !n.ends_with("/index.md")) else {
            return self.add_article();
        };
        let text = std::fs::read(self.site.path(&name)).unwrap();
        self.site.remove(&name);
        let folder = name.trim_end_matches(".md");
        if self.site.path(folder).exists() {
            return format!("remove {name}");
        }
        self.site.write(&format!("{folder}/index.md"), text);
        self.site.write(
            &format!("{folder}/pic.png"),
            vec![u8::try_from(self.random.below(200)).unwrap(); 40],
        );
        format!("bundle {name}")
    }

    fn put(&mut self, name: &str, contents: &[&str]) -> String {
        let content = *self.random.of(contents);
        self.site.write(name, content);
        format!("write {name}")
    }

    fn toggle(&mut self, name: &str, content: &str) -> String {
        if self.site.path(name).exists() {
            self.site.remove(name);
            return format!("remove {name}");
        }
        self.site.write(name, content);
        format!("write {name}")
    }

    /// Changes or removes a file of the output.
    fn tamper(&mut self) -> String {
        let names = self.site.names();
        if names.is_empty() {
            return "nothing".into();
        }
        let name = format!("public/{}", self.random.of(&names));
        if self.random.below(2) == 0 {
            self.site.remove(&name);
        } else {
            self.site.write(&name, "tampered");
        }
        format!("tamper with {name}")
    }
}

const LATEST: &str = "{% component latest(@page) %}<ul>{% for p in pages(limit=3) %}<li>\
                      <a href=\"{{ url(path=p.route) }}\">{{ p.title }}</a></li>{% endfor %}\
                      </ul>{% set facts = data(path=\"facts.yaml\", required=false) %}{{ facts | \
                      json }}{{ asset(path=\"plain.txt\") }}{% endcomponent latest %}";
const LATEST_SHORT: &str = "{% component latest() %}<p>{{ pages(tag=\"rust\") | length }} \
                            {% set s = section(path=\"posts\") %}{% if s %}{{ s.pages | length \
                            }}{% endif %} {% set t = taxonomy(kind=\"tag\") %}{% if t %}{{ \
                            t.terms | length }}{% endif %}</p>{% endcomponent latest %}";
const SPECIAL: &str = "{% extends \"base.html\" %}{% block main %}<h1>{{ page.title }}\
                       </h1>{% include \"partial.html\" %}\
                       <div class=\"content\">{{ page.content }}\
                       </div>{% set other = page(path=\"about.md\") %}{% if other %}{{ \
                       other.title }}{% endif %}{% endblock main %}";
const SPECIAL_OTHER: &str = "{% extends \"base.html\" %}{% block main %}<h1>{{ page.title }}!\
                             </h1>{% include \"partial.html\" %}{{ page.summary }}{{\
                             <latest />}}{% endblock main %}";

const CONFIGS: [&str; 7] = [
    "[markdown]\nbroken_links = \"warn\"\n[ads.slots.top]\nplace = \"before-content\"\n",
    "description = \"D\"\n[markdown]\nbroken_links = \"warn\"\n[menu]\n\
     main = [{name = \"A\", url = \"/about/\"}]\n",
    "paginate_by = 2\n[markdown]\nbroken_links = \"warn\"\nsmart_punctuation = true\n",
    "[markdown]\nbroken_links = \"warn\"\n[permalinks]\nposts = \"/{year}/{slug}.html\"\n[feeds]\n\
     limit = 2\n",
    "[markdown]\nbroken_links = \"warn\"\nheading_anchors = false\n\
     external_links = {rel = \"nofollow\"}\n[taxonomies]\n\
     tag = {slug = \"labels\", paginate_by = 1, feed = true}\n",
    "timezone = \"Asia/Tokyo\"\n[markdown]\nbroken_links = \"warn\"\n[feeds]\n\
     formats = [\"atom\"]\ncontent = \"summary\"\n[article]\nrelated = 1\ndate_format = \"%Y\"\n",
    "[markdown]\nbroken_links = \"warn\"\n[ads.slots.mid]\nplace = \"in-content\"\n\
     after_words = 5\nevery_words = 10\n[highlight]\nlight = \"GitHub\"\nline_numbers = true\n\
     [comments]\nshow = false\n",
];
