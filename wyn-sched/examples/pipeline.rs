//! A pipeline of futures over channels with room for one message: ten thousand tasks that wait, on a few threads.

use std::time::Instant;

use wyn_channel::bounded;
use wyn_sched::{JoinError, block_on, spawn_future};

const STAGES: u64 = 10_000;
const MESSAGES: u64 = 100;

fn main() -> Result<(), JoinError> {
    let start = Instant::now();
    let (first, mut last) = bounded(1);
    let mut stages = Vec::new();
    for _ in 0..STAGES {
        let (sender, receiver) = bounded::<u64>(1);
        let source = std::mem::replace(&mut last, receiver);
        stages.push(spawn_future(async move {
            while let Ok(message) = source.recv_async().await {
                sender.send_async(message + 1).await.expect("the next stage lives as long as this one");
            }
        }));
    }
    let feeder = spawn_future(async move {
        for message in 0..MESSAGES {
            first.send_async(message).await.expect("the first stage lives as long as this task");
        }
    });
    let sum = block_on(async {
        let mut sum = 0;
        while let Ok(message) = last.recv_async().await {
            sum += message;
        }
        sum
    });
    feeder.join()?;
    stages.into_iter().try_for_each(wyn_sched::JoinHandle::join)?;
    assert_eq!(sum, MESSAGES * (MESSAGES - 1) / 2 + MESSAGES * STAGES);
    println!("{} messages passed on in {:.1?}", STAGES * MESSAGES, start.elapsed());
    Ok(())
}
