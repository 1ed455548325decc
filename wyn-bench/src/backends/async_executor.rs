//! async-executor, run by plain threads as its documentation shows.

use ::async_executor::{Executor, Task};
use futures_lite::future;

use crate::backend::{Awaiting, Backend};

#[derive(Clone, Copy)]
pub(super) struct AsyncExecutor(&'static Executor<'static>);

impl Backend for AsyncExecutor {
    fn start(workers: usize) -> AsyncExecutor {
        let executor: &'static Executor<'static> = Box::leak(Box::new(Executor::new()));
        for _ in 0..workers {
            std::thread::spawn(|| future::block_on(executor.run(future::pending::<()>())));
        }
        AsyncExecutor(executor)
    }

    #[inline]
    fn detach(self, f: impl FnOnce() + Send + 'static) {
        self.0.spawn(async move { f() }).detach();
    }
}

impl Awaiting for AsyncExecutor {
    type Handle<T: Send + 'static> = Task<T>;

    #[inline]
    fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> Task<T> {
        self.0.spawn(future)
    }

    #[inline]
    fn join<T: Send + 'static>(self, handle: Task<T>) -> impl Future<Output = T> + Send {
        handle
    }

    fn block_on<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        future::block_on(future)
    }
}
