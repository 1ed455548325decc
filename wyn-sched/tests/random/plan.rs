//! A random program, and the answer of each of its tasks.
//!
//! A channel has one sender and one receiver, a handle one owner, a value one setter and only grows: a Kahn network. If
//! one order of its steps ends, all orders do, with the same answers. [`sim`](super::sim) makes a program by playing
//! one such order.

/// What a program may be made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flavour {
    pub(crate) name: &'static str,
    pub(crate) channels: bool,
    pub(crate) forks: bool,
    pub(crate) futures: bool,
    pub(crate) values: bool,
    pub(crate) yields: bool,
    /// Tasks of the other runtime as well, `install`, and plain threads.
    pub(crate) outside: bool,
}

const PLAIN: Flavour = Flavour {
    name: "joins",
    channels: false,
    forks: false,
    futures: false,
    values: false,
    yields: false,
    outside: false,
};

pub(crate) const JOINS: Flavour = PLAIN;
pub(crate) const CHANNELS: Flavour = Flavour { name: "channels", channels: true, ..PLAIN };
pub(crate) const FORKS: Flavour = Flavour { name: "forks", channels: true, forks: true, ..PLAIN };
pub(crate) const FUTURES: Flavour =
    Flavour { name: "futures", channels: true, forks: true, futures: true, ..PLAIN };
pub(crate) const VALUES: Flavour =
    Flavour { name: "values", channels: true, values: true, yields: true, ..PLAIN };
pub(crate) const OUTSIDE: Flavour =
    Flavour { name: "outside", channels: true, forks: true, outside: true, ..PLAIN };
pub(crate) const EVERYTHING: Flavour = Flavour {
    name: "everything",
    channels: true,
    forks: true,
    futures: true,
    values: true,
    yields: true,
    outside: true,
};

pub(crate) const FLAVOURS: [Flavour; 7] = [JOINS, CHANNELS, FORKS, FUTURES, VALUES, OUTSIDE, EVERYTHING];

/// How an operation waits. What an operation cannot do is done plainly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    /// By `join_blocking`.
    Blocking,
    /// A short timeout, again and again.
    Timed,
    /// Tries, with `yield_now` between.
    Yielding,
    /// By `block_on`.
    Driven,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fork {
    /// Two branches.
    Join,
    /// Three branches.
    JoinAll,
    /// One child for each branch.
    Scope,
    /// The same, but the first branch is run by who opened the scope.
    ScopeAndSelf,
    /// No piece waits for a later one: nobody has to split the loop.
    ParFor,
    /// One branch, on the runtime of this number.
    Install(usize),
}

/// A step of a task. Tasks, channels and values go by their index.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Spawn(usize),
    /// Of a handle that this task spawned, or was given.
    Join(usize, Way),
    /// Drops a handle.
    Forget(usize),
    Fork(Fork, Vec<usize>),
    Send(usize, u64, Way),
    Recv(usize, Way),
    /// Raises the value to this number.
    Raise(usize, u64),
    /// Waits until the value has this number at least.
    Await(usize, u64, Way),
    Yield,
    Burn(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Closure,
    Future,
    Thread,
    /// Part of a fork; is not spawned by its own.
    Branch,
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) kind: Kind,
    /// The runtime it is spawned on; if `None`, the free functions decide.
    pub(crate) place: Option<usize>,
    pub(crate) detached: bool,
    pub(crate) ops: Vec<Op>,
    pub(crate) answer: u64,
}

/// Where the first task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// On the thread of the test, which is a guest.
    Here,
    Installed,
    Spawned,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) root: Root,
    pub(crate) tasks: Vec<Task>,
    /// The capacity of each channel.
    pub(crate) channels: Vec<Option<usize>>,
    pub(crate) values: usize,
}

/// What a task knows at its start.
pub(crate) fn start(task: usize) -> u64 {
    task as u64 + 1
}

/// What a task knows after it has learnt `news`.
pub(crate) fn mix(known: u64, news: u64) -> u64 {
    (known ^ news).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}
