//! The tasks of a runtime that have been suspended, and are not done: who wakes them may never come, so a runtime that
//! ends drops their futures itself.
//!
//! A task enters when it is suspended for the first time and leaves when it is complete; in between it costs nothing.
//! One that is done with its first poll is never here.

use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use super::cell::{self, Cell};
use crate::sync::{Mutex, lock};
use crate::task::Op;

/// So many locks: a power of two.
const PARTS: usize = 16;

/// See the module.
pub(crate) struct Suspended {
    parts: [CachePadded<Mutex<Part>>; PARTS],
}

/// A task that stays where it is as long as it is listed.
struct Listed(NonNull<Cell>);

// SAFETY: a cell is shared by all who have a share, and only its state is touched through this.
unsafe impl Send for Listed {}

#[derive(Default)]
struct Part {
    tasks: Vec<Option<Listed>>,
    free: Vec<usize>,
    /// The runtime has ended.
    is_closed: bool,
}

impl Suspended {
    pub(crate) fn new() -> Self {
        Self { parts: std::array::from_fn(|_| CachePadded::default()) }
    }

    /// Where the task is from now on. `None` if the runtime has ended.
    pub(super) fn add(&self, cell: NonNull<Cell>, runner: usize) -> Option<usize> {
        let index = runner % PARTS;
        let mut part = lock(&self.parts[index]);
        if part.is_closed {
            return None;
        }
        let place = part.free.pop().unwrap_or(part.tasks.len());
        if place == part.tasks.len() {
            part.tasks.push(None);
        }
        part.tasks[place] = Some(Listed(cell));
        Some(place * PARTS + index)
    }

    /// The task is about to be complete.
    pub(super) fn remove(&self, place: usize) {
        let mut part = lock(&self.parts[place % PARTS]);
        part.tasks[place / PARTS] = None;
        part.free.push(place / PARTS);
    }

    /// Drops every future that nobody is about to poll, and has the others dropped then. From now on none is suspended.
    ///
    /// All are told before the first is dropped: a drop that wakes others finds nothing to do.
    pub(crate) fn cancel_all(&self) {
        let mut own = Vec::new();
        for part in &self.parts {
            let mut part = lock(part);
            part.is_closed = true;
            let listed = part.tasks.iter().flatten();
            // SAFETY: what is listed is alive: it is taken off, under this lock, before it is complete.
            own.extend(listed.map(|task| task.0).filter(|cell| unsafe { cell.as_ref() }.state.cancel()));
        }
        for cell in own {
            // SAFETY: scheduled by `cancel`, and in no queue.
            unsafe { cell::woken(cell).enter(Op::Cancel, 0) };
        }
    }
}
