//! Shows threads and an asynchronous task on the same channels, and a shared value that both wait on.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use wyn_channel::{Receiver, Sender, Value, bounded};

/// Takes numbers, gives their doubles, and counts.
async fn doubler(input: Receiver<u32>, output: Sender<u32>, done: Value<u32>) {
    while let Ok(n) = input.recv_async().await {
        if output.send_async(2 * n).await.is_err() {
            return;
        }
        done.fetch_add(1);
    }
}

fn main() {
    let (to_task, input) = bounded(1);
    let (output, from_task) = bounded(0);
    let done = Value::new(0);

    let task = {
        let done = done.clone();
        thread::spawn(move || block_on(doubler(input, output, done)))
    };
    let feeder = thread::spawn(move || (1..=5).try_for_each(|n| to_task.send(n)));
    let printer = thread::spawn(move || from_task.iter().for_each(|n| println!("{n}")));

    println!("half of it is done: {}", done.wait_for(|&n| n >= 3));
    feeder.join().expect("the feeder ends").expect("the task listens");
    task.join().expect("the task ends");
    printer.join().expect("the printer ends");
}

/// The smallest executor there is.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(out) => return out,
            Poll::Pending => thread::park(),
        }
    }
}
