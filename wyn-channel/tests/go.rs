//! What Go's channels promise, scenario by scenario.

mod common;

use std::thread;
use std::time::Duration;

use common::{ms, settle};
use wyn_channel::{Receiver, Sender, after, bounded, select, unbounded};

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
    let mut hits = [0; 2];
    for _ in 0..1000 {
        select! { recv(r1) -> _ => hits[0] += 1, recv(r2) -> _ => hits[1] += 1 }
    }
    drop(stop);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    assert!(hits.iter().all(|&n| n > 50), "{hits:?}");
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
