//! smolscale's global executor. Its size is not a choice: one thread per processor, or a single one.

use ::async_executor::Task;

use super::no_such_notion;
use crate::backend::{Awaiting, Backend};
use crate::record::{Cell, Line};
use crate::{os, workloads};

pub(super) fn run(cell: &Cell) -> Line {
    if cell.workers != 1 && cell.workers != os::allowed_cpus().len() {
        return no_such_notion("it has one thread per processor");
    }
    workloads::awaiting::<Smolscale>(cell)
}

#[derive(Clone, Copy)]
struct Smolscale;

impl Backend for Smolscale {
    fn start(workers: usize) -> Smolscale {
        if workers == 1 {
            ::smolscale::permanently_single_threaded();
        }
        // The first spawn starts the threads.
        ::smolscale::block_on(::smolscale::spawn(async {}));
        while ::smolscale::running_threads() < workers {
            std::thread::yield_now();
        }
        Smolscale
    }

    #[inline]
    fn detach(self, f: impl FnOnce() + Send + 'static) {
        ::smolscale::spawn(async move { f() }).detach();
    }
}

impl Awaiting for Smolscale {
    type Handle<T: Send + 'static> = Task<T>;

    #[inline]
    fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> Task<T> {
        ::smolscale::spawn(future)
    }

    #[inline]
    fn join<T: Send + 'static>(self, handle: Task<T>) -> impl Future<Output = T> + Send {
        handle
    }

    fn block_on<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        ::smolscale::block_on(future)
    }
}
