//! Occurrence ids: a value through a memory-hard function, with its structural context. Ordinals among
//! equals are given once all findings are known.

use crate::model::fingerprint::canonical;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Mutex;

/// Used where no waiver file gives a salt, so that forks and CI agree.
const PUBLIC_CONTEXT: &[u8] = b"keyatlas occurrence v1";
/// A value of this many bytes cannot be guessed, however fast a guess is checked: keys, certificates.
const LONG: usize = 64;
/// scrypt (RFC 7914) with N = 2^10, r = 8: one mebibyte and about two milliseconds a distinct value.
const LOG_N: u8 = 10;

/// Makes occurrence ids; each distinct value pays for the function once.
#[derive(Debug)]
pub(super) struct Identity {
    salt: Vec<u8>,
    params: Option<scrypt::Params>,
    known: Mutex<HashMap<[u8; 32], [u8; 16]>>,
}

impl Identity {
    pub(super) fn new(salt: Option<&[u8]>) -> Self {
        Self {
            salt: salt.unwrap_or(PUBLIC_CONTEXT).to_vec(),
            params: scrypt::Params::new(LOG_N, 8, 1).ok(),
            known: Mutex::default(),
        }
    }

    /// The base id of a value in its context (its assigned name without case and punctuation).
    pub(super) fn base(&self, value: &[u8], key: Option<&str>) -> String {
        let secret = self.secret(value);
        let context: String = key
            .unwrap_or("")
            .chars()
            .filter(|it| it.is_alphanumeric())
            .collect::<String>()
            .to_lowercase();
        let digest = Sha256::new()
            .chain_update(secret)
            .chain_update(context.as_bytes())
            .finalize();
        format!("ko1:{}", HEXLOWER.encode(&digest[..12]))
    }

    fn secret(&self, value: &[u8]) -> [u8; 16] {
        let value: &[u8] = &canonical(value);
        let short: [u8; 32] = Sha256::digest(value).into();
        let known = |this: &Self| {
            this.known
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .get(&short)
                .copied()
        };
        if let Some(known) = known(self) {
            return known;
        }
        let mut out = [0; 16];
        if value.len() >= LONG {
            let digest = Sha256::new().chain_update(&self.salt).chain_update(short);
            out.copy_from_slice(&digest.finalize()[..16]);
        } else if let Some(params) = &self.params {
            // The only error is an output length of zero.
            let _length_is_fixed = scrypt::scrypt(value, &self.salt, params, &mut out);
        }
        self.known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(short, out);
        out
    }
}
