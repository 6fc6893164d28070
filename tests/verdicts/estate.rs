//! A small estate of one case: repositories of real git, an inventory from a table, and the program.
//!
//! Values are drawn here and stand in no file of this project.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Columns of the tables of cases.
pub(crate) const HEADER: &str = "name,key,provider,environment,owners,rotated,accessed,accessed_by,dynamic,\
    rotation_days,kind,version,login,value,expires\n";

/// A folder with repositories, and the inventory beside it.
pub(crate) struct Estate {
    dir: TempDir,
}

/// An invented password: the same for the same name, related to nothing that exists.
pub(crate) fn drawn(name: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let digest = Sha256::digest(name.as_bytes());
    let letter = |it: &u8| char::from(LETTERS[usize::from(*it) % LETTERS.len()]);
    digest[..22].iter().map(letter).chain(['4', '7']).collect()
}

/// The day so many days ago.
pub(crate) fn ago(days: i64) -> String {
    let now = jiff::Timestamp::now();
    let then = jiff::Timestamp::from_second(now.as_second() - days * 86_400).unwrap();
    then.to_string()[..10].to_owned()
}

/// `{value:NAME}` and `{ago:DAYS}` filled in.
fn filled(text: &str) -> String {
    let mut parts = text.split('{');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let filled = part.split_once('}').and_then(|(slot, rest)| {
            let (what, argument) = slot.split_once(':')?;
            match what {
                "value" => Some(drawn(argument) + rest),
                "ago" => Some(ago(argument.parse().ok()?) + rest),
                _ => None,
            }
        });
        out += &filled.unwrap_or_else(|| format!("{{{part}"));
    }
    out
}

impl Estate {
    /// An estate with an inventory of these rows. Rows are in the order of [`HEADER`].
    pub(crate) fn new(rows: &[&str]) -> Self {
        let estate = Self {
            dir: TempDir::new().unwrap(),
        };
        fs::create_dir_all(estate.path("estate")).unwrap();
        let table = rows.iter().map(|it| format!("{it}\n")).collect::<String>();
        fs::write(
            estate.path("table.csv"),
            filled(&format!("{HEADER}{table}")),
        )
        .unwrap();
        estate.succeed(&["inventory", "init"]);
        estate.succeed(&["inventory", "import", "csv", "../table.csv"]);
        estate
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    fn program(&self, name: impl AsRef<std::ffi::OsStr>, folder: &str) -> Command {
        let mut command = Command::new(name);
        command.current_dir(self.path(folder)).env_clear();
        for variable in ["PATH", "SYSTEMROOT", "TEMP", "TMP", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command
            .env("HOME", self.dir.path())
            .env("KEYATLAS_INVENTORY", self.path("data/inventory.db"))
            .env("KEYATLAS_KEY_FILE", self.path("keys/key"));
        command
    }

    fn git(&self, repository: &str, author: &str, arguments: &[&str]) {
        let folder = format!("estate/{repository}");
        let mut command = self.program("git", &folder);
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.path("gitconfig"));
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), author)
                .env(format!("GIT_{role}_EMAIL"), "somebody@example.com");
        }
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
    }

    /// Commits a file to a repository, which is made if it is not there.
    pub(crate) fn commit(&self, repository: &str, author: &str, path: &str, text: &str) -> &Self {
        let folder = self.path("estate").join(repository);
        if !folder.join(".git").exists() {
            fs::create_dir_all(&folder).unwrap();
            let line = ["init", "--quiet", "--template=", "--initial-branch=main"];
            self.git(repository, author, &line);
        }
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, filled(text)).unwrap();
        self.git(repository, author, &["add", "--all"]);
        let line = ["commit", "--quiet", "--no-verify", "--message", "a change"];
        self.git(repository, author, &line);
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.program(env!("CARGO_BIN_EXE_keyatlas"), "estate");
        command.args(arguments).output().unwrap()
    }

    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// `verdict record` of everything that a command judges, sorted.
    pub(crate) fn verdicts(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.run(arguments);
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|it| panic!("{it}: {}", told(&output)));
        let mut told = Vec::new();
        for it in document["verdicts"].as_array().unwrap() {
            let text = |name: &str| it[name].as_str().unwrap_or("-").to_owned();
            told.push(format!("{} {}", text("id"), text("record")));
        }
        told.sort();
        told
    }
}

pub(crate) fn told(output: &Output) -> String {
    format!(
        "code {:?}\nstdout:\n{}\nstderr:\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The repositories' folder, for those who call the library.
pub(crate) fn root(estate: &Estate) -> PathBuf {
    Path::new(&estate.path("estate")).to_path_buf()
}
