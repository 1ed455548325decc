//! What the models share.
#![allow(dead_code, unreachable_pub, reason = "each file takes a part")]

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Runs `model` with so many involuntary switches, or as many as `LOOM_MAX_PREEMPTIONS` says if that is less.
pub fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(builder.preemption_bound.unwrap_or(preemptions).min(preemptions));
    builder.max_branches = 20_000;
    builder.check(model);
}

/// Polls, and parks the model's thread in between.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(loom::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => loom::thread::park(),
        }
    }
}

struct Unpark(loom::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Counts the drops of what it makes; invisible to loom.
#[derive(Debug, Clone, Default)]
pub struct Drops(Arc<AtomicUsize>);

#[derive(Debug)]
pub struct Counted(Drops);

impl Drops {
    pub fn make(&self) -> Counted {
        Counted(self.clone())
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs each model with the site or step beside it weakened or left out (`WYN_PLANT`, see `src/sync.rs`), in a
/// process of its own, for loom ends a deadlock by aborting: all must fail. What a model does after it has failed,
/// with a channel in pieces, does not count.
pub fn expect_failures(planted: &[(&str, &str)]) {
    for (flaw, model) in planted {
        let mut run = Command::new(std::env::current_exe().unwrap());
        run.args([model, "--exact", "--nocapture"]).env("WYN_PLANT", flaw).env("RUST_BACKTRACE", "0");
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let fails = lines.any(|line| line.is_ok_and(|line| line.contains("panicked at")));
        let _ = child.kill();
        child.wait().unwrap();
        assert!(fails, "{flaw} goes unnoticed in {model}");
    }
}
