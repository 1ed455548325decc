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
    pub(super) outsiders: Outsiders,
    pub(super) every: Duration,
}

#[derive(Clone)]
enum Act {
    Nothing,
    Print,
    Abort,
    Call(Arc<dyn Fn(&DeadlockError) + Send + Sync>),
}

/// What is thought of threads that are neither workers nor parked in a wait of Wyn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outsiders {
    MayWake,
    WakeNobody,
}

impl Deadlocks {
    /// Nobody looks. What a builder starts with, unless the variable `WYN_DEADLOCKS` is set to `print` or `abort`.
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
            _ => Self::ignored(),
        }
    }

    /// Promises that no thread wakes these tasks but workers (of any runtime) and threads that are themselves parked in a
    /// wait of Wyn without a deadline. All others are left out of account. If the promise is wrong, so may be a report.
    pub fn assume_closed(mut self) -> Self {
        self.outsiders = Outsiders::WakeNobody;
        self
    }

    /// How often the monitor looks: every 100 ms unless set, and every 50 µs at most. A look takes some microseconds, and a report comes with the
    /// first one after the deadlock is complete, or up to a second later if spare workers have yet to leave.
    pub fn look_every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    pub(super) fn is_on(&self) -> bool {
        !matches!(self.act, Act::Nothing)
    }

    pub(super) fn act(&self, error: &DeadlockError) {
        match &self.act {
            Act::Nothing => {}
            Act::Print => eprintln!("{error}"),
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
            Act::Call(_) => "call",
        };
        let closed = self.outsiders == Outsiders::WakeNobody;
        f.debug_struct("Deadlocks").field("act", &act).field("assume_closed", &closed).finish_non_exhaustive()
    }
}
