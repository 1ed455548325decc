//! Wyn's channels, between plain threads.

use std::ops::Range;

use wyn_channel::{Receiver, Select, Sender, bounded, oneshot, unbounded};

use super::room;
use crate::backend::{AsyncChannel, Channel, ManyReceivers, ManySenders, Oneshot, ReceiveAny, SendAny};
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(capacity) => channels::full::<Wyn>(cell, capacity),
        Family::Oneshot => channels::oneshots::<Wyn>(cell),
        Family::Async(capacity) => channels::awaited::<Wyn>(cell, capacity),
    }
}

struct Wyn;

impl Channel for Wyn {
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

impl ManySenders for Wyn {
    fn another_sender(sender: &Sender<u64>) -> Sender<u64> {
        sender.clone()
    }
}

impl ManyReceivers for Wyn {
    fn another_receiver(receiver: &Receiver<u64>) -> Receiver<u64> {
        receiver.clone()
    }
}

// A fresh `Select` for every message, as in crossbeam-channel's own benchmarks.
impl ReceiveAny for Wyn {
    fn sum_of_any(receivers: &mut [Receiver<u64>], count: u64) -> u64 {
        (0..count).fold(0_u64, |sum, _| {
            let mut select = Select::new();
            for receiver in receivers.iter() {
                select.recv(receiver);
            }
            let ready = select.select();
            let receiver = &receivers[ready.index()];
            sum.wrapping_add(ready.recv(receiver).expect("somebody sends"))
        })
    }
}

impl SendAny for Wyn {
    fn send_to_any(senders: &[Sender<u64>], messages: Range<u64>) {
        for msg in messages {
            let mut select = Select::new();
            for sender in senders {
                select.send(sender);
            }
            let ready = select.select();
            let sender = &senders[ready.index()];
            ready.send(sender, msg).expect("somebody receives");
        }
    }
}

impl AsyncChannel for Wyn {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        <Wyn as Channel>::open(capacity)
    }

    async fn send(sender: &Sender<u64>, msg: u64) {
        sender.send_async(msg).await.expect("somebody receives");
    }

    async fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv_async().await.expect("somebody sends")
    }
}

impl Oneshot for Wyn {
    type Sender = oneshot::Sender<u64>;
    type Receiver = oneshot::Receiver<u64>;

    fn open() -> (oneshot::Sender<u64>, oneshot::Receiver<u64>) {
        oneshot()
    }

    #[inline]
    fn send(sender: oneshot::Sender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: oneshot::Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}
