//! `join_all`: any number of closures of one kind.

use super::join;

/// First a closure, then its result.
enum Place<F, R> {
    Waits(F),
    Done(R),
    Empty,
}

/// Runs all closures, at the same time as far as workers are idle, and returns their results in order.
///
/// They are on the stack, like the branches of [`join`], which it is made of.
///
/// # Panics
/// With the panic of the first closure that panicked, in their order. None of them is running any more by then;
/// some may never have been run.
///
/// ```
/// let lengths = wyn_sched::join_all(["fork", "and", "join"].map(|word| move || word.len()));
/// assert_eq!(lengths, [4, 3, 4]);
/// ```
pub fn join_all<F, R, const N: usize>(closures: [F; N]) -> [R; N]
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    let mut places = closures.map(Place::Waits);
    run(&mut places);
    places.map(|place| match place {
        Place::Done(result) => result,
        Place::Waits(_) | Place::Empty => unreachable!("every closure has been run"),
    })
}

fn run<F, R>(places: &mut [Place<F, R>])
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    match places {
        [] => {}
        [place] => {
            if let Place::Waits(closure) = std::mem::replace(place, Place::Empty) {
                *place = Place::Done(closure());
            }
        }
        _ => {
            let (first, second) = places.split_at_mut(places.len() / 2);
            join(|| run(first), || run(second));
        }
    }
}
