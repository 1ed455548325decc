//! Forte: futures for what is awaited, closures for what is not.

use ::forte::{Task, ThreadPool, Worker};

use crate::backend::{Awaiting, Backend};

static POOL: ThreadPool = ThreadPool::new();

#[derive(Clone, Copy)]
pub(super) struct Forte;

impl Backend for Forte {
    fn start(workers: usize) -> Forte {
        POOL.resize_to(workers);
        Forte
    }

    #[inline]
    fn detach(self, f: impl FnOnce() + Send + 'static) {
        POOL.spawn(|_: &Worker| f());
    }
}

impl Awaiting for Forte {
    type Handle<T: Send + 'static> = Task<T>;

    #[inline]
    fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> Task<T> {
        POOL.spawn(future)
    }

    #[inline]
    fn join<T: Send + 'static>(self, handle: Task<T>) -> impl Future<Output = T> + Send {
        handle
    }

    fn block_on<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        POOL.block_on(future)
    }
}
