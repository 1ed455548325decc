//! The first-in-first-out list of those who wait at one end of a channel, linked through themselves.
//!
//! Each list stands behind a lock; a waiter's links are touched under that lock only. A waiter stays in place
//! and alive until it is out of the list and, if it was claimed, its ticket is finished.

use std::ptr;

use crate::sync::UnsafeCell;
use crate::wait::{Outcome, Ticket, Wake};

/// Why somebody stands in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// One operation, and nothing else: taking it out of the list is the claim.
    Alone,
    /// As `Alone`, for a thread that goes on as soon as it is called, and says when it has.
    Prompt,
    /// As `Alone`, for a task: it is called to look again, and neither handed nor bereft of anything.
    Look,
    /// An arm of a select, whose ticket may be claimed at another channel.
    Case,
    /// Wants to hear that something has happened, and takes nothing.
    Watch,
}

impl Role {
    /// Whether nobody else can claim the ticket once its waiter is out of the list.
    fn is_single(self) -> bool {
        matches!(self, Self::Alone | Self::Prompt | Self::Look)
    }
}

/// A place in a list.
#[derive(Debug)]
pub(crate) struct Waiter {
    /// Guarded by the lock of the list.
    links: UnsafeCell<Links>,
    ticket: *const Ticket,
    /// Where the value is put, or taken from. Read, and for a `Case` of a sender written, by the claimant.
    slot: UnsafeCell<*mut ()>,
    case: usize,
    role: Role,
}

// SAFETY: a waiter is a place for pointers, whose targets are handed over by the protocol of the ticket; the
// types that own waiters say whether they may move.
unsafe impl Send for Waiter {}
// SAFETY: as above.
unsafe impl Sync for Waiter {}

#[derive(Debug)]
struct Links {
    prev: *const Waiter,
    next: *const Waiter,
    linked: bool,
}

impl Waiter {
    pub(crate) fn new(role: Role, ticket: *const Ticket, case: usize, slot: *mut ()) -> Self {
        let links = Links { prev: ptr::null(), next: ptr::null(), linked: false };
        Self { links: UnsafeCell::new(links), ticket, slot: UnsafeCell::new(slot), case, role }
    }

    pub(crate) fn slot(&self) -> *mut () {
        // SAFETY: the owner writes before it enlists or after the verdict, the claimant in between.
        self.slot.with(|slot| unsafe { *slot })
    }

    /// For the owner while it is in no list, or the claimant.
    pub(crate) fn set_slot(&self, to: *mut ()) {
        // SAFETY: as for `slot`.
        self.slot.with_mut(|slot| unsafe { *slot = to });
    }
}

/// Somebody whose wait the holder of this must finish.
#[derive(Debug)]
#[must_use = "the claimed waits until it is finished"]
pub(crate) struct Claimed(*const Waiter);

impl Claimed {
    fn waiter(&self) -> &Waiter {
        // SAFETY: alive until it is finished.
        unsafe { &*self.0 }
    }

    pub(crate) fn role(&self) -> Role {
        self.waiter().role
    }

    /// Decides the wait.
    pub(crate) fn finish(self, outcome: Outcome) -> Wake {
        let (ticket, case) = (self.waiter().ticket, self.waiter().case);
        // SAFETY: the claim is used up with `self`.
        unsafe { Ticket::finish(ticket, outcome, case) }
    }

    /// Puts the value into the slot of a waiting receiver.
    ///
    /// # Safety
    /// The waiter is a receiver of `T`s.
    pub(crate) unsafe fn deliver<T>(self, value: T) -> Wake {
        let slot = self.waiter().slot().cast::<T>();
        // SAFETY: alive until it is finished.
        unsafe { &*self.waiter().ticket }.slot_use.write();
        // SAFETY: the slot of a receiver is empty and as large as a `T`; the claim makes it ours.
        unsafe { slot.write(value) };
        self.finish(Outcome::Served)
    }

    /// Takes the value out of the slot of a waiting sender.
    ///
    /// # Safety
    /// The waiter is a sender of `T`s with the role `Alone`.
    pub(crate) unsafe fn collect<T>(self) -> (T, Wake) {
        let slot = self.waiter().slot().cast::<T>();
        // SAFETY: alive until it is finished.
        unsafe { &*self.waiter().ticket }.slot_use.write();
        // SAFETY: the slot of a sender holds its message, which it leaves to whoever says `Served`.
        let value = unsafe { slot.read() };
        (value, self.finish(Outcome::Served))
    }
}

/// Wake-ups to be sent when the lock is free: mostly one.
#[derive(Debug, Default)]
#[must_use = "somebody sleeps until they are sent"]
pub(crate) struct Wakes {
    first: Option<Wake>,
    rest: Vec<Wake>,
}

impl Wakes {
    pub(crate) fn add(&mut self, wake: Wake) {
        if matches!(wake, Wake::Nobody) {
            return;
        }
        match &mut self.first {
            none @ None => *none = Some(wake),
            Some(_) => self.rest.push(wake),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Wakes all of them, whatever the wakers of some do. Does not unwind.
    #[inline]
    pub(crate) fn send(self) {
        // Mostly nobody is in it.
        if let Some(first) = self.first {
            if !self.rest.is_empty() {
                // A waker may take its time; a thread that is unparked needs none of ours.
                self.rest.iter().for_each(Wake::send_to_thread);
            }
            first.send();
            self.rest.into_iter().for_each(Wake::send_to_task);
        }
    }
}

/// Those who wait, the oldest in front.
#[derive(Debug)]
pub(crate) struct WaitList {
    head: *const Waiter,
    tail: *const Waiter,
    watchers: usize,
}

// SAFETY: the waiters it points to are reached only under the lock of the list, wherever it is.
unsafe impl Send for WaitList {}

impl WaitList {
    pub(crate) const fn new() -> Self {
        Self { head: ptr::null(), tail: ptr::null(), watchers: 0 }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_null()
    }

    /// # Safety
    /// - The waiter is in no list.
    /// - It and its ticket stay in place and alive until it is out of this list and, if claimed, finished.
    pub(crate) unsafe fn push(&mut self, waiter: *const Waiter) {
        let links = Links { prev: self.tail, next: ptr::null(), linked: true };
        // SAFETY: alive, says the caller; nobody else reads the links of a waiter that is in no list.
        let added = unsafe { &*waiter };
        // SAFETY: as above.
        added.links.with_mut(|old| unsafe { *old = links });
        if self.tail.is_null() {
            self.head = waiter;
        } else {
            // SAFETY: whoever is in the list is alive.
            let last = unsafe { &*self.tail };
            // SAFETY: the lock of the list is held.
            last.links.with_mut(|links| unsafe { (*links).next = waiter });
        }
        self.tail = waiter;
        self.watchers += usize::from(added.role == Role::Watch);
    }

    /// Takes a waiter out; `false` if somebody has done that.
    ///
    /// # Safety
    /// The waiter is alive, and is in this list or in none.
    pub(crate) unsafe fn remove(&mut self, waiter: *const Waiter) -> bool {
        // SAFETY: alive, says the caller.
        let removed = unsafe { &*waiter };
        let (prev, next) = {
            // SAFETY: the lock of the list is held.
            let links = removed.links.with_mut(|links| unsafe { &mut *links });
            if !links.linked {
                return false;
            }
            links.linked = false;
            (links.prev, links.next)
        };
        if prev.is_null() {
            self.head = next;
        } else {
            // SAFETY: whoever is in the list is alive.
            let prev = unsafe { &*prev };
            // SAFETY: the lock of the list is held.
            prev.links.with_mut(|links| unsafe { (*links).next = next });
        }
        if next.is_null() {
            self.tail = prev;
        } else {
            // SAFETY: whoever is in the list is alive.
            let next = unsafe { &*next };
            // SAFETY: the lock of the list is held.
            next.links.with_mut(|links| unsafe { (*links).prev = prev });
        }
        self.watchers -= usize::from(removed.role == Role::Watch);
        true
    }

    /// Takes out and claims the oldest who waits for more than news, passing over the arms of `me`, the
    /// caller's own select.
    pub(crate) fn claim_first(&mut self, me: *const Ticket) -> Option<Claimed> {
        self.claim(me, |_| true)
    }

    /// As [`claim_first`](Self::claim_first), if `may_go` says so of a waiter's ticket.
    pub(crate) fn claim_if(
        &mut self,
        me: *const Ticket,
        may_go: impl Fn(*const Ticket) -> bool,
    ) -> Option<Claimed> {
        self.claim(me, |waiter| may_go(waiter.ticket))
    }

    /// As [`claim_first`](Self::claim_first), passing over the `first` oldest.
    pub(crate) fn claim_beyond(&mut self, first: usize) -> Option<Claimed> {
        let left = std::cell::Cell::new(first);
        self.claim(ptr::null(), |waiter| {
            // SAFETY: who is in the list must take its lock to free its ticket.
            let is_open = || unsafe { &*waiter.ticket }.is_open();
            let passes_over = left.get() > 0 && is_open();
            left.set(left.get() - usize::from(passes_over));
            !passes_over
        })
    }

    /// The oldest thread, which takes what it is handed.
    pub(crate) fn claim_thread(&mut self) -> Option<Claimed> {
        self.claim(ptr::null(), |waiter| waiter.role != Role::Look)
    }

    /// The oldest who has a value at hand.
    pub(crate) fn claim_offer(&mut self) -> Option<Claimed> {
        self.claim(ptr::null(), |waiter| waiter.role == Role::Alone)
    }

    fn claim(&mut self, me: *const Ticket, suits: impl Fn(&Waiter) -> bool) -> Option<Claimed> {
        let mut at = self.head;
        while !at.is_null() {
            // SAFETY: whoever is in the list is alive.
            let waiter = unsafe { &*at };
            let this = at;
            // SAFETY: the lock of the list is held.
            at = waiter.links.with(|links| unsafe { (*links).next });
            if waiter.role == Role::Watch || ptr::eq(waiter.ticket, me) || !suits(waiter) {
                continue;
            }
            // SAFETY: it is in this list.
            unsafe { self.remove(this) };
            // SAFETY: its owner must take the lock of this list before it can free the ticket.
            if waiter.role.is_single() || unsafe { &*waiter.ticket }.claim() {
                return Some(Claimed(this));
            }
        }
        None
    }

    /// How many [`claim_first`](Self::claim_first) would find.
    pub(crate) fn claimable(&self, me: *const Ticket) -> usize {
        // SAFETY: who is in the list must take its lock to free its ticket.
        let is_open = |waiter: &Waiter| unsafe { &*waiter.ticket }.is_open();
        self.count(|waiter| waiter.role != Role::Watch && !ptr::eq(waiter.ticket, me) && is_open(waiter))
    }

    /// Whether [`claim_offer`](Self::claim_offer) would find somebody.
    pub(crate) fn can_offer(&self) -> bool {
        self.count(|waiter| waiter.role == Role::Alone) > 0
    }

    fn count(&self, suits: impl Fn(&Waiter) -> bool) -> usize {
        let mut count = 0;
        let mut at = self.head;
        while !at.is_null() {
            // SAFETY: whoever is in the list is alive.
            let waiter = unsafe { &*at };
            count += usize::from(suits(waiter));
            // SAFETY: the lock of the list is held.
            at = waiter.links.with(|links| unsafe { (*links).next });
        }
        count
    }

    /// Takes out and wakes all who wait for news.
    #[inline]
    pub(crate) fn notify_watchers(&mut self, wakes: &mut Wakes) {
        if self.watchers > 0 {
            self.finish_all(Outcome::Served, |role| role == Role::Watch, wakes);
        }
    }

    /// Takes out and wakes everybody, to look again.
    pub(crate) fn serve_all(&mut self, wakes: &mut Wakes) {
        self.finish_all(Outcome::Served, |_| true, wakes);
    }

    /// Takes out and wakes everybody, for good.
    pub(crate) fn disconnect(&mut self, wakes: &mut Wakes) {
        self.finish_all(Outcome::Disconnected, |_| true, wakes);
    }

    #[cold]
    fn finish_all(&mut self, outcome: Outcome, which: impl Fn(Role) -> bool, wakes: &mut Wakes) {
        let mut at = self.head;
        while !at.is_null() {
            // SAFETY: whoever is in the list is alive.
            let waiter = unsafe { &*at };
            let this = at;
            // SAFETY: the lock of the list is held.
            at = waiter.links.with(|links| unsafe { (*links).next });
            if !which(waiter.role) {
                continue;
            }
            // SAFETY: it is in this list.
            unsafe { self.remove(this) };
            // SAFETY: its owner must take the lock of this list before it can free the ticket.
            if waiter.role.is_single() || unsafe { &*waiter.ticket }.claim() {
                wakes.add(Claimed(this).finish(outcome));
            }
        }
    }
}
