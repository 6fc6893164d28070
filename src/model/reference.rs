//! References: places that name a secret object, and what they pass it on as.

use super::origin::Origin;
use super::span::Place;
use std::fmt;

/// The canonical name of a secret object: `provider:scope/path#key@version`.
///
/// Providers that imports know too: `vault`, `aws-secretsmanager`, `aws-ssm`, `gcp-secretmanager`,
/// `azure-keyvault`, `onepassword`, `kubernetes` (scope = namespace), `github-actions`, `gitlab-ci`, `env`
/// (scope = the workload or nothing), `file`, `doppler` (scope = project and config), `infisical` (scope =
/// environment), `github-dependabot`, `github-codespaces`, and for what holds within one file only: `sops`,
/// `ansible-vault`, `terraform`. `docs/references.md` lists those of every reference syntax.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SecretName {
    /// The system that holds it.
    pub provider: String,
    /// Namespace, account and region, project, vault; empty if the place does not say.
    pub scope: String,
    /// Path or name. Vault KV v2 paths hold the mount and no `data/` infix.
    pub path: String,
    /// The field within, if the place says.
    pub key: Option<String>,
    /// The version, if pinned.
    pub version: Option<String>,
}

impl SecretName {
    /// A name with provider and path only.
    pub fn new(provider: &str, path: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// The same with a scope.
    #[must_use]
    pub fn within(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.scope);
        self
    }

    /// The same with a key.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.provider)?;
        if !self.scope.is_empty() {
            write!(f, "{}/", self.scope)?;
        }
        f.write_str(&self.path)?;
        if let Some(key) = &self.key {
            write!(f, "#{key}")?;
        }
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        Ok(())
    }
}

/// What a place does with the secret object that it names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Role {
    /// It reads the secret, or passes it on.
    #[default]
    Use,
    /// It makes the secret: a resource, a manifest, an encrypted file.
    Definition,
    /// It says that there is such a name, and neither makes nor reads it: `.env.example`, an `ARG`.
    Declaration,
}

impl Role {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Definition => "definition",
            Self::Declaration => "declaration",
        }
    }
}

/// What `refer` reads in one text: a reference without its origin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mention {
    /// The secret object named here.
    pub name: SecretName,
    /// What this place passes it on as: an ExternalSecret yields a Kubernetes secret, a pod's
    /// `secretKeyRef` yields an environment variable. `None` where the chain ends in code.
    pub yields: Option<SecretName>,
    /// The reference syntax (`external-secret`, `secret-key-ref`, `actions-secret`, ...).
    pub syntax: &'static str,
    /// The workload, job or file that uses it, e.g. `Deployment/shop-api`.
    pub consumer: Option<String>,
    /// Where.
    pub place: Place,
    /// Whether a literal part of the name is missing (a template, a variable); `*` stands for each such
    /// part, so that the name is a pattern.
    pub dynamic: bool,
    /// What the place does with it.
    pub role: Role,
    /// Whether it stands in documentation, so that nothing runs it.
    pub example: bool,
}

impl Mention {
    /// How far it can be relied on: `literal`, `pattern` (part of the name is filled in later) or `example`
    /// (nothing runs it).
    pub fn certainty(&self) -> &'static str {
        match (self.example, self.dynamic) {
            (true, _) => "example",
            (false, true) => "pattern",
            (false, false) => "literal",
        }
    }
}

/// A mention with its origin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reference {
    /// Path, relative to the repository root.
    pub path: String,
    /// What the place says.
    pub mention: Mention,
    /// Where the text came from; its author and date are filled where they are known.
    pub origin: Origin,
}
