//! The thread that looks for deadlocks, by a slow clock, while there is a runtime that wants to know.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::proof::{self, Stillness};
use super::world;
use crate::shared::Shared;

/// The pause between two looks at least: in a look nobody can put up a notice, and the lock of the world is not fair.
const LEAST_PAUSE: Duration = Duration::from_micros(50);

/// Starts it; whether the system gave a thread. Called while the world is held.
pub(super) fn start() -> bool {
    thread::Builder::new().name("wyn-deadlocks".to_owned()).spawn(run).is_ok()
}

fn run() {
    // By the address of the runtime: the deadlock that it has been told of last.
    let mut told = HashMap::new();
    // What panics is a handler, or what it holds: the panic hook has spoken of it.
    while let Some(every) = catch_unwind(AssertUnwindSafe(|| look(&mut told))).unwrap_or(Some(Duration::ZERO))
    {
        thread::sleep(every.max(LEAST_PAUSE));
    }
}

/// Looks once; says when to look again. `None` if nobody wants to know any more.
fn look(told: &mut HashMap<usize, u64>) -> Option<Duration> {
    // Dropped last: letting a runtime go may run foreign code.
    let watched: Vec<Arc<Shared>>;
    {
        let mut world = world::hold();
        watched = world.runtimes().into_iter().filter(|runtime| runtime.config.deadlocks.is_on()).collect();
        world.is_watched = !watched.is_empty();
    }
    let every = watched.iter().map(|runtime| runtime.config.deadlocks.every).min()?;
    told.retain(|&at, _| watched.iter().any(|runtime| Arc::as_ptr(runtime).addr() == at));
    if let Some(mut stillness) = proof::look() {
        // Before anything is written: whoever holds the lock of standard error may be among them.
        stillness.unpark();
        for runtime in &watched {
            tell(runtime, &stillness, told);
        }
    }
    Some(every)
}

fn tell(runtime: &Arc<Shared>, stillness: &Stillness, told: &mut HashMap<usize, u64>) {
    let mut is_new = || told.insert(Arc::as_ptr(runtime).addr(), stillness.mark) != Some(stillness.mark);
    if stillness.is_deadlock_of(runtime) && is_new() {
        runtime.config.deadlocks.act(&stillness.error);
    }
}
