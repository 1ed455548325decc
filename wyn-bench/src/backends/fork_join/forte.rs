//! Forte: a worker is handed down. The calling thread becomes a member of the pool.

use ::forte::{ThreadPool, Worker};

use crate::backend::ForkJoin;

static POOL: ThreadPool = ThreadPool::new();

#[derive(Clone, Copy)]
pub(super) struct Forte;

impl ForkJoin for Forte {
    type Context<'c> = &'c Worker;

    const SCOPE: bool = true;

    fn start(workers: usize) -> Forte {
        POOL.resize_to(workers - 1);
        Forte
    }

    fn install<R: Send>(self, f: impl FnOnce(&mut &Worker) -> R + Send) -> R {
        POOL.with_worker(|mut worker| f(&mut worker))
    }

    fn enter<R>(self, f: impl FnOnce(&mut &Worker) -> R) -> R {
        POOL.with_worker(|mut worker| f(&mut worker))
    }

    /// Forte runs its second argument first and lets the first one wait.
    #[inline]
    fn join<A, B, RA, RB>(context: &mut &Worker, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&mut &Worker) -> RA + Send,
        B: FnOnce(&mut &Worker) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        let (b, a) = context.join(|mut worker| b(&mut worker), |mut worker| a(&mut worker));
        (a, b)
    }

    fn scope<F>(context: &mut &Worker, slots: &mut [u64], child: &F, body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync,
    {
        context.scope(|scope| {
            for (i, slot) in slots.iter_mut().enumerate() {
                scope.spawn(move |_: &Worker| *slot = child(i));
            }
            body();
        });
    }
}
