//! What the test files share.
#![allow(dead_code, unreachable_pub, reason = "each file takes a part")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use wyn_channel::{Receiver, Sender, bounded, unbounded};

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A channel of each kind: with a ring, without a buffer, without a limit, and with a limit too large for a ring.
pub fn kinds<T>() -> Vec<(&'static str, Sender<T>, Receiver<T>)> {
    let named = |name, (s, r)| (name, s, r);
    vec![
        named("rendezvous", bounded(0)),
        named("ring of 1", bounded(1)),
        named("ring of 3", bounded(3)),
        named("ring of 100", bounded(100)),
        named("limited, growing", bounded(usize::MAX / 2)),
        named("unbounded", unbounded()),
    ]
}

/// As [`kinds`], without the one that holds nothing.
pub fn buffered<T>() -> Vec<(&'static str, Sender<T>, Receiver<T>)> {
    kinds().into_iter().skip(1).collect()
}

/// Lets other threads get to where they block.
pub fn settle() {
    thread::sleep(ms(30));
}

/// Counts its drops.
#[derive(Debug)]
pub struct Counted(pub usize, Arc<AtomicUsize>);

#[derive(Debug, Clone, Default)]
pub struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub fn make(&self, id: usize) -> Counted {
        Counted(id, self.0.clone())
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

/// Wakes a thread, and counts.
pub struct Bell {
    thread: Thread,
    rung: AtomicUsize,
}

impl Bell {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), rung: AtomicUsize::new(0) })
    }

    pub fn rung(&self) -> usize {
        self.rung.load(Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Bell::new());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(out) => return out,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls once, waking nobody.
pub fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Splitmix64: a number sequence for a seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A waker that does what it is told when it is woken, and something else when it is dropped.
pub struct Does {
    woken: Box<dyn Fn() + Send + Sync>,
    dropped: Box<dyn Fn() + Send + Sync>,
}

impl Does {
    pub fn waker(woken: impl Fn() + Send + Sync + 'static) -> Waker {
        Self::waker_and_drop(woken, || ())
    }

    pub fn waker_and_drop(
        woken: impl Fn() + Send + Sync + 'static,
        dropped: impl Fn() + Send + Sync + 'static,
    ) -> Waker {
        Arc::new(Self { woken: Box::new(woken), dropped: Box::new(dropped) }).into()
    }
}

impl Wake for Does {
    fn wake(self: Arc<Self>) {
        (self.woken)();
    }
}

impl Drop for Does {
    fn drop(&mut self) {
        (self.dropped)();
    }
}

/// Panics when it is dropped: what a panic may carry.
pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// Panics with a [`Bomb`].
pub fn explode() {
    std::panic::panic_any(Bomb);
}

/// Polls once, with that waker.
pub fn poll_with<F: Future>(future: std::pin::Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// The answer of a thread that must end within ten seconds.
pub fn in_time<R: Send + 'static>(what: &str, run: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, end) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        let answer = run();
        let _ = done.send(());
        answer
    });
    let end = end.recv_timeout(Duration::from_secs(10));
    assert!(!matches!(end, Err(std::sync::mpsc::RecvTimeoutError::Timeout)), "{what} hangs");
    thread.join().unwrap()
}

/// How many misdeeds there are.
pub const DEEDS: usize = 5;

/// The waker of a task that does something bad, with its name.
pub fn misdeed(deed: usize, again: impl Fn() + Send + Sync + 'static) -> (&'static str, Waker) {
    match deed {
        0 => ("panics", Does::waker(|| panic!("waker"))),
        1 => ("panics with a bomb", Does::waker(explode)),
        2 => ("comes back", Does::waker(again)),
        3 => {
            let both = move || {
                again();
                explode();
            };
            ("does both", Does::waker(both))
        }
        _ => ("panics when dropped", Does::waker_and_drop(|| (), explode)),
    }
}

/// What `run` gives, unless it unwinds. What the panic carries is forgotten: it may be a [`Bomb`].
pub fn caught<R>(run: impl FnOnce() -> R) -> Option<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_err(std::mem::forget).ok()
}
