//! Shows three stages joined by bounded channels: a slow stage holds the fast ones back, nothing piles up.

use std::thread;

use wyn_channel::bounded;

fn main() {
    let (numbers, to_square) = bounded::<u64>(4);
    let (squares, to_sum) = bounded::<u64>(4);

    let source = thread::spawn(move || {
        for n in 1..=1000 {
            if numbers.send(n).is_err() {
                return;
            }
        }
    });
    // Two threads share the middle stage: each number goes to one of them.
    let middle: Vec<_> = (0..2)
        .map(|_| {
            let (input, output) = (to_square.clone(), squares.clone());
            thread::spawn(move || input.iter().try_for_each(|n| output.send(n * n)))
        })
        .collect();
    // The last stage ends when the last sender is gone.
    drop((squares, to_square));

    println!("sum of squares: {}", to_sum.iter().sum::<u64>());
    source.join().expect("the source ends");
    for thread in middle {
        thread.join().expect("the stage ends").expect("the last stage listens to the end");
    }
}
