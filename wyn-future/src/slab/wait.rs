//! Waiting for an entry: with a parked thread, or as a future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::Slab;
use super::error::SlabError;
use super::key::Key;
use super::slot::Unmarked;
use super::waiters::{Ticket, Waiter};
use crate::sync::{current, park, park_timeout};

/// The future of one entry's result; made by [`Slab::wait`](crate::Slab::wait).
///
/// Dropping it leaves the entry as it is. Once it has given its answer, it answers [`SlabError::Stale`].
#[must_use = "a future does nothing unless polled"]
pub struct Wait<'a, T> {
    slab: &'a Slab<T>,
    key: Key,
    /// Of the waker registered by the latest poll.
    ticket: Option<Ticket>,
}

impl<'a, T> Wait<'a, T> {
    pub(super) fn new(slab: &'a Slab<T>, key: Key) -> Self {
        Self { slab, key, ticket: None }
    }

    fn unregister(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.slab.unregister(self.key, &ticket);
        }
    }
}

impl<T> Future for Wait<'_, T> {
    type Output = Result<T, SlabError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.unregister();
        loop {
            match self.slab.try_take(self.key) {
                Err(SlabError::Pending) => {}
                result => return Poll::Ready(result),
            }
            if let Some(ticket) = self.slab.register(self.key, Waiter::Task(cx.waker().clone())) {
                self.ticket = Some(ticket);
                return Poll::Pending;
            }
        }
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        self.unregister();
    }
}

impl<T> fmt::Debug for Wait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<T> Slab<T> {
    /// Takes the result, parking until it is there or the time is up.
    #[cold]
    #[inline(never)]
    pub(super) fn take_parked(&self, key: Key, deadline: Option<Instant>) -> Result<T, SlabError> {
        loop {
            let in_time = match self.register(key, Waiter::Thread(current())) {
                Some(ticket) => {
                    let in_time = park_until(deadline);
                    self.unregister(key, &ticket);
                    in_time
                }
                None => true,
            };
            match self.try_take(key) {
                Err(SlabError::Pending) if in_time => {}
                result => return result,
            }
        }
    }

    /// Registers a waiter; `None` if the entry is worth another look instead.
    fn register(&self, key: Key, waiter: Waiter) -> Option<Ticket> {
        let slot = self.table.get(key.index())?;
        match self.waiters.register(key, slot, waiter) {
            Ok(ticket) => Some(ticket),
            Err((Unmarked::Writing, _)) => {
                slot.wait_for_claimant(key.generation());
                None
            }
            Err((Unmarked::Settled, _)) => None,
        }
    }

    fn unregister(&self, key: Key, ticket: &Ticket) {
        if let Some(slot) = self.table.get(key.index()) {
            drop(self.waiters.unregister(key.index(), slot, ticket));
        }
    }
}

/// Parks, perhaps not for long; false if the time was up beforehand.
fn park_until(deadline: Option<Instant>) -> bool {
    let Some(deadline) = deadline else {
        park();
        return true;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    park_timeout(left);
    true
}
