//! Plain calls: the floor under every table, not a peer.

use std::hint::black_box;

use super::no_such_notion;
use crate::backend::{Backend, Blocking};
use crate::record::{Cell, Line};
use crate::workloads;

pub(super) fn run(cell: &Cell) -> Line {
    match cell.workload.as_str() {
        "round_trip" => workloads::round_trip(),
        "pending" | "wake" | "idle" => no_such_notion("a call is never pending"),
        workload if workload.ends_with("_in") => no_such_notion("there is no worker to be in"),
        _ => workloads::blocking::<Serial>(cell),
    }
}

#[derive(Clone, Copy)]
struct Serial;

impl Backend for Serial {
    fn start(_workers: usize) -> Serial {
        Serial
    }

    fn detach(self, f: impl FnOnce() + Send + 'static) {
        black_box(f)();
    }
}

impl Blocking for Serial {
    type Handle<T: Send + 'static> = T;

    #[inline]
    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        black_box(f)()
    }

    #[inline]
    fn join<T: Send + 'static>(self, handle: T) -> T {
        black_box(handle)
    }

    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        f()
    }
}
