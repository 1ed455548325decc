//! Tasks that have waited too long beside busy workers: which queue they are in, and the call for somebody who takes one. What
//! counts as too long is the watcher's business ([`crate::sleep`]).

use crate::sync::{Mutex, lock};

/// Where tasks wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    Injector,
    /// The deque of a thread from outside.
    Guest(usize),
    /// The deque of a thread of the runtime.
    Worker(usize),
}

impl Queue {
    /// Whether it holds what threads from outside have spawned.
    pub(crate) fn is_outside(self) -> bool {
        !matches!(self, Self::Worker(_))
    }
}

/// A queue whose oldest task has waited too long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    pub(crate) queue: Queue,
    /// Code in tasks has looked in vain for something meanwhile.
    pub(crate) polled: bool,
}

/// A call for somebody who takes one task out of a queue although as many threads are in tasks as there are workers. See
/// "Relief" in `sleep/README.md`.
#[derive(Debug)]
pub(crate) struct Relief(Mutex<Option<Left>>);

impl Relief {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn ask(&self, left: Left) {
        *lock(&self.0) = Some(left);
    }

    /// Which queue wants it; the caller sees to it.
    pub(crate) fn take(&self) -> Option<Left> {
        lock(&self.0).take()
    }
}
