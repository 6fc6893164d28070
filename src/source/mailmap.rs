//! The mail map: who people are, whatever name and address a commit gives.
//!
//! Not here: commits. As git does (gitmailmap), it is read from `.mailmap` at the top of the work tree, else
//! from that of `HEAD`, and from what the repository's own `mailmap.blob` names. `mailmap.file` may name
//! anything on the machine, and is not followed.

use crate::source::{repository, spelling};
use git2::{ObjectType, Repository};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Bytes of a map that are looked at; what is longer is no map.
const LARGEST: u64 = 4 << 20;
const NAME: &str = ".mailmap";

/// Names by address, and by address and name. Both are held in lower case: they are
/// compared without it.
#[derive(Default, Debug)]
pub(crate) struct Mailmap {
    simple: HashMap<Vec<u8>, Vec<u8>>,
    /// What maps only the address keeps the name.
    named: HashMap<Person, Option<Vec<u8>>>,
}

/// Address and name.
type Person = (Vec<u8>, Vec<u8>);

impl Mailmap {
    /// Of a repository; empty where there is none.
    pub(crate) fn of(repository: &Repository) -> Self {
        let mut map = Self::default();
        let named = repository::own_text(repository.commondir(), "mailmap.blob");
        let texts = match repository.workdir() {
            Some(top) => [
                file(&top.join(NAME)),
                named.as_deref().and_then(|it| blob(repository, it)),
            ],
            None => {
                let name = named.unwrap_or_else(|| format!("HEAD:{NAME}"));
                [blob(repository, &name), None]
            }
        };
        for text in texts.iter().flatten() {
            map.add(text);
        }
        map
    }

    /// Adds the lines of a map; what comes later wins.
    fn add(&mut self, text: &[u8]) {
        let lines = text.split(|it| *it == b'\n');
        for line in lines.filter(|it| it.first() != Some(&b'#')) {
            let Some((name, address, rest)) = person(line).filter(|it| !it.1.is_empty()) else {
                continue;
            };
            let name = (!name.is_empty()).then(|| name.to_vec());
            let (old, of, _) = person(rest).unwrap_or((&[], address, &[]));
            let of = of.to_ascii_lowercase();
            if !old.is_empty() {
                self.named.insert((of, old.to_ascii_lowercase()), name);
            } else if let Some(name) = name {
                // Without an old name, every name of the address is meant.
                self.simple.insert(of, name);
            }
        }
    }

    /// The name to show of a name and address.
    pub(crate) fn name(&self, identity: &[u8]) -> String {
        let (own, address) = match person(identity) {
            Some((name, address, _)) => (name, address),
            None => (identity.trim_ascii(), &[][..]),
        };
        let address = address.to_ascii_lowercase();
        let simple = self.simple.get(&address).map_or(own, Vec::as_slice);
        let key = (address, own.to_ascii_lowercase());
        let mapped = match self.named.get(&key) {
            Some(name) => name.as_deref().unwrap_or(own),
            None => simple,
        };
        spelling::text(mapped).into_owned()
    }
}

impl Mailmap {
    /// The name to show of who wrote something.
    pub(crate) fn name_of(&self, signature: &git2::Signature<'_>) -> String {
        let (name, address) = (signature.name_bytes(), signature.email_bytes());
        self.name(&[name, b" <", address, b">"].concat())
    }
}

/// `Name <address>`: both, and what follows.
fn person(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let start = memchr::memchr(b'<', text)?;
    let end = start + memchr::memchr(b'>', &text[start..])?;
    Some((
        text[..start].trim_ascii(),
        &text[start + 1..end],
        &text[end + 1..],
    ))
}

/// A plain file of the work tree; a link would lead anywhere.
fn file(path: &Path) -> Option<Vec<u8>> {
    let is_fit = fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.len() <= LARGEST);
    // One that cannot be read is as good as none: names stay as the commits give them.
    is_fit.then(|| fs::read(path).ok()).flatten()
}

fn blob(repository: &Repository, name: &str) -> Option<Vec<u8>> {
    let object = repository.revparse_single(name).ok()?;
    let odb = repository.odb().ok()?;
    let (size, kind) = odb.read_header(object.id()).ok()?;
    let is_fit = kind == ObjectType::Blob && size as u64 <= LARGEST;
    is_fit
        .then(|| odb.read(object.id()).ok())?
        .map(|it| it.data().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Repo;

    const MAP: &str = "# A <a@x> <b@x>\n\
        Ada Lovelace <ada@x>\n\
        <new@x> <moved@x>\n\
        Bo Berg <bo@x> <BO@old>\n\
        Cy One <one@x> Cy <shared@x>\n\
        Cy Two <two@x> cyril <shared@x>\n\
        Any One <any@x> <shared@x>\n\
        <kept@x> Keep <shared@x>\n\
        no address\n\
        Ada Last <ADA@x> # the last one wins\n";

    const PEOPLE: [(&str, &str); 11] = [
        ("ada <ada@x>", "Ada Last"),
        ("ada <Ada@X>", "Ada Last"),
        ("Old Name <moved@x>", "Old Name"),
        ("bo <bo@old>", "Bo Berg"),
        ("bo <bo@x>", "bo"),
        ("CY <shared@x>", "Cy One"),
        ("Cyril <Shared@x>", "Cy Two"),
        ("Else <shared@x>", "Any One"),
        ("Keep <shared@x>", "Keep"),
        ("A <b@x>", "A"),
        ("Nobody <none@x>", "Nobody"),
    ];

    #[test]
    fn it_maps_as_git_does() {
        let repo = Repo::new();
        repo.commit(&[(".mailmap", MAP)], "map");
        let map = Mailmap::of(&crate::source::repository::open(repo.path()).unwrap());
        for (person, expected) in PEOPLE {
            let told = repo.git(&["check-mailmap", person]);
            let told = told.split_once(" <").unwrap().0;
            assert_eq!((person, told), (person, expected));
            assert_eq!(
                (person, map.name(person.as_bytes()).as_str()),
                (person, told)
            );
        }
        assert_eq!(map.name(b" No Address "), "No Address");
        assert_eq!(map.name(b""), "");
    }

    #[test]
    fn a_bare_repository_has_it_in_head_or_where_it_says() {
        let repo = Repo::new();
        repo.commit(
            &[(".mailmap", "In Head <a@x>\n"), ("other", "Other <a@x>\n")],
            "map",
        );
        let name = |path: &Path| Mailmap::of(&repository::open(path).unwrap()).name(b"me <a@x>");
        let bare = repo.beside("bare.git");
        repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
        assert_eq!(name(&bare), "In Head");
        Repo::git_in(&bare, &["config", "mailmap.blob", "HEAD:other"]);
        assert_eq!(name(&bare), "Other");
        // Beside a work tree, its file comes first and the named blob wins.
        repo.git(&["config", "mailmap.blob", "HEAD:other"]);
        assert_eq!(name(repo.path()), "Other");
        repo.git(&["config", "mailmap.blob", "HEAD:none"]);
        assert_eq!(name(repo.path()), "In Head");
        repo.write(".mailmap", "Work Tree <a@x>\n");
        assert_eq!(name(repo.path()), "Work Tree");
        repo.write(".mailmap", vec![b'#'; LARGEST as usize + 1]);
        assert_eq!(name(repo.path()), "me");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let repo = Repo::new();
        repo.commit(&[("map", "Linked <a@x>\n")], "map");
        std::os::unix::fs::symlink("map", repo.path().join(NAME)).unwrap();
        let map = Mailmap::of(&repository::open(repo.path()).unwrap());
        assert_eq!(map.name(b"me <a@x>"), "me");
    }
}
