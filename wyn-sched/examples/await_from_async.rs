//! Awaits a task in async code, on an executor of three lines.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut cx, mut future) = (Context::from_waker(&waker), pin!(future));
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn main() {
    let answer = block_on(async {
        let six = wyn_sched::spawn(|| 6);
        let seven = wyn_sched::spawn(|| 7);
        six.await.expect("six panicked") * seven.await.expect("seven panicked")
    });
    println!("{answer}");
}
