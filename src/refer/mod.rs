//! References to secret objects in a text.
//!
//! The switchboard of the reference syntaxes: which there are, which texts each is asked for, and how
//! what they say is put in order. What a syntax looks like is known in its own file only.

mod actions;
mod automation;
mod azure;
mod azure_pipelines;
mod azure_task;
mod ci;
mod cloud;
mod cloudformation;
mod connections;
mod data;
mod definitions;
mod docker;
mod dockerfile;
mod dotenv;
mod encrypted;
mod environment;
mod external_secrets;
mod file;
mod frameworks;
mod gcp;
mod helm;
mod jenkins;
mod keyfiles;
mod kubernetes;
mod kubernetes_lines;
mod kustomize;
mod managers;
mod name;
mod nomad;
mod onepassword;
mod operators;
mod pipeline;
mod platforms;
mod provider_class;
mod pulumi;
mod shell;
mod spring;
mod spring_code;
mod store;
mod table;
mod terraform;
mod vault;
mod words;

pub use store::resolve_stores;

use crate::model::reference::Mention;
use crate::syntax::literals::Seen;
use file::File;
use std::cell::OnceCell;
use std::sync::OnceLock;

/// Bytes of the longest name that is one; AWS allows 2,048 for a parameter with its folders.
const LONGEST: usize = 2_048;

/// One reference syntax, or a family of them.
struct Family {
    /// The file that reads it.
    name: &'static str,
    /// Whether a file of this path is for it.
    applies: fn(&str) -> bool,
    /// Literals of which one must stand in the text; without any, the path alone decides.
    anchors: &'static [&'static str],
    /// The reader.
    read: fn(&File<'_>, &mut dyn FnMut(Mention)),
    /// A path and a text that yields at least one mention.
    example: (&'static str, &'static str),
}

macro_rules! families {
    ($($module:ident),* $(,)?) => {
        &[$(Family {
            name: stringify!($module),
            applies: $module::applies,
            anchors: $module::ANCHORS,
            read: $module::read,
            example: $module::EXAMPLE,
        }),*]
    };
}

const FAMILIES: &[Family] = families![
    actions,
    automation,
    azure,
    azure_pipelines,
    azure_task,
    ci,
    cloud,
    cloudformation,
    connections,
    data,
    definitions,
    docker,
    dockerfile,
    dotenv,
    encrypted,
    environment,
    external_secrets,
    frameworks,
    gcp,
    helm,
    jenkins,
    kubernetes,
    kubernetes_lines,
    keyfiles,
    kustomize,
    managers,
    nomad,
    onepassword,
    operators,
    pipeline,
    platforms,
    provider_class,
    pulumi,
    shell,
    spring,
    spring_code,
    terraform,
    vault,
];

/// The families of reference syntaxes that are read: name, and path and text of an example.
pub fn families() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    FAMILIES
        .iter()
        .map(|family| (family.name, family.example.0, family.example.1))
}

/// The literals that [`read`] wants to know of, sorted: written as here, case and all.
pub fn anchors() -> &'static [&'static str] {
    &table().anchors
}

/// Reads every reference syntax that fits the path and the text; mentions come sorted by place.
/// `text` is the whole file; what is no UTF-8 has none. `seen` tells which of the [`anchors`] stand in it.
/// `malformed` is called with a sentence when the file names a structure (YAML, JSON) that it does not
/// have.
pub fn read(
    path: &str,
    text: &[u8],
    seen: Seen,
    malformed: &mut dyn FnMut(String),
) -> Vec<Mention> {
    let wanted = wanted(path, seen);
    if wanted.iter().all(|it| !it) {
        return Vec::new();
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return Vec::new();
    };
    let masked = OnceCell::new();
    let file = File::searched(path, text, seen, &masked);
    let mut mentions = Vec::new();
    for (family, wanted) in FAMILIES.iter().zip(wanted) {
        if wanted {
            (family.read)(&file, &mut |it| {
                if it.name.path.len() <= LONGEST {
                    mentions.push(file::settled(it));
                }
            });
        }
    }
    if let Some(fault) = file.fault().filter(|_| is_to_be_well_formed(path, text)) {
        malformed(fault);
    }
    in_order(mentions)
}

/// Which families to ask: those of which an anchor stands in the text and that the path fits.
fn wanted(path: &str, seen: Seen) -> [bool; FAMILIES.len()] {
    let mut wanted = [false; FAMILIES.len()];
    for (at, family) in FAMILIES.iter().enumerate() {
        let anchored = &table().of_family[at];
        let is_anchored = anchored.is_empty() || anchored.iter().any(|it| seen.has(*it));
        wanted[at] = is_anchored && (family.applies)(path);
    }
    wanted
}

/// The anchors of all families.
struct Table {
    anchors: Vec<&'static str>,
    /// By family: the numbers of its anchors.
    of_family: Vec<Vec<usize>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let each = FAMILIES.iter().flat_map(|it| it.anchors.iter().copied());
        let mut anchors: Vec<&str> = each.collect();
        anchors.sort_unstable();
        anchors.dedup();
        let number = |it: &&str| anchors.binary_search(it).ok();
        let of_family = FAMILIES
            .iter()
            .map(|it| it.anchors.iter().filter_map(number).collect())
            .collect();
        Table { anchors, of_family }
    })
}

/// Whether an anchor stands in a text of which this is known.
fn has(seen: Seen, anchor: &str) -> bool {
    anchors()
        .binary_search(&anchor)
        .is_ok_and(|it| seen.has(it))
}

/// A template is not YAML before it is rendered, so it is not broken either.
fn is_to_be_well_formed(path: &str, text: &str) -> bool {
    file::is_tree(path) && !text.contains("{{") && !text.contains("{%") && !text.contains("<%")
}

/// Sorted by place and name; of two mentions of one name at one place the one that tells more.
fn in_order(mut mentions: Vec<Mention>) -> Vec<Mention> {
    let told = |it: &Mention| u8::from(it.yields.is_none()) + u8::from(it.consumer.is_none());
    mentions.sort_by(|a, b| {
        let place = |it: &Mention| (it.place, it.name.provider.clone(), it.name.path.clone());
        place(a)
            .cmp(&place(b))
            .then(told(a).cmp(&told(b)))
            .then(a.cmp(b))
    });
    mentions.dedup_by(|next, kept| {
        let same = next.place == kept.place
            && next.name.provider == kept.name.provider
            && next.name.path == kept.name.path
            && (next.name.key == kept.name.key || next.name.key.is_none());
        let is_alike =
            next.yields == kept.yields && next.consumer == kept.consumer && next.role == kept.role;
        same && (told(next) > told(kept) || is_alike)
    });
    mentions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a search of the text for the anchors tells.
    fn search(text: &[u8]) -> Seen {
        let mut seen = Seen::default();
        for (number, anchor) in anchors().iter().enumerate() {
            if memchr::memmem::find(text, anchor.as_bytes()).is_some() {
                seen.add(number);
            }
        }
        seen
    }

    fn read_quietly(path: &str, text: &str) -> Vec<Mention> {
        let seen = search(text.as_bytes());
        read(path, text.as_bytes(), seen, &mut |sentence| {
            panic!("{sentence}")
        })
    }

    #[test]
    fn each_example_is_read_by_its_family() {
        for family in FAMILIES {
            let (path, text) = family.example;
            assert!((family.applies)(path), "{}", family.name);
            let mut n_mentions = 0;
            (family.read)(&File::new(path, text), &mut |_| n_mentions += 1);
            assert!(n_mentions > 0, "{}", family.name);
            assert!(
                !read_quietly(path, text).is_empty(),
                "{}: no anchor hit",
                family.name
            );
        }
    }

    #[test]
    fn anchors_can_be_told_apart() {
        assert!(anchors().len() <= Seen::MOST);
        assert!(anchors().iter().all(|it| it.len() >= 3));
        for anchor in anchors() {
            assert!(has(search(anchor.as_bytes()), anchor), "{anchor}");
        }
    }

    #[test]
    fn mentions_are_sorted_and_unique() {
        for family in FAMILIES {
            let (path, text) = family.example;
            let mentions = read_quietly(path, text);
            assert!(
                mentions
                    .windows(2)
                    .all(|it| it[0].place <= it[1].place && it[0] != it[1]),
                "{}",
                family.name
            );
        }
    }

    #[test]
    fn texts_without_anchors_are_not_looked_at() {
        for (path, text) in [
            ("src/shop.c", "int price() { return 3; }\n"),
            ("deploy.yaml", "kind: Pod\n"),
            ("a.bin", ""),
        ] {
            let seen = search(text.as_bytes());
            assert!(wanted(path, seen).iter().all(|it| !it), "{path}");
        }
    }

    #[test]
    fn broken_structure_is_told_and_templates_are_not() {
        for (path, text, expected) in [
            ("a.yaml", "a: [\nb: secretKeyRef: }\n", 1),
            ("a.yaml", "a: {{ .Values.secretKeyRef }}-x\n", 0),
            ("a.txt", "a: [\nb: secretKeyRef: }\n", 0),
            ("b.yaml", "a: [\n", 0),
        ] {
            let mut faults = Vec::new();
            let seen = search(text.as_bytes());
            read(path, text.as_bytes(), seen, &mut |sentence| {
                faults.push(sentence);
            });
            assert_eq!(faults.len(), expected, "{text:?} {faults:?}");
        }
    }

    #[test]
    fn hostile_texts_end_soon() {
        let paths = [
            "a.yaml",
            "a.sh",
            "a.js",
            "a.tf",
            ".github/workflows/a.yml",
            "compose.yml",
            ".gitlab-ci.yml",
            ".env",
            "Dockerfile",
            "Jenkinsfile",
            ".circleci/config.yml",
            "azure-pipelines.yml",
            "application.properties",
            "charts/a/templates/a.yaml",
            "a.bicep",
            "a.php",
            "a.config",
            "a.nomad",
        ];
        let seeds = [
            "process.env.API_KEY;",
            "op://a/b/c ",
            "op://",
            "secretKeyRef: ",
            "${{ secrets.A }} ",
            "vault kv get ",
            "$API_KEY",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
            "{{ with secret \"a\" }}",
            "- [secretKeyRef,",
            "data \"vault_kv_secret_v2\" \"x\" {",
            "SecretId=\"",
            "aws ssm get-parameter ",
            "read_secret_version(",
            "projects/a/secrets/b/",
            "az keyvault secret show \\\n",
            "\\\n",
            "secretKeyRef:\n  ",
            "RUN --mount=type=secret,",
            "ENV A_KEY=",
            "credentialsId: 'a', ",
            "withVault([vaultSecrets: [[path: 'a', secretValues: [[",
            "{{ include \"a\" . }}: secretKeyRef\n",
            "{{- if a }}\n",
            "$(a_key)",
            "@Value(\"${a.",
            "kv.getSecret('a')",
            "resource kv 'Microsoft.KeyVault/vaults@1' = {",
            "Password=__A",
            "://a:${A",
            "ENC[AES256_GCM,data:",
            "lookup('hashi_vault', 'secret=",
            "/*",
            "\"\"\"",
            "doppler run -p ",
            "gcloud secrets versions access latest ",
        ];
        for path in paths {
            for seed in seeds {
                let text = seed.repeat(60_000 / seed.len());
                let seen = search(text.as_bytes());
                let _ = read(path, text.as_bytes(), seen, &mut |_| {});
            }
        }
    }
}
