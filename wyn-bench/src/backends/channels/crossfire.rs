//! crossfire: of its kinds the one made for as many senders and receivers as the workload has.

use crossfire::select::Select;
use crossfire::{AsyncRx, AsyncTx, MAsyncTx, MRx, MTx, Rx, Tx, mpmc, mpsc, oneshot, spsc};

use super::limit;
use crate::backend::{AsyncChannel, AsyncManySenders, Channel, ManyReceivers, Oneshot, ReceiveAny};
use crate::backends::{no_such_notion, tokio::Tokio};
use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::{self, Family};

pub(super) fn run(cell: &Cell, family: Family) -> Line {
    // Its manual asks programs to call this once: on some machines spinning is no use.
    crossfire::detect_backoff_cfg();
    match family {
        Family::Oneshot => channels::oneshots::<Once>(cell),
        Family::Blocking(Capacity::Bounded(0))
        | Family::Async(Capacity::Bounded(0))
        | Family::Tasks(Capacity::Bounded(0)) => {
            no_such_notion("a channel has room for one message at least")
        }
        Family::Async(capacity @ Capacity::Unbounded) => channels::awaited::<SpscList>(cell, capacity),
        Family::Async(capacity) => channels::awaited::<SpscArray>(cell, capacity),
        Family::Tasks(capacity @ Capacity::Unbounded) => tasks::<SpscList, MpscList>(cell, capacity),
        Family::Tasks(capacity) => tasks::<SpscArray, MpscArray>(cell, capacity),
        Family::Blocking(capacity @ Capacity::Unbounded) => {
            blocking::<SpscList, MpscList, MpmcList>(cell, capacity)
        }
        Family::Blocking(capacity) => blocking::<SpscArray, MpscArray, MpmcArray>(cell, capacity),
    }
}

fn tasks<One: AsyncChannel, Many: AsyncManySenders>(cell: &Cell, capacity: Capacity) -> Line {
    match cell.workload.as_str() {
        "task_fan_in" => channels::awaiting_tasks::<Tokio, Many>(cell, capacity),
        _ => channels::awaiting_pairs::<Tokio, One>(cell, capacity),
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

struct SpscArray;
struct SpscList;
struct MpscArray;
struct MpscList;
struct MpmcArray;
struct MpmcList;

blocking! {
    SpscArray: Tx<spsc::Array<u64>> => Rx<spsc::Array<u64>>,
    open: |capacity| spsc::bounded_blocking(limit(capacity)),
    calls: send, recv
}
blocking! {
    SpscList: Tx<spsc::List<u64>> => Rx<spsc::List<u64>>,
    open: |_| spsc::unbounded_blocking(),
    calls: send, recv
}
blocking! {
    MpscArray: MTx<mpsc::Array<u64>> => Rx<mpsc::Array<u64>>,
    open: |capacity| mpsc::bounded_blocking(limit(capacity)),
    calls: send, recv
}
blocking! {
    MpscList: MTx<mpsc::List<u64>> => Rx<mpsc::List<u64>>,
    open: |_| mpsc::unbounded_blocking(),
    calls: send, recv
}
blocking! {
    MpmcArray: MTx<mpmc::Array<u64>> => MRx<mpmc::Array<u64>>,
    open: |capacity| mpmc::bounded_blocking(limit(capacity)),
    calls: send, recv
}
blocking! {
    MpmcList: MTx<mpmc::List<u64>> => MRx<mpmc::List<u64>>,
    open: |_| mpmc::unbounded_blocking(),
    calls: send, recv
}
awaited! {
    SpscArray: AsyncTx<spsc::Array<u64>> => AsyncRx<spsc::Array<u64>>,
    open: |capacity| spsc::bounded_async(limit(capacity)),
    calls: send, recv
}
awaited! {
    SpscList: Tx<spsc::List<u64>> => AsyncRx<spsc::List<u64>>,
    open: |_| spsc::unbounded_async(),
    calls: at once send, recv
}
awaited! {
    MpscArray: MAsyncTx<mpsc::Array<u64>> => AsyncRx<mpsc::Array<u64>>,
    open: |capacity| mpsc::bounded_async(limit(capacity)),
    calls: send, recv
}
awaited! {
    MpscList: MTx<mpsc::List<u64>> => AsyncRx<mpsc::List<u64>>,
    open: |_| mpsc::unbounded_async(),
    calls: at once send, recv
}
cloned! { MpscArray: ManySenders, AsyncManySenders }
cloned! { MpscList: ManySenders, AsyncManySenders }
cloned! { MpmcArray: ManySenders, ManyReceivers }
cloned! { MpmcList: ManySenders, ManyReceivers }

/// One `Select` for all messages, as its manual shows.
macro_rules! receive_any {
    ($kind:ident) => {
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

receive_any!(MpscArray);
receive_any!(MpscList);

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
