//! A thread of the standard library for each task. It has no workers: the kernel runs them all.

use super::no_such_notion;
use crate::backend::{Backend, Blocking};
use crate::record::{Cell, Line};
use crate::workloads;

/// Beyond that it takes minutes, and more threads than a machine allows.
const MOST: u64 = 10_000;

pub(super) fn run(cell: &Cell) -> Line {
    match cell.workload.as_str() {
        "pending" => no_such_notion("a thread is never pending"),
        "idle" => no_such_notion("there is no pool to be idle"),
        "nested" | "tree" | "speedup" => no_such_notion("it has no workers"),
        workload if workload.ends_with("_in") => no_such_notion("it has no workers"),
        _ if cell.n > MOST => no_such_notion("a thread per task: measured up to 10K"),
        _ => workloads::blocking::<Threads>(cell),
    }
}

#[derive(Clone, Copy)]
struct Threads;

impl Backend for Threads {
    fn start(_workers: usize) -> Threads {
        Threads
    }

    fn detach(self, f: impl FnOnce() + Send + 'static) {
        drop(std::thread::spawn(f));
    }
}

impl Blocking for Threads {
    type Handle<T: Send + 'static> = std::thread::JoinHandle<T>;

    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Self::Handle<T> {
        std::thread::spawn(f)
    }

    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> T {
        handle.join().expect("the task panicked")
    }

    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        self.join(self.spawn(f))
    }
}
