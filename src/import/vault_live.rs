//! A running Vault or OpenBao: walks its mounts and reads what the token may read. Nothing is asked that would make
//! a new credential.
//!
//! How to ask is the work of `vault_client.rs`; what an answer means, of `vault.rs` and `vault_engines.rs`.

use crate::import::intake::{Error, Intake, Options, Totals};
use crate::import::tree::Tree;
use crate::import::vault::Object;
use crate::import::vault_client::{Client, encoded, in_order};
use crate::import::vault_engines::{self as engines, Certificates};
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
    let named = server.namespace.map_or("", |it| it.trim_matches('/'));
    let Some(above) = named.strip_suffix('*') else {
        client.everything(server, named, &mut intake)?;
        return Ok(intake.totals());
    };
    for namespace in client.namespaces(above.trim_end_matches('/'))? {
        let client = client.within(&namespace)?;
        client.everything(server, &namespace, &mut intake)?;
    }
    Ok(intake.totals())
}

/// A mount and where in it to begin.
struct Mount {
    /// Without slashes at its ends.
    path: String,
    engine: Engine,
    /// Empty, or a folder with a slash at its end.
    below: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Engine {
    /// KV with one value a path, nothing known about it.
    One,
    /// KV with versions and metadata.
    Two,
    /// Roles of databases.
    Database,
    /// Certificates.
    Pki,
    /// Secret ids of applications.
    AppRole,
}

/// What was read of a path, and what may not be.
#[derive(Default)]
struct Answer {
    metadata: Option<Tree>,
    data: Vec<Tree>,
    skipped: Vec<String>,
}

impl Client {
    /// A namespace and all those below it, by their paths.
    fn namespaces(&self, above: &str) -> Result<Vec<String>, Error> {
        let mut found = vec![above.to_owned()];
        let mut at = 0;
        while let Some(namespace) = found.get(at).cloned() {
            at += 1;
            let client = self.within(&namespace)?;
            let ask = "sys/namespaces?list=true";
            let answer = match client.ask(ask)? {
                Ok(answer) => answer,
                Err(404) => continue,
                Err(status) => return Err(client.refused(ask, status)),
            };
            for name in listed(&answer) {
                let child = format!("{namespace}/{}", name.trim_matches('/'));
                found.push(child.trim_matches('/').to_owned());
            }
            if found.len() > MOST {
                return Err(client.endless(ask));
            }
        }
        Ok(found)
    }

    fn everything(
        &self,
        server: &Server<'_>,
        namespace: &str,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        let is_named = server
            .mount
            .is_some_and(|it| !it.trim_matches('/').is_empty());
        for mount in self.mounts(server.mount, intake)? {
            let result = match mount.engine {
                Engine::One | Engine::Two => self.secrets(&mount, namespace, intake),
                Engine::Database => self.roles(&mount, namespace, intake),
                Engine::Pki => self.certificates(&mount, namespace, intake),
                Engine::AppRole => self.secret_ids(&mount, namespace, intake),
            };
            match result {
                // A token for KV need not know of anything else.
                Err(Error::Refused { status, .. })
                    if !is_named && !matches!(mount.engine, Engine::One | Engine::Two) =>
                {
                    let what = format!("{}: the token may not list it ({status})", mount.path);
                    intake.skip(&what);
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn secrets(
        &self,
        mount: &Mount,
        namespace: &str,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        let paths: Vec<String> = self.walk(mount)?.into_iter().collect();
        let wants_values = intake.wants_values();
        let read = |path: &String| self.object(mount, path, wants_values);
        in_order(&paths, read, |path, answer| {
            answer.skipped.iter().for_each(|it| intake.skip(it));
            let object = Object {
                line: None,
                metadata: answer.metadata.as_ref().and_then(|it| it.member("data")),
                data: answer.data.iter().collect(),
            };
            object.emit(&format!("{}/{path}", mount.path), namespace, intake);
        })
    }

    /// The mount that was named, or all that the token can see.
    fn mounts(&self, wanted: Option<&str>, intake: &Intake<'_>) -> Result<Vec<Mount>, Error> {
        match wanted
            .map(|it| it.trim_matches('/'))
            .filter(|it| !it.is_empty())
        {
            Some(wanted) => Ok(vec![self.mount(wanted, intake)?]),
            None => self.all_mounts(),
        }
    }

    fn mount(&self, wanted: &str, intake: &Intake<'_>) -> Result<Mount, Error> {
        let ask = format!("sys/internal/ui/mounts/{}", encoded(wanted));
        let known = match self.ask(&ask)? {
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
                format!("`{path}` is no KV mount, nor one of databases, certificates or AppRole"),
                "name a mount of type kv, database, pki or approle",
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

    fn all_mounts(&self) -> Result<Vec<Mount>, Error> {
        let (ui, plain) = ("sys/internal/ui/mounts", "sys/mounts");
        let answer = match self.ask(ui)? {
            Ok(tree) => Ok(tree),
            Err(_) => self.ask(plain)?,
        };
        let tree = answer.map_err(|status| self.refused(plain, status))?;
        let secret = tree.at(&["data", "secret"]).or_else(|| tree.member("data"));
        let logins = tree.at(&["data", "auth"]).map_or(&[][..], Tree::members);
        let secret = secret.map_or(&[][..], Tree::members).iter();
        let mounts = secret.map(|(path, it)| (path.trim_matches('/').to_owned(), it));
        let logins = logins
            .iter()
            .map(|(path, it)| (format!("auth/{}", path.trim_matches('/')), it));
        let mut mounts: Vec<Mount> = mounts
            .chain(logins)
            .filter_map(|(path, it)| {
                Some(Mount {
                    path,
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

    /// The names a folder lists; none where there is no such folder.
    fn list(&self, path: &str) -> Result<Vec<String>, Error> {
        let ask = format!("{path}?list=true");
        match self.ask(&ask)? {
            Ok(answer) => Ok(listed(&answer)),
            Err(404) => Ok(Vec::new()),
            Err(status) => Err(self.refused(&ask, status)),
        }
    }

    fn endless(&self, ask: &str) -> Error {
        Error::Unreachable {
            url: self.url(ask),
            what: "the server lists more, or deeper, than can be true".to_owned(),
        }
    }

    /// All paths of secrets, sorted. A folder that may not be listed ends the import: a list with holes
    /// would declare what is missing gone.
    fn walk(&self, mount: &Mount) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut folders = vec![mount.below.clone()];
        while !folders.is_empty() {
            let mut deeper = Vec::new();
            let read = |folder: &String| self.list(&mount.api("metadata", folder));
            in_order(&folders, read, |folder, names| {
                for name in names.into_iter().filter(|it| it != "/") {
                    let path = format!("{folder}{name}");
                    if !name.ends_with('/') {
                        found.insert(path);
                    } else if seen.insert(path.clone()) {
                        deeper.push(path);
                    }
                }
            })?;
            let depth = folders.iter().map(|it| it.matches('/').count()).max();
            if depth > Some(DEEPEST) || found.len() + seen.len() > MOST {
                return Err(self.endless(&mount.api("metadata", "")));
            }
            folders = deeper;
        }
        Ok(found)
    }

    fn object(&self, mount: &Mount, path: &str, wants_values: bool) -> Result<Answer, Error> {
        let name = format!("{}/{path}", mount.path);
        let mut answer = Answer::default();
        match mount.engine {
            // Names of fields come with their values only.
            Engine::One if !wants_values => {}
            Engine::One => {
                let value = self.read(&mount.api("", path), &name, &mut answer)?;
                answer.data.extend(value);
            }
            _ => {
                answer.metadata = self.read(&mount.api("metadata", path), &name, &mut answer)?;
                if wants_values {
                    self.versions(mount, path, &mut answer)?;
                } else {
                    answer.data = self.fields(mount, path)?;
                }
            }
        }
        Ok(answer)
    }

    /// One answer; what the token may not read is noted and left out, the name stays.
    fn read(&self, ask: &str, name: &str, answer: &mut Answer) -> Result<Option<Tree>, Error> {
        match self.ask(ask)? {
            Ok(tree) => Ok(Some(tree)),
            // A deleted version, or a secret deleted since it was listed.
            Err(404) => Ok(None),
            Err(status @ (401 | 403)) => {
                let what = format!("{name}: the token may not read it ({status})");
                answer.skipped.push(what);
                Ok(None)
            }
            Err(status) => Err(self.refused(ask, status)),
        }
    }

    /// Every version that is not destroyed.
    fn versions(&self, mount: &Mount, path: &str, answer: &mut Answer) -> Result<(), Error> {
        let name = format!("{}/{path}", mount.path);
        let listed = answer
            .metadata
            .as_ref()
            .and_then(|it| it.at(&["data", "versions"]));
        let mut numbers: Vec<u32> = listed
            .map_or(&[][..], Tree::members)
            .iter()
            .filter(|(_, it)| it.text_at(&["destroyed"]) != Some("true"))
            .filter_map(|(number, _)| number.parse().ok())
            .collect();
        numbers.sort_unstable();
        if answer.metadata.is_none() {
            let value = self.read(&mount.api("data", path), &name, answer)?;
            answer.data.extend(value);
        }
        for number in numbers {
            let ask = format!("{}?version={number}", mount.api("data", path));
            let value = self.read(&ask, &format!("{name} version {number}"), answer)?;
            answer.data.extend(value);
        }
        Ok(())
    }

    /// Names of fields without their values, where server and policy allow.
    fn fields(&self, mount: &Mount, path: &str) -> Result<Vec<Tree>, Error> {
        let Ok(answer) = self.ask(&mount.api("subkeys", path))? else {
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

    /// Roles of databases. The password of a static one is only read; asking a dynamic one for it would make a user.
    fn roles(&self, mount: &Mount, namespace: &str, intake: &mut Intake<'_>) -> Result<(), Error> {
        let wants_values = intake.wants_values();
        let statics = self.list(&mount.inner("static-roles", ""))?;
        let read = |name: &String| {
            let mut answer = Answer::default();
            let path = mount.inner("static-roles", name);
            answer.metadata = self.read(&path, &path, &mut answer)?;
            if wants_values {
                let path = mount.inner("static-creds", name);
                let creds = self.read(&path, &path, &mut answer)?;
                answer.data.extend(creds);
            }
            Ok(answer)
        };
        in_order(&statics, read, |name, answer| {
            answer.skipped.iter().for_each(|it| intake.skip(it));
            let path = format!("{}/static-roles/{name}", mount.path);
            let creds = answer.data.first().and_then(|it| it.member("data"));
            let data = answer.metadata.as_ref().and_then(|it| it.member("data"));
            let record = engines::static_role(&path, data.unwrap_or(&Tree::Null), creds, intake);
            intake.emit(placed(record, namespace));
        })?;
        let dynamic = self.list(&mount.inner("roles", ""))?;
        let read = |name: &String| self.one(&mount.inner("roles", name));
        in_order(&dynamic, read, |name, answer| {
            answer.skipped.iter().for_each(|it| intake.skip(it));
            let data = answer.metadata.as_ref().and_then(|it| it.member("data"));
            let path = format!("{}/roles/{name}", mount.path);
            let record = engines::dynamic_role(&path, data.unwrap_or(&Tree::Null));
            intake.emit(placed(record, namespace));
        })
    }

    fn one(&self, path: &str) -> Result<Answer, Error> {
        let mut answer = Answer::default();
        answer.metadata = self.read(path, path, &mut answer)?;
        Ok(answer)
    }

    fn certificates(
        &self,
        mount: &Mount,
        namespace: &str,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        let serials = self.list(&mount.inner("certs", ""))?;
        let mut certificates = Certificates::default();
        let read = |serial: &String| self.one(&mount.inner("cert", serial));
        in_order(&serials, read, |serial, answer| {
            answer.skipped.iter().for_each(|it| intake.skip(it));
            let path = format!("{}/cert/{serial}", mount.path);
            let data = answer.metadata.as_ref().and_then(|it| it.member("data"));
            if !data.is_some_and(|it| certificates.add(&path, it, intake)) {
                intake.skip(&format!("{path}: this certificate cannot be read"));
            }
        })?;
        for record in certificates.into_records() {
            intake.emit(placed(record, namespace));
        }
        Ok(())
    }

    fn secret_ids(
        &self,
        mount: &Mount,
        namespace: &str,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        let roles = self.list(&mount.inner("role", ""))?;
        let mut accessors = Vec::new();
        let read = |role: &String| self.list(&format!("{}/secret-id", mount.inner("role", role)));
        in_order(&roles, read, |role, listed| {
            accessors.extend(listed.into_iter().map(|it| (role.clone(), it)));
        })?;
        let read = |(role, accessor): &(String, String)| {
            let path = format!("{}/secret-id-accessor/lookup", mount.inner("role", role));
            match self.look_up(&path, "secret_id_accessor", accessor)? {
                Ok(tree) => Ok(Some(tree)),
                // Used up since it was listed.
                Err(404) => Ok(None),
                Err(status) => Err(self.refused(&path, status)),
            }
        };
        in_order(&accessors, read, |(role, _), answer| {
            let path = format!("{}/role/{role}/secret-id-accessor/lookup", mount.path);
            if let Some(data) = answer.as_ref().and_then(|it| it.member("data")) {
                let record = engines::secret_id(&path, data);
                intake.emit(placed(record, namespace));
            }
        })
    }
}

/// A record of a namespace.
fn placed(mut record: Record, namespace: &str) -> Record {
    if !namespace.is_empty() {
        namespace.clone_into(&mut record.secret.scope);
        record.name = format!("{namespace}/{}", record.name);
    }
    record
}

fn listed(answer: &Tree) -> Vec<String> {
    let names = answer.at(&["data", "keys"]).map_or(&[][..], Tree::items);
    names
        .iter()
        .filter_map(Tree::text)
        .map(str::to_owned)
        .collect()
}

impl Mount {
    /// The API's path of a secret or folder; KV v1 knows no parts.
    fn api(&self, part: &str, path: &str) -> String {
        match self.engine {
            Engine::One => format!("{}/{}", encoded(&self.path), encoded(path)),
            _ => self.inner(part, path),
        }
    }

    /// The API's path of something in a mount.
    fn inner(&self, part: &str, name: &str) -> String {
        let path = format!("{}/{part}/{}", encoded(&self.path), encoded(name));
        match name {
            "" => path.trim_end_matches('/').to_owned(),
            _ => path,
        }
    }
}

fn engine(mount: &Tree) -> Option<Engine> {
    match mount.text_at(&["type"])? {
        "kv" | "generic" => {}
        "database" => return Some(Engine::Database),
        "pki" => return Some(Engine::Pki),
        "approle" => return Some(Engine::AppRole),
        _ => return None,
    }
    match mount.text_at(&["options", "version"]) {
        Some("2") => Some(Engine::Two),
        _ => Some(Engine::One),
    }
}
