//! One candidate where several rules saw the same bytes. What makes one better than another is the
//! caller's to say.

use crate::detect::trail::Found;
use crate::model::finding::Candidate;
use std::collections::BTreeMap;

/// Sorts by place, and of those that share bytes keeps the best by `rank`, then the first.
pub(crate) fn settle<R: Ord>(found: &mut Vec<Found>, rank: impl Fn(&Candidate) -> R) {
    found.sort_by_key(|it| it.span);
    let mut kept = Vec::with_capacity(found.len());
    let mut rest = found.as_mut_slice();
    while !rest.is_empty() {
        let (group, after) = rest.split_at_mut(together(rest));
        match group {
            [one] => kept.push(one.clone()),
            many => best(many, &rank, &mut kept),
        }
        rest = after;
    }
    *found = kept;
}

/// How many of the first hang together by shared bytes.
fn together(found: &[Found]) -> usize {
    let mut end = found[0].span.end;
    let more = found[1..].iter().take_while(|it| {
        let joins = it.span.start < end;
        end = end.max(it.span.end);
        joins
    });
    1 + more.count()
}

fn best<R: Ord>(group: &mut [Found], rank: &impl Fn(&Candidate) -> R, out: &mut Vec<Found>) {
    let first = out.len();
    group.sort_by(|a, b| {
        rank(&b.candidate)
            .cmp(&rank(&a.candidate))
            .then(a.span.cmp(&b.span))
            .then(a.candidate.rule.cmp(&b.candidate.rule))
    });
    let mut kept: BTreeMap<usize, usize> = BTreeMap::new();
    for it in group {
        let before = kept.range(..it.span.end).next_back();
        if before.is_none_or(|(_, end)| *end <= it.span.start) {
            kept.insert(it.span.start, it.span.end);
            out.push(it.clone());
        }
    }
    out[first..].sort_by(|a, b| {
        a.span
            .cmp(&b.span)
            .then(a.candidate.rule.cmp(&b.candidate.rule))
    });
}
