//! What a workload asks of a runtime. A backend is a small `Copy` value: tasks capture it to spawn more.

use std::ops::Range;

use crate::record::Capacity;

/// Anything that runs closures on threads of its own.
pub trait Backend: Copy + Send + Sync + 'static {
    /// Starts the runtime with that many workers, for the rest of the process.
    fn start(workers: usize) -> Self;

    /// Runs `f` some time; nobody waits for it.
    fn detach(self, f: impl FnOnce() + Send + 'static);
}

/// A runtime of closures whose handle is joined by blocking or helping.
pub trait Blocking: Backend {
    /// What `spawn` returns.
    type Handle<T: Send + 'static>;

    /// Runs `f` on the runtime.
    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Self::Handle<T>;

    /// Waits for the value.
    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> T;

    /// Runs `f` on one of the workers and waits for it.
    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T;
}

/// A runtime of futures whose handle is awaited.
pub trait Awaiting: Backend {
    /// What `spawn` returns.
    type Handle<T: Send + 'static>: Send + 'static;

    /// Runs `future` on the runtime.
    fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> Self::Handle<T>;

    /// Awaits the value.
    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> impl Future<Output = T> + Send;

    /// Drives `future` on the calling thread, the way a program's `main` does.
    fn block_on<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T;
}

/// A runtime that forks a computation and joins it again, with borrowed data and nothing to hold on to.
pub trait ForkJoin: Copy + Send + Sync + 'static {
    /// What a branch is handed to fork again; `()` for runtimes that find their worker themselves.
    type Context<'c>;

    /// Whether there is a scope that children are spawned onto, beside `join`.
    const SCOPE: bool;

    /// Starts the runtime with that many threads that compute, for the rest of the process.
    fn start(workers: usize) -> Self;

    /// Runs `f` where forking costs least: on a worker, or on the calling thread turned into one.
    fn install<R: Send>(self, f: impl FnOnce(&mut Self::Context<'_>) -> R + Send) -> R;

    /// Runs `f` the way `main` calls the library: on the calling thread, which enters anew each time.
    fn enter<R>(self, f: impl FnOnce(&mut Self::Context<'_>) -> R) -> R;

    /// Runs both: `a` here and at once, while `b` may be taken by another worker.
    fn join<A, B, RA, RB>(context: &mut Self::Context<'_>, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&mut Self::Context<'_>) -> RA + Send,
        B: FnOnce(&mut Self::Context<'_>) -> RB + Send,
        RA: Send,
        RB: Send;

    /// Adds what `child` returns for each index, all of them forked before the first is awaited. By halves,
    /// which is how one forks many with `join`.
    #[inline]
    fn fan_out<F>(context: &mut Self::Context<'_>, children: Range<usize>, child: &F) -> u64
    where
        F: Fn(&mut Self::Context<'_>, usize) -> u64 + Sync,
    {
        match children.len() {
            0 => 0,
            1 => child(context, children.start),
            2 => {
                let first = children.start;
                let (left, right) =
                    Self::join(context, |context| child(context, first), |context| child(context, first + 1));
                left + right
            }
            many => {
                let middle = children.start + many / 2;
                let (left, right) = (children.start..middle, middle..children.end);
                let (left, right) = Self::join(
                    context,
                    |context| Self::fan_out(context, left, child),
                    |context| Self::fan_out(context, right, child),
                );
                left + right
            }
        }
    }

    /// Runs `f` on pieces of `range`, none of them shorter than `grain` for no reason.
    #[inline]
    fn par_for<F>(context: &mut Self::Context<'_>, range: Range<usize>, grain: usize, f: &F)
    where
        F: Fn(Range<usize>) + Sync,
    {
        if range.len() <= grain {
            return f(range);
        }
        let middle = range.start + range.len() / 2;
        let (left, right) = (range.start..middle, middle..range.end);
        Self::join(
            context,
            |context| Self::par_for(context, left, grain, f),
            |context| Self::par_for(context, right, grain, f),
        );
    }

    /// Spawns `child` once per slot onto one scope, runs `body` inside that scope, and waits for all. Only
    /// called where there is such a [`SCOPE`](ForkJoin::SCOPE).
    fn scope<F>(context: &mut Self::Context<'_>, slots: &mut [u64], child: &F, body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync;
}

/// One kind of channel of a library, for messages of eight bytes, with calls that block.
pub trait Channel: 'static {
    /// The end that sends.
    type Sender: Send + 'static;
    /// The end that receives.
    type Receiver: Send + 'static;

    /// Makes a channel; asked only for capacities that the kind has.
    fn open(capacity: Capacity) -> (Self::Sender, Self::Receiver);

    /// Sends, and waits for room.
    fn send(sender: &Self::Sender, msg: u64);

    /// Receives, and waits for a message.
    fn recv(receiver: &mut Self::Receiver) -> u64;
}

/// A channel with any number of senders.
pub trait ManySenders: Channel {
    /// One more handle.
    fn another_sender(sender: &Self::Sender) -> Self::Sender;
}

/// A channel with any number of senders and receivers.
pub trait ManyReceivers: ManySenders {
    /// One more handle; every message goes to one of them.
    fn another_receiver(receiver: &Self::Receiver) -> Self::Receiver;
}

/// Receives from whichever of several channels has a message.
pub trait ReceiveAny: ManySenders {
    /// Adds up so many messages.
    fn sum_of_any(receivers: &mut [Self::Receiver], count: u64) -> u64;
}

/// Sends to whichever of several channels has room.
pub trait SendAny: ReceiveAny + ManyReceivers {
    /// Sends every number of the range.
    fn send_to_any(senders: &[Self::Sender], messages: Range<u64>);
}

/// A channel whose ends are awaited.
pub trait AsyncChannel: 'static {
    /// The end that sends.
    type Sender: Send + 'static;
    /// The end that receives.
    type Receiver: Send + 'static;

    /// Makes a channel; asked only for capacities that the kind has.
    fn open(capacity: Capacity) -> (Self::Sender, Self::Receiver);

    /// Sends once there is room. The end is borrowed alone: not every library's may be shared by threads, and
    /// tasks move between them.
    fn send(sender: &mut Self::Sender, msg: u64) -> impl Future<Output = ()> + Send;

    /// Receives once there is a message.
    fn recv(receiver: &mut Self::Receiver) -> impl Future<Output = u64> + Send;
}

/// An awaited channel with any number of senders.
pub trait AsyncManySenders: AsyncChannel {
    /// One more handle.
    fn another_sender(sender: &Self::Sender) -> Self::Sender;
}

/// A channel for one message, received by a call that blocks.
pub trait Oneshot: 'static {
    /// The end that sends.
    type Sender: Send + 'static;
    /// The end that receives.
    type Receiver: Send + 'static;

    /// Makes a channel.
    fn open() -> (Self::Sender, Self::Receiver);

    /// Sends the message.
    fn send(sender: Self::Sender, msg: u64);

    /// Waits for the message.
    fn recv(receiver: Self::Receiver) -> u64;
}

/// Memory for values of four words, taken and given back one by one.
pub trait Memory: Clone + Send + 'static {
    /// A value in its cell.
    type Cell: Send + 'static;

    /// Takes a cell and writes to it.
    fn take(&self, value: u64) -> Self::Cell;

    /// Gives a cell back; what was written to it.
    fn give_back(&self, cell: Self::Cell) -> u64;
}

/// A work-stealing deque of numbers: the owner's end.
pub trait Deque: Send + 'static {
    /// The other end.
    type Thief: Send + 'static;

    /// An empty deque.
    fn open() -> Self;

    /// Adds an item.
    fn push(&self, item: u64);

    /// Takes the item pushed last.
    fn pop(&self) -> Option<u64>;

    /// One more thief.
    fn thief(&self) -> Self::Thief;

    /// Takes the oldest item; `None` when there is none or somebody else was faster.
    fn steal(thief: &Self::Thief) -> Option<u64>;

    /// Takes the oldest item and moves more to `dest`, `limit` in all.
    fn steal_batch(thief: &Self::Thief, dest: &Self, limit: usize) -> Option<u64>;
}
