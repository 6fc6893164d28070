//! Where the parts of a rule stand around its secrets: findings of other rules, what a pattern matches,
//! values under a name. Which belongs to which secret is told by `couple`.

use super::assignment::{self, Assignment};
use super::name::words;
use super::named::ending;
use super::pattern::Pattern;
use super::plain::{is_stand_in, looks_like_code, squeezed};
use super::shape::Shape;
use crate::detect::trail::Found;
use crate::model::finding::Written;
use crate::model::part::PartRule;
use crate::model::rule::Rule;
use crate::model::span::Span;
use memchr::memmem;
use std::sync::OnceLock;

/// How much more of the text is seen than a part may be away: its name or its pattern may begin before it.
const MORE: usize = 200;
/// The longest identifier.
const LONGEST: usize = 200;
/// What stands where nobody is named.
const NOBODY: &[&str] = &[
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "todo",
    "string",
    "str",
    "yes",
    "no",
    "env",
];

/// A part of a rule, compiled when its rule first finds something.
#[derive(Debug)]
pub(crate) struct Nearby {
    /// Numbers of the rules whose findings it is.
    rules: Vec<usize>,
    pattern: Option<Pattern>,
    sought: OnceLock<Sought>,
}

#[derive(Debug)]
struct Sought {
    names: Vec<String>,
    /// Last words of the names, none of which ends in another.
    triggers: Vec<String>,
    shapes: Vec<Shape>,
}

/// Something that may be a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) span: Span,
    pub(crate) written: Written,
    /// Its number among what was found, where a rule found it.
    pub(crate) found: Option<usize>,
}

impl Nearby {
    /// Not compiled yet.
    pub(crate) fn new(part: &PartRule, rules: &[Rule]) -> Self {
        let numbers = part.rules.iter();
        let numbers = numbers.filter_map(|id| rules.iter().position(|it| it.id == *id));
        let pattern = (!part.pattern.is_empty()).then(|| Pattern::of(&part.pattern, "part", &[]));
        Self {
            rules: numbers.collect(),
            pattern,
            sought: OnceLock::new(),
        }
    }

    /// Every fault of the pattern and the shapes.
    pub(crate) fn faults(&self, part: &PartRule) -> Vec<String> {
        let shapes = part.values.iter().filter_map(|it| Shape::new(it).err());
        let pattern = self.pattern.as_ref().and_then(|it| it.check().err());
        let faults = pattern.into_iter().chain(shapes);
        faults
            .map(|fault| format!("part `{}`: {fault}", part.name))
            .collect()
    }

    /// Everything that may be this part of one of the secrets, in order and without overlaps. What was
    /// found as a secret is no identifier, unless it has the very shape of the part and `is_weak`: then
    /// it was only its name that made it a secret.
    pub(crate) fn places(
        &self,
        part: &PartRule,
        text: &[u8],
        found: &[Found],
        secrets: &[Span],
        is_weak: impl Fn(&Found) -> bool,
    ) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for (number, it) in found.iter().enumerate() {
            if self.rules.contains(&it.candidate.rule) {
                places.push(Place {
                    span: it.span,
                    written: Written::Shape,
                    found: Some(number),
                });
            }
        }
        if self.pattern.is_some() || !part.names.is_empty() {
            let mut others: Vec<Place> = Vec::new();
            let reach = part.bytes + MORE;
            for window in windows(secrets, reach, text.len()) {
                self.matched(part, text, window, &mut others);
                self.assigned(part, text, window, &mut others);
            }
            let has_shape = self.pattern.is_some() || !part.values.is_empty();
            for it in others {
                match at(found, it.span) {
                    None => places.push(it),
                    Some(number) => {
                        let is_same = found[number].span == it.span;
                        let is_free = has_shape && is_same && is_weak(&found[number]);
                        places.extend(is_free.then_some(Place {
                            found: Some(number),
                            ..it
                        }));
                    }
                }
            }
        }
        places.sort_by_key(|it| (it.span, it.found.is_none()));
        places.dedup_by(|next, kept| kept.span.overlaps(next.span) || kept.span == next.span);
        places
    }

    fn matched(&self, part: &PartRule, text: &[u8], window: Span, out: &mut Vec<Place>) {
        let Some(pattern) = &self.pattern else {
            return;
        };
        let seen = text[window.start..window.end].to_ascii_lowercase();
        let is_there = |it: &String| memmem::find(&seen, it.as_bytes()).is_some();
        if !part.keywords.iter().any(is_there) {
            return;
        }
        pattern.each(text, window, |it| {
            out.push(Place {
                span: it.secret,
                written: Written::Shape,
                found: None,
            });
        });
    }

    fn assigned(&self, part: &PartRule, text: &[u8], window: Span, out: &mut Vec<Place>) {
        if part.names.is_empty() {
            return;
        }
        let sought = self.sought.get_or_init(|| Sought::new(part));
        let seen = &text[window.start..window.end];
        let lower = seen.to_ascii_lowercase();
        for trigger in &sought.triggers {
            for hit in memmem::find_iter(&lower, trigger.as_bytes()) {
                if !assignment::may_end(seen, hit, hit + trigger.len()) {
                    continue;
                }
                if let Some(it) = assignment::around(seen, hit)
                    && sought.holds(seen, &it)
                {
                    let at = |at: usize| at + window.start;
                    out.push(Place {
                        span: Span::new(at(it.value.start), at(it.value.end)),
                        written: it.written,
                        found: None,
                    });
                }
            }
        }
    }
}

impl Sought {
    /// Faults of shapes are told by [`Nearby::faults`].
    fn new(part: &PartRule) -> Self {
        let last = |it: &String| it.split([' ', '_', '-']).next_back().map(str::to_lowercase);
        let mut triggers: Vec<String> = part.names.iter().filter_map(last).collect();
        triggers.sort_by_key(|it| (it.len(), it.clone()));
        let all = triggers.clone();
        let is_covered = |it: &String| {
            all.iter()
                .any(|end| end != it && it.ends_with(end.as_str()))
        };
        triggers.retain(|it| !is_covered(it));
        triggers.dedup();
        let shapes = part.values.iter().filter_map(|it| Shape::new(it).ok());
        Self {
            names: part.names.iter().map(|it| squeezed(it)).collect(),
            triggers,
            shapes: shapes.collect(),
        }
    }

    /// Whether name and value of an assignment fit.
    fn holds(&self, text: &[u8], it: &Assignment) -> bool {
        let name = String::from_utf8_lossy(&text[it.name.start..it.name.end]);
        let words = words(&name);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if ending(&words, &self.names).is_none() {
            return false;
        }
        let raw = &text[it.value.start..it.value.end];
        if !self.shapes.is_empty() {
            return self.shapes.iter().any(|shape| shape.holds(raw));
        }
        let value = std::str::from_utf8(raw);
        value.is_ok_and(|value| is_identifier(value, &name, it.written))
    }
}

/// Whether a value names something, and is neither its own name nor what stands where one will be.
fn is_identifier(value: &str, name: &str, written: Written) -> bool {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"._-@+:/=|\\".contains(&it);
    let plain = squeezed(value);
    let starts_well = value.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_');
    (2..=LONGEST).contains(&value.len())
        && starts_well
        && value.bytes().all(is_plain)
        && !NOBODY.contains(&plain.as_str())
        && !squeezed(name).contains(&plain)
        && !(value.len() >= 8 && is_stand_in(value))
        && (value.contains('.') || !looks_like_code(value, written))
}

/// The text around secrets, without overlaps.
fn windows(secrets: &[Span], reach: usize, length: usize) -> Vec<Span> {
    let mut windows: Vec<Span> = Vec::new();
    for it in secrets {
        let start = it.start.saturating_sub(reach);
        let end = (it.end + reach).min(length);
        match windows.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => windows.push(Span::new(start, end)),
        }
    }
    windows
}

/// The number of what was found there; what was found is sorted and has no overlaps.
fn at(found: &[Found], span: Span) -> Option<usize> {
    let after = found.partition_point(|it| it.span.end <= span.start);
    let overlaps = found.get(after).is_some_and(|it| it.span.overlaps(span));
    overlaps.then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_no_stand_ins_and_no_expressions() {
        for (name, value, expected) in [
            ("username", "svc-deploy", true),
            ("user", "sa", true),
            ("host", "db.internal", true),
            ("user", "ada@shop.example.org", false),
            ("user", "ada@shop.org", true),
            ("username", "username", false),
            ("db_user", "user", false),
            ("user", "${DB_USER}", false),
            ("user", "getUser()", false),
            ("client_id", "your-client-id", false),
            ("user", "None", false),
            ("user", "two words", false),
        ] {
            let is = is_identifier(value, name, Written::Quoted);
            assert_eq!(is, expected, "{name} {value}");
        }
    }
}
