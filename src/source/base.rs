//! Files as `HEAD` has them: the side of a change that was there before it, and that may say how it is judged.
//!
//! Not here: what the files mean. A bare repository has no other.

use crate::model::coverage::Reason;
use crate::source::error::Error;
use crate::source::{repository, spelling};
use git2::{ErrorCode, ObjectType, Repository, Tree};
use std::path::{Path, PathBuf};

/// Whose ignore files count for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ground {
    /// Those of the work tree.
    #[default]
    WorkTree,
    /// Those of `HEAD`, which no change that is judged can have written.
    Head,
}

/// A repository as its `HEAD` stands.
pub struct Base {
    path: PathBuf,
    repository: Repository,
}

impl Base {
    /// The repository that a path lies in.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            path: path.to_owned(),
            repository: repository::open(path)?,
        })
    }

    /// The same where it has no work tree; `None` where it has one, or where there is no repository.
    pub fn of_bare(path: &Path) -> Option<Self> {
        let base = Self::open(path).ok()?;
        base.repository.is_bare().then_some(base)
    }

    /// The bytes of a file; `None` where `HEAD` has none of that path.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        file(&self.repository, path).map_err(|it| self.fault(path, &it))
    }

    /// The paths of the files directly in a folder, sorted; none where it is no folder.
    pub fn files(&self, folder: &str) -> Result<Vec<String>, Error> {
        let fault = |it: git2::Error| self.fault(folder, &it);
        let Some(head) = head(&self.repository).map_err(fault)? else {
            return Ok(Vec::new());
        };
        let found = head.get_path(Path::new(folder));
        let Ok(entry) = found.and_then(|it| it.to_object(&self.repository)) else {
            return Ok(Vec::new());
        };
        let Some(tree) = entry.as_tree() else {
            return Ok(Vec::new());
        };
        let files = tree
            .iter()
            .filter(|it| it.kind() == Some(ObjectType::Blob))
            .map(|it| spelling::joined(folder, &spelling::text(it.name_bytes())));
        Ok(files.collect())
    }

    fn fault(&self, path: &str, error: &git2::Error) -> Error {
        match error.code() {
            ErrorCode::NotFound | ErrorCode::Peel => Error::Object {
                id: format!("HEAD:{path}"),
                reason: Reason::MissingObject,
                message: error.message().to_owned(),
            },
            _ => repository::translated(&self.path, error),
        }
    }
}

fn head(repository: &Repository) -> Result<Option<Tree<'_>>, git2::Error> {
    match repository.head() {
        Ok(head) => head.peel_to_tree().map(Some),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The bytes of a file of `HEAD`; `None` where there is none.
pub(crate) fn file(repository: &Repository, path: &str) -> Result<Option<Vec<u8>>, git2::Error> {
    let Some(head) = head(repository)? else {
        return Ok(None);
    };
    let entry = match head.get_path(Path::new(path)) {
        Ok(entry) => entry,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if entry.kind() != Some(ObjectType::Blob) {
        return Ok(None);
    }
    Ok(Some(repository.find_blob(entry.id())?.content().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Repo;

    #[test]
    fn files_are_those_of_head_and_not_of_the_work_tree() {
        let repo = Repo::new();
        let base = Base::open(repo.path()).unwrap();
        assert_eq!(base.file("a").unwrap(), None);
        assert_eq!(base.files("d").unwrap(), [""; 0]);
        repo.commit(&[("a", "1"), ("d/b.toml", "2"), ("d/e/f", "3")], "one");
        repo.write("a", "changed");
        repo.write("d/new.toml", "new");
        assert_eq!(base.file("a").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(base.file("d").unwrap(), None);
        assert_eq!(base.file("d/none").unwrap(), None);
        assert_eq!(base.files("d").unwrap(), ["d/b.toml"]);
        assert_eq!(base.files("a").unwrap(), [""; 0]);
        assert!(Base::of_bare(repo.path()).is_none());
        let bare = repo.beside("bare");
        repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
        let bare = Base::of_bare(&bare).unwrap();
        assert_eq!(bare.file("d/e/f").unwrap().as_deref(), Some(&b"3"[..]));
    }
}
