//! What Go's channels promise, scenario by scenario.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{ms, settle};
use wyn_channel::{Receiver, Select, Sender, after, bounded, select, unbounded};

#[test]
fn prime_sieve() {
    fn filter(input: Receiver<u32>, output: Sender<u32>, prime: u32) {
        for n in input {
            if n % prime != 0 && output.send(n).is_err() {
                return;
            }
        }
    }
    let (numbers, mut source) = bounded(0);
    thread::spawn(move || (2..).try_for_each(|n| numbers.send(n)));
    let mut primes = Vec::new();
    for _ in 0..15 {
        let prime = source.recv().unwrap();
        primes.push(prime);
        let (s, r) = bounded(0);
        let input = std::mem::replace(&mut source, r);
        thread::spawn(move || filter(input, s, prime));
    }
    assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
}

#[test]
fn a_chain_keeps_the_order() {
    let (first, mut last) = bounded(0);
    for _ in 0..20 {
        let (s, r) = bounded(0);
        let input = std::mem::replace(&mut last, r);
        thread::spawn(move || input.iter().try_for_each(|n: i32| s.send(n + 1)));
    }
    let feeder = thread::spawn(move || (0..20).for_each(|n| first.send(n).unwrap()));
    assert!(last.iter().eq(20..40));
    feeder.join().unwrap();
}

#[test]
fn two_that_play() {
    let (ping, r1) = bounded(0);
    let (pong, r2) = bounded(0);
    let other = thread::spawn(move || r1.iter().try_for_each(|n: u32| pong.send(n + 1)));
    for n in 0..1000 {
        ping.send(n).unwrap();
        assert_eq!(r2.recv(), Ok(n + 1));
    }
    drop(ping);
    other.join().unwrap().unwrap();
}

#[test]
fn fan_in_and_done() {
    let (results, all) = unbounded();
    let (stop, stopped) = bounded::<()>(0);
    let workers: Vec<_> = (0..4)
        .map(|id| {
            let (results, stopped) = (results.clone(), stopped.clone());
            thread::spawn(move || {
                for n in 0.. {
                    select! {
                        send(results, (id, n)) -> res => res.unwrap(),
                        recv(stopped) -> end => {
                            assert!(end.is_err(), "closed, which all hear");
                            return n;
                        }
                    }
                    thread::yield_now();
                }
                unreachable!()
            })
        })
        .collect();
    drop(results);
    settle();
    drop(stop);
    let sent: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    assert_eq!(all.iter().count(), sent);
}

#[test]
fn a_semaphore() {
    let (acquire, release) = bounded(3);
    let (note, noted) = unbounded();
    let threads: Vec<_> = (0..12)
        .map(|_| {
            let (acquire, release, note) = (acquire.clone(), release.clone(), note.clone());
            thread::spawn(move || {
                acquire.send(()).unwrap();
                note.send(1).unwrap();
                thread::sleep(ms(2));
                note.send(-1).unwrap();
                release.recv().unwrap();
            })
        })
        .collect();
    drop(note);
    let mut inside = 0;
    for change in noted {
        inside += change;
        assert!((0..=3).contains(&inside));
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn select_is_fair_to_both() {
    let (s1, r1) = bounded(0);
    let (s2, r2) = bounded(0);
    let (stop, stopped) = bounded::<()>(0);
    let senders: Vec<_> = [s1, s2]
        .into_iter()
        .map(|s| {
            let stopped = stopped.clone();
            thread::spawn(move || {
                loop {
                    select! { send(s, 0) -> res => if res.is_err() { return }, recv(stopped) -> _ => return }
                }
            })
        })
        .collect();
    // A thousand messages may have come and gone before the second thread runs at all: it has time.
    let (mut hits, start) = ([0; 2], Instant::now());
    while hits.iter().any(|&n| n <= 500) && start.elapsed() < Duration::from_secs(20) {
        select! { recv(r1) -> _ => hits[0] += 1, recv(r2) -> _ => hits[1] += 1 }
    }
    drop(stop);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    assert!(hits.iter().all(|&n| n > 500), "{hits:?}");
}

#[test]
fn a_timeout_beside_work() {
    let (_s, r) = unbounded::<u8>();
    let timeout = after(ms(20));
    let mut idle = 0;
    loop {
        select! {
            recv(r) -> _ => unreachable!(),
            recv(timeout) -> _ => break,
            default(Duration::from_millis(2)) => idle += 1,
        }
    }
    assert!((1..=10).contains(&idle), "{idle}");
}

#[test]
fn channels_through_channels() {
    let (requests, server) = bounded::<(u32, Sender<u32>)>(0);
    let serving = thread::spawn(move || server.iter().for_each(|(n, answer)| answer.send(n * n).unwrap()));
    let clients: Vec<_> = (0..8)
        .map(|n| {
            let requests = requests.clone();
            thread::spawn(move || {
                let (answer, answered) = bounded(1);
                requests.send((n, answer)).unwrap();
                assert_eq!(answered.recv(), Ok(n * n));
                assert!(answered.recv().is_err(), "the server let it go");
            })
        })
        .collect();
    drop(requests);
    clients.into_iter().for_each(|client| client.join().unwrap());
    serving.join().unwrap();
}

/// Of two arms that are ready at once, one happens: no message of the other is taken, and none is sent by it.
#[test]
fn one_arm_of_two() {
    for cap in [0, 1, 10] {
        let channels: Vec<_> = (0..4).map(|_| bounded(cap)).collect();
        let ends: Vec<Sender<u32>> = channels.iter().map(|(s, _)| s.clone()).collect();
        let sender = thread::spawn(move || {
            let mut select = Select::new();
            for s in &ends {
                select.send(s);
            }
            for n in 0..2000 {
                let operation = select.select();
                let s = &ends[operation.index()];
                operation.send(s, n).unwrap();
            }
        });
        let (merged, all) = bounded(cap);
        let copies: Vec<_> = channels
            .into_iter()
            .map(|(_, r)| {
                let merged = merged.clone();
                thread::spawn(move || r.iter().try_for_each(|n| merged.send(n)))
            })
            .collect();
        drop(merged);
        let mut got: Vec<u32> = all.iter().collect();
        got.sort_unstable();
        assert!(got.into_iter().eq(0..2000), "capacity {cap}: each once");
        sender.join().unwrap();
        copies.into_iter().for_each(|copy| copy.join().unwrap().unwrap());
    }
}

/// Of two channels that are filled one after the other, a reader that does not block finds one ready.
#[test]
fn a_reader_that_does_not_block_finds_what_is_there() {
    for _ in 0..2000 {
        let (s1, r1) = bounded(1);
        let (s2, r2) = bounded(1);
        let _keep = r2.clone();
        s1.send(1).unwrap();
        let reader = thread::spawn(move || {
            select! {
                recv(r1) -> msg => msg.is_ok(),
                recv(r2) -> msg => msg.is_ok(),
                default => false,
            }
        });
        s2.send(1).unwrap();
        assert!(reader.join().unwrap(), "one of them was full all the time");
    }
}

/// A receiver on the spot: a message that is sent is there for a receive that does not block, or the end is.
#[test]
fn a_message_then_the_end() {
    for _ in 0..2000 {
        let (s, r) = bounded(1);
        let sender = thread::spawn(move || s.send(1).unwrap());
        sender.join().unwrap();
        assert_eq!(r.try_recv(), Ok(1));
        assert!(r.try_recv().is_err_and(|e| e.is_disconnected()));
    }
}

/// A select whose arms send different things into one channel mixes them.
#[test]
fn arms_on_one_channel_take_turns() {
    for cap in [0, 1, 100] {
        let (s, r) = bounded(cap);
        let sender = thread::spawn(move || {
            for _ in 0..1000 {
                select! { send(s, 0) -> res => res.unwrap(), send(s, 1) -> res => res.unwrap() }
            }
        });
        let ones = r.iter().filter(|&n| n == 1).count();
        sender.join().unwrap();
        assert!((100..=900).contains(&ones), "capacity {cap}: {ones} of 1000");
    }
}

/// A select with one channel twice, and two receivers of it: what is served leaves nothing behind.
#[test]
fn one_channel_in_many_arms() {
    let (s, r) = bounded(0);
    let (other, r2) = bounded::<i32>(0);
    let waits: Vec<_> = (0..2)
        .map(|_| {
            let (r, r2) = (r.clone(), r2.clone());
            thread::spawn(move || {
                select! { recv(r) -> msg => msg, recv(r) -> msg => msg, recv(r2) -> msg => msg }
            })
        })
        .collect();
    settle();
    s.send(1).unwrap();
    s.send(1).unwrap();
    assert!(waits.into_iter().all(|wait| wait.join().unwrap() == Ok(1)));
    assert!(s.try_send(1).is_err() && other.try_send(1).is_err(), "nobody waits any more");
}

/// Many senders and receivers, each message once, until the channel is closed.
#[test]
fn many_consumers() {
    for cap in [0, 1, 7] {
        let (s, r) = bounded(cap);
        let consumers: Vec<_> = (0..8)
            .map(|_| {
                let r = r.clone();
                thread::spawn(move || {
                    r.iter().map(|n| (n, 1_u64)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
                })
            })
            .collect();
        let producers: Vec<_> = (0..3)
            .map(|id| {
                let s = s.clone();
                thread::spawn(move || (0..1000).for_each(|n| s.send(id * 1000 + n).unwrap()))
            })
            .collect();
        drop(s);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        let got = consumers.into_iter().map(|consumer| consumer.join().unwrap());
        let got = got.fold((0, 0), |a: (u64, u64), b| (a.0 + b.0, a.1 + b.1));
        assert_eq!(got, (2999 * 3000 / 2, 3000), "capacity {cap}");
    }
}
