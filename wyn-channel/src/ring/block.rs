//! Blocking operations on a [`Ring`]: looking a few times, then sleeping in a list.

use std::ptr;
use std::time::Instant;

use super::side::Side;
use super::{Refused, Ring};
use crate::error::{RecvTimeoutError, SendTimeoutError, TryRecvError};
use crate::hook::{self, What};
use crate::list::{Role, Waiter, Wakes};
use crate::spin::{Spin, has_passed};
use crate::sync::planted;
use crate::wait::{Ticket, Unserved};

/// From this capacity on it pays to let messages, or room, gather.
const LONG_RING: usize = 1024;
/// Which part of the ring a sender that found it full likes to be free.
const ROOM_SHARE: usize = 4;

/// How a sleep ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slept {
    /// Somebody has called.
    Called,
    LookAgain,
    /// By the hook.
    Ended,
}

impl<T> Ring<T> {
    #[inline]
    pub(crate) fn send(&self, msg: T, deadline: Option<Instant>) -> Result<(), SendTimeoutError<T>> {
        match self.claim_send_at_once() {
            Some(claim) => {
                self.publish(claim, msg);
                Ok(())
            }
            None => self.block_send(msg, deadline),
        }
    }

    #[inline(never)]
    fn block_send(&self, msg: T, deadline: Option<Instant>) -> Result<(), SendTimeoutError<T>> {
        let mut spin = self.spin();
        let mut may_look = spin.has_budget();
        let mut called = false;
        loop {
            match self.claim_send() {
                Ok(claim) => {
                    Self::fill(claim, msg);
                    // All who are due are taken out of their lists before a waker, which may take its time, runs.
                    let mut wakes = Wakes::default();
                    self.pass_on_call(called, &mut wakes);
                    self.receivers.call_one(&mut wakes);
                    wakes.send();
                    return Ok(());
                }
                Err(Refused::Closed) => return Err(SendTimeoutError::Disconnected(msg)),
                Err(Refused::Full) => {}
            }
            if may_look {
                // If it has seen no room, a last try comes before the sleep.
                may_look = self.look_for_room(&mut spin, deadline);
                continue;
            }
            let mut wakes = Wakes::default();
            self.pass_on_call(called, &mut wakes);
            wakes.send();
            if deadline.is_some_and(has_passed) {
                return Err(SendTimeoutError::Timeout(msg));
            }
            self.call_before_waiting(&self.receivers);
            let what = What::Send { channel: self.id() };
            let role = if hook::may_delay() { Role::Alone } else { Role::Prompt };
            match self.sleep(&self.senders, role, deadline, what, || self.can_send()) {
                Slept::Ended => return Err(SendTimeoutError::Timeout(msg)),
                Slept::Called => called = role == Role::Prompt,
                Slept::LookAgain => called = false,
            }
        }
    }

    /// After the call for room that this sender has had, the next one's, if there is more room.
    fn pass_on_call(&self, called: bool, wakes: &mut Wakes) {
        if called {
            self.senders.arrive();
            if !planted("pass-on-call") && self.can_send() {
                self.senders.call_one(wakes);
            }
        }
    }

    /// Looks until a send is worth a try; `false` once the budget is used up.
    ///
    /// At first it waits for more room than it needs: whoever takes each place as soon as it is free takes a cache
    /// line from the receiver every time.
    fn look_for_room(&self, spin: &mut Spin, deadline: Option<Instant>) -> bool {
        let ahead = self.capacity() / ROOM_SHARE;
        while spin.look_again(deadline) {
            if self.seems_sendable(if spin.is_early() { ahead } else { 0 }) {
                return true;
            }
        }
        false
    }

    #[inline]
    pub(crate) fn recv(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        match self.claim_recv_at_once() {
            Some(claim) => Ok(self.collect(claim)),
            None => self.block_recv(deadline),
        }
    }

    #[inline(never)]
    fn block_recv(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let mut spin = self.spin();
        loop {
            match self.claim_recv() {
                Ok(claim) => return Ok(self.collect(claim)),
                Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => {}
            }
            if spin.look_again(deadline) {
                continue;
            }
            if deadline.is_some_and(has_passed) {
                return Err(RecvTimeoutError::Timeout);
            }
            self.call_before_waiting(&self.senders);
            let what = What::Recv { channel: self.id() };
            if self.sleep(&self.receivers, Role::Alone, deadline, what, || self.can_recv()) == Slept::Ended {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }

    fn spin(&self) -> Spin {
        if self.capacity() >= LONG_RING { Spin::patient() } else { Spin::new() }
    }

    /// Sleeps until it is worth while to look again, or the hook ends the wait.
    fn sleep(
        &self,
        side: &Side,
        role: Role,
        deadline: Option<Instant>,
        what: What,
        is_ready: impl FnOnce() -> bool,
    ) -> Slept {
        let ticket = Ticket::new();
        let waiter = Waiter::new(role, &raw const ticket, 0, ptr::null_mut());
        // SAFETY: both stay here until the waiter is out of the list, and finished if it was claimed.
        unsafe { side.enlist(&raw const waiter) };
        let waited = if !planted("last-look") && is_ready() {
            Err(Unserved::TimeIsUp)
        } else {
            ticket.sleep(deadline, what)
        };
        let Err(why) = waited else { return Slept::Called };
        if !side.delist(&waiter) {
            // Woken at the last moment: the caller looks again, so the wake-up is not lost.
            ticket.wait_for_claimant(what);
            return Slept::Called;
        }
        if why == Unserved::Ended { Slept::Ended } else { Slept::LookAgain }
    }
}
