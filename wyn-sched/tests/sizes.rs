//! Closures and results of every size and alignment: what fits its cell, what just does, what is boxed.
#![cfg(not(wyn_loom))]

mod common;

use common::{Counter, runtime, wait_until, watchdog, with_stack};
use wyn_sched::{Runtime, spawn};

/// Bytes that are wrong if any of them was lost, at an alignment that is wrong if they were misplaced.
#[derive(Clone, Copy)]
struct Plain<const N: usize>([u8; N]);

#[derive(Clone, Copy)]
#[repr(align(16))]
struct Align16<const N: usize>([u8; N]);

#[derive(Clone, Copy)]
#[repr(align(128))]
struct Align128<const N: usize>([u8; N]);

fn pattern<const N: usize>() -> [u8; N] {
    std::array::from_fn(|i| u8::try_from(i % 251).unwrap())
}

macro_rules! check {
    ($runtime:ident, $counter:ident, $($kind:ident<$size:literal>)*) => { $({
        let check = |value: &$kind<$size>| {
            assert!((&raw const *value).is_aligned(), "aligned");
            assert!(value.0 == pattern::<$size>(), "intact");
        };
        // As a capture, as a result, as both; run as a call, and by another thread.
        let value = $kind(pattern::<$size>());
        $runtime.spawn(move || check(&value)).join().unwrap();
        check(&$runtime.spawn(|| $kind(pattern::<$size>())).join().unwrap());
        $runtime.install(|| check(&spawn(move || value).join().unwrap()));
        let handle = $runtime.spawn(move || value);
        wait_until("finished", || handle.is_finished());
        check(&handle.join().unwrap());
        // With a destructor: dropped once, whoever does it.
        let token = $counter.token();
        let handle = $runtime.spawn(move || (value, token));
        drop(handle.join().unwrap());
        let token = $counter.token();
        drop($runtime.spawn(move || (value, token)));
        let token = $counter.token();
        $runtime.spawn_detached(move || { check(&value); drop(token); });
        let token = $counter.token();
        let handle = $runtime.spawn(move || { check(&value); let _token = token; panic!("with {}", $size) });
        let handle: wyn_sched::JoinHandle<$kind<$size>> = handle;
        assert!(handle.join().is_err_and(|error| error.is_panic()));
    })* };
}

fn all_sizes(runtime: &Runtime) {
    let counter = Counter::default();
    check!(runtime, counter, Plain<0> Plain<1> Plain<8> Plain<15> Plain<16> Plain<17> Plain<47> Plain<48> Plain<49>);
    check!(runtime, counter, Plain<112> Plain<113> Plain<239> Plain<240> Plain<241> Plain<4096>);
    check!(runtime, counter, Align16<0> Align16<16> Align16<240> Align16<256>);
    check!(runtime, counter, Align128<0> Align128<1> Align128<128> Align128<1024>);
    counter.assert_all_dropped();
}

#[test]
fn every_size_and_alignment_goes_through_intact() {
    let _dog = watchdog(120);
    with_stack(64 << 20, || [1, 2].map(runtime).iter().for_each(all_sizes));
}

#[test]
fn a_megabyte_goes_through_intact() {
    let _dog = watchdog(120);
    with_stack(64 << 20, || {
        let counter = Counter::default();
        let runtime = Runtime::builder().workers(2).stack_size(64 << 20).build().unwrap();
        // Not `Plain`: bytes of which nothing is known occupy an optimizing compiler for a quarter of an hour.
        check!(runtime, counter, Align16<1048576> Align128<1048576>);
        counter.assert_all_dropped();
    });
}

#[test]
fn a_small_closure_with_a_large_result_and_the_reverse() {
    let _dog = watchdog(60);
    let runtime = runtime(2);
    assert!(runtime.spawn(pattern::<5000>).join().unwrap() == pattern::<5000>());
    let large = pattern::<5000>();
    assert_eq!(runtime.spawn(move || large[4999]).join().unwrap(), pattern::<5000>()[4999]);
    // A result larger than the closure, both in the cell.
    assert!(runtime.spawn(pattern::<200>).join().unwrap() == pattern::<200>());
}

#[test]
fn types_without_values_or_size() {
    let _dog = watchdog(60);
    let runtime = runtime(1);
    enum Never {}
    let handle: wyn_sched::JoinHandle<Never> = runtime.spawn(|| panic!("no value"));
    assert!(handle.join().is_err());
    let () = runtime.spawn(|| ()).join().unwrap();
    let [] = runtime.spawn(|| [0_u64; 0]).join().unwrap();
}

#[test]
fn a_handle_is_one_word() {
    assert_eq!(size_of::<wyn_sched::JoinHandle<[u8; 1000]>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<wyn_sched::JoinHandle<()>>>(), 2 * size_of::<usize>());
}
