//! The 64-bit name of an entry and the two numbers inside it.

use std::fmt;
use std::num::NonZeroU64;

/// The name of one entry of a [`Slab`](crate::Slab): a plain number to hand to C or to put on the wire.
///
/// A key is valid from [`Slab::open`](crate::Slab::open) until its entry is taken or closed; afterwards it is
/// stale for ever, also when the memory behind it serves another entry. A key says nothing about which slab it
/// belongs to: keep the keys of different slabs apart.
///
/// Zero is never a key, so `Option<Key>` is as small as `Key` and C callers can use 0 for "none".
///
/// ```
/// use wyn_future::{Key, Slab};
///
/// let slab = Slab::<u32>::new();
/// let key = slab.open();
/// let id: u64 = key.to_bits();
/// assert_eq!(Key::from_bits(id), Some(key));
/// assert_eq!(Key::from_bits(0), None);
/// assert_eq!(size_of::<Option<Key>>(), 8);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(NonZeroU64);

/// Which slot of the slab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index(pub(super) u32);

/// Which use of the slot: 1 for the first one. Zero only in slots that have not served yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(pub(super) u32);

impl Generation {
    /// Whether a slot of this generation must not serve again: one more use would repeat a key.
    #[inline]
    pub(super) const fn is_last(self) -> bool {
        self.0 == u32::MAX
    }
}

impl Key {
    /// # Panics
    /// On generation zero, which no open slot has.
    #[inline]
    pub(super) fn new(index: Index, generation: Generation) -> Self {
        let bits = u64::from(generation.0) << 32 | u64::from(index.0);
        Self::from_bits(bits).expect("an open slot has a generation above zero")
    }

    /// The key as a number, never zero.
    #[inline]
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0.get()
    }

    /// The key that [`to_bits`](Key::to_bits) made into this number; `None` for numbers that no slab ever hands
    /// out, zero among them.
    ///
    /// Any other number is accepted: if it names no open entry, the slab answers [`Stale`](crate::SlabError).
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits >> 32 == 0 {
            return None;
        }
        match NonZeroU64::new(bits) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the low half is the index")]
    pub(super) const fn index(self) -> Index {
        Index(self.0.get() as u32)
    }

    #[inline]
    pub(super) const fn generation(self) -> Generation {
        Generation((self.0.get() >> 32) as u32)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("index", &self.index().0)
            .field("generation", &self.generation().0)
            .finish()
    }
}
