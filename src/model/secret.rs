//! A secret's value in memory: it cannot be printed by accident and is overwritten when dropped.

use std::fmt;
use zeroize::Zeroizing;

/// The mask that stands for the unknown rest of a value: constant width, so that it tells no length.
pub const MASK: &str = "****";

/// A value. No `Display`; its `Debug` is redacted; comparing values across streams is the work of a
/// [`Fingerprint`](super::fingerprint::Fingerprint).
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a copy of the bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The raw bytes. Each caller is a place to review.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// What a reader may see: a public prefix of the rule (never more than the value's first third),
    /// then the mask.
    pub fn masked(&self, public_prefix: &str) -> String {
        let keeps = !public_prefix.is_empty()
            && self.0.starts_with(public_prefix.as_bytes())
            && public_prefix.len() * 3 <= self.0.len();
        if keeps {
            format!("{public_prefix}{MASK}")
        } else {
            MASK.to_owned()
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_mask_hide_the_value() {
        let secret = Secret::new(b"ghp_0123456789abcdef");
        assert_eq!(format!("{secret:?}"), "Secret(****)");
        assert_eq!(secret.masked("ghp_"), "ghp_****");
        assert_eq!(secret.masked("other"), "****");
        assert_eq!(Secret::new(b"ghp_1").masked("ghp_"), "****");
    }
}
