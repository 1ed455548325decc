//! thingbuf's channels for many senders: one type that blocks and one that is awaited.

use ::thingbuf::mpsc::{self, blocking};

use super::limit;
use crate::backend::{AsyncChannel, Channel, ManySenders};
use crate::backends::no_such_notion;
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family, OneMessage};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    match family {
        Family::Blocking(Capacity::Bounded(0)) | Family::Async(Capacity::Bounded(0)) => {
            no_such_notion("a channel has room for one message at least")
        }
        Family::Blocking(Capacity::Unbounded) | Family::Async(Capacity::Unbounded) => {
            no_such_notion("a channel has a limit")
        }
        Family::Blocking(capacity) => channels::many_to_one::<Thingbuf>(cell, capacity),
        Family::Async(capacity) => channels::awaited::<Thingbuf>(cell, capacity),
        Family::Oneshot => channels::oneshots::<OneMessage<Thingbuf>>(cell),
    }
}

struct Thingbuf;

impl Channel for Thingbuf {
    type Sender = blocking::Sender<u64>;
    type Receiver = blocking::Receiver<u64>;

    fn open(capacity: Capacity) -> (blocking::Sender<u64>, blocking::Receiver<u64>) {
        blocking::channel(limit(capacity))
    }

    #[inline]
    fn send(sender: &blocking::Sender<u64>, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    #[inline]
    fn recv(receiver: &mut blocking::Receiver<u64>) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}

impl ManySenders for Thingbuf {
    fn another_sender(sender: &blocking::Sender<u64>) -> blocking::Sender<u64> {
        sender.clone()
    }
}

impl AsyncChannel for Thingbuf {
    type Sender = mpsc::Sender<u64>;
    type Receiver = mpsc::Receiver<u64>;

    fn open(capacity: Capacity) -> (mpsc::Sender<u64>, mpsc::Receiver<u64>) {
        mpsc::channel(limit(capacity))
    }

    async fn send(sender: &mpsc::Sender<u64>, msg: u64) {
        sender.send(msg).await.expect("somebody receives");
    }

    async fn recv(receiver: &mut mpsc::Receiver<u64>) -> u64 {
        receiver.recv().await.expect("somebody sends")
    }
}
