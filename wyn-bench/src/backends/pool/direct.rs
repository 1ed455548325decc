//! An allocator called directly.

use std::alloc::{GlobalAlloc, Layout, handle_alloc_error};
use std::ptr::NonNull;

use crate::backend::Memory;

type Value = [u64; 4];

/// Memory from this allocator.
pub(super) struct Direct<A: 'static>(pub(super) &'static A);

impl<A> Clone for Direct<A> {
    fn clone(&self) -> Self {
        Direct(self.0)
    }
}

/// A value that its allocation owns.
pub(super) struct Block(NonNull<Value>);

// SAFETY: the value is plain numbers, and allocators free what any thread allocated.
unsafe impl Send for Block {}

impl<A: GlobalAlloc + Sync + 'static> Memory for Direct<A> {
    type Cell = Block;

    #[inline]
    fn take(&self, value: u64) -> Block {
        let layout = Layout::new::<Value>();
        // SAFETY: the layout is not empty.
        let block = unsafe { self.0.alloc(layout) };
        let Some(block) = NonNull::new(block.cast::<Value>()) else { handle_alloc_error(layout) };
        // SAFETY: large and aligned enough, and nobody else's.
        unsafe { block.write([value; 4]) };
        Block(block)
    }

    #[inline]
    fn give_back(&self, Block(block): Block) -> u64 {
        // SAFETY: `take` wrote a value, which this `Block` owns.
        let [value, ..] = unsafe { block.read() };
        // SAFETY: from `take` with the same layout, and a `Block` is given back once.
        unsafe { self.0.dealloc(block.as_ptr().cast(), Layout::new::<Value>()) };
        value
    }
}
