//! Whoever waits sleeps: no processor time, by `getrusage` of the thread.
#![cfg(target_os = "linux")]

mod common;

use std::thread;
use std::time::Duration;

use common::{block_on, ms};
use wyn_channel::{Select, Value, bounded, never, oneshot, unbounded};

/// The processor time of this thread.
fn burnt() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a place for the answer.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) }, 0);
    // SAFETY: zeroed is a value, and it has been filled.
    let usage = unsafe { usage.assume_init() };
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec.cast_unsigned()) + Duration::from_micros(t.tv_usec.cast_unsigned())
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

#[test]
fn waiting_costs_nothing() {
    let waits: [(&str, fn()); 8] = [
        ("rendezvous receive", || assert!(keep(bounded::<u8>(0)).1.recv_timeout(ms(300)).is_err())),
        ("ring receive", || assert!(keep(bounded::<u8>(1)).1.recv_timeout(ms(300)).is_err())),
        ("unbounded receive", || assert!(keep(unbounded::<u8>()).1.recv_timeout(ms(300)).is_err())),
        ("rendezvous send", || assert!(keep(bounded(0)).0.send_timeout(0, ms(300)).is_err())),
        ("select", || {
            let (_s, r) = unbounded::<u8>();
            let (s, _r) = bounded::<u8>(0);
            let mut select = Select::new();
            select.recv(&r);
            select.send(&s);
            assert!(select.select_timeout(ms(300)).is_err());
        }),
        ("value", || assert!(Value::new(0).wait_for_timeout(|&v| v == 1, ms(300)).is_none())),
        ("oneshot", || {
            let (_s, mut r) = oneshot::<u8>();
            assert!(r.recv_timeout(ms(300)).is_err());
        }),
        ("never", || assert!(never::<u8>().recv_timeout(ms(300)).is_err())),
    ];
    for (name, wait) in waits {
        let spent = thread::spawn(move || {
            let before = burnt();
            wait();
            burnt() - before
        });
        let spent = spent.join().unwrap();
        assert!(spent < ms(20), "{name}: {spent:?} of 300 ms");
    }
}

/// Both ends stay open while one of them waits.
fn keep<T>(ends: T) -> T {
    ends
}

#[test]
fn a_waiting_task_is_not_polled() {
    let (s, r) = bounded::<u8>(0);
    let sender = thread::spawn(move || {
        thread::sleep(ms(100));
        s.send(1).unwrap();
    });
    let mut polls = 0;
    let mut receive = std::pin::pin!(r.recv_async());
    let got = block_on(std::future::poll_fn(|cx| {
        polls += 1;
        receive.as_mut().poll(cx)
    }));
    assert_eq!((got, polls), (Ok(1), 2));
    sender.join().unwrap();
}
