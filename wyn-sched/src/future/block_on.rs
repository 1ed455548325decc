//! `block_on`: a future driven by the thread that wants its result.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use super::signal::Signal;
use crate::block;
use crate::context::{self, Context, Helping};
use crate::deadlock::{Notice, Place, WaitsFor};
use crate::shared::Shared;
use crate::slot::Role;
use crate::sync::park;

/// Drives a future on the calling thread, and returns what it resolves to.
///
/// The thread parks while the future waits. Inside a task another worker takes its place meanwhile, as with a task that
/// waits on a channel: so a runtime of one worker gets along, but the price is a thread: inside a future, `.await` what
/// you want instead.
///
/// The future may borrow from the caller and need not be `Send`. What it spawns goes where [`spawn`](crate::spawn) means.
///
/// # Panics
/// With the panic of the future.
///
/// ```
/// let words = vec!["two", "words"];
/// let length = wyn_sched::block_on(async {
///     let lengths = words.iter().map(|word| {
///         let word = *word;
///         wyn_sched::spawn_future(async move { word.len() })
///     });
///     let mut sum = 0;
///     for length in lengths.collect::<Vec<_>>() {
///         sum += length.await?;
///     }
///     Ok::<_, wyn_sched::JoinError>(sum)
/// })?;
/// assert_eq!(length, 8);
/// # Ok::<(), wyn_sched::JoinError>(())
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    drive(future, None)
}

/// The same; the free functions mean `shared` while the future is polled, if this thread can have a place there.
pub(crate) fn block_on_in<F: Future>(shared: &Arc<Shared>, future: F) -> F::Output {
    let guest = context::with_context_of(shared, |context| context.map(context::hold));
    drive(future, guest.filter(|context| context.role == Role::Guest))
}

fn drive<F: Future>(future: F, guest: Option<Rc<Context>>) -> F::Output {
    let mut future = pin!(future);
    Signal::lend(|signal| {
        let waker = Waker::from(Arc::clone(signal));
        let mut task = TaskContext::from_waker(&waker);
        loop {
            signal.reset();
            let inside = guest.as_ref().map(|context| Helping::begin(Rc::clone(context)));
            if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
                return value;
            }
            drop(inside);
            wait(signal);
        }
    })
}

/// Until the signal is set.
fn wait(signal: &Arc<Signal>) {
    let is_over = || signal.is_set();
    if is_over() {
        return;
    }
    let context = context::current();
    let notice = Notice {
        what: WaitsFor::Future,
        deadline: None,
        context: context.as_deref(),
        place: Place::Parked,
        is_over: &is_over,
        ending: None,
    };
    let Some(context) = &context else {
        return while !is_over() {
            notice.during(park);
        };
    };
    let wait = || {
        while !is_over() {
            // What is broadcast may be run here: it waits for nobody below.
            match context.slot().receive() {
                Some(task) => context.run(task),
                None => notice.during(|| context.stats().park(park)),
            }
        }
    };
    block::block(context, &notice, &is_over, &wait);
}
