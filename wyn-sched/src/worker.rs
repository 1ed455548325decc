//! The life of a worker thread.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::barrier::Asymmetric;
use crate::builder::Hook;
use crate::context::{Context, Seat};
use crate::error::BuildError;
use crate::shared::Shared;
use crate::sleep::{self, Found};
use crate::slot::Role;
use crate::task;

/// A spare that has found nothing to do for so long ends.
const SPARE_PATIENCE: Duration = Duration::from_secs(1);

/// What a starting worker tells the one who builds the runtime.
pub(crate) type Ready = Sender<Result<(), BuildError>>;

/// The body of a worker thread.
pub(crate) fn main(shared: Arc<Shared>, role: Role, ready: Option<&Ready>) {
    let leave = Leave { shared: Arc::clone(&shared), is_counted: Cell::new(false) };
    let tell = |what| {
        if let Some(ready) = ready {
            // Nobody listens any more once another worker has failed to start.
            let _ = ready.send(what);
        }
    };
    let Some(context) = Context::enroll(Arc::clone(&shared), role) else {
        return;
    };
    let seat = Seat::take(context);
    #[cfg(feature = "channel")]
    let _attends = crate::channels::attend();
    let index = seat.context().id;
    let hook = |hook: &Hook| catch_unwind(AssertUnwindSafe(|| hook(index)));
    if let Some(Err(payload)) = shared.config.on_thread_start.as_ref().map(hook) {
        tell(Err(BuildError::hook(payload.as_ref())));
        task::contain(|| drop(payload));
        return;
    }
    tell(Ok(()));
    // Tasks catch their own panics. What comes out here is a foreign waker's, sent after its task was
    // complete: nothing is lost by going on.
    while catch_unwind(AssertUnwindSafe(|| work(seat.context(), &leave))).is_err() {}
    while let Some(task) = seat.context().slot().receive() {
        seat.context().run(task);
    }
    seat.context().end_departures();
    if let Some(hook) = &shared.config.on_thread_stop {
        task::contain(|| hook(index));
    }
}

/// Runs tasks until the runtime stops.
fn work(context: &Rc<Context>, leave: &Leave) {
    let shared = &context.shared;
    loop {
        while let Some(task) = context.next() {
            context.run(task);
            if shared.has_stopped() {
                shared.cancel_all();
                return;
            }
        }
        let deadline = (context.role == Role::Spare).then(|| Instant::now() + SPARE_PATIENCE);
        let over = || shared.has_stopped() || deadline.is_some_and(|at| Instant::now() >= at);
        match sleep::idle(context, deadline, over) {
            Found::Task(task) => context.run(task),
            Found::Until if shared.has_stopped() => {
                // The owner may have gone long ago, and who pushed while this thread looked for work has relied on it.
                Asymmetric::heavy();
                shared.cancel_all();
                return;
            }
            Found::Until if shared.may_leave() => {
                leave.is_counted.set(true);
                return;
            }
            Found::Until => {}
        }
    }
}

/// Counts the thread out, however it ends.
struct Leave {
    shared: Arc<Shared>,
    /// Whether it is a spare whose leave [`Shared::may_leave`] has counted.
    is_counted: Cell<bool>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.shared.leave();
        if self.is_counted.get() {
            self.shared.has_left();
        }
    }
}
