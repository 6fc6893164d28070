//! Turns the TOML files of `rules/` into one text that is read without a parser, so that a start does not
//! pay for every rule that exists. A file added to `rules/` is embedded by the next build.
//!
//! Files are separated by `0x1C`, rules by `0x1D`, fields by `0x1E`, a field's name and its items by `0x1F`;
//! the first item of a file is its name. Whether a rule makes sense is checked where it is loaded.
//!
//! And draws a number from all sources, by which what one build remembers is never taken for what another
//! would find.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=rules");
    println!("cargo:rerun-if-changed=build.rs");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let folder = Path::new(&root).join("rules");
    let mut names: Vec<String> = fs::read_dir(&folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        // Facts about providers are no rules; `assess` reads them.
        .filter(|name| name.ends_with(".toml") && name != "providers.toml")
        .collect();
    names.sort();
    let mut files = Vec::new();
    for name in names {
        let path = folder.join(&name);
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path)?;
        let rules = rules(&text).map_err(|fault| io::Error::other(format!("{name}: {fault}")))?;
        files.push(format!("{name}\x1d{}", rules.join("\x1d")));
    }
    fs::write(Path::new(&out).join("rules.txt"), files.join("\x1c"))?;
    fs::write(Path::new(&out).join("build.txt"), build(Path::new(&root))?)
}

/// What tells this build from others: all sources, and the versions of what they stand on. Whoever changes
/// what is found need not think of it.
fn build(root: &Path) -> io::Result<String> {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=Cargo.lock");
    let mut paths = vec![root.join("Cargo.lock"), root.join("Cargo.toml")];
    sources(&root.join("src"), &mut paths)?;
    paths.sort();
    let mut hashes = [DefaultHasher::new(), DefaultHasher::new()];
    for path in paths.iter().filter(|it| it.exists()) {
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
        let bytes = fs::read(path)?;
        for (hash, number) in hashes.iter_mut().zip(0_u8..) {
            hash.write_u8(number);
            hash.write_usize(name.len());
            hash.write(name.as_bytes());
            hash.write_usize(bytes.len());
            hash.write(&bytes);
        }
    }
    let [first, second] = hashes.map(|it| it.finish());
    Ok(format!("{first:016x}{second:016x}"))
}

fn sources(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn rules(text: &str) -> Result<Vec<String>, String> {
    if text.contains(['\x1c', '\x1d', '\x1e', '\x1f']) {
        return Err("holds a control character".to_owned());
    }
    let mut file: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let rules = match file.remove("rule") {
        Some(toml::Value::Array(rules)) => rules,
        _ => return Err("has no [[rule]]".to_owned()),
    };
    if let Some(key) = file.keys().next() {
        return Err(format!("`{key}` is not known; only [[rule]] is"));
    }
    rules
        .iter()
        .map(|rule| match rule {
            toml::Value::Table(rule) => fields(rule),
            _ => Err("a rule is no table".to_owned()),
        })
        .collect()
}

fn fields(rule: &toml::Table) -> Result<String, String> {
    let mut out = String::new();
    for (key, value) in rule {
        if key == "parts" {
            parts(&mut out, value)?;
            continue;
        }
        if !out.is_empty() {
            out.push('\x1e');
        }
        out.push_str(key);
        let items = match value {
            toml::Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            out.push('\x1f');
            match item {
                toml::Value::String(text) => out.push_str(text),
                toml::Value::Float(number) => {
                    write!(out, "{number}").map_err(|fault| fault.to_string())?;
                }
                toml::Value::Integer(number) => {
                    write!(out, "{number}").map_err(|fault| fault.to_string())?;
                }
                toml::Value::Boolean(yes) => out.push_str(if *yes { "true" } else { "false" }),
                _ => return Err(format!("`{key}` is neither text nor a number")),
            }
        }
    }
    Ok(out)
}

/// Each part begins with a field `part`; those of its own have that before their names.
fn parts(out: &mut String, parts: &toml::Value) -> Result<(), String> {
    let toml::Value::Array(parts) = parts else {
        return Err("`parts` is no list".to_owned());
    };
    for part in parts {
        let toml::Value::Table(part) = part else {
            return Err("a part is no table".to_owned());
        };
        if !out.is_empty() {
            out.push('\x1e');
        }
        out.push_str("part\x1f");
        for (key, value) in part {
            let one = toml::Table::from_iter([(key.clone(), value.clone())]);
            out.push_str("\x1epart.");
            out.push_str(&fields(&one)?);
        }
    }
    Ok(())
}
