//! async-channel, with its calls that block where those are asked for.

use async_channel::{Receiver, Sender, bounded, unbounded};

use super::room;
use crate::backend::{AsyncChannel, Channel, ManyReceivers, ManySenders};
use crate::backends::no_such_notion;
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(Capacity::Bounded(0)) | Family::Async(Capacity::Bounded(0)) => {
            no_such_notion("a channel has room for one message at least")
        }
        Family::Blocking(capacity) => channels::many_to_many::<Smol>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Smol>>(cell),
        Family::Async(capacity) => channels::awaited::<Smol>(cell, capacity),
    }
}

struct Smol;

impl Channel for Smol {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        room(capacity).map_or_else(unbounded, bounded)
    }

    #[inline]
    fn send(sender: &Sender<u64>, msg: u64) {
        sender.send_blocking(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv_blocking().expect("somebody sends")
    }
}

impl ManySenders for Smol {
    fn another_sender(sender: &Sender<u64>) -> Sender<u64> {
        sender.clone()
    }
}

impl ManyReceivers for Smol {
    fn another_receiver(receiver: &Receiver<u64>) -> Receiver<u64> {
        receiver.clone()
    }
}

impl AsyncChannel for Smol {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open(capacity: Capacity) -> (Sender<u64>, Receiver<u64>) {
        <Smol as Channel>::open(capacity)
    }

    async fn send(sender: &Sender<u64>, msg: u64) {
        sender.send(msg).await.expect("somebody receives");
    }

    async fn recv(receiver: &mut Receiver<u64>) -> u64 {
        receiver.recv().await.expect("somebody sends")
    }
}
