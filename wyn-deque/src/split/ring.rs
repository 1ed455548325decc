//! The ring: a power of two of slots, and the only code that touches one.
//!
//! A ring knows nothing of ownership. Who may read or write which slot is settled by the words
//! (`words.rs`) and argued in the module docs; every function here that touches slots is `unsafe`
//! and says which slots the caller must own.

use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use super::index::Index;
use crate::sync::UnsafeCell;

/// One place for one item. It does not know whether it is filled.
type Slot<T> = UnsafeCell<MaybeUninit<T>>;

/// A retired ring of this many bytes asks the epoch's collector to hurry.
#[cfg(not(wyn_loom))]
const HURRY_BYTES: usize = 1 << 10;

/// The slots themselves; dropping a ring frees memory and never drops an item.
pub(super) struct Ring<T> {
    slots: Box<[Slot<T>]>,
}

/// A pointer to the slots of a ring, with its mask: what both ends work with.
///
/// It keeps nothing alive.
pub(super) struct View<T> {
    slots: NonNull<Slot<T>>,
    mask: usize,
}

impl<T> Clone for View<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for View<T> {}

impl<T> Ring<T> {
    /// Allocates a ring of `capacity` slots, a power of two.
    pub(super) fn alloc(capacity: usize) -> NonNull<Self> {
        assert!(capacity.is_power_of_two());
        NonNull::from(Box::leak(Box::new(Self { slots: Self::empty(capacity) })))
    }

    /// Slots that no byte is written to: a page of them costs nothing until it is used.
    #[cfg(not(wyn_loom))]
    fn empty(capacity: usize) -> Box<[Slot<T>]> {
        let slots = Box::<[Slot<T>]>::new_uninit_slice(capacity);
        // SAFETY: a slot is a `MaybeUninit` in a cell, which any bytes are, unwritten ones too.
        unsafe { slots.assume_init() }
    }

    /// Models can tell a slot that was never filled: it reads as zero, which no item of theirs is.
    #[cfg(wyn_loom)]
    fn empty(capacity: usize) -> Box<[Slot<T>]> {
        (0..capacity).map(|_| Slot::new(MaybeUninit::zeroed())).collect()
    }

    /// The view of a ring.
    ///
    /// # Safety
    /// * `ring` came from [`Ring::alloc`] and is not freed.
    #[inline]
    pub(super) unsafe fn view(ring: NonNull<Self>) -> View<T> {
        // SAFETY: the ring is alive by contract, and nobody has a `&mut` to it: rings are shared
        // from their birth to `free`.
        let slots = unsafe { &ring.as_ref().slots };
        View { slots: NonNull::from(&**slots).cast(), mask: slots.len() - 1 }
    }

    /// Frees a ring at once.
    ///
    /// # Safety
    /// * `ring` came from [`Ring::alloc`], is not freed, and nobody uses it or a view of it again.
    pub(super) unsafe fn free(ring: NonNull<Self>) {
        // SAFETY: `alloc` leaked a box, and by contract this is its only and last user.
        drop(unsafe { Box::from_raw(ring.as_ptr()) });
    }

    /// Frees a ring once every thread that is pinned at this moment is unpinned.
    ///
    /// # Safety
    /// * `ring` came from [`Ring::alloc`] and is not freed.
    /// * No thread that pins itself from here on can find it; those who found it are pinned.
    #[cfg(not(wyn_loom))]
    pub(super) unsafe fn retire(ring: NonNull<Self>) {
        let guard = crossbeam_epoch::pin();
        // SAFETY: the call below says when `ring` has no user left.
        let free = move || unsafe { Self::free(ring) };
        // SAFETY: whoever still reads the ring is pinned by contract, hence the closure runs after
        // its last use. It frees memory and touches no `T`, so it may run on any thread and after
        // the end of any lifetime in `T`.
        unsafe { guard.defer_unchecked(free) };
        // SAFETY: the ring cannot be freed while `guard` is alive.
        if unsafe { Self::view(ring) }.bytes() >= HURRY_BYTES {
            guard.flush();
        }
    }

    /// Leaks the ring: loom does not see into the epochs, so no model may depend on them.
    ///
    /// # Safety
    /// As without loom.
    #[cfg(wyn_loom)]
    pub(super) unsafe fn retire(_ring: NonNull<Self>) {}
}

impl<T> View<T> {
    #[inline]
    pub(super) fn capacity(self) -> usize {
        self.mask + 1
    }

    #[cfg(not(wyn_loom))]
    fn bytes(self) -> usize {
        self.capacity() * size_of::<Slot<T>>()
    }

    /// # Safety
    /// * The ring is alive for as long as the caller uses the slot.
    #[inline]
    unsafe fn slot<'a>(self, at: Index) -> &'a Slot<T> {
        // SAFETY: the masked index is below the length of the slots.
        let slot = unsafe { self.slots.add(at.0 & self.mask) };
        // SAFETY: the slot is initialised memory of a ring that is alive by contract; what is inside
        // is behind an `UnsafeCell`.
        unsafe { slot.as_ref() }
    }

    /// The slots from `at` on, at most `n`, up to the end of the memory block.
    ///
    /// # Safety
    /// * The ring is alive for as long as the caller uses the slots.
    #[inline]
    unsafe fn run<'a>(self, at: Index, n: usize) -> &'a [Slot<T>] {
        let start = at.0 & self.mask;
        // SAFETY: the masked index is below the length of the slots.
        let first = unsafe { self.slots.add(start) };
        let len = n.min(self.capacity() - start);
        // SAFETY: `start + len` is at most the length; the ring is alive by contract.
        unsafe { std::slice::from_raw_parts(first.as_ptr(), len) }
    }

    /// Moves the item out of slot `at`.
    ///
    /// # Safety
    /// * The ring is alive, and slot `at` holds an item that the caller owns.
    /// * Nobody writes the slot meanwhile.
    #[inline]
    pub(super) unsafe fn read(self, at: Index) -> T {
        // SAFETY: the ring is alive by contract.
        let slot = unsafe { self.slot(at) };
        slot.with(|item| {
            // SAFETY: the pointer is good for reads, and no write overlaps by contract.
            let item = unsafe { item.read() };
            // SAFETY: the slot holds an item, which the caller owns: it is moved out once.
            unsafe { item.assume_init() }
        })
    }

    /// Moves an item into slot `at`; what the slot held is forgotten.
    ///
    /// # Safety
    /// * The ring is alive, and nobody else reads or writes the slot meanwhile.
    #[inline]
    pub(super) unsafe fn write(self, at: Index, item: T) {
        // SAFETY: the ring is alive by contract.
        let slot = unsafe { self.slot(at) };
        // SAFETY: the pointer is good for writes, and no other access overlaps by contract.
        slot.with_mut(|place| unsafe { place.write(MaybeUninit::new(item)) });
    }

    /// Copies the `n` slots from `from` on into the slots of `dest` from `to` on, in order.
    ///
    /// # Safety
    /// * Both rings are alive and are two different rings, and `n` is at most either capacity.
    /// * Nobody writes the source slots, and nobody touches the target slots meanwhile.
    pub(super) unsafe fn copy_to(self, from: Index, dest: Self, to: Index, n: usize) {
        let mut copied = 0;
        while copied < n {
            // SAFETY: the source ring is alive by contract.
            let source = unsafe { self.run(from.plus(copied), n - copied) };
            // SAFETY: the target ring is alive by contract.
            let target = unsafe { dest.run(to.plus(copied), source.len()) };
            for (item, place) in source.iter().zip(target) {
                // SAFETY: different rings do not overlap; by contract nobody writes the source and
                // nobody touches the target. Copying bits is sound for any content.
                item.with(|item| place.with_mut(|place| unsafe { ptr::copy_nonoverlapping(item, place, 1) }));
            }
            copied += target.len();
        }
    }

    /// Moves the `n` items from `from` on to the end of `dest`, in order.
    ///
    /// # Safety
    /// * The ring is alive, and the `n` slots hold items that the caller owns.
    /// * Nobody writes these slots meanwhile.
    pub(super) unsafe fn move_to(self, from: Index, n: usize, dest: &mut Vec<T>) {
        let mut moved = 0;
        while moved < n {
            // SAFETY: the ring is alive by contract.
            let source = unsafe { self.run(from.plus(moved), n - moved) };
            dest.extend(source.iter().map(|slot| {
                slot.with(|item| {
                    // SAFETY: the pointer is good for reads, and no write overlaps by contract.
                    let item = unsafe { item.read() };
                    // SAFETY: the caller owns the item; it is moved out once.
                    unsafe { item.assume_init() }
                })
            }));
            moved += source.len();
        }
    }
}
