//! 7z archives: their own index, then each block as a stream.
//!
//! Format: `7zFormat.txt` of the LZMA SDK. Passwords are not guessed, so AES is left out.

use super::member::{Fault, Members, Outcome, name};
use crate::model::coverage::Reason;
use sevenz_rust2::{ArchiveReader, Error, Password};
use std::io::Cursor;

/// Decoders and the index may take this much memory.
const MEMORY_KB: usize = 128 << 10;

/// The magic.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"7z\xbc\xaf\x27\x1c")
}

/// Reads every file.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    let source = Cursor::new(bytes);
    let mut archive = ArchiveReader::new_with_memory_limit(source, Password::empty(), MEMORY_KB)
        .map_err(|it| fault(&it))?;
    let mut names: Vec<(String, bool)> = archive
        .archive()
        .files
        .iter()
        .map(|it| (it.name.clone(), it.is_directory || !it.has_stream))
        .collect();
    let mut wanted = true;
    let read = archive.for_each_entries(|entry, reader| {
        if let Some(known) = names.iter_mut().find(|it| !it.1 && it.0 == entry.name) {
            known.1 = true;
        }
        if wanted && !entry.is_directory {
            wanted = members.member(&name(entry.name.as_bytes()), reader);
        }
        Ok(wanted)
    });
    match read {
        Ok(()) => Ok(()),
        Err(_) if !wanted => Ok(()),
        Err(error) => {
            let fault = fault(&error);
            for (missed, _) in names.iter().filter(|it| !it.1) {
                let missed = name(missed.as_bytes());
                members.gap(Some(&missed), fault.reason, fault.detail.clone());
            }
            Err(fault)
        }
    }
}

fn fault(error: &Error) -> Fault {
    let reason = match error {
        Error::UnsupportedCompressionMethod(it) if it.contains("AES") => Reason::Encrypted,
        Error::PasswordRequired | Error::MaybeBadPassword(..) => Reason::Encrypted,
        Error::MaxMemLimited { .. } => Reason::LimitHit,
        Error::UnsupportedCompressionMethod(_)
        | Error::UnsupportedVersion { .. }
        | Error::ExternalUnsupported => Reason::Unsupported,
        _ => Reason::Damaged,
    };
    let detail = match reason {
        Reason::Encrypted => "a password is needed".to_owned(),
        _ => error.to_string(),
    };
    Fault { reason, detail }
}
