//! Giving blocks back: counts the free cells of each block, drops the blocks that are wholly free.

use crate::cell::{FreeCell, List, Range};
use crate::depot::{Depot, Geometry, State};
use core::ptr::{self, NonNull};

impl Depot {
    /// Gives wholly free blocks back; returns their bytes. Walks every cell in the depot's lists.
    pub(crate) fn trim(&self) -> usize {
        self.with(trim)
    }

    /// Gives all blocks back.
    ///
    /// # Safety
    /// - Every cell is free and nobody will use the pool again.
    pub(crate) unsafe fn release_all(&self) {
        self.with(|state, _| {
            for block in core::mem::replace(state, State::new()).blocks {
                // SAFETY: no cell of the block is live, by the caller's promise, and its lists are gone.
                unsafe { block.release() };
            }
        });
    }
}

fn trim(state: &mut State, geometry: &Geometry) -> usize {
    state.blocks.sort_unstable_by_key(|block| block.start());
    let free = count(state, geometry);
    let dead: Vec<bool> =
        state.blocks.iter().zip(&free).map(|(block, free)| block.bytes() / geometry.cell == *free).collect();
    if !dead.contains(&true) {
        return 0;
    }
    keep_live(state, geometry, &dead);
    release(state, geometry, &dead)
}

/// Free cells in the depot, per block.
fn count(state: &State, geometry: &Geometry) -> Vec<usize> {
    let mut free = vec![0; state.blocks.len()];
    let mut head = state.full;
    while !head.is_null() {
        for_each(head, |cell| free[state.block_of(cell.cast())] += 1);
        // SAFETY: heads of full lists have their link written.
        head = unsafe { (*head).link };
    }
    for_each(state.loose.head, |cell| free[state.block_of(cell.cast())] += 1);
    let mut node = state.ranges;
    while !node.is_null() {
        // SAFETY: nodes of the chain of ranges hold both words.
        let FreeCell { next, link } = unsafe { node.read() };
        free[state.block_of(node.cast())] += (link.addr() - node.addr()) / geometry.cell;
        node = next;
    }
    if !state.fresh.is_empty() {
        free[state.block_of(state.fresh.start)] += state.fresh.bytes() / geometry.cell;
    }
    free
}

/// Calls `f` for each cell of a list; `f` may relink the cell it is given.
fn for_each(mut cell: *mut FreeCell, mut f: impl FnMut(*mut FreeCell)) {
    while !cell.is_null() {
        // SAFETY: cells in a list have their link written.
        let next = unsafe { (*cell).next };
        f(cell);
        cell = next;
    }
}

/// Rebuilds lists and ranges without the cells of dead blocks.
fn keep_live(state: &mut State, geometry: &Geometry, dead: &[bool]) {
    let mut full = core::mem::replace(&mut state.full, ptr::null_mut());
    let loose = core::mem::replace(&mut state.loose, List::EMPTY);
    let ranges = core::mem::replace(&mut state.ranges, ptr::null_mut());
    state.full_lists = 0;
    let mut keep = |cell: *mut FreeCell| {
        if !dead[state.block_of(cell.cast())] {
            // SAFETY: the cell was in a list of the depot that has just been taken apart.
            unsafe { state.push_loose(cell, geometry) };
        }
    };
    while let Some(head) = NonNull::new(full) {
        // SAFETY: heads of full lists have their link written.
        full = unsafe { (*head.as_ptr()).link };
        for_each(head.as_ptr(), &mut keep);
    }
    for_each(loose.head, &mut keep);
    keep_ranges(state, ranges, dead);
}

fn keep_ranges(state: &mut State, mut node: *mut FreeCell, dead: &[bool]) {
    while !node.is_null() {
        // SAFETY: nodes of the chain of ranges hold both words.
        let FreeCell { next, link } = unsafe { node.read() };
        let range = Range { start: node.cast(), end: link.cast() };
        state.range_bytes -= range.bytes();
        if !dead[state.block_of(range.start)] {
            // SAFETY: the range was in the chain that has just been taken apart.
            unsafe { state.push_range(range) };
        }
        node = next;
    }
    if !state.fresh.is_empty() && dead[state.block_of(state.fresh.start)] {
        state.range_bytes -= state.fresh.bytes();
        state.fresh = Range::EMPTY;
    }
}

/// Gives the dead blocks back.
fn release(state: &mut State, geometry: &Geometry, dead: &[bool]) -> usize {
    let mut bytes = 0;
    let mut blocks = Vec::with_capacity(state.blocks.len());
    for (block, dead) in core::mem::take(&mut state.blocks).into_iter().zip(dead) {
        if *dead {
            bytes += block.bytes();
            state.cells -= block.bytes() / geometry.cell;
            // SAFETY: all cells of the block were free, and no list and no range holds one any more.
            unsafe { block.release() };
        } else {
            blocks.push(block);
        }
    }
    state.blocks = blocks;
    state.bytes -= bytes;
    bytes
}

impl State {
    /// The index of the block a cell lies in; `blocks` must be sorted by address.
    fn block_of(&self, cell: *mut u8) -> usize {
        self.blocks.partition_point(|block| block.start().as_ptr() <= cell) - 1
    }
}
