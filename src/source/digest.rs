//! A number for a text, the same for equal texts under the same keys: to tell whether a text came before.
//!
//! Not here: identities that others may rely on. The keys are drawn anew for each run or page, so that nobody
//! can write two texts that share a number.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Makes numbers: eight bytes a step, multiplied to twice their width and folded.
#[derive(Debug)]
pub(crate) struct Digest {
    keys: [u64; 3],
}

impl Digest {
    /// With keys of its own.
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        Self {
            keys: [1, 2, 3].map(|it: u64| random.hash_one(it) | 1),
        }
    }

    /// With the keys of an earlier run.
    pub(crate) fn with(keys: [u64; 3]) -> Self {
        Self { keys }
    }

    /// Whoever knows them can write texts that share a number.
    pub(crate) fn keys(&self) -> [u64; 3] {
        self.keys
    }

    /// The number of a text.
    pub(crate) fn of(&self, text: &[u8]) -> u64 {
        let [first, second, third] = self.keys;
        let mut state = folded(text.len() as u64 ^ first, third);
        let (pairs, rest) = text.as_chunks::<16>();
        for pair in pairs {
            state = folded(word(&pair[..8]) ^ first ^ state, word(&pair[8..]) ^ second);
        }
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        state = folded(word(&last[..8]) ^ first ^ state, word(&last[8..]) ^ second);
        folded(state ^ second, third)
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |it| u64::from_le_bytes(*it))
}

fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn equal_texts_share_a_number_and_others_do_not() {
        let digest = Digest::new();
        let mut seen = HashSet::new();
        for length in 0..70 {
            for fill in [b'\0', b'a', b'b'] {
                let text = vec![fill; length];
                assert_eq!(digest.of(&text), digest.of(&text.clone()));
                assert!(
                    seen.insert(digest.of(&text)) || length == 0,
                    "{length} {fill}"
                );
            }
        }
        assert_ne!(digest.of(b"ab"), Digest::new().of(b"ab"));
        assert_eq!(digest.of(b"ab"), Digest::with(digest.keys()).of(b"ab"));
    }
}
