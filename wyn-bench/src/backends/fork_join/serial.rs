//! Plain calls: the floor under every table, not a peer.

use std::ops::Range;

use crate::backend::ForkJoin;
use crate::backends::no_such_notion;
use crate::record::{Cell, Line};
use crate::workloads::fork_join;

pub(super) fn run(cell: &Cell) -> Line {
    match cell.workload.as_str() {
        "long_leaf" => no_such_notion("nobody else could start the children"),
        _ => fork_join::measure::<Serial>(cell),
    }
}

#[derive(Clone, Copy)]
struct Serial;

impl ForkJoin for Serial {
    type Context<'c> = ();

    const SCOPE: bool = true;

    fn start(_workers: usize) -> Serial {
        Serial
    }

    fn install<R: Send>(self, f: impl FnOnce(&mut ()) -> R + Send) -> R {
        f(&mut ())
    }

    fn enter<R>(self, f: impl FnOnce(&mut ()) -> R) -> R {
        f(&mut ())
    }

    #[inline]
    fn join<A, B, RA, RB>(context: &mut (), a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&mut ()) -> RA + Send,
        B: FnOnce(&mut ()) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        (a(context), b(context))
    }

    #[inline]
    fn par_for<F>(_context: &mut (), range: Range<usize>, _grain: usize, f: &F)
    where
        F: Fn(Range<usize>) + Sync,
    {
        f(range);
    }

    fn scope<F>(_context: &mut (), slots: &mut [u64], child: &F, body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync,
    {
        for (i, slot) in slots.iter_mut().enumerate() {
            *slot = child(i);
        }
        body();
    }
}
