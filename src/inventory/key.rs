//! The installation key: a file apart from the store, that wraps the data key inside it.
//!
//! Where the file lies is the caller's choice. Whoever has the store alone, or the key file alone, has
//! nothing to guess values with.

use crate::inventory::error::Error;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::BASE64;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

const HEADER: &str = "keyatlas installation key v1\n";
const NONCE: usize = 24;
const PURPOSE: &[u8] = b"keyatlas data key v1";

/// An installation key, in memory.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(****)")
    }
}

impl Key {
    /// Makes a new key and writes it to a file that only its owner may read. Never replaces a file.
    pub fn create(path: &Path) -> Result<Self, Error> {
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            private_folder(folder).map_err(|it| io_error(folder, it))?;
        }
        let key = Self(random()?);
        let mut file = private_file(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::KeyExists {
                path: path.to_owned(),
            },
            _ => io_error(path, error),
        })?;
        let text = key.text();
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Half a key is worse than none: the next attempt would find a file in its way.
            let _ = fs::remove_file(path);
            return Err(io_error(path, error));
        }
        Ok(key)
    }

    /// Reads a key file; refuses one that others may read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::KeyMissing {
                path: path.to_owned(),
            },
            _ => io_error(path, error),
        })?;
        refuse_open_to_others(path, &file)?;
        // One byte more than a key file has, so that a longer file shows.
        let mut text = Zeroizing::new(vec![0; HEADER.len() + 46]);
        let length = read_up_to(file, &mut text).map_err(|it| io_error(path, it))?;
        let shape = || Error::KeyShape {
            path: path.to_owned(),
        };
        let packed = text
            .get(..length)
            .and_then(|it| it.strip_prefix(HEADER.as_bytes()))
            .ok_or_else(shape)?;
        let mut bytes = Zeroizing::new([0; 33]);
        let packed = packed.trim_ascii_end();
        if packed.len() != 44 || BASE64.decode_mut(packed, &mut bytes[..]) != Ok(32) {
            return Err(shape());
        }
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&bytes[..32]);
        Ok(Self(key))
    }

    /// Opens the key file, or creates it where there is none.
    pub fn open_or_create(path: &Path) -> Result<Self, Error> {
        match Self::open(path) {
            Err(Error::KeyMissing { .. }) => Self::create(path),
            other => other,
        }
    }

    /// Seals a data key.
    pub fn wrap(&self, data_key: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|it| Error::Random(it.to_string()))?;
        let payload = Payload {
            msg: data_key,
            aad: PURPOSE,
        };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|it| Error::Random(it.to_string()))?;
        let mut wrapped = nonce.to_vec();
        wrapped.extend(sealed);
        Ok(wrapped)
    }

    /// Opens what [`wrap`](Self::wrap) sealed; `None` if another key sealed it.
    pub fn unwrap(&self, wrapped: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: PURPOSE,
        };
        let opened = Zeroizing::new(self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?);
        let mut data_key = Zeroizing::new([0; 32]);
        if opened.len() != data_key.len() {
            return None;
        }
        data_key.copy_from_slice(&opened);
        Some(data_key)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(HEADER.len() + 48));
        text.push_str(HEADER);
        BASE64.encode_append(&self.0[..], &mut text);
        text.push('\n');
        text
    }
}

/// 32 random bytes.
pub(super) fn random() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut bytes[..]).map_err(|it| Error::Random(it.to_string()))?;
    Ok(bytes)
}

/// Creates a folder, and those above it, for their owner alone. Folders that exist stay as they are.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates a file that only its owner may read; fails if there is one.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn refuse_open_to_others(path: &Path, file: &File) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|it| io_error(path, it))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::KeyOpenToOthers {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_to_others(_path: &Path, _file: &File) -> Result<(), Error> {
    Ok(())
}

fn read_up_to(mut file: File, into: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = into.get_mut(length..).filter(|it| !it.is_empty()) {
        match file.read(rest)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_what_it_wrapped_and_no_other_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/key");
        let key = Key::create(&path).unwrap();
        let wrapped = key.wrap(&[9; 32]).unwrap();
        assert_ne!(wrapped, key.wrap(&[9; 32]).unwrap(), "each nonce is new");
        let again = Key::open(&path).unwrap();
        assert_eq!(*again.unwrap(&wrapped).unwrap(), [9; 32]);
        let other = Key::create(&folder.path().join("other")).unwrap();
        assert!(other.unwrap(&wrapped).is_none());
        for length in 0..wrapped.len() {
            assert!(key.unwrap(&wrapped[..length]).is_none());
        }
        assert_eq!(format!("{key:?}"), "Key(****)");
        assert!(matches!(Key::create(&path), Err(Error::KeyExists { .. })));
        assert!(matches!(
            Key::open(&folder.path().join("none")),
            Err(Error::KeyMissing { .. })
        ));
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let good = Key::create(&folder.path().join("good")).unwrap().text();
        let cases = [
            String::new(),
            HEADER.to_owned(),
            good[..good.len() - 5].to_owned(),
            format!("{}x", good.as_str()),
            good.replace("v1", "v2"),
            format!("{HEADER}{}", "!".repeat(44)),
        ];
        for (index, text) in cases.iter().enumerate() {
            let path = folder.path().join(index.to_string());
            private_file(&path)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
            assert!(
                matches!(Key::open(&path), Err(Error::KeyShape { .. })),
                "{index}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Key::create(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Key::open(&path).unwrap_err();
            assert!(matches!(error, Error::KeyOpenToOthers { mode: it, .. } if it == mode));
            assert!(error.hint().unwrap().contains("chmod 600"));
        }
    }
}
