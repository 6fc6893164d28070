//! Templates of YAML made readable as YAML: what the engine fills in is overwritten, byte for byte.
//!
//! Lines that only steer (`{{- if ... }}`, `{% for ... %}`) become blank; what stands within a value becomes
//! dollar signs, which YAML takes for text. Offsets and lines stay as they were. Nothing is rendered: both
//! branches of a condition are there.

/// What opens and closes an action, and whether it can leave text behind.
const MARKS: [(&str, &str, bool); 3] =
    [("{{", "}}", true), ("{%", "%}", false), ("<%", "%>", true)];

/// An action that begins further into its line steers nothing.
const LINE_REACH: usize = 300;

/// Whether there is anything to overwrite.
pub fn is_template(text: &str) -> bool {
    MARKS
        .iter()
        .any(|it| memchr::memmem::find(text.as_bytes(), it.0.as_bytes()).is_some())
}

/// The text with its actions overwritten.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, (_, close, leaves))) = first(rest) {
        let action = &rest[start..];
        let end = action
            .find(close)
            .map_or(action.len(), |it| it + close.len());
        out.push_str(&rest[..start]);
        let (action, behind) = action.split_at(end);
        let line = behind.trim_start_matches([' ', '\t', '\r']);
        let alone = is_start_of_line(&out) && (line.is_empty() || line.starts_with('\n'));
        let fill = if alone || !leaves { ' ' } else { '$' };
        out.extend(
            action
                .bytes()
                .map(|it| if it == b'\n' { '\n' } else { fill }),
        );
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The first mark of a text.
fn first(text: &str) -> Option<(usize, (&'static str, &'static str, bool))> {
    let bytes = text.as_bytes();
    let opens = memchr::memchr2_iter(b'{', b'<', bytes);
    opens
        .filter_map(|at| {
            let mark = MARKS
                .iter()
                .find(|it| bytes[at..].starts_with(it.0.as_bytes()))?;
            Some((at, *mark))
        })
        .next()
}

fn is_start_of_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let from = bytes.len().saturating_sub(LINE_REACH);
    let near = &bytes[from..];
    let line = match memchr::memrchr(b'\n', near) {
        Some(at) => &near[at + 1..],
        None if from == 0 => near,
        None => return false,
    };
    line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_overwritten_in_place() {
        for (given, expected) in [
            ("a: {{ .x }}-b\n", "a: $$$$$$$$-b\n"),
            (
                "{{- if .x }}\na: 1\n  {{ end }} \n",
                "            \na: 1\n            \n",
            ),
            ("a: {% if b %}c{% endif %}\n", "a:           c           \n"),
            ("{{ $k }}: \"{{ é }}\"\n", "$$$$$$$$: \"$$$$$$$$\"\n"),
            ("{{/* a\nb */}}\nc: 1", "      \n      \nc: 1"),
            ("a: {{ open\n", "a: $$$$$$$\n"),
        ] {
            let out = masked(given);
            assert_eq!(out, expected, "{given}");
            assert_eq!(out.len(), given.len());
        }
        assert!(is_template("a {{ b }}") && !is_template("a { { b"));
    }

    #[test]
    fn hostile_texts_end_soon() {
        for seed in ["{{", "{{}}", "{%", "<%%>\n", "{{ <% {% "] {
            let text = seed.repeat(100_000 / seed.len());
            assert_eq!(masked(&text).len(), text.len());
        }
    }
}
