//! The recursion: from bytes to a text or to members, and from each to what is hidden in it, within the
//! limits. Not here: any format; those stand in the tables of the folder's door.

use super::member::{Fault, Members};
use super::view::{Ground, Hidden, Map, Member, START, View};
use super::{
    Container, Options, charset, documents, hidden, joined, readable, recognised, streamed,
};
use crate::model::coverage::Reason;
use crate::model::span::{LineIndex, Place, Span};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::io::{self, Cursor, Read};

/// Small blobs may expand to this much.
const ROOM: usize = 64 << 20;
/// However large a blob is, no more than this comes out of it: what is inflated in some seconds.
const MOST: usize = 2 << 30;
/// Texts within a small text may take this much.
const SMALL: usize = 1 << 16;
/// This much of a stream tells what it holds.
const HEAD: usize = 1024;
/// More gaps of one blob are told as one.
const GAPS: usize = 1000;

const EXPANDS: &str = "what the file expands to is beyond the limit; the rest was left alone";

/// See the folder's door.
pub(super) fn each(
    bytes: &[u8],
    options: &Options,
    emit: &mut dyn FnMut(&View<'_>),
    gap: &mut dyn FnMut(Option<&str>, Reason, String),
) {
    let room = bytes.len().saturating_mul(options.max_expansion);
    let mut walk = Walk {
        options,
        room: room.clamp(ROOM, MOST),
        members: 0,
        gaps: 0,
        is_over: false,
        emit,
        gap,
    };
    let here = Here {
        via: &[],
        member: None,
        inside: None,
    };
    walk.open(bytes, &here, 0);
    walk.tell_more();
}

/// What came of one hidden text.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// Bytes that were decoded, in it and within it.
    pub(super) spent: usize,
    /// Whether `emit` said of a text in it that it shows something, or a limit or a container was met.
    pub(super) is_loud: bool,
}

impl Told {
    /// Nothing is hidden.
    pub(super) const NOTHING: Self = Self {
        spent: 0,
        is_loud: false,
    };
}

/// Calls `emit` with the view that a plain text is itself.
pub(super) fn root(text: &[u8], emit: &mut dyn FnMut(&View<'_>)) {
    let lines = OnceCell::new();
    let own = |span: Span| -> Place { lines.get_or_init(|| LineIndex::new(text)).place(span) };
    emit(&View {
        text: Cow::Borrowed(text),
        via: Vec::new(),
        member: None,
        is_binary: false,
        is_residue: false,
        map: Map::Same,
        ground: &own,
    });
}

/// Calls `emit` for each text in something hidden in a plain text, as `each` would.
pub(super) fn hidden_alone(
    text: &[u8],
    options: &Options,
    found: Hidden,
    emit: &mut dyn FnMut(&View<'_>) -> bool,
) -> Told {
    let (mut shows, mut is_cut) = (false, false);
    let mut walk = Walk {
        options,
        room: ROOM,
        members: 0,
        gaps: 0,
        is_over: false,
        emit: &mut |view| shows |= emit(view),
        gap: &mut |_, _, _| is_cut = true,
    };
    let mut budget = usize::MAX;
    let mut found = vec![found];
    root(text, &mut |view| {
        walk.descend(view, std::mem::take(&mut found), 0, &mut budget);
    });
    let is_opened = walk.room < ROOM || walk.members > 0;
    Told {
        spent: usize::MAX - budget,
        is_loud: shows || is_cut || is_opened,
    }
}

/// Where bytes were met.
#[derive(Clone, Copy)]
struct Here<'h> {
    via: &'h [&'static str],
    member: Option<&'h Member>,
    /// For bytes that an encoding hid: the span of it, and what tells its place.
    inside: Option<(Ground<'h>, Span)>,
}

struct Walk<'w> {
    options: &'w Options,
    /// Bytes that may yet come out of containers.
    room: usize,
    members: usize,
    gaps: usize,
    /// Whether a limit on the whole was hit, and told.
    is_over: bool,
    emit: &'w mut dyn FnMut(&View<'_>),
    gap: &'w mut dyn FnMut(Option<&str>, Reason, String),
}

impl Walk<'_> {
    /// A container's members, or a text.
    fn open(&mut self, bytes: &[u8], here: &Here<'_>, depth: usize) {
        let Some(container) = recognised(bytes, self.options) else {
            return self.text(bytes, here, depth, false);
        };
        let mut nest = Nest {
            walk: self,
            container,
            here: *here,
            depth,
            read: 0,
        };
        if depth >= nest.walk.options.max_depth {
            let deep = nest.walk.options.max_depth;
            let detail = format!(
                "{} nested deeper than {deep} was left alone",
                container.name
            );
            nest.gap(None, Reason::LimitHit, detail);
        } else if let Err(Fault { reason, detail }) = (container.each)(bytes, &mut nest) {
            nest.gap(None, reason, detail);
        }
        let is_read = nest.read > 0;
        if container.keeps_text || !is_read {
            self.text(bytes, here, depth, is_read);
        }
    }

    fn text(&mut self, bytes: &[u8], here: &Here<'_>, depth: usize, is_residue: bool) {
        let root = charset::root(bytes);
        let mut via = here.via.to_vec();
        via.extend(root.via);
        let text = root.text;
        let lines = OnceCell::new();
        let own = |span: Span| -> Place { lines.get_or_init(|| LineIndex::new(&text)).place(span) };
        let (ground, map): (Ground<'_>, Map) = match here.inside {
            Some((ground, span)) => (ground, Map::Whole(span)),
            None => (&own, Map::Same),
        };
        let view = View {
            text: Cow::Borrowed(&*text),
            via,
            member: here.member,
            is_binary: root.is_binary,
            is_residue,
            map,
            ground,
        };
        (self.emit)(&view);
        let mut budget = budget(text.len(), self.options);
        let mut found = Vec::new();
        if !root.is_binary {
            documents(&text, &mut |it| found.push(it));
        }
        // What a document says is one part is not looked at again as so many runs.
        let parts: Vec<Span> = found.iter().filter_map(Hidden::whole).collect();
        self.descend(&view, found, depth, &mut budget);
        self.hidden(&view, &parts, depth, &mut budget);
    }

    fn hidden(&mut self, view: &View<'_>, parts: &[Span], depth: usize, budget: &mut usize) {
        let is_part = |it: Span| {
            let before = parts.partition_point(|part| part.start <= it.start);
            before > 0 && parts[before - 1].overlaps(it)
        };
        let mut found = Vec::new();
        hidden(view, &mut |it| {
            if !it.whole().is_some_and(is_part) {
                found.push(it);
            }
        });
        self.descend(view, found, depth, budget);
    }

    fn descend(&mut self, view: &View<'_>, found: Vec<Hidden>, depth: usize, budget: &mut usize) {
        for hidden in found {
            let name = view.member.map(|it| it.name.as_str());
            if depth >= self.options.max_depth {
                let deep = self.options.max_depth;
                let detail = format!("an encoding nested deeper than {deep} was left alone");
                return self.tell(name, Reason::LimitHit, detail);
            }
            if hidden.bytes.len() > self.options.max_size || hidden.bytes.len() > *budget {
                let detail = "decoded text beyond the size or ratio limit was left alone";
                return self.tell(name, Reason::LimitHit, detail.to_owned());
            }
            *budget -= hidden.bytes.len();
            self.one(view, hidden, depth + 1, budget);
        }
    }

    fn one(&mut self, view: &View<'_>, hidden: Hidden, depth: usize, budget: &mut usize) {
        let mut via = view.via.clone();
        via.push(hidden.name);
        let member = hidden.part.map(|part| Member {
            name: chain(view.member, &part),
            place: view.member.and_then(|it| it.place),
        });
        let member = member.as_ref().or(view.member);
        let map = hidden.map.within(&view.map);
        if let Map::Whole(span) = map
            && (readable::is_opened(&hidden.bytes)
                || member != view.member
                || !readable::is_text(&hidden.bytes))
        {
            let inside = Some((view.ground, span));
            let here = Here {
                via: &via,
                member,
                inside,
            };
            return self.open(&hidden.bytes, &here, depth);
        }
        let inner = View {
            text: Cow::Owned(hidden.bytes),
            via,
            member,
            is_binary: false,
            is_residue: false,
            map,
            ground: view.ground,
        };
        (self.emit)(&inner);
        self.hidden(&inner, &[], depth, budget);
    }

    fn tell(&mut self, name: Option<&str>, reason: Reason, detail: String) {
        self.gaps += 1;
        if self.gaps <= GAPS {
            (self.gap)(name, reason, detail);
        }
    }

    fn tell_more(&mut self) {
        if let Some(more) = self.gaps.checked_sub(GAPS).filter(|it| *it > 0) {
            let detail = format!("{more} more members were not read, or not in full");
            (self.gap)(None, Reason::LimitHit, detail);
        }
    }

    /// A limit on all members together.
    fn over(&mut self, name: Option<&str>, detail: String) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.tell(name, Reason::LimitHit, detail);
        }
    }

    /// Bytes as far as they can and may be read, and why that is not all.
    fn take(&mut self, reader: &mut dyn Read) -> (Vec<u8>, Option<(Reason, String)>) {
        let limit = self.options.max_size.min(self.room);
        let mut bytes = Vec::new();
        let read = reader.take(limit as u64 + 1).read_to_end(&mut bytes);
        let broken = match read {
            Err(error) => Some((reason(&error), error.to_string())),
            Ok(_) if bytes.len() > self.options.max_size => {
                let detail = format!("only its first {limit} bytes were read");
                Some((Reason::TooLarge, detail))
            }
            Ok(_) if bytes.len() > self.room => Some((Reason::LimitHit, EXPANDS.to_owned())),
            Ok(_) => None,
        };
        self.is_over |= matches!(&broken, Some((_, detail)) if detail == EXPANDS);
        bytes.truncate(limit);
        self.room -= bytes.len();
        (bytes, broken)
    }
}

/// All decoded bytes of a text of some length together.
pub(super) fn budget(length: usize, options: &Options) -> usize {
    length.saturating_mul(options.max_ratio).max(SMALL)
}

fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::FileTooLarge | io::ErrorKind::OutOfMemory => Reason::LimitHit,
        _ => Reason::Damaged,
    }
}

fn chain(outer: Option<&Member>, name: &str) -> String {
    match outer {
        Some(outer) => joined(&outer.name, name),
        None => name.to_owned(),
    }
}

/// What a container's reader talks to.
struct Nest<'n, 'w> {
    walk: &'n mut Walk<'w>,
    container: &'static Container,
    here: Here<'n>,
    depth: usize,
    /// Members that were handed on.
    read: usize,
}

impl Members for Nest<'_, '_> {
    fn member(&mut self, name: &str, bytes: &mut dyn Read) -> bool {
        self.walk.members += 1;
        if self.walk.members > self.walk.options.max_members {
            let most = self.walk.options.max_members;
            let detail = format!("more than {most} members; the rest was left alone");
            self.walk
                .over(self.here.member.map(|it| it.name.as_str()), detail);
            return false;
        }
        let name = chain(self.here.member, name);
        let (bytes, broken) = self.walk.take(bytes);
        if let Some((reason, detail)) = broken {
            self.walk.tell(Some(&name), reason, detail);
        }
        self.read += 1;
        if !bytes.is_empty() {
            let outer = self.here.member.and_then(|it| it.place);
            let place = outer.or_else(|| self.here.inside.map(|(ground, span)| ground(span)));
            let member = Member {
                name,
                place: Some(place.unwrap_or(START)),
            };
            let here = Here {
                via: self.here.via,
                member: Some(&member),
                inside: None,
            };
            self.walk.open(&bytes, &here, self.depth + 1);
        }
        !self.walk.is_over
    }

    fn content(&mut self, name: &str, bytes: &mut dyn Read) -> bool {
        let mut head = Vec::new();
        let peeked = Read::take(&mut *bytes, HEAD as u64).read_to_end(&mut head);
        if let Err(error) = peeked {
            self.gap(None, reason(&error), error.to_string());
            if head.is_empty() {
                return true;
            }
        }
        let archive = streamed(&head);
        let mut metered = Metered {
            inner: Cursor::new(head).chain(bytes),
            left: self.walk.room,
        };
        if let Some(stream) = archive {
            if let Err(Fault { reason, detail }) = stream(&mut metered, self) {
                match metered.left {
                    0 => self
                        .walk
                        .over(self.here.member.map(|it| it.name.as_str()), detail),
                    _ => self.gap(None, reason, detail),
                }
            }
            return !self.walk.is_over;
        }
        if self.here.inside.is_none() {
            return self.member(name, &mut metered);
        }
        // Within an encoding a stream is one more of them.
        let (content, broken) = self.walk.take(&mut metered);
        if let Some((reason, detail)) = broken {
            self.gap(None, reason, detail);
        }
        self.read += 1;
        let mut via = self.here.via.to_vec();
        via.push(self.container.name);
        let here = Here {
            via: &via,
            ..self.here
        };
        self.walk.open(&content, &here, self.depth + 1);
        !self.walk.is_over
    }

    fn layer(&mut self, bytes: &[u8]) -> bool {
        let Some(container) = recognised(bytes, self.walk.options) else {
            return false;
        };
        if let Err(Fault { reason, detail }) = (container.each)(bytes, self) {
            self.gap(None, reason, detail);
        }
        true
    }

    fn gap(&mut self, name: Option<&str>, reason: Reason, detail: String) {
        // An encoding that begins like a container is often the first line of an example: a note.
        let is_guess = self.here.inside.is_some() && reason == Reason::Damaged;
        let reason = if is_guess { Reason::Malformed } else { reason };
        let name = match name {
            Some(name) => Some(chain(self.here.member, name)),
            None => self.here.member.map(|it| it.name.clone()),
        };
        self.walk.tell(name.as_deref(), reason, detail);
    }
}

/// Ends with an error where a stream expands beyond what is left.
struct Metered<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, EXPANDS));
        }
        let most = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}
