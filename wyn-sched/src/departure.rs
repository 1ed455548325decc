//! What becomes of a handle that is dropped: its task runs on, and the result is dropped by whoever is last.
//!
//! A handle goes behind a barrier, which costs microseconds. Those whose result has no destructor share one among many: they
//! depart, and wait for company in the [context](crate::context) of their thread.

use std::ptr::NonNull;

use wyn_future::cell::{Header, Owner};

use crate::barrier::Asymmetric;
use crate::context;
use crate::future;
use crate::handle::{free, is_future, untagged};
use crate::task;

/// Drops an untaken handle: the completer will free the cell, or has left it to us.
#[cold]
#[inline(never)]
pub(crate) fn abandon<T>(tagged: NonNull<Header>) {
    let cell = untagged(tagged);
    // SAFETY: the handle keeps the cell alive.
    let pending = unsafe { cell.as_ref() }.left().is_none();
    if pending && context::with_current(|current| current.is_some_and(|own| own.disown_newest(cell))) {
        return;
    }
    // SAFETY: the handle of a live cell, given up here.
    let owner = match unsafe { Header::begin_abandon(cell.as_ptr()) } {
        Some(owner) => owner,
        // A result without a destructor may stay in its cell until a barrier pays for many.
        None if const { leaves_nothing::<T>() } && context::put_off(Departure::of(tagged)) => return,
        None => {
            Asymmetric::heavy();
            // SAFETY: begun above, with the barrier in between.
            unsafe { Header::end_abandon(cell.as_ptr()) }
        }
    };
    // SAFETY: the handle's last use of the cell.
    unsafe { settle::<T>(tagged, owner) };
}

/// Whether a result need not be dropped: it has no destructor, and no box of its own in either kind of cell.
const fn leaves_nothing<T>() -> bool {
    !std::mem::needs_drop::<T>() && !task::boxed::<T>() && !future::boxed::<T>()
}

/// Drops the payload and frees the cell if it is ours.
///
/// # Safety
/// `owner` is what abandoning the cell has returned, and `T` is its result.
unsafe fn settle<T>(tagged: NonNull<Header>, owner: Owner) {
    if let Owner::Mine(outcome) = owner {
        if is_future(tagged) {
            // SAFETY: complete, and the handle's last use of it.
            return unsafe { future::settle::<T>(untagged(tagged)) };
        }
        // SAFETY: the completer has left it to us.
        unsafe { task::drop_payload::<T>(untagged(tagged), outcome) };
        // SAFETY: the payload is gone.
        unsafe { free(tagged) };
    }
}

/// A handle that has gone but for its barrier. Its result has no destructor.
#[derive(Debug)]
pub(crate) struct Departure(NonNull<Header>);

impl Departure {
    /// How many go under one barrier.
    pub(crate) const BATCH: usize = 64;

    fn of(tagged: NonNull<Header>) -> Self {
        Self(tagged)
    }

    /// Ends them all.
    pub(crate) fn end_all(departures: Vec<Self>) {
        if departures.is_empty() {
            return;
        }
        Asymmetric::heavy();
        for Self(tagged) in departures {
            // SAFETY: begun in `abandon`, with the barrier in between.
            let owner = unsafe { Header::end_abandon(untagged(tagged).as_ptr()) };
            // SAFETY: a result without a destructor can be dropped as nothing.
            unsafe { settle::<()>(tagged, owner) };
        }
    }
}
