//! What a worker does without work: search, then watch or sleep. The protocol is in `README.md` beside this
//! file, its shared state in [`roster`].

#[allow(unsafe_code, reason = "asks for and sets the processors of a thread")]
mod place;
pub(crate) mod roster;
mod word;

use std::time::{Duration, Instant};

use crate::barrier::Asymmetric;
use crate::context::Context;
use crate::relief::{Left, Queue};
use crate::runtime;
use crate::sync::{park, park_timeout, spin_loop, yield_now};
use crate::task::TaskRef;
use roster::{Order, Rest};

/// Rounds of looking everywhere before a searcher yields its processor.
const SEARCH_ROUNDS: u32 = 24;
/// Rounds with a yield in between before it rests.
const YIELD_ROUNDS: u32 = 3;
/// Spins between two rounds, growing with each up to this.
const MAX_ROUND_SPINS: u32 = 32;
/// The first of the watcher's intervals; they double while there is nothing for it to do.
const FIRST_LOOK: Duration = Duration::from_micros(50);
/// The longest while a processor is free: how late a lone task may start that is pushed meanwhile.
const LAST_LOOK: Duration = Duration::from_micros(200);
/// The longest while all are busy.
const LAST_FULL_LOOK: Duration = Duration::from_millis(1);
/// After so many looks in a row that found others moving and nothing to take, the watcher looks less often.
const FRUITLESS_LOOKS: u32 = 16;
/// Its interval then. What it misses are tasks that are taken back at once.
const FRUITLESS_LOOK: Duration = Duration::from_millis(1);
/// When nobody has moved for so long, the watcher falls asleep, and the next push calls.
const QUIET: Duration = Duration::from_micros(300);

/// Whoever finds work beside more of it calls so many at most: with two, all are called in a time that grows as the
/// logarithm of their number.
const CALLED_BY_FINDER: usize = 2;

/// What an idle worker comes back with.
pub(crate) enum Found {
    Task(TaskRef),
    /// What it waited for has happened.
    Until,
}

/// How one stage of idling ends.
enum Next {
    /// The worker counts as a searcher.
    Search,
    /// It counts as the watcher.
    Watch,
    /// It counts as nothing: what it waited for has happened.
    Leave,
}

/// Finds a task, or waits until `until`. Wakes by itself at the deadline to ask `until`.
///
/// `until` must become true together with an unpark of this thread, by the deadline, or by an order.
pub(crate) fn idle(context: &Context, deadline: Option<Instant>, until: impl Fn() -> bool) -> Found {
    idle_with(context, deadline, until, &|| context.find(None))
}

/// The same, for a thread that may not run everything: `find` looks for what it may.
pub(crate) fn idle_with(
    context: &Context,
    deadline: Option<Instant>,
    until: impl Fn() -> bool,
    find: &dyn Fn() -> Option<TaskRef>,
) -> Found {
    context.end_departures();
    Idle {
        context,
        deadline,
        until: &until,
        find,
        interval: FIRST_LOOK,
        quiet: Duration::ZERO,
        fruitless: 0,
        has_seen_room: false,
        needs_lookout: false,
    }
    .run()
}

struct Idle<'a> {
    context: &'a Context,
    deadline: Option<Instant>,
    until: &'a dyn Fn() -> bool,
    find: &'a dyn Fn() -> Option<TaskRef>,
    /// How long the watcher waits for its next look.
    interval: Duration,
    /// How long nobody has moved.
    quiet: Duration,
    /// Looks in a row that found nothing to take.
    fruitless: u32,
    /// A processor is free, however many workers seem busy: the watcher has just seen work that nobody moves to, or somebody
    /// has called this worker who had. Workers that block inside their tasks seem busy.
    has_seen_room: bool,
    /// This thread has relieved others that poll, and may be polled for as well.
    needs_lookout: bool,
}

impl Idle<'_> {
    fn run(mut self) -> Found {
        let (roster, id) = (&self.context.shared.roster, self.context.id);
        roster.begin_search();
        self.context.count_ready();
        let mut next = Next::Search;
        loop {
            next = match next {
                Next::Leave => return Found::Until,
                Next::Watch => self.watch(),
                Next::Search => {
                    let has_seen_room = std::mem::take(&mut self.has_seen_room);
                    let full = if has_seen_room { self.is_staffed() } else { self.is_full() };
                    if let Some(found) = if full { self.relieve() } else { self.search() } {
                        self.end_search(has_seen_room);
                        return found;
                    }
                    match roster.retire(id) {
                        Rest::Watch => {
                            roster.report(id, full);
                            self.watch()
                        }
                        Rest::Sleep => self.sleep(),
                    }
                }
            }
        }
    }

    /// Looks everywhere for a few microseconds.
    fn search(&self) -> Option<Found> {
        for round in 0..SEARCH_ROUNDS + YIELD_ROUNDS {
            if (self.until)() {
                return Some(Found::Until);
            }
            if let Some(task) = (self.find)() {
                return Some(Found::Task(task));
            }
            if round < SEARCH_ROUNDS {
                (0..round.min(MAX_ROUND_SPINS)).for_each(|_| spin_loop());
            } else {
                yield_now();
            }
        }
        None
    }

    /// A task that has waited too long, if the watcher has seen one: it is run whoever else is busy.
    fn relieve(&mut self) -> Option<Found> {
        if (self.until)() {
            return Some(Found::Until);
        }
        let left = self.context.shared.relief.take()?;
        self.needs_lookout = left.polled;
        self.context.take_from(left.queue).map(Found::Task)
    }

    /// Stops searching. A lone task needs nobody who looks for more: the next push calls.
    fn end_search(&self, has_seen_room: bool) {
        self.leave_search(has_seen_room);
        let shared = &self.context.shared;
        if shared.roster.nobody_is_idle() && (self.needs_lookout || shared.has_outside()) {
            runtime::keep_lookout(shared, self.needs_lookout);
        }
    }

    fn leave_search(&self, has_seen_room: bool) {
        let shared = &self.context.shared;
        if shared.has_work() {
            self.call_others(has_seen_room);
            self.context.stats().called(shared.roster.end_search_beside_work());
        } else if shared.roster.end_search() {
            Asymmetric::heavy();
            if shared.has_work() {
                self.context.stats().called(shared.roster.appoint_watcher());
            }
        }
    }

    /// Calls some who sleep, if processors are free for them and there are more tasks than the other searchers will take.
    fn call_others(&self, has_seen_room: bool) {
        let (shared, roster) = (&self.context.shared, &self.context.shared.roster);
        // Where nobody moves, the busy do not need their processors.
        let most = if has_seen_room { shared.config.workers } else { shared.target };
        let is_worth_it = || {
            // With this one, whose processor is taken by what it has found.
            let searchers = roster.searchers();
            roster.has_sleepers() && self.busy() + searchers < most && shared.queued(searchers) >= searchers
        };
        for _ in 0..CALLED_BY_FINDER {
            if !(is_worth_it() && roster.rouse_another()) {
                return;
            }
            self.context.stats().called(true);
        }
    }

    /// Looks around by a clock, for all who sleep.
    fn watch(&mut self) -> Next {
        let (shared, id) = (&self.context.shared, self.context.id);
        loop {
            self.context.stats().park(|| park_timeout(self.nap()));
            if self.take_order().is_some() {
                self.has_seen_room = true;
                return Next::Search;
            }
            if (self.until)() {
                self.context.stats().called(shared.roster.watch_to_leave(id));
                return Next::Leave;
            }
            let Look { full, relieves } = self.look();
            if relieves || (!full && self.context.has_prey()) {
                shared.roster.watch_to_search(id);
                self.has_seen_room = true;
                return Next::Search;
            }
            shared.roster.report(id, full);
            if shared.is_closing() {
                if shared.at_rest() {
                    shared.stop();
                }
            } else if self.quiet >= QUIET && !shared.has_work() {
                return if shared.roster.watch_to_sleep(id) { self.sleep() } else { Next::Search };
            }
        }
    }

    /// Looks whether the watcher may come for more, and whether it must.
    fn look(&mut self) -> Look {
        let shared = &self.context.shared;
        let Seen { workers: moved, anybody, left } = self.context.looks.borrow_mut().look(self.context);
        let staffed = self.is_staffed();
        // Of those from outside one at a time. Where code polls, that may be for what this very task does.
        let may_relieve = |left: &Left| left.polled || shared.able() <= shared.config.workers + 1;
        let left = left.filter(|left| staffed && may_relieve(left));
        let relieves = left.is_some();
        if let Some(left) = left {
            shared.relief.ask(left);
        }
        let full = staffed || moved >= shared.target;
        self.quiet = if anybody { Duration::ZERO } else { self.quiet + self.interval };
        self.fruitless = if full { 0 } else { self.fruitless + 1 };
        let last = if full { LAST_FULL_LOOK } else { LAST_LOOK };
        let last = if self.fruitless >= FRUITLESS_LOOKS { FRUITLESS_LOOK } else { last };
        self.interval = (self.interval * 2).min(last);
        Look { full, relieves }
    }

    /// Whether every processor is busy by what a searcher sees. Threads from outside do not count: one that waits elsewhere
    /// takes no processor.
    fn is_full(&self) -> bool {
        self.busy() >= self.context.shared.target
    }

    /// Whether as many threads are in tasks as there are workers.
    fn is_staffed(&self) -> bool {
        self.busy() >= self.context.shared.config.workers
    }

    /// How many threads are in tasks, or taking one, by what a searcher sees: those that neither rest nor search.
    fn busy(&self) -> usize {
        let shared = &self.context.shared;
        shared.alive().saturating_sub(shared.roster.idle() + shared.blocked())
    }

    /// Parks until called. On the list already.
    fn sleep(&mut self) -> Next {
        let shared = &self.context.shared;
        // While somebody looks, the roster passes the duty on. The last one to lie down looks once more: what
        // was pushed before the barrier is seen here, and who pushes after it sees that nobody looks.
        let mut found = shared.roster.nobody_looks() && {
            Asymmetric::heavy();
            shared.has_work()
        };
        // Mail does not rely on who looks: it calls whoever is on the list.
        found |= self.context.slot().has_mail();
        loop {
            match self.take_order() {
                Some(Order::Search) => {
                    self.has_seen_room = true;
                    return Next::Search;
                }
                Some(Order::Watch) => return Next::Watch,
                None => {}
            }
            let until = (self.until)();
            if found || until {
                return self.rise(until);
            }
            self.context.stats().park(|| match self.deadline {
                None => park(),
                Some(at) => park_timeout(at.saturating_duration_since(Instant::now())),
            });
            found = false;
        }
    }

    /// Why this worker was called, if it was.
    fn take_order(&self) -> Option<Order> {
        let order = self.context.shared.roster.take_order(self.context.id);
        self.context.stats().heeded(order.is_some());
        order
    }

    /// Gets off the list of sleepers.
    fn rise(&self, until: bool) -> Next {
        let (roster, id) = (&self.context.shared.roster, self.context.id);
        match (roster.sleep_to_search(id), until) {
            (None | Some(Order::Search), true) => {
                self.end_search(false);
                Next::Leave
            }
            (Some(Order::Watch), true) => {
                self.context.stats().called(roster.watch_to_leave(id));
                Next::Leave
            }
            (Some(Order::Watch), false) => Next::Watch,
            (None | Some(Order::Search), false) => Next::Search,
        }
    }

    fn nap(&self) -> Duration {
        match self.deadline {
            None => self.interval,
            Some(at) => self.interval.min(at.saturating_duration_since(Instant::now())),
        }
    }
}

/// What has changed between two looks.
struct Seen {
    /// So many other threads of the runtime have moved.
    workers: usize,
    /// Any thread has moved, one from outside perhaps.
    anybody: bool,
    /// A queue whose oldest task has been there since, though the workers move, or poll.
    left: Option<Left>,
}

/// What the watcher has seen.
struct Look {
    /// Nobody may come for more: every processor is busy, by what has moved since the last look, or all workers are in tasks.
    full: bool,
    /// It has asked for relief.
    relieves: bool,
}

/// How far each thread was when this worker last looked.
#[derive(Default)]
pub(crate) struct Looks {
    /// Per slot id: [`Slot::progress`](crate::slot::Slot::progress).
    seen: Vec<usize>,
    /// The queues that held anything, with what changes when their oldest task is taken; and room for those of the next look.
    queues: [Vec<(Queue, usize)>; 2],
    /// See [`Shared::polls`](crate::shared::Shared::polls).
    polls: usize,
}

impl Looks {
    fn look(&mut self, context: &Context) -> Seen {
        let slots = &context.shared.slots;
        let guests = slots.guests().filter(|&id| self.has_moved(context, id)).count();
        let own = slots.used().filter(|id| *id != context.id && !slots.is_guest(*id));
        let workers = own.filter(|&id| self.has_moved(context, id)).count();
        let polls = context.shared.polls();
        let polled = polls != std::mem::replace(&mut self.polls, polls);
        let [before, now] = &mut self.queues;
        now.clear();
        now.extend(context.shared.queues());
        let mut still = now.iter().filter(|queue| before.contains(queue)).map(|&(queue, _)| queue);
        let queue = still.find(|queue| polled || (workers > 0 && queue.is_outside()));
        std::mem::swap(before, now);
        Seen { workers, anybody: guests + workers > 0, left: queue.map(|queue| Left { queue, polled }) }
    }

    fn has_moved(&mut self, context: &Context, id: usize) -> bool {
        if self.seen.len() <= id {
            self.seen.resize(id + 1, 0);
        }
        let now = context.shared.slots.get(id).progress();
        std::mem::replace(&mut self.seen[id], now) != now
    }
}
