//! What a worker does without work: search, then watch or sleep. The protocol is in `README.md` beside this
//! file, its shared state in [`roster`].

#[allow(unsafe_code, reason = "asks for and sets the processors of a thread")]
mod place;
pub(crate) mod roster;
mod word;

use std::time::{Duration, Instant};

use crate::barrier::Asymmetric;
use crate::context::Context;
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
const LAST_FULL_LOOK: Duration = Duration::from_micros(800);
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
        guest_moves: false,
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
    /// The watcher has just seen work that nobody moves to: a processor is free, however many workers seem
    /// busy. Those that block inside their tasks do.
    has_seen_room: bool,
    /// A guest had moved when this worker last asked.
    guest_moves: bool,
}

impl Idle<'_> {
    fn run(mut self) -> Found {
        let (roster, id) = (&self.context.shared.roster, self.context.id);
        roster.begin_search();
        let mut next = Next::Search;
        loop {
            next = match next {
                Next::Leave => return Found::Until,
                Next::Watch => self.watch(),
                Next::Search => {
                    let full = !std::mem::take(&mut self.has_seen_room) && self.is_full();
                    if let Some(found) = if full { None } else { self.search() } {
                        self.end_search();
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

    /// Stops searching. A lone task needs nobody who looks for more: the next push calls.
    fn end_search(&self) {
        let shared = &self.context.shared;
        if shared.has_work() {
            self.call_others();
            self.context.stats().called(shared.roster.end_search_beside_work());
        } else if shared.roster.end_search() {
            Asymmetric::heavy();
            if shared.has_work() {
                self.context.stats().called(shared.roster.appoint_watcher());
            }
        }
    }

    /// Calls some who sleep, if processors are free for them and there are more tasks than the other searchers will take.
    fn call_others(&self) {
        let (shared, roster) = (&self.context.shared, &self.context.shared.roster);
        let is_worth_it = || {
            // With this one, whose processor is taken by what it has found.
            let searchers = roster.searchers();
            roster.has_sleepers()
                && self.busy() + searchers < shared.target
                && shared.queued(searchers) >= searchers
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
                return Next::Search;
            }
            if (self.until)() {
                self.context.stats().called(shared.roster.watch_to_leave(id));
                return Next::Leave;
            }
            let full = self.look();
            if !full && self.context.has_prey() {
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

    /// Whether every processor is busy by what the watcher sees: threads that moved since its last look.
    fn look(&mut self) -> bool {
        let moved = self.context.looks.borrow_mut().moved(self.context);
        let full = moved >= self.context.shared.target;
        self.quiet = if moved > 0 { Duration::ZERO } else { self.quiet + self.interval };
        self.fruitless = if full { 0 } else { self.fruitless + 1 };
        let last = if full { LAST_FULL_LOOK } else { LAST_LOOK };
        let last = if self.fruitless >= FRUITLESS_LOOKS { FRUITLESS_LOOK } else { last };
        self.interval = (self.interval * 2).min(last);
        full
    }

    /// Whether every processor is busy by what a searcher sees.
    fn is_full(&mut self) -> bool {
        self.guest_moves = self.context.looks.borrow_mut().a_guest_moved(self.context);
        self.busy() >= self.context.shared.target
    }

    /// How many processors are busy by what a searcher sees: every worker that neither rests nor searches, and a guest
    /// if one had moved at the start of this search.
    fn busy(&self) -> usize {
        let shared = &self.context.shared;
        let workers = shared.alive().saturating_sub(shared.roster.idle() + shared.blocked());
        workers + usize::from(self.guest_moves)
    }

    /// Parks until called. On the list already.
    fn sleep(&self) -> Next {
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
                Some(Order::Search) => return Next::Search,
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
                self.end_search();
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

/// How far each thread was when this worker last looked.
#[derive(Default)]
pub(crate) struct Looks {
    /// Per slot id: [`Slot::progress`](crate::slot::Slot::progress).
    seen: Vec<usize>,
}

impl Looks {
    /// How many other threads have moved since the last look.
    fn moved(&mut self, context: &Context) -> usize {
        let slots = &context.shared.slots;
        slots.used().filter(|&id| id != context.id && self.has_moved(context, id)).count()
    }

    fn a_guest_moved(&mut self, context: &Context) -> bool {
        // All of them are looked at, so that each is remembered.
        context.shared.slots.guests().filter(|&id| self.has_moved(context, id)).count() > 0
    }

    fn has_moved(&mut self, context: &Context, id: usize) -> bool {
        if self.seen.len() <= id {
            self.seen.resize(id + 1, 0);
        }
        let now = context.shared.slots.get(id).progress();
        std::mem::replace(&mut self.seen[id], now) != now
    }
}
