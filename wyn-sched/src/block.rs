//! A thread that parks in the middle of a task: another takes its place.
//!
//! As many threads as there are workers can run tasks at any time ([`Shared::block`](crate::shared::Shared)): when one
//! stops doing so and no idle one is left to replace it, a spare is started.
//!
//! Where no spare can be had, because there are as many as there may be or because the system gives no thread, the place stays
//! empty as long as any thread can still run tasks. Only the last one keeps its place: it runs what is queued on top of its
//! wait, oldest first, since nobody else is left who could.

use std::thread::{sleep, yield_now};
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::deadlock::Notice;
use crate::runtime;
use crate::slot::Role;
use crate::task::TaskRef;

/// How often the last thread that can run tasks looks whether its wait is over.
const LOOKOUT: Duration = Duration::from_micros(200);
/// How long one who yields leaves its place at most while tasks are queued: about as long as it takes another to come for it.
const WAY: Duration = Duration::from_micros(50);

/// Calls `park`, which returns when the wait is over, and leaves the processor to another worker meanwhile.
/// `notice` is for this thread to put up while it parks.
pub(crate) fn block(context: &Context, notice: &Notice<'_>, is_over: &dyn Fn() -> bool, park: &dyn Fn()) {
    if context.role == Role::Guest {
        return park();
    }
    let shared = &context.shared;
    let stays = || !is_over() && shared.able() == 1 && !shared.has_work() && !context.slot().has_mail();
    while !is_over() {
        if leave_place(context) {
            park();
            return shared.unblock();
        }
        match oldest(context) {
            Some(task) => context.run(task),
            None => notice.during(|| {
                context.stats().park(|| sleep(LOOKOUT));
                while stays() {
                    context.stats().park(|| sleep(LOOKOUT));
                }
            }),
        }
    }
}

/// Lets others run tasks in the place of this thread for as long as the system lets other threads run.
pub(crate) fn give_way(context: &Context) {
    if context.role == Role::Guest || context.shared.queued(1) == 0 {
        return yield_now();
    }
    context.shared.count_poll();
    if leave_place(context) {
        let until = Instant::now() + WAY;
        yield_now();
        while Instant::now() < until && context.shared.queued(1) != 0 {
            yield_now();
        }
        return context.shared.unblock();
    }
    match oldest(context) {
        Some(task) => context.run(task),
        None => yield_now(),
    }
}

/// Counts this thread as one that runs no tasks, and has another run them in its place. If nobody else can, says `false`, and
/// the thread counts as before.
fn leave_place(context: &Context) -> bool {
    let shared = &context.shared;
    let others = shared.block();
    let is_short = others < shared.config.workers && !runtime::start_spare(shared);
    if is_short && others == 0 {
        shared.unblock();
        return false;
    }
    if shared.has_work() {
        context.stats().called(shared.roster.rouse() || shared.roster.nudge());
    }
    true
}

fn oldest(context: &Context) -> Option<TaskRef> {
    context.has_stack().then(|| context.oldest()).flatten()
}
