//! kanal.

use kanal::{
    AsyncReceiver, AsyncSender, Receiver, Sender, bounded, bounded_async, unbounded, unbounded_async,
};

use super::room;
use crate::backend::{AsyncChannel, Channel, ManyReceivers, ManySenders};
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(capacity) => channels::many_to_many::<Kanal>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Kanal>>(cell),
        Family::Async(capacity) => channels::awaited::<Kanal>(cell, capacity),
    }
}

struct Kanal;

impl Channel for Kanal {
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

impl ManySenders for Kanal {
    fn another_sender(sender: &Sender<u64>) -> Sender<u64> {
        sender.clone()
    }
}

impl ManyReceivers for Kanal {
    fn another_receiver(receiver: &Receiver<u64>) -> Receiver<u64> {
        receiver.clone()
    }
}

impl AsyncChannel for Kanal {
    type Sender = AsyncSender<u64>;
    type Receiver = AsyncReceiver<u64>;

    fn open(capacity: Capacity) -> (AsyncSender<u64>, AsyncReceiver<u64>) {
        room(capacity).map_or_else(unbounded_async, bounded_async)
    }

    async fn send(sender: &AsyncSender<u64>, msg: u64) {
        sender.send(msg).await.expect("somebody receives");
    }

    async fn recv(receiver: &mut AsyncReceiver<u64>) -> u64 {
        receiver.recv().await.expect("somebody sends")
    }
}
