//! The estate in a folder of its own: built by its script, imported and read by the program.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Kind of import, export, and what it declares complete.
const IMPORTS: &[(&str, &str, &str)] = &[
    ("vault", "vault.json", "vault:kv"),
    ("aws", "aws.json", ""),
    ("aws", "ssm.json", ""),
    ("aws", "iam.json", ""),
    ("gcp", "gcp.json", ""),
    ("azure", "azure.json", ""),
    ("kubernetes", "kubernetes.json", ""),
    ("github-secrets", "github.json", "github-actions"),
    ("gitlab-variables", "gitlab.json", ""),
    ("onepassword", "onepassword.json", ""),
    ("doppler", "doppler.json", ""),
    ("infisical", "infisical.json", ""),
    ("csv", "others.csv", ""),
    ("dotenv", "machines.env", ""),
];

/// The folder of its tables and templates.
pub(crate) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/estate")
}

/// The estate with its inventory.
pub(crate) struct World {
    dir: TempDir,
}

impl World {
    /// The one of all tests: they only read.
    pub(crate) fn shared() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(Self::build)
    }

    /// Builds it as of today, so that ages and ends hold whenever the test runs.
    fn build() -> Self {
        let world = Self {
            dir: TempDir::new().unwrap(),
        };
        let now = jiff::Timestamp::now().to_string();
        let built = python()
            .arg(fixture().join("build"))
            .arg(world.path(""))
            .args(["--today", &now[..10]])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", told(&built));
        fs::create_dir_all(world.path("home")).unwrap();
        world.succeed(&["inventory", "init"]);
        for (kind, file, complete) in IMPORTS {
            let export = format!("../exports/{file}");
            let mut line = vec!["inventory", "import", kind, &export];
            if !complete.is_empty() {
                line.extend(["--complete", complete]);
            }
            world.succeed(&line);
        }
        for list in ["teams", "leavers"] {
            world.succeed(&["inventory", "people", &format!("../people/{list}.csv")]);
        }
        for (kind, log) in [("vault-audit", "audit.log"), ("cloudtrail", "trail.json")] {
            world.succeed(&["inventory", "import", kind, &format!("../access/{log}")]);
        }
        world
    }

    /// A path in its folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// The program, in the folder of the repositories, with nobody's settings.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyatlas"));
        command.current_dir(self.path("estate")).env_clear();
        for variable in ["PATH", "SYSTEMROOT", "TEMP", "TMP", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command
            .env("HOME", self.path("home"))
            .env("KEYATLAS_INVENTORY", self.path("inventory.db"))
            .env("KEYATLAS_KEY_FILE", self.path("keys/estate.key"));
        command.args(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
        output
    }

    /// The document that a command prints.
    pub(crate) fn document(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|it| panic!("{it}: {}", told(&output)))
    }

    /// The map of everything, history included.
    pub(crate) fn map(&self) -> &'static Value {
        static MAP: OnceLock<Value> = OnceLock::new();
        MAP.get_or_init(|| self.document(&["map", "--history", "--format", "json"]))
    }

    /// The scan of the declared estate, history included.
    pub(crate) fn scan(&self) -> &'static Value {
        static SCAN: OnceLock<Value> = OnceLock::new();
        let line = ["scan", "--history", "--estate", "--format", "json"];
        SCAN.get_or_init(|| self.document(&line))
    }

    /// The one line of a file that holds a text, from 1; or the one that `:12` names.
    pub(crate) fn line(&self, repository: &str, path: &str, text: &str) -> u64 {
        if let Some(number) = text.strip_prefix(':').and_then(|it| it.parse().ok()) {
            return number;
        }
        let file = self.path(&format!("estate/{repository}/{path}"));
        let held =
            fs::read_to_string(&file).unwrap_or_else(|it| panic!("{}: {it}", file.display()));
        let found: Vec<usize> = held
            .lines()
            .enumerate()
            .filter(|it| it.1.contains(text))
            .map(|it| it.0)
            .collect();
        assert_eq!(
            found.len(),
            1,
            "{}: `{text}` in lines {found:?}",
            file.display()
        );
        found[0] as u64 + 1
    }

    /// Every invented value.
    pub(crate) fn planted(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("planted")).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// Rows of a table of the fixture; a row that names a set stands for one of each member.
pub(crate) fn table(name: &str) -> Vec<Vec<String>> {
    let sets: BTreeMap<String, Vec<String>> = lines("sets.txt")
        .into_iter()
        .map(|it| (it[0].clone(), it[1].split(' ').map(str::to_owned).collect()))
        .collect();
    let spread = |row: Vec<String>| {
        let named = sets
            .iter()
            .find(|it| row.iter().any(|cell| cell.contains(&format!("<{}>", it.0))));
        let Some((set, members)) = named else {
            return vec![row];
        };
        let fill = |member: &String| {
            let cells = row.iter();
            cells
                .map(|it| it.replace(&format!("<{set}>"), member))
                .collect()
        };
        members.iter().map(fill).collect()
    };
    lines(name).into_iter().flat_map(spread).collect()
}

fn lines(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(fixture().join(name)).unwrap();
    let rows = text
        .lines()
        .filter(|it| !it.trim().is_empty() && !it.starts_with('#'));
    rows.map(|it| it.split('|').map(|it| it.trim().to_owned()).collect())
        .collect()
}

fn python() -> Command {
    let works = |name: &&str| {
        let probe = Command::new(name)
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"])
            .output();
        probe.is_ok_and(|it| it.status.success())
    };
    let name = ["python3", "python"].into_iter().find(works);
    Command::new(name.expect("these tests need Python 3.8 or newer on the PATH"))
}

pub(crate) fn told(output: &Output) -> String {
    format!(
        "code {:?}\nstdout:\n{}\nstderr:\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
