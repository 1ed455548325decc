//! `select!` and `select_biased!`: the forms of an arm, and what they evaluate to.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{ms, settle};
use wyn_channel::{
    Receiver, RecvError, SendError, Sender, after, bounded, never, select, select_biased, tick, unbounded,
};

#[test]
fn arms_in_all_forms() {
    let (s, r) = unbounded::<i32>();
    let (full, _keep) = bounded::<i32>(0);
    let make = |n: i32| -> i32 { panic!("{n} is not selected") };
    for n in 0..6 {
        s.send(n).unwrap();
    }
    select! { recv(r) -> msg => assert_eq!(msg, Ok(0)) }
    select! { recv(r) -> msg => assert_eq!(msg, Ok(1)), }
    select! {
        recv(r) -> msg => { assert_eq!(msg, Ok(2)) }
        recv(never::<u8>()) -> _ => unreachable!(),
        send(full, 1) -> _ => unreachable!()
    }
    select! {
        send(full, make(4)) -> _ => {},
        recv(&r,) -> msg => { assert_eq!(msg, Ok(3)) },
        default => unreachable!(),
    }
    let got = select! {
        recv(r) -> (Ok(_) | Err(RecvError)) => "one",
        default() => "none",
    };
    assert_eq!(got, "one");
    let twice = select! {
        recv(r) -> mut msg => { msg = msg.map(|n| 2 * n); msg }
        recv(never()) -> msg => msg,
        default(Duration::from_secs(9)) => Err(RecvError),
    };
    assert_eq!(twice, Ok(10));
    assert_eq!(select! { recv(r) -> _ => 1, default(ms(1)) => 2 }, 2);
    select! { default => {} }
    let start = Instant::now();
    select! { default(ms(10)) => {} }
    assert!(start.elapsed() >= ms(10));
}

#[test]
fn sends() {
    let (s, r) = bounded(1);
    select! { send(s, 1) -> res => assert_eq!(res, Ok(())) }
    select! {
        send(s, 2) -> _ => unreachable!("full"),
        default(ms(1)) => {}
    }
    assert_eq!(r.recv(), Ok(1));
    drop(r);
    select! { send(s, 3,) -> res => assert_eq!(res, Err(SendError(3))), default => unreachable!() }
}

#[test]
fn the_message_is_made_only_when_it_is_wanted() {
    let (s, r) = bounded(0);
    let receiver = thread::spawn(move || r.recv());
    let mut made = 0;
    select! {
        send(s, { made += 1; "made" }) -> res => res.unwrap(),
        recv(never::<()>()) -> _ => unreachable!(),
    }
    assert_eq!((made, receiver.join().unwrap()), (1, Ok("made")));
    select! {
        send(s, { made += 1; "lost" }) -> res => assert_eq!(res, Err(SendError("lost"))),
        default(ms(1)) => unreachable!("disconnected is ready"),
    }
    assert_eq!(made, 2);
}

#[test]
fn ends_are_expressions_evaluated_once() {
    let (s, r) = unbounded::<i32>();
    s.send(1).unwrap();
    let mut calls = 0;
    let mut end = || {
        calls += 1;
        &r
    };
    select! { recv(end()) -> msg => assert_eq!(msg, Ok(1)), recv(never::<()>()) -> _ => unreachable!() }
    assert_eq!(calls, 1);
    let (soon, late) = (after(ms(5)), never());
    let list = [r.clone(), r.clone()];
    let none: Option<Receiver<i32>> = None;
    select! {
        recv(list[1]) -> _ => unreachable!(),
        recv(none.as_ref().unwrap_or(&never())) -> _ => unreachable!(),
        recv(if calls == 1 { &soon } else { &late }) -> _ => {}
    }
}

#[test]
fn the_code_may_move_the_ends_leave_and_return() {
    fn first(s: Sender<i32>, r: Receiver<i32>) -> Option<i32> {
        loop {
            select! {
                recv(r) -> msg => {
                    drop(r);
                    return msg.ok();
                }
                send(s, 5) -> res => {
                    res.ok()?;
                    continue;
                }
                default => {
                    drop((s, r));
                    break;
                }
            }
        }
        None
    }
    let (s, r) = bounded(1);
    let (other, _keep) = bounded(1);
    other.send(0).unwrap();
    assert_eq!(first(other.clone(), r.clone()), None);
    s.send(9).unwrap();
    assert_eq!(first(other, r), Some(9));
}

#[test]
fn nested() {
    let (s, r) = unbounded();
    s.send(unbounded::<i32>()).unwrap();
    select! {
        recv(r) -> msg => {
            let (inner_s, inner_r) = msg.unwrap();
            inner_s.send(3).unwrap();
            select! {
                recv(inner_r) -> msg => assert_eq!(msg, Ok(3)),
                recv(r) -> _ => unreachable!(),
            }
        }
        recv(never::<()>()) -> _ => unreachable!(),
    }
}

#[test]
fn biased_takes_the_first() {
    let (s1, r1) = unbounded();
    let (s2, r2) = unbounded();
    for _ in 0..200 {
        s1.send(1).unwrap();
        s2.send(2).unwrap();
    }
    for _ in 0..200 {
        select_biased! {
            recv(r1) -> msg => assert_eq!(msg, Ok(1)),
            recv(r2) -> _ => unreachable!(),
        }
    }
    let mut hits = [0; 2];
    for _ in 0..200 {
        s1.send(1).unwrap();
    }
    for _ in 0..200 {
        select! { recv(r1) -> _ => hits[0] += 1, recv(r2) -> _ => hits[1] += 1 }
    }
    assert!(hits.iter().all(|&n| n > 40), "{hits:?}");
}

#[test]
fn blocks_until_something_comes() {
    let (s, r) = bounded::<i32>(0);
    let (_quiet, silent) = unbounded::<u8>();
    let sender = thread::spawn(move || {
        settle();
        s.send(8).unwrap();
    });
    let ticks = tick(Duration::from_secs(60));
    select! {
        recv(silent) -> _ => unreachable!(),
        recv(ticks) -> _ => unreachable!(),
        recv(r) -> msg => assert_eq!(msg, Ok(8)),
    }
    sender.join().unwrap();
}

/// With a default as well: three dozen.
#[test]
fn three_dozen_arms() {
    let (s, r) = unbounded();
    macro_rules! with {
        ($($n:ident)*) => {{
            select! { recv(r) -> msg => msg, $(recv(never()) -> $n => $n,)* default => Ok(0) }
        }};
        (blocking $($n:ident)*) => { select! { recv(r) -> msg => msg, $(recv(never()) -> $n => $n,)* } };
    }
    macro_rules! names {
        ($($kind:ident)?) => {
            with!($($kind)? a b c d e f g h i j k l m n o p q u v w x y z a1 b1 c1 d1 e1 f1 g1 h1 i1 j1)
        };
    }
    assert_eq!(names!(), Ok(0));
    s.send(1).unwrap();
    assert_eq!(names!(), Ok(1));
    s.send(2).unwrap();
    assert_eq!(names!(blocking), Ok(2));
}

/// Items have no hygiene: neither does the macro hide the caller's, nor do they stand in its way.
#[allow(non_upper_case_globals, non_camel_case_types, dead_code, reason = "names that a macro might use")]
#[test]
fn names_of_items_are_the_callers() {
    const ARMS: usize = 700;
    const CASES: usize = 701;
    const cases: usize = 1;
    const index: usize = 2;
    static receiver: u8 = 3;
    static sender: u8 = 4;
    static operation: u8 = 5;
    struct result;
    struct selected;
    let (s1, r1) = unbounded::<usize>();
    let (_s2, r2) = unbounded::<usize>();
    select! {
        send(s1, ARMS) -> res => assert_eq!((res, ARMS), (Ok(()), 700)),
        recv(r2) -> _ => unreachable!(),
    }
    select! {
        recv(r1) -> msg => assert_eq!((msg, ARMS, CASES), (Ok(700), 700, 701)),
        recv(r2) -> _ => unreachable!(),
    }
    select! { recv(r1) -> _ => unreachable!(), default => assert_eq!(ARMS, 700) }
    select! { recv(r1) -> _ => unreachable!(), recv(r2) -> _ => unreachable!(), default(ms(1)) => {} }
    select! { send(s1, ARMS) -> res => res.unwrap() }
    select_biased! { recv(r1) -> msg => assert_eq!(msg, Ok(ARMS)) }
    select! { recv(r1) -> _ => unreachable!(), default(ms(1)) => {} }
    assert_eq!(usize::from(receiver + sender + operation) + cases + index, 15);
}
