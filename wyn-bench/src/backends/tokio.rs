//! Tokio's multi-threaded runtime.

use ::tokio::runtime::{Builder, Handle, Runtime};
use ::tokio::task::JoinHandle;

use crate::backend::{Awaiting, Backend};

#[derive(Clone, Copy)]
pub(super) struct Tokio(&'static Runtime);

impl Backend for Tokio {
    fn start(workers: usize) -> Tokio {
        let runtime =
            Builder::new_multi_thread().worker_threads(workers).build().expect("the runtime starts");
        Tokio(Box::leak(Box::new(runtime)))
    }

    #[inline]
    fn detach(self, f: impl FnOnce() + Send + 'static) {
        drop(self.0.spawn(async move { f() }));
    }
}

impl Awaiting for Tokio {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    #[inline]
    fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.0.spawn(future)
    }

    #[inline]
    async fn join<T: Send + 'static>(self, handle: JoinHandle<T>) -> T {
        handle.await.expect("the task panicked")
    }

    fn block_on<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        debug_assert!(Handle::try_current().is_err(), "called from main only");
        self.0.block_on(future)
    }
}
