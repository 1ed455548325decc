//! The split deque by scenario, one thread.
#![cfg(not(wyn_loom))]

use std::sync::atomic::{AtomicUsize, Ordering};

use wyn_deque::Steal;
use wyn_deque::split::{Barrier, Fences, Worker};

fn filled(items: std::ops::Range<usize>) -> Worker<usize> {
    let worker = Worker::new();
    items.for_each(|item| worker.push(item));
    worker
}

/// A batch, oldest first.
fn batch(victim: &Worker<usize>, limit: usize) -> Option<Vec<usize>> {
    let dest = Worker::new();
    let stolen = victim.stealer().steal_batch(&dest, limit).success();
    stolen.map(|()| std::iter::from_fn(|| dest.stealer().steal().success()).collect())
}

#[test]
fn the_owner_pops_newest_first() {
    let worker = filled(0..3);
    assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(2), Some(1), Some(0)));
    assert_eq!((worker.pop(), worker.pop()), (None, None));
    worker.push(7);
    assert_eq!(worker.pop(), Some(7));
}

#[test]
fn the_owner_takes_the_oldest() {
    let worker = filled(0..4);
    assert_eq!((worker.pop_oldest(), worker.pop(), worker.len()), (Some(0), Some(3), 2));
    assert_eq!(worker.stealer().steal(), Steal::Success(1));
    assert_eq!((worker.pop_oldest(), worker.pop_oldest(), worker.pop()), (Some(2), None, None));
    // Over many laps of the ring.
    for item in 0..10_000 {
        worker.push(item);
        assert_eq!(worker.pop_oldest(), Some(item));
    }
    assert!(worker.is_empty() && worker.stealer().is_empty());
}

#[test]
fn thieves_take_oldest_first() {
    let worker = filled(0..3);
    let stealer = worker.stealer();
    assert_eq!(stealer.steal(), Steal::Success(0));
    assert_eq!(worker.pop(), Some(2));
    assert_eq!(stealer.clone().steal(), Steal::Success(1));
    assert_eq!(stealer.steal(), Steal::Empty);
    assert_eq!(worker.pop(), None);
}

#[test]
fn a_batch_is_half_rounded_up() {
    for (held, limit, expected) in [(1, 9, 1), (2, 9, 1), (3, 9, 2), (8, 9, 4), (100, 128, 50), (100, 7, 7)] {
        let worker = filled(0..held);
        assert_eq!(batch(&worker, limit), Some((0..expected).collect()));
        assert_eq!(worker.len(), held - expected);
    }
}

#[test]
fn a_batch_keeps_its_order_above_what_the_thief_has() {
    let victim = filled(0..10);
    let dest = filled(100..102);
    assert_eq!(victim.stealer().steal_batch_and_pop(&dest, 128), Steal::Success(0));
    assert_eq!(dest.stealer().steal(), Steal::Success(100));
    let popped: Vec<_> = std::iter::from_fn(|| dest.pop()).collect();
    assert_eq!(popped, [4, 3, 2, 1, 101]);
    assert_eq!(victim.len(), 5);
}

#[test]
fn stealing_from_oneself_pops() {
    let worker = filled(0..4);
    assert_eq!(worker.stealer().steal_batch_and_pop(&worker, 128), Steal::Success(3));
    assert_eq!(worker.len(), 3);
    while worker.pop().is_some() {}
    assert_eq!(worker.stealer().steal_batch_and_pop(&worker, 128), Steal::Empty);
}

#[test]
fn growth_keeps_everything_in_order() {
    let worker: Worker<usize> = Worker::with_capacity(2);
    let stealer = worker.stealer();
    let mut oldest = 0;
    for item in 0..10_000 {
        worker.push(item);
        if item % 3 == 0 {
            assert_eq!(stealer.steal(), Steal::Success(oldest));
            oldest += 1;
        }
    }
    for item in (oldest..10_000).rev() {
        assert_eq!(worker.pop(), Some(item));
    }
    assert_eq!(worker.pop(), None);
}

#[test]
fn indices_may_wrap() {
    for start in (0..12).map(|back| usize::MAX - back) {
        let worker: Worker<usize> = Worker::starting_at(2, start);
        let (dest, stealer) = (Worker::starting_at(2, start), worker.stealer());
        (0..8).for_each(|item| worker.push(item));
        assert_eq!((worker.len(), stealer.len()), (8, 8));
        assert_eq!(stealer.steal_batch_and_pop(&dest, 128), Steal::Success(0));
        assert_eq!((dest.len(), dest.pop()), (3, Some(3)));
        let rest: Vec<_> = std::iter::from_fn(|| worker.pop()).collect();
        assert_eq!(rest, [7, 6, 5, 4]);
        assert_eq!((worker.pop(), stealer.steal()), (None, Steal::Empty));
    }
}

#[test]
fn a_mark_changes_with_either_end() {
    let worker = filled(0..4);
    let stealer = worker.stealer();
    assert_eq!(stealer.mark(), (0, 4));
    worker.pop();
    assert_eq!(stealer.mark(), (0, 3));
    assert!(stealer.steal().is_success());
    assert_eq!(stealer.mark(), (1, 3));
}

#[test]
#[should_panic(expected = "a batch of no items")]
fn a_batch_of_none_is_refused() {
    let _ = batch(&filled(0..1), 0);
}

#[test]
fn steal_batch_moves_the_older_half_in_order() {
    let (victim, thief) = (Worker::<u32>::new(), Worker::new());
    let stealer = victim.stealer();
    assert_eq!(stealer.steal_batch(&thief, 8), Steal::Empty);
    (0..5).for_each(|item| victim.push(item));
    thief.push(100);
    assert_eq!(stealer.steal_batch(&thief, 8), Steal::Success(()));
    assert_eq!(std::iter::from_fn(|| thief.pop()).collect::<Vec<_>>(), [2, 1, 0, 100]);
    assert_eq!(stealer.steal_batch(&thief, 1), Steal::Success(()));
    assert_eq!((thief.pop(), thief.pop()), (Some(3), None));
    assert_eq!(stealer.steal_batch(&victim, 8), Steal::Success(()), "its own deque holds the rest");
    assert_eq!((victim.pop(), victim.pop()), (Some(4), None));
}

#[test]
fn position_counts_pushes_less_pops() {
    let deque = Worker::<u32>::new();
    let start = deque.position();
    deque.push(1);
    deque.push(2);
    assert_eq!(deque.position().wrapping_sub(start), 2);
    let _ = (deque.pop(), deque.pop(), deque.pop());
    assert_eq!(deque.position(), start);
}

/// Fences that count how often a thief asks how patient it should be.
struct Counting;

static ASKED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the barriers are those of `Fences`.
unsafe impl Barrier for Counting {
    fn light() {
        Fences::light();
    }
    fn heavy() {
        Fences::heavy();
    }
    fn patience() -> u32 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        1
    }
}

#[test]
fn an_owner_that_was_silent_is_waited_for_when_it_has_moved() {
    let asked = || ASKED.swap(0, Ordering::Relaxed);
    let worker = Worker::<_, Counting>::new();
    (0..10).for_each(|item| worker.push(item));
    let stealer = worker.stealer();
    assert_eq!((stealer.steal(), asked()), (Steal::Success(0), 1));
    assert_eq!((stealer.steal(), asked()), (Steal::Success(1), 0));
    worker.push(10);
    assert_eq!((stealer.steal(), asked()), (Steal::Success(2), 1));
    assert_eq!((stealer.steal(), asked()), (Steal::Success(3), 0));
}

#[test]
fn an_owner_that_is_away_is_relieved_of_all() {
    let worker = filled(0..66);
    let batch = |limit| batch(&worker, limit);
    assert_eq!(batch(100), Some((0..33).collect()), "half");
    assert_eq!(batch(16), Some((33..49).collect()), "half of the rest");
    assert_eq!(batch(1), Some(vec![49]), "no more than the limit");
    assert_eq!(batch(100), Some((50..66).collect()), "all");
    (66..96).for_each(|item| worker.push(item));
    assert_eq!(batch(100), Some((66..81).collect()), "half: it has moved");
    assert_eq!(batch(100), Some((81..89).collect()), "half: so few may be a recursion's");
    assert_eq!(batch(100), Some((89..93).collect()), "the same");
    assert_eq!(worker.pop(), Some(95));
}

/// A worker that is made for many items costs the memory of those it holds.
#[cfg(target_os = "linux")]
#[test]
fn a_new_ring_is_not_touched() {
    let resident_pages = || {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
        let pages = statm.split(' ').nth(1).expect("the second number");
        pages.parse::<usize>().expect("a number of pages")
    };
    let before = resident_pages();
    let worker: Worker<usize> = Worker::with_capacity(1 << 24);
    worker.push(1);
    assert!(resident_pages().saturating_sub(before) < (8 << 24) / 4096 / 4, "128 MiB of slots were written");
    assert_eq!(worker.pop(), Some(1));
}

#[test]
fn the_owner_takes_from_the_middle() {
    const HOLE: usize = usize::MAX;
    let worker = filled(10..15);
    let stealer = worker.stealer();
    assert_eq!(
        (worker.peek(0), worker.peek(4), worker.peek(5), worker.peek(HOLE)),
        (Some(10), Some(14), None, None)
    );
    // In the middle: a hole for pops and steals.
    assert_eq!((worker.take_at(3, HOLE), worker.peek(3), worker.len()), (Some(13), Some(HOLE), 5));
    // The oldest, twice, and a third that is not there any more.
    assert_eq!(
        (worker.take_at(0, HOLE), worker.take_at(1, HOLE), worker.take_at(1, HOLE)),
        (Some(10), Some(11), None)
    );
    assert_eq!((worker.oldest_position(), worker.len(), stealer.len(), stealer.mark()), (2, 3, 3, (2, 5)));
    // The newest: nothing is left.
    assert_eq!((worker.take_at(4, HOLE), worker.position()), (Some(14), 4));
    assert_eq!((worker.pop(), stealer.steal()), (Some(HOLE), Steal::Success(12)));
    assert_eq!((worker.take_at(2, HOLE), worker.oldest_position(), worker.position()), (None, 3, 3));
}

#[test]
fn a_deque_of_which_all_is_taken_is_empty_for_everybody() {
    let (worker, dest) = (filled(0..4), Worker::new());
    let stealer = worker.stealer();
    for position in 0..3 {
        assert_eq!(worker.take_at(position, 100), Some(position));
    }
    assert_eq!(worker.pop(), Some(3));
    assert_eq!((worker.pop(), worker.pop_oldest(), worker.len(), worker.position()), (None, None, 0, 3));
    assert!(worker.is_empty() && stealer.is_empty());
    assert_eq!((stealer.steal(), stealer.steal_batch(&dest, 9)), (Steal::Empty, Steal::Empty));
    assert_eq!(stealer.mark(), (3, 3));
    worker.push(7);
    assert_eq!((stealer.len(), stealer.steal()), (1, Steal::Success(7)));
}

#[test]
fn a_batch_leaves_out_what_the_owner_took() {
    let worker = filled(0..10);
    for position in 0..4 {
        assert_eq!(worker.take_at(position, 100), Some(position));
    }
    assert_eq!(batch(&worker, 9), Some(vec![4, 5, 6]));
    assert_eq!((worker.take_at(7, 100), worker.pop_oldest()), (Some(7), Some(8)));
}

#[test]
fn a_thief_takes_what_it_wants() {
    let worker = filled(0..3);
    let stealer = worker.stealer();
    assert_eq!((stealer.steal_if(|item| *item == 1), stealer.len()), (Steal::Success(None), 3));
    assert_eq!(stealer.steal_if(|item| *item == 0), Steal::Success(Some(0)));
    assert_eq!(
        (worker.pop(), stealer.steal_if(|_| false), worker.pop()),
        (Some(2), Steal::Success(None), Some(1))
    );
    assert_eq!(stealer.steal_if(|_| panic!("there is none")), Steal::Empty);
}

#[test]
fn a_panicking_look_leaves_the_item_and_the_lock() {
    let worker = filled(0..2);
    let stealer = worker.stealer();
    let look = std::panic::AssertUnwindSafe(|| stealer.steal_if(|_| panic!("no")));
    assert!(std::panic::catch_unwind(look).is_err());
    assert_eq!((stealer.steal(), worker.pop(), worker.pop()), (Steal::Success(0), Some(1), None));
}
