//! Tasks that wait on the channels and values of wyn-channel: their worker parks, and another takes its place.
//!
//! Nothing else is run on top of the waiting task, not even what it has spawned: the task on top might wait for
//! the next message of the one below.

use std::sync::Once;

use wyn_channel::hook::{self, Hook, OptIn, Wait};

use crate::block;
use crate::context;
use crate::deadlock::{Ending, Notice, Place, WaitsFor};
use crate::slot::Role;

struct Workers;

impl Hook for Workers {
    fn block(&self, wait: &Wait<'_>) {
        let Some(context) = context::current() else { return self.block_outside(wait) };
        let (probe, ending) = (wait.probe(), Ending::new());
        let notice = Notice {
            what: WaitsFor::Channel(wait.what()),
            deadline: wait.deadline(),
            context: Some(&context),
            place: Place::Parked,
            is_over: &|| probe.is_decided(),
            ending: wait.may_end().then_some(&ending),
        };
        let is_over = || wait.is_over() || ending.is_told();
        let park = || {
            while !is_over() {
                // What is broadcast may be run here: it waits for nobody below.
                match context.slot().receive() {
                    Some(task) => context.run(task),
                    None => notice.during(|| context.stats().park(|| wait.park())),
                }
            }
        };
        block::block(&context, &notice, &is_over, &park);
        end(wait, ending);
    }

    fn timed_out(&self) {
        context::with_current(|current| {
            if let Some(own) = current.filter(|own| own.role != Role::Guest) {
                own.shared.count_poll();
            }
        });
    }

    fn block_outside(&self, wait: &Wait<'_>) {
        let (probe, ending) = (wait.probe(), Ending::new());
        let context = context::current();
        let notice = Notice {
            what: WaitsFor::Channel(wait.what()),
            deadline: wait.deadline(),
            context: context.as_deref(),
            place: Place::Parked,
            is_over: &|| probe.is_decided(),
            ending: wait.may_end().then_some(&ending),
        };
        notice.during(|| wait.park());
        end(wait, ending);
    }
}

/// Ends the operation as well, if its wait was told to end.
fn end(wait: &Wait<'_>, ending: Ending) {
    if let Some(error) = ending.into_inner() {
        wait.end_with(Box::new(error));
    }
}

/// Before a runtime has threads: also a thread from outside that waits in a task needs the hook.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    // Another runtime's hook may be there before: then its waits are its own.
    ONCE.call_once(|| {
        let _ = hook::set(&Workers);
    });
}

/// So many sends and receives of a future may be ready in one poll.
const POLL_OPERATIONS: u32 = 128;

/// For one poll of a future's task.
pub(crate) fn budget() -> hook::Budget {
    hook::budget(POLL_OPERATIONS)
}

/// For a thread of a runtime, for its whole life.
pub(crate) fn attend() -> OptIn {
    hook::opt_in()
}
