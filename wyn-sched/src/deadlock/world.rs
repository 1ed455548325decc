//! All threads with a post, and all runtimes, of this process.

use std::sync::{Arc, Weak};

use super::error::Blocked;
use super::post::Post;
use super::{monitor, proof};
use crate::shared::Shared;
use crate::sync::{Mutex, MutexGuard, lock};

#[derive(Default)]
pub(super) struct World {
    pub(super) posts: Vec<Arc<Post>>,
    runtimes: Vec<Weak<Shared>>,
    /// Whether the monitor runs.
    pub(super) is_watched: bool,
}

static WORLD: Mutex<World> = Mutex::new(World { posts: Vec::new(), runtimes: Vec::new(), is_watched: false });

/// Until this is dropped, no thread gets or loses a post, and no runtime starts.
pub(super) fn hold() -> MutexGuard<'static, World> {
    lock(&WORLD)
}

impl World {
    /// The runtimes that are still there. Whoever lets one go may run foreign code: not while the world is held.
    pub(super) fn runtimes(&self) -> Vec<Arc<Shared>> {
        self.runtimes.iter().filter_map(Weak::upgrade).collect()
    }
}

pub(super) fn add(post: &Arc<Post>) {
    hold().posts.push(Arc::clone(post));
}

pub(super) fn remove(post: &Arc<Post>) {
    let mut world = hold();
    if let Some(at) = world.posts.iter().position(|other| Arc::ptr_eq(other, post)) {
        world.posts.swap_remove(at);
    }
}

/// A runtime starts: before its first thread.
pub(crate) fn enlist(shared: &Arc<Shared>) {
    let mut world = hold();
    world.runtimes.retain(|runtime| runtime.strong_count() > 0);
    world.runtimes.push(Arc::downgrade(shared));
    if shared.config.deadlocks.is_on() && !world.is_watched {
        world.is_watched = monitor::start();
    }
}

/// The waits of a runtime's threads, and of threads that belong to none; the oldest first.
pub(crate) fn blocked(shared: &Shared) -> Vec<Blocked> {
    let posts = hold().posts.clone();
    let concerns = |of: Option<*const Shared>| of.is_none_or(|of| std::ptr::eq(of, shared));
    proof::describe(&posts, |wait| concerns(wait.worker_of))
}
