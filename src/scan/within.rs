//! The paths of a repository that are meant, where a change is scanned.
//!
//! Not here: how they are typed, and where the repository lies; that is the work of the front.

/// Paths relative to the root of the repository; everything if none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within(Vec<String>);

impl Within {
    /// These paths and what lies below them.
    pub fn paths(paths: Vec<String>) -> Self {
        Self(paths)
    }

    /// Everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a path of the repository is meant.
    pub fn holds(&self, path: &str) -> bool {
        let below = |it: &String| {
            path.strip_prefix(it.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.is_empty() || self.0.iter().any(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_hold_what_lies_below_them() {
        for (paths, path, expected) in [
            (&[][..], "a/b", true),
            (&["a"], "a/b", true),
            (&["a"], "a", true),
            (&["a"], "ab", false),
            (&["a/b.txt", "c"], "c/d", true),
            (&["a/b.txt"], "a/c.txt", false),
        ] {
            let within = Within::paths(paths.iter().map(|it| (*it).to_owned()).collect());
            assert_eq!(within.holds(path), expected, "{paths:?} {path}");
        }
    }
}
