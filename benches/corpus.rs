//! A seeded corpus: the same bytes on every machine, so that figures compare, and no big file in git.
//!
//! Shared by the benches; nothing here is timed.

#![allow(dead_code, reason = "each bench takes the part it needs")]

/// The seed that figures are told with.
pub(crate) const SEED: u64 = 20_261_124;

/// A small generator (xorshift64*); its quality is enough for texts.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    pub(crate) fn string(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }
}

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const WORDS: &[&str] = &[
    "order", "shop", "token", "key", "password", "customer", "price", "stock", "secret", "index",
    "value", "result", "request", "response", "session", "umbrella", "total", "item", "count",
    "user", "config", "path", "name", "date",
];

/// What kind of text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Source code: the usual case.
    Code,
    /// A lockfile: hashes without end.
    Lockfile,
    /// Minified JavaScript: one line without end.
    Minified,
    /// Settings in which one line of fifty holds a secret.
    Settings,
    /// Bytes of which a few runs are text.
    Binary,
}

pub(crate) const KINDS: &[Kind] = &[
    Kind::Code,
    Kind::Lockfile,
    Kind::Minified,
    Kind::Settings,
    Kind::Binary,
];

/// About `size` bytes of that kind.
pub(crate) fn text(kind: Kind, size: usize, seed: u64) -> Vec<u8> {
    let mut draw = Draw::new(seed);
    let mut out = Vec::with_capacity(size + 256);
    while out.len() < size {
        match kind {
            Kind::Code => out.extend(code(&mut draw).into_bytes()),
            Kind::Lockfile => out.extend(lock(&mut draw).into_bytes()),
            Kind::Minified => out.extend(minified(&mut draw).into_bytes()),
            Kind::Settings => out.extend(setting(&mut draw).into_bytes()),
            Kind::Binary => binary(&mut draw, &mut out),
        }
    }
    out
}

/// Files of a repository, mostly code: path and bytes.
pub(crate) fn files(count: usize, size: usize) -> Vec<(String, Vec<u8>)> {
    let file = |number: usize| {
        let (kind, name) = match number % 20 {
            0 => (Kind::Settings, "settings.yaml"),
            1 => (Kind::Lockfile, "package-lock.json"),
            2 => (Kind::Minified, "app.min.js"),
            3 => (Kind::Binary, "picture.png"),
            _ => (Kind::Code, "code.py"),
        };
        (
            format!("part{}/{number}/{name}", number % 7),
            text(kind, size, SEED + number as u64),
        )
    };
    (0..count).map(file).collect()
}

fn code(draw: &mut Draw) -> String {
    let (a, b, c) = (draw.pick(WORDS), draw.pick(WORDS), draw.pick(WORDS));
    match draw.below(6) {
        0 => format!(
            "def {a}_{b}({c}):\n    return {c}.{a}({b}={})\n",
            draw.below(1000)
        ),
        1 => format!("{a}_{b} = load(\"{c}\", default=None)\n"),
        2 => format!(
            "    if {a} is not None and {b} > {}:\n        raise ValueError(\"no {c}\")\n",
            draw.below(99)
        ),
        3 => format!("# The {a} of a {b} is what the {c} says it is.\n"),
        4 => format!(
            "    {a} = os.environ[\"{}_{}\"]\n",
            b.to_uppercase(),
            c.to_uppercase()
        ),
        _ => format!("    {a}[\"{b}\"] = {c}.get(\"{a}_{b}\", \"{c}\")\n\n"),
    }
}

fn lock(draw: &mut Draw) -> String {
    let name = draw.pick(WORDS);
    let (hash, sum) = (draw.string(HEX, 64), draw.string(ALNUM, 86));
    format!(
        "    \"{name}-{}\": {{\"checksum\": \"{hash}\", \"integrity\": \"sha512-{sum}==\"}},\n",
        draw.below(99)
    )
}

fn minified(draw: &mut Draw) -> String {
    let (a, b) = (draw.pick(WORDS), draw.pick(WORDS));
    format!(
        "function {}(e,t){{return e.{a}!==t.{b}?{{{a}:t[{}]}}:null}}",
        &a[..1],
        draw.below(64)
    )
}

fn setting(draw: &mut Draw) -> String {
    let (a, b) = (draw.pick(WORDS), draw.pick(WORDS));
    if draw.below(50) == 0 {
        format!("{a}_password: \"{}\"\n", draw.string(ALNUM, 24))
    } else {
        format!("{a}_{b}: {}\n", draw.below(100_000))
    }
}

fn binary(draw: &mut Draw, out: &mut Vec<u8>) {
    for _ in 0..64 {
        out.extend(draw.next().to_le_bytes());
    }
    if draw.below(16) == 0 {
        out.extend(code(draw).into_bytes());
    }
}
