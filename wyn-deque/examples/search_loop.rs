//! Shows the search loop of a scheduler: own tasks, then the injector, then the other workers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use wyn_deque::{Injector, Steal, Stealer, Worker};

/// A task counts one number down and leaves the rest of the work as two smaller tasks.
type Task = u32;

const WORKERS: usize = 4;

fn find(own: &Worker<Task>, injector: &Injector<Task>, others: &[Stealer<Task>]) -> Option<Task> {
    own.pop().or_else(|| {
        // `Retry` says that another thread was faster, not that there is nothing.
        std::iter::repeat_with(|| {
            let outside = injector.steal_batch_and_pop(own);
            outside.or_else(|| others.iter().map(|other| other.steal_batch_and_pop(own)).collect())
        })
        .find(|attempt| !attempt.is_retry())
        .and_then(Steal::success)
    })
}

fn main() {
    let injector = Injector::new();
    injector.push_batch([12, 13, 14]);
    let unfinished = AtomicUsize::new(3);

    let workers: Vec<_> = (0..WORKERS).map(|_| Worker::new_lifo()).collect();
    let stealers: Vec<_> = workers.iter().map(Worker::stealer).collect();
    thread::scope(|scope| {
        for (number, own) in workers.into_iter().enumerate() {
            let (injector, stealers, unfinished) = (&injector, &stealers, &unfinished);
            scope.spawn(move || {
                let mut done = 0;
                // A scheduler would sleep when it finds nothing, and count who searches.
                // Ordering: SeqCst on the counter: simplest here, and no part of the deque's protocol.
                while unfinished.load(Ordering::SeqCst) > 0 {
                    let Some(task) = find(&own, injector, stealers) else { continue };
                    if task > 0 {
                        unfinished.fetch_add(2, Ordering::SeqCst);
                        own.push(task - 1);
                        own.push(task - 1);
                    }
                    done += 1;
                    unfinished.fetch_sub(1, Ordering::SeqCst);
                }
                println!("worker {number} did {done} tasks");
            });
        }
    });
    assert!(injector.is_empty());
}
