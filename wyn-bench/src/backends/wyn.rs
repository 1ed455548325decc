//! Wyn the way a program uses it: the free functions on the global runtime.
//!
//! Under the name `wyn` the tasks are closures that block or help; under `wyn_async` they are futures.
//!
//! `WYN_WORKERS` in the probe's environment sets the number of workers.

use crate::backend::{Awaiting, Backend, Blocking};

#[derive(Clone, Copy)]
pub(super) struct Wyn;

impl Backend for Wyn {
    fn start(_workers: usize) -> Wyn {
        // The first use starts the workers; peers' are started before the clock as well.
        wyn_sched::global().install(|| ());
        Wyn
    }

    #[inline]
    fn detach(self, f: impl FnOnce() + Send + 'static) {
        wyn_sched::spawn_detached(f);
    }
}

impl Blocking for Wyn {
    type Handle<T: Send + 'static> = wyn_sched::JoinHandle<T>;

    #[inline]
    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Self::Handle<T> {
        wyn_sched::spawn(f)
    }

    #[inline]
    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> T {
        handle.join().expect("the task panicked")
    }

    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T {
        wyn_sched::global().install(f)
    }
}

/// The same runtime, asked for futures.
#[derive(Clone, Copy)]
pub(super) struct WynAsync;

impl Backend for WynAsync {
    fn start(workers: usize) -> WynAsync {
        Wyn::start(workers);
        WynAsync
    }

    #[inline]
    fn detach(self, f: impl FnOnce() + Send + 'static) {
        wyn_sched::spawn_future(async move { f() }).detach();
    }
}

impl Awaiting for WynAsync {
    type Handle<T: Send + 'static> = wyn_sched::JoinHandle<T>;

    #[inline]
    fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> Self::Handle<T> {
        wyn_sched::spawn_future(future)
    }

    #[inline]
    async fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> T {
        handle.await.expect("the task panicked")
    }

    fn block_on<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        wyn_sched::block_on(future)
    }
}
