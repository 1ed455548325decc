//! rayon on its global pool, as programs use it: `join`, `scope`, and a parallel iterator for `par_for`.

use std::ops::Range;

use ::rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use crate::backend::ForkJoin;

#[derive(Clone, Copy)]
pub(super) struct Rayon;

impl ForkJoin for Rayon {
    type Context<'c> = ();

    const SCOPE: bool = true;

    fn start(workers: usize) -> Rayon {
        // A second call in one process finds the pool there; what counts is its size.
        drop(::rayon::ThreadPoolBuilder::new().num_threads(workers).build_global());
        assert_eq!(::rayon::current_num_threads(), workers, "the pool has another size");
        Rayon
    }

    fn install<R: Send>(self, f: impl FnOnce(&mut ()) -> R + Send) -> R {
        ::rayon::scope(|_| f(&mut ()))
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
        ::rayon::join(|| a(&mut ()), || b(&mut ()))
    }

    #[inline]
    fn par_for<F>(_context: &mut (), range: Range<usize>, grain: usize, f: &F)
    where
        F: Fn(Range<usize>) + Sync,
    {
        range.into_par_iter().with_min_len(grain).for_each(|i| f(i..i + 1));
    }

    fn scope<F>(_context: &mut (), slots: &mut [u64], child: &F, body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync,
    {
        ::rayon::scope(|scope| {
            for (i, slot) in slots.iter_mut().enumerate() {
                scope.spawn(move |_| *slot = child(i));
            }
            body();
        });
    }
}
