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

/// The slots themselves; dropping a ring frees memory and never drops an item.
pub(super) struct Ring<T> {
    slots: Box<[Slot<T>]>,
    /// The ring that this one replaced, if it is not freed yet; that one may have another. Only the owner, and
    /// the last handle's drop, look here.
    older: UnsafeCell<Option<NonNull<Self>>>,
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
        NonNull::from(Box::leak(Box::new(Self {
            slots: Self::slots(capacity),
            older: UnsafeCell::new(None),
        })))
    }

    /// Slots that nothing is written to: memory of a large ring is first touched by the items in it.
    #[cfg(not(wyn_loom))]
    fn slots(capacity: usize) -> Box<[Slot<T>]> {
        let slots = Box::new_uninit_slice(capacity);
        // SAFETY: a slot is a transparent wrapper of a `MaybeUninit`, which may hold anything.
        unsafe { slots.assume_init() }
    }

    /// Models can tell a slot that was never filled: it reads as zero, which no item of theirs is.
    #[cfg(wyn_loom)]
    fn slots(capacity: usize) -> Box<[Slot<T>]> {
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

    /// Remembers that `ring` has replaced `older`.
    ///
    /// # Safety
    /// * Both came from [`Ring::alloc`] and are not freed, and `ring` has no older one yet.
    /// * Nobody else calls this or [`Ring::take_older`] for `ring` meanwhile.
    pub(super) unsafe fn keep_older(ring: NonNull<Self>, older: NonNull<Self>) {
        // SAFETY: the ring is alive by contract, and nobody has a `&mut` to it.
        let ring = unsafe { ring.as_ref() };
        // SAFETY: the pointer is good for writes, and no other access overlaps by contract.
        ring.older.with_mut(|place| unsafe { place.write(Some(older)) });
    }

    /// Hands over the ring that `ring` replaced, if it was not handed over before.
    ///
    /// # Safety
    /// * `ring` came from [`Ring::alloc`] and is not freed.
    /// * Nobody else calls this or [`Ring::keep_older`] for `ring` meanwhile.
    pub(super) unsafe fn take_older(ring: NonNull<Self>) -> Option<NonNull<Self>> {
        // SAFETY: the ring is alive by contract, and nobody has a `&mut` to it.
        let ring = unsafe { ring.as_ref() };
        // SAFETY: the pointer is good for reads and writes, and no other access overlaps by contract.
        ring.older.with_mut(|place| unsafe { place.replace(None) })
    }

    /// Frees a ring and those that it and they replaced.
    ///
    /// # Safety
    /// * `ring` came from [`Ring::alloc`], is not freed, and nobody uses it or a view of it again. So it is with
    ///   each older one.
    pub(super) unsafe fn free(ring: NonNull<Self>) {
        let mut next = Some(ring);
        while let Some(ring) = next {
            // SAFETY: alive until the next line, and its only user is here, by contract.
            next = unsafe { Self::take_older(ring) };
            // SAFETY: `alloc` leaked a box, and by contract this is its only and last user.
            drop(unsafe { Box::from_raw(ring.as_ptr()) });
        }
    }

    /// Frees a ring that was replaced, and those that it and they replaced, while the deque lives on.
    ///
    /// # Safety
    /// * As for [`Ring::free`].
    #[cfg(not(wyn_loom))]
    pub(super) unsafe fn free_retired(ring: NonNull<Self>) {
        // SAFETY: the same contract.
        unsafe { Self::free(ring) };
    }

    /// Empties the slots in place of freeing them, and leaks them: a model in which a thief is still at one fails
    /// of the race, whether the thief comes before or after, and one in which it takes a zero fails of that.
    ///
    /// # Safety
    /// * As for [`Ring::free`].
    #[cfg(wyn_loom)]
    pub(super) unsafe fn free_retired(ring: NonNull<Self>) {
        let mut next = Some(ring);
        while let Some(ring) = next {
            // SAFETY: never freed, and its only user is here, by contract.
            next = unsafe { Self::take_older(ring) };
            // SAFETY: never freed.
            let slots = unsafe { &ring.as_ref().slots };
            for slot in slots {
                // SAFETY: the pointer is good for writes; loom sees whether anybody else is there.
                slot.with_mut(|place| unsafe { place.write(MaybeUninit::zeroed()) });
            }
        }
    }
}

impl<T> View<T> {
    #[inline]
    pub(super) fn capacity(self) -> usize {
        self.mask + 1
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

    /// A copy of what is in slot `at`.
    ///
    /// # Safety
    /// * The ring is alive, and slot `at` holds an item, or one that somebody has taken.
    /// * Nobody writes the slot meanwhile.
    #[inline]
    pub(super) unsafe fn copy(self, at: Index) -> T
    where
        T: Copy,
    {
        // SAFETY: alive, filled and not written by contract; a `Copy` item needs no owner.
        unsafe { self.read(at) }
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
}
