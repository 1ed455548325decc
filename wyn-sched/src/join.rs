//! Waiting for a task: the waiting thread runs that task if nobody has started it, and no other.
//!
//! | the awaited task | a worker | a guest | any other thread |
//! |---|---|---|---|
//! | is in the own deque | runs it, as a call | the same | has none |
//! | is queued elsewhere | claims it (see [`wyn_future::cell`]) and runs it; what is left of it in its queue is void | parks; claims it if nobody has started it a millisecond later | parks |
//! | has been started, or cannot be run here | parks; another worker takes its place | parks: the workers see to all else | parks |
//!
//! Not run here: any task with little stack left, one that lies elsewhere while there are several runtimes (a cell does not say
//! whose it is), and every task for a wait with a deadline, which could not be kept.
//!
//! Why no other task is run: the thread may hold a lock that the other task takes, or the other task may wait for what the
//! thread does next, in however many steps. On a thread of its own it would only have to wait; on top of this one both would
//! wait for ever.
//!
//! No wait can keep the awaited task from running. If nobody has started it, the waiting thread does, or another that may run
//! tasks: as many as there are workers may, and one of them looks (see `sleep/README.md`). A worker that takes another's
//! place is a spare: it is started when all others are blocked, and leaves when it has found nothing to do for a while.

use std::panic::Location;
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::{Duration, Instant};

use wyn_future::cell::{Header, Outcome, Phase, Waited};

use crate::barrier::Asymmetric;
use crate::block;
use crate::context::{self, Context, Helping};
use crate::deadlock::{Ending, Notice, Place, WaitsFor};
use crate::error::JoinError;
use crate::shared::Shared;
use crate::slot::Role;
use crate::sync::{park, park_timeout, spin_loop};
use crate::task::{Op, TaskRef};

/// Rounds of looking whether the awaited task is complete before a thread registers to be woken, which costs it microseconds.
const SPIN_ROUNDS: u32 = 24;
/// How long a thread from outside waits for somebody to start the awaited task before it claims it.
const PATIENCE: Duration = Duration::from_millis(1);
/// Spins between two rounds, growing with each up to this.
const MAX_ROUND_SPINS: u32 = 16;

/// How a wait ends for which the awaited task is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// The completer has left, or the task was run here out of the own deque.
    Whole(Outcome),
    /// The task was run here, and its cell is shared with what is left of it in a queue. It was spawned there.
    Claimed(Outcome, Option<&'static Location<'static>>),
}

/// What a wait may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) deadline: Option<Instant>,
    /// Whether a deadlock may end it: not if the task borrows from the caller.
    pub(crate) may_end: bool,
    /// Whether the cell is that of a closure which may be claimed.
    pub(crate) may_claim: bool,
}

impl Terms {
    /// For a spawned closure.
    pub(crate) const CLOSURE: Self = Self { deadline: None, may_end: true, may_claim: true };
    /// For what is in a queue under another name than its handle's, or not for its handle alone.
    pub(crate) const OTHER: Self = Self { may_claim: false, ..Self::CLOSURE };
    /// For a closure that borrows from the caller.
    pub(crate) const BORROWING: Self = Self { may_end: false, ..Self::OTHER };
}

/// Runs a task for its handle if it is the newest of this thread.
///
/// # Safety
/// The caller is the handle of the cell.
#[inline(always)]
pub(crate) unsafe fn join_now(cell: NonNull<Header>) -> Option<Outcome> {
    let newest = context::with_current(|current| {
        let context = current.filter(|context| context.is_ambient() && context.has_stack())?;
        Some((context.take_newest(cell)?, context.id))
    });
    // SAFETY: taken from its queue; the caller is the handle.
    newest.map(|(task, id)| unsafe { task.enter(Op::Inline, id) })
}

/// The same if it lies anywhere in the own deque.
///
/// # Safety
/// The caller is the handle of the cell.
#[inline]
pub(crate) unsafe fn join_own(cell: NonNull<Header>) -> Option<Outcome> {
    let own = context::with_current(|current| {
        let context = current.filter(|context| context.is_ambient() && context.has_stack())?;
        Some((context.take_own(cell)?, context.id))
    });
    // SAFETY: taken from its queue; the caller is the handle.
    own.map(|(task, id)| unsafe { task.enter(Op::Inline, id) })
}

/// Waits for a task to be complete, as the table says; `None` if the deadline comes first.
///
/// # Safety
/// The caller is the handle of the cell; the cell is that of a closure with a handle if it may be claimed.
#[inline(never)]
pub(crate) unsafe fn join_later(cell: NonNull<Header>, terms: Terms) -> Result<Option<Done>, JoinError> {
    // SAFETY: the handle keeps the cell alive.
    let header = unsafe { cell.as_ref() };
    let ending = terms.may_end.then(Ending::new);
    let Some(context) = context::current() else {
        // SAFETY: the caller is the handle.
        unsafe { park_outside(header, terms.deadline, ending.as_ref()) };
        return end(header, ending);
    };
    let stays = context.stay();
    if terms.deadline.is_none() && (!context.is_ambient() || stays.is_first_on_foreign()) {
        // What the task spawns goes to its own runtime, which does not end meanwhile.
        let _helping = (context.role == Role::Guest).then(|| Helping::begin(Rc::clone(&context)));
        // SAFETY: passed on.
        if let Some(outcome) = unsafe { join_own(cell) } {
            return Ok(Some(Done::Whole(outcome)));
        }
    }
    let wait = Wait { header, context: &context, deadline: terms.deadline, ending };
    if let Some(outcome) = wait.search_and_run(cell) {
        return Ok(Some(Done::Whole(outcome)));
    }
    if !wait.is_soon_over() {
        // SAFETY: the caller's promise.
        if let Some(done) = unsafe { wait.claim_or_block(cell, terms) } {
            return Ok(Some(done));
        }
    }
    let done = end(header, wait.ending);
    if matches!(done, Ok(None)) {
        context.shared.count_poll();
    }
    done
}

/// How a wait has ended that is over: `None` if its deadline came first, an error if a deadlock ended it.
fn end(header: &Header, ending: Option<Ending>) -> Result<Option<Done>, JoinError> {
    match (header.left(), ending.and_then(Ending::into_inner)) {
        (None, Some(error)) => {
            // SAFETY: the handle's.
            let origin = unsafe { header.origin() };
            Err(JoinError::deadlocked(error, origin))
        }
        (outcome, _) => Ok(outcome.map(Done::Whole)),
    }
}

/// Parks a thread that has no place in any runtime.
///
/// # Safety
/// The caller is the handle of the cell.
unsafe fn park_outside(header: &Header, deadline: Option<Instant>, ending: Option<&Ending>) {
    let is_over = || is_decided(header);
    // SAFETY: the handle's.
    let what = unsafe { waits_for(header) };
    let notice = Notice { what, deadline, context: None, place: Place::Parked, is_over: &is_over, ending };
    let parked = || {
        while !has_ended(header, deadline, ending) {
            notice.during(|| nap(deadline));
        }
    };
    // SAFETY: by contract; `parked` only looks at the cell.
    unsafe { header.wait::<Asymmetric, _>(parked) };
}

/// Whether a wait is over.
fn has_ended(header: &Header, deadline: Option<Instant>, ending: Option<&Ending>) -> bool {
    match header.phase() {
        Phase::Left(_) => true,
        // A completer this far does not unpark who has only just registered.
        Phase::Done => {
            header.await_left();
            true
        }
        _ => ending.is_some_and(Ending::is_told) || deadline.is_some_and(|at| Instant::now() >= at),
    }
}

fn nap(deadline: Option<Instant>) {
    match deadline {
        None => park(),
        Some(at) => park_timeout(at.saturating_duration_since(Instant::now())),
    }
}

fn is_decided(header: &Header) -> bool {
    matches!(header.phase(), Phase::Done | Phase::Left(_))
}

/// # Safety
/// The caller is the handle of the cell.
unsafe fn waits_for(header: &Header) -> WaitsFor {
    // SAFETY: by contract.
    match unsafe { header.origin() } {
        // Only tasks say where they come from, and those without a handle are not waited for.
        None if cfg!(target_pointer_width = "64") => WaitsFor::Branch,
        spawned_at => WaitsFor::Task { spawned_at },
    }
}

/// A wait under way.
pub(crate) struct Wait<'a> {
    /// What is waited for. The waiting frame is its handle.
    pub(crate) header: &'a Header,
    pub(crate) context: &'a Rc<Context>,
    pub(crate) deadline: Option<Instant>,
    /// If a deadlock may end it. Never in the place of code that lends its frame to what it waits for.
    pub(crate) ending: Option<Ending>,
}

impl Wait<'_> {
    /// Looks for a microsecond or two whether the wait is over.
    fn is_soon_over(&self) -> bool {
        (0..SPIN_ROUNDS).any(|round| {
            (0..round.min(MAX_ROUND_SPINS)).for_each(|_| spin_loop());
            self.is_over()
        })
    }

    /// Runs the task here if it lies somewhere in the own deque.
    fn search_and_run(&self, cell: NonNull<Header>) -> Option<Outcome> {
        let context = self.context;
        if self.deadline.is_some() || self.header.phase() != Phase::Ready || !context.has_stack() {
            return None;
        }
        // What the task spawns goes to its own runtime, which does not end meanwhile.
        let _helping = (context.role == Role::Guest).then(|| Helping::begin(Rc::clone(context)));
        let task = context.search_own(cell)?;
        // SAFETY: taken from its queue; the waiting frame is the handle.
        Some(unsafe { task.enter(Op::Inline, context.id) })
    }

    /// Runs the task here if nobody has started it and its terms allow that; else parks until the wait is over.
    ///
    /// # Safety
    /// As [`join_later`].
    unsafe fn claim_or_block(&self, cell: NonNull<Header>, terms: Terms) -> Option<Done> {
        let may_run = terms.may_claim
            && terms.deadline.is_none()
            && self.context.has_stack()
            // The task does not say whose it is: with one runtime it is this one's.
            && Shared::is_only_one();
        if !may_run {
            self.block(None);
            return None;
        }
        if self.context.role == Role::Guest {
            // The workers are about to start it, unless they are all blocked in a lock, say, that this thread holds. A claim
            // would cost them a barrier.
            self.block(Some(Instant::now() + PATIENCE));
            if self.is_over() {
                return None;
            }
        }
        // SAFETY: the caller is the handle, its cell may be claimed; parked, this thread only looks at it.
        match unsafe { self.header.wait_or_claim::<Asymmetric, _>(|| self.block_registered(None)) } {
            Waited::Over(()) => None,
            Waited::Claimed(claim) => {
                // What the task spawns goes to its own runtime, which does not end meanwhile.
                let is_guest = self.context.role == Role::Guest;
                let _helping = is_guest.then(|| Helping::begin(Rc::clone(self.context)));
                // SAFETY: claimed, with this entry.
                let outcome = unsafe { TaskRef::enter_claimed(cell, claim.entry, self.context.id) };
                Some(Done::Claimed(outcome, claim.origin))
            }
        }
    }

    /// Parks until the wait is over, or until that time, and leaves the processor to another worker.
    pub(crate) fn block(&self, until: Option<Instant>) {
        // SAFETY: the waiting frame is the handle; parked, it only looks at the cell.
        unsafe { self.header.wait::<Asymmetric, _>(|| self.block_registered(until)) };
    }

    fn block_registered(&self, until: Option<Instant>) {
        let is_over = || self.is_over() || until.is_some_and(|at| Instant::now() >= at);
        let until = until.into_iter().chain(self.deadline).min();
        let park = |notice: &Notice<'_>| {
            while !is_over() {
                // What is broadcast may be run here: no other thread may run it.
                match self.context.slot().receive() {
                    Some(task) => self.context.run(task),
                    None => notice.during(|| self.context.stats().park(|| nap(until))),
                }
            }
        };
        let block = |notice: &Notice<'_>| block::block(self.context, notice, &is_over, &|| park(notice));
        self.with_notice(Place::Parked, block);
    }

    /// Calls `f` with what this thread says of itself while it waits.
    pub(crate) fn with_notice<R>(&self, place: Place, f: impl FnOnce(&Notice<'_>) -> R) -> R {
        let (header, deadline, context) = (self.header, self.deadline, Some(&**self.context));
        let (is_over, ending) = (|| is_decided(header), self.ending.as_ref());
        // SAFETY: the waiting frame is the handle.
        let what = unsafe { waits_for(header) };
        f(&Notice { what, deadline, context, place, is_over: &is_over, ending })
    }

    /// The thread that runs the awaited task.
    pub(crate) fn runner(&self) -> Option<usize> {
        match self.header.phase() {
            Phase::Running(id) if id < self.context.shared.slots.ids() => Some(id),
            _ => None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        has_ended(self.header, self.deadline, self.ending.as_ref())
    }
}
