//! The thread that keeps the clock cannot be started: who waits is told each time, until it can. The only test of this
//! process, whose memory it limits.
#![cfg(all(target_os = "linux", not(wyn_loom)))]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{block_on, in_time, ms, poll_once};
use wyn_channel::{after, hook};

/// Sets how much memory the process may map; what it was before.
fn limit_memory(to: libc::rlim_t) -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a place for the answer.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) }, 0);
    let before = std::mem::replace(&mut limit.rlim_cur, to);
    // SAFETY: a limit that has been filled in.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
    before
}

#[test]
fn a_thread_that_cannot_be_started_is_tried_again() {
    let before = limit_memory(1 << 20);
    // Nothing that maps memory while the limit is on.
    let polled: [bool; 2] = std::array::from_fn(|_| {
        let timer = after(ms(10));
        let mut receive = std::pin::pin!(timer.recv_async());
        catch_unwind(AssertUnwindSafe(|| poll_once(receive.as_mut()))).is_err()
    });
    limit_memory(before);
    assert_eq!(polled, [true, true], "a clear panic each time");
    assert_eq!(hook::clock(), hook::Clock::Absent);
    in_time("a later wait", || block_on(after(ms(10)).recv_async()).unwrap());
    // It has woken all that was set, in a moment.
    let idle = (0..1000).any(|_| {
        std::thread::sleep(ms(1));
        hook::clock() == hook::Clock::Idle
    });
    assert!(idle, "the thread waits for the next timer");
}
