//! [`Index`]: a position in the endless row of items, which wraps.

/// A position in the row of all items that a deque ever held.
///
/// Positions wrap at `usize::MAX`; two positions of one deque are never more than a capacity apart,
/// so the signed difference orders them. Nothing else of a position has a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Index(pub(super) usize);

impl Index {
    #[inline]
    pub(super) fn plus(self, n: usize) -> Self {
        Self(self.0.wrapping_add(n))
    }

    #[inline]
    pub(super) fn minus(self, n: usize) -> Self {
        Self(self.0.wrapping_sub(n))
    }

    /// The later of two.
    #[inline]
    pub(super) fn max(self, other: Self) -> Self {
        if self.since(other) < 0 { other } else { self }
    }

    /// How far `self` lies after `earlier`; negative if it lies before.
    #[inline]
    pub(super) fn since(self, earlier: Self) -> isize {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }

    /// The number of items from `earlier` up to `self`, zero if there are none.
    #[inline]
    pub(super) fn items_since(self, earlier: Self) -> usize {
        self.since(earlier).max(0).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::Index;

    #[test]
    fn differences_are_signed_across_the_wrap() {
        let before = Index(usize::MAX);
        let after = before.plus(3);
        assert_eq!(after, Index(2));
        assert_eq!(after.since(before), 3);
        assert_eq!(before.since(after), -3);
        assert_eq!(before.items_since(after), 0);
        assert_eq!(Index(0).minus(1), before);
        assert_eq!((before.max(after), after.max(before)), (after, after));
    }
}
