//! Looking at a [`Ring`] without claiming anything: how full it is, and whether a try is worth while.

use super::{PASSED, Ring, VOID};
use crate::sync::Ordering;

impl<T> Ring<T> {
    pub(crate) fn is_closed(&self) -> bool {
        // Ordering: Relaxed: nothing is read on the strength of it.
        self.tail.load(Ordering::Relaxed) & self.closed != 0
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn len(&self) -> usize {
        loop {
            // Ordering: SeqCst: the three loads are in one order with the exchanges on both words.
            let tail = self.tail.load(Ordering::SeqCst);
            // Ordering: SeqCst: as above.
            let head = self.head.load(Ordering::SeqCst);
            // Ordering: SeqCst: as above.
            if self.tail.load(Ordering::SeqCst) != tail {
                continue;
            }
            let tail = tail & !self.closed;
            let (from, to) = (self.laps().index(head), self.laps().index(tail));
            return match from.cmp(&to) {
                std::cmp::Ordering::Less => to - from,
                std::cmp::Ordering::Greater => self.slots.len() - from + to,
                std::cmp::Ordering::Equal if head == tail => 0,
                std::cmp::Ordering::Equal => self.slots.len(),
            };
        }
    }

    /// Whether a receive would not block. A message that is being written counts.
    pub(crate) fn can_recv(&self) -> bool {
        // Ordering: SeqCst: see `Side`.
        let head = self.head.load(Ordering::SeqCst);
        // Ordering: SeqCst: see `Side`.
        self.tail.load(Ordering::SeqCst) != head
    }

    /// Whether a send would not block. A place that is being freed counts.
    pub(crate) fn can_send(&self) -> bool {
        // Ordering: SeqCst: see `Side`.
        let tail = self.tail.load(Ordering::SeqCst);
        // Ordering: SeqCst: see `Side`.
        let is_full =
            || self.laps().next_lap(self.head.load(Ordering::SeqCst)) == tail || self.are_all_held();
        tail & self.closed != 0 || !is_full()
    }

    /// Whether there is something in the first slot, as far as two loads without an order tell.
    #[inline]
    pub(crate) fn seems_receivable(&self) -> bool {
        let laps = self.laps();
        // Ordering: Relaxed: a hint only.
        let head = self.head.load(Ordering::Relaxed);
        // Ordering: Relaxed: a hint only.
        self.slot(laps.index(head)).stamp.load(Ordering::Relaxed) != laps.lap(head)
    }

    /// Whether the next slot, or one that is so many `ahead`, is free, void or held, or there is none, as far as loads
    /// without an order tell.
    #[inline]
    pub(crate) fn seems_sendable(&self, ahead: usize) -> bool {
        debug_assert!(ahead < self.slots.len());
        let laps = self.laps();
        // Ordering: Relaxed: a hint only.
        let tail = self.tail.load(Ordering::Relaxed);
        let position = laps.ahead(tail, ahead);
        // Ordering: Relaxed: a hint only.
        let stamp = self.slot(laps.index(position)).stamp.load(Ordering::Relaxed);
        stamp == laps.lap(position) || stamp & (VOID | PASSED) != 0 || tail & self.closed != 0
    }
}
