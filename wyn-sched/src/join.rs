//! Waiting for a task: run it here if it is at hand, help with others, park as a last resort.
//!
//! | the waiting thread | runs | parks |
//! |---|---|---|
//! | a guest outside of tasks | its own newest, then anything it can steal | on the task: the workers see to new work |
//! | any, inside a task | what that task has spawned, newest first | on the task; another worker takes its place |
//! | no worker, and no guest | nothing | on the task |
//! | any, with little stack left | nothing | on the task; another worker takes its place |
//!
//! Inside a task nothing else is run, because it would bury the task: were it to wait for the task below it, in
//! however many steps, both would wait for ever. What the task has spawned itself has no handle of it.
//!
//! No wait can keep the awaited task from running: it is either running on another thread, or in a deque from
//! which every thread can take it that may run something; as many as there are workers may, and one of them
//! looks (see `sleep/README.md`). A worker that takes another's place is a spare: it is started when all others
//! are blocked, and leaves when it has found nothing to do for a while.

use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Instant;

use wyn_future::cell::{Header, Outcome, Phase};

use crate::barrier::Asymmetric;
use crate::block;
use crate::context::{self, Context, Helping};
use crate::deadlock::{Ending, Notice, Place, WaitsFor};
use crate::error::JoinError;
use crate::fork::Sought;
use crate::sleep::{self, Found};
use crate::slot::Role;
use crate::sync::{park, park_timeout, spin_loop, yield_now};
use crate::task::{Op, TaskRef};

/// Rounds of looking for something to help with before a waiting thread yields its processor.
const HELP_ROUNDS: u32 = 64;
/// Rounds with a yield in between before it parks.
const YIELD_ROUNDS: u32 = 4;
/// Spins between two rounds, growing with each up to this.
const MAX_ROUND_SPINS: u32 = 32;

/// Runs a task for its handle if it is the newest of this thread. Else gives the newest, if there is one, for
/// [`join_later`].
///
/// # Safety
/// The caller is the handle of the cell.
#[inline(always)]
pub(crate) unsafe fn join_now(cell: NonNull<Header>) -> Result<Outcome, Option<TaskRef>> {
    let newest = context::with_current(|current| {
        let context = current.filter(|context| context.is_ambient() && context.has_stack())?;
        Some((context.deque().pop()?, context.id))
    });
    match newest {
        // SAFETY: taken from its queue; the caller is the handle.
        Some((task, id)) if task.header() == cell => Ok(unsafe { task.enter(Op::Inline, id) }),
        newest => Err(newest.map(|(task, _)| task)),
    }
}

/// Waits for a task to be complete.
///
/// # Safety
/// The caller is the handle of the cell, and `first` is what [`join_now`] has just given.
pub(crate) unsafe fn join_later(cell: NonNull<Header>, first: Option<TaskRef>) -> Result<Outcome, JoinError> {
    // SAFETY: the caller is the handle.
    let outcome = unsafe { wait(cell, None, first) }?;
    Ok(outcome.expect("a wait without a deadline ends with an outcome"))
}

/// Waits for a task to be complete, until a deadline.
///
/// # Safety
/// The caller is the handle of the cell.
pub(crate) unsafe fn join_deadline(
    cell: NonNull<Header>,
    deadline: Option<Instant>,
) -> Result<Option<Outcome>, JoinError> {
    let at_hand = context::with_current(|current| {
        let context = current.filter(|context| context.is_ambient() && context.has_stack())?;
        Some((context.take_newest(cell)?, context.id))
    });
    match at_hand {
        // SAFETY: taken from its queue; the caller is the handle.
        Some((task, id)) => Ok(Some(unsafe { task.enter(Op::Inline, id) })),
        // SAFETY: the caller is the handle.
        None => unsafe { wait(cell, deadline, None) },
    }
}

/// Waits without helping: runs the task itself if it is at hand, and nothing else. With an `ending`, a deadlock may end
/// it.
///
/// # Safety
/// The caller is the handle of the cell.
pub(crate) unsafe fn wait_blocking(
    cell: NonNull<Header>,
    ending: Option<Ending>,
) -> Result<Outcome, JoinError> {
    // SAFETY: the handle keeps the cell alive.
    let header = unsafe { cell.as_ref() };
    if let Some(outcome) = header.left() {
        return Ok(outcome);
    }
    let Some(context) = context::current() else {
        // SAFETY: the caller is the handle.
        unsafe { park_outside(header, None, ending.as_ref()) };
        return end(header, ending).map(|outcome| outcome.unwrap_or_else(|| header.await_left()));
    };
    let is_ambient = context.is_ambient() && context.has_stack();
    if let Some(task) = is_ambient.then(|| context.take_newest(cell)).flatten() {
        let _inside = context.isolate(task.family());
        // SAFETY: taken from its queue; the caller is the handle.
        return Ok(unsafe { task.enter(Op::Inline, context.id) });
    }
    let wait = Wait { header, cell: None, context: &context, deadline: None, ending };
    wait.block();
    end(header, wait.ending).map(|outcome| outcome.unwrap_or_else(|| header.await_left()))
}

/// The outcome of a wait that is over: `None` if its deadline came first, an error if a deadlock ended it.
fn end(header: &Header, ending: Option<Ending>) -> Result<Option<Outcome>, JoinError> {
    match (header.left(), ending.and_then(Ending::into_inner)) {
        (None, Some(error)) => Err(JoinError::deadlocked(error, header.origin())),
        (outcome, _) => Ok(outcome),
    }
}

/// Waits as the table says; runs `first`, the newest task of this thread, before any other.
///
/// # Safety
/// The caller is the handle of the cell.
#[inline(never)]
unsafe fn wait(
    cell: NonNull<Header>,
    deadline: Option<Instant>,
    first: Option<TaskRef>,
) -> Result<Option<Outcome>, JoinError> {
    // SAFETY: the handle keeps the cell alive.
    let header = unsafe { cell.as_ref() };
    let ending = Ending::new();
    let Some(context) = context::current() else {
        // SAFETY: the caller is the handle.
        unsafe { park_outside(header, deadline, Some(&ending)) };
        return end(header, Some(ending));
    };
    if let Some(first) = first {
        // It is out of the deque: at the floor, it was the lowest that may be run.
        if context.above_floor() >= 0 { context.run_or_leave(first) } else { context.push(first) }
    }
    let wait = Wait { cell: Some(cell), header, context: &context, deadline, ending: Some(ending) };
    let inline = if context.role == Role::Guest { wait.as_guest() } else { wait.as_worker() };
    if inline.is_some() { Ok(inline) } else { end(header, wait.ending) }
}

/// Parks a thread that has no place in any runtime.
///
/// # Safety
/// The caller is the handle of the cell.
unsafe fn park_outside(header: &Header, deadline: Option<Instant>, ending: Option<&Ending>) {
    let is_over = || is_decided(header);
    let what = waits_for(header);
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

/// For the handle of the cell.
fn waits_for(header: &Header) -> WaitsFor {
    match header.origin() {
        // Only tasks say where they come from, and those without a handle are not waited for.
        None if cfg!(target_pointer_width = "64") => WaitsFor::Branch,
        spawned_at => WaitsFor::Task { spawned_at },
    }
}

/// A wait under way.
pub(crate) struct Wait<'a> {
    /// What is waited for. The waiting frame is its handle.
    pub(crate) header: &'a Header,
    /// Its task, if that may be run here for the handle.
    pub(crate) cell: Option<NonNull<Header>>,
    pub(crate) context: &'a Rc<Context>,
    pub(crate) deadline: Option<Instant>,
    /// If a deadlock may end it. Never in the place of code that lends its frame to what it waits for.
    pub(crate) ending: Option<Ending>,
}

impl Wait<'_> {
    /// The outcome if the task was run here, for its handle.
    fn as_guest(&self) -> Option<Outcome> {
        let helping = Helping::begin(Rc::clone(self.context));
        let end = self.help();
        if !self.context.is_in_task() {
            drop(helping);
        }
        match end {
            Help::Inline(outcome) => return Some(outcome),
            Help::Over => {}
            Help::Refused => self.block(),
            Help::Exhausted => self.park(),
        }
        None
    }

    /// The same.
    fn as_worker(&self) -> Option<Outcome> {
        loop {
            match self.help() {
                Help::Inline(outcome) => return Some(outcome),
                Help::Over => return None,
                Help::Refused => {
                    self.block();
                    return None;
                }
                Help::Exhausted => {}
            }
            if self.context.is_in_task() {
                self.block();
                return None;
            }
            let idle = || sleep::idle(self.context, self.deadline, || self.is_over());
            let idle = || self.with_notice(Place::OnRoster, |notice| notice.during(idle));
            // SAFETY: the caller of `wait` is the handle; while idle, it only looks at the cell.
            match unsafe { self.header.wait::<Asymmetric, _>(idle) } {
                Found::Task(task) => self.context.run(task),
                Found::Until => return None,
            }
        }
    }

    fn help(&self) -> Help {
        self.help_with(|| self.next().map_or(Sought::Nothing, Sought::Kin))
    }

    /// Runs what `seek` finds until the wait is over or there is nothing to run for a while.
    pub(crate) fn help_with(&self, seek: impl Fn() -> Sought) -> Help {
        let mut round = 0;
        while round < HELP_ROUNDS + YIELD_ROUNDS {
            if self.is_over() {
                return Help::Over;
            }
            if !self.context.has_stack() {
                return Help::Refused;
            }
            match seek() {
                Sought::Kin(task) if Some(task.header()) == self.cell => {
                    // SAFETY: taken from a queue, for the handle of its cell.
                    return Help::Inline(unsafe { task.enter(Op::Inline, self.context.id) });
                }
                Sought::Kin(task) => {
                    self.context.run(task);
                    round = 0;
                    continue;
                }
                Sought::Strange => return Help::Refused,
                Sought::Nothing => {}
            }
            if round < HELP_ROUNDS {
                (0..round.min(MAX_ROUND_SPINS)).for_each(|_| spin_loop());
            } else {
                yield_now();
            }
            round += 1;
        }
        Help::Exhausted
    }

    /// A task that may be run here.
    fn next(&self) -> Option<TaskRef> {
        if self.context.is_in_task() {
            return self.context.take_above_floor().or_else(|| self.context.slot().receive());
        }
        self.context.next().or_else(|| self.context.find(self.runner()))
    }

    /// Parks, and leaves the processor to another worker.
    pub(crate) fn block(&self) {
        let park = |notice: &Notice<'_>| {
            block::block(self.context, notice, &|| self.is_over(), &|| self.park());
        };
        self.with_notice(Place::Parked, park);
    }

    /// Calls `f` with what this thread says of itself while it waits.
    pub(crate) fn with_notice<R>(&self, place: Place, f: impl FnOnce(&Notice<'_>) -> R) -> R {
        let (header, deadline, context) = (self.header, self.deadline, Some(&**self.context));
        let (is_over, ending) = (|| is_decided(header), self.ending.as_ref());
        f(&Notice { what: waits_for(header), deadline, context, place, is_over: &is_over, ending })
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

    /// Parks until the wait is over, but for what only this thread may run.
    pub(crate) fn park(&self) {
        let parked = || loop {
            if self.is_over() {
                return;
            }
            if let Some(task) = self.context.slot().receive() {
                self.context.run(task);
                continue;
            }
            let nap = || self.context.stats().park(|| nap(self.deadline));
            self.with_notice(Place::Parked, |notice| notice.during(nap));
        };
        // SAFETY: the caller of `wait` is the handle; `parked` only looks at the cell.
        unsafe { self.header.wait::<Asymmetric, _>(parked) };
    }
}

/// How helping ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Help {
    /// The awaited task was run here: its header does not say so.
    Inline(Outcome),
    /// The wait is over.
    Over,
    /// There was nothing to run for a while.
    Exhausted,
    /// There is something that may not be run here, or no stack left to run it.
    Refused,
}
