//! flume, with its default features.

use std::ops::Range;

use flume::{Receiver, Selector, Sender, bounded, unbounded};

use super::room;
use crate::backend::{ReceiveAny, SendAny};
use crate::backends::{no_such_notion, tokio};
use crate::record::{Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    if cell.workload == "select_both" && cell.workers > 1 {
        // Seen with 2 and more threads on each side, at every capacity.
        return no_such_notion("its Selector hangs when several threads select among the same channels");
    }
    match family {
        Family::Blocking(capacity) => channels::full::<Flume>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Flume>>(cell),
        Family::Async(capacity) => channels::awaited::<Flume>(cell, capacity),
        Family::Tasks(capacity) => channels::awaiting_tasks::<tokio::Tokio, Flume>(cell, capacity),
    }
}

struct Flume;

blocking! {
    Flume: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send, recv
}
awaited! {
    Flume: Sender<u64> => Receiver<u64>,
    open: |capacity| room(capacity).map_or_else(unbounded, bounded),
    calls: send_async, recv_async
}
cloned! { Flume: ManySenders, ManyReceivers, AsyncManySenders }

impl ReceiveAny for Flume {
    fn sum_of_any(receivers: &mut [Receiver<u64>], count: u64) -> u64 {
        (0..count).fold(0_u64, |sum, _| {
            let any = receivers.iter().fold(Selector::new(), |any, receiver| any.recv(receiver, |msg| msg));
            sum.wrapping_add(any.wait().expect("somebody sends"))
        })
    }
}

impl SendAny for Flume {
    fn send_to_any(senders: &[Sender<u64>], messages: Range<u64>) {
        for msg in messages {
            let any = senders.iter().fold(Selector::new(), |any, sender| any.send(sender, msg, |sent| sent));
            any.wait().expect("somebody receives");
        }
    }
}
