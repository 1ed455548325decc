//! Waiting for a piece of fork-join work that another thread has.
//!
//! | the waiting thread | runs | with nothing to run |
//! |---|---|---|
//! | a worker | what lies below the piece (see [`Node`]), first from the thread that has the piece | looks on as an idle worker, for such work only |
//! | a guest | the same | parks |
//! | any, with little stack left | nothing | parks |
//!
//! A worker that meets work which it may not run leaves it where it is, parks, and another worker takes its place. That the
//! thread which has the piece is asked first is leapfrogging (Wagner and Calder 1993).

use std::cell::Cell;

use wyn_future::cell::Header;

use crate::barrier::Asymmetric;
use crate::context::{self, Context};
use crate::deadlock::Place;
use crate::join::Wait;
use crate::lineage::Node;
use crate::search::Sought;
use crate::sleep::{self, Found};
use crate::slot::Role;
use crate::sync::{spin_loop, yield_now};
use crate::task::TaskRef;

/// Rounds of looking for something to help with before a waiting thread yields its processor.
const HELP_ROUNDS: u32 = 64;
/// Rounds with a yield in between before it parks.
const YIELD_ROUNDS: u32 = 4;
/// Spins between two rounds, growing with each up to this.
const MAX_ROUND_SPINS: u32 = 32;

/// Waits until the header says `Left`. `node` is that of the work it stands for.
pub(crate) fn wait(context: &Context, header: &Header, node: *const Node) {
    let context = context::hold(context);
    let wait = Wait { header, context: &context, deadline: None, ending: None };
    wait.for_work_of(node);
    header.await_left();
}

/// How helping ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Help {
    /// The wait is over.
    Over,
    /// There was nothing to run for a while.
    Exhausted,
    /// There is something that may not be run here, or no stack left to run it.
    Refused,
}

impl Wait<'_> {
    fn for_work_of(&self, node: *const Node) {
        let is_guest = self.context.role == Role::Guest;
        match self.help(node) {
            Help::Over => return,
            Help::Exhausted if !is_guest => {}
            Help::Exhausted | Help::Refused => return self.block(),
        }
        while !self.is_over() {
            match self.look_on(node) {
                Some(task) => self.context.run(task),
                None if self.is_over() => {}
                None => return self.block(),
            }
            if !self.context.has_stack() {
                return self.block();
            }
        }
    }

    /// Runs what lies below `node` until the wait is over or there is nothing to run for a while.
    fn help(&self, node: *const Node) -> Help {
        let mut round = 0;
        while round < HELP_ROUNDS + YIELD_ROUNDS {
            if self.is_over() {
                return Help::Over;
            }
            if !self.context.has_stack() {
                return Help::Refused;
            }
            match self.context.find_below(node, self.runner()) {
                Sought::Found(task) => {
                    self.context.run(task);
                    round = 0;
                    continue;
                }
                Sought::Strange => return Help::Refused,
                Sought::Nothing => {}
            }
            if round < HELP_ROUNDS {
                (0..round.min(MAX_ROUND_SPINS)).for_each(|_| spin_loop());
            } else {
                yield_now();
            }
            round += 1;
        }
        Help::Exhausted
    }

    /// As an idle worker: a piece of work below `node`; `None` when the wait is over or there is other work.
    fn look_on(&self, node: *const Node) -> Option<TaskRef> {
        let refused = Cell::new(false);
        let find = || match self.context.find_below(node, self.runner()) {
            Sought::Found(task) => Some(task),
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
