//! The environment of the process, read once and handed on as values.
//!
//! Not here: what weighs more, a variable or a flag. That is the work of `plan`.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `KEYATLAS_INVENTORY`.
    pub(super) inventory: Option<PathBuf>,
    /// `KEYATLAS_KEY_FILE`.
    pub(super) key_file: Option<PathBuf>,
    /// `KEYATLAS_CONFIG`.
    pub(super) config: Option<PathBuf>,
    /// Where this user's programs keep data.
    pub(super) data: Option<PathBuf>,
    /// Where this user's programs keep settings.
    pub(super) settings: Option<PathBuf>,
    /// `GIT_DIR`: git runs hooks with it where the repository is not around the current folder.
    pub(super) git_dir: Option<PathBuf>,
    /// `GIT_INDEX_FILE`: git sets it for `commit -a` and `commit PATH`.
    pub(super) git_index_file: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY` and `GIT_ALTERNATE_OBJECT_DIRECTORIES`: git sets them for pre-receive, where
    /// what is pushed lies in quarantine.
    pub(super) git_objects: Vec<PathBuf>,
    /// `PRE_COMMIT_TO_REF` and its like: the pre-commit framework reads what git says of a push and passes it
    /// on so.
    pub(super) pushed: Option<Pushed>,
    /// The current folder, absolute.
    pub(super) folder: PathBuf,
    /// Processors at hand.
    pub(super) processors: usize,
}

/// A push as the pre-commit framework tells it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Pushed {
    /// A commit that the other side has.
    pub(super) from: Option<String>,
    /// What is pushed: an id, or the name of a branch that is new there.
    pub(super) to: String,
    /// The ref on the other side.
    pub(super) name: Option<String>,
    pub(super) remote: Option<String>,
}

impl Pushed {
    fn of(text: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self {
            from: text("PRE_COMMIT_FROM_REF"),
            to: text("PRE_COMMIT_TO_REF").or_else(|| text("PRE_COMMIT_LOCAL_BRANCH"))?,
            name: text("PRE_COMMIT_REMOTE_BRANCH"),
            remote: text("PRE_COMMIT_REMOTE_NAME"),
        })
    }
}

impl Environment {
    /// Reads the process's environment.
    pub(super) fn read() -> Self {
        let variable = |name: &str| std::env::var_os(name);
        Self {
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            ..Self::of(&variable)
        }
    }

    fn of(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| {
            variable(name)
                .filter(|it| !it.is_empty())
                .map(PathBuf::from)
        };
        let several = |name: &str| -> Vec<PathBuf> {
            let list = variable(name).unwrap_or_default();
            let paths = std::env::split_paths(&list);
            paths.filter(|it| !it.as_os_str().is_empty()).collect()
        };
        let text = |name: &str| {
            variable(name)?
                .into_string()
                .ok()
                .filter(|it| !it.is_empty())
        };
        Self {
            pushed: Pushed::of(&text),
            inventory: path("KEYATLAS_INVENTORY"),
            key_file: path("KEYATLAS_KEY_FILE"),
            config: path("KEYATLAS_CONFIG"),
            data: path("XDG_DATA_HOME").or_else(|| data(&path)),
            settings: path("XDG_CONFIG_HOME").or_else(|| settings(&path)),
            git_dir: path("GIT_DIR"),
            git_index_file: path("GIT_INDEX_FILE"),
            git_objects: path("GIT_OBJECT_DIRECTORY")
                .into_iter()
                .chain(several("GIT_ALTERNATE_OBJECT_DIRECTORIES"))
                .collect(),
            folder: PathBuf::new(),
            processors: 1,
        }
    }

    /// Where the inventory lies if nobody says otherwise.
    pub(super) fn default_inventory(&self) -> Option<PathBuf> {
        self.data
            .as_ref()
            .map(|it| it.join("keyatlas").join("inventory.db"))
    }

    /// Where the installation key lies if nobody says otherwise: apart from the inventory.
    pub(super) fn default_key_file(&self) -> Option<PathBuf> {
        self.settings
            .as_ref()
            .map(|it| it.join("keyatlas").join("key"))
    }
}

type Path<'a> = dyn Fn(&str) -> Option<PathBuf> + 'a;

#[cfg(windows)]
fn data(path: &Path<'_>) -> Option<PathBuf> {
    path("LOCALAPPDATA").or_else(|| path("USERPROFILE").map(|it| it.join("AppData").join("Local")))
}

#[cfg(windows)]
fn settings(path: &Path<'_>) -> Option<PathBuf> {
    path("APPDATA").or_else(|| path("USERPROFILE").map(|it| it.join("AppData").join("Roaming")))
}

#[cfg(target_os = "macos")]
fn data(path: &Path<'_>) -> Option<PathBuf> {
    path("HOME").map(|it| it.join("Library").join("Application Support"))
}

#[cfg(target_os = "macos")]
fn settings(path: &Path<'_>) -> Option<PathBuf> {
    path("HOME").map(|it| it.join("Library").join("Preferences"))
}

#[cfg(not(any(windows, target_os = "macos")))]
fn data(path: &Path<'_>) -> Option<PathBuf> {
    path("HOME").map(|it| it.join(".local").join("share"))
}

#[cfg(not(any(windows, target_os = "macos")))]
fn settings(path: &Path<'_>) -> Option<PathBuf> {
    path("HOME").map(|it| it.join(".config"))
}

/// The token for a running Vault or OpenBao; read only when one is asked for.
#[cfg(feature = "live")]
pub(super) fn vault_token() -> Option<zeroize::Zeroizing<String>> {
    either("VAULT_TOKEN", "BAO_TOKEN").map(zeroize::Zeroizing::new)
}

/// The namespace there.
#[cfg(feature = "live")]
pub(super) fn vault_namespace() -> Option<String> {
    either("VAULT_NAMESPACE", "BAO_NAMESPACE")
}

/// The file with the authorities to trust there.
#[cfg(feature = "live")]
pub(super) fn vault_authorities() -> Option<PathBuf> {
    either("VAULT_CACERT", "BAO_CACERT").map(PathBuf::from)
}

/// Credentials for a running AWS, and nowhere else from; read only when one is asked for.
#[cfg(feature = "live")]
pub(super) struct AwsCredentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: zeroize::Zeroizing<String>,
    pub(super) session_token: Option<zeroize::Zeroizing<String>>,
}

#[cfg(feature = "live")]
impl AwsCredentials {
    /// `None` if either half is missing.
    pub(super) fn read() -> Option<Self> {
        let secret = |name: &str| variable(name).map(zeroize::Zeroizing::new);
        Some(Self {
            access_key_id: variable("AWS_ACCESS_KEY_ID")?,
            secret_access_key: secret("AWS_SECRET_ACCESS_KEY")?,
            session_token: secret("AWS_SESSION_TOKEN"),
        })
    }
}

/// The region there.
#[cfg(feature = "live")]
pub(super) fn aws_region() -> Option<String> {
    either("AWS_REGION", "AWS_DEFAULT_REGION")
}

/// The file with the authorities to trust there.
#[cfg(feature = "live")]
pub(super) fn aws_authorities() -> Option<PathBuf> {
    variable("AWS_CA_BUNDLE").map(PathBuf::from)
}

/// The password of keystores to import; read only when some are.
pub(super) fn keystore_password() -> Option<zeroize::Zeroizing<String>> {
    std::env::var("KEYATLAS_KEYSTORE_PASSWORD")
        .ok()
        .filter(|it| !it.is_empty())
        .map(zeroize::Zeroizing::new)
}

/// Variables that `git` must not see when it runs for us: what ties it to another repository, and our own.
pub(super) fn kept_from_git() -> Vec<OsString> {
    let is_kept = |name: &str| {
        const OURS: &[&str] = &["GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"];
        const FREE: &[&str] = &[
            "GIT_ASKPASS",
            "GIT_CONFIG",
            "GIT_CURL",
            "GIT_EXEC_PATH",
            "GIT_HTTP",
            "GIT_PROXY",
            "GIT_SSH",
            "GIT_SSL",
            "GIT_TRACE",
        ];
        let is_free = FREE.iter().any(|it| name.starts_with(it)) && !OURS.contains(&name);
        name.starts_with("KEYATLAS_") || (name.starts_with("GIT_") && !is_free)
    };
    let names = std::env::vars_os().map(|it| it.0);
    names
        .filter(|it| it.to_str().is_some_and(is_kept))
        .collect()
}

/// The login name, for waivers without an owner.
pub(super) fn user() -> Option<String> {
    either("USER", "USERNAME")
}

fn either(one: &str, other: &str) -> Option<String> {
    variable(one).or_else(|| variable(other))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(&|name| {
            pairs
                .iter()
                .find(|(it, _)| *it == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn empty_variables_say_nothing() {
        let environment = environment(&[
            ("KEYATLAS_INVENTORY", ""),
            ("KEYATLAS_CONFIG", "x.toml"),
            ("GIT_DIR", ".git"),
        ]);
        assert_eq!(environment.inventory, None);
        assert_eq!(environment.config, Some(PathBuf::from("x.toml")));
        assert_eq!(environment.git_dir, Some(PathBuf::from(".git")));
        assert_eq!(environment.default_inventory(), None);
    }

    #[test]
    fn the_key_lies_apart_from_the_store() {
        let environment = environment(&[("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "/c")]);
        assert_eq!(
            environment.default_inventory(),
            Some(PathBuf::from("/d/keyatlas/inventory.db"))
        );
        assert_eq!(
            environment.default_key_file(),
            Some(PathBuf::from("/c/keyatlas/key"))
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn folders_below_home() {
        let environment = environment(&[("HOME", "/h")]);
        assert_eq!(
            environment.default_inventory(),
            Some(PathBuf::from("/h/.local/share/keyatlas/inventory.db"))
        );
        assert_eq!(
            environment.default_key_file(),
            Some(PathBuf::from("/h/.config/keyatlas/key"))
        );
    }
}
