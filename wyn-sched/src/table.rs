//! A table that grows without moving: what is in it may be read while it does.
//!
//! Its segments are made when they are first needed, each as large as all before it. Whoever has a reference to an
//! entry keeps it for as long as the table.

use std::sync::OnceLock;

/// Entries of the first segment: a small runtime needs no other. A model has few threads, and all entries are its objects.
const FIRST: usize = if cfg!(wyn_loom) { 4 } else { 64 };
/// With so many segments there are more entries than a runtime has ids.
const SEGMENTS: usize = 12;
/// How many entries a table can have.
pub(crate) const MOST: usize = FIRST << (SEGMENTS - 1);

pub(crate) struct Table<T>([OnceLock<Box<[T]>>; SEGMENTS]);

impl<T: Default> Table<T> {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; SEGMENTS])
    }

    /// The entry of this index, below [`MOST`].
    pub(crate) fn entry(&self, index: usize) -> &T {
        let (segment, at) = place(index);
        &self.0[segment].get_or_init(|| (0..size(segment)).map(|_| T::default()).collect())[at]
    }

    /// The same, if anybody has asked for it, or for one near it, by [`entry`](Self::entry).
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (segment, at) = place(index);
        self.0.get(segment)?.get()?.get(at)
    }
}

/// The segment of an entry, and where in it.
#[inline]
fn place(index: usize) -> (usize, usize) {
    let segment = (usize::BITS - (index / FIRST).leading_zeros()) as usize;
    (segment, if segment == 0 { index } else { index - size(segment) })
}

/// So many entries a segment has. All but the first have as many as those before them.
fn size(segment: usize) -> usize {
    FIRST << segment.saturating_sub(1)
}

#[cfg(all(test, not(wyn_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_index_has_an_entry_of_its_own() {
        let table = Table::<AtomicUsize>::new();
        for index in (0..5000).chain([MOST - 1]) {
            // Ordering: Relaxed: one thread.
            assert_eq!(table.entry(index).swap(index + 1, Ordering::Relaxed), 0, "{index}");
        }
        for index in (0..5000).chain([MOST - 1]) {
            // Ordering: Relaxed: as above.
            assert_eq!(table.get(index).unwrap().load(Ordering::Relaxed), index + 1);
        }
    }

    #[test]
    fn a_look_makes_nothing() {
        let table = Table::<AtomicUsize>::new();
        assert!([0, 63, 64, MOST - 1, MOST, usize::MAX].iter().all(|&index| table.get(index).is_none()));
        table.entry(70);
        assert!(table.get(69).is_some() && table.get(63).is_none() && table.get(128).is_none());
    }
}
