//! The walk over one pack's delta forest: every object is inflated and assembled once, its base at hand.
//!
//! Not here: which objects are wanted, and what is done with them. Memory held by a walk is bounded: when
//! a chain outgrows its share, the buffers farthest up are dropped and made again if they are needed.

use crate::model::delta::Edit;
use crate::source::delta;
use crate::source::forest::{Forest, Mark, NONE};
use crate::source::pack::{Entry, Pack};
use crate::source::{Future, Kept};
use libdeflater::Decompressor;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why an entry could not be handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// It, or a base it needs, has this many bytes.
    TooLarge(u64),
    /// Its bytes, or those of a base it needs, are damaged.
    Corrupt(&'static str),
}

/// Bounds of a walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Larger objects are not handed out.
    pub(crate) max_size: u64,
    /// Larger objects are not assembled, even as a base.
    pub(crate) largest: usize,
    /// Bytes one chain may hold.
    pub(crate) share: usize,
}

impl Limits {
    /// Divides a budget between threads.
    pub(crate) fn new(max_size: u64, memory: usize, jobs: usize) -> Self {
        Self {
            max_size,
            largest: memory / 2,
            share: memory / 2 / jobs.max(1),
        }
    }
}

/// Takes objects by their position in the pack's index.
pub(crate) trait Take {
    /// `base` tells how the object is made out of another, and what was kept of that.
    fn object(
        &mut self,
        position: u32,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept>;
    fn failed(&mut self, position: u32, failure: Failure);
    /// Whether more is wanted.
    fn goes_on(&self) -> bool {
        true
    }
}

/// How an object came to be.
#[derive(Clone, Copy)]
enum Origin {
    /// From its own bytes, or over a base of which nothing is known.
    Whole,
    /// By the last delta, over the top frame.
    OverTop,
}

fn size(kept: &Option<Kept>) -> usize {
    kept.as_ref().map_or(0, |it| it.size)
}

struct Frame {
    slot: u32,
    /// The next child to visit.
    next: u32,
    /// The object's bytes, unless dropped.
    bytes: Option<Vec<u8>>,
    /// What was kept of it by whoever takes objects; stays when the bytes are dropped.
    kept: Option<Kept>,
}

/// One thread's walk.
pub(crate) struct Walk<'a> {
    forest: &'a Forest,
    marks: Option<&'a [Mark]>,
    /// By slot: what is left to other walks; empty if nothing is.
    cuts: &'a [bool],
    limits: Limits,
    decoder: Decoder<'a>,
    stack: Vec<Frame>,
    /// Bytes in the stack's buffers.
    held: usize,
    /// One thread at a time works on objects beyond its share.
    turn: &'a Mutex<()>,
    guard: Option<MutexGuard<'a, ()>>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        pack: &'a Pack,
        forest: &'a Forest,
        marks: Option<&'a [Mark]>,
        cuts: &'a [bool],
        limits: Limits,
        turn: &'a Mutex<()>,
    ) -> Self {
        let decoder = Decoder {
            pack,
            forest,
            limits,
            inflater: Decompressor::new(),
            delta: Vec::new(),
            edit: Edit::default(),
            pool: Vec::new(),
        };
        Self {
            forest,
            marks,
            cuts,
            limits,
            decoder,
            stack: Vec::new(),
            held: 0,
            turn,
            guard: None,
        }
    }

    /// Hands out every wanted object from `start` downwards. `foreign` is its base where that is an object
    /// outside the pack.
    pub(crate) fn tree(&mut self, start: u32, foreign: Option<&[u8]>, take: &mut dyn Take) {
        if self.mark(start) == Mark::Idle {
            return;
        }
        match self.decoder.start(start, foreign) {
            Ok(bytes) => self.enter(start, bytes, Origin::Whole, take),
            Err(failure) => self.lose(start, failure, take),
        }
        while take.goes_on()
            && let Some(child) = self.next_child()
        {
            let Some(top) = self.stack.last_mut().and_then(|it| it.bytes.take()) else {
                break;
            };
            match self.decoder.over(child, &top) {
                Ok(bytes) => {
                    self.put_back(top);
                    self.enter(child, bytes, Origin::OverTop, take);
                }
                Err(failure) => {
                    self.put_back(top);
                    self.lose(child, failure, take);
                }
            }
            self.rebuild_top(foreign, take);
        }
        while let Some(frame) = self.stack.pop() {
            self.leave(frame);
        }
        self.guard = None;
    }

    fn mark(&self, slot: u32) -> Mark {
        self.marks.map_or(Mark::Wanted, |it| it[slot as usize])
    }

    fn skip_idle(&self, mut slot: u32) -> u32 {
        let is_left = |slot: u32| self.cuts.get(slot as usize).copied().unwrap_or(false);
        while slot != NONE && (self.mark(slot) == Mark::Idle || is_left(slot)) {
            slot = self.forest.slots[slot as usize].next_sibling;
        }
        slot
    }

    /// The next entry to assemble, after leaving every frame that has no more children.
    fn next_child(&mut self) -> Option<u32> {
        loop {
            let top = self.stack.last_mut()?;
            let child = top.next;
            if child != NONE {
                let sibling = self.forest.slots[child as usize].next_sibling;
                let sibling = self.skip_idle(sibling);
                self.stack.last_mut()?.next = sibling;
                return Some(child);
            }
            let frame = self.stack.pop()?;
            self.leave(frame);
        }
    }

    /// Returns the buffer taken from the top frame, or frees it where no other child will ask for it.
    fn put_back(&mut self, bytes: Vec<u8>) {
        match self.stack.last_mut() {
            Some(top) if top.next != NONE => top.bytes = Some(bytes),
            _ => self.release(Some(bytes)),
        }
    }

    fn leave(&mut self, frame: Frame) {
        self.held = self.held.saturating_sub(size(&frame.kept));
        self.release(frame.bytes);
    }

    fn release(&mut self, bytes: Option<Vec<u8>>) {
        if let Some(bytes) = bytes {
            self.held = self.held.saturating_sub(bytes.len());
            self.decoder.recycle(bytes);
        }
    }

    /// Hands out an object and goes below it.
    fn enter(&mut self, slot: u32, bytes: Vec<u8>, origin: Origin, take: &mut dyn Take) {
        let size = bytes.len();
        if size > self.limits.share / 2 && self.guard.is_none() {
            self.guard = Some(self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let next = self.skip_idle(self.forest.slots[slot as usize].first_child);
        let mut kept = None;
        if self.mark(slot) == Mark::Wanted {
            let position = self.forest.slots[slot as usize].position;
            if size as u64 > self.limits.max_size {
                take.failed(position, Failure::TooLarge(size as u64));
            } else {
                let base = match origin {
                    Origin::OverTop => self.stack.last().and_then(|it| it.kept.as_ref()),
                    Origin::Whole => None,
                };
                let base = base.map(|it| (&self.decoder.edit, it));
                let future = if next == NONE {
                    Future::Leaf
                } else {
                    Future::Base
                };
                kept = take.object(position, &bytes, base, future);
            }
        }
        if next == NONE {
            self.decoder.recycle(bytes);
            return;
        }
        self.held += size + self::size(&kept);
        self.stack.push(Frame {
            slot,
            next,
            bytes: Some(bytes),
            kept,
        });
        self.trim();
    }

    /// Drops buffers from the top of the chain's beginning until the chain fits its share; then, if it
    /// must be, what was kept.
    fn trim(&mut self) {
        let allowed = if self.guard.is_some() {
            self.limits.largest
        } else {
            self.limits.share
        };
        let last = self.stack.len().saturating_sub(1);
        for at in 0..last {
            if self.held <= allowed {
                return;
            }
            let bytes = self.stack[at].bytes.take();
            self.release(bytes);
        }
        for frame in &mut self.stack {
            if self.held <= allowed {
                return;
            }
            self.held = self.held.saturating_sub(size(&frame.kept.take()));
        }
    }

    /// Makes the top frame's buffer again if it was dropped while its descendants were visited.
    fn rebuild_top(&mut self, foreign: Option<&[u8]>, take: &mut dyn Take) {
        while let Some(frame) = self.stack.pop_if(|it| it.next == NONE) {
            // A frame without further children is not asked for bytes again, but it must stay while
            // frames above it live; as the top it can go.
            self.leave(frame);
        }
        let Some(top) = self.stack.last() else { return };
        if top.bytes.is_some() {
            return;
        }
        match self.again(foreign) {
            Ok(bytes) => {
                self.held += bytes.len();
                if let Some(top) = self.stack.last_mut() {
                    top.bytes = Some(bytes);
                }
                self.trim();
            }
            Err(failure) => self.abandon(failure, take),
        }
    }

    /// The top frame's bytes, made again from the nearest frame that still has its own.
    fn again(&mut self, foreign: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
        let kept = self.stack.iter().rposition(|it| it.bytes.is_some());
        let (mut bytes, first) = match kept {
            None => (self.decoder.start(self.stack[0].slot, foreign)?, 1),
            Some(at) => {
                let base = self.stack[at].bytes.as_deref().unwrap_or_default();
                (self.decoder.over(self.stack[at + 1].slot, base)?, at + 2)
            }
        };
        for at in first..self.stack.len() {
            let next = self.decoder.over(self.stack[at].slot, &bytes)?;
            self.decoder.recycle(std::mem::replace(&mut bytes, next));
        }
        Ok(bytes)
    }

    /// Loses the children left of a frame that could not be made again (the file changed under us).
    fn abandon(&mut self, failure: Failure, take: &mut dyn Take) {
        while let Some(frame) = self.stack.pop() {
            let mut child = frame.next;
            self.leave(frame);
            while child != NONE {
                self.lose(child, failure, take);
                child = self.forest.slots[child as usize].next_sibling;
            }
        }
    }

    /// Reports an entry, and all that need it, as lost.
    fn lose(&mut self, slot: u32, failure: Failure, take: &mut dyn Take) {
        for member in self.forest.family(slot) {
            if self.mark(member) == Mark::Wanted {
                take.failed(self.forest.slots[member as usize].position, failure);
            }
        }
    }
}

/// Bytes of entries.
struct Decoder<'a> {
    pack: &'a Pack,
    forest: &'a Forest,
    limits: Limits,
    inflater: Decompressor,
    delta: Vec<u8>,
    /// What the last delta did.
    edit: Edit,
    pool: Vec<Vec<u8>>,
}

/// Buffers kept for reuse, and the size above which one is given back at once.
const POOL: usize = 8;
const POOLED: usize = 1 << 20;

impl<'a> Decoder<'a> {
    /// An entry over a foreign base, or by itself with all that it is a delta over.
    fn start(&mut self, slot: u32, foreign: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
        if let Some(base) = foreign {
            return self.over(slot, base);
        }
        let mut chain = vec![slot];
        let mut base = self.forest.slots[slot as usize].base;
        while base != NONE {
            chain.push(base);
            base = self.forest.slots[base as usize].base;
        }
        let root = chain.pop().unwrap_or(slot);
        let mut bytes = self.whole(root)?;
        for slot in chain.into_iter().rev() {
            let next = self.over(slot, &bytes)?;
            self.recycle(std::mem::replace(&mut bytes, next));
        }
        Ok(bytes)
    }

    fn whole(&mut self, slot: u32) -> Result<Vec<u8>, Failure> {
        let (entry, compressed) = self.entry(slot)?;
        let size = self.size(entry.size, compressed)?;
        let mut bytes = self.pool.pop().unwrap_or_default();
        bytes.resize(size, 0);
        inflate(&mut self.inflater, compressed, &mut bytes)?;
        Ok(bytes)
    }

    fn over(&mut self, slot: u32, base: &[u8]) -> Result<Vec<u8>, Failure> {
        let (entry, compressed) = self.entry(slot)?;
        let size = self.size(entry.size, compressed)?;
        if self.delta.len() < size {
            self.delta.resize(size, 0);
        }
        inflate(&mut self.inflater, compressed, &mut self.delta[..size])?;
        let delta = &self.delta[..size];
        let sizes = delta::sizes(delta).ok_or(Failure::Corrupt("its delta is malformed"))?;
        if sizes.result > self.limits.largest as u64 {
            return Err(Failure::TooLarge(sizes.result));
        }
        let mut bytes = self.pool.pop().unwrap_or_default();
        delta::apply(base, delta, sizes, &mut bytes, &mut self.edit)
            .ok_or(Failure::Corrupt("its delta does not fit its base"))?;
        if self.delta.len() > POOLED {
            self.delta = Vec::new();
        }
        Ok(bytes)
    }

    fn entry(&self, slot: u32) -> Result<(Entry, &'a [u8]), Failure> {
        let damaged = Failure::Corrupt("its header cannot be decoded");
        let offset = self.forest.slots.get(slot as usize).ok_or(damaged)?.offset;
        let entry = self.pack.entry(offset).ok_or(damaged)?;
        let compressed = self
            .pack
            .bytes(entry.data, self.forest.end(slot, self.pack))
            .ok_or(damaged)?;
        Ok((entry, compressed))
    }

    /// The declared size, if it is believable and allowed.
    fn size(&self, declared: u64, compressed: &[u8]) -> Result<usize, Failure> {
        // Deflate cannot expand by more than 1032 to 1: a larger claim is a lie meant to take memory.
        if declared
            > (compressed.len() as u64)
                .saturating_mul(1032)
                .saturating_add(64)
        {
            return Err(Failure::Corrupt(
                "it declares a size that its bytes cannot have",
            ));
        }
        match usize::try_from(declared) {
            Ok(size) if size <= self.limits.largest => Ok(size),
            _ => Err(Failure::TooLarge(declared)),
        }
    }

    fn recycle(&mut self, bytes: Vec<u8>) {
        if self.pool.len() < POOL && bytes.capacity() <= POOLED {
            self.pool.push(bytes);
        }
    }
}

fn inflate(inflater: &mut Decompressor, compressed: &[u8], out: &mut [u8]) -> Result<(), Failure> {
    match inflater.zlib_decompress(compressed, out) {
        Ok(size) if size == out.len() => Ok(()),
        _ => Err(Failure::Corrupt("its bytes cannot be inflated")),
    }
}
