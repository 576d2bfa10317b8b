//! A cache of highlighted lines of code: (state of the parser, line) → (HTML, next state).
//!
//! Two thirds of the time of highlighting is spent in regular expressions, and one to two thirds of
//! the lines of real articles were seen before in the same state. There are few states, so they are
//! compared; there are many lines, so they are hashed. Evicting entries affects only the time.

use std::collections::HashMap;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::spans::{LONGEST_LINE, Spans, class_of, escaped};

/// The size of the text at which the cache is emptied, in bytes.
const LARGEST: usize = 8 << 20;
/// How many states of a grammar are cached.
const MOST_STATES: usize = 512;

/// The lines that one thread has highlighted.
#[derive(Debug, Default)]
pub struct HighlightCache {
    languages: HashMap<String, Language>,
    classes: HashMap<Scope, Option<&'static str>>,
    size: usize,
    mode: Highlighting,
    /// [`Highlighting::Deferred`] once code was left plain.
    result: Highlighting,
}

/// When code is highlighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Highlighting {
    /// While an article is parsed.
    #[default]
    Now,
    /// Later: code is left plain, and the article has to be parsed again before it is shown.
    Deferred,
}

#[derive(Debug, Default)]
struct Language {
    states: Vec<State>,
    lines: HashMap<Box<str>, Vec<Known>>,
}

/// The state of a grammar between two lines.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    scopes: ScopeStack,
    parser: ParseState,
}

/// A highlighted line.
#[derive(Debug)]
struct Known {
    state: u32,
    next: u32,
    html: Box<str>,
}

impl HighlightCache {
    /// An empty cache for this mode.
    #[must_use]
    pub fn with(mode: Highlighting) -> Self {
        Self { mode, ..Self::default() }
    }

    /// [`Highlighting::Deferred`] when code was left plain since the last call.
    pub fn take_highlighting(&mut self) -> Highlighting {
        std::mem::take(&mut self.result)
    }

    /// The code as HTML, one element per line.
    pub(super) fn lines(
        &mut self,
        code: &str,
        syntax: &SyntaxReference,
        grammars: &SyntaxSet,
    ) -> Vec<String> {
        if self.mode == Highlighting::Deferred {
            self.result = Highlighting::Deferred;
            return code.lines().map(escaped).collect();
        }
        if self.size > LARGEST {
            self.languages.clear();
            self.size = 0;
        }
        if !self.languages.contains_key(&syntax.name) {
            self.languages.insert(syntax.name.clone(), Language::default());
        }
        let Some(language) = self.languages.get_mut(&syntax.name) else { return Vec::new() };
        let mut at =
            At::of(language, State { parser: ParseState::new(syntax), scopes: ScopeStack::new() });
        let mut out = Vec::new();
        for line in code.split_inclusive('\n') {
            if line.len() > LONGEST_LINE {
                out.push(escaped(line.trim_end_matches('\n')));
                continue;
            }
            if let At::Known(state) = at
                && let Some(known) = language
                    .lines
                    .get(line)
                    .and_then(|entries| entries.iter().find(|k| k.state == state))
            {
                out.push(known.html.to_string());
                at = At::Known(known.next);
                continue;
            }
            let (html, next) = highlight(line, at.state(language), grammars, &mut self.classes);
            let next = At::of(language, next);
            if let (At::Known(state), At::Known(next)) = (&at, &next) {
                self.size += line.len() + html.len() + 64;
                let known = Known { state: *state, next: *next, html: html.as_str().into() };
                language.lines.entry(line.into()).or_default().push(known);
            }
            out.push(html);
            at = next;
        }
        out
    }
}

/// A state by its number, or by value when there are too many.
enum At {
    Known(u32),
    Own(Box<State>),
}

impl At {
    fn of(language: &mut Language, state: State) -> Self {
        let found = language.states.iter().position(|s| *s == state);
        let number = found.or_else(|| {
            (language.states.len() < MOST_STATES).then(|| {
                language.states.push(state.clone());
                language.states.len() - 1
            })
        });
        match number.and_then(|n| u32::try_from(n).ok()) {
            Some(number) => Self::Known(number),
            None => Self::Own(Box::new(state)),
        }
    }

    fn state(&self, language: &Language) -> State {
        match self {
            Self::Known(number) => language.states[*number as usize].clone(),
            Self::Own(state) => (**state).clone(),
        }
    }
}

/// Highlights one line with the grammar.
fn highlight(
    line: &str,
    mut state: State,
    grammars: &SyntaxSet,
    classes: &mut HashMap<Scope, Option<&'static str>>,
) -> (String, State) {
    let text = line.trim_end_matches('\n');
    let Ok(operations) = state.parser.parse_line(line, grammars) else {
        return (escaped(text), state);
    };
    let mut out = Spans::default();
    let mut from = 0;
    for (at, operation) in operations {
        let at = at.min(text.len());
        out.push(text.get(from..at).unwrap_or_default(), innermost(&state.scopes, classes));
        from = at;
        // An operation that does not fit the stack is skipped, which affects colours but not text.
        let _ = state.scopes.apply(&operation);
    }
    out.push(text.get(from..).unwrap_or_default(), innermost(&state.scopes, classes));
    (out.finish(), state)
}

/// The class of the innermost scope that has one.
fn innermost(
    stack: &ScopeStack,
    classes: &mut HashMap<Scope, Option<&'static str>>,
) -> Option<&'static str> {
    stack
        .as_slice()
        .iter()
        .rev()
        .find_map(|scope| *classes.entry(*scope).or_insert_with(|| class_of(*scope)))
}

#[cfg(test)]
mod tests {
    use super::super::{GRAMMARS, Grammar, grammar};
    use super::*;

    #[test]
    fn what_is_remembered_is_what_the_grammar_says() {
        let code = "let a = \"x\n\";\nlet a = \"x\nlet a = 1; /* let\nlet a = 1; */ let a = 1;\n";
        let Grammar::Known(syntax) = grammar("rust") else { panic!("rust is known") };
        let mut cache = HighlightCache::default();
        let first = cache.lines(code, syntax, &GRAMMARS);
        assert_eq!(cache.lines(code, syntax, &GRAMMARS), first);
        assert_eq!(HighlightCache::default().lines(code, syntax, &GRAMMARS), first);
        let mut plain = Vec::new();
        let mut state = State { parser: ParseState::new(syntax), scopes: ScopeStack::new() };
        for line in code.split_inclusive('\n') {
            let (html, next) = highlight(line, state, &GRAMMARS, &mut HashMap::new());
            plain.push(html);
            state = next;
        }
        assert_eq!(first, plain);
    }
}
