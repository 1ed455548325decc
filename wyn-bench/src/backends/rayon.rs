//! rayon with a handle: `spawn` and a one-shot channel, since rayon's own spawn returns nothing.
//!
//! A worker that waits helps through `yield_now`, the one way rayon offers to wait without blocking.

use crate::backend::{Backend, Blocking};
use crate::record::{Cell, Line};
use crate::workloads;

pub(super) fn run(cell: &Cell) -> Line {
    workloads::blocking::<Rayon>(cell)
}

#[derive(Clone, Copy)]
pub(super) struct Rayon(pub(super) &'static ::rayon::ThreadPool);

impl Backend for Rayon {
    fn start(workers: usize) -> Rayon {
        let pool = ::rayon::ThreadPoolBuilder::new().num_threads(workers).build().expect("the pool starts");
        Rayon(Box::leak(Box::new(pool)))
    }

    #[inline]
    fn detach(self, f: impl FnOnce() + Send + 'static) {
        self.0.spawn(f);
    }
}

impl Blocking for Rayon {
    type Handle<T: Send + 'static> = oneshot::Receiver<T>;

    #[inline]
    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Self::Handle<T> {
        let (sender, receiver) = oneshot::channel();
        self.0.spawn(move || drop(sender.send(f())));
        receiver
    }

    #[inline]
    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> T {
        if self.0.current_thread_index().is_none() {
            return handle.recv().expect("the task panicked");
        }
        loop {
            match handle.try_recv() {
                Ok(value) => return value,
                Err(oneshot::TryRecvError::Disconnected) => panic!("the task panicked"),
                Err(oneshot::TryRecvError::Empty) => {
                    if self.0.yield_now() != Some(::rayon::Yield::Executed) {
                        std::thread::yield_now();
                    }
                }
            }
        }
    }

    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        self.0.install(f)
    }
}
