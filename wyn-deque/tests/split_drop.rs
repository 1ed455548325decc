//! Nothing leaks and nothing is dropped twice, for items of any shape; and the auto traits.
#![cfg(not(wyn_loom))]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use static_assertions::{assert_impl_all, assert_not_impl_any};
use wyn_deque::Steal;
use wyn_deque::split::{Fences, Stealer, Worker};

assert_impl_all!(Worker<Cell<u8>>: Send);
assert_not_impl_any!(Worker<u8>: Sync, Clone);
assert_not_impl_any!(Worker<Rc<u8>>: Send);
assert_impl_all!(Stealer<Cell<u8>>: Send, Sync, Clone);
assert_not_impl_any!(Stealer<Rc<u8>>: Send, Sync);

/// Counts its drops; the one with number `fuse` panics.
struct Counted {
    drops: Arc<AtomicUsize>,
    fuse: Option<usize>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let number = self.drops.fetch_add(1, Ordering::Relaxed);
        assert!(self.fuse != Some(number) || std::thread::panicking(), "the fuse");
    }
}

fn counted(n: usize, fuse: Option<usize>) -> (Worker<Counted>, Arc<AtomicUsize>) {
    let (worker, drops) = (Worker::starting_at(2, usize::MAX - 3), Arc::new(AtomicUsize::new(0)));
    (0..n).for_each(|_| worker.push(Counted { drops: Arc::clone(&drops), fuse }));
    (worker, drops)
}

#[test]
fn the_last_handle_drops_what_is_left() {
    let (worker, drops) = counted(100, None);
    let stealer = worker.stealer();
    drop(worker.pop());
    drop(worker);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    drop(stealer.steal());
    assert_eq!((drops.load(Ordering::Relaxed), stealer.len()), (2, 98));
    drop(stealer);
    assert_eq!(drops.load(Ordering::Relaxed), 100);
}

#[test]
fn a_panicking_destructor_spares_the_others() {
    let (worker, drops) = counted(100, Some(40));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(worker))).is_err());
    assert_eq!(drops.load(Ordering::Relaxed), 100);
}

fn round_trip<T: PartialEq + std::fmt::Debug>(make: impl Fn(u8) -> T) {
    let worker: Worker<T, Fences> = Worker::with_capacity(2);
    let dest: Worker<T> = Worker::default();
    (0..20).for_each(|n| worker.push(make(n)));
    assert_eq!(worker.pop(), Some(make(19)));
    assert_eq!(worker.stealer().steal(), Steal::Success(make(0)));
    assert_eq!(worker.stealer().steal_batch_and_pop(&dest, 4), Steal::Success(make(1)));
    assert_eq!(
        (dest.pop(), dest.pop(), dest.pop(), dest.pop()),
        (Some(make(4)), Some(make(3)), Some(make(2)), None)
    );
    assert_eq!(worker.len(), 14);
}

#[test]
fn items_of_any_shape() {
    round_trip(|_| ());
    round_trip(|n| n);
    round_trip(|n| [n; 3]);
    round_trip(|n| vec![n]);
    round_trip(|n| (n, String::from("item"), [u64::from(n); 40]));
    #[derive(PartialEq, Debug)]
    #[repr(align(256))]
    struct Wide(u8);
    round_trip(Wide);
}

#[test]
fn items_may_borrow() {
    let text = String::from("a b c");
    let worker: Worker<&str> = Worker::with_capacity(2);
    text.split(' ').for_each(|word| worker.push(word));
    assert_eq!((worker.pop(), worker.len()), (Some("c"), 2));
}

#[test]
fn handles_say_how_much_is_there() {
    let worker: Worker<u8> = Worker::new();
    worker.push(1);
    assert_eq!(format!("{worker:?} {:?}", worker.stealer()), "Worker { len: 1, .. } Stealer { len: 1, .. }");
}
