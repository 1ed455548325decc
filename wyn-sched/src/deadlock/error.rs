//! What a report says.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Threads that a line of a report names at most.
const MOST_NAMES: usize = 4;

/// Everybody waits, and nobody is left who could wake anybody.
///
/// Its text names each blocked thread, the task it is in, and what it waits for. Clones share their contents.
///
/// With [`Deadlocks::fail`](crate::Deadlocks::fail) this is what blocked calls end with: see there.
#[derive(Debug, Clone)]
pub struct DeadlockError {
    blocked: Arc<[Blocked]>,
}

impl DeadlockError {
    pub(super) fn new(mut blocked: Vec<Blocked>) -> Self {
        blocked.sort_by_key(|wait| wait.since);
        Self { blocked: blocked.into() }
    }

    /// All blocked waits of the process, the oldest first.
    #[must_use]
    pub fn blocked(&self) -> &[Blocked] {
        &self.blocked
    }
}

impl fmt::Display for DeadlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.blocked.len() {
            1 => f.write_str("deadlock: one thread waits, and none is left to wake it")?,
            n => write!(f, "deadlock: {n} threads wait, and none is left to wake them")?,
        }
        let mut groups: Vec<Vec<&Blocked>> = Vec::new();
        for wait in &*self.blocked {
            match groups.iter_mut().find(|group| group[0].is_like(wait)) {
                Some(group) => group.push(wait),
                None => groups.push(vec![wait]),
            }
        }
        for (at, group) in groups.iter().enumerate() {
            write!(f, "\n{:4}. ", at + 1)?;
            describe(f, group)?;
        }
        Ok(())
    }
}

impl Error for DeadlockError {}

/// A thread that waits on something of Wyn: who it is, what task it is in, and what it waits for.
#[derive(Debug, Clone)]
pub struct Blocked {
    pub(super) thread: Option<String>,
    pub(super) is_worker: bool,
    pub(super) waits_for: WaitsFor,
    pub(super) sites: Vec<&'static Location<'static>>,
    pub(super) since: Instant,
    pub(super) deadline: Option<Instant>,
}

impl Blocked {
    /// The thread's name, if it has one.
    #[must_use]
    pub fn thread_name(&self) -> Option<&str> {
        self.thread.as_deref()
    }

    /// Whether it is a thread of a runtime.
    #[must_use]
    pub fn is_worker(&self) -> bool {
        self.is_worker
    }

    /// What it waits for.
    #[must_use]
    pub fn waits_for(&self) -> WaitsFor {
        self.waits_for
    }

    /// Where the task was spawned that waits. `None` outside of tasks, in a branch of [`join`](crate::join) that was
    /// taken from another thread, and in builds that do not note it: those without debug assertions and without the
    /// feature `spawn-sites`.
    #[must_use]
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.sites.first().copied()
    }

    /// Where the tasks were spawned that lie below it on the same stack, from the nearest on, 15 at most: they wait for
    /// something, and run this one meanwhile.
    #[must_use]
    pub fn buries(&self) -> &[&'static Location<'static>] {
        self.sites.get(1..).unwrap_or_default()
    }

    /// How long it has waited.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    /// When it gives up, if ever. Nobody with a deadline is part of a deadlock.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Blocked {
    /// Whether it is in a task of the same place and waits for the same.
    fn is_like(&self, other: &Self) -> bool {
        (self.is_worker, self.waits_for, &self.sites) == (other.is_worker, other.waits_for, &other.sites)
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, &[self])
    }
}

/// Several that are alike, as one; the first has waited longest.
fn describe(f: &mut fmt::Formatter<'_>, alike: &[&Blocked]) -> fmt::Result {
    let first = alike[0];
    match (first.spawned_at(), alike.len()) {
        (Some(at), 1) => write!(f, "the task spawned at {at}")?,
        (Some(at), n) => write!(f, "{n} tasks spawned at {at}")?,
        (None, n) if first.is_worker => write!(f, "{n} in a task")?,
        (None, n) => write!(f, "{n} outside of tasks")?,
    }
    write!(f, ", {}, for {:.1?}", first.waits_for, first.waited())?;
    for (at, wait) in alike.iter().take(MOST_NAMES).enumerate() {
        let words = if at == 0 { ", on thread" } else { "," };
        write!(f, "{words} `{}`", wait.thread_name().unwrap_or("without a name"))?;
    }
    if let Some(more) = alike.len().checked_sub(MOST_NAMES).filter(|&more| more > 0) {
        write!(f, " and {more} more")?;
    }
    for (at, site) in first.buries().iter().enumerate() {
        let words = if at == 0 { "; below it on the stack the task spawned at" } else { "," };
        write!(f, "{words} {site}")?;
    }
    Ok(())
}

/// What a blocked thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitsFor {
    /// The end of a task, whose handle it holds.
    Task {
        /// Where that task was spawned (on 64-bit targets).
        spawned_at: Option<&'static Location<'static>>,
    },
    /// A branch of [`join`](crate::join) that another thread has, or the children of a [`scope`](crate::scope()).
    Branch,
    /// The end of a runtime, which waits for its tasks.
    End,
    /// What wakes the future that it drives itself, in [`block_on`](crate::block_on()).
    Future,
    /// A channel or value of wyn-channel.
    #[cfg(feature = "channel")]
    Channel(wyn_channel::hook::What),
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task { spawned_at: Some(at) } => write!(f, "waiting for the task spawned at {at}"),
            Self::Task { spawned_at: None } => f.write_str("waiting for a task"),
            Self::Branch => f.write_str("waiting for a branch of `join` or the children of a scope"),
            Self::Future => f.write_str("waiting for the future of a `block_on`"),
            Self::End => f.write_str("waiting for the tasks of a runtime that ends"),
            #[cfg(feature = "channel")]
            Self::Channel(what) => write!(f, "{what}"),
        }
    }
}
