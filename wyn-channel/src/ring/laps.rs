//! How a ring counts: a position is an index, the bit that says `closed`, and above it the lap.
//!
//! Numbers only: an operation copies them once, and counts in registers from there on.

/// The numbers of one ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Laps {
    /// The bit between index and lap, which only `tail` ever has.
    pub(super) closed: usize,
    /// How many slots there are.
    cap: usize,
}

impl Laps {
    /// At least 4 for the bit, so that a lap leaves three bits below it free: for what a stamp has to say.
    pub(super) fn closed_bit(cap: usize) -> usize {
        (cap + 1).next_power_of_two().max(4)
    }

    #[inline]
    pub(super) fn new(closed: usize, cap: usize) -> Self {
        Self { closed, cap }
    }

    #[inline]
    pub(super) fn index(self, position: usize) -> usize {
        position & (self.closed - 1)
    }

    /// The position without its index: a lap's number, and the `closed` bit if it is set.
    #[inline]
    pub(super) fn without_index(self, position: usize) -> usize {
        position & !(self.closed - 1)
    }

    /// The lap's number.
    #[inline]
    pub(super) fn lap(self, position: usize) -> usize {
        position & !((self.closed << 1) - 1)
    }

    #[inline]
    pub(super) fn next_lap(self, lap: usize) -> usize {
        lap.wrapping_add(self.closed << 1)
    }

    /// The next position. Its index is that of a slot if this one's is.
    #[inline]
    pub(super) fn after(self, position: usize) -> usize {
        if self.index(position) + 1 < self.cap { position + 1 } else { self.next_lap(self.lap(position)) }
    }

    /// The position so many slots ahead, less than one lap.
    #[inline]
    pub(super) fn ahead(self, position: usize, slots: usize) -> usize {
        let (index, lap) = (self.index(position) + slots, self.lap(position));
        if index < self.cap { lap | index } else { self.next_lap(lap) | (index - self.cap) }
    }
}

#[cfg(all(test, not(wyn_loom)))]
mod tests {
    use super::*;

    fn laps(cap: usize) -> Laps {
        Laps::new(Laps::closed_bit(cap), cap)
    }

    #[test]
    fn a_lap_has_as_many_positions_as_slots() {
        for cap in [1, 2, 3, 4, 7, 8, 100] {
            let laps = laps(cap);
            let mut position = 0;
            for lap in 0..3 {
                for index in 0..cap {
                    assert_eq!(laps.index(position), index);
                    assert_eq!(laps.lap(position), lap * 2 * laps.closed);
                    position = laps.after(position);
                }
            }
        }
    }

    #[test]
    fn ahead_is_after_so_many_times() {
        for cap in [1, 2, 3, 8] {
            let laps = laps(cap);
            for from in 0..2 * cap {
                let start = (0..from).fold(0, |position, _| laps.after(position));
                let mut end = start;
                for slots in 0..cap {
                    assert_eq!(laps.ahead(start, slots), end);
                    end = laps.after(end);
                }
            }
        }
    }

    #[test]
    fn the_last_lap_is_followed_by_the_first() {
        let laps = laps(3);
        let last = laps.lap(usize::MAX) | 2;
        assert_eq!(laps.after(last), 0);
    }

    #[test]
    fn a_stamp_has_three_bits_below_the_lap() {
        for cap in 1..10 {
            assert!(laps(cap).next_lap(0) >= 8);
        }
    }
}
