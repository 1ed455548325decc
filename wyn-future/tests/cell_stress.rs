//! A handle that may run the cell itself, beside a thread that pops its entry: seeded, without any order.
#![cfg(not(wyn_loom))]

mod common;

use std::cell::UnsafeCell;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::Rng;
use wyn_future::Fences;
use wyn_future::cell::{Begun, Header, Outcome, Owner, Phase, Waited};

/// A cell in the heap, as a runtime has them.
struct Task {
    header: Header,
    /// Written by whoever runs it.
    result: UnsafeCell<Option<Box<u64>>>,
    runs: AtomicUsize,
}

#[derive(Clone, Copy)]
struct TaskRef(NonNull<Task>);

// SAFETY: that one thread at a time uses the payload is what the test is about.
unsafe impl Send for TaskRef {}

const RESULT: u64 = 42;
static LIVE: AtomicUsize = AtomicUsize::new(0);

impl TaskRef {
    fn new(origin: &'static Location<'static>) -> Self {
        static ENTRY: u64 = 0;
        LIVE.fetch_add(1, Ordering::Relaxed);
        let header = Header::new((&raw const ENTRY).cast_mut().cast(), Some(origin));
        let task = Task { header, result: UnsafeCell::new(None), runs: AtomicUsize::new(0) };
        Self(NonNull::from(Box::leak(Box::new(task))))
    }

    fn header<'a>(self) -> &'a Header {
        // SAFETY: the task lives until `free`.
        unsafe { &self.0.as_ref().header }
    }

    fn run(self) {
        // SAFETY: as above.
        let task = unsafe { self.0.as_ref() };
        assert_eq!(task.runs.fetch_add(1, Ordering::Relaxed), 0, "run twice");
        // SAFETY: whoever runs it owns the payload.
        unsafe { *task.result.get() = Some(Box::new(RESULT)) };
    }

    fn take(self) {
        // SAFETY: the task lives until `free`.
        let task = unsafe { self.0.as_ref() };
        // SAFETY: the caller owns the payload.
        let result = unsafe { (*task.result.get()).take() };
        assert_eq!(result.as_deref(), Some(&RESULT));
    }

    fn free(self) {
        // SAFETY: it came from a box, and the caller is the last who knows it.
        let task = unsafe { Box::from_raw(self.0.as_ptr()) };
        assert!(task.result.into_inner().is_none(), "a result was left behind");
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }

    /// Has popped the entry.
    fn pop(self) {
        // SAFETY: a live cell, begun once; `Fences` keeps its promise, and the handle claims with it.
        match unsafe { Header::begin::<Fences>(self.header(), 7) } {
            Begun::Mine => {
                self.run();
                // SAFETY: it has begun, and is completed once.
                let owner = unsafe { Header::complete::<Fences>(self.header(), Outcome::Value) };
                if owner == Owner::Mine(Outcome::Value) {
                    self.take();
                    self.free();
                }
            }
            Begun::Void { frees } => {
                if frees {
                    self.free();
                }
            }
        }
    }

    /// A handle's way with it. Says whether it was run here.
    fn consume(self, rng: &mut Rng) -> bool {
        let header = self.header();
        for _ in 0..rng.below(3) {
            match rng.below(3) {
                // SAFETY: the handle of the cell.
                0 => _ = unsafe { header.poll::<Fences>(&Context::from_waker(Waker::noop())) },
                // SAFETY: the handle of the cell.
                1 => unsafe { header.wait::<Fences, _>(|| ()) },
                _ => {
                    if self.claim_or(thread::yield_now) {
                        return true;
                    }
                }
            }
        }
        if rng.below(4) == 0 {
            // SAFETY: the handle of a live cell, given up.
            if let Owner::Mine(_) = unsafe { Header::abandon::<Fences>(header) } {
                self.take();
                self.free();
            }
            return false;
        }
        let parked = || loop {
            match header.phase() {
                Phase::Left(_) => return,
                Phase::Done => _ = header.await_left(),
                _ => thread::park(),
            }
        };
        if self.claim_or(parked) {
            return true;
        }
        // SAFETY: the completer has left, and the cell is freed next.
        unsafe { header.finish() };
        self.take();
        self.free();
        false
    }

    fn claim_or(self, f: impl FnOnce()) -> bool {
        // SAFETY: the handle of the cell, whose popper begins with the same barrier.
        let waited = unsafe { self.header().wait_or_claim::<Fences, _>(f) };
        let Waited::Claimed(_) = waited else { return false };
        self.run();
        self.take();
        // SAFETY: claimed, and the payload has been taken.
        if unsafe { Header::leave_claimed(self.header()) } {
            self.free();
        }
        true
    }
}

#[test]
fn stress_claim_meets_begin() {
    let given = std::env::var("WYN_SEED").ok().and_then(|text| text.parse().ok());
    let clock = || std::time::UNIX_EPOCH.elapsed().map_or(1, |t| u64::from(t.subsec_nanos()) << 7);
    let seed = given.unwrap_or_else(clock) | 1;
    println!("WYN_SEED={seed}");
    let end = Instant::now() + Duration::from_secs(2);
    // 24 bytes each: of two in a row, one has bit 3 of its address set.
    let [one, other]: &[Location<'_>; 2] = Box::leak(Box::new([*Location::caller(); 2]));
    let (send, receive) = mpsc::sync_channel::<TaskRef>(4);
    let popper = thread::spawn(move || {
        let mut rng = Rng(seed.wrapping_mul(3));
        for task in receive {
            for _ in 0..rng.below(3) * rng.below(40) {
                std::hint::spin_loop();
            }
            task.pop();
        }
    });
    let mut rng = Rng(seed);
    let (mut tasks, mut claimed) = (0_u64, 0_u64);
    while Instant::now() < end {
        let task = TaskRef::new(if rng.below(2) == 0 { one } else { other });
        send.send(task).expect("the other thread is there");
        tasks += 1;
        claimed += u64::from(task.consume(&mut rng));
    }
    drop(send);
    popper.join().expect("nobody panics");
    println!("{tasks} tasks, {claimed} claimed");
    assert_eq!(LIVE.load(Ordering::Relaxed), 0, "each is freed");
}
