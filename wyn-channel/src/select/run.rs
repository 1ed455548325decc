//! Running a select: try all arms, look again a few times, then wait in all lists at once.

use std::cell::Cell;
use std::ptr;
use std::time::Instant;

use super::arm::{Arm, Look};
use super::token::Token;
use crate::hook::What;
use crate::list::{Role, Waiter};
use crate::spin::{Spin, has_passed};
use crate::sync::planted;
use crate::timer::sleep_until;
use crate::wait::{Outcome, Ticket, Unserved, Verdict};

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
    #[inline]
    fn try_select(&self, look: Look, token: &mut Token<'a>) -> bool {
        self.arm.is_some_and(|arm| arm.try_select(look, token))
    }

    fn is_ready(&self) -> bool {
        self.arm.is_some_and(Arm::is_ready)
    }
}

/// Selects an arm and takes what it needs; its place, or `None` if patience ends first.
#[inline]
pub(crate) fn select<'a>(
    cases: &mut [Case<'a>],
    patience: Patience,
    biased: bool,
    token: &mut Token<'a>,
) -> Option<usize> {
    let found = find(cases, biased, |case| case.try_select(Look::Glance, token));
    if found.is_some() {
        return found;
    }
    select_slow(cases, patience, biased, token)
}

#[inline(never)]
fn select_slow<'a>(
    cases: &mut [Case<'a>],
    patience: Patience,
    biased: bool,
    token: &mut Token<'a>,
) -> Option<usize> {
    let mut spin = Spin::brief();
    loop {
        let is_over = patience.is_over();
        let look = if !is_over && spin.look_again(patience.deadline()) { Look::Glance } else { Look::Close };
        let found = find(cases, biased, |case| case.try_select(look, token));
        if found.is_some() || is_over {
            return found;
        }
        if look == Look::Glance {
            continue;
        }
        if cases.is_empty() {
            sleep_until(patience.deadline());
            continue;
        }
        match wait(cases, patience, token) {
            Waited::Served(at) => return Some(at),
            Waited::Ended => return None,
            Waited::LookAgain => {}
        }
    }
}

/// The place of a case that is suitable: in a random order, so that none starves, unless it is biased.
#[inline]
fn find<'a>(
    cases: &mut [Case<'a>],
    biased: bool,
    is_suitable: impl FnMut(&Case<'a>) -> bool,
) -> Option<usize> {
    if biased {
        return cases.iter().position(is_suitable);
    }
    let mut is_suitable = is_suitable;
    let mut dice = Dice::take();
    // The tried ones are in front.
    for tried in 0..cases.len() {
        let picked = tried + dice.below(cases.len() - tried);
        if is_suitable(&cases[picked]) {
            return Some(picked);
        }
        cases.swap(tried, picked);
    }
    None
}

/// How a wait ends.
enum Waited {
    /// The arm at that place was served; the token holds with what.
    Served(usize),
    LookAgain,
    /// By the hook.
    Ended,
}

impl Waited {
    /// That of a wait in which no arm was served.
    fn unserved(verdict: Result<Verdict, Unserved>) -> Self {
        if verdict == Err(Unserved::Ended) { Self::Ended } else { Self::LookAgain }
    }
}

/// Waits in the lists of all arms.
#[cold]
fn wait<'a>(cases: &[Case<'a>], patience: Patience, token: &mut Token<'a>) -> Waited {
    let ticket = Ticket::new();
    let me = &raw const ticket;
    let waiters: Vec<Waiter> =
        (0..cases.len()).map(|at| Waiter::new(Role::Case, me, at, ptr::null_mut())).collect();
    let mut enlisted = 0;
    let mut is_ready = false;
    for (case, waiter) in cases.iter().zip(&waiters) {
        enlisted += 1;
        let Some(arm) = case.arm else { continue };
        // SAFETY: ticket, waiters and token (which nobody borrows alone) stay where they are until all arms are delisted below, which
        // happens after the ticket has been claimed or finished.
        is_ready = unsafe { arm.enlist(waiter, me, token) };
        if is_ready || !ticket.is_open() {
            break;
        }
    }
    let verdict = await_verdict(&ticket, cases, patience, is_ready);
    let served =
        verdict.ok().filter(|verdict| verdict.outcome == Outcome::Served).map(|verdict| verdict.case);
    for (at, (case, waiter)) in cases.iter().zip(&waiters).enumerate().take(enlisted) {
        if let Some(arm) = case.arm {
            arm.delist(waiter, served == Some(at));
        }
    }
    let Some(at) = served else { return Waited::unserved(verdict) };
    ticket.slot_use.read();
    // SAFETY: delisted above, and served.
    let accepted = cases[at].arm.is_some_and(|arm| unsafe { arm.accept(&waiters[at], token) });
    if accepted && !planted("served-arm") { Waited::Served(at) } else { Waited::LookAgain }
}

/// Sleeps until an arm is served, a clock runs out, or not at all if something is ready. When it returns, the
/// ticket cannot be claimed any more.
fn await_verdict(
    ticket: &Ticket,
    cases: &[Case<'_>],
    patience: Patience,
    is_ready: bool,
) -> Result<Verdict, Unserved> {
    let what = What::Select { arms: cases.len() };
    let mut verdict = Err(Unserved::TimeIsUp);
    if !is_ready {
        let clocks = cases.iter().filter_map(|case| case.arm?.deadline());
        verdict = ticket.wait(clocks.chain(patience.deadline()).min(), what);
    }
    if verdict.is_ok() || ticket.claim() { verdict } else { Ok(ticket.wait_for_claimant(what)) }
}

/// Waits until an arm is ready, and gives its number; `None` if patience ends first.
pub(crate) fn ready(cases: &mut [Case<'_>], patience: Patience, biased: bool) -> Option<usize> {
    let mut spin = Spin::brief();
    loop {
        if let Some(at) = find(cases, biased, Case::is_ready) {
            return Some(cases[at].index);
        }
        if patience.is_over() {
            return None;
        }
        if spin.look_again(patience.deadline()) {
            continue;
        }
        if cases.is_empty() {
            sleep_until(patience.deadline());
        } else if let Waited::Ended = wait_for_news(cases, patience) {
            return None;
        }
    }
}

/// Sleeps until something happens at one of the arms.
#[cold]
fn wait_for_news(cases: &[Case<'_>], patience: Patience) -> Waited {
    let ticket = Ticket::new();
    let me = &raw const ticket;
    let waiters: Vec<Waiter> =
        (0..cases.len()).map(|at| Waiter::new(Role::Watch, me, at, ptr::null_mut())).collect();
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
    let verdict = await_verdict(&ticket, cases, patience, is_ready);
    for (case, waiter) in cases.iter().zip(&waiters).take(enlisted) {
        if let Some(arm) = case.arm {
            arm.unwatch(waiter);
        }
    }
    Waited::unserved(verdict)
}

/// The thread's random numbers: one generator for all its selects, which goes on when this is dropped.
struct Dice(u64);

thread_local! {
    static DICE: Cell<u64> = const { Cell::new(0) };
}

impl Dice {
    #[inline]
    fn take() -> Self {
        // Each thread begins elsewhere. One at its end has no dice left: then all its selects look alike.
        DICE.try_with(|dice| {
            Self(if dice.get() == 0 { ptr::from_ref(dice).addr() as u64 } else { dice.get() })
        })
        .unwrap_or(Self(1))
    }

    /// A number from 0 to `limit - 1`.
    #[inline]
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's MMIX, whose high half is good enough for this.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The high half of the product, which is below `limit`.
        usize::try_from(((self.0 >> 32) * limit as u64) >> 32).unwrap_or(0)
    }
}

impl Drop for Dice {
    #[inline]
    fn drop(&mut self) {
        let _ = DICE.try_with(|dice| dice.set(self.0));
    }
}
