//! Matches in a text, kept or dropped: a pure function of bytes and rules. What a path says of a match
//! is applied afterwards, per origin (`context`).

mod allow;
mod assignment;
mod checksum;
mod context;
mod couple;
mod entropy;
mod exhibit;
mod generate;
mod inline;
mod inset;
mod invented;
mod judge;
mod known;
mod lead;
mod likeness;
mod look;
mod marks;
mod name;
mod named;
mod nature;
mod nearby;
mod parts;
mod pattern;
mod plain;
mod purpose;
mod scratch;
pub mod selftest;
mod settle;
mod shape;
mod spelled;
mod stands;
mod trail;

pub use context::{is_code, weigh};
pub use generate::{Seed, fill};
pub use judge::Judgement;
pub use known::KnownValues;
pub use parts::{counts, with_parts};
pub use scratch::{Scratch, Texture};
pub use trail::{Found, Trail};

use crate::model::delta::Edit;
use crate::model::details::Details;
use crate::model::finding::{Candidate, Written};
use crate::model::level::Confidence;
use crate::model::part::Bond;
use crate::model::rule::{Kind, Matcher, Promise, RuleSet};
use crate::model::secret::Secret;
use crate::model::span::Span;
use crate::syntax::literals::{Literals, Seen};
use crate::syntax::sealed;
use allow::Allowances;
use assignment::Assignment;
use lead::Lead;
use look::Look;
use named::Named;
use parts::Parts;
use pattern::{Match, Pattern};
use stands::{NEAR, assigned_name, is_random, stands};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use trail::{Called, Hit, Keywords, Shaped, Window};

/// More candidates than this in one text: the rest would drown any report.
const MAX_CANDIDATES: usize = 10_000;
/// Stands for all rules with [`Matcher::Named`] in the keyword table: their names share a few endings.
const NAMED: usize = usize::MAX;

/// The compiled rules.
#[derive(Debug)]
pub struct Detector {
    rules: Arc<RuleSet>,
    patterns: Vec<Pattern>,
    allowances: Vec<Allowances>,
    literals: Literals,
    keywords: Keywords,
    /// Literals to watch for others, and by keyword the numbers of those that it spells.
    watched: Vec<&'static str>,
    watchers: Vec<Vec<usize>>,
    named: Named,
    parts: Parts,
    /// Public samples of all rules: known under any name.
    samples: HashSet<String>,
    /// The numbers of the two rules that go by names alone.
    password: Option<usize>,
    secret: Option<usize>,
    /// The values of an inventory, and the number of the rule for them.
    known: Option<(usize, Arc<KnownValues>)>,
}

impl Detector {
    /// Builds the keyword tables; patterns are compiled when first needed.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self::watching(rules, &[])
    }

    /// What its rules go by.
    pub fn digest(&self) -> &str {
        &self.rules.digest
    }

    /// The same, with an eye on literals of at least three bytes for somebody else, who is spared a search
    /// of his own: case and all, and at most [`Seen::MOST`].
    pub fn watching(rules: Arc<RuleSet>, watched: &[&'static str]) -> Self {
        let mut keywords: BTreeMap<Vec<u8>, (Vec<usize>, Option<usize>)> = BTreeMap::new();
        for literal in watched {
            keywords
                .entry(literal.to_ascii_lowercase().into_bytes())
                .or_default();
        }
        for (number, rule) in rules.rules.iter().enumerate() {
            for keyword in &rule.keywords {
                let word = keyword.to_ascii_lowercase().into_bytes();
                let (shapes, name) = keywords.entry(word).or_default();
                match rule.matcher {
                    Matcher::Pattern if shapes.last() != Some(&number) => shapes.push(number),
                    Matcher::Assignment => *name = name.or(Some(number)),
                    Matcher::Pattern | Matcher::Named | Matcher::Known => {}
                }
            }
        }
        let named = Named::new(&rules.rules);
        for end in Named::triggers(&rules.rules) {
            let (_, name) = keywords.entry(end.into_bytes()).or_default();
            *name = name.or(Some(NAMED));
        }
        let position = |id: &str| rules.rules.iter().position(|it| it.id == id);
        let behind = keywords
            .iter()
            .map(|(word, (shapes, name))| (word.len(), shapes.as_slice(), *name));
        let words: Vec<&[u8]> = keywords.keys().map(Vec::as_slice).collect();
        let literals = Literals::new(&words);
        let spelled = |word: &[u8]| {
            let spells = |it: &(usize, &&str)| it.1.as_bytes().eq_ignore_ascii_case(word);
            watched
                .iter()
                .enumerate()
                .filter(spells)
                .map(|it| it.0)
                .collect()
        };
        Self {
            keywords: Keywords::new(behind, rules.rules.len(), literals.margins()),
            patterns: rules.rules.iter().map(Pattern::new).collect(),
            allowances: rules.rules.iter().map(Allowances::new).collect(),
            literals,
            watchers: keywords.keys().map(|it| spelled(it)).collect(),
            watched: watched.to_vec(),
            password: position("generic-password"),
            secret: position("generic-secret"),
            known: None,
            named,
            parts: Parts::new(&rules.rules),
            samples: rules
                .rules
                .iter()
                .flat_map(|it| it.samples.iter().cloned())
                .collect(),
            rules,
        }
    }

    /// The same, with an eye on values that an inventory knows, if there are any and a rule is for them.
    pub fn knowing(mut self, known: Option<Arc<KnownValues>>) -> Self {
        let mut rules = self.rules.rules.iter();
        let rule = rules.position(|it| it.matcher == Matcher::Known);
        self.known = rule.zip(known.filter(|it| !it.is_empty()));
        self
    }

    /// What the values that are looked for go by; nothing if there are none.
    pub fn known_values(&self) -> &[u8] {
        self.known.as_ref().map_or(&[], |it| it.1.digest())
    }

    /// Every fault of the patterns, as sentences; compiles them all.
    pub fn check(&self) -> Vec<String> {
        let rules = self.rules.rules.iter().zip(&self.patterns);
        rules
            .zip(&self.allowances)
            .enumerate()
            .flat_map(|(number, ((rule, pattern), allowances))| {
                let mut faults = named::faults(rule);
                faults.extend(self.parts.faults(number, rule));
                if !rule.pattern.is_empty() {
                    faults.extend(pattern.check().err());
                }
                faults.extend(allowances.check().err());
                faults
                    .into_iter()
                    .map(|fault| format!("rule `{}`: {fault}", rule.id))
            })
            .collect()
    }

    /// Finds candidates in a text: sorted and without overlaps of one value.
    pub fn detect(&self, text: &[u8], texture: Texture, scratch: &mut Scratch) -> Vec<Found> {
        self.look(text, texture, scratch);
        self.settled(text, &scratch.trail)
    }

    /// The same for a text that an edit makes out of another whose trail is known, or of which that may be
    /// said later: its trail finds candidates without looking at what was copied. `None` for a text that
    /// must be looked at alone.
    pub fn trace(
        &self,
        text: &[u8],
        base: Option<(&Edit, &Trail)>,
        scratch: &mut Scratch,
    ) -> Option<Trail> {
        if u32::try_from(text.len()).is_err() {
            return None;
        }
        let followed = base.is_some_and(|(edit, trail)| self.follow(text, edit, trail, scratch));
        if !followed {
            self.look(text, Texture::Text, scratch);
        }
        // Which candidates are left out for their number depends on where a look begins.
        (scratch.trail.found() < MAX_CANDIDATES).then(|| std::mem::take(&mut scratch.trail))
    }

    /// The candidates of a text, sorted and without overlaps of one value: a shape before a name, a name
    /// with its owner before one without, then the surer, then the one that names a provider, then the
    /// longer. What lies in ciphertext is none. Then each is told what of the others belongs to it. Values
    /// of the inventory come last, be they within others or not: who tells what is found at a place knows
    /// which of these is news.
    pub fn settled(&self, text: &[u8], trail: &Trail) -> Vec<Found> {
        let mut found = self.settled_by_rules(text, trail);
        let known = trail.marks.values().into_iter();
        found.extend(known.map(|(span, candidate)| Found {
            span,
            candidate: Arc::clone(candidate),
            bond: Bond::Alone,
        }));
        found
    }

    fn settled_by_rules(&self, text: &[u8], trail: &Trail) -> Vec<Found> {
        let shaped = trail.shaped.iter().map(|it| &it.found);
        let called = trail.called.iter().map(|it| &it.found);
        let mut found: Vec<Found> = shaped.chain(called).cloned().collect();
        if found.is_empty() {
            return found;
        }
        let sealed = sealed::spans(text);
        found.retain(|it| !sealed.iter().any(|whole| whole.contains(it.span)));
        settle::settle(&mut found, |it| {
            let rule = &self.rules.rules[it.rule];
            let has_owner = rule.matcher == Matcher::Named;
            // That it is a JSON Web Token says less than whose it is; a judged value has no shape.
            let is_shaped = rule.kind != Kind::Jwt && rule.promise.is_none();
            (
                it.written == Written::Shape && is_shaped,
                has_owner,
                it.confidence,
                rule.provider != "generic",
                it.span.len(),
            )
        });
        inset::show(text, &mut found);
        self.parts.join(&self.rules.rules, text, &mut found);
        found
    }

    /// The rules that matched, whatever came out of it.
    fn matched(&self, text: &[u8], texture: Texture, scratch: &mut Scratch) -> Vec<usize> {
        self.look(text, texture, scratch);
        let shaped = scratch.trail.shaped.iter().map(|it| &it.found);
        let called = scratch.trail.called.iter().map(|it| &it.found);
        shaped.chain(called).map(|it| it.candidate.rule).collect()
    }

    /// Looks at a whole text; everything that matched, overlaps included, is left in the scratch.
    fn look(&self, text: &[u8], texture: Texture, scratch: &mut Scratch) {
        let Scratch {
            trail, lists, seen, ..
        } = scratch;
        trail.clear();
        *seen = Seen::default();
        let all = Span::new(0, text.len());
        self.hits(text, all, texture, &mut trail.hits, seen);
        // Keywords are met in the order of their anchors.
        trail.hits.sort_unstable_by_key(Hit::order);
        let around = |rule: usize| self.patterns[rule].around();
        self.keywords
            .windows(&trail.hits, text.len(), around, lists);
        self.shapes(text, scratch);
        self.recognise(text, None, &mut scratch.trail);
        if texture == Texture::Text {
            let names = (0..scratch.trail.hits.len()).map(|at| (at, true));
            scratch.lists.names.clear();
            scratch.lists.names.extend(names);
            self.names(text, scratch);
        }
    }

    /// Looks at what an edit changed; the rest is taken from the base. `false` if the text is better
    /// looked at whole.
    fn follow(&self, text: &[u8], edit: &Edit, base: &Trail, scratch: &mut Scratch) -> bool {
        let Scratch { trail, lists, .. } = scratch;
        let around = |rule: usize| self.patterns[rule].around();
        let search = &mut |span: Span, hits: &mut Vec<Hit>| {
            self.hits(text, span, Texture::Text, hits, &mut Seen::default());
        };
        if !self
            .keywords
            .inherit(edit, base, around, search, lists, trail)
        {
            return false;
        }
        self.shapes(text, scratch);
        self.names(text, scratch);
        self.recognise(text, Some((edit, base)), &mut scratch.trail);
        scratch.trail.sort();
        scratch.trail.found() < MAX_CANDIDATES
    }

    /// Finds the values of the inventory.
    fn recognise(&self, text: &[u8], base: Option<(&Edit, &Trail)>, trail: &mut Trail) {
        if let Some((rule, known)) = &self.known {
            let base = base.map(|(edit, trail)| (edit, &trail.marks));
            trail.marks.look(text, base, known, *rule, MAX_CANDIDATES);
        }
    }

    /// Pushes the keywords in a part of a text, and remembers which of the watched literals stand there.
    fn hits(
        &self,
        text: &[u8],
        span: Span,
        texture: Texture,
        hits: &mut Vec<Hit>,
        seen: &mut Seen,
    ) {
        self.literals
            .within(text, span.start, span.end, |keyword, start| {
                for number in &self.watchers[keyword] {
                    if text[start..].starts_with(self.watched[*number].as_bytes()) {
                        seen.add(*number);
                    }
                }
                let hit = Hit::new(keyword, start);
                if self.leads(text, hit) || (texture == Texture::Text && self.is_asked(text, hit)) {
                    hits.push(hit);
                }
            });
    }

    /// Whether the hit may be part of what a pattern matches.
    fn leads(&self, text: &[u8], hit: Hit) -> bool {
        if self.keywords.shapes(hit).is_empty() {
            return false;
        }
        let (start, end) = (hit.start(), self.keywords.end(hit));
        let lead = self.keywords.lead(hit, |shapes| {
            let keyword = text[start..end].to_ascii_lowercase();
            Lead::new(&keyword, shapes.iter().map(|it| &self.patterns[*it]))
        });
        lead.fits(text, start, end)
    }

    /// Whether a name around the hit is worth a look.
    fn is_asked(&self, text: &[u8], hit: Hit) -> bool {
        match self.keywords.name(hit) {
            Some(NAMED) => assignment::may_end(text, hit.start(), self.keywords.end(hit)),
            Some(_) => true,
            None => false,
        }
    }

    /// Runs the patterns in the listed windows.
    fn shapes(&self, text: &[u8], scratch: &mut Scratch) {
        let Scratch { trail, lists, .. } = scratch;
        for Window { span, rule } in &lists.windows {
            // Nothing beyond this is seen, so that the outcome depends on nothing beyond it.
            let start = span.start.saturating_sub(trail::SIDE);
            let around = &text[start..text.len().min(span.end + trail::SIDE)];
            let inner = Span::new(span.start - start, span.end - start);
            self.patterns[*rule].each(around, inner, |found| {
                if trail.found() < MAX_CANDIDATES
                    && let Some(candidate) = self.by_shape(around, *rule, found)
                {
                    trail.shaped.push(Shaped {
                        window: *span,
                        found: at(start, candidate),
                    });
                }
            });
        }
    }

    /// Asks the listed names for their values; a name that was read is not asked again for another
    /// keyword in it.
    fn names(&self, text: &[u8], scratch: &mut Scratch) {
        let Scratch {
            trail,
            lists,
            values,
            ..
        } = scratch;
        let mut read = 0;
        for (number, counts) in &lists.names {
            let hit = trail.hits[*number];
            let is_asked = hit.start() >= read && self.is_asked(text, hit);
            let look = is_asked.then(|| Look::at(text, hit.start())).flatten();
            read = look.as_ref().map_or(read, |it| it.read);
            if !*counts {
                continue;
            }
            trail.hits[*number].set_far(look.as_ref().is_some_and(|it| it.is_far));
            if let (Some(look), Some(rule)) = (look, self.keywords.name(hit))
                && let Some(found) = look.found
                && trail.found() < MAX_CANDIDATES
            {
                self.by_name(look.around, rule, &found, values);
                let called = values.drain(..).map(|it| Called {
                    hit: hit.start(),
                    is_far: look.is_far,
                    found: at(look.start, it),
                });
                trail.called.extend(called);
            }
        }
    }

    fn by_shape(&self, text: &[u8], number: usize, found: Match) -> Option<Candidate> {
        let rule = &self.rules.rules[number];
        let value = &text[found.secret.start..found.secret.end];
        if !stands(rule, text, found, value) || self.allowances[number].hold(text, found) {
            return None;
        }
        let judgement = match rule.promise {
            Some(promise) => {
                let value = std::str::from_utf8(value).ok()?;
                judge::judge("", promise, value, Written::Quoted)?
            }
            None => Judgement::plain(rule.confidence),
        };
        let key = assigned_name(text, found.secret.start);
        Some(self.told(Candidate {
            rule: number,
            span: found.secret,
            secret: Secret::new(value),
            written: Written::Shape,
            confidence: judgement.confidence.min(rule.confidence),
            facts: judgement.facts,
            purpose: exhibit::of_text(text, found.secret, key.as_deref()),
            key,
            inline: inline::comment(text, found.secret.start),
            expires: None,
            details: Details::default(),
            content: None,
        }))
    }

    /// With what the value itself tells.
    fn told(&self, mut candidate: Candidate) -> Candidate {
        nature::tell(self.rules.rules[candidate.rule].kind, &mut candidate);
        candidate
    }

    /// The values that a name is given: one of the name's owner, else of a rule that goes by names alone.
    fn by_name(&self, text: &[u8], number: usize, found: &Assignment, out: &mut Vec<Candidate>) {
        let Ok(key) = std::str::from_utf8(&text[found.name.start..found.name.end]) else {
            return;
        };
        let key = key.trim_start_matches('-');
        let promise = name::promise(key);
        if stands::is_elsewhere(text, found, key) {
            return;
        }
        if let Some(owned) = self.by_owner(text, found, key, promise) {
            out.push(owned);
        } else if let Some(promise) = promise {
            self.by_promise(text, number, found, key, promise, out);
        }
    }

    /// The values that one name is given: one, unless it names a list.
    fn by_promise(
        &self,
        text: &[u8],
        number: usize,
        found: &Assignment,
        key: &str,
        promise: Promise,
        out: &mut Vec<Candidate>,
    ) {
        let Some(rule) = self.generic(number, promise) else {
            return;
        };
        let values = std::iter::once(found.value).chain(assignment::more(text, found));
        out.extend(values.filter_map(|span| {
            let raw = &text[span.start..span.end];
            let value = std::str::from_utf8(raw).ok()?;
            if self.samples.contains(value) {
                return None;
            }
            let judgement = judge::judge(key, promise, value, found.written)?;
            Some(self.told(Candidate {
                rule,
                span,
                secret: Secret::new(raw),
                written: found.written,
                key: Some(key.to_owned()),
                confidence: judgement.confidence.min(self.rules.rules[rule].confidence),
                facts: judgement.facts,
                purpose: exhibit::of_text(text, span, Some(key)),
                inline: inline::comment(text, span.start),
                expires: None,
                details: Details::default(),
                content: None,
            }))
        }));
    }

    /// The rule for a name: of the two that go by names alone, the one that fits its promise.
    fn generic(&self, number: usize, promise: Promise) -> Option<usize> {
        let is_generic = number == NAMED || self.rules.rules[number].id.starts_with("generic-");
        if !is_generic {
            return Some(number);
        }
        match promise {
            Promise::Password => self.password,
            Promise::Random | Promise::Perhaps => self.secret,
        }
    }

    fn by_owner(
        &self,
        text: &[u8],
        found: &Assignment,
        key: &str,
        promise: Option<Promise>,
    ) -> Option<Candidate> {
        let raw = &text[found.value.start..found.value.end];
        let value = std::str::from_utf8(raw).ok()?;
        if raw.len() < 8 || raw.contains(&b' ') {
            return None;
        }
        let is_parameter = assignment::is_parameter(text, found.name.start);
        let is_promised = matches!(promise, Some(Promise::Password | Promise::Random));
        let before = || {
            if !is_parameter && !is_promised {
                return Vec::new();
            }
            let before = assignment::before(text, found.name, NEAR);
            name::words(&String::from_utf8_lossy(before))
        };
        let words = name::words(key);
        let owned = self.named.find(&self.rules.rules, &words, before, raw)?;
        let rule = &self.rules.rules[owned.rule];
        if !is_random(value, key, owned, found.written)
            || rule
                .entropy
                .is_some_and(|floor| entropy::shannon(raw) < floor)
            || self.samples.contains(value)
        {
            return None;
        }
        let surest = if owned.in_name {
            Confidence::High
        } else {
            Confidence::Medium
        };
        Some(self.told(Candidate {
            rule: owned.rule,
            span: found.value,
            secret: Secret::new(raw),
            // In code too, a URL is no expression.
            written: if is_parameter {
                Written::Quoted
            } else {
                found.written
            },
            key: Some(key.to_owned()),
            confidence: rule.confidence.min(surest),
            facts: vec!["+ the provider's name, and a value of its shape"],
            purpose: exhibit::of_text(text, found.value, Some(key)),
            inline: inline::comment(text, found.value.start),
            expires: None,
            details: Details::default(),
            content: None,
        }))
    }
}

/// A candidate found in a part of the text that starts here.
fn at(start: usize, mut candidate: Candidate) -> Found {
    let span = Span::new(candidate.span.start + start, candidate.span.end + start);
    candidate.span = span;
    Found {
        span,
        candidate: Arc::new(candidate),
        bond: Bond::Alone,
    }
}
