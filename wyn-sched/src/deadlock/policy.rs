//! `Deadlocks`: what a runtime does about a deadlock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::DeadlockError;

/// How often the monitor looks, unless told otherwise.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a runtime does when everybody waits and nobody is left who could wake anybody; for
/// [`Builder::deadlocks`](crate::Builder::deadlocks).
///
/// A report is a proof: it comes only when every thread of the process is parked in a wait of Wyn without a deadline or
/// is an idle worker, and no task is queued. A thread that does anything else (runs, sleeps by the clock, reads a
/// socket, waits in a `std` lock or in another executor) might wake somebody, and there is no report. Two things can be
/// promised so that there is one all the same: [`assume_closed`](Self::assume_closed) and
/// [`bystander`](crate::bystander). Without such a promise there are reports on Linux only.
///
/// A deadlock among some tasks beside others that go on is not seen: see [`Runtime::blocked`](crate::Runtime::blocked).
///
/// ```
/// use wyn_sched::{Deadlocks, Runtime};
///
/// let runtime = Runtime::builder().workers(2).deadlocks(Deadlocks::abort()).build()?;
/// assert_eq!(runtime.spawn(|| 6 * 7).join().unwrap(), 42);
/// # Ok::<(), wyn_sched::BuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is given to a builder"]
pub struct Deadlocks {
    act: Act,
    outsiders: Outsiders,
    pub(super) every: Duration,
}

#[derive(Clone)]
enum Act {
    Nothing,
    Print,
    Abort,
    Fail,
    Call(Arc<dyn Fn(&DeadlockError) + Send + Sync>),
}

/// Whether there are threads that are neither still nor bystanders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    None,
    Perhaps,
}

/// What is thought of such threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outsiders {
    MayWake,
    WakeNobody,
}

impl Deadlocks {
    /// Nobody looks. What a builder starts with, unless the variable `WYN_DEADLOCKS` is set to `print`, `abort` or `fail`.
    pub fn ignored() -> Self {
        Self::new(Act::Nothing)
    }

    /// Prints the [`DeadlockError`] to standard error, once for each deadlock.
    pub fn print() -> Self {
        Self::new(Act::Print)
    }

    /// Prints the [`DeadlockError`] and aborts the process.
    pub fn abort() -> Self {
        Self::new(Act::Abort)
    }

    /// Prints the [`DeadlockError`], and ends the blocked calls of this runtime's tasks, all of them:
    ///
    /// | blocked in | ends with |
    /// |---|---|
    /// | [`JoinHandle::join`](crate::JoinHandle::join) and its kin, and that of a scope's child | a [`JoinError`](crate::JoinError) that [knows of the deadlock](crate::JoinError::deadlock); the handle is gone, the awaited task runs on |
    /// | an operation on a channel or value of wyn-channel | a panic with the `DeadlockError`, which does not call the panic hook; the task's handle reports it, [with the deadlock](crate::JoinError::deadlock) |
    /// | [`join`](crate::join()), [`scope`](crate::scope()), [`install`](crate::Runtime::install) and whatever else waits for code that borrows | as ever, when that code has ended, which a panic of its own makes it do |
    ///
    /// If none of the tasks can be ended in this way, the blocked calls of threads outside of tasks are; and if there are
    /// none either, [`Runtime`](crate::Runtime)s that are being dropped are not waited for any longer. Neither happens on
    /// the strength of [`assume_closed`](Self::assume_closed), which is a promise about tasks only. The waits of a
    /// [`bystander`](crate::bystander) are left alone.
    ///
    /// The runtime goes on: a deadlock that follows is another one.
    ///
    /// ```
    /// use wyn_sched::{Deadlocks, Runtime};
    /// # #[cfg(feature = "channel")] {
    ///
    /// let runtime = Runtime::builder().workers(1).deadlocks(Deadlocks::fail().assume_closed()).build()?;
    /// let (keeps, receiver) = wyn_channel::bounded::<u32>(1);
    /// let waits = runtime.spawn(move || receiver.recv());
    /// let error = waits.join().unwrap_err();
    /// assert!(error.deadlock().is_some_and(|deadlock| !deadlock.blocked().is_empty()));
    /// # drop(keeps);
    /// # }
    /// # Ok::<(), wyn_sched::BuildError>(())
    /// ```
    pub fn fail() -> Self {
        Self::new(Act::Fail)
    }

    /// Calls `handler` once for each deadlock, on a thread of its own, while the blocked wait on. It may end the process,
    /// or the deadlock: by closing a channel, by sending what is waited for. Its panics go to the panic hook and
    /// no further.
    pub fn call(handler: impl Fn(&DeadlockError) + Send + Sync + 'static) -> Self {
        Self::new(Act::Call(Arc::new(handler)))
    }

    fn new(act: Act) -> Self {
        Self { act, outsiders: Outsiders::MayWake, every: LOOK_EVERY }
    }

    pub(crate) fn from_environment() -> Self {
        match std::env::var("WYN_DEADLOCKS").as_deref() {
            Ok("print") => Self::print(),
            Ok("abort") => Self::abort(),
            Ok("fail") => Self::fail(),
            _ => Self::ignored(),
        }
    }

    /// Promises that no thread wakes these tasks but workers (of any runtime) and threads that are themselves parked in a
    /// wait of Wyn without a deadline. All others are left out of account, threads that wait with a timeout among them.
    /// Then a report needs a task of this runtime that is blocked. If the promise is wrong, so may be the report.
    pub fn assume_closed(mut self) -> Self {
        self.outsiders = Outsiders::WakeNobody;
        self
    }

    /// How often the monitor looks: every 100 ms unless set, and every 50 µs at most. A look takes some microseconds, and
    /// a report comes with the first one after the deadlock is complete, or up to a second later if spare workers have yet
    /// to leave.
    pub fn look_every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    pub(super) fn is_on(&self) -> bool {
        !matches!(self.act, Act::Nothing)
    }

    /// Whether blocked calls are to end.
    pub(super) fn ends_waits(&self) -> bool {
        matches!(self.act, Act::Fail)
    }

    /// Whether a look at the workers and waits, which leaves out `other` threads if there are any, is a proof.
    pub(super) fn is_proof(&self, others: Others) -> bool {
        others == Others::None || self.outsiders == Outsiders::WakeNobody
    }

    pub(super) fn act(&self, error: &DeadlockError) {
        match &self.act {
            Act::Nothing => {}
            Act::Print | Act::Fail => eprintln!("{error}"),
            Act::Abort => {
                eprintln!("{error}");
                std::process::abort();
            }
            Act::Call(handler) => handler(error),
        }
    }
}

impl fmt::Debug for Deadlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let act = match self.act {
            Act::Nothing => "ignored",
            Act::Print => "print",
            Act::Abort => "abort",
            Act::Fail => "fail",
            Act::Call(_) => "call",
        };
        let closed = self.outsiders == Outsiders::WakeNobody;
        f.debug_struct("Deadlocks").field("act", &act).field("assume_closed", &closed).finish_non_exhaustive()
    }
}
