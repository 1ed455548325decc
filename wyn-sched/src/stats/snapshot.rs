//! [`Stats`]: what [`Runtime::stats`](crate::Runtime::stats) returns.

use std::fmt;
use std::time::Duration;

use super::Counters;
use crate::shared::Shared;
use crate::slot::Role;
use crate::slots::Slots;

/// What threads of a runtime have counted since it was started, or between two looks: see [`Stats::since`].
///
/// A *task* is what was spawned, children of scopes included; a *branch* is what [`join`](crate::join) and
/// [`join_all`](crate::join_all) leave for others to take, also inside [`par_for`](crate::par_for).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Tasks spawned to the thread's own queue, or to workers by [`broadcast`](crate::broadcast).
    pub tasks_spawned: u64,
    /// Tasks taken from a queue, the own one or another's, and run.
    pub tasks_run: u64,
    /// Tasks that were run as a call by the wait for them, like the one spawned last by
    /// [`JoinHandle::join`](crate::JoinHandle::join). They are not among `tasks_run`.
    pub tasks_inlined: u64,
    /// Branches that were left for others to take.
    pub branches_forked: u64,
    /// Branches that were taken and run, of the joins of other threads, or of this one's in the middle of another wait:
    /// those for which [`FnContext::migrated`](crate::FnContext::migrated) is true.
    pub branches_migrated: u64,
    /// Attempts to steal from a thread whose queue seemed worth it. Looks at empty queues are none.
    pub steals_attempted: u64,
    /// Those that got something.
    pub steals: u64,
    /// Tasks and branches that came by them.
    pub tasks_stolen: u64,
    /// Those of `steals` that had to stop all processors, because the victim did not answer. The others cost the thief
    /// a question and the victim an answer.
    pub steals_forced: u64,
    /// How often the thread has stopped all processors by a barrier: for these steals, before sleep, and for dropped
    /// handles.
    pub barriers: u64,
    /// How often the thread has parked, without work or inside a wait. The one among the idle workers that
    /// watches over the others parks again and again, for up to a millisecond each time. On threads from outside, only
    /// waits for tasks count.
    pub parks: u64,
    /// The time it was parked, the park under way included.
    pub parked: Duration,
    /// Idle workers that the thread has called, since it had spawned something, or was about to wait. Not counted are
    /// calls that go to all, by `broadcast` and at the end of the runtime.
    pub wakes_given: u64,
    /// Calls that have brought the thread out of a park. Two calls in a row may count as one.
    pub wakes_received: u64,
    /// How many tasks lie in the thread's own queue now.
    pub queued: u64,
    /// The most that have lain there right after one was spawned.
    pub longest_queue: u64,
}

impl Counts {
    /// Each number of the two combined: what counts by the first function, times by the second, `queued` and
    /// `longest_queue` by the others.
    fn combined(self, other: Self, by: &Combine) -> Self {
        let count = by.count;
        Self {
            tasks_spawned: count(self.tasks_spawned, other.tasks_spawned),
            tasks_run: count(self.tasks_run, other.tasks_run),
            tasks_inlined: count(self.tasks_inlined, other.tasks_inlined),
            branches_forked: count(self.branches_forked, other.branches_forked),
            branches_migrated: count(self.branches_migrated, other.branches_migrated),
            steals_attempted: count(self.steals_attempted, other.steals_attempted),
            steals: count(self.steals, other.steals),
            tasks_stolen: count(self.tasks_stolen, other.tasks_stolen),
            steals_forced: count(self.steals_forced, other.steals_forced),
            barriers: count(self.barriers, other.barriers),
            parks: count(self.parks, other.parks),
            parked: (by.time)(self.parked, other.parked),
            wakes_given: count(self.wakes_given, other.wakes_given),
            wakes_received: count(self.wakes_received, other.wakes_received),
            queued: (by.now)(self.queued, other.queued),
            longest_queue: (by.most)(self.longest_queue, other.longest_queue),
        }
    }

    fn and(self, other: Self) -> Self {
        let sum = Combine {
            count: u64::wrapping_add,
            time: Duration::saturating_add,
            now: u64::wrapping_add,
            most: u64::max,
        };
        self.combined(other, &sum)
    }

    fn since(self, earlier: Self) -> Self {
        let (count, time) = (u64::saturating_sub, Duration::saturating_sub);
        self.combined(earlier, &Combine { count, time, now: |later, _| later, most: |later, _| later })
    }

    /// Of one slot.
    fn of(counters: &Counters, queued: usize) -> Self {
        let fields = &counters.0;
        Self {
            tasks_spawned: fields.tasks_spawned.get(),
            tasks_run: fields.tasks_run.get(),
            tasks_inlined: fields.tasks_inlined.get(),
            branches_forked: fields.branches_forked.get(),
            branches_migrated: fields.branches_migrated.get(),
            steals_attempted: fields.steals_attempted.get(),
            steals: fields.steals.get(),
            tasks_stolen: fields.tasks_stolen.get(),
            steals_forced: fields.steals_forced.get(),
            barriers: fields.barriers.get(),
            parks: fields.parks.get(),
            parked: fields.parked.elapsed(),
            wakes_given: fields.wakes_given.get(),
            wakes_received: fields.wakes_received.get(),
            queued: queued as u64,
            longest_queue: fields.longest_queue.get(),
        }
    }

    /// Of many.
    fn of_all(slots: &Slots, ids: impl Iterator<Item = usize>) -> Self {
        ids.map(|id| Self::of_slot(slots, id)).fold(Self::default(), Self::and)
    }

    fn of_slot(slots: &Slots, id: usize) -> Self {
        let slot = slots.get(id);
        Self::of(&slot.stats, slot.stealer().map_or(0, |stealer| stealer.len()))
    }
}

/// How numbers of each kind are combined.
struct Combine {
    count: fn(u64, u64) -> u64,
    time: fn(Duration, Duration) -> Duration,
    now: fn(u64, u64) -> u64,
    most: fn(u64, u64) -> u64,
}

/// What a runtime has counted, by [`Runtime::stats`](crate::Runtime::stats).
///
/// `Display` draws a table with a row for each worker.
///
/// # What is exact
///
/// A snapshot is not taken at one instant, and stops nobody. But what the calling thread has learnt of is counted: a task
/// whose result it has, a wait that has returned. So when a runtime is at rest, with everything that was spawned
/// joined, all numbers of tasks and branches are exact, and
///
/// ```text
/// total().tasks_spawned + tasks_injected == total().tasks_run + total().tasks_inlined
/// ```
///
/// Steals and calls are counted when they have succeeded, steals before what they got is run. No number goes back from
/// one snapshot to the next of the same thread, but `queued`, `injector_queued`, `threads` and `blocked`, which say how
/// things are at the moment, and `parked`: a park that ends during the look may seem a moment longer than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Since the runtime was started, or between the two snapshots.
    pub elapsed: Duration,
    /// Each worker, by its index.
    pub workers: Vec<Counts>,
    /// All threads that stood in for a worker that waited inside a task.
    pub spares: Counts,
    /// All threads from outside that have, or had, a queue of their own here. They get it on their first spawn or wait.
    pub guests: Counts,
    /// Tasks that went through the injector, the queue for everybody: those of threads without a queue of their own, and
    /// of [`Runtime::install`](crate::Runtime::install).
    pub tasks_injected: u64,
    /// Idle workers called for them.
    pub injector_wakes: u64,
    /// How many lie in it now. Pieces of work that a waiting thread came upon and might not run lie there too.
    pub injector_queued: u64,
    /// How many spares were started.
    pub spares_started: u64,
    /// How many threads the runtime has now: its workers, and the spares that have not left.
    pub threads: usize,
    /// How many of these are parked inside a task now.
    pub blocked: usize,
}

impl Stats {
    pub(crate) fn of(shared: &Shared) -> Self {
        let (slots, common) = (&shared.slots, &shared.stats);
        Self {
            elapsed: common.started.elapsed(),
            workers: (0..shared.config.workers).map(|id| Counts::of_slot(slots, id)).collect(),
            spares: Counts::of_all(slots, slots.ever(Role::Spare)),
            guests: Counts::of_all(slots, slots.ever(Role::Guest)),
            tasks_injected: common.injected.get(),
            injector_wakes: common.wakes_given.get(),
            injector_queued: shared.injector.len() as u64,
            spares_started: common.spares_started.get(),
            threads: shared.alive(),
            blocked: shared.blocked(),
        }
    }

    /// The sum of workers, spares and guests; of `longest_queue`, the largest.
    #[must_use]
    pub fn total(&self) -> Counts {
        self.workers.iter().copied().fold(self.spares.and(self.guests), Counts::and)
    }

    /// What was counted since an earlier snapshot of the same runtime. `queued`, `longest_queue`, `injector_queued`,
    /// `threads` and `blocked` are no counts, and stay as they are.
    ///
    /// # Panics
    /// If the other is of a runtime with another number of workers.
    ///
    /// ```
    /// # #[cfg(feature = "stats")] {
    /// let runtime = wyn_sched::Runtime::builder().workers(2).build()?;
    /// let before = runtime.stats();
    /// runtime.spawn(|| 42).join().unwrap();
    /// let spent = runtime.stats().since(&before).total();
    /// assert_eq!((spent.tasks_spawned, spent.tasks_run + spent.tasks_inlined), (1, 1));
    /// # }
    /// # Ok::<(), wyn_sched::BuildError>(())
    /// ```
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        assert_eq!(self.workers.len(), earlier.workers.len(), "snapshots of two runtimes");
        let workers = self.workers.iter().zip(&earlier.workers);
        Self {
            elapsed: self.elapsed.saturating_sub(earlier.elapsed),
            workers: workers.map(|(later, earlier)| later.since(*earlier)).collect(),
            spares: self.spares.since(earlier.spares),
            guests: self.guests.since(earlier.guests),
            tasks_injected: self.tasks_injected.saturating_sub(earlier.tasks_injected),
            injector_wakes: self.injector_wakes.saturating_sub(earlier.injector_wakes),
            spares_started: self.spares_started.saturating_sub(earlier.spares_started),
            ..*self
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:.1?}: {} tasks injected ({} queued, {} wakes), {} spares started, {} threads, {} blocked",
            self.elapsed,
            self.tasks_injected,
            self.injector_queued,
            self.injector_wakes,
            self.spares_started,
            self.threads,
            self.blocked
        )?;
        write!(f, "{:<9}", "")?;
        COLUMNS.iter().try_for_each(|(name, _)| write!(f, " {name:>9}"))?;
        let workers = self.workers.iter().enumerate();
        workers.clone().try_for_each(|(index, counts)| row(f, &format!("worker {index}"), counts))?;
        row(f, "spares", &self.spares)?;
        row(f, "guests", &self.guests)?;
        row(f, "total", &self.total())
    }
}

type Cell = fn(&Counts) -> String;

const COLUMNS: [(&str, Cell); 16] = [
    ("spawned", |counts| counts.tasks_spawned.to_string()),
    ("run", |counts| counts.tasks_run.to_string()),
    ("inlined", |counts| counts.tasks_inlined.to_string()),
    ("forked", |counts| counts.branches_forked.to_string()),
    ("migrated", |counts| counts.branches_migrated.to_string()),
    ("attempts", |counts| counts.steals_attempted.to_string()),
    ("steals", |counts| counts.steals.to_string()),
    ("stolen", |counts| counts.tasks_stolen.to_string()),
    ("forced", |counts| counts.steals_forced.to_string()),
    ("barriers", |counts| counts.barriers.to_string()),
    ("parks", |counts| counts.parks.to_string()),
    ("parked", |counts| format!("{:.1?}", counts.parked)),
    ("calls", |counts| counts.wakes_given.to_string()),
    ("called", |counts| counts.wakes_received.to_string()),
    ("queued", |counts| counts.queued.to_string()),
    ("longest", |counts| counts.longest_queue.to_string()),
];

fn row(f: &mut fmt::Formatter<'_>, name: &str, counts: &Counts) -> fmt::Result {
    write!(f, "\n{name:<9}")?;
    COLUMNS.iter().try_for_each(|(_, cell)| write!(f, " {:>9}", cell(counts)))
}
