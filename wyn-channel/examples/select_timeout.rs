//! Shows a loop that waits for work, for a clock and for silence, whichever comes first.

use std::thread;
use std::time::Duration;

use wyn_channel::{select, tick, unbounded};

fn main() {
    let (s, work) = unbounded();
    let worker = thread::spawn(move || {
        for n in 1..=3 {
            thread::sleep(Duration::from_millis(30));
            if s.send(format!("job {n}")).is_err() {
                return;
            }
        }
        thread::sleep(Duration::from_millis(200));
    });

    let clock = tick(Duration::from_millis(25));
    let mut quiet_ticks = 0;
    while quiet_ticks < 4 {
        select! {
            recv(work) -> job => match job {
                Ok(job) => {
                    println!("{job}");
                    quiet_ticks = 0;
                }
                Err(_) => break,
            },
            recv(clock) -> _ => quiet_ticks += 1,
            default(Duration::from_secs(1)) => unreachable!("the clock ticks"),
        }
    }
    println!("nothing for {quiet_ticks} ticks");
    drop(work);
    worker.join().expect("the worker ends");
}
