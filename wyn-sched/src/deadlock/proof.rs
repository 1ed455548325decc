//! The look that proves a deadlock. The argument is in the [module above](super).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::census;
use super::error::{Blocked, DeadlockError, WaitsFor};
use super::post::{Place, Post, State, Wait};
use super::world::{self, World};
use crate::barrier::Asymmetric;
use crate::shared::Shared;
use crate::sleep::roster::Frozen;
use crate::sync::MutexGuard;

/// No worker moves, and no thread that Wyn knows of but bystanders.
pub(super) struct Stillness {
    pub(super) error: DeadlockError,
    /// Whether no other thread of the process moves either.
    pub(super) is_complete: bool,
    /// The same as long as the same waits last.
    pub(super) mark: u64,
}

/// Looks for a deadlock.
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
    let is_complete = census::threads() == Some(frozen.count());
    // The look that counts: after the census.
    if !frozen.is_still() {
        return None;
    }
    let error = DeadlockError::new(frozen.describe());
    Some(Stillness { error, is_complete, mark: frozen.mark() })
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

    fn waits(&self) -> impl Iterator<Item = &Wait> {
        self.posts.iter().filter_map(|(_, state)| state.wait.as_ref())
    }

    fn is_nobody_blocked(&self) -> bool {
        self.waits().next().is_none()
    }

    /// How many threads the process has if none moves: those that wait, those that rest, bystanders, and the monitor.
    fn count(&self) -> usize {
        let waits = |state: &State| state.wait.as_ref().is_some_and(|wait| wait.place == Place::Parked);
        let counted = self.posts.iter().filter(|(_, state)| waits(state) || state.bystanders > 0).count();
        let rest: usize = self.runtimes.iter().map(|(_, roster)| roster.resting()).sum();
        counted + rest + 1
    }

    /// Whether no worker moves, nor is about to, and no wait ends by itself.
    fn is_still(&self) -> bool {
        // First whether the workers stand: only then can nobody decide a wait or push while the rest is looked at.
        self.runtimes.iter().all(|(runtime, roster)| self.stands(runtime, roster))
            && !self.waits().any(|wait| ends_by_itself(wait) || wait.is_over())
            && {
                Asymmetric::heavy();
                self.runtimes.iter().all(|(runtime, _)| is_out_of_work(runtime))
            }
    }

    fn stands(&self, runtime: &Shared, roster: &Frozen<'_>) -> bool {
        let own = |wait: &&Wait| wait.worker_of.is_some_and(|of| std::ptr::eq(of, runtime));
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
        let waiting = self.waits().filter(|wait| wait.helps == Some(std::ptr::from_ref(runtime))).count();
        helping <= waiting
    }

    fn describe(&self) -> Vec<Blocked> {
        self.posts.iter().filter_map(|(post, state)| Some(state.wait.as_ref()?.describe(post))).collect()
    }

    fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (post, state) in self.posts.iter().filter(|(_, state)| state.wait.is_some()) {
            (std::ptr::from_ref(*post).addr(), state.turns).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn ends_by_itself(wait: &Wait) -> bool {
    if wait.deadline.is_some() {
        return true;
    }
    match wait.what {
        // Whoever waits for nothing at all does so on purpose.
        #[cfg(feature = "channel")]
        WaitsFor::Channel(wyn_channel::hook::What::Time) => true,
        WaitsFor::Task { .. } | WaitsFor::Branch | WaitsFor::End => false,
        #[cfg(feature = "channel")]
        WaitsFor::Channel(_) => false,
    }
}

fn is_out_of_work(runtime: &Shared) -> bool {
    !runtime.has_work() && !runtime.slots.used().any(|id| runtime.slots.get(id).has_mail())
}
