//! A thread that parks in the middle of a task: another takes its place.
//!
//! As many threads as there are workers can run tasks at any time ([`Shared::block`](crate::shared::Shared)): when one
//! stops doing so and no idle one is left to replace it, a spare is started.

use std::thread::sleep;
use std::time::Duration;

use crate::context::Context;
use crate::deadlock::Notice;
use crate::runtime;
use crate::slot::Role;

/// How often a thread without a substitute looks whether its wait is over.
const LOOKOUT: Duration = Duration::from_micros(200);
/// How many such looks it takes to give up hope of a substitute.
const HANDS_LOOKS: u32 = 500;

/// Calls `park`, which returns when the wait is over, and leaves the processor to another worker meanwhile.
/// `notice` is for this thread to put up while it parks.
pub(crate) fn block(context: &Context, notice: &Notice<'_>, is_over: &dyn Fn() -> bool, park: &dyn Fn()) {
    let shared = &context.shared;
    if context.role == Role::Guest {
        return park();
    }
    if shared.block() {
        if !runtime::start_spare(shared) && !await_hands(context, is_over) {
            // Nobody takes this thread's place: better to risk burying a task than to let all wait.
            shared.unblock();
            return help_with_anything(context, notice, is_over);
        }
    } else if shared.has_work() {
        context.stats().called(shared.roster.rouse() || shared.roster.nudge());
    }
    park();
    shared.unblock();
}

/// No spare could be started, for now: others may become free, or leave and make room for one. Whether
/// somebody can run tasks, or the wait is over.
fn await_hands(context: &Context, is_over: &dyn Fn() -> bool) -> bool {
    let shared = &context.shared;
    (0..HANDS_LOOKS).any(|_| {
        sleep(LOOKOUT);
        is_over() || !shared.lacks_hands() || runtime::start_spare(shared)
    })
}

/// Runs whatever there is, as far as the stack goes, and looks out for the end of the wait.
fn help_with_anything(context: &Context, notice: &Notice<'_>, is_over: &dyn Fn() -> bool) {
    let stays = || !is_over() && !context.shared.has_work() && !context.slot().has_mail();
    while !is_over() {
        let task = context.has_stack().then(|| context.oldest()).flatten();
        match task {
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
