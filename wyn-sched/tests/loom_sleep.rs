//! Every interleaving of the sleep protocol at its smallest: `src/sleep/roster.rs` as it is, around it the
//! steps of `src/sleep/mod.rs` and of a push, with queues of one word.
//!
//! A lost wake-up is a deadlock here: the workers end when all tasks have run, and only then. The clock of
//! the watcher is a yield. Both halves of the barrier are fences, as without `membarrier`.
//!
//! The models named `planted_*` have a step left out and must fail; `planted_flaws_are_found` sees to it. Run by
//! `RUSTFLAGS="--cfg wyn_loom" cargo test --profile loom -p wyn-sched --test loom_sleep`.
#![cfg(wyn_loom)]

#[path = "../src/sleep/place.rs"]
mod place;
#[path = "../src/sleep/roster.rs"]
#[allow(dead_code, reason = "the models use a part of it")]
mod roster;
#[path = "../src/sync.rs"]
#[allow(unused_imports, reason = "the models use a part of it")]
mod sync;
#[path = "../src/table.rs"]
#[allow(dead_code, reason = "the models use a part of it")]
mod table;
#[path = "../src/sleep/word.rs"]
mod word;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::thread;
use roster::{Order, Rest, Roster};

/// What a model leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// The barrier between a push and the look at the word.
    Light,
    /// The barrier between lying down and the last look.
    Heavy,
    /// The last look.
    LastLook,
    /// The barrier between the end of the last search and the look after it.
    EndBarrier,
    /// That look.
    EndLook,
    /// The order that may have come while a worker left by itself is thrown away, and its search with it.
    Resignation,
}

/// What the threads of a model share.
struct Pool {
    roster: Roster,
    /// One for each pusher, who alone adds to it.
    queues: [AtomicUsize; 2],
    left: AtomicUsize,
    stopped: AtomicBool,
    flaw: Flaw,
    /// Whether a push beside a watcher nudges it. Most rely on its next look.
    nudges: bool,
    /// Whether a task waits until all have been started.
    tasks_meet: bool,
    /// Whether who finds a task beside others calls a sleeper for them, as if a processor were free.
    finders_call: bool,
}

/// What an idle worker waits for besides a task, and how it rests meanwhile.
#[derive(Clone, Copy)]
struct Until<'a> {
    is_over: &'a dyn Fn() -> bool,
    park: &'a dyn Fn(),
    /// The watcher's clock.
    clock: &'a dyn Fn(),
}

/// How a stage of idling ends.
#[derive(PartialEq, Eq)]
enum Next {
    Search,
    Watch,
    Leave,
}

impl Pool {
    fn new(workers: usize, tasks: usize, flaw: Flaw, nudges: bool, tasks_meet: bool) -> Self {
        Self {
            roster: Roster::new(),
            queues: [AtomicUsize::new(0), AtomicUsize::new(0)],
            left: AtomicUsize::new(tasks),
            stopped: AtomicBool::new(false),
            flaw,
            nudges,
            tasks_meet,
            finders_call: false,
        }
    }

    /// `Context::push` and `call_for_push`, where every push is worth a call of the watcher, or none.
    fn push(&self, queue: usize) {
        self.queues[queue].fetch_add(1, Ordering::Release);
        if self.flaw != Flaw::Light {
            fence(Ordering::SeqCst);
        }
        if self.roster.may_need_call() {
            if self.roster.nobody_looks() {
                self.roster.rouse();
            } else if self.nudges {
                self.roster.nudge();
            }
        }
    }

    fn has_work(&self) -> bool {
        self.queues.iter().any(|queue| queue.load(Ordering::Acquire) > 0)
    }

    fn take(&self) -> bool {
        let one = |n: usize| n.checked_sub(1);
        self.queues.iter().any(|queue| queue.fetch_update(Ordering::AcqRel, Ordering::Acquire, one).is_ok())
    }

    fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Runs one task. After the last one, the pool ends.
    fn run(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.stopped.store(true, Ordering::Release);
            self.roster.rouse_all();
        }
        while self.tasks_meet && !self.has_stopped() {
            thread::yield_now();
        }
    }

    /// The life of a worker.
    fn work(&self, id: usize) {
        while self.idle(
            id,
            Until { is_over: &|| self.has_stopped(), park: &thread::park, clock: &thread::yield_now },
        ) {
            self.run();
        }
    }

    /// `Idle::run`: whether there is a task to run; if not, `until` is true.
    fn idle(&self, id: usize, until: Until) -> bool {
        self.roster.begin_search();
        let mut next = Next::Search;
        loop {
            next = match next {
                Next::Leave => return false,
                Next::Watch => self.watch(id, until),
                Next::Search => {
                    let leaves = (until.is_over)();
                    if leaves || self.take() {
                        self.end_search();
                        return !leaves;
                    }
                    match self.roster.retire(id) {
                        Rest::Watch => self.watch(id, until),
                        Rest::Sleep => self.sleep(id, until),
                    }
                }
            }
        }
    }

    /// `Idle::end_search`.
    fn end_search(&self) {
        if self.has_work() {
            if self.finders_call && self.roster.has_sleepers() {
                self.roster.rouse_another();
            }
            self.roster.end_search_beside_work();
        } else if self.roster.end_search() {
            if self.flaw != Flaw::EndBarrier {
                fence(Ordering::SeqCst);
            }
            if self.flaw != Flaw::EndLook && self.has_work() {
                self.roster.appoint_watcher();
            }
        }
    }

    /// `Idle::watch`, which lies down after its first look.
    fn watch(&self, id: usize, until: Until) -> Next {
        (until.clock)();
        if self.roster.take_order(id).is_some() {
            return Next::Search;
        }
        if (until.is_over)() {
            self.roster.watch_to_leave(id);
            return Next::Leave;
        }
        if self.has_work() {
            self.roster.watch_to_search(id);
            return Next::Search;
        }
        if self.roster.watch_to_sleep(id) { self.sleep(id, until) } else { Next::Search }
    }

    /// `Idle::sleep`.
    fn sleep(&self, id: usize, until: Until) -> Next {
        let mut found = self.flaw != Flaw::LastLook && self.roster.nobody_looks() && {
            if self.flaw != Flaw::Heavy {
                fence(Ordering::SeqCst);
            }
            self.has_work()
        };
        loop {
            match self.roster.take_order(id) {
                Some(Order::Search) => return Next::Search,
                Some(Order::Watch) => return Next::Watch,
                None => {}
            }
            let leaves = (until.is_over)();
            if found || leaves {
                return self.rise(id, leaves);
            }
            (until.park)();
            found = false;
        }
    }

    /// `Idle::rise`.
    fn rise(&self, id: usize, until: bool) -> Next {
        match (self.roster.sleep_to_search(id), until) {
            (Some(_), true) if self.flaw == Flaw::Resignation => Next::Leave,
            (None | Some(Order::Search), true) => {
                self.end_search();
                Next::Leave
            }
            (Some(Order::Watch), true) => {
                self.roster.watch_to_leave(id);
                Next::Leave
            }
            (Some(Order::Watch), false) => Next::Watch,
            (None | Some(Order::Search), false) => Next::Search,
        }
    }
}

/// Runs `model` with so many involuntary switches, or as many as `LOOM_MAX_PREEMPTIONS` says.
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.max_branches = 20_000;
    builder.check(model);
}

/// So many workers, and one thread for each list of pushes.
fn crowd(preemptions: usize, workers: usize, pushes: &'static [usize], flaw: Flaw) {
    let tasks = pushes.iter().sum();
    crowd_of(preemptions, workers, pushes, move || Pool::new(workers, tasks, flaw, true, false));
}

/// Two tasks, each of which waits for the other.
fn meeting(flaw: Flaw) {
    crowd_of(2, 2, &[2], move || Pool::new(2, 2, flaw, true, true));
}

fn crowd_of(
    preemptions: usize,
    workers: usize,
    pushes: &'static [usize],
    pool: impl Fn() -> Pool + Send + Sync + 'static,
) {
    check(preemptions, move || {
        let pool = Arc::new(pool());
        let workers = (0..workers).map(|id| {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.work(id))
        });
        let mut all: Vec<_> = workers.collect();
        for (queue, &tasks) in pushes.iter().enumerate() {
            let pool = Arc::clone(&pool);
            all.push(thread::spawn(move || (0..tasks).for_each(|_| pool.push(queue))));
        }
        all.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(!pool.has_work(), "a task is left");
        assert_eq!((pool.roster.idle(), pool.roster.resting()), (0, 0), "everybody is counted out");
    });
}

/// A worker whose time runs out rests beside another, and a task comes. It leaves without a look at the queues,
/// so the other one must get to the task.
fn leaver(leaves_watch: bool, flaw: Flaw) {
    check(1, move || {
        let pool = Arc::new(Pool::new(2, 1, flaw, false, false));
        let waits = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let is_late = std::cell::Cell::new(false);
                let nap = || {
                    thread::yield_now();
                    is_late.set(true);
                };
                let clock: &dyn Fn() = if leaves_watch { &nap } else { &thread::yield_now };
                // Should it find the task instead, that is as well.
                if pool.idle(0, Until { is_over: &|| is_late.get(), park: &nap, clock }) {
                    pool.run();
                }
            })
        };
        let works = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.work(1))
        };
        let pushes = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.push(0))
        };
        [waits, works, pushes].into_iter().for_each(|thread| thread.join().unwrap());
        assert!(!pool.has_work(), "a task is left");
    });
}

#[test]
fn the_last_one_to_lie_down_races_with_a_push() {
    crowd(4, 1, &[1], Flaw::None);
}

#[test]
fn a_watcher_that_lies_down_races_with_two_pushes() {
    // The first push may call it by an order while it lies down: `watch_to_sleep` must notice.
    crowd(3, 1, &[2], Flaw::None);
}

#[test]
fn one_finds_the_task_and_appoints_while_a_push_calls() {
    crowd(1, 2, &[2], Flaw::None);
}

#[test]
fn one_finds_a_task_and_calls_another_for_the_next() {
    let pool =
        |tasks_meet| move || Pool { finders_call: true, ..Pool::new(2, 2, Flaw::None, true, tasks_meet) };
    crowd_of(1, 2, &[2], pool(false));
    crowd_of(2, 2, &[2], pool(true));
}

#[test]
fn two_sleepers_and_one_push() {
    crowd(2, 2, &[1], Flaw::None);
}

#[test]
fn two_pushers_race_for_one_sleeper() {
    crowd(2, 1, &[1, 1], Flaw::None);
}

#[test]
#[ignore = "takes minutes"]
fn two_pushers_race_for_two_sleepers() {
    crowd(1, 2, &[1, 1], Flaw::None);
}

#[test]
fn a_sleeper_that_leaves_by_itself_passes_on_what_it_was_called_for() {
    leaver(false, Flaw::None);
}

#[test]
fn a_watcher_that_leaves_by_itself_hands_the_watch_on() {
    leaver(true, Flaw::None);
}

#[test]
fn a_push_that_relied_on_a_search_is_seen_at_its_end() {
    meeting(Flaw::None);
}

#[test]
#[ignore = "must fail: see planted_flaws_are_found"]
fn planted_end_of_search_without_barrier() {
    meeting(Flaw::EndBarrier);
}

#[test]
#[ignore = "must fail: see planted_flaws_are_found"]
fn planted_no_look_at_the_end_of_a_search() {
    meeting(Flaw::EndLook);
}

#[test]
#[ignore = "must fail: see planted_flaws_are_found"]
fn planted_push_without_barrier() {
    crowd(4, 1, &[1], Flaw::Light);
}

#[test]
#[ignore = "must fail: see planted_flaws_are_found"]
fn planted_lie_down_without_barrier() {
    crowd(4, 1, &[1], Flaw::Heavy);
}

#[test]
#[ignore = "must fail: see planted_flaws_are_found"]
fn planted_no_last_look() {
    crowd(4, 1, &[1], Flaw::LastLook);
}

#[test]
#[ignore = "must fail: see planted_flaws_are_found"]
fn planted_order_thrown_away() {
    leaver(false, Flaw::Resignation);
}

#[test]
fn planted_flaws_are_found() {
    // Each in a process of its own: loom ends a deadlock by aborting.
    let flaws = [
        "planted_push_without_barrier",
        "planted_lie_down_without_barrier",
        "planted_no_last_look",
        "planted_order_thrown_away",
        "planted_end_of_search_without_barrier",
        "planted_no_look_at_the_end_of_a_search",
    ];
    for flaw in flaws {
        let mut model = std::process::Command::new(std::env::current_exe().unwrap());
        model.args([flaw, "--exact", "--ignored", "--nocapture"]);
        // However the others are bounded, a flaw must be looked for to the end.
        model.env_remove("LOOM_MAX_PREEMPTIONS").env_remove("LOOM_MAX_DURATION");
        let output = model.output().unwrap();
        assert!(!output.status.success(), "{flaw} goes unnoticed");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            ["deadlock", "left", "exceeded"].iter().any(|end| text.contains(end)),
            "{flaw} fails otherwise: {text}"
        );
    }
}
