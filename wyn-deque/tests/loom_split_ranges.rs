//! Models as in `loom_split.rs`, of what moves or gives back a whole range: an owner that closes a gap, forgets its newest
//! or shrinks, and a thief that looks at all items before it takes some.
#![cfg(wyn_loom)]

#[path = "support/split_models.rs"]
mod support;

use loom::thread::{self, JoinHandle};
use support::{HOLE, Loot, batch_thief, check, owner, position, settle, thief, worker};
use wyn_deque::Steal;
use wyn_deque::split::{Fences, Stealer, Worker};

/// A thread that takes what lies up to `wanted`.
fn through_thief(stealer: Stealer<u32>, wanted: u32) -> JoinHandle<Loot<Fences>> {
    thread::spawn(move || {
        let batch = Worker::with_capacity(4);
        let outcome = stealer.steal_through(&batch, |item| *item == wanted);
        assert_eq!(outcome == Steal::Success(true), !batch.is_empty());
        Loot { items: Vec::new(), batch: Some(batch) }
    })
}

/// The owner takes an item out of a batch, and what lies above moves down: the thief copies nothing that is moved.
#[test]
fn a_gap_is_closed_beside_a_batch() {
    check(|| {
        let worker = worker::<Fences>(4, 4);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| vec![worker.remove(position(2)), worker.pop()]);
        settle(4, owner, vec![thief]);
    });
}

/// The owner forgets all from the middle of a batch, and fills the slots anew: all of them are its own, or none.
#[test]
fn what_is_forgotten_is_not_stolen() {
    check(|| {
        let worker = worker::<Fences>(4, 3);
        let thief = batch_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| {
            let forgotten = worker.forget_from(position(2)).then_some([Some(2), Some(3)]);
            worker.push(4);
            forgotten.into_iter().flatten().collect()
        });
        settle(4, owner, vec![thief]);
    });
}

/// The owner looks at the last item and leaves it, while a thief takes it.
#[test]
fn an_item_that_the_owner_leaves_goes_to_one() {
    check(|| {
        let worker = worker::<Fences>(2, 1);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            assert_eq!(worker.take_newest_if(|item| item == HOLE), None);
            worker.push(2);
            vec![worker.pop()]
        });
        settle(2, owner, vec![thief]);
    });
}

/// The owner looks at its oldest item and takes it, while a thief goes for the same.
#[test]
fn an_oldest_item_that_the_owner_wants_goes_to_one() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| vec![worker.take_oldest_if(|item| item < HOLE)]);
        settle(2, owner, vec![thief]);
    });
}

/// A thief looks at all and takes the oldest two: what lies above is the owner's, who may be waiting for it.
#[test]
fn what_lies_above_a_wanted_item_stays() {
    check(|| {
        let worker = worker::<Fences>(4, 3);
        let thief = through_thief(worker.stealer(), 2);
        let owner = owner(worker, |worker| {
            let newest = worker.pop();
            assert_eq!(newest, Some(3), "nobody else wants it");
            vec![newest, worker.pop()]
        });
        settle(3, owner, vec![thief]);
    });
}

/// A thief looks at all and takes nothing: the owner takes all, and fills a slot.
#[test]
fn where_nothing_is_wanted_all_stays() {
    check(|| {
        let worker = worker::<Fences>(2, 2);
        let thief = through_thief(worker.stealer(), HOLE);
        let owner = owner(worker, |worker| {
            let popped = vec![worker.pop(), worker.pop()];
            assert_eq!(popped, [Some(2), Some(1)], "nobody else wants them");
            worker.push(3);
            popped
        });
        settle(3, owner, vec![thief]);
    });
}

/// A thief leaves all where it is, and asks at the same place for less; the owner, who is slow, answers by the first wish.
#[test]
fn an_answer_to_an_older_question_is_cut() {
    check(|| {
        let worker = worker::<Fences>(4, 3);
        let stealer = worker.stealer();
        let thief = thread::spawn(move || {
            let looked = stealer.steal_through(&Worker::with_capacity(4), |item| *item == HOLE);
            assert_eq!(looked, Steal::Success(false));
            Loot::items(stealer.steal().success())
        });
        let owner = owner(worker, |worker| {
            worker.attend();
            vec![]
        });
        settle(3, owner, vec![thief]);
    });
}

/// The owner moves to a smaller ring, full at once, while a thief copies from the old one.
#[test]
fn shrinking_meets_a_thief() {
    check(|| {
        let worker = worker::<Fences>(4, 2);
        let thief = thief(worker.stealer());
        let owner = owner(worker, |worker| {
            worker.shrink_to(2);
            worker.push(3);
            vec![worker.pop()]
        });
        settle(3, owner, vec![thief]);
    });
}
