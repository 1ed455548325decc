//! Waiting for a piece of fork-join work that another thread has.
//!
//! | the waiting thread | runs | with nothing to run |
//! |---|---|---|
//! | a worker | what lies below the piece (see [`Node`]), first from the thread that has the piece | looks on as an idle worker, for such work only |
//! | a guest | the same | parks |
//! | any, with little stack left | nothing | parks |
//!
//! A worker that meets work which it may not run leaves it where it is, parks, and another worker takes its place. That the
//! thread which has the piece is asked first is leapfrogging (Wagner and Calder 1993). A thread that has been parked for a
//! while looks deeper: pieces that it waits for may lie in the deque of a thread that is blocked in a lock which this one
//! holds.

use std::cell::Cell;
use std::time::{Duration, Instant};

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

/// How long a thread parks before it looks into all deques, in which such work may lie under work of others; at first, and at
/// last.
const FIRST_PATIENCE: Duration = Duration::from_millis(1);
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// Waits until the header says `Left`. `node` is that of the work it stands for.
pub(crate) fn wait(context: &Context, header: &Header, node: *const Node) {
    let context = context::hold(context);
    let _stays = context.stay();
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
            Help::Exhausted | Help::Refused => return self.block_and_dig(node),
        }
        while !self.is_over() {
            match self.look_on(node) {
                Some(task) => self.context.run(task),
                None if self.is_over() => {}
                None => return self.block_and_dig(node),
            }
            if !self.context.has_stack() {
                return self.block_and_dig(node);
            }
        }
    }

    /// Parks until the wait is over, and looks around now and then for work below `node` which nobody comes to.
    #[cold]
    fn block_and_dig(&self, node: *const Node) {
        let mut patience = FIRST_PATIENCE;
        while !self.is_over() {
            self.block(Some(Instant::now() + patience));
            patience = (2 * patience).min(LAST_PATIENCE);
            while !self.is_over()
                && self.context.has_stack()
                && let Some(task) = self.context.dig(node)
            {
                self.context.run(task);
                patience = FIRST_PATIENCE;
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
