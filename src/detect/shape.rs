//! The shape of a value, written like the parts of rule examples: literal text and `{{class:length}}` or
//! `{{class:least-most}}` runs. Matches a whole value, never a part of it.

use super::generate::class_bytes;

/// One shape.
#[derive(Debug)]
pub(crate) struct Shape(Vec<Part>);

#[derive(Debug)]
enum Part {
    Literal(Vec<u8>),
    Run {
        set: Box<[bool; 256]>,
        least: usize,
        most: usize,
    },
}

impl Shape {
    /// Reads a shape; a fault is a sentence.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let length = rest[start..]
                .find("}}")
                .ok_or_else(|| format!("`{text}` has an open part"))?;
            if start > 0 {
                parts.push(Part::Literal(rest.as_bytes()[..start].to_vec()));
            }
            parts.push(run(&rest[start + 2..start + length])?);
            rest = &rest[start + length + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.as_bytes().to_vec()));
        }
        Ok(Self(parts))
    }

    /// Whether the whole value has this shape.
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        holds(&self.0, value)
    }

    /// Whether the shape is more than one run: dashes, dots or words at fixed places.
    pub(crate) fn is_structured(&self) -> bool {
        self.0.len() > 1
    }
}

fn run(part: &str) -> Result<Part, String> {
    let fault = || format!("`{{{{{part}}}}}` is no class:length");
    let (class, count) = part.rsplit_once(':').ok_or_else(fault)?;
    let (least, most) = count.split_once('-').unwrap_or((count, count));
    let (least, most) = (
        least.parse().map_err(|_| fault())?,
        most.parse().map_err(|_| fault())?,
    );
    if class.is_empty() || most < least || most == 0 {
        return Err(fault());
    }
    let mut set = Box::new([false; 256]);
    for byte in class_bytes(class) {
        set[usize::from(byte)] = true;
    }
    Ok(Part::Run { set, least, most })
}

fn holds(parts: &[Part], value: &[u8]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return value.is_empty();
    };
    match part {
        Part::Literal(text) => value
            .strip_prefix(text.as_slice())
            .is_some_and(|it| holds(rest, it)),
        Part::Run { set, least, most } => {
            let fits = value
                .iter()
                .take(*most)
                .take_while(|it| set[usize::from(**it)])
                .count();
            (*least..=fits)
                .rev()
                .any(|length| holds(rest, &value[length..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_value_is_held_against_the_shape() {
        for (shape, value, expected) in [
            ("{{0-9a-f:4}}", "12ab", true),
            ("{{0-9a-f:4}}", "12abc", false),
            ("{{0-9a-f:4}}", "12aB", false),
            ("key-{{0-9a-f:2-4}}", "key-12a", true),
            ("key-{{0-9a-f:2-4}}", "key-1", false),
            ("{{A-Za-z0-9_-:1-9}}-{{0-9:2}}", "ab-c-12", true),
            ("{{A-Za-z0-9:2}}==", "aZ==", true),
            ("{{A-Za-z0-9:2}}==", "aZ=", false),
        ] {
            let it = Shape::new(shape).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(it.holds(value.as_bytes()), expected, "{shape} {value}");
        }
    }

    #[test]
    fn faults_name_the_part() {
        for text in ["{{a-z}}", "{{:3}}", "{{a-z:4-2}}", "{{a-z:x}}", "{{a-z:3"] {
            assert!(Shape::new(text).is_err(), "{text}");
        }
    }
}
