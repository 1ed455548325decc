//! The channel workloads: crossbeam-channel's matrix and a few questions beside, each source once.
//!
//! What a library can do decides which of these its backend calls: [`full`], [`many_to_many`],
//! [`many_to_one`] or [`one_to_one`]; [`oneshots`] and [`awaited`] for the rest, and between the tasks of a runtime
//! [`blocking_tasks`] or [`awaiting_tasks`]. [`Family`] says which of these a workload is for.

mod awaited;
mod blocked;
mod crowd;
mod oneshot;
mod pair;
mod select;
mod tasks;

pub use awaited::awaited;
pub use oneshot::{OneMessage, oneshots};
pub use select::receive_any;
pub use tasks::{awaiting_pairs, awaiting_tasks, blocking_tasks};

use super::race::{self, sum_below};
use crate::backend::{Channel, ManyReceivers, ManySenders, SendAny};
use crate::record::{Capacity, Cell, Line};

/// Every workload's name, and what it measures. Figures are per message.
pub const WORKLOADS: [(&str, &str); 17] = [
    ("one_thread", "one thread sends all messages, then receives them"),
    ("spsc", "one sender, one receiver"),
    ("mpsc", "K senders, one receiver"),
    ("mpmc", "K senders, K receivers"),
    ("select_rx", "K channels with a sender each; one receiver selects among them"),
    ("select_both", "K channels; K senders and K receivers, all of them select"),
    ("ping_pong", "there and back between two threads, over two channels: ns per round trip"),
    ("oneshot", "one thread makes a channel for one message, sends it and receives it"),
    ("oneshot_across", "one thread sends N such messages, another waits for each in turn"),
    ("fan_in", "1000 threads blocked in sending to one receiver"),
    ("crowd", "4 senders and 4 receivers beside one of each, on the same kind of channel"),
    ("async_spsc", "one sender, one receiver, both awaiting, a thread and `block_on` for each"),
    ("async_ping_pong", "there and back between two such: ns per round trip"),
    ("task_ping_pong", "there and back between two tasks on K workers: ns per round trip"),
    ("task_fan_in", "1000 tasks send to the task that spawned them"),
    ("task_pipeline", "1000 tasks in a row pass messages on: ns per message and task"),
    ("blocked", "a blocked receiver, and a blocked sender where a channel can be full: what the wait costs"),
];

/// Whether a workload belongs to this group.
pub fn has(workload: &str) -> bool {
    WORKLOADS.iter().any(|(name, _)| *name == workload)
}

/// Which part of a library a workload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Channels with blocking calls, of that capacity.
    Blocking(Capacity),
    /// Channels for one message.
    Oneshot,
    /// Channels whose ends are awaited, of that capacity.
    Async(Capacity),
    /// Channels of that capacity between the tasks of a runtime.
    Tasks(Capacity),
}

impl Family {
    /// The family of a cell; a line that says why the cell makes no sense.
    pub fn of(cell: &Cell) -> Result<Family, Line> {
        if cell.workers == 0 {
            return Err(Line::Unsupported("somebody has to send".to_owned()));
        }
        match (cell.workload.as_str(), cell.capacity) {
            ("oneshot" | "oneshot_across", _) => Ok(Family::Oneshot),
            (_, None) => Err(Line::Unsupported("a channel has a capacity: --capacity 100".to_owned())),
            ("async_spsc" | "async_ping_pong", Some(capacity)) => Ok(Family::Async(capacity)),
            (tasks, Some(capacity)) if tasks.starts_with("task_") => Ok(Family::Tasks(capacity)),
            ("one_thread", Some(Capacity::Bounded(room))) if room < cell.n => {
                Err(Line::Unsupported("one thread cannot send more than the channel holds".to_owned()))
            }
            (_, Some(capacity)) => Ok(Family::Blocking(capacity)),
        }
    }
}

/// Measures a blocking cell on a library that has everything.
pub fn full<C: SendAny>(cell: &Cell, capacity: Capacity) -> Line {
    match cell.workload.as_str() {
        "select_rx" => receive_any::<C>(cell, capacity),
        "select_both" => select::both::<C>(cell, capacity),
        _ => many_to_many::<C>(cell, capacity),
    }
}

/// The same for a library without a select.
pub fn many_to_many<C: ManyReceivers>(cell: &Cell, capacity: Capacity) -> Line {
    match cell.workload.as_str() {
        "mpmc" => crowd::mpmc::<C>(cell, capacity),
        "crowd" => crowd::crowd::<C>(cell, capacity),
        "select_rx" | "select_both" => Line::Unsupported("no select that blocks".to_owned()),
        _ => many_to_one::<C>(cell, capacity),
    }
}

/// The same for a library whose channels have one receiver.
pub fn many_to_one<C: ManySenders>(cell: &Cell, capacity: Capacity) -> Line {
    match cell.workload.as_str() {
        "mpsc" => crowd::mpsc::<C>(cell, capacity),
        "fan_in" => crowd::fan_in::<C>(cell, capacity),
        "mpmc" | "crowd" => Line::Unsupported("a channel has one receiver".to_owned()),
        "select_rx" | "select_both" => Line::Unsupported("no select that blocks".to_owned()),
        _ => one_to_one::<C>(cell, capacity),
    }
}

/// The same for channels with one end of each kind.
pub fn one_to_one<C: Channel>(cell: &Cell, capacity: Capacity) -> Line {
    match cell.workload.as_str() {
        "one_thread" => pair::one_thread::<C>(cell.n, capacity),
        "spsc" => pair::spsc::<C>(cell.n, capacity),
        "ping_pong" => pair::ping_pong::<C>(cell.n, capacity),
        "blocked" => blocked::measure::<C>(cell, capacity),
        other => {
            Line::Unsupported(format!("a channel has one sender and one receiver, and {other} has more"))
        }
    }
}

/// The sum of so many received messages.
fn sum_of<C: Channel>(receiver: &mut C::Receiver, count: u64) -> u64 {
    (0..count).fold(0_u64, |sum, _| sum.wrapping_add(C::recv(receiver)))
}

fn send_all<C: Channel>(sender: &C::Sender, messages: std::ops::Range<u64>) {
    for msg in messages {
        C::send(sender, msg);
    }
}
