//! The place where a scheduler takes over: what a thread does while a channel makes it wait.
//!
//! A thread that has to wait spins a little, then parks. On a worker of a scheduler that is a worker less, and
//! if the other side of the channel is a task that waits for a worker, a deadlock. A scheduler that implements
//! [`Hook`], [`set`]s it once and [`opt_in`]s each of its threads is asked instead of parking, and may run other
//! work until the wait [is over](Wait::is_over), or start another worker and [park](Wait::park).
//!
//! Other threads pay one thread-local look where they would park, and nothing before; the hook is
//! [told](Hook::block_outside) of their waits too, so that it can say who waits for what.
//!
//! A wait that nobody will ever end, as the hook has found out, can be [ended by the hook](Wait::end_with): the operation
//! withdraws, as if its time were up, and its thread unwinds with what the hook has to say.
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use std::time::Duration;
//! use wyn_channel::hook::{self, Hook, Wait};
//!
//! struct Counting(AtomicUsize);
//!
//! impl Hook for Counting {
//!     fn block(&self, wait: &Wait<'_>) {
//!         self.0.fetch_add(1, Ordering::Relaxed);
//!         while !wait.is_over() {
//!             // A scheduler would look for a task here.
//!             wait.park();
//!         }
//!     }
//! }
//!
//! static COUNTING: Counting = Counting(AtomicUsize::new(0));
//! hook::set(&COUNTING)?;
//!
//! let _owned = hook::opt_in();
//! let (_s, r) = wyn_channel::bounded::<u32>(1);
//! assert!(r.recv_timeout(Duration::from_millis(20)).is_err());
//! assert!(COUNTING.0.load(Ordering::Relaxed) > 0);
//! # Ok::<(), hook::AlreadySet>(())
//! ```

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread::panicking;
use std::time::Instant;

use crate::alarm;
pub use crate::budget::{Budget, budget};
use crate::foreign::bury;
use crate::spin::has_passed;
use crate::wait::{Ticket, park_until};

/// A scheduler that takes over the waits of its threads.
pub trait Hook: Sync {
    /// Called on a thread that has [opted in](opt_in), where it would park; it has spun and yielded before.
    ///
    /// May return whenever it likes: if the wait [is not over](Wait::is_over) then, it is called again. It may
    /// run anything that the thread may run at this place, channel operations included, which call it again,
    /// deeper on the stack. Whatever it runs delays the waiting operation, so it should look at
    /// [`is_over`](Wait::is_over) between two pieces of work.
    ///
    /// # Panics
    /// A panic would unwind out of a half-finished operation: the process is aborted. To end the operation, call
    /// [`Wait::end_with`] and return.
    fn block(&self, wait: &Wait<'_>);

    /// Called on a thread that has opted in when an operation gives up because its time is over, before or after
    /// [`block`](Self::block). Code that tries again and again in this way keeps its thread, so a scheduler may let another
    /// run what is queued. Does nothing unless it is overridden.
    ///
    /// # Panics
    /// As [`block`](Self::block).
    fn timed_out(&self) {}

    /// Called on a thread that has not opted in, in the place of [`Wait::park`], which it must come down to: this
    /// thread is to run nothing else. For a scheduler that keeps account of who waits.
    ///
    /// # Panics
    /// As [`block`](Self::block).
    fn block_outside(&self, wait: &Wait<'_>) {
        wait.park();
    }
}

/// A blocked operation, as a [`Hook`] sees it.
pub struct Wait<'a> {
    ticket: &'a Ticket,
    deadline: Option<Instant>,
    what: What,
    may_end: bool,
    is_ended: Cell<bool>,
    /// Parking is the business of the thread that waits.
    not_send: PhantomData<*const ()>,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(ticket: &'a Ticket, deadline: Option<Instant>, what: What) -> Self {
        // Out of a destructor that runs in the middle of a panic there is no way but the end of the process.
        let may_end = deadline.is_none() && what != What::Time && !panicking();
        Self { ticket, deadline, what, may_end, is_ended: Cell::new(false), not_send: PhantomData }
    }

    /// The wait for somebody who has begun to serve the operation.
    pub(crate) fn for_claimant(ticket: &'a Ticket, what: What) -> Self {
        Self { may_end: false, ..Self::new(ticket, None, what) }
    }

    /// Whether the operation has been decided, its deadline has passed, or the hook has ended it. Does not block.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_ended() || self.is_decided() || self.deadline.is_some_and(has_passed)
    }

    /// Whether [`end_with`](Self::end_with) does anything: not to an operation with a deadline, nor to one that somebody
    /// is about to serve, nor to one in a destructor that runs because of a panic.
    #[must_use]
    pub fn may_end(&self) -> bool {
        self.may_end
    }

    /// Gives the operation up. When the hook has returned it withdraws, as if its time were up; then its thread unwinds
    /// with `reason`, out of the call that was blocked. The panic hook is not called. If somebody has served the
    /// operation meanwhile, it ends as usual instead.
    ///
    /// An operation whose timeout lies beyond the clock's range does not unwind: to its caller, its time is up.
    ///
    /// Nothing happens unless it [may be ended](Self::may_end).
    pub fn end_with(&self, reason: Box<dyn Any + Send>) {
        if self.may_end {
            self.is_ended.set(true);
            // A thread whose locals are gone unwinds with less to say.
            let _ = REASON.try_with(|last| last.set(Some(Reason(Some(reason)))));
        }
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended.get()
    }

    /// Whether the operation has been decided. Does not look at the clock.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.ticket.verdict().is_some()
    }

    /// What another thread may ask about this wait.
    #[must_use]
    pub fn probe(&self) -> Probe<'a> {
        Probe { ticket: self.ticket }
    }

    /// When the operation gives up, if ever.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Parks this thread until the wait is over, the thread is unparked, or for no reason at all.
    ///
    /// The operation's other side wakes it by [`Thread::unpark`](std::thread::Thread::unpark). A scheduler may
    /// do the same when there is work.
    pub fn park(&self) {
        if !self.is_decided() {
            park_until(self.deadline);
        }
    }

    /// What is waited for.
    #[must_use]
    pub fn what(&self) -> What {
        self.what
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("what", &self.what).field("deadline", &self.deadline).finish()
    }
}

/// A look at a blocked operation that any thread may take while it waits.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    ticket: &'a Ticket,
}

impl Probe<'_> {
    /// Whether the operation has been decided: its thread goes on, or is about to. Once true, it stays so. Does
    /// not block.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.ticket.verdict().is_some()
    }
}

/// What a blocked operation waits for, for reports: the kind of operation, and the address that identifies the
/// channel, value or cell while it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// Room in a channel, or a receiver to hand the message to.
    Send {
        /// Identifies the channel.
        channel: usize,
    },
    /// A message.
    Recv {
        /// Identifies the channel.
        channel: usize,
    },
    /// Any of several operations.
    Select {
        /// How many.
        arms: usize,
    },
    /// A condition on a [`Value`](crate::Value).
    Value {
        /// Identifies the value.
        value: usize,
    },
    /// The message of a [`oneshot`](crate::oneshot()).
    Oneshot {
        /// Identifies the pair.
        cell: usize,
    },
    /// The clock, or nothing at all ([`never`](crate::never)).
    Time,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { channel } => write!(f, "sending into channel {channel:#x}"),
            Self::Recv { channel } => write!(f, "receiving from channel {channel:#x}"),
            Self::Select { arms } => write!(f, "selecting among {arms} operations"),
            Self::Value { value } => write!(f, "waiting for a condition on value {value:#x}"),
            Self::Oneshot { cell } => write!(f, "waiting for the message of oneshot {cell:#x}"),
            Self::Time => f.write_str("waiting for the clock"),
        }
    }
}

/// There is a hook already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadySet;

impl fmt::Display for AlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hook is set already")
    }
}

impl std::error::Error for AlreadySet {}

static HOOK: OnceLock<&'static dyn Hook> = OnceLock::new();

thread_local! {
    static OPTED_IN: Cell<bool> = const { Cell::new(false) };
    /// Why the hook has ended the last operation of this thread that it has ended.
    static REASON: Cell<Option<Reason>> = const { Cell::new(None) };
}

/// What the hook has to say. If nobody unwinds with it, its destructor does no harm, not even at the end of the thread.
struct Reason(Option<Box<dyn Any + Send>>);

impl Drop for Reason {
    fn drop(&mut self) {
        if let Some(reason) = self.0.take() {
            bury(reason);
        }
    }
}

/// Makes `hook` the one of this process. It takes over the waits of threads that [opt in](opt_in), and is told of
/// those of the others.
///
/// # Errors
/// [`AlreadySet`] if there is one: a hook stays for the life of the process.
pub fn set(hook: &'static dyn Hook) -> Result<(), AlreadySet> {
    HOOK.set(hook).map_err(|_| AlreadySet)
}

/// Lets the [`Hook`] take over the waits of this thread until the guard is dropped.
pub fn opt_in() -> OptIn {
    OptIn { before: OPTED_IN.replace(true), not_send: PhantomData }
}

/// Lets this thread park by itself again until the guard is dropped: for code of a scheduler's thread that must
/// not run other work inside a wait.
pub fn opt_out() -> OptIn {
    OptIn { before: OPTED_IN.replace(false), not_send: PhantomData }
}

/// Ends the [`opt_in`] or [`opt_out`] of a thread when it is dropped.
#[derive(Debug)]
#[must_use = "the thread goes back to what it was when this is dropped"]
pub struct OptIn {
    before: bool,
    not_send: PhantomData<*const ()>,
}

impl Drop for OptIn {
    fn drop(&mut self) {
        // A guard that is dropped with the thread's other locals finds the flag gone.
        let _ = OPTED_IN.try_with(|flag| flag.set(self.before));
    }
}

/// What the thread is at that wakes tasks which await a timer. For who looks whether anybody will move again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clock {
    /// There is none: it is started when a timer is awaited first.
    Absent,
    /// It waits for a timer to be set, and wakes nobody before.
    Idle,
    /// A timer is set, or has gone off and its task is being woken.
    Set,
}

/// What that thread is at. Once this is [`Clock::Idle`], all that it has woken is seen to have been woken.
///
/// A timer that nobody awaits any more does not count.
#[must_use]
pub fn clock() -> Clock {
    alarm::clock()
}

/// Whether a hook may keep this thread with other work when its wait is over.
pub(crate) fn may_delay() -> bool {
    OPTED_IN.try_with(Cell::get).unwrap_or(false)
}

/// Waits a while, in the scheduler's way if this thread has opted in.
pub(crate) fn block(wait: &Wait<'_>) {
    let Some(hook) = HOOK.get() else { return wait.park() };
    let bomb = AbortOnUnwind;
    if may_delay() {
        hook.block(wait);
    } else {
        hook.block_outside(wait);
    }
    std::mem::forget(bomb);
}

/// The calling thread gives up an operation whose time is over.
#[cold]
pub(crate) fn timed_out() {
    let Some(hook) = HOOK.get().filter(|_| may_delay()) else { return };
    let bomb = AbortOnUnwind;
    hook.timed_out();
    std::mem::forget(bomb);
}

/// Unwinds out of an operation that the hook has ended, and that has withdrawn.
#[cold]
pub(crate) fn unwind() -> ! {
    let reason = REASON.try_with(Cell::take).ok().flatten().and_then(|mut reason| reason.0.take());
    resume_unwind(reason.unwrap_or_else(|| Box::new("a blocked operation was ended by the scheduler")))
}

/// A waiter of the unwinding frame is still in a list that others read.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}
