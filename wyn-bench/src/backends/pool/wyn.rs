//! Wyn's memory: raw cells, as its tasks take them, and typed boxes.

use std::ptr::NonNull;

use wyn_pool::raw::{self, SizeClass};
use wyn_pool::{Pool, PoolBox};

use crate::backend::Memory;

type Value = [u64; 4];

/// Cells of 32 bytes.
#[derive(Clone)]
pub(super) struct Raw;

/// A value that its cell owns.
pub(super) struct RawCell(NonNull<Value>);

// SAFETY: the value is plain numbers, and cells may be freed by any thread.
unsafe impl Send for RawCell {}

impl Memory for Raw {
    type Cell = RawCell;

    #[inline]
    fn take(&self, value: u64) -> RawCell {
        let cell = raw::alloc(SizeClass::C32).cast::<Value>();
        // SAFETY: a cell of 32 bytes, aligned to 32, and nobody else's.
        unsafe { cell.write([value; 4]) };
        RawCell(cell)
    }

    #[inline]
    fn give_back(&self, RawCell(cell): RawCell) -> u64 {
        // SAFETY: `take` wrote a value, which this `RawCell` owns.
        let [value, ..] = unsafe { cell.read() };
        // SAFETY: from `take` with the same class, and a `RawCell` is given back once.
        unsafe { raw::free(cell.cast(), SizeClass::C32) };
        value
    }
}

/// Boxes of one pool.
#[derive(Clone)]
pub(super) struct Boxes(Pool<Value>);

impl Boxes {
    pub(super) fn new() -> Boxes {
        Boxes(Pool::new())
    }
}

impl Memory for Boxes {
    type Cell = PoolBox<Value>;

    #[inline]
    fn take(&self, value: u64) -> PoolBox<Value> {
        self.0.alloc([value; 4])
    }

    #[inline]
    fn give_back(&self, cell: PoolBox<Value>) -> u64 {
        cell[0]
    }
}
