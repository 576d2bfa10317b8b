//! The kinds of foreign syntax: what happens to each, and what to write instead.

/// A syntax that other tools interpret and Folio does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `{{ … }}`: Jinja, Liquid, Handlebars, Vue.
    Expression,
    /// `{% … %}` and `{# … #}`: Jinja, Liquid.
    Statement,
    /// `{{< … >}}` and `{{% … %}}`: Hugo.
    HugoShortcode,
    /// `<% … %>`: ERB, EJS.
    Erb,
    /// `{: .class}`: kramdown. `{.class}` after an element: Pandoc and others.
    AttributeList,
    /// `[[Page]]`: Obsidian, MediaWiki.
    WikiLink,
    /// `![[image.png]]`: Obsidian.
    WikiEmbed,
    /// `[TOC]`: Python-Markdown and others.
    TableOfContents,
    /// `!!! note`: MkDocs.
    Admonition,
    /// `::: tip`: Pandoc, VitePress, Docusaurus.
    Container,
    /// `::youtube{…}` and `:abbr[…]`: remark-directive. `.. note::`: reStructuredText.
    Directive,
    /// `%[url]`: Hashnode.
    UrlEmbed,
    /// `import … from '…'`, `export const …`: MDX.
    MdxModule,
    /// `<Tabs>`: MDX, Vue. Also a type parameter outside of code.
    CapitalTag,
    /// A fence of a language that other tools draw, such as `mermaid`.
    Diagram,
    /// `[gallery ids="1"]`: WordPress.
    WordPress,
    /// `%%…%%`: Obsidian.
    Comment,
    /// `==…==`: markdown-it-mark, Obsidian.
    Mark,
    /// `:smile:`: GitHub and others.
    Emoji,
    /// `$$…$$`, while formulas are off.
    Formula,
}

/// The languages of fences that other tools draw.
const DIAGRAMS: [&str; 9] =
    ["mermaid", "plantuml", "puml", "graphviz", "d2", "wavedrom", "vega", "vega-lite", "echarts"];

/// Whether a fence of this language is drawn by other tools.
pub fn is_diagram(language: &str) -> bool {
    DIAGRAMS.iter().any(|name| language.eq_ignore_ascii_case(name))
}

impl Kind {
    /// What happens to `sample`, the first place of this kind.
    pub(super) fn problem(self, sample: &str) -> String {
        match self {
            Self::Container => format!("`{sample}` is not a container in Folio's Markdown"),
            Self::CapitalTag => format!("`{sample}` is not an HTML element"),
            Self::Diagram => {
                format!("`{sample}` is not drawn as a diagram, but shown to readers as code")
            }
            Self::MdxModule => format!("the MDX line `{sample}` is shown to readers as text"),
            _ => format!("`{sample}` is shown to readers as text"),
        }
    }

    /// What to write instead.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Expression => {
                "articles contain no template expressions: write the value itself, call a component \
                 (`{{<name />}}`), or put the text in backticks"
            }
            Self::Statement => {
                "articles contain no template statements: call a component (`{{<name />}}`), or put \
                 the text in backticks"
            }
            Self::Erb => "write the value itself, or put the text in backticks",
            Self::AttributeList => {
                "only headings take attributes, such as `## Title {#id .class}`; use HTML or a \
                 component for other elements"
            }
            Self::WikiLink => "link to the article's file: `[text](other.md)`",
            Self::WikiEmbed => "write an image as `![description](image.png)`",
            Self::TableOfContents => {
                "write `{{<toc />}}` on a line of its own, or `toc: true` in the front matter"
            }
            Self::Admonition => "write an alert: `> [!NOTE]`, and each line of text after `> `",
            Self::Container => {
                "write an alert (`> [!TIP]`), or `{% <callout kind=\"tip\"> %}` … `{% </callout> %}`, \
                 each on a line of its own"
            }
            Self::HugoShortcode | Self::Directive => {
                "write a component call, `{{<name key=\"value\" />}}`, on a line of its own"
            }
            Self::UrlEmbed => "write a link, `[text](url)`, or call a component of your site",
            Self::MdxModule => "remove the line; components are called as `{{<name />}}`",
            Self::CapitalTag => {
                "call a component (`{{<name />}}`), or put the text in backticks if it is code"
            }
            Self::Diagram => {
                "draw it with the tool, and write the picture as `![description](file.svg)`"
            }
            Self::WordPress => {
                "write Markdown, or a component call such as `{{<figure src=\"image.png\" />}}`"
            }
            Self::Comment => "write a comment as `<!-- … -->`",
            Self::Mark => "write `<mark>…</mark>`",
            Self::Emoji => "write the emoji itself",
            Self::Formula => "set markdown.math = true in site.toml",
        }
    }
}
