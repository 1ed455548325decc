//! Wakes tasks that wait for a timer: one thread for all of them, started when it is first needed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use crate::hook;

struct Clock {
    alarms: Mutex<Alarms>,
    /// An alarm has become the first.
    changed: Condvar,
}

static CLOCK: OnceLock<Clock> = OnceLock::new();

#[derive(Default)]
struct Alarms {
    heap: BinaryHeap<Alarm>,
    /// One has gone off, and its waker has not returned.
    is_ringing: bool,
}

/// The earliest is the greatest, for the heap.
struct Alarm {
    at: Instant,
    waker: Waker,
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Alarm {}

/// Wakes the task at that moment; `false` if it has come already.
///
/// # Panics
/// If the thread cannot be started.
pub(crate) fn wake_at(at: Instant, waker: &Waker) -> bool {
    if Instant::now() >= at {
        return false;
    }
    let mut started = false;
    let clock = CLOCK.get_or_init(|| {
        started = true;
        Clock { alarms: Mutex::default(), changed: Condvar::new() }
    });
    if started {
        let thread = thread::Builder::new().name("wyn-channel-clock".to_owned());
        thread.spawn(|| run(clock)).expect("the thread that keeps the clock");
    }
    let alarm = Alarm { at, waker: waker.clone() };
    let mut alarms = clock.alarms.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = alarms.heap.peek().is_none_or(|first| at < first.at);
    alarms.heap.push(alarm);
    drop(alarms);
    if is_first {
        clock.changed.notify_one();
    }
    true
}

/// What the thread is at.
pub(crate) fn clock() -> hook::Clock {
    let Some(clock) = CLOCK.get() else { return hook::Clock::Absent };
    let alarms = clock.alarms.lock().unwrap_or_else(PoisonError::into_inner);
    if alarms.heap.is_empty() && !alarms.is_ringing { hook::Clock::Idle } else { hook::Clock::Set }
}

fn run(clock: &'static Clock) -> ! {
    let mut alarms = clock.alarms.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let now = Instant::now();
        let Some(first) = alarms.heap.peek() else {
            alarms = clock.changed.wait(alarms).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        if first.at > now {
            let rest = first.at - now;
            alarms = clock.changed.wait_timeout(alarms, rest).unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        let due = alarms.heap.pop();
        alarms.is_ringing = true;
        drop(alarms);
        // A waker runs foreign code, which may panic: the clock goes on.
        let wake = || due.into_iter().for_each(|alarm| alarm.waker.wake());
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(wake));
        alarms = clock.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.is_ringing = false;
    }
}
