//! A thread's post: where it says what it waits for while it is parked.
//!
//! A [`Notice`] is put up before the last look that comes before parking and taken down after it, so a thread whose
//! notice is up does nothing but look and park. Taking it down needs the post's lock: whoever holds that finds
//! the frame of the wait in place, and may ask it whether it is over.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::error::{Blocked, DeadlockError, WaitsFor};
use super::{site, world};
use crate::context::{self, Context};
use crate::shared::Shared;
use crate::slot::Role;
use crate::sync::{Mutex, MutexGuard, Thread, current, lock};

/// Whether a wait is over. Once true it stays so, for as long as the notice is up.
type IsOver<'a> = dyn Fn() -> bool + Sync + 'a;

/// Where a waiting thread is told that its wait is over, though nobody has decided it.
pub(crate) struct Ending(OnceLock<DeadlockError>);

impl Ending {
    pub(crate) fn new() -> Self {
        Self(OnceLock::new())
    }

    #[inline]
    pub(crate) fn is_told(&self) -> bool {
        self.0.get().is_some()
    }

    pub(crate) fn into_inner(self) -> Option<DeadlockError> {
        self.0.into_inner()
    }
}

/// What a thread that parks tells the others.
pub(crate) struct Notice<'a> {
    pub(crate) what: WaitsFor,
    pub(crate) deadline: Option<Instant>,
    pub(crate) context: Option<&'a Context>,
    pub(crate) place: Place,
    /// True when somebody has decided the wait, from before the thread is unparked. Does not look at the clock, takes no
    /// lock, runs no foreign code.
    pub(crate) is_over: &'a IsOver<'a>,
    /// For a wait that may end before it is decided. Its thread looks here after every return from `park`.
    pub(crate) ending: Option<&'a Ending>,
}

/// Where a thread waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Parked,
    /// As an idle worker, who is counted there.
    OnRoster,
}

impl Notice<'_> {
    /// Calls `park`, which only looks and parks.
    pub(crate) fn during<R>(&self, park: impl FnOnce() -> R) -> R {
        // A thread whose locals are gone counts as one that moves.
        let post = POST.try_with(|own| Arc::clone(&own.0)).ok();
        let _up = post.as_deref().map(|post| post.put_up(self));
        park()
    }
}

/// What others may learn of a thread.
pub(super) struct Post {
    thread: Thread,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) wait: Option<Wait>,
    /// Notices that were ever put up here.
    turns: u64,
    /// Guards of [`bystander`] that are alive.
    pub(super) bystanders: u32,
}

/// A notice that is up.
pub(super) struct Wait {
    pub(super) what: WaitsFor,
    pub(super) deadline: Option<Instant>,
    pub(super) place: Place,
    /// The runtime whose thread this is.
    pub(super) worker_of: Option<*const Shared>,
    /// The runtimes in whose tasks this thread from outside is.
    pub(super) helps: Vec<*const Shared>,
    /// The number of the notice, among those of this post.
    pub(super) turn: u64,
    since: Instant,
    sites: Vec<&'static std::panic::Location<'static>>,
    /// Alive while the notice is up.
    is_over: *const IsOver<'static>,
    /// The same; may be null.
    ending: *const Ending,
}

// SAFETY: the closure and the ending are `Sync`, and used only while the notice is up; the runtime's address is only
// compared.
unsafe impl Send for Wait {}

impl Wait {
    /// Whether it has been decided, or told to end. Only the holder of the post's lock has a `&Wait`.
    pub(super) fn is_over(&self) -> bool {
        // SAFETY: `self` is borrowed from under the post's lock, so the notice is up, and the frame that
        // `PutUp` borrows from is there.
        let is_over = unsafe { &*self.is_over };
        is_over() || self.ending().is_some_and(Ending::is_told)
    }

    fn ending(&self) -> Option<&Ending> {
        // SAFETY: null, or in the frame of the wait: as in `is_over`.
        unsafe { self.ending.as_ref() }
    }

    /// Whether it may end though nobody has decided it.
    pub(super) fn may_end(&self) -> bool {
        !self.ending.is_null()
    }

    /// Tells its thread, which is to be unparked, to end it.
    pub(super) fn end(&self, error: &DeadlockError) {
        if let Some(ending) = self.ending() {
            // Told once is enough.
            let _ = ending.0.set(error.clone());
        }
    }

    /// Whether it ends without anybody's doing: its thread counts as one that moves.
    pub(super) fn ends_by_itself(&self) -> bool {
        if self.deadline.is_some() {
            return true;
        }
        match self.what {
            // Whoever waits for nothing at all does so on purpose.
            #[cfg(feature = "channel")]
            WaitsFor::Channel(wyn_channel::hook::What::Time) => true,
            #[cfg(feature = "channel")]
            WaitsFor::Channel(_) => false,
            WaitsFor::Task { .. } | WaitsFor::Branch | WaitsFor::End | WaitsFor::Future => false,
        }
    }

    /// Whether its thread is one of this runtime, or in a task of it.
    pub(super) fn is_in(&self, runtime: &Shared) -> bool {
        self.worker_of.iter().chain(&self.helps).any(|&of| ptr::eq(of, runtime))
    }

    /// Whether its thread is neither in a task nor a worker.
    pub(super) fn is_outside(&self) -> bool {
        self.worker_of.is_none() && self.helps.is_empty()
    }

    pub(super) fn describe(&self, post: &Post) -> Blocked {
        Blocked {
            thread: post.thread.name().map(str::to_owned),
            is_worker: self.worker_of.is_some(),
            waits_for: self.what,
            sites: self.sites.clone(),
            since: self.since,
            deadline: self.deadline,
        }
    }
}

impl Post {
    fn put_up<'a>(&'a self, notice: &'a Notice<'_>) -> PutUp<'a> {
        let is_over: *const IsOver<'_> = notice.is_over;
        // SAFETY: the same pointer but for its lifetime, which `PutUp` keeps: it takes the notice down before `notice`
        // may go, and is never leaked.
        let is_over = unsafe { std::mem::transmute::<*const IsOver<'_>, *const IsOver<'static>>(is_over) };
        let own = notice.context.filter(|context| context.role != Role::Guest);
        let mut wait = Wait {
            what: notice.what,
            deadline: notice.deadline,
            place: notice.place,
            worker_of: own.map(|context| Arc::as_ptr(&context.shared)),
            helps: if own.is_none() { context::helped() } else { Vec::new() },
            turn: 0,
            since: Instant::now(),
            sites: site::here(),
            is_over,
            ending: notice.ending.map_or(ptr::null(), ptr::from_ref),
        };
        let mut state = lock(&self.state);
        state.turns += 1;
        wait.turn = state.turns;
        // A wait inside a wait counts as the inner one.
        let outer = state.wait.replace(wait);
        PutUp { post: self, outer, frame: PhantomData }
    }

    pub(super) fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Until this is dropped, the notice that is up stays, and none is put up.
    pub(super) fn hold(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Takes the notice down.
struct PutUp<'a> {
    post: &'a Post,
    outer: Option<Wait>,
    frame: PhantomData<&'a ()>,
}

impl Drop for PutUp<'_> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let own = std::mem::replace(&mut lock(&self.post.state).wait, outer);
        // Not under the lock.
        drop(own);
    }
}

/// Takes the post away with its thread.
struct Own(Arc<Post>);

impl Drop for Own {
    fn drop(&mut self) {
        world::remove(&self.0);
    }
}

thread_local! {
    static POST: Own = {
        let post = Arc::new(Post { thread: current(), state: Mutex::new(State::default()) });
        world::add(&post);
        Own(post)
    };
}

/// Promises that the calling thread wakes nobody who waits in Wyn until the guard is dropped, so that it does not keep a
/// deadlock from being [reported](crate::Deadlocks).
///
/// For threads that watch, log or serve metrics. Such a thread may itself wait in Wyn, for as long as it likes: that is no
/// part of a deadlock. On a worker the promise means nothing.
///
/// ```
/// let logger = std::thread::spawn(|| {
///     let _stands_by = wyn_sched::bystander();
///     // … writes what others have logged, and sleeps by the clock.
/// });
/// logger.join().unwrap();
/// ```
pub fn bystander() -> Bystander {
    let is_worker = context::with_current(|current| current.is_some_and(|own| own.role != Role::Guest));
    let post = if is_worker { None } else { POST.try_with(|own| Arc::clone(&own.0)).ok() };
    if let Some(post) = &post {
        post.hold().bystanders += 1;
    }
    Bystander { post, not_send: PhantomData }
}

/// The promise of [`bystander`]; it ends when this is dropped.
#[must_use = "the promise ends when this is dropped"]
pub struct Bystander {
    post: Option<Arc<Post>>,
    not_send: PhantomData<*const ()>,
}

impl Drop for Bystander {
    fn drop(&mut self) {
        if let Some(post) = &self.post {
            post.hold().bystanders -= 1;
        }
    }
}

impl fmt::Debug for Bystander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(type_name::<Self>())
    }
}
