//! Wyn on its global runtime, as programs use it: the free functions.
//!
//! `WYN_WORKERS` in the probe's environment sets the number of workers.

use std::ops::Range;

use crate::backend::ForkJoin;

#[derive(Clone, Copy)]
pub(super) struct Wyn;

impl ForkJoin for Wyn {
    type Context<'c> = ();

    const SCOPE: bool = true;

    fn start(_workers: usize) -> Wyn {
        // The first use starts the workers; peers' are started before the clock as well.
        wyn_sched::global().install(|| ());
        Wyn
    }

    fn install<R: Send>(self, f: impl FnOnce(&mut ()) -> R + Send) -> R {
        wyn_sched::global().install(|| f(&mut ()))
    }

    fn enter<R>(self, f: impl FnOnce(&mut ()) -> R) -> R {
        f(&mut ())
    }

    #[inline]
    fn join<A, B, RA, RB>(_context: &mut (), a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&mut ()) -> RA + Send,
        B: FnOnce(&mut ()) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        wyn_sched::join(|| a(&mut ()), || b(&mut ()))
    }

    #[inline]
    fn par_for<F>(_context: &mut (), range: Range<usize>, grain: usize, f: &F)
    where
        F: Fn(Range<usize>) + Sync,
    {
        wyn_sched::par_for_ranges(range, grain, f);
    }

    fn scope<F>(_context: &mut (), slots: &mut [u64], child: &F, body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync,
    {
        wyn_sched::scope(|scope| {
            for (i, slot) in slots.iter_mut().enumerate() {
                scope.spawn_detached(move |_| *slot = child(i));
            }
            body();
        });
    }
}
