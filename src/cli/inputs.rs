//! What an import reads from disk: one file, standard input, or the files of a folder.
//!
//! Not here: what the bytes mean. Links are not followed, and what belongs to git or was installed is not
//! entered.

use super::clock;
use super::environment;
use super::message::Fault;
use crate::import::{self, Importer, Options, Totals};
use crate::model::fingerprint::Fingerprinter;
use crate::model::input::Input;
use crate::model::record::Record;
use crate::model::secret::Secret;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Folders that hold what others made.
const NOT_ENTERED: &[&str] = &[".git", ".hg", ".svn", "node_modules"];
/// Larger files of a folder are no secrets.
const LARGEST: u64 = 64 << 20;
/// Deepest folder entered.
const DEEPEST: usize = 64;

/// Reads an export, or all of a folder, as one source. Its name comes beside the totals.
pub(super) fn read(
    path: &Path,
    kind: Importer,
    seal: Option<&Fingerprinter>,
    options: &Options,
    take: &mut dyn FnMut(Record),
) -> Result<(String, Totals), Fault> {
    if path.is_dir() {
        return folder(path, kind, seal, options, take);
    }
    let input = input(path)?;
    let options = Options {
        exported: Some(written(path)),
        ..options.clone()
    };
    let totals = import::read(kind, &input, seal, &options, take)?;
    Ok((input.name, totals))
}

/// When a file was written; what comes in on standard input is being written now.
fn written(path: &Path) -> i64 {
    let time = fs::metadata(path).and_then(|it| it.modified()).ok();
    let since = time.and_then(|it| it.duration_since(std::time::UNIX_EPOCH).ok());
    let seconds = since.and_then(|it| i64::try_from(it.as_secs()).ok());
    seconds.unwrap_or_else(clock::now)
}

fn folder(
    path: &Path,
    kind: Importer,
    seal: Option<&Fingerprinter>,
    options: &Options,
    take: &mut dyn FnMut(Record),
) -> Result<(String, Totals), Fault> {
    if !kind.reads_folders() {
        let what = format!("{}: {} is read from a file", path.display(), kind.name());
        return Err(Fault::new(what).hint("name the file in that folder"));
    }
    let mut files = Vec::new();
    walk(path, "", 0, &mut files)?;
    files.sort();
    let mut totals = Totals::default();
    let mut n_read = 0;
    for (below, file) in files.iter().filter(|(below, _)| kind.applies(below)) {
        let size = fs::metadata(file).map_or(0, |it| it.len());
        if size > LARGEST {
            let what = format!("{}: larger than 64 MiB; name it to read it", name(file));
            totals.skipped.push(what);
            continue;
        }
        let input = input(file)?;
        if let Some(more) = import::read_within(kind, &input, below, seal, options, take)? {
            totals.add(more);
            n_read += 1;
        }
    }
    if n_read == 0 {
        let what = format!(
            "{}: no file for {} lies in there",
            path.display(),
            kind.name()
        );
        return Err(Fault::new(what).hint("nothing was imported; name another folder, or the file"));
    }
    let source = name(path).trim_end_matches('/').to_owned();
    totals.notes.insert(
        0,
        format!("{source}: {n_read} files of {} read", files.len()),
    );
    Ok((source, totals))
}

/// Every file below, with its path from here.
fn walk(
    path: &Path,
    below: &str,
    depth: usize,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Fault> {
    let fault = |it: &io::Error| Fault::at(path, it).hint("nothing was imported");
    if depth > DEEPEST {
        return Err(Fault::new(format!("{}: nested too deep", path.display())));
    }
    for entry in fs::read_dir(path).map_err(|it| fault(&it))? {
        let entry = entry.map_err(|it| fault(&it))?;
        let kind = entry.file_type().map_err(|it| fault(&it))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_entered = kind.is_dir() && !NOT_ENTERED.contains(&name.as_str());
        let below = format!("{below}{name}");
        if is_entered {
            walk(&entry.path(), &format!("{below}/"), depth + 1, files)?;
        } else if kind.is_file() {
            files.push((below, entry.path()));
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// The export's bytes; overwritten when dropped.
pub(super) fn input(file: &Path) -> Result<Input, Fault> {
    let mut bytes = Zeroizing::new(Vec::new());
    let fault = |it: io::Error| Fault::at(file, &it).hint("nothing was imported");
    if file == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map_err(fault)?;
    } else {
        let mut export = File::open(file).map_err(fault)?;
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let size = export.metadata().map_or(0, |it| it.len());
        bytes.reserve_exact(usize::try_from(size).unwrap_or(0).saturating_add(1));
        export.read_to_end(&mut bytes).map_err(fault)?;
    }
    let name = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        name(file)
    };
    Ok(Input { name, bytes })
}

/// Passwords for what is sealed: the lines of a file, and the one of the environment.
pub(super) fn passwords(file: Option<&Path>) -> Result<Vec<Secret>, Fault> {
    let lines = file.map(input).transpose()?;
    let lines = lines
        .iter()
        .flat_map(|it| it.bytes.split(|it| *it == b'\n'));
    let lines = lines.map(|it| it.strip_suffix(b"\r").unwrap_or(it));
    let mut passwords: Vec<Secret> = lines.filter(|it| !it.is_empty()).map(Secret::new).collect();
    passwords.extend(environment::keystore_password().map(|it| Secret::new(it.as_bytes())));
    Ok(passwords)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(path: &Path, kind: &str) -> Result<(Vec<Record>, String, Totals), Fault> {
        let seal = Fingerprinter::new([3; 32]);
        let kind = Importer::named(kind).unwrap();
        let mut records = Vec::new();
        let mut take = |it| records.push(it);
        let (source, totals) = read(path, kind, Some(&seal), &Options::default(), &mut take)?;
        Ok((records, source, totals))
    }

    #[test]
    fn a_folder_is_one_source_and_names_tell_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(".env", "A=first value 11\n");
        write("shop/api/.env", "A=second value 22\n");
        write("shop/api/.env.example", "A=\nB=\n");
        write("shop/README.md", "A=not one\n");
        write("node_modules/x/.env", "C=not ours\n");
        write(".git/x.env", "C=not ours\n");
        let (records, source, totals) = import(folder.path(), "dotenv").unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "env/A",
                "shop/api/env/A",
                "shop/api/env.example/A",
                "shop/api/env.example/B"
            ]
        );
        assert_eq!(source, name(folder.path()));
        assert_eq!(records[1].source, format!("{source}/shop/api/.env"));
        assert_eq!((totals.records, totals.values), (4, 2));
        assert!(totals.notes[0].ends_with("3 files of 4 read"), "{totals:?}");
    }

    #[test]
    fn a_folder_without_any_and_one_with_a_broken_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |kind: &str| import(folder.path(), kind).unwrap_err();
        let _ = (refused("dotenv"), refused("csv"));
        fs::write(folder.path().join(".env"), "A=1\n").unwrap();
        fs::write(folder.path().join("b.env"), "A=\"hidden\n").unwrap();
        let fault = refused("dotenv");
        assert!(!format!("{fault:?}").contains("hidden"), "{fault:?}");
    }
}
