//! Which slots are free: a list of those that have served, last in first out, and a counter of those that have not.
//!
//! A Treiber stack whose head carries a tag. Slots are never given back to the allocator, so following a link that
//! is out of date is harmless: it reads some number, and the exchange of the head then fails because each pop
//! changes the tag.
//!
//! Invariant: all changes of `head` are read-modify-writes, so they form one release sequence, and a pop is
//! ordered after every push before it.

use super::key::Index;
use super::slot::Slot;
use super::table::{MAX_SLOTS, Table};
use crate::sync::{AtomicU32, AtomicU64, Ordering, needed};

/// `MAX_SLOTS` is below `1 << INDEX_BITS`; index + 1 fits, and 0 means an empty list.
const INDEX_BITS: u32 = 28;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;
/// The tag fills the rest: a pop is fooled only if a multiple of 2^36 others run between its load and its exchange.
const TAG_ONE: u64 = 1 << INDEX_BITS;

/// On cache lines of its own: every open and every take writes here.
#[repr(align(128))]
pub(super) struct Free {
    /// Index + 1 of the slot freed last, and the number of pops so far.
    head: AtomicU64,
    /// Slots from here on have not served yet.
    fresh: AtomicU32,
}

impl Free {
    pub(super) const NONE: u32 = 0;

    pub(super) fn new() -> Self {
        const { assert!((MAX_SLOTS as u64) < 1 << INDEX_BITS) };
        Self { head: AtomicU64::new(0), fresh: AtomicU32::new(0) }
    }

    /// The slot freed last; `None` if every slot that ever served is in use, or worn out, or about to be freed.
    /// The caller owns the slot.
    #[inline]
    pub(super) fn pop<'a, T>(&self, table: &'a Table<T>) -> Option<(Index, &'a Slot<T>)> {
        // Ordering: Acquire (here and on failure below), pairs with the Release in `push`: the slot's link, and all
        // uses of the slot in its earlier lives, come before. (Dies without it: `reuse_meets_stale_keys` and
        // `free_list_churns`; without the tag: `free_list_withstands_aba`.)
        let acquire = needed("slab pop", Ordering::Acquire);
        let mut head = self.head.load(acquire);
        loop {
            let index = first(head)?;
            let slot = table.get(index).expect("a slot that has served exists");
            let next = (head & !INDEX_MASK).wrapping_add(TAG_ONE) | u64::from(slot.link());
            // Ordering: Relaxed on success: the tag makes it read the very store that was loaded with Acquire, and
            // the release sequence goes on through any read-modify-write.
            match self.head.compare_exchange_weak(head, next, Ordering::Relaxed, acquire) {
                Ok(_) => return Some((index, slot)),
                Err(seen) => head = seen,
            }
        }
    }

    /// Gives up the slot, which the caller owns.
    #[inline]
    pub(super) fn push<T>(&self, index: Index, slot: &Slot<T>) {
        // Ordering: Relaxed: only a guess for the exchange.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            slot.set_link(first(head).map_or(Self::NONE, |next| next.0 + 1));
            let pushed = head & !INDEX_MASK | u64::from(index.0 + 1);
            // Ordering: Release, pairs with the Acquire in `pop`: link and value are done with; Relaxed on
            // failure: nothing is read through the head.
            match self.head.compare_exchange_weak(
                head,
                pushed,
                needed("slab push", Ordering::Release),
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }

    /// A slot that has not served yet, which may still have to be allocated. The caller owns it.
    ///
    /// Only for use after `pop` found nothing: so there are never more slots in service than entries were open, or
    /// being opened or freed, at one time.
    ///
    /// # Panics
    /// If there is none left.
    pub(super) fn fresh(&self) -> Index {
        // Ordering: Relaxed: the number alone makes the slot the caller's; the table publishes the chunk.
        let fresh = self.fresh.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |fresh| {
            (fresh < MAX_SLOTS).then(|| fresh + 1)
        });
        Index(fresh.unwrap_or_else(|_| panic!("more than {MAX_SLOTS} entries are open in one slab")))
    }

    /// The slots that have served.
    pub(super) fn served(&self) -> impl Iterator<Item = Index> + use<> {
        // Ordering: Relaxed: a number for people.
        (0..self.fresh.load(Ordering::Relaxed)).map(Index)
    }
}

/// The index in a head word.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the mask is below 32 bits")]
const fn first(head: u64) -> Option<Index> {
    match (head & INDEX_MASK) as u32 {
        Free::NONE => None,
        number => Some(Index(number - 1)),
    }
}
