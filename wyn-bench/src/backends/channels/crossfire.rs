//! crossfire: of its kinds the one made for as many senders and receivers as the workload has.

use crossfire::select::Select;
use crossfire::{AsyncRx, AsyncTx, MRx, MTx, Rx, Tx, mpmc, mpsc, oneshot, spsc};

use super::limit;
use crate::backend::{AsyncChannel, Channel, ManyReceivers, ManySenders, Oneshot, ReceiveAny};
use crate::backends::no_such_notion;
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    // Its manual asks programs to call this once: on some machines spinning is no use.
    crossfire::detect_backoff_cfg();
    match family {
        Family::Blocking(Capacity::Bounded(0)) | Family::Async(Capacity::Bounded(0)) => {
            no_such_notion("a channel has room for one message at least")
        }
        Family::Oneshot => channels::oneshots::<Once>(cell),
        Family::Async(Capacity::Unbounded) => channels::awaited::<SpscList>(cell, Capacity::Unbounded),
        Family::Async(capacity) => channels::awaited::<SpscArray>(cell, capacity),
        Family::Blocking(Capacity::Unbounded) => {
            blocking::<SpscList, MpscList, MpmcList>(cell, Capacity::Unbounded)
        }
        Family::Blocking(capacity) => blocking::<SpscArray, MpscArray, MpmcArray>(cell, capacity),
    }
}

fn blocking<One, Mpsc, Mpmc>(cell: &Cell, capacity: Capacity) -> Line
where
    One: Channel,
    Mpsc: ReceiveAny,
    Mpmc: ManyReceivers,
{
    match cell.workload.as_str() {
        "mpsc" | "fan_in" => channels::many_to_one::<Mpsc>(cell, capacity),
        "mpmc" | "crowd" => channels::many_to_many::<Mpmc>(cell, capacity),
        "select_rx" => channels::receive_any::<Mpsc>(cell, capacity),
        "select_both" => no_such_notion("select only receives"),
        _ => channels::one_to_one::<One>(cell, capacity),
    }
}

/// A channel of one of the kinds, which differ in the types of their ends only.
macro_rules! channel {
    ($kind:ident, $sender:ty, $receiver:ty, $capacity:pat => $open:expr) => {
        struct $kind;

        impl Channel for $kind {
            type Sender = $sender;
            type Receiver = $receiver;

            fn open($capacity: Capacity) -> ($sender, $receiver) {
                $open
            }

            #[inline]
            fn send(sender: &$sender, msg: u64) {
                sender.send(msg).expect("somebody receives");
            }

            #[inline]
            fn recv(receiver: &mut $receiver) -> u64 {
                receiver.recv().expect("somebody sends")
            }
        }
    };
}

macro_rules! many_senders {
    ($kind:ident) => {
        impl ManySenders for $kind {
            fn another_sender(sender: &Self::Sender) -> Self::Sender {
                sender.clone()
            }
        }
    };
}

macro_rules! many_receivers {
    ($kind:ident) => {
        many_senders!($kind);

        impl ManyReceivers for $kind {
            fn another_receiver(receiver: &Self::Receiver) -> Self::Receiver {
                receiver.clone()
            }
        }
    };
}

/// One `Select` for all messages, as its manual shows.
macro_rules! receive_any {
    ($kind:ident) => {
        many_senders!($kind);

        impl ReceiveAny for $kind {
            fn sum_of_any(receivers: &mut [Self::Receiver], count: u64) -> u64 {
                let mut select = Select::new();
                for receiver in receivers.iter() {
                    select.add(receiver);
                }
                (0..count).fold(0_u64, |sum, _| {
                    let ready = select.select().expect("somebody sends");
                    let receiver = receivers.iter().find(|receiver| ready.is_from(*receiver));
                    let receiver = receiver.expect("it is one of those that were added");
                    sum.wrapping_add(receiver.read_select(ready).expect("somebody sends"))
                })
            }
        }
    };
}

channel!(SpscArray, Tx<spsc::Array<u64>>, Rx<spsc::Array<u64>>, room => spsc::bounded_blocking(limit(room)));
channel!(SpscList, Tx<spsc::List<u64>>, Rx<spsc::List<u64>>, _ => spsc::unbounded_blocking());
channel!(MpscArray, MTx<mpsc::Array<u64>>, Rx<mpsc::Array<u64>>, room => mpsc::bounded_blocking(limit(room)));
channel!(MpscList, MTx<mpsc::List<u64>>, Rx<mpsc::List<u64>>, _ => mpsc::unbounded_blocking());
channel!(MpmcArray, MTx<mpmc::Array<u64>>, MRx<mpmc::Array<u64>>, room => mpmc::bounded_blocking(limit(room)));
channel!(MpmcList, MTx<mpmc::List<u64>>, MRx<mpmc::List<u64>>, _ => mpmc::unbounded_blocking());

receive_any!(MpscArray);
receive_any!(MpscList);
many_receivers!(MpmcArray);
many_receivers!(MpmcList);

impl AsyncChannel for SpscArray {
    type Sender = AsyncTx<spsc::Array<u64>>;
    type Receiver = AsyncRx<spsc::Array<u64>>;

    fn open(capacity: Capacity) -> (Self::Sender, Self::Receiver) {
        spsc::bounded_async(limit(capacity))
    }

    async fn send(sender: &Self::Sender, msg: u64) {
        sender.send(msg).await.expect("somebody receives");
    }

    async fn recv(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.expect("somebody sends")
    }
}

impl AsyncChannel for SpscList {
    type Sender = Tx<spsc::List<u64>>;
    type Receiver = AsyncRx<spsc::List<u64>>;

    fn open(_capacity: Capacity) -> (Self::Sender, Self::Receiver) {
        spsc::unbounded_async()
    }

    async fn send(sender: &Self::Sender, msg: u64) {
        sender.send(msg).expect("somebody receives");
    }

    async fn recv(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.expect("somebody sends")
    }
}

struct Once;

impl Oneshot for Once {
    type Sender = oneshot::TxOneshot<u64>;
    type Receiver = oneshot::RxOneshot<u64>;

    fn open() -> (Self::Sender, Self::Receiver) {
        oneshot::oneshot()
    }

    #[inline]
    fn send(sender: Self::Sender, msg: u64) {
        sender.send(msg);
    }

    #[inline]
    fn recv(receiver: Self::Receiver) -> u64 {
        receiver.recv().expect("somebody sends")
    }
}
