//! The ring of slots of the Chase-Lev deque and the one word of each slot that hands it back.
//!
//! A slot holds a value and a sequence number. The number is the index that the slot may be written
//! for next, so a push needs no other check that the ring has room:
//!
//! | `seq` of the slot of index `i` | meaning |
//! |---|---|
//! | `i` | writable for `i`, or written for `i` and not drained |
//! | `i + capacity` | `i` is drained: writable one lap later |
//!
//! Whoever takes index `i` out of the ring through `top` (thief, FIFO owner, LIFO owner taking the
//! last task) reads the value and then drains the slot. A LIFO owner that takes `i` at `bottom`
//! leaves `seq` alone, since `i` is what it pushes next.
//!
//! All accesses to `seq` and to the values are in this file.
//!
//! | site | ordering | partner | dies in `tests/loom.rs` when weakened |
//! |---|---|---|---|
//! | [`Slot::drain`] | Release | [`Slot::is_free_for`] | `slot_reuse_over_a_lap` |
//! | [`Slot::is_free_for`] | Acquire | [`Slot::drain`] | `slot_reuse_over_a_lap` |
//!
//! This module knows neither who claims nor how rings are replaced.

use std::mem::MaybeUninit;

use crate::reclaim::{Liveness, Mortal};
use crate::sync::{AtomicUsize, Ordering, UnsafeCell};

/// One place for a task.
pub(crate) struct Slot<T> {
    /// Written by the owner while `seq` equals the index it pushes; read once by whoever claimed
    /// that index, and copied bitwise by the owner when it replaces the ring.
    value: UnsafeCell<MaybeUninit<T>>,
    /// Next index this slot may be written for. Set by whoever drains the slot, or by the owner
    /// before the ring is published; read by the owner.
    seq: AtomicUsize,
}

impl<T> Slot<T> {
    fn new(seq: usize) -> Self {
        Self { value: UnsafeCell::new(MaybeUninit::uninit()), seq: AtomicUsize::new(seq) }
    }

    /// Whether the owner may write index `index` here.
    #[inline]
    pub(crate) fn is_free_for(&self, index: usize) -> bool {
        // Ordering: Acquire pairs with the Release in `drain`: the read of the last value happens
        // before the write that this check permits.
        self.seq.load(Ordering::Acquire) == index
    }

    /// Gives the slot back to the owner, for the index one lap after the one just read.
    #[inline]
    pub(crate) fn drain(&self, next_index: usize) {
        // Ordering: Release pairs with the Acquire in `is_free_for`; see there.
        self.seq.store(next_index, Ordering::Release);
    }

    /// Puts a task in.
    ///
    /// # Safety
    ///
    /// - The caller is the owner, and `is_free_for(index)` held for the index it is about to
    ///   publish or that it has written here and not published.
    #[inline]
    pub(crate) unsafe fn write(&self, task: T) {
        // SAFETY: the owner is alone with a slot that is free for the index it pushes: thieves read
        // only indices they claimed, and an index is claimable once `bottom` has passed it.
        self.value.with_mut(|value| unsafe { value.write(MaybeUninit::new(task)) });
    }

    /// Takes the task out.
    ///
    /// # Safety
    ///
    /// - The caller has exclusively claimed the index that was last written here, has not read it
    ///   before, and the write happens before this call.
    /// - Nobody has drained the slot for that index yet.
    #[inline]
    pub(crate) unsafe fn read(&self) -> T {
        // SAFETY: written, and not overwritten before it is drained (both by contract).
        let value = self.value.with(|value| unsafe { value.read() });
        // SAFETY: the write happens before this read, and the claim makes it the only one whose
        // copy is taken for a value.
        unsafe { value.assume_init() }
    }

    /// Copies the bytes of another slot, without taking them for a value.
    ///
    /// # Safety
    ///
    /// - The caller owns both rings, and `self` is in one that no other thread can reach.
    unsafe fn copy_from(&self, other: &Slot<T>) {
        // SAFETY: only the caller ever writes to `other`; a thief may read it meanwhile.
        let bytes = other.value.with(|value| unsafe { value.read() });
        // SAFETY: no other thread can reach `self`.
        self.value.with_mut(|value| unsafe { value.write(bytes) });
    }
}

/// A power of two of slots; index `i` lives in slot `i mod capacity`.
pub(crate) struct Ring<T> {
    slots: Box<[Slot<T>]>,
    liveness: Liveness,
}

impl<T> Ring<T> {
    /// An empty ring whose slots are free for `first .. first + capacity`.
    ///
    /// # Panics
    ///
    /// When `capacity` slots exceed the address space.
    pub(crate) fn new(capacity: usize, first: usize) -> Self {
        assert!(capacity.is_power_of_two(), "indices are reduced by a mask");
        let offset_of_first = first & (capacity - 1);
        let slot = |position: usize| {
            // The slots before that of `first` hold the indices of the next lap.
            let lap = if position < offset_of_first { capacity } else { 0 };
            Slot::new(first.wrapping_sub(offset_of_first).wrapping_add(lap).wrapping_add(position))
        };
        Self { slots: (0..capacity).map(slot).collect(), liveness: Liveness::new() }
    }

    /// Number of slots.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Heap bytes of the ring.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val::<[Slot<T>]>(&self.slots)
    }

    /// The slot of `index`.
    #[inline]
    pub(crate) fn slot(&self, index: usize) -> &Slot<T> {
        self.liveness.check();
        let position = index & (self.slots.len() - 1);
        // SAFETY: `new` makes the length a power of two, so the mask keeps the position below it.
        unsafe { self.slots.get_unchecked(position) }
    }

    /// Takes the task of `index` out and gives its slot back.
    ///
    /// # Safety
    ///
    /// - As for [`Slot::read`], the claim having been made through `top`.
    #[inline]
    pub(crate) unsafe fn take(&self, index: usize) -> T {
        let slot = self.slot(index);
        // SAFETY: passed on to the caller.
        let task = unsafe { slot.read() };
        slot.drain(index.wrapping_add(self.capacity()));
        task
    }

    /// A ring of `capacity` slots with the bytes of `top .. bottom`, not yet reachable by anybody.
    ///
    /// # Safety
    ///
    /// - The caller owns `self` and has written `top .. bottom` to it, at most a ringful; thieves
    ///   may have claimed any of them meanwhile.
    pub(crate) unsafe fn replica(&self, capacity: usize, top: usize, bottom: usize) -> Self {
        debug_assert!(bottom.wrapping_sub(top) <= self.capacity().min(capacity));
        let replica = Self::new(capacity, top);
        for offset in 0..bottom.wrapping_sub(top) {
            let index = top.wrapping_add(offset);
            // SAFETY: the caller owns `self`; `replica` is a local.
            unsafe { replica.slot(index).copy_from(self.slot(index)) };
        }
        replica
    }
}

impl<T> Mortal for Ring<T> {
    fn kill(&self) {
        self.liveness.kill();
    }
}
