//! chili: a scope is handed down, and a clock decides when waiting work is shared.
//!
//! The calling thread is one of the workers, so that a pool of one has no thread of its own.

use std::num::NonZero;

use ::chili::{Config, Scope, ThreadPool};

use crate::backend::ForkJoin;

#[derive(Clone, Copy)]
pub(super) struct Chili(&'static ThreadPool);

impl ForkJoin for Chili {
    type Context<'c> = Scope<'c>;

    const SCOPE: bool = false;

    fn start(workers: usize) -> Chili {
        let config = Config { thread_count: NonZero::new(workers), ..Config::default() };
        Chili(Box::leak(Box::new(ThreadPool::with_config(config))))
    }

    fn install<R: Send>(self, f: impl FnOnce(&mut Scope<'_>) -> R + Send) -> R {
        f(&mut self.0.scope())
    }

    fn enter<R>(self, f: impl FnOnce(&mut Scope<'_>) -> R) -> R {
        f(&mut self.0.scope())
    }

    /// chili runs its second argument first and lets the first one wait.
    #[inline]
    fn join<A, B, RA, RB>(context: &mut Scope<'_>, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&mut Scope<'_>) -> RA + Send,
        B: FnOnce(&mut Scope<'_>) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        let (b, a) = context.join(b, a);
        (a, b)
    }

    fn scope<F>(_context: &mut Scope<'_>, _slots: &mut [u64], _child: &F, _body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync,
    {
        unreachable!("there is no scope that children are spawned onto");
    }
}
