//! `keyatlas hook pre-push` and `hook pre-receive`: what a push brings that the other side does not have.
//!
//! Git says on standard input which refs move; see githooks(5). Not here: reading commits, and what is said
//! when a push is stopped.

use super::args::Speech;
use super::environment::Environment;
use super::exit::Exit;
use super::hook::{self, Preset, Words};
use super::hook_args::{PrePushArgs, PreReceiveArgs};
use super::message::{Fault, note};
use crate::scan::{Difference, Ground, Mode, Within, Without};
use std::collections::BTreeSet;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

const PUSH: Words = Words {
    stopped: "keyatlas stopped this push. Take the secret out of the commits that bring it in (`git commit \
              --amend` for the last, `git rebase --interactive` for others), and rotate it if it was ever \
              shared; or, if it is none:",
    unread: "keyatlas stopped this push: not everything it brings could be read; the report says what",
    after: None,
};

const RECEIVE: Words = Words {
    stopped: "keyatlas refused this push; no ref was changed. Take the secret out of the commits that bring \
              it in (`git commit --amend` for the last, `git rebase --interactive` for others), rotate it, \
              and push again; or, if it is none, in your clone:",
    unread: "keyatlas refused this push: not everything it brings could be read; the report says what",
    after: Some("  and have .keyatlas-waivers on the default branch first, by a push of its own"),
};

/// A ref that moves.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Update {
    /// On the side that is pushed to.
    name: String,
    /// What it was there.
    old: String,
    /// What it becomes.
    new: String,
}

impl Update {
    fn is_deletion(&self) -> bool {
        is_nothing(&self.new)
    }

    fn is_creation(&self) -> bool {
        is_nothing(&self.old)
    }
}

/// How git writes that there is no object.
fn is_nothing(id: &str) -> bool {
    id.bytes().all(|it| it == b'0')
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|it| it.is_ascii_hexdigit())
}

/// Runs before a push, on the side that pushes.
pub(super) fn pre_push(
    args: &PrePushArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    hook::check(&args.hook.report)?;
    let mut updates = updates("pre-push", local)?;
    let told = environment.pushed.as_ref().filter(|_| updates.is_empty());
    updates.extend(told.map(|it| Update {
        name: it.name.clone().unwrap_or_default(),
        old: it.from.clone().unwrap_or_default(),
        new: it.to.clone(),
    }));
    let root = root(environment);
    let told_remote = told.and_then(|it| it.remote.as_deref());
    let named = args.remote.as_deref().or(told_remote);
    let named = [named, args.url.as_deref()].into_iter().flatten();
    let mut difference = brought(&updates);
    for remote in remotes(&root, &named.collect::<Vec<_>>()) {
        let prefix = format!("refs/remotes/{remote}/");
        difference.without.push(Without::Refs(prefix));
    }
    if difference.wanted.is_empty() {
        say(
            speech,
            "keyatlas: nothing is pushed, so zero bytes were scanned",
        );
        return Ok(Exit::Clean);
    }
    let preset = Preset {
        mode: Mode::Range(difference),
        root,
        within: Within::everything(),
        ground: Ground::WorkTree,
        words: &PUSH,
    };
    let ran = hook::scan(preset, &args.hook, speech, environment)?;
    if ran.is_empty() {
        say(
            speech,
            "keyatlas: the other side has all of it already, so zero bytes were scanned",
        );
    }
    Ok(ran.exit)
}

/// Runs before a push is taken in, on the side that receives it. The refs are as they were, and what comes
/// lies in quarantine.
pub(super) fn pre_receive(
    args: &PreReceiveArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    hook::check(&args.hook.report)?;
    let mut difference = brought(&updates("pre-receive", received)?);
    if difference.wanted.is_empty() {
        return Ok(Exit::Clean);
    }
    difference.without = vec![Without::Refs("refs/".to_owned())];
    let preset = Preset {
        mode: Mode::Range(difference),
        root: root(environment),
        within: Within::everything(),
        ground: Ground::Head,
        words: &RECEIVE,
    };
    Ok(hook::scan(preset, &args.hook, speech, environment)?.exit)
}

fn say(speech: &Speech, text: &str) {
    if !speech.quiet {
        note(text);
    }
}

/// Git says where the repository is, unless it runs the hook in it.
fn root(environment: &Environment) -> PathBuf {
    let named = environment.git_dir.as_ref();
    named.unwrap_or(&environment.folder).clone()
}

/// What the updates bring, but for what the other side has by them.
fn brought(updates: &[Update]) -> Difference {
    let come: Vec<&Update> = updates.iter().filter(|it| !it.is_deletion()).collect();
    let wanted: BTreeSet<&str> = come.iter().map(|it| it.new.as_str()).collect();
    let known: BTreeSet<&str> = updates
        .iter()
        .filter(|it| !it.is_creation())
        .map(|it| it.old.as_str())
        .collect();
    let names = come.iter().filter(|it| it.is_creation());
    let owned = |it: BTreeSet<&str>| it.into_iter().map(str::to_owned).collect::<Vec<_>>();
    Difference {
        wanted: owned(wanted),
        without: owned(known).into_iter().map(Without::IfHere).collect(),
        names: names
            .map(|it| it.name.clone())
            .filter(|it| !it.is_empty())
            .collect(),
    }
}

/// The remotes whose branches tell what the other side has: the one that is named, or those with its address
/// where it is named by that.
fn remotes(root: &Path, named: &[&str]) -> Vec<String> {
    let Ok(repository) = git2::Repository::discover(root) else {
        return Vec::new();
    };
    let names = repository.remotes();
    let names: Vec<String> = names
        .iter()
        .flat_map(|it| it.iter().flatten().flatten())
        .map(str::to_owned)
        .collect();
    if let Some(name) = names.iter().find(|it| named.first() == Some(&it.as_str())) {
        return vec![name.clone()];
    }
    let is_named = |address: &[u8]| named.iter().any(|it| it.as_bytes() == address);
    let has_address = |name: &String| {
        repository
            .find_remote(name)
            .is_ok_and(|it| is_named(it.url_bytes()) || it.pushurl_bytes().is_some_and(is_named))
    };
    names.into_iter().filter(has_address).collect()
}

/// The refs that move, as git tells them.
fn updates(kind: &str, read: fn(&str) -> Option<Update>) -> Result<Vec<Update>, Fault> {
    let mut input = std::io::stdin().lock();
    let hint = || {
        format!(
            "git runs `keyatlas hook {kind}` and writes the refs that move to its standard input; by hand, use `keyatlas scan --range A..B`"
        )
    };
    if input.is_terminal() {
        return Err(Fault::new(format!("hook {kind}: standard input is a terminal")).hint(hint()));
    }
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|it| Fault::at(Path::new("standard input"), &it))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|it| !it.is_empty()).enumerate();
    lines
        .map(|(at, line)| {
            read(line).ok_or_else(|| {
                Fault::new(format!(
                    "hook {kind}: line {} of standard input is not as git writes it",
                    at + 1
                ))
                .hint(hint())
            })
        })
        .collect()
}

/// `<local ref> <local id> <remote ref> <remote id>`; what was typed as local ref may hold blanks.
fn local(line: &str) -> Option<Update> {
    let mut words = line.rsplitn(4, ' ');
    let (old, name, new, _) = (words.next()?, words.next()?, words.next()?, words.next()?);
    checked(name, old, new)
}

/// `<old id> <new id> <ref>`.
fn received(line: &str) -> Option<Update> {
    let mut words = line.splitn(3, ' ');
    let (old, new, name) = (words.next()?, words.next()?, words.next()?);
    checked(name, old, new)
}

fn checked(name: &str, old: &str, new: &str) -> Option<Update> {
    (is_id(old) && is_id(new)).then(|| Update {
        name: name.to_owned(),
        old: old.to_owned(),
        new: new.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn update(name: &str, old: &str, new: &str) -> Update {
        checked(name, old, new).unwrap()
    }

    #[test]
    fn lines_are_read_as_git_writes_them() {
        let main = Some(update("refs/heads/main", ONE, TWO));
        for (line, expected) in [
            (
                format!("refs/heads/x {TWO} refs/heads/main {ONE}"),
                main.clone(),
            ),
            (
                format!("HEAD@{{1 day ago}} {TWO} refs/heads/main {ONE}"),
                main.clone(),
            ),
            (
                format!("(delete) {NONE} refs/heads/main {ONE}"),
                Some(update("refs/heads/main", ONE, NONE)),
            ),
            (format!("{TWO} refs/heads/main {ONE}"), None),
            (format!("x y refs/heads/main {ONE}"), None),
            ("one".to_owned(), None),
        ] {
            assert_eq!(local(&line), expected, "{line}");
        }
        assert_eq!(received(&format!("{ONE} {TWO} refs/heads/main")), main);
        assert_eq!(received(&format!("{ONE} {TWO}")), None);
        assert_eq!(received(&format!("{ONE} main refs/heads/main")), None);
    }

    #[test]
    fn deletions_bring_nothing_and_the_other_side_has_what_its_refs_were() {
        let refs = [
            update("refs/heads/old", ONE, NONE),
            update("refs/heads/main", ONE, TWO),
            update("refs/tags/v1", NONE, TWO),
        ];
        let difference = brought(&refs);
        assert_eq!(difference.wanted, [TWO]);
        assert_eq!(difference.without, [Without::IfHere(ONE.to_owned())]);
        assert_eq!(difference.names, ["refs/tags/v1"]);
        assert!(brought(&refs[..1]).wanted.is_empty());
    }
}
