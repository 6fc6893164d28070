//! A running Vault or OpenBao: walks its KV mounts and reads what the token may read.
//!
//! How to ask is the work of `vault_client.rs`; what an answer means, of `vault.rs`.

use crate::import::intake::{Error, Intake, Options, Totals};
use crate::import::tree::Tree;
use crate::import::vault::Object;
use crate::import::vault_client::{Client, encoded};
use crate::model::fingerprint::Fingerprinter;
use crate::model::record::Record;
use std::collections::BTreeSet;

pub use crate::import::vault_client::{PlainHttp, Server};

/// Deepest folder entered: a server that lists itself for ever must end somewhere.
const DEEPEST: usize = 64;
/// Most secrets and folders listed.
const MOST: usize = 2_000_000;

/// Reads the records of a server. What [`read`](crate::import::read) says of seals and errors holds here.
pub fn fetch(
    server: &Server<'_>,
    seal: Option<&Fingerprinter>,
    options: &Options,
    emit: &mut dyn FnMut(Record),
) -> Result<Totals, Error> {
    let client = Client::of(server)?;
    let source = server.source();
    let mut intake = Intake::new(&source, seal, options, emit);
    for mount in client.mounts(server.mount, &intake)? {
        for path in client.walk(&mount, &intake)? {
            client.object(&mount, &path, &mut intake)?;
        }
    }
    Ok(intake.totals())
}

/// A KV mount and where in it to begin.
struct Mount {
    /// Without slashes at its ends.
    path: String,
    engine: Engine,
    /// Empty, or a folder with a slash at its end.
    below: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Engine {
    /// One value a path, nothing known about it.
    One,
    /// Versions and metadata.
    Two,
}

impl Client {
    /// The mount that was named, or all KV mounts the token can see.
    fn mounts(&self, wanted: Option<&str>, intake: &Intake<'_>) -> Result<Vec<Mount>, Error> {
        match wanted
            .map(|it| it.trim_matches('/'))
            .filter(|it| !it.is_empty())
        {
            Some(wanted) => Ok(vec![self.mount(wanted, intake)?]),
            None => self.all_mounts(intake),
        }
    }

    fn mount(&self, wanted: &str, intake: &Intake<'_>) -> Result<Mount, Error> {
        let ask = format!("sys/internal/ui/mounts/{}", encoded(wanted));
        let known = match self.ask(&ask, intake)? {
            Ok(tree) => tree,
            Err(status) => return Err(self.refused(&ask, status)),
        };
        let data = known.member("data").unwrap_or(&known);
        let path = data
            .text_at(&["path"])
            .unwrap_or(wanted)
            .trim_matches('/')
            .to_owned();
        let Some(engine) = engine(data) else {
            return Err(intake.shape(
                format!("`{path}` is no KV mount"),
                "name a mount of type kv",
            ));
        };
        let below = wanted.strip_prefix(&path).unwrap_or("").trim_matches('/');
        let below = if below.is_empty() {
            String::new()
        } else {
            format!("{below}/")
        };
        Ok(Mount {
            path,
            engine,
            below,
        })
    }

    fn all_mounts(&self, intake: &Intake<'_>) -> Result<Vec<Mount>, Error> {
        let (ui, plain) = ("sys/internal/ui/mounts", "sys/mounts");
        let answer = match self.ask(ui, intake)? {
            Ok(tree) => Ok(tree),
            Err(_) => self.ask(plain, intake)?,
        };
        let tree = answer.map_err(|status| self.refused(plain, status))?;
        let listed = tree.at(&["data", "secret"]).or_else(|| tree.member("data"));
        let mounts = listed.map_or(&[][..], Tree::members).iter();
        let mut mounts: Vec<Mount> = mounts
            .filter_map(|(path, it)| {
                Some(Mount {
                    path: path.trim_matches('/').to_owned(),
                    engine: engine(it)?,
                    below: String::new(),
                })
            })
            .collect();
        mounts.sort_by(|a, b| a.path.cmp(&b.path));
        if mounts.is_empty() {
            // What a token that is not valid sees, too.
            return Err(self.refused(ui, 403));
        }
        Ok(mounts)
    }

    /// All paths of secrets, sorted. A folder that may not be listed ends the import: a list with holes
    /// would declare what is missing gone.
    fn walk(&self, mount: &Mount, intake: &Intake<'_>) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut folders = vec![mount.below.clone()];
        while let Some(folder) = folders.pop() {
            let ask = format!("{}?list=true", mount.api("metadata", &folder));
            let answer = match self.ask(&ask, intake)? {
                Ok(answer) => answer,
                Err(404) => continue,
                Err(status) => return Err(self.refused(&ask, status)),
            };
            let names = answer.at(&["data", "keys"]).map_or(&[][..], Tree::items);
            for name in names.iter().filter_map(Tree::text).filter(|it| *it != "/") {
                let path = format!("{folder}{name}");
                if !name.ends_with('/') {
                    found.insert(path);
                } else if seen.insert(path.clone()) {
                    folders.push(path);
                }
            }
            if folder.matches('/').count() > DEEPEST || found.len() + seen.len() > MOST {
                return Err(Error::Unreachable {
                    url: self.url(&ask),
                    what: "the server lists more, or deeper, than can be true".to_owned(),
                });
            }
        }
        Ok(found)
    }

    fn object(&self, mount: &Mount, path: &str, intake: &mut Intake<'_>) -> Result<(), Error> {
        let name = format!("{}/{path}", mount.path);
        let (metadata, data) = match mount.engine {
            Engine::One => (None, self.value(mount, path, intake)?),
            Engine::Two => {
                let metadata = self.read(&mount.api("metadata", path), &name, intake)?;
                let data = if intake.wants_values() {
                    self.versions(mount, path, metadata.as_ref(), intake)?
                } else {
                    self.fields(mount, path, intake)?
                };
                (metadata, data)
            }
        };
        let object = Object {
            line: None,
            metadata: metadata.as_ref().and_then(|it| it.member("data")),
            data: data.iter().collect(),
        };
        object.emit(&name, "", intake);
        Ok(())
    }

    /// One answer; what the token may not read is noted and left out, the name stays.
    fn read(&self, ask: &str, name: &str, intake: &mut Intake<'_>) -> Result<Option<Tree>, Error> {
        match self.ask(ask, intake)? {
            Ok(tree) => Ok(Some(tree)),
            // A deleted version, or a secret deleted since it was listed.
            Err(404) => Ok(None),
            Err(status @ (401 | 403)) => {
                intake.skip(&format!("{name}: the token may not read it ({status})"));
                Ok(None)
            }
            Err(status) => Err(self.refused(ask, status)),
        }
    }

    fn value(
        &self,
        mount: &Mount,
        path: &str,
        intake: &mut Intake<'_>,
    ) -> Result<Vec<Tree>, Error> {
        if !intake.wants_values() {
            // Names of fields come with their values only.
            return Ok(Vec::new());
        }
        let name = format!("{}/{path}", mount.path);
        let value = self.read(&mount.api("", path), &name, intake)?;
        Ok(value.into_iter().collect())
    }

    /// Every version that is not destroyed.
    fn versions(
        &self,
        mount: &Mount,
        path: &str,
        metadata: Option<&Tree>,
        intake: &mut Intake<'_>,
    ) -> Result<Vec<Tree>, Error> {
        let name = format!("{}/{path}", mount.path);
        let listed = metadata.and_then(|it| it.at(&["data", "versions"]));
        let mut numbers: Vec<u32> = listed
            .map_or(&[][..], Tree::members)
            .iter()
            .filter(|(_, it)| it.text_at(&["destroyed"]) != Some("true"))
            .filter_map(|(number, _)| number.parse().ok())
            .collect();
        numbers.sort_unstable();
        let mut data = Vec::new();
        if metadata.is_none() {
            data.extend(self.read(&mount.api("data", path), &name, intake)?);
        }
        for number in numbers {
            let ask = format!("{}?version={number}", mount.api("data", path));
            data.extend(self.read(&ask, &format!("{name} version {number}"), intake)?);
        }
        Ok(data)
    }

    /// Names of fields without their values, where server and policy allow.
    fn fields(&self, mount: &Mount, path: &str, intake: &Intake<'_>) -> Result<Vec<Tree>, Error> {
        let Ok(answer) = self.ask(&mount.api("subkeys", path), intake)? else {
            return Ok(Vec::new());
        };
        let Tree::Map(answer) = answer else {
            return Ok(Vec::new());
        };
        let data = answer.into_iter().find(|(name, _)| name == "data");
        let Some((_, Tree::Map(data))) = data else {
            return Ok(Vec::new());
        };
        // The shape of `kv get`, of which the fields are called otherwise here.
        let renamed = data.into_iter().map(|(name, it)| match name.as_str() {
            "subkeys" => ("data".to_owned(), it),
            _ => (name, it),
        });
        Ok(vec![Tree::Map(renamed.collect())])
    }
}

impl Mount {
    /// The API's path of a secret or folder; KV v1 knows no parts.
    fn api(&self, part: &str, path: &str) -> String {
        let (mount, path) = (encoded(&self.path), encoded(path));
        match self.engine {
            Engine::One => format!("{mount}/{path}"),
            Engine::Two => format!("{mount}/{part}/{path}"),
        }
    }
}

fn engine(mount: &Tree) -> Option<Engine> {
    match mount.text_at(&["type"])? {
        "kv" | "generic" => {}
        _ => return None,
    }
    match mount.text_at(&["options", "version"]) {
        Some("2") => Some(Engine::Two),
        _ => Some(Engine::One),
    }
}
