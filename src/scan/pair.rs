//! Private keys and the certificates for them, met in one scan: each is told of the other.

use crate::model::details::Detail;
use crate::model::finding::Finding;
use std::collections::HashMap;

/// What halves of one pair say of each other; where there are several, of the first, and how many.
#[derive(Default)]
struct Pair {
    keys: Vec<String>,
    certificates: Vec<String>,
}

/// Findings are in their final order.
pub(super) fn pair(findings: &mut [Finding]) {
    let mut pairs: HashMap<String, Pair> = HashMap::new();
    for it in findings.iter() {
        let Some(public) = it.details.get(Detail::PublicKey) else {
            continue;
        };
        let pair = pairs.entry(public.to_owned()).or_default();
        let place = format!("{}:{}", it.shown_path(), it.place.line);
        match it.details.get(Detail::Subject) {
            Some(subject) => {
                let end = it.details.get(Detail::NotAfter).unwrap_or("-");
                let told = format!("for {subject} until {end} at {place}");
                pair.certificates.push(told);
            }
            None => pair.keys.push(format!("{} at {place}", it.occurrence.base)),
        }
    }
    pairs.retain(|_, it| !it.keys.is_empty() && !it.certificates.is_empty());
    for it in findings {
        let found = it.details.get(Detail::PublicKey).map(|it| pairs.get(it));
        let Some(pair) = found.flatten() else {
            continue;
        };
        let (detail, others) = match it.details.get(Detail::Subject) {
            Some(_) => (Detail::Key, &pair.keys),
            None => (Detail::Certificate, &pair.certificates),
        };
        it.details.add(detail, told(others));
    }
}

fn told(others: &[String]) -> Option<String> {
    let first = others.first()?;
    Some(match others.len() {
        1 => first.clone(),
        2 => format!("{first} and one more"),
        count => format!("{first} and {} more", count - 1),
    })
}
