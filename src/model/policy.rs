//! Policies: what an owner asks of some secrets, and how loud what is said of them shall be.
//!
//! Not here: how a policy is written down; `settings` reads it. For one secret and one question the most
//! specific policy answers, and two that are equally specific are a fault that is told before a run.

use super::level::Severity;
use super::record::Record;
use super::rule::Kind;
use super::verdict::VerdictId;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// One policy. A list that is empty asks nothing of the secret; of one that is not, one item must fit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Line of the settings file, to speak of it.
    pub line: usize,
    /// Kinds of secrets.
    pub kinds: Vec<Kind>,
    /// Where they are kept; `*` and `?` stand for any text and any character.
    pub providers: Vec<String>,
    /// Environments, as their owner says, in the same manner.
    pub environments: Vec<String>,
    /// Names of records or their objects (`vault:kv/shop/db#password`), in the same manner.
    pub records: Vec<String>,
    /// Days after which a value is stale.
    pub max_age_days: Option<u32>,
    /// Warn this many days before an end.
    pub expiring_days: Option<u32>,
    /// Days that a rotation may take: a value is stale, and an old one still in use, only after them.
    pub grace_days: Option<u32>,
    /// How bad verdicts are.
    pub severities: BTreeMap<VerdictId, Severity>,
    /// Verdicts that are not to be told, and why.
    pub off: BTreeMap<VerdictId, String>,
}

/// What can be asked of a policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Question {
    /// `max-age-days`
    MaxAge,
    /// `expiring-days`
    Expiring,
    /// `grace-days`
    Grace,
    /// Severity of a verdict, or whether it is told at all.
    Verdict(VerdictId),
}

impl Question {
    /// As the settings file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxAge => "max-age-days",
            Self::Expiring => "expiring-days",
            Self::Grace => "grace-days",
            Self::Verdict(id) => id.code(),
        }
    }
}

impl Policy {
    /// What it answers.
    pub fn questions(&self) -> BTreeSet<Question> {
        let numbers = [
            (Question::MaxAge, self.max_age_days),
            (Question::Expiring, self.expiring_days),
            (Question::Grace, self.grace_days),
        ];
        let numbers = numbers.iter().filter(|it| it.1.is_some()).map(|it| it.0);
        let verdicts = self.severities.keys().chain(self.off.keys());
        numbers
            .chain(verdicts.map(|it| Question::Verdict(*it)))
            .collect()
    }

    /// Whether it answers a question.
    fn answers(&self, question: Question) -> bool {
        match question {
            Question::MaxAge => self.max_age_days.is_some(),
            Question::Expiring => self.expiring_days.is_some(),
            Question::Grace => self.grace_days.is_some(),
            Question::Verdict(id) => {
                self.severities.contains_key(&id) || self.off.contains_key(&id)
            }
        }
    }

    /// Whether it speaks of the same secrets as another, in the same words.
    pub fn is_same_selection(&self, other: &Self) -> bool {
        self.kinds == other.kinds
            && self.providers == other.providers
            && self.environments == other.environments
            && self.records == other.records
    }

    /// Whether it is about a secret. What has no record is reached only by a policy for everything.
    fn is_about(&self, record: Option<&Record>) -> bool {
        let Some(record) = record else {
            return self.selectors().iter().all(|it| !it);
        };
        let fits = |globs: &[String], texts: &[&str]| {
            let is_one = |glob: &String| texts.iter().any(|it| matches(glob, it));
            globs.is_empty() || globs.iter().any(is_one)
        };
        let is_kind = record.kind.is_some_and(|it| self.kinds.contains(&it));
        let environment = record.environment.as_deref().unwrap_or_default();
        (self.kinds.is_empty() || is_kind)
            && fits(&self.providers, &[&record.secret.provider])
            && fits(&self.environments, &[environment])
            && (fits(&self.records, &[&record.name])
                || fits(&self.records, &[&record.secret.to_string()]))
    }

    fn selectors(&self) -> [bool; 4] {
        [
            !self.kinds.is_empty(),
            !self.providers.is_empty(),
            !self.environments.is_empty(),
            !self.records.is_empty(),
        ]
    }

    /// Which of two is more specific: the one that selects by more; of two that select by the same, the one
    /// that spells more of the record, then of the environment, then of the provider.
    fn compare(&self, other: &Self) -> Ordering {
        let (one, two) = (self.selectors(), other.selectors());
        let count = |it: [bool; 4]| it.iter().filter(|it| **it).count();
        let spelled =
            |it: &Self| [&it.records, &it.environments, &it.providers].map(|globs| shortest(globs));
        match count(one).cmp(&count(two)) {
            Ordering::Equal if one == two => spelled(self).cmp(&spelled(other)),
            order => order,
        }
    }
}

/// What the loosest of some globs spells out.
fn shortest(globs: &[String]) -> usize {
    let spelled = |it: &String| it.chars().filter(|it| !matches!(it, '*' | '?')).count();
    globs.iter().map(spelled).min().unwrap_or(0)
}

/// Whether a text fits a glob as a whole. `*` stands for any text, `?` for any character; case does not
/// count.
fn matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        if glob.get(at) == Some(&'*') {
            star = Some((at, from));
            at += 1;
        } else if glob.get(at) == Some(&'?') || glob.get(at) == text.get(from) {
            at += 1;
            from += 1;
        } else if let Some((before, taken)) = star {
            // The last star takes one character more.
            star = Some((before, taken + 1));
            at = before + 1;
            from = taken + 1;
        } else {
            return false;
        }
    }
    glob.iter().skip(at).all(|it| *it == '*')
}

/// Two policies that answer one question of one secret with equal right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tie {
    /// The question.
    pub question: Question,
    /// The record; `None` where none is meant.
    pub record: Option<String>,
    /// Lines of the two policies.
    pub lines: (usize, usize),
}

/// All policies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policies(pub Vec<Policy>);

impl Policies {
    /// The policy that answers a question of a secret, if any does.
    pub fn answer(&self, question: Question, record: Option<&Record>) -> Option<&Policy> {
        self.best(question, record).first().copied()
    }

    /// All policies that no other outdoes; more than one is a tie.
    fn best(&self, question: Question, record: Option<&Record>) -> Vec<&Policy> {
        let asked = |it: &&Policy| it.answers(question) && it.is_about(record);
        let all: Vec<&Policy> = self.0.iter().filter(asked).collect();
        let is_best = |it: &&Policy| all.iter().all(|other| it.compare(other).is_ge());
        all.iter().copied().filter(is_best).collect()
    }

    /// Whether two policies may meet with equal right, so that records must be asked.
    pub fn may_tie(&self) -> bool {
        let shares = |one: &Policy, other: &Policy| {
            let mut questions = one.questions().into_iter();
            questions.any(|it| other.answers(it)) && one.compare(other).is_eq()
        };
        let later = |at: usize| self.0.iter().skip(at + 1);
        let mut all = self.0.iter().enumerate();
        all.any(|(at, one)| later(at).any(|other| shares(one, other)))
    }

    /// Where two policies answer with equal right, the first for each pair of lines and question.
    pub fn ties(&self, records: &[Record]) -> Vec<Tie> {
        let questions: BTreeSet<Question> = self.0.iter().flat_map(Policy::questions).collect();
        let mut told = BTreeSet::new();
        let mut ties = Vec::new();
        let subjects = records.iter().map(Some).chain([None]);
        for record in subjects {
            for question in &questions {
                if let [one, other, ..] = self.best(*question, record)[..] {
                    let lines = (one.line, other.line);
                    if told.insert((lines, *question)) {
                        ties.push(Tie {
                            question: *question,
                            record: record.map(|it| it.name.clone()),
                            lines,
                        });
                    }
                }
            }
        }
        ties
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reference::SecretName;

    fn policy(line: usize, kind: bool, environment: &str, record: &str) -> Policy {
        let list = |it: &str| {
            (!it.is_empty())
                .then(|| it.to_owned())
                .into_iter()
                .collect()
        };
        Policy {
            line,
            kinds: kind.then_some(Kind::CloudKey).into_iter().collect(),
            environments: list(environment),
            records: list(record),
            max_age_days: Some(u32::try_from(line).unwrap()),
            ..Policy::default()
        }
    }

    fn record(environment: &str) -> Record {
        Record {
            name: "kv/shop/db#password".to_owned(),
            secret: SecretName::new("vault", "kv/shop/db").with_key("password"),
            environment: Some(environment.to_owned()),
            kind: Some(Kind::CloudKey),
            ..Record::default()
        }
    }

    #[test]
    fn globs_fit_whole_texts() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("kv/*", "kv/shop/db", true),
            ("KV/shop/??", "kv/Shop/db", true),
            ("kv/*/db*", "kv/a/b/db#p", true),
            ("*db", "kv/db/x", false),
            ("kv", "kv/shop", false),
            ("", "", true),
            ("?", "", false),
            ("prod*", "nonprod", false),
            ("*a*b", "xaxaxb", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn the_most_specific_answers() {
        let everything = policy(1, false, "", "");
        let kind = policy(2, true, "", "");
        let production = policy(3, false, "prod*", "");
        let shop = policy(4, false, "", "kv/shop/*");
        let database = policy(5, false, "", "kv/shop/db*");
        let both = policy(6, true, "prod*", "");
        let other = policy(7, true, "prod*", "kv/crm/*");
        for (policies, environment, expected) in [
            (vec![&everything], "production", Some(1)),
            (vec![&everything, &kind], "production", Some(2)),
            (vec![&shop, &database], "production", Some(5)),
            (
                vec![&kind, &production, &both, &other],
                "production",
                Some(6),
            ),
            (vec![&production, &other], "staging", None),
            (vec![&kind, &both], "staging", Some(2)),
        ] {
            let policies = Policies(policies.into_iter().cloned().collect());
            let found = policies.answer(Question::MaxAge, Some(&record(environment)));
            assert_eq!(found.map(|it| it.line), expected, "{policies:?}");
            assert!(policies.ties(&[record(environment)]).is_empty());
            assert!(
                policies
                    .answer(Question::Grace, Some(&record("x")))
                    .is_none()
            );
        }
        let all = Policies(vec![kind, everything]);
        let found = all.answer(Question::MaxAge, None);
        assert_eq!(
            found.map(|it| it.line),
            Some(1),
            "no record: only what is for all"
        );
    }

    #[test]
    fn equal_rights_are_a_tie_where_they_meet() {
        let kind = policy(2, true, "", "");
        let production = policy(3, false, "prod*", "");
        let everything = policy(1, false, "", "");
        assert!(!Policies(vec![everything.clone(), kind.clone()]).may_tie());
        let other = Policy {
            max_age_days: None,
            grace_days: Some(1),
            ..production.clone()
        };
        assert!(
            !Policies(vec![kind.clone(), other]).may_tie(),
            "another question"
        );
        let policies = Policies(vec![everything, kind, production]);
        assert!(policies.may_tie());
        assert!(policies.ties(&[record("staging")]).is_empty());
        let ties = policies.ties(&[record("production"), record("prod")]);
        let expected = Tie {
            question: Question::MaxAge,
            record: Some("kv/shop/db#password".to_owned()),
            lines: (2, 3),
        };
        assert_eq!(ties, [expected]);
    }
}
