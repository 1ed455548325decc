//! Asynchronous sends and receives, streams and sinks; both kinds of ends on one channel; cancellation.

mod common;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use common::{Bell, Drops, block_on, buffered, kinds, ms, poll_once, settle};
use futures_core::{FusedFuture, FusedStream, Stream};
use futures_sink::Sink;
use wyn_channel::{RecvError, Select, SendError, after, bounded, never, tick};

#[test]
fn from_task_to_thread_and_back() {
    for (name, s, r) in kinds() {
        let (back, answers) = (s.clone(), r.clone());
        drop((back, answers));
        let thread = thread::spawn(move || r.iter().sum::<u64>());
        block_on(async {
            for n in 0..300 {
                s.send_async(n).await.unwrap();
            }
        });
        drop(s);
        assert_eq!(thread.join().unwrap(), 300 * 299 / 2, "{name}");
    }
    for (name, s, r) in kinds() {
        let thread = thread::spawn(move || (0..300).for_each(|n| s.send(n).unwrap()));
        let sum = block_on(async {
            let mut sum = 0;
            while let Ok(n) = r.recv_async().await {
                sum += n;
            }
            sum
        });
        assert_eq!(sum, 300 * 299 / 2, "{name}");
        thread.join().unwrap();
    }
}

#[test]
fn pending_until_the_other_side_comes() {
    for (name, s, r) in kinds() {
        let bell = Bell::new();
        let waker = Waker::from(Arc::clone(&bell));
        let mut receive = pin!(r.recv_async());
        assert!(receive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "{name}");
        assert!(!receive.is_terminated());
        assert!(poll_once(receive.as_mut()).is_pending(), "{name}: another waker takes over");
        assert!(receive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "{name}");
        s.send("hello").unwrap();
        assert_eq!(bell.rung(), 1, "{name}");
        assert_eq!(poll_once(receive.as_mut()), Poll::Ready(Ok("hello")), "{name}");
        assert!(receive.is_terminated());
    }
}

#[test]
fn a_send_waits_for_room() {
    for cap in [0, 1, 3] {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.try_send(n).unwrap());
        let mut send = pin!(s.send_async(cap));
        assert!(poll_once(send.as_mut()).is_pending());
        assert!(poll_once(send.as_mut()).is_pending());
        assert_eq!(r.recv(), Ok(0));
        assert_eq!(poll_once(send.as_mut()), Poll::Ready(Ok(())), "capacity {cap}");
        assert!(send.is_terminated());
        assert!(r.try_iter().eq(1..=cap));
    }
}

#[test]
fn a_dropped_receive_loses_nothing() {
    for (name, s, r) in kinds() {
        let mut first = Box::pin(r.recv_async());
        let mut second = Box::pin(r.recv_async());
        assert!(poll_once(first.as_mut()).is_pending());
        assert!(poll_once(second.as_mut()).is_pending());
        s.send(1).unwrap();
        // The message is the first one's, or it was told of it; the second is next.
        drop(first);
        assert_eq!(poll_once(second.as_mut()), Poll::Ready(Ok(1)), "{name}");

        let mut third = Box::pin(r.recv_async());
        assert!(poll_once(third.as_mut()).is_pending());
        s.send(2).unwrap();
        let _ = s.try_send(3);
        drop(third);
        assert_eq!(r.try_recv(), Ok(2), "{name}: in front of what came later");

        let mut fourth = Box::pin(r.recv_async());
        let _ = r.try_iter().count();
        assert!(poll_once(fourth.as_mut()).is_pending());
        drop(fourth);
        let waits = {
            let r = r.clone();
            thread::spawn(move || r.recv())
        };
        settle();
        s.send(4).unwrap();
        assert_eq!(waits.join().unwrap(), Ok(4), "{name}: nobody stands in the way");
    }
}

#[test]
fn a_dropped_receive_passes_on_to_a_thread() {
    for (name, s, r) in kinds() {
        let mut receive = Box::pin(r.recv_async());
        assert!(poll_once(receive.as_mut()).is_pending());
        let waits = {
            let r = r.clone();
            thread::spawn(move || r.recv())
        };
        settle();
        s.send(1).unwrap();
        drop(receive);
        assert_eq!(waits.join().unwrap(), Ok(1), "{name}");
    }
}

#[test]
fn a_dropped_send_sends_nothing() {
    let drops = Drops::default();
    for cap in [0, 1] {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.try_send(drops.make(n)).unwrap());
        let before = drops.count();
        let mut send = Box::pin(s.send_async(drops.make(7)));
        assert!(poll_once(send.as_mut()).is_pending());
        drop(send);
        assert_eq!(drops.count(), before + 1, "its message is dropped");
        drop(s.send_async(drops.make(8)));
        assert_eq!(drops.count(), before + 2, "never polled");
        assert_eq!(r.try_iter().count(), cap);
    }
    // A send that was told of room passes that on.
    let (s, r) = bounded(1);
    s.try_send(0).unwrap();
    let mut first = Box::pin(s.send_async(1));
    let mut second = Box::pin(s.send_async(2));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    assert_eq!(r.recv(), Ok(0));
    drop(first);
    assert_eq!(poll_once(second.as_mut()), Poll::Ready(Ok(())));
    assert_eq!(r.recv(), Ok(2));
}

#[test]
fn ends_that_go_are_noticed() {
    for (name, s, r) in kinds::<i32>() {
        let mut receive = pin!(r.recv_async());
        assert!(poll_once(receive.as_mut()).is_pending());
        drop(s);
        assert_eq!(poll_once(receive.as_mut()), Poll::Ready(Err(RecvError)), "{name}");
    }
    for cap in [0, 1] {
        let (s, r) = bounded(cap);
        (0..cap).for_each(|n| s.try_send(n).unwrap());
        let mut send = pin!(s.send_async(5));
        assert!(poll_once(send.as_mut()).is_pending());
        drop(r);
        assert_eq!(poll_once(send.as_mut()), Poll::Ready(Err(SendError(5))));
        assert_eq!(block_on(s.send_async(6)), Err(SendError(6)));
    }
}

#[test]
fn a_select_meets_a_future() {
    let (s, r) = bounded(0);
    let mut receive = pin!(r.recv_async());
    assert!(poll_once(receive.as_mut()).is_pending());
    let mut select = Select::new();
    select.send(&s);
    let operation = select.try_select().unwrap();
    assert!(poll_once(receive.as_mut()).is_pending(), "promised, not sent yet");
    operation.send(&s, 3).unwrap();
    assert_eq!(poll_once(receive.as_mut()), Poll::Ready(Ok(3)));

    let mut send = pin!(s.send_async(4));
    assert!(poll_once(send.as_mut()).is_pending());
    let mut select = Select::new();
    select.recv(&r);
    assert_eq!(select.try_select().unwrap().recv(&r), Ok(4));
    assert_eq!(poll_once(send.as_mut()), Poll::Ready(Ok(())));
}

fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    block_on(std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)))
}

#[test]
fn streams_end_with_their_channel() {
    for (name, s, r) in buffered() {
        s.send(1).unwrap();
        s.close();
        let mut stream = r.stream();
        assert_eq!(next(&mut stream), Some(1), "{name}");
        assert!(!stream.is_terminated());
        assert_eq!((next(&mut stream), next(&mut stream)), (None, None), "{name}");
        assert!(stream.is_terminated());
    }
    let (s, r) = bounded(0);
    let thread = thread::spawn(move || (0..100).for_each(|n| s.send(n).unwrap()));
    let mut stream = r.into_stream();
    let got: Vec<i32> = std::iter::from_fn(|| next(&mut stream)).collect();
    assert!(got.into_iter().eq(0..100));
    thread.join().unwrap();
}

#[test]
fn a_dropped_stream_loses_nothing() {
    for (name, s, r) in kinds() {
        let mut stream = r.stream();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_next(&mut cx).is_pending());
        s.send(1).unwrap();
        drop(stream);
        assert_eq!(r.try_recv(), Ok(1), "{name}");
    }
}

#[test]
fn a_sink_holds_one_more() {
    let (s, r) = bounded(1);
    let mut sink = s.clone().into_sink();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_ready());
    Pin::new(&mut sink).start_send(1).unwrap();
    Pin::new(&mut sink).start_send(2).unwrap();
    assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_pending());
    assert!(Pin::new(&mut sink).poll_flush(&mut cx).is_pending());
    assert_eq!(r.recv(), Ok(1));
    assert_eq!(Pin::new(&mut sink).poll_close(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(r.recv(), Ok(2));
    drop(r);
    assert_eq!(Pin::new(&mut s.sink()).start_send(3), Err(SendError(3)));
}

#[test]
fn clocks_in_tasks() {
    let start = Instant::now();
    block_on(after(ms(20)).recv_async()).unwrap();
    assert!(start.elapsed() >= ms(20));
    let ticks = tick(ms(10));
    block_on(async {
        for _ in 0..3 {
            ticks.recv_async().await.unwrap();
        }
    });
    assert!(start.elapsed() >= ms(50));
    assert!(poll_once(pin!(never::<()>().recv_async())).is_pending());
}
