//! The waits of a program, each in several ways.

use std::future::Future;
use std::time::Duration;

use wyn_channel::{Receiver, Sender, Value};
use wyn_sched::{JoinHandle, block_on, yield_now};

use super::plan::Way;

/// Short enough to pass before most waits are over.
const SHORT: Duration = Duration::from_micros(100);

/// The right to the result of a task.
pub(crate) enum Handle {
    Task(JoinHandle<u64>),
    /// A plain thread sends it.
    Thread(Receiver<u64>),
}

impl Handle {
    pub(crate) fn wait(self, way: Way) -> u64 {
        match self {
            Self::Task(handle) => join(handle, way),
            Self::Thread(receiver) => receive(&receiver, way),
        }
    }

    pub(crate) async fn result(self) -> u64 {
        match self {
            Self::Task(handle) => handle.await.expect("the task ends well"),
            Self::Thread(receiver) => receiver.recv_async().await.expect("the thread ends well"),
        }
    }
}

fn join(mut handle: JoinHandle<u64>, way: Way) -> u64 {
    let result = match way {
        Way::Plain => handle.join(),
        Way::Blocking => handle.join_blocking(),
        Way::Driven => block_on(handle),
        Way::Timed => loop {
            match handle.join_timeout(SHORT) {
                Ok(result) => break result,
                Err(again) => handle = again,
            }
        },
        Way::Yielding => loop {
            match handle.try_join() {
                Ok(result) => break result,
                Err(again) => handle = again,
            }
            yield_now();
        },
    };
    result.expect("the task ends well")
}

/// Tries until there is something; `None` stands for "not yet".
fn again<T>(mut attempt: impl FnMut() -> Option<T>, mut pause: impl FnMut()) -> T {
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        pause();
    }
}

pub(crate) fn receive(receiver: &Receiver<u64>, way: Way) -> u64 {
    match way {
        Way::Timed => again(
            || match receiver.recv_timeout(SHORT) {
                Err(error) if error.is_timeout() => None,
                result => Some(result.expect("the sender is there")),
            },
            || (),
        ),
        Way::Yielding => again(
            || match receiver.try_recv() {
                Err(error) if error.is_empty() => None,
                result => Some(result.expect("the sender is there")),
            },
            yield_now,
        ),
        Way::Driven => block_on(receiver.recv_async()).expect("the sender is there"),
        Way::Plain | Way::Blocking => receiver.recv().expect("the sender is there"),
    }
}

/// A sender never only tries: two that try do not meet where nothing is held.
pub(crate) fn send(sender: &Sender<u64>, message: u64, way: Way) {
    match way {
        Way::Timed => again(
            || match sender.send_timeout(message, SHORT) {
                Err(error) if error.is_timeout() => None,
                result => {
                    result.expect("the receiver is there");
                    Some(())
                }
            },
            || (),
        ),
        Way::Driven => block_on(sender.send_async(message)).expect("the receiver is there"),
        Way::Plain | Way::Blocking | Way::Yielding => sender.send(message).expect("the receiver is there"),
    }
}

pub(crate) fn watch(value: &Value<u64>, least: u64, way: Way) {
    let is_reached = move |&now: &u64| now >= least;
    match way {
        Way::Timed => _ = again(|| value.wait_for_timeout(is_reached, SHORT), || ()),
        Way::Yielding => again(|| value.with(is_reached).then_some(()), yield_now),
        Way::Driven => _ = block_on(reached(value, least)),
        Way::Plain | Way::Blocking => _ = value.wait_for(is_reached),
    }
}

pub(crate) fn reached(value: &Value<u64>, least: u64) -> impl Future<Output = u64> {
    value.wait_for_async(move |&now| now >= least)
}
