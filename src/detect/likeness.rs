//! How much a run of letters is like a word: a table of how often one letter follows another.
//!
//! Counted over the distinct words of C, Go, Rust, JavaScript, Python and shell sources and their
//! documentation, each weighed by the logarithm of its count. A cell is eight times the binary logarithm
//! of how much commoner the pair is than if all were equally common.

use super::name::words;

const PAIRS: [[i8; 26]; 26] = [
    [
        -20, 10, 17, 14, -20, -9, 6, -25, 6, -27, -5, 21, 11, 19, -35, 10, -32, 21, 15, 26, 2, -4,
        -13, -11, -3, -10,
    ],
    [
        3, -19, -12, -18, 2, -23, -31, -40, 5, -14, -36, 11, -21, -29, -1, -23, -39, -5, -3, -17,
        4, -40, -40, -40, -15, -40,
    ],
    [
        16, -18, -2, -15, 15, -16, -27, 14, 7, -20, 11, 9, -9, -22, 23, -11, -33, 4, -3, 16, 5,
        -21, -29, -31, -13, -27,
    ],
    [
        9, -8, -15, -2, 23, -12, -22, -31, 16, -26, -29, -4, -20, -11, 6, -13, -31, -2, 3, -17, -1,
        -16, -20, -30, -15, -40,
    ],
    [
        14, -4, 19, 25, 5, 8, 2, -17, -7, -16, -7, 15, 12, 26, -4, 7, -4, 29, 26, 19, -12, 4, -6,
        12, -4, -23,
    ],
    [
        1, -23, -15, -8, 4, 7, -26, -40, 14, -40, -32, 2, -22, -19, 7, -19, -36, -3, -6, -8, -3,
        -40, -40, -40, -16, -40,
    ],
    [
        -6, -37, -19, -31, 13, -26, -14, -8, 1, -40, -40, -12, -15, -3, -4, -19, -40, 2, -2, -17,
        -6, -31, -40, -40, -33, -40,
    ],
    [
        9, -35, -18, -20, 12, -36, -40, -40, 3, -40, -39, -20, -17, -24, 5, -28, -40, -6, -17, -6,
        -12, -40, -30, -40, -18, -40,
    ],
    [
        7, 2, 15, 12, 10, 6, 8, -35, -27, -38, -13, 12, 12, 30, 19, 3, -25, 6, 16, 19, -27, 4, -36,
        -11, -35, 6,
    ],
    [
        -16, -40, -40, -40, -8, -40, -40, -40, -21, -40, -40, -40, -40, -40, -17, -40, -40, -40,
        -14, -40, -26, -40, -40, -40, -40, -40,
    ],
    [
        -11, -29, -22, -23, 8, -25, -31, -32, -3, -40, -40, -11, -30, -22, -13, -30, -40, -28, -1,
        -11, -22, -37, -27, -40, -36, -40,
    ],
    [
        17, -19, -11, 1, 24, -12, -19, -26, 20, -40, -17, 14, -14, -14, 16, -9, -40, -22, 3, 5, 3,
        -13, -33, -33, 8, -38,
    ],
    [
        16, -5, -18, -15, 20, -21, -25, -40, 11, -40, -29, -13, -5, -19, 7, 11, -37, -23, 1, -14,
        -1, -30, -36, -40, -16, -40,
    ],
    [
        15, -18, 13, 16, 17, 5, 21, -19, 11, -32, -7, -6, -14, -2, 10, -9, -34, -14, 17, 23, 0, -5,
        -23, -37, -10, -31,
    ],
    [
        -6, -2, 11, 9, -17, -4, -2, -27, -3, -22, -8, 12, 12, 26, 2, 11, -40, 22, 10, 8, 11, 3, 6,
        -15, -25, -20,
    ],
    [
        14, -20, -10, -11, 17, -17, -20, -6, 5, -40, -18, 9, -17, -19, 13, 3, -40, 17, 0, 7, -1,
        -19, -26, -30, -14, -40,
    ],
    [
        -39, -40, -40, -38, -38, -40, -40, -40, -40, -40, -40, -15, -40, -40, -38, -40, -40, -40,
        -31, -40, 4, -40, -40, -40, -40, -40,
    ],
    [
        21, -15, 4, 1, 29, -10, -2, -31, 19, -38, -7, 3, 5, -1, 18, -6, -32, 5, 13, 12, 3, -9, -23,
        -40, 2, -24,
    ],
    [
        5, -20, 7, -9, 22, -12, -13, 8, 17, -37, -10, -1, -11, -10, 8, 10, -13, -11, 13, 25, 10,
        -18, -14, -31, -3, -17,
    ],
    [
        19, -21, 1, -9, 27, -3, -25, 9, 26, -40, -25, -1, -9, -11, 16, -3, -40, 19, 12, 6, 4, -22,
        -19, -17, 8, -28,
    ],
    [
        -2, 1, -2, -9, 2, -4, -8, -40, 0, -25, -31, 8, 5, 15, -17, 4, -40, 12, 10, 11, -40, -39,
        -40, -28, -40, -25,
    ],
    [
        7, -31, -22, -28, 16, -30, -40, -40, 3, -40, -40, -24, -26, -28, -9, -26, -40, -26, -21,
        -26, -30, -40, -40, -40, -35, -40,
    ],
    [
        2, -30, -28, -22, -4, -31, -40, -12, -2, -40, -28, -21, -31, -7, -6, -29, -40, -7, -9, -30,
        -40, -40, -40, -40, -24, -40,
    ],
    [
        -17, -37, -13, -27, -8, -20, -40, -32, -11, -40, -40, -27, -28, -40, -33, -3, -40, -37,
        -27, -1, -40, -40, -40, -28, -24, -40,
    ],
    [
        -16, -26, -15, -31, -15, -26, -31, -40, -14, -38, -37, -17, -13, -8, -18, 3, -40, -27, -4,
        -16, -32, -34, -22, -40, -40, -38,
    ],
    [
        -8, -40, -35, -40, 5, -40, -40, -40, -8, -40, -40, -29, -30, -23, -20, -36, -40, -35, -27,
        -40, -31, -40, -26, -40, -21, -26,
    ],
];

/// The mean over all pairs of neighbouring letters, in bits: words stand near 1.7, of random letters nine
/// in ten stand below -0.1. `None` where there are too few pairs to tell.
pub(crate) fn likeness(value: &str) -> Option<f32> {
    let letter = |byte: u8| {
        byte.is_ascii_alphabetic()
            .then(|| usize::from(byte.to_ascii_lowercase() - b'a'))
    };
    let pairs = value
        .as_bytes()
        .windows(2)
        .filter_map(|it| Some((letter(it[0])?, letter(it[1])?)));
    let (count, sum) = pairs.fold((0u32, 0i32), |(count, sum), (a, b)| {
        (count + 1, sum + i32::from(PAIRS[a][b]))
    });
    (count >= 4).then(|| sum as f32 / count as f32 / 8.0)
}

/// Whether the letters could be spoken: pieces of some length, and pairs of letters as words have them.
pub(crate) fn reads_like_words(value: &str) -> bool {
    let letters = value.chars().filter(|it| it.is_alphabetic()).count();
    let pieces = words(value).len().max(1);
    letters >= pieces * 3 && likeness(value).is_none_or(|it| it > -0.1)
}

/// Whether there are enough letters to tell that they are none of a word.
pub(crate) fn reads_like_noise(value: &str) -> bool {
    likeness(value).is_some_and(|it| it < -0.3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_random_letters() {
        for word in [
            "password",
            "configuration",
            "correcthorse",
            "httpserver",
            "stdout",
        ] {
            assert!(likeness(word).is_some_and(|it| it > 0.3), "{word}");
        }
        for letters in ["htumqyxppb", "kaecduwekwfj", "QXZVKWJPGB", "syunkoynog"] {
            assert!(likeness(letters).is_some_and(|it| it < -0.3), "{letters}");
        }
        assert_eq!(likeness("1234"), None);
        assert_eq!(likeness("a1b2c3d4"), None);
    }
}
