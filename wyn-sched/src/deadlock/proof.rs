//! The look that proves a deadlock. The argument is in the [module above](super).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::ptr;
use std::sync::Arc;

use super::error::{Blocked, DeadlockError, WaitsFor};
use super::policy::Others;
use super::post::{Place, Post, State, Wait};
use super::world::{self, World};
use super::{census, clock};
use crate::barrier::Asymmetric;
use crate::shared::Shared;
use crate::sleep::roster::Frozen;
use crate::sync::{MutexGuard, Thread};

/// No worker moves, and no thread that Wyn knows of but bystanders, and those whose wait ends by itself outside of tasks.
pub(super) struct Stillness {
    pub(super) error: DeadlockError,
    pub(super) others: Others,
    /// The same as long as the same waits last.
    pub(super) mark: u64,
    /// The runtimes in whose tasks somebody is blocked, by address.
    concerns: Vec<usize>,
    /// Threads that were told to end their waits, to be unparked.
    ended: Vec<Thread>,
}

impl Stillness {
    /// Whether it is a deadlock, and the runtime's business.
    pub(super) fn is_deadlock_of(&self, runtime: &Shared) -> bool {
        let is_in_it = self.concerns.contains(&ptr::from_ref(runtime).addr());
        runtime.config.deadlocks.is_proof(self.others) && (is_in_it || self.others == Others::None)
    }

    /// Wakes those who were told to end their waits.
    pub(super) fn unpark(&mut self) {
        self.ended.drain(..).for_each(|thread| thread.unpark());
    }
}

/// Looks for a deadlock, and tells the waits to end that are to.
pub(super) fn look() -> Option<Stillness> {
    // Dropped last: letting a runtime go may run foreign code.
    let runtimes: Vec<Arc<Shared>>;
    let world = world::hold();
    runtimes = world.runtimes();
    let frozen = Freeze::new(&world, &runtimes);
    // A look that saves the rest, nearly always.
    if frozen.is_nobody_blocked() || !frozen.is_still() {
        return None;
    }
    let others = if census::threads() == Some(frozen.count()) { Others::None } else { Others::Perhaps };
    // The look that counts: after the census.
    if !frozen.is_still() {
        return None;
    }
    let error = DeadlockError::new(frozen.describe());
    let (mark, concerns) = (frozen.mark(others), frozen.concerns());
    let mut stillness = Stillness { error, others, mark, concerns, ended: Vec::new() };
    // While everything is held fast, so that no wait ends that is not part of it.
    frozen.end_waits(&mut stillness);
    Some(stillness)
}

/// What is up at these posts, one after the other.
pub(super) fn describe(posts: &[Arc<Post>], concerns: impl Fn(&Wait) -> bool) -> Vec<Blocked> {
    let describe = |post: &Arc<Post>| {
        let state = post.hold();
        state.wait.as_ref().filter(|wait| concerns(wait)).map(|wait| wait.describe(post))
    };
    let mut blocked: Vec<_> = posts.iter().filter_map(describe).collect();
    blocked.sort_by_key(|wait| wait.since);
    blocked
}

/// Everybody who is still, held fast.
struct Freeze<'a> {
    posts: Vec<(&'a Post, MutexGuard<'a, State>)>,
    runtimes: Vec<(&'a Shared, Frozen<'a>)>,
}

impl<'a> Freeze<'a> {
    /// Nobody else holds two of these locks at a time.
    fn new(world: &'a World, runtimes: &'a [Arc<Shared>]) -> Self {
        let posts = world.posts.iter().map(|post| (&**post, post.hold())).collect();
        let runtimes = runtimes.iter().map(|runtime| (&**runtime, runtime.roster.freeze())).collect();
        Self { posts, runtimes }
    }

    /// The waits that count: bystanders wake nobody, whatever they wait for.
    fn waits(&self) -> impl Iterator<Item = &Wait> {
        self.waiting().map(|(_, wait)| wait)
    }

    fn waiting(&self) -> impl Iterator<Item = (&Post, &Wait)> {
        let counts = self.posts.iter().filter(|(_, state)| state.bystanders == 0);
        counts.filter_map(|(post, state)| Some((*post, state.wait.as_ref()?)))
    }

    fn is_nobody_blocked(&self) -> bool {
        self.waits().next().is_none()
    }

    /// How many threads the process has if none moves: those that wait, those that rest, bystanders, and the monitor.
    fn count(&self) -> usize {
        let parked =
            self.waits().filter(|wait| wait.place == Place::Parked && !wait.ends_by_itself()).count();
        let bystanders = self.posts.iter().filter(|(_, state)| state.bystanders > 0).count();
        let rest: usize = self.runtimes.iter().map(|(_, roster)| roster.resting()).sum();
        let clock = usize::from(clock::is_idle());
        parked + bystanders + rest + clock + 1
    }

    /// Whether no worker moves, nor is about to, and nobody who is outside of tasks and would be still has been woken.
    fn is_still(&self) -> bool {
        // First whether the workers stand: only then can nobody decide a wait or push while the rest is looked at.
        self.runtimes.iter().all(|(runtime, roster)| self.stands(runtime, roster))
            // Before what it may have woken is looked at.
            && !clock::is_set()
            && !self
                .waits()
                .any(|wait| if wait.ends_by_itself() { !wait.is_outside() } else { wait.is_over() })
            && {
                Asymmetric::heavy();
                self.runtimes.iter().all(|(runtime, _)| is_out_of_work(runtime))
            }
    }

    fn stands(&self, runtime: &Shared, roster: &Frozen<'_>) -> bool {
        let own = |wait: &&Wait| wait.worker_of.is_some_and(|of| ptr::eq(of, runtime));
        let at = |place| self.waits().filter(own).filter(|wait| wait.place == place).count();
        let parked = at(Place::Parked);
        runtime.alive() == parked + roster.resting()
            // An idle spare beside enough others will leave, and run what its thread has to clean up.
            && !runtime.has_surplus()
            && match (runtime.is_closing(), runtime.has_stopped()) {
                (false, false) => true,
                // Nobody is blocked in it: whoever looks around next will stop it.
                (true, false) => parked > 0,
                // Whoever has no task is called, and leaves.
                (_, true) => roster.resting() == at(Place::OnRoster),
            }
            && self.guests_stand(runtime)
    }

    /// Whether every thread from outside that is in a task of this runtime waits in it.
    fn guests_stand(&self, runtime: &Shared) -> bool {
        let helping = runtime.slots.guests().filter(|&id| runtime.slots.get(id).is_helping()).count();
        let waiting = self.waits().filter(|wait| wait.helps.contains(&ptr::from_ref(runtime))).count();
        helping <= waiting
    }

    fn describe(&self) -> Vec<Blocked> {
        let stuck = self.waiting().filter(|(_, wait)| !wait.ends_by_itself());
        stuck.map(|(post, wait)| wait.describe(post)).collect()
    }

    fn concerns(&self) -> Vec<usize> {
        let is_blocked = |runtime: &Shared| self.waits().any(|wait| wait.is_in(runtime));
        let blocked = self.runtimes.iter().filter(|(runtime, _)| is_blocked(runtime));
        blocked.map(|(runtime, _)| ptr::from_ref(*runtime).addr()).collect()
    }

    fn mark(&self, others: Others) -> u64 {
        let mut hasher = DefaultHasher::new();
        // Where there are others, threads outside of tasks may come and go.
        let lasting = self.waiting().filter(|(_, wait)| others == Others::None || !wait.is_outside());
        for (post, wait) in lasting {
            (ptr::from_ref(post).addr(), wait.turn).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Tells waits to end as [`Deadlocks::fail`](super::Deadlocks::fail) says, if a runtime wants that.
    fn end_waits(&self, stillness: &mut Stillness) {
        let wants =
            |runtime: &&Shared| runtime.config.deadlocks.ends_waits() && stillness.is_deadlock_of(runtime);
        let failing: Vec<&Shared> = self.runtimes.iter().map(|(runtime, _)| *runtime).filter(wants).collect();
        if failing.is_empty() {
            return;
        }
        let is_end = |wait: &Wait| wait.what == WaitsFor::End;
        let mut ended =
            self.end(stillness, |wait| !is_end(wait) && failing.iter().any(|runtime| wait.is_in(runtime)));
        // The promise of `assume_closed` does not go further.
        if stillness.others == Others::None {
            if ended.is_empty() {
                ended = self.end(stillness, |wait| !is_end(wait) && wait.is_outside());
            }
            if ended.is_empty() {
                ended = self.end(stillness, is_end);
            }
        }
        stillness.ended = ended;
    }

    /// Ends those of these waits that may end; their threads.
    fn end(&self, stillness: &Stillness, which: impl Fn(&Wait) -> bool) -> Vec<Thread> {
        let ending = self.waiting().filter(|(_, wait)| wait.may_end() && which(wait));
        ending
            .map(|(post, wait)| {
                wait.end(&stillness.error);
                post.thread().clone()
            })
            .collect()
    }
}

fn is_out_of_work(runtime: &Shared) -> bool {
    !runtime.has_work() && !runtime.slots.used().any(|id| runtime.slots.get(id).has_mail())
}
