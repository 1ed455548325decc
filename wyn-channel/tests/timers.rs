//! Timers: wakers that they keep, the thread that keeps the clock, and when ticks are due.

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{Bell, DEEDS, block_on, in_time, misdeed, ms, poll_once, poll_with, settle};
use futures_core::Stream;
use wyn_channel::{after, never, select, tick};

#[test]
fn the_clock_goes_on_whatever_a_waker_does() {
    for deed in 0..DEEDS {
        let again = || assert!(poll_once(std::pin::pin!(after(ms(1)).recv_async())).is_pending());
        let (what, waker) = misdeed(deed, again);
        let timer = after(ms(10));
        let mut receive = Box::pin(timer.recv_async());
        assert!(poll_with(receive.as_mut(), &waker).is_pending());
        drop(waker);
        settle();
        in_time(what, || block_on(after(ms(10)).recv_async()).unwrap());
        assert!(poll_once(receive.as_mut()).is_ready(), "{what}");
    }
}

#[test]
fn a_timer_that_nobody_awaits_keeps_no_waker() {
    let bell = Bell::new();
    let waker = Waker::from(Arc::clone(&bell));
    let ticks = tick(Duration::from_secs(3600));
    for _ in 0..100 {
        let mut receive = Box::pin(ticks.recv_async());
        assert!(poll_with(receive.as_mut(), &waker).is_pending());
        assert!(poll_with(receive.as_mut(), &waker).is_pending());
        assert_eq!(Arc::strong_count(&bell), 3, "one alarm");
        assert!(poll_once(receive.as_mut()).is_pending());
        assert_eq!(Arc::strong_count(&bell), 2, "another waker takes over");
    }
    let mut stream = ticks.stream();
    assert!(Pin::new(&mut stream).poll_next(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(Arc::strong_count(&bell), 3);
    drop(stream);
    assert_eq!(Arc::strong_count(&bell), 2);
}

/// Received by a thread, in a select, and in a task: the messages are due a period apart, though each is late.
#[test]
fn ticks_do_not_drift() {
    let start = Instant::now();
    let ticks = [tick(ms(20)), tick(ms(20)), tick(ms(20))];
    let mut due = [start; 3];
    for _ in 0..10 {
        due[0] = ticks[0].recv().unwrap();
        select! {
            recv(ticks[1]) -> msg => due[1] = msg.unwrap(),
            recv(never::<()>()) -> _ => unreachable!(),
        }
        due[2] = block_on(ticks[2].recv_async()).unwrap();
        // Late, and in time for the next one.
        thread::sleep(ms(3));
    }
    // Were each late by 3 ms at least, they would say 227. A machine that is busy may miss one.
    let on_time = due.iter().filter(|due| **due - start < ms(225)).count();
    assert!(on_time > 0, "{:?}", due.map(|due| due - start));
}
