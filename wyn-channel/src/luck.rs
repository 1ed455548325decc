//! Whether a task that waits looks for a moment before it gives its thread away.
//!
//! If the other side runs on another processor it often answers within the time that putting a thread to sleep and
//! waking it takes many times over. If it is a task of this same thread it cannot: the look only keeps it from
//! running. Nobody but the thread itself can tell which it is, so each keeps an account of how it went.
//!
//! Two threads that have both given up looking would never find out that they could stop sleeping: to each of them the
//! other one seems slow, because it has to be woken. So if the thread seems to sleep between its waits, a look that is
//! risked is a long one, and is repeated as long as it pays off: the other thread then finds its answers there at once,
//! and looks as well.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::spin::Spin;
use crate::wait::{Ticket, Verdict};

/// Looks of a short look.
const LOOKS: u32 = if cfg!(wyn_loom) { 0 } else { 124 };
/// What a thread starts with, and the most it saves up.
const MOST: u8 = 16;
/// What a look in vain costs, where one that paid off earns 1: it is worth while if two of three do.
const LOSS: u8 = 2;
/// Waits without a look, once the credit is used up, before another is risked; each in vain doubles it.
const FIRST_REST: u16 = 64;
const LONGEST_REST: u16 = 4096;
/// A thread that takes so long from one wait to the next has slept in between, or has been busy for as long.
const A_SLEEP: Duration = Duration::from_micros(8);

#[derive(Debug, Clone, Copy)]
struct Luck {
    credit: u8,
    /// Waits to go without a look.
    rest: u16,
    next_rest: u16,
    /// Looks take as long as it takes to wake a thread: until one pays off early.
    long: bool,
}

const FRESH: Luck = Luck { credit: MOST, rest: 0, next_rest: FIRST_REST, long: false };

thread_local! {
    static LUCK: Cell<Luck> = const { Cell::new(FRESH) };
    /// The last wait before a look is risked.
    static LAST_REST: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Luck {
    /// Whether to look this time; if so at a risk, how long depends on how the thread spends its time.
    fn try_it(&mut self, sleeps: impl FnOnce() -> bool) -> bool {
        if self.credit > 0 {
            return true;
        }
        if self.rest == 0 {
            self.long = sleeps();
            return true;
        }
        self.rest -= 1;
        false
    }

    /// `early`: within the time of a short look.
    fn won(&mut self, early: bool) {
        self.long &= !early;
        self.credit = (self.credit + 1).min(MOST);
        self.next_rest = FIRST_REST;
    }

    fn lost(&mut self) {
        self.credit = self.credit.saturating_sub(LOSS);
        if self.credit == 0 {
            self.long = false;
            self.rest = self.next_rest;
            self.next_rest = (2 * self.next_rest).min(LONGEST_REST);
        }
    }
}

/// Waits for the verdict a few microseconds at most, or not at all where that has not paid off.
pub(crate) fn look_for_verdict(ticket: &Ticket) -> Option<Verdict> {
    // A thread at its end has no account any more: no look.
    let mut luck = LUCK.try_with(Cell::get).ok()?;
    let sleeps =
        || LAST_REST.try_with(Cell::take).is_ok_and(|last| last.is_some_and(|at| at.elapsed() >= A_SLEEP));
    let looks = luck.try_it(sleeps);
    let verdict = looks.then(|| look(ticket, &mut luck)).flatten();
    if !looks && luck.rest == 0 {
        let _ = LAST_REST.try_with(|last| last.set(Some(Instant::now())));
    }
    let _ = LUCK.try_with(|cell| cell.set(luck));
    verdict
}

fn look(ticket: &Ticket, luck: &mut Luck) -> Option<Verdict> {
    // Pauses only, for other tasks may wait for this thread.
    if let Some(verdict) = ticket.look(LOOKS) {
        luck.won(true);
        return Some(verdict);
    }
    let mut spin = Spin::a_wake_up();
    while luck.long && spin.look_again(None) {
        if let Some(verdict) = ticket.verdict() {
            luck.won(false);
            return Some(verdict);
        }
    }
    luck.lost();
    None
}

#[cfg(all(test, not(wyn_loom)))]
mod tests {
    use super::*;

    /// Looks within so many waits, all in vain.
    fn looks_in_vain(luck: &mut Luck, waits: u32) -> u32 {
        (0..waits).map(|_| u32::from(luck.try_it(|| false).then(|| luck.lost()).is_some())).sum()
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
        let until = (0..=LONGEST_REST).position(|_| luck.try_it(|| false));
        assert!(until.is_some(), "a look is risked now and then");
        (0..MOST).for_each(|_| luck.won(true));
        assert!((0..1000).all(|wait| {
            let looks = luck.try_it(|| false);
            if wait % 4 == 0 {
                luck.lost();
            } else {
                luck.won(true);
            }
            looks
        }));
    }

    #[test]
    fn a_thread_that_sleeps_risks_a_long_look() {
        let mut luck = FRESH;
        looks_in_vain(&mut luck, 8);
        (0..FIRST_REST).for_each(|_| assert!(!luck.try_it(|| unreachable!("asked when the rest is over"))));
        assert!(luck.try_it(|| true) && luck.long);
        luck.won(false);
        assert!(luck.try_it(|| unreachable!("there is credit")) && luck.long, "it has paid off, so again");
        luck.won(true);
        assert!(!luck.long, "the other side answers at once");
        looks_in_vain(&mut luck, 1);
        (0..FIRST_REST).for_each(|_| assert!(!luck.try_it(|| true)));
        assert!(luck.try_it(|| true) && luck.long);
        luck.lost();
        assert!(!luck.long && !luck.try_it(|| true), "in vain: a rest");
    }

    #[test]
    fn one_in_two_is_not_enough() {
        let mut luck = FRESH;
        let looks = (0..10_000).filter(|wait| {
            let looks = luck.try_it(|| false);
            if looks && wait % 2 == 0 {
                luck.won(true);
            } else if looks {
                luck.lost();
            }
            looks
        });
        assert!(looks.count() < 500);
    }
}
