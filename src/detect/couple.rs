//! Which part belongs to which secret. Parts and secrets that stand together in equal numbers belong to
//! each other in their order, as in a table or a list of accounts; else the nearest do, and what stands
//! in the same block is nearer than what does not. A part serves one secret, unless it may serve many.

use crate::model::span::Span;
use memchr::memchr3_iter;
use std::collections::BTreeSet;

/// How far a part may stand from its secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distance {
    /// Most line ends between them.
    pub(crate) lines: usize,
    /// Most bytes between them.
    pub(crate) bytes: usize,
}

/// The deepest indent that is looked behind.
const INDENT: usize = 64;

/// What is less is nearer: another block, lines, behind instead of before, bytes.
type Far = (bool, usize, bool, usize);

/// For each secret the number of its part. Both are sorted and have no overlaps.
pub(crate) fn couple(
    text: &[u8],
    secrets: &[Span],
    parts: &[Span],
    distance: Distance,
    is_shared: bool,
) -> Vec<Option<usize>> {
    let all = || secrets.iter().chain(parts);
    let start = all().map(|it| it.start).min().unwrap_or(0);
    let end = all().map(|it| it.end).max().unwrap_or(0);
    let mut table = Table {
        layout: Layout::new(text, start, end),
        secrets,
        parts,
        distance,
        of_secret: vec![None; secrets.len()],
        taken: vec![false; parts.len()],
    };
    if is_shared {
        for (secrets, parts) in table.blocks(Table::is_same_block) {
            table.in_order(&secrets, &parts);
        }
        for secret in 0..secrets.len() {
            let near = || table.near(secret).into_iter().min();
            let part = table.of_secret[secret].or_else(|| near().map(|(_, part)| part));
            table.of_secret[secret] = part;
        }
        return table.of_secret;
    }
    for (secrets, parts) in table.blocks(Table::is_same_block) {
        table.settle(&secrets, &parts);
    }
    for (secrets, parts) in table.blocks(Table::is_close) {
        table.settle(&secrets, &parts);
    }
    table.of_secret
}

struct Table<'a> {
    layout: Layout,
    secrets: &'a [Span],
    parts: &'a [Span],
    distance: Distance,
    of_secret: Vec<Option<usize>>,
    taken: Vec<bool>,
}

/// Numbers of secrets and of parts that stand together.
type Block = (Vec<usize>, Vec<usize>);

impl Table<'_> {
    /// What is still free, cut where two neighbours do not stand together.
    fn blocks(&self, together: fn(&Self, Span, Span) -> bool) -> Vec<Block> {
        let mut free: Vec<(Span, bool, usize)> = Vec::new();
        let secrets = self.secrets.iter().enumerate();
        let parts = self.parts.iter().enumerate();
        let is_open = |at: &usize| self.of_secret[*at].is_none();
        free.extend(
            secrets
                .filter(|it| is_open(&it.0))
                .map(|it| (*it.1, true, it.0)),
        );
        free.extend(
            parts
                .filter(|it| !self.taken[it.0])
                .map(|it| (*it.1, false, it.0)),
        );
        free.sort_unstable();
        let mut blocks: Vec<Block> = Vec::new();
        let mut before: Option<Span> = None;
        for (span, is_secret, number) in free {
            let joins = before.is_some_and(|it| together(self, it, span));
            if !joins {
                blocks.push(Block::default());
            }
            if let Some((secrets, parts)) = blocks.last_mut() {
                let list = if is_secret { secrets } else { parts };
                list.push(number);
            }
            before = Some(span);
        }
        blocks.retain(|it| !it.0.is_empty() && !it.1.is_empty());
        blocks
    }

    fn is_close(&self, one: Span, other: Span) -> bool {
        self.far(one, other).is_some()
    }

    fn is_same_block(&self, one: Span, other: Span) -> bool {
        self.far(one, other).is_some_and(|it| !it.0)
    }

    /// Gives parts to secrets in their order, if there are as many and each is near enough.
    fn in_order(&mut self, secrets: &[usize], parts: &[usize]) -> bool {
        let is_in_order = secrets.len() == parts.len()
            && secrets
                .iter()
                .zip(parts)
                .all(|(secret, part)| self.is_close(self.secrets[*secret], self.parts[*part]));
        if is_in_order {
            for (secret, part) in secrets.iter().zip(parts) {
                self.give(*secret, *part);
            }
        }
        is_in_order
    }

    /// Gives the parts of a block to its secrets.
    fn settle(&mut self, secrets: &[usize], parts: &[usize]) {
        if self.in_order(secrets, parts) {
            return;
        }
        let mut ways: BTreeSet<(Far, usize, usize)> = BTreeSet::new();
        for secret in secrets {
            for (far, part) in self.near(*secret) {
                if parts.binary_search(&part).is_ok() {
                    ways.insert((far, *secret, part));
                }
            }
        }
        for (_, secret, part) in ways {
            if self.of_secret[secret].is_none() && !self.taken[part] {
                self.give(secret, part);
            }
        }
    }

    fn give(&mut self, secret: usize, part: usize) {
        self.of_secret[secret] = Some(part);
        self.taken[part] = true;
    }

    /// The parts that stand near enough to a secret.
    fn near(&self, secret: usize) -> Vec<(Far, usize)> {
        let secret = self.secrets[secret];
        let floor = secret.start.saturating_sub(self.distance.bytes);
        let first = self.parts.partition_point(|it| it.end < floor);
        let ceiling = secret.end + self.distance.bytes;
        let parts = self.parts.iter().enumerate().skip(first);
        parts
            .take_while(|it| it.1.start <= ceiling)
            .filter_map(|(at, part)| Some((self.far(secret, *part)?, at)))
            .collect()
    }

    /// How far a part is from a secret, if it is near enough.
    fn far(&self, secret: Span, part: Span) -> Option<Far> {
        let is_behind = part.start >= secret.end;
        let (first, second) = if is_behind {
            (secret, part)
        } else {
            (part, secret)
        };
        let gap = second.start.checked_sub(first.end)?;
        if gap > self.distance.bytes {
            return None;
        }
        let between = Span::new(first.end, second.start);
        let lines = self.layout.lines(between);
        let is_near = lines <= self.distance.lines;
        is_near.then(|| (self.layout.is_cut(between), lines, is_behind, gap))
    }
}

/// Where lines and blocks end in a part of a text, read once and asked often.
struct Layout {
    newlines: Vec<usize>,
    /// Ends of empty lines, and line ends before the head of a section or the next item of a list.
    cuts: Vec<usize>,
    /// Where an object begins, and where the last one before it ended.
    objects: Vec<(usize, usize)>,
}

impl Layout {
    fn new(text: &[u8], start: usize, end: usize) -> Self {
        let mut this = Self {
            newlines: Vec::new(),
            cuts: Vec::new(),
            objects: Vec::new(),
        };
        let mut closed = None;
        for at in memchr3_iter(b'\n', b'{', b'}', &text[start..end]).map(|it| it + start) {
            match text[at] {
                b'{' => this.objects.extend(closed.map(|it| (at, it))),
                b'}' => closed = Some(at),
                _ => this.newline(&text[..end], at),
            }
        }
        this
    }

    fn newline(&mut self, text: &[u8], at: usize) {
        let before = self.newlines.last().map(|it| &text[it + 1..at]);
        let indent = text[at + 1..].iter().take(INDENT);
        let indent = indent.take_while(|it| matches!(it, b' ' | b'\t')).count();
        let after = &text[at + 1 + indent..];
        let is_head = after.starts_with(b"[") && !after.starts_with(b"[\"");
        let is_item = after.starts_with(b"- ") || after.starts_with(b"---");
        if is_head || is_item || before.is_some_and(|it| it.trim_ascii().is_empty()) {
            self.cuts.push(at);
        }
        self.newlines.push(at);
    }

    /// How many lines end within.
    fn lines(&self, between: Span) -> usize {
        let before = |at: usize| self.newlines.partition_point(|it| *it < at);
        before(between.end) - before(between.start)
    }

    /// Whether a block ends within: an empty line, the head of a section, the next item of a list, the end
    /// of an object and the beginning of another.
    fn is_cut(&self, between: Span) -> bool {
        let next = self.cuts.partition_point(|it| *it < between.start);
        let last = self.objects.partition_point(|it| it.0 < between.end);
        let opened = last.checked_sub(1).map(|it| self.objects[it]);
        self.cuts.get(next).is_some_and(|it| *it < between.end)
            || opened.is_some_and(|it| it.1 >= between.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Upper case letters are secrets, lower case ones are parts; what is told are the couples.
    fn couples(text: &str, is_shared: bool) -> String {
        let spans = |is: fn(&u8) -> bool| -> Vec<Span> {
            let bytes = text.bytes().enumerate();
            let found = bytes.filter(|it| is(&it.1));
            found.map(|it| Span::new(it.0, it.0 + 1)).collect()
        };
        let secrets = spans(u8::is_ascii_uppercase);
        let parts = spans(u8::is_ascii_lowercase);
        let distance = Distance {
            lines: 3,
            bytes: 30,
        };
        let found = couple(text.as_bytes(), &secrets, &parts, distance, is_shared);
        let mut told = String::new();
        for (secret, part) in secrets.iter().zip(found) {
            told.push(char::from(text.as_bytes()[secret.start]));
            told.push(part.map_or('-', |it| char::from(text.as_bytes()[parts[it].start])));
        }
        told
    }

    #[test]
    fn equal_numbers_go_in_order_and_others_to_the_nearest() {
        for (text, expected) in [
            ("a=A", "Aa"),
            ("A=a", "Aa"),
            ("a=A;b=B;c=C", "AaBbCc"),
            ("A=a;B=b;C=c", "AaBbCc"),
            // Longer names before the secrets than before the parts.
            ("a\n........A\nb\n........B", "AaBb"),
            ("ab\nAB", "AaBb"),
            // A lone one.
            ("a=A\n=B", "AaB-"),
            ("a=A\nb=B\nc=", "AaBb"),
            ("a\n\nb\nB", "Bb"),
            // Blocks come before nearness.
            ("[1]\n1=A\n1=a\n[2]\n2=B\n2=b", "AaBb"),
            ("{1:a,1:A},{1:B},{1:c,1:C}", "AaB-Cc"),
            ("- a\n  A\n- B\n- c\n  C", "AaB-Cc"),
            // An empty line between the halves of each.
            ("a\n\nA\n\nb\n\nB", "AaBb"),
            // Too far in lines, too far in bytes.
            ("a\n\n\n\nA", "A-"),
            ("a..............................A", "Aa"),
            ("a...............................A", "A-"),
        ] {
            assert_eq!(couples(text, false), expected, "{text}");
        }
    }

    #[test]
    fn what_is_shared_serves_all_that_are_near() {
        assert_eq!(couples("a A B C", true), "AaBaCa");
        assert_eq!(couples("{1:a,1:A,1:B},{1:c,1:C}", true), "AaBaCc");
        assert_eq!(couples("A\na\nB\nb\nC\nc", true), "AaBbCc");
        assert_eq!(couples("A\n\n\n\n\na", true), "A-");
    }
}
