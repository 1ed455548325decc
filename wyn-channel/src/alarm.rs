//! Wakes tasks that wait for a timer: one thread for all of them, started when it is first needed.
//!
//! A future has one entry at most, an [`Alarm`], which goes when the future does. Wakers are cloned, woken and dropped
//! with the lock free, and what they throw does not reach the thread.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use crate::foreign::TaskWaker;
use crate::hook;

struct Clock {
    alarms: Mutex<Alarms>,
    /// An alarm has become the first.
    changed: Condvar,
}

static CLOCK: Clock = Clock {
    alarms: Mutex::new(Alarms { set: BTreeMap::new(), last: 0, has_thread: false, is_ringing: false }),
    changed: Condvar::new(),
};

struct Alarms {
    /// The earliest is in front.
    set: BTreeMap<Key, TaskWaker>,
    /// The number of the alarm that was set last.
    last: u64,
    /// The thread runs, or is about to.
    has_thread: bool,
    /// One has gone off, and its waker has not returned.
    is_ringing: bool,
}

/// When, and a number that tells apart what is due at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    at: Instant,
    number: u64,
}

/// What a future has at the clock. Dropping it turns it off.
#[derive(Debug)]
pub(crate) struct Alarm(Key);

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = lock().set.remove(&self.0);
        // Foreign code: the lock is free.
        drop(waker);
    }
}

fn lock() -> MutexGuard<'static, Alarms> {
    CLOCK.alarms.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the task at that moment, and not at any other that `alarm` was set to before; `false` if it has come already.
///
/// # Panics
/// If there is no thread yet, and it cannot be started.
pub(crate) fn wake_at(alarm: &mut Option<Alarm>, at: Instant, waker: &Waker) -> bool {
    if Instant::now() >= at {
        return false;
    }
    if alarm.as_ref().is_some_and(|set| set.0.at == at && set.would_wake(waker)) {
        return true;
    }
    let new = Alarm::new(at, TaskWaker::of(waker));
    // The one before it is turned off.
    *alarm = Some(new);
    true
}

impl Alarm {
    fn new(at: Instant, waker: TaskWaker) -> Self {
        let mut alarms = lock();
        if !alarms.has_thread {
            let thread = thread::Builder::new().name("wyn-channel-clock".to_owned());
            if let Err(error) = thread.spawn(run) {
                drop(alarms);
                // The next one who waits for a timer tries again.
                panic!("cannot start the thread that wakes tasks which wait for a timer: {error}");
            }
            alarms.has_thread = true;
        }
        alarms.last += 1;
        let key = Key { at, number: alarms.last };
        alarms.set.insert(key, waker);
        let is_first = alarms.set.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(alarms);
        if is_first {
            CLOCK.changed.notify_one();
        }
        Self(key)
    }

    /// Whether it has not gone off, and will wake the same task.
    fn would_wake(&self, waker: &Waker) -> bool {
        lock().set.get(&self.0).is_some_and(|own| own.will_wake(waker))
    }
}

/// What the thread is at.
pub(crate) fn clock() -> hook::Clock {
    let alarms = lock();
    if !alarms.has_thread {
        hook::Clock::Absent
    } else if alarms.set.is_empty() && !alarms.is_ringing {
        hook::Clock::Idle
    } else {
        hook::Clock::Set
    }
}

/// Says that there is no thread when it ends, so that another is started.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        let mut alarms = lock();
        alarms.has_thread = false;
        alarms.is_ringing = false;
    }
}

fn run() {
    let _running = Running;
    let mut alarms = lock();
    loop {
        let now = Instant::now();
        let Some((first, _)) = alarms.set.first_key_value() else {
            alarms = CLOCK.changed.wait(alarms).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        if first.at > now {
            let rest = first.at - now;
            alarms = CLOCK.changed.wait_timeout(alarms, rest).unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        let due = alarms.set.pop_first();
        alarms.is_ringing = true;
        drop(alarms);
        if let Some((_, waker)) = due {
            waker.wake();
        }
        alarms = lock();
        alarms.is_ringing = false;
    }
}

#[cfg(all(test, not(wyn_loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How many alarms are set for that moment, which is this test's own.
    fn set_for(at: Instant) -> usize {
        lock().set.keys().filter(|key| key.at == at).count()
    }

    #[test]
    fn a_future_has_one_alarm_at_most() {
        let at = Instant::now() + Duration::from_secs(3600);
        let other = crate::at(at);
        let mut alarm = None;
        for _ in 0..100 {
            assert!(wake_at(&mut alarm, at, Waker::noop()));
        }
        assert_eq!(set_for(at), 1);
        let later = at + Duration::from_secs(1);
        assert!(wake_at(&mut alarm, later, Waker::noop()));
        assert_eq!((set_for(at), set_for(later)), (0, 1), "the one before it is turned off");
        drop(alarm);
        assert_eq!(set_for(later), 0);
        for _ in 0..100 {
            let mut receive = std::pin::pin!(other.recv_async());
            let mut cx = std::task::Context::from_waker(Waker::noop());
            assert!(
                receive.as_mut().poll(&mut cx).is_pending() && receive.as_mut().poll(&mut cx).is_pending()
            );
            assert_eq!(set_for(at), 1);
        }
        assert_eq!(set_for(at), 0, "gone with the futures");
    }
}
