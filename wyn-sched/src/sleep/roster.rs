//! The roster behind the idle [word](super::word): who searches, who watches, who sleeps.
//!
//! Claims are exclusive because a sleeper is claimed by taking it off the list under the lock; a claimed
//! worker learns of it through its order. The protocol as prose, with the races it closes, is in
//! `sleep/README.md`; the models are in `tests/loom_sleep.rs` and `tests/loom_roster.rs`.

use std::cell::Cell;

use crossbeam_utils::CachePadded;

use super::place::{self, Sleeper};
pub(crate) use super::word::Idle;
use super::word::{FULL, SEARCHER, SLEEPER, SLEEPERS, WATCHER, is_full, leaves_sleepers_alone, searchers};
use crate::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, Thread, current, lock};
use crate::table::Table;

/// What a new entry of the table holds.
const NO_ORDER: u32 = 0;
const SEARCH: u32 = 1;
const WATCH: u32 = 2;
const KIND: u32 = 3;
/// The rest of an order, from this bit on: the processor that the called worker was kept off.
const KEPT_OFF: u32 = 2;

/// One look of the watcher; below it is room for a processor.
const LOOK: u32 = 2 * place::MOST_PROCESSORS;

/// What an idle worker has been called for. Whoever calls has counted it in the word on its behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Look for work: it counts as a searcher.
    Search,
    /// Watch: it counts as the watcher.
    Watch,
}

/// How a searcher that found nothing rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Watch,
    Sleep,
}

struct Berth {
    id: usize,
    thread: Thread,
    sleeper: Sleeper,
}

struct Lists {
    /// Last in, first out: the warmest is called first.
    sleepers: Vec<Berth>,
    watcher: Option<Berth>,
}

/// The lists, held fast.
pub(crate) struct Frozen<'a>(MutexGuard<'a, Lists>);

impl Frozen<'_> {
    /// How many rest: the sleepers and the watcher. Nobody has called them.
    pub(crate) fn resting(&self) -> usize {
        self.0.sleepers.len() + usize::from(self.0.watcher.is_some())
    }
}

/// Everything idle workers share.
pub(crate) struct Roster {
    /// Who is idle, as [`word`](super::word) says.
    ///
    /// | site | ordering | what it rests on: model that dies |
    /// |---|---|---|
    /// | `may_need_call`, `nobody_looks` | Relaxed | after `light`, or under the lock: `planted_push_without_barrier` |
    /// | `end_search`, and `add` in `watch_to_sleep` | Relaxed, then `heavy` | `planted_end_of_search_without_barrier`, `planted_lie_down_without_barrier` |
    /// | `add` elsewhere | Relaxed | the lock, or nothing: it only begins a search |
    /// | other loads | Relaxed | hints |
    ///
    /// A push that calls nobody has read a value by which somebody looks. Whoever ends that makes a later change, and
    /// looks into the queues behind a heavy barrier. Had that barrier come before the push's light one, the push would
    /// have read that change or a later one; so the light one came first, and the look sees the task. The order in
    /// which one word changes is enough for this, and the word publishes nothing else.
    word: CachePadded<AtomicU64>,
    lists: Mutex<Lists>,
    /// Per worker: what it was called for. Written under the lock, taken by the worker.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `order`, load | Relaxed | the last holder of the lock | none: given back twice is harmless |
    /// | `order`, swap | Release | `take_order` | Relaxed: `who_obeys_sees_what_its_caller_did` |
    /// | `take_order`, load | Relaxed | none | a hint |
    /// | `take_order`, swap | Acquire | `order` | Relaxed: the same |
    orders: Table<AtomicU32>,
    /// The watcher's looks, counted, above the processor it made the last one on.
    look: CachePadded<AtomicU32>,
}

impl Roster {
    /// Nobody idle.
    pub(crate) fn new() -> Self {
        let orders = Table::new();
        // Loom's atomics are to be made by the thread that makes the model, and a runtime needs these at once.
        orders.entry(0);
        Self {
            word: CachePadded::new(AtomicU64::new(0)),
            lists: Mutex::new(Lists { sleepers: Vec::new(), watcher: None }),
            orders,
            look: CachePadded::new(AtomicU32::new(0)),
        }
    }

    /// Whether a push has anything to see to. Called after the push and a light barrier.
    #[inline(always)]
    pub(crate) fn may_need_call(&self) -> bool {
        // Ordering: Relaxed: the barrier pair with the callers of `watch_to_sleep` and `end_search` excludes that this
        // misses the last one who looked while that one misses the push.
        self.word.load(Ordering::Relaxed).cast_signed() > 0
    }

    /// Whether all are in tasks. A hint.
    #[inline(always)]
    pub(crate) fn nobody_is_idle(&self) -> bool {
        // Ordering: Relaxed: a hint.
        self.word.load(Ordering::Relaxed) == 0
    }

    /// Who is idle. A hint.
    #[inline]
    pub(crate) fn who_is_idle(&self) -> Option<Idle> {
        // Ordering: Relaxed: a hint.
        match self.word.load(Ordering::Relaxed) {
            0 => None,
            // The watcher comes for nothing that a busy worker could give it.
            word if is_full(word) && searchers(word) == 0 => None,
            1..=SLEEPERS => Some(Idle::Asleep),
            _ => Some(Idle::Looking),
        }
    }

    /// Whether everybody idle is asleep.
    pub(crate) fn nobody_looks(&self) -> bool {
        // Ordering: Relaxed: as `may_need_call`.
        let word = self.word.load(Ordering::Relaxed);
        word != 0 && word & !SLEEPERS == 0
    }

    /// Whether the watcher has looked since the caller asked [`is_in_the_watchers_way`](Self::is_in_the_watchers_way).
    #[inline]
    pub(crate) fn has_looked_since(&self, seen: &Cell<u32>) -> bool {
        // Ordering: Relaxed: a hint.
        self.look.load(Ordering::Relaxed) != seen.get()
    }

    /// Whether the caller runs where the watcher is to wake up: as long as it does, nobody looks. It is asked
    /// once for each look of the watcher; `seen` is the last one the caller has asked about.
    pub(crate) fn is_in_the_watchers_way(&self, seen: &Cell<u32>) -> bool {
        // Ordering: Relaxed: a hint.
        let look = self.look.load(Ordering::Relaxed);
        let processor = look & (LOOK - 1);
        seen.set(look);
        processor != 0 && processor == place::processor()
    }

    /// How many are searching.
    pub(crate) fn searchers(&self) -> usize {
        // Ordering: Relaxed: a hint.
        usize::try_from(searchers(self.word.load(Ordering::Relaxed))).unwrap_or(usize::MAX)
    }

    /// Whether anybody sleeps.
    pub(crate) fn has_sleepers(&self) -> bool {
        // Ordering: Relaxed: a hint.
        self.word.load(Ordering::Relaxed) & SLEEPERS != 0
    }

    /// How many are idle in any way. A hint.
    pub(crate) fn idle(&self) -> usize {
        // Ordering: Relaxed: a hint.
        let word = self.word.load(Ordering::Relaxed);
        let idle = (word & SLEEPERS) + u64::from(word & WATCHER != 0) + searchers(word);
        usize::try_from(idle).unwrap_or(usize::MAX)
    }

    /// How many rest: the sleepers and the watcher.
    pub(crate) fn resting(&self) -> usize {
        self.freeze().resting()
    }

    /// Until the guard is dropped, who rests does nothing else, and nobody joins them.
    pub(crate) fn freeze(&self) -> Frozen<'_> {
        Frozen(lock(&self.lists))
    }

    /// The caller starts to search.
    pub(crate) fn begin_search(&self) {
        self.add(SEARCHER);
    }

    /// The caller stops searching, and knows of work besides its own. If nobody else would look after that, a
    /// sleeper is appointed to watch; whether one was.
    pub(crate) fn end_search_beside_work(&self) -> bool {
        // Ordering: Relaxed: decides only which of two correct ways is taken.
        let word = self.word.load(Ordering::Relaxed);
        if leaves_sleepers_alone(word) && self.appoint(1) {
            return true;
        }
        if self.end_search() {
            return self.appoint_watcher();
        }
        false
    }

    /// The caller stops searching. Whether nobody looks from now on though somebody could: then the caller runs
    /// a heavy barrier and looks at the queues once more, for pushes that relied on its search.
    #[must_use = "pushes may have relied on this search"]
    pub(crate) fn end_search(&self) -> bool {
        // Ordering: Relaxed: the caller's heavy barrier comes after it; see the table at `word`.
        leaves_sleepers_alone(self.word.fetch_sub(SEARCHER, Ordering::Relaxed))
    }

    /// Has somebody look from now on, unless somebody does; whether one was called.
    pub(crate) fn appoint_watcher(&self) -> bool {
        self.appoint(0)
    }

    /// Makes the newest sleeper the watcher, unless somebody else looks by now. `own` searches are the caller's,
    /// and end with it.
    fn appoint(&self, own: u64) -> bool {
        let mut lists = lock(&self.lists);
        // Ordering: Relaxed: only the number of searchers can change while the lock is held.
        let word = self.word.load(Ordering::Relaxed);
        if searchers(word) != own || lists.watcher.is_some() {
            return false;
        }
        let Some(berth) = lists.sleepers.pop() else { return false };
        let thread = berth.thread.clone();
        self.add(WATCHER.wrapping_add(FULL).wrapping_sub(SLEEPER).wrapping_sub(SEARCHER.wrapping_mul(own)));
        self.order(&berth, WATCH);
        lists.watcher = Some(berth);
        drop(lists);
        thread.unpark();
        true
    }

    /// Calls one sleeper to search if nobody looks. Called after a push that found
    /// [`may_need_call`](Self::may_need_call).
    #[cold]
    pub(crate) fn rouse(&self) -> bool {
        let lists = lock(&self.lists);
        self.nobody_looks() && self.call_newest(lists)
    }

    /// Calls one sleeper to search, whoever else looks.
    #[cold]
    pub(crate) fn rouse_another(&self) -> bool {
        self.call_newest(lock(&self.lists))
    }

    fn call_newest(&self, mut lists: MutexGuard<Lists>) -> bool {
        let Some(berth) = lists.sleepers.pop() else { return false };
        self.add(SEARCHER.wrapping_sub(SLEEPER));
        self.order(&berth, SEARCH);
        drop(lists);
        berth.thread.unpark();
        true
    }

    /// Calls the watcher to search now rather than at its next look, if nobody searches.
    #[cold]
    pub(crate) fn nudge(&self) -> bool {
        let mut lists = lock(&self.lists);
        if self.searchers() != 0 {
            return false;
        }
        let Some(berth) = lists.watcher.take() else { return false };
        self.set_full(false);
        self.add(SEARCHER.wrapping_sub(WATCHER));
        self.order(&berth, SEARCH);
        drop(lists);
        berth.thread.unpark();
        true
    }

    /// From now on a push finds that it has something to see to unless somebody searches: for the end of the runtime, once.
    pub(crate) fn have_pushes_call(&self) {
        self.add(SLEEPER);
    }

    /// Calls everybody who rests, for the end of the runtime.
    pub(crate) fn rouse_all(&self) {
        let mut lists = lock(&self.lists);
        let mut called = std::mem::take(&mut lists.sleepers);
        self.add(SEARCHER.wrapping_sub(SLEEPER).wrapping_mul(called.len() as u64));
        if let Some(watcher) = lists.watcher.take() {
            self.set_full(false);
            self.add(SEARCHER.wrapping_sub(WATCHER));
            called.push(watcher);
        }
        for berth in &called {
            self.order(berth, SEARCH);
        }
        drop(lists);
        for berth in called {
            berth.thread.unpark();
        }
    }

    /// A searcher found nothing. It becomes the watcher if there is none, else a sleeper: the watcher or
    /// its successors see to what is pushed from now on.
    pub(crate) fn retire(&self, id: usize) -> Rest {
        let mut lists = lock(&self.lists);
        let berth = Berth { id, thread: current(), sleeper: Sleeper::current() };
        if lists.watcher.is_none() {
            self.count_look();
            lists.watcher = Some(berth);
            self.add(WATCHER.wrapping_sub(SEARCHER));
            Rest::Watch
        } else {
            lists.sleepers.push(berth);
            self.add(SLEEPER.wrapping_sub(SEARCHER));
            Rest::Sleep
        }
    }

    /// The order this worker was given while it rested.
    pub(crate) fn take_order(&self, id: usize) -> Option<Order> {
        // Without an entry nobody has given any.
        let order = self.orders.get(id)?;
        // Ordering: Relaxed: without an order there is nothing to see.
        if order.load(Ordering::Relaxed) == NO_ORDER {
            return None;
        }
        // A watcher that was appointed may be nudged before it has taken the first order: the second counts.
        // Ordering: Acquire: pairs with the Release in `order`.
        let order = order.swap(NO_ORDER, Ordering::Acquire);
        if order >> KEPT_OFF != 0 {
            place::allow(order >> KEPT_OFF);
        }
        match order & KIND {
            SEARCH => Some(Order::Search),
            WATCH => Some(Order::Watch),
            _ => None,
        }
    }

    /// The watcher has seen work and goes to get it. (If it was nudged meanwhile, that is the same.)
    pub(crate) fn watch_to_search(&self, id: usize) {
        let mut lists = lock(&self.lists);
        if self.take_order(id).is_none() {
            lists.watcher = None;
            self.set_full(false);
            self.add(SEARCHER.wrapping_sub(WATCHER));
        }
    }

    /// The watcher lies down. The caller runs a heavy barrier and looks once more before it parks.
    /// `false` if it was nudged meanwhile: it is a searcher.
    pub(crate) fn watch_to_sleep(&self, id: usize) -> bool {
        let mut lists = lock(&self.lists);
        if self.take_order(id).is_some() {
            return false;
        }
        if let Some(berth) = lists.watcher.take() {
            lists.sleepers.push(berth);
        }
        self.set_full(false);
        self.add(SLEEPER.wrapping_sub(WATCHER));
        true
    }

    /// The watcher has something else to do; a sleeper takes its place, if there is one. Whether one was called.
    pub(crate) fn watch_to_leave(&self, id: usize) -> bool {
        let mut lists = lock(&self.lists);
        if self.take_order(id).is_some() {
            drop(lists);
            return self.end_search_beside_work();
        }
        lists.watcher = None;
        self.set_full(false);
        let Some(next) = lists.sleepers.pop() else {
            self.add(0_u64.wrapping_sub(WATCHER));
            return false;
        };
        let thread = next.thread.clone();
        self.add(FULL.wrapping_sub(SLEEPER));
        self.order(&next, WATCH);
        lists.watcher = Some(next);
        drop(lists);
        thread.unpark();
        true
    }

    /// A sleeper wakes by itself: takes it off the list. `Some` if it has been called instead.
    pub(crate) fn sleep_to_search(&self, id: usize) -> Option<Order> {
        let mut lists = lock(&self.lists);
        let order = self.take_order(id);
        if order.is_none() {
            lists.sleepers.retain(|berth| berth.id != id);
            self.add(SEARCHER.wrapping_sub(SLEEPER));
        }
        order
    }

    /// Says where the watcher is, and whether every processor is busy, so that pushes need not nudge.
    pub(crate) fn report(&self, id: usize, full: bool) {
        let lists = lock(&self.lists);
        if lists.watcher.as_ref().is_some_and(|berth| berth.id == id) {
            self.count_look();
            self.set_full(full);
        }
    }

    /// Under the lock, by the watcher.
    fn count_look(&self) {
        // Ordering: Relaxed: its writers hold the lock.
        let looks = self.look.load(Ordering::Relaxed) / LOOK;
        // Ordering: Relaxed: a hint.
        self.look.store(looks.wrapping_add(1).wrapping_mul(LOOK) | place::processor(), Ordering::Relaxed);
    }

    /// Under the lock, while there is a watcher.
    fn set_full(&self, full: bool) {
        // Ordering: Relaxed: this part of the word changes only while the lock is held.
        match (is_full(self.word.load(Ordering::Relaxed)), full) {
            (false, true) => self.add(FULL),
            (true, false) => self.add(FULL.wrapping_neg()),
            _ => {}
        }
    }

    fn add(&self, change: u64) {
        // Ordering: Relaxed: publishes nothing; the races with pushes are closed by the barrier pair, see the table at
        // `word`.
        self.word.fetch_add(change, Ordering::Relaxed);
    }

    /// Under the lock, before the worker is unparked.
    fn order(&self, berth: &Berth, kind: u32) {
        let order = self.orders.entry(berth.id);
        // What an order that was not taken yet took from the mask must be given back.
        // Ordering: Relaxed: its writers hold the lock; given back twice is harmless.
        let kept_off = match order.load(Ordering::Relaxed) >> KEPT_OFF {
            0 => berth.sleeper.keep_off(),
            processor => processor,
        };
        // An exchange, since loom lets a store slip behind an exchange that did not see it.
        // Ordering: Release: pairs with the Acquire in `take_order`: who obeys sees the task it was called for.
        order.swap(kind | kept_off << KEPT_OFF, Ordering::Release);
    }
}
