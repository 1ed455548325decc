//! flume, with its default features.

use std::ops::Range;

use flume::{Receiver, Selector, Sender, bounded, unbounded};

use super::room;
use crate::backend::{AsyncChannel, Channel, ManyReceivers, ManySenders, ReceiveAny, SendAny};
use crate::backends::no_such_notion;
use crate::record::{Capacity, Cell, Line};
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
    }
}

struct Flume;

impl Channel for Flume {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        room(capacity).map_or_else(unbounded, bounded)
    }

    #[inline]
    fn send(sender: &Sender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}

impl ManySenders for Flume {
    fn another_sender(sender: &Sender<u64>) -> Sender<u64> {
        sender.clone()
    }
}

impl ManyReceivers for Flume {
    fn another_receiver(receiver: &Receiver<u64>) -> Receiver<u64> {
        receiver.clone()
    }
}

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

impl AsyncChannel for Flume {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        <Flume as Channel>::open(capacity)
    }

    async fn send(sender: &Sender<u64>, msg: u64) {
        sender.send_async(msg).await.expect("somebody receives");
    }

    async fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv_async().await.expect("somebody sends")
    }
}
