//! Waiting for a piece of fork-join work that another thread has: meanwhile, other pieces of the same family.
//!
//! | the waiting thread | runs | then |
//! |---|---|---|
//! | any | what lies above the piece in its own deque: what the first branch has left there | |
//! | any | pieces of its family, first those of the thread that runs what it waits for (leapfrogging, Wagner and Calder 1993) | |
//! | a worker | nothing, and looks on as an idle worker, for its family only | when it meets other work: it parks, and another worker takes its place |
//! | a guest | nothing | it parks |
//! | any, with little stack left | nothing | it parks, and another worker takes its place |
//!
//! A worker does not run other families' tasks on top of its own (see [`Family`]). It hands one that it has come
//! upon to the injector, and makes room for a worker that may.

use std::cell::Cell;

use wyn_future::cell::Header;

use crate::barrier::Asymmetric;
use crate::context::{self, Context};
use crate::deadlock::Place;
use crate::family::Family;
use crate::join::{Help, Wait};
use crate::sleep::{self, Found};
use crate::slot::Role;
use crate::task::TaskRef;

/// Takes back the right to run `task`, which was pushed at `position`. If it is not to be had any more, waits
/// until the task is complete, and says `false`.
pub(crate) fn is_ours(context: &Context, header: &Header, task: TaskRef, position: usize) -> bool {
    let mut newest = context.deque().pop();
    while let Some(found) = newest {
        if found == task {
            return true;
        }
        let depth = context.deque().position().wrapping_sub(position).cast_signed();
        // From below the task, which therefore was run in the middle of some wait on this thread. Or there is no
        // room for it: then it is left to others, with the task below it.
        if depth < 0 || !context.has_stack() {
            context.push(found);
            break;
        }
        // The first branch has left it behind.
        context.run_or_leave(found);
        newest = context.deque().pop();
    }
    if header.left().is_none() {
        // The task itself, which is gone, was at `position`.
        wait(context, header, position.wrapping_add(1));
    }
    false
}

/// Waits until the header says `Left`. `position` is that of the deque when the work began.
pub(crate) fn wait(context: &Context, header: &Header, position: usize) {
    let context = context::hold(context);
    let wait = Wait { header, cell: None, context: &context, deadline: None, ending: None };
    wait.for_kin(Kin { family: context.family(), position });
    header.await_left();
}

/// What may be run while waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kin {
    pub(crate) family: Family,
    /// What lies at or above this in the own deque.
    pub(crate) position: usize,
}

/// What a look for work of the family has found.
pub(crate) enum Sought {
    Kin(TaskRef),
    /// Work that may not be run here.
    Strange,
    Nothing,
}

impl Wait<'_> {
    fn for_kin(&self, kin: Kin) {
        match self.help_with(|| self.context.find_kin(kin, self.runner())) {
            Help::Over | Help::Inline(_) => return,
            Help::Refused => return self.block(),
            Help::Exhausted => {}
        }
        if self.context.role == Role::Guest {
            return self.park();
        }
        while !self.is_over() {
            match self.look_on(kin) {
                Some(task) => self.context.run(task),
                None if self.is_over() => {}
                None => return self.block(),
            }
            if !self.context.has_stack() {
                return self.block();
            }
        }
    }

    /// As an idle worker: a piece of work of the family; `None` when the wait is over or there is other work.
    fn look_on(&self, kin: Kin) -> Option<TaskRef> {
        let refused = Cell::new(false);
        let find = || match self.context.find_kin(kin, self.runner()) {
            Sought::Kin(task) => Some(task),
            Sought::Strange => {
                refused.set(true);
                None
            }
            Sought::Nothing => None,
        };
        let idle = || sleep::idle_with(self.context, None, || refused.get() || self.is_over(), &find);
        let idle = || self.with_notice(Place::OnRoster, |notice| notice.during(idle));
        // SAFETY: this frame is the only one that waits for the header, and only looks at it meanwhile.
        match unsafe { self.header.wait::<Asymmetric, _>(idle) } {
            Found::Task(task) => Some(task),
            Found::Until => None,
        }
    }
}
