//! One arm of a select: a sender or a receiver, seen without the type of its messages.

use std::time::Instant;

use crate::error::TryRecvError;
use crate::list::Waiter;
use crate::receiver::{Receiver, Source};
use crate::select::token::{Held, Token};
use crate::sender::Sender;
use crate::shared::{Flavor, with_flavor};
use crate::wait::Ticket;

/// How well a select looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// May miss what has just come: there will be another look.
    Glance,
    /// Sees whatever came before.
    Close,
}

/// What a select does with an arm.
pub(crate) trait Arm {
    /// Takes what there is, without blocking; `false` if the operation would block.
    fn try_select<'s>(&'s self, look: Look, token: &mut Token<'s>) -> bool;

    /// When to look again without being woken.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Joins those who wait; `true` if there is no need to sleep. `delist` follows in any case.
    ///
    /// # Safety
    /// - As for [`WaitList::push`](crate::list::WaitList::push).
    /// - `token` stays in place, alive and shared until `delist`.
    unsafe fn enlist(&self, waiter: &Waiter, me: *const Ticket, token: &Token<'_>) -> bool;

    /// Leaves those who wait. `won` if the verdict is that this arm was served.
    fn delist(&self, waiter: &Waiter, won: bool);

    /// Takes what the arm that won was served; `false` if one has to look again.
    ///
    /// # Safety
    /// The arm has been delisted, it won, and `token` is that of `enlist`.
    unsafe fn accept<'s>(&'s self, waiter: &Waiter, token: &mut Token<'s>) -> bool;

    /// Whether the operation would not block.
    fn is_ready(&self) -> bool;

    /// Joins those who wait for news; `true`, and has not joined, if the operation would not block.
    ///
    /// # Safety
    /// As for [`WaitList::push`](crate::list::WaitList::push).
    unsafe fn watch(&self, waiter: &Waiter) -> bool;

    fn unwatch(&self, waiter: &Waiter);
}

impl<T> Arm for Sender<T> {
    fn try_select<'s>(&'s self, look: Look, token: &mut Token<'s>) -> bool {
        match &self.shared().flavor {
            Flavor::Ring(ring) if look == Look::Glance && !ring.seems_sendable(0) => false,
            Flavor::Ring(ring) => ring.select_send(token),
            Flavor::Locked(locked) => locked.select_send(token),
        }
    }

    // SAFETY: what the trait asks of the caller.
    unsafe fn enlist(&self, waiter: &Waiter, me: *const Ticket, _: &Token<'_>) -> bool {
        match &self.shared().flavor {
            // SAFETY: the caller's contract.
            Flavor::Ring(ring) => unsafe { ring.enlist_send(waiter) },
            // SAFETY: the caller's contract.
            Flavor::Locked(locked) => unsafe { locked.enlist_send(waiter, me) },
        }
    }

    fn delist(&self, waiter: &Waiter, _: bool) {
        match &self.shared().flavor {
            Flavor::Ring(ring) => {
                ring.delist_send(waiter);
            }
            Flavor::Locked(locked) => locked.delist_send(waiter),
        }
    }

    // SAFETY: what the trait asks of the caller.
    unsafe fn accept<'s>(&'s self, _: &Waiter, token: &mut Token<'s>) -> bool {
        match &self.shared().flavor {
            Flavor::Ring(ring) => ring.select_send(token),
            Flavor::Locked(locked) => {
                locked.accept_send(token);
                true
            }
        }
    }

    fn is_ready(&self) -> bool {
        with_flavor!(self.shared(), channel => channel.can_send())
    }

    // SAFETY: what the trait asks of the caller.
    unsafe fn watch(&self, waiter: &Waiter) -> bool {
        match &self.shared().flavor {
            // SAFETY: the caller's contract.
            Flavor::Ring(ring) => unsafe { ring.enlist_send(waiter) },
            // SAFETY: the caller's contract.
            Flavor::Locked(locked) => unsafe { locked.watch_send(waiter) },
        }
    }

    fn unwatch(&self, waiter: &Waiter) {
        self.delist(waiter, false);
    }
}

impl<T> Arm for Receiver<T> {
    fn try_select<'s>(&'s self, look: Look, token: &mut Token<'s>) -> bool {
        match self.source() {
            Source::Channel(shared) => match &shared.flavor {
                Flavor::Ring(ring) if look == Look::Glance && !ring.seems_receivable() => false,
                Flavor::Ring(ring) => ring.select_recv(token),
                Flavor::Locked(locked) => locked.select_recv(token),
            },
            Source::Timer(..) | Source::Never => {
                match self.try_recv() {
                    Ok(due) => token.put(due),
                    Err(TryRecvError::Empty) => return false,
                    Err(TryRecvError::Disconnected) => token.held = Held::Disconnected,
                }
                true
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.source() {
            Source::Timer(timer, _) => timer.next(),
            Source::Channel(_) | Source::Never => None,
        }
    }

    // SAFETY: what the trait asks of the caller.
    unsafe fn enlist(&self, waiter: &Waiter, me: *const Ticket, token: &Token<'_>) -> bool {
        match self.source() {
            Source::Channel(shared) => match &shared.flavor {
                // SAFETY: the caller's contract.
                Flavor::Ring(ring) => unsafe { ring.enlist_recv(waiter) },
                // SAFETY: the caller's contract.
                Flavor::Locked(locked) => unsafe { locked.enlist_recv(waiter, me, token) },
            },
            Source::Timer(..) | Source::Never => self.is_ready(),
        }
    }

    fn delist(&self, waiter: &Waiter, won: bool) {
        if let Source::Channel(shared) = self.source() {
            match &shared.flavor {
                Flavor::Ring(ring) => {
                    ring.delist_recv(waiter);
                }
                Flavor::Locked(locked) => locked.delist_recv(waiter, won),
            }
        }
    }

    // SAFETY: what the trait asks of the caller.
    unsafe fn accept<'s>(&'s self, waiter: &Waiter, token: &mut Token<'s>) -> bool {
        match self.source() {
            Source::Channel(shared) => match &shared.flavor {
                Flavor::Ring(ring) => ring.select_recv(token),
                Flavor::Locked(locked) => {
                    // SAFETY: the caller's contract.
                    unsafe { locked.accept_recv(waiter, token) };
                    true
                }
            },
            Source::Timer(..) | Source::Never => false,
        }
    }

    fn is_ready(&self) -> bool {
        match self.source() {
            Source::Channel(shared) => with_flavor!(shared, channel => channel.can_recv()),
            Source::Timer(timer, _) => timer.is_due(),
            Source::Never => false,
        }
    }

    // SAFETY: what the trait asks of the caller.
    unsafe fn watch(&self, waiter: &Waiter) -> bool {
        match self.source() {
            Source::Channel(shared) => match &shared.flavor {
                // SAFETY: the caller's contract.
                Flavor::Ring(ring) => unsafe { ring.enlist_recv(waiter) },
                // SAFETY: the caller's contract.
                Flavor::Locked(locked) => unsafe { locked.watch_recv(waiter) },
            },
            Source::Timer(..) | Source::Never => self.is_ready(),
        }
    }

    fn unwatch(&self, waiter: &Waiter) {
        if let Source::Channel(shared) = self.source() {
            match &shared.flavor {
                Flavor::Ring(ring) => {
                    ring.delist_recv(waiter);
                }
                Flavor::Locked(locked) => locked.unwatch_recv(waiter),
            }
        }
    }
}
