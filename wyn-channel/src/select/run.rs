//! Running a select: try all arms, look again a few times, then wait in all lists at once.

use std::cell::Cell;
use std::time::Instant;

use super::arm::Arm;
use super::token::Token;
use crate::hook::What;
use crate::list::{Role, Waiter};
use crate::spin::{Spin, has_passed};
use crate::timer::sleep_until;
use crate::wait::{Outcome, Ticket, Verdict};

/// An arm, its number, and the address that its operation will be checked against.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub(crate) arm: Option<&'a dyn Arm>,
    pub(crate) index: usize,
    pub(crate) addr: usize,
}

/// How long a select may take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl Patience {
    fn deadline(self) -> Option<Instant> {
        match self {
            Self::None | Self::Endless => None,
            Self::Until(at) => Some(at),
        }
    }

    fn is_over(self) -> bool {
        match self {
            Self::None => true,
            Self::Until(at) => has_passed(at),
            Self::Endless => false,
        }
    }
}

impl<'a> Case<'a> {
    fn try_select(&self, token: &mut Token<'a>) -> bool {
        self.arm.is_some_and(|arm| arm.try_select(token))
    }

    fn is_ready(&self) -> bool {
        self.arm.is_some_and(Arm::is_ready)
    }
}

/// Selects an arm and takes what it needs; `None` if patience ends first.
pub(crate) fn select<'a>(
    cases: &mut [Case<'a>],
    patience: Patience,
    biased: bool,
    token: &mut Token<'a>,
) -> Option<Case<'a>> {
    if !biased {
        shuffle(cases);
    }
    let mut spin = Spin::brief();
    loop {
        if let Some(case) = cases.iter().find(|case| case.try_select(token)) {
            return Some(*case);
        }
        if patience.is_over() {
            // A message may have come to an arm that was tried while one went from an arm that was not yet: one
            // that was there all the time must be found.
            return cases.iter().find(|case| cases.len() > 1 && case.try_select(token)).copied();
        }
        if spin.look_again(patience.deadline()) {
            continue;
        }
        if cases.is_empty() {
            sleep_until(patience.deadline());
        } else if let Some(case) = wait(cases, patience, token) {
            return Some(case);
        }
    }
}

/// Waits in the lists of all arms. `Some` if an arm was served, with what it was served in the token.
#[cold]
fn wait<'a>(cases: &[Case<'a>], patience: Patience, token: &mut Token<'a>) -> Option<Case<'a>> {
    let ticket = Ticket::new();
    let me = &raw const ticket;
    let waiters: Vec<Waiter> =
        (0..cases.len()).map(|at| Waiter::new(Role::Case, me, at, std::ptr::null_mut())).collect();
    let mut enlisted = 0;
    let mut is_ready = false;
    for (case, waiter) in cases.iter().zip(&waiters) {
        enlisted += 1;
        let Some(arm) = case.arm else { continue };
        // SAFETY: ticket, waiters and token stay where they are until all arms are delisted below, which
        // happens after the ticket has been claimed or finished.
        is_ready = unsafe { arm.enlist(waiter, me, token) };
        if is_ready || !ticket.is_open() {
            break;
        }
    }
    let verdict = await_verdict(&ticket, cases, patience, is_ready);
    let served = verdict.filter(|verdict| verdict.outcome == Outcome::Served).map(|verdict| verdict.case);
    for (at, (case, waiter)) in cases.iter().zip(&waiters).enumerate().take(enlisted) {
        if let Some(arm) = case.arm {
            arm.delist(waiter, served == Some(at));
        }
    }
    let at = served?;
    ticket.slot_use.read();
    // SAFETY: delisted above, and served.
    let accepted = cases[at].arm.is_some_and(|arm| unsafe { arm.accept(&waiters[at], token) });
    accepted.then_some(cases[at])
}

/// Sleeps until an arm is served, a clock runs out, or not at all if something is ready. When it returns, the
/// ticket cannot be claimed any more.
fn await_verdict(ticket: &Ticket, cases: &[Case<'_>], patience: Patience, is_ready: bool) -> Option<Verdict> {
    let what = What::Select { arms: cases.len() };
    if !is_ready {
        let clocks = cases.iter().filter_map(|case| case.arm?.deadline());
        if let Some(verdict) = ticket.wait(clocks.chain(patience.deadline()).min(), what) {
            return Some(verdict);
        }
    }
    if ticket.claim() { None } else { Some(ticket.wait_for_claimant(what)) }
}

/// Waits until an arm is ready, and gives its number; `None` if patience ends first.
pub(crate) fn ready(cases: &mut [Case<'_>], patience: Patience, biased: bool) -> Option<usize> {
    if !biased {
        shuffle(cases);
    }
    let mut spin = Spin::brief();
    loop {
        if let Some(case) = cases.iter().find(|case| case.is_ready()) {
            return Some(case.index);
        }
        if patience.is_over() {
            return None;
        }
        if spin.look_again(patience.deadline()) {
            continue;
        }
        if cases.is_empty() {
            sleep_until(patience.deadline());
        } else {
            wait_for_news(cases, patience);
        }
    }
}

/// Sleeps until something happens at one of the arms.
#[cold]
fn wait_for_news(cases: &[Case<'_>], patience: Patience) {
    let ticket = Ticket::new();
    let me = &raw const ticket;
    let waiters: Vec<Waiter> =
        (0..cases.len()).map(|at| Waiter::new(Role::Watch, me, at, std::ptr::null_mut())).collect();
    let mut enlisted = 0;
    let mut is_ready = false;
    for (case, waiter) in cases.iter().zip(&waiters) {
        enlisted += 1;
        let Some(arm) = case.arm else { continue };
        // SAFETY: ticket and waiters stay where they are until all arms are unwatched below, which happens
        // after the ticket has been claimed or finished.
        is_ready = unsafe { arm.watch(waiter) };
        if is_ready || !ticket.is_open() {
            break;
        }
    }
    await_verdict(&ticket, cases, patience, is_ready);
    for (case, waiter) in cases.iter().zip(&waiters).take(enlisted) {
        if let Some(arm) = case.arm {
            arm.unwatch(waiter);
        }
    }
}

/// Puts the arms into a random order, so that none starves.
fn shuffle(cases: &mut [Case<'_>]) {
    thread_local! {
        static DICE: Cell<u32> = const { Cell::new(0x9e37_79b9) };
    }
    // A thread at its end has no dice left: no shuffling.
    let _ = DICE.try_with(|dice| {
        for last in 1..cases.len() {
            let mut state = dice.get();
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            dice.set(state);
            // The high half of the product is a number from 0 to `last`.
            let picked = (u64::from(state) * (last as u64 + 1)) >> 32;
            cases.swap(last, usize::try_from(picked).unwrap_or(0));
        }
    });
}
