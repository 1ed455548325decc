//! Whether a task that waits looks for a moment before it gives its thread away.
//!
//! If the other side runs on another processor it often answers within the time that putting a thread to sleep and
//! waking it takes many times over. If it is a task of this same thread it cannot: the look only keeps it from
//! running. Nobody but the thread itself can tell which it is, so each keeps an account of how it went.

use std::cell::Cell;

use crate::spin::Spin;
use crate::wait::{Ticket, Verdict};

/// What a thread starts with, and the most it saves up.
const MOST: u8 = 16;
/// What a look in vain costs, where one that paid off earns 1: it is worth while if two of three do.
const LOSS: u8 = 2;
/// Waits without a look, once the credit is used up, before another is risked; each in vain doubles it.
const FIRST_REST: u16 = 64;
const LONGEST_REST: u16 = 4096;

#[derive(Debug, Clone, Copy)]
struct Luck {
    credit: u8,
    /// Waits to go without a look.
    rest: u16,
    next_rest: u16,
}

thread_local! {
    static LUCK: Cell<Luck> = const { Cell::new(Luck { credit: MOST, rest: 0, next_rest: FIRST_REST }) };
}

impl Luck {
    /// Whether to look this time.
    fn try_it(&mut self) -> bool {
        if self.credit > 0 || self.rest == 0 {
            return true;
        }
        self.rest -= 1;
        false
    }

    fn won(&mut self) {
        self.credit = (self.credit + 1).min(MOST);
        self.next_rest = FIRST_REST;
    }

    fn lost(&mut self) {
        self.credit = self.credit.saturating_sub(LOSS);
        if self.credit == 0 {
            self.rest = self.next_rest;
            self.next_rest = (2 * self.next_rest).min(LONGEST_REST);
        }
    }
}

/// Waits for the verdict a few microseconds at most, or not at all where that has not paid off.
pub(crate) fn look_for_verdict(ticket: &Ticket) -> Option<Verdict> {
    // A thread at its end has no account any more: no look.
    let mut luck = LUCK.try_with(Cell::get).ok()?;
    let verdict = luck.try_it().then(|| look(ticket, &mut luck)).flatten();
    let _ = LUCK.try_with(|cell| cell.set(luck));
    verdict
}

fn look(ticket: &Ticket, luck: &mut Luck) -> Option<Verdict> {
    let mut spin = Spin::moment();
    while spin.look_again(None) {
        if let Some(verdict) = ticket.verdict() {
            luck.won();
            return Some(verdict);
        }
    }
    luck.lost();
    None
}

#[cfg(all(test, not(wyn_loom)))]
mod tests {
    use super::*;

    const FRESH: Luck = Luck { credit: MOST, rest: 0, next_rest: FIRST_REST };

    /// Looks within so many waits, all in vain.
    fn looks_in_vain(luck: &mut Luck, waits: u32) -> u32 {
        (0..waits).map(|_| u32::from(luck.try_it().then(|| luck.lost()).is_some())).sum()
    }

    #[test]
    fn a_thread_without_luck_hardly_looks() {
        let mut luck = FRESH;
        assert_eq!(looks_in_vain(&mut luck, 8), 8);
        assert!(looks_in_vain(&mut luck, 100_000) < 40);
    }

    #[test]
    fn luck_comes_back() {
        let mut luck = FRESH;
        looks_in_vain(&mut luck, 100_000);
        let until = (0..=LONGEST_REST).position(|_| luck.try_it());
        assert!(until.is_some(), "a look is risked now and then");
        (0..MOST).for_each(|_| luck.won());
        assert!((0..1000).all(|wait| {
            let looks = luck.try_it();
            if wait % 4 == 0 {
                luck.lost();
            } else {
                luck.won();
            }
            looks
        }));
    }

    #[test]
    fn one_in_two_is_not_enough() {
        let mut luck = FRESH;
        let looks = (0..10_000).filter(|wait| {
            let looks = luck.try_it();
            if looks && wait % 2 == 0 {
                luck.won();
            } else if looks {
                luck.lost();
            }
            looks
        });
        assert!(looks.count() < 500);
    }
}
