//! The life of a worker thread.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::barrier::Asymmetric;
use crate::context::{Context, Seat};
use crate::error::BuildError;
use crate::shared::Shared;
use crate::sleep::{self, Found};
use crate::slot::Role;
use crate::slots::Reserved;
use crate::task;

/// A spare that has found nothing to do for so long ends.
const SPARE_PATIENCE: Duration = Duration::from_secs(1);

/// What a starting worker tells the one who builds the runtime.
pub(crate) type Ready = Sender<Result<(), BuildError>>;

/// A panic of foreign code at the start of a spare, which runs without what that code was to do.
pub(crate) struct Refusal(Option<Box<dyn Any + Send>>);

impl Refusal {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        Self(Some(payload))
    }

    fn report(mut self, shared: &Shared) {
        let payload = self.0.take();
        task::contain(|| payload.into_iter().for_each(|payload| shared.report_panic(payload, None)));
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        // If the thread did not come about: the payload's destructor is foreign code as well.
        let payload = self.0.take();
        task::contain(|| drop(payload));
    }
}

/// The body of a worker thread, which has this slot.
pub(crate) fn main(shared: Arc<Shared>, place: Reserved, refusal: Option<Refusal>, ready: Option<&Ready>) {
    let leave = Leave { shared: Arc::clone(&shared), is_counted: Cell::new(false) };
    let seat = Seat::take(Context::enroll(Arc::clone(&shared), place));
    #[cfg(feature = "channel")]
    let _attends = crate::channels::attend();
    if let Some(refusal) = refusal {
        refusal.report(&shared);
    }
    let index = shared.slots.index(place);
    let started = catch_unwind(AssertUnwindSafe(|| {
        if let Some(hook) = &shared.config.on_thread_start {
            hook(index);
        }
    }));
    let is_prepared = started.is_ok();
    match (started, ready) {
        // Nobody listens any more once another worker has failed to start.
        (Ok(()), Some(ready)) => drop(ready.send(Ok(()))),
        (Ok(()), None) => {}
        (Err(payload), Some(ready)) => {
            drop(ready.send(Err(BuildError::hook(payload.as_ref()))));
            return task::contain(|| drop(payload));
        }
        // Somebody waits for what only this thread may come to run.
        (Err(payload), None) => Refusal::new(payload).report(&shared),
    }
    work(seat.context(), &leave);
    while let Some(task) = seat.context().slot().receive() {
        seat.context().run(task);
    }
    seat.context().end_departures();
    if let Some(hook) = shared.config.on_thread_stop.as_ref().filter(|_| is_prepared) {
        task::contain(|| hook(index));
    }
}

/// Runs tasks until the runtime stops. Nothing unwinds out of here: what tasks, wakers, destructors of results and the
/// panic handler panic with is caught where they are called.
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
