//! Ends the process when no program moves any more, and says which one it was and where it stands.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use super::run::{Program, STEPS};
use crate::common::{env_number, threads};

/// What runs at the moment.
#[derive(Default)]
struct Present {
    what: String,
    program: Weak<Program>,
}

pub(crate) struct Watch {
    present: Arc<Mutex<Present>>,
    _alive: Sender<()>,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let present = Arc::new(Mutex::new(Present::default()));
        let (alive, news) = channel::<()>();
        let seen = Arc::clone(&present);
        thread::spawn(move || {
            let _wakes_nobody = wyn_sched::bystander();
            let patience = env_number("WYN_PATIENCE_MS").unwrap_or(10_000);
            let mut before = u64::MAX;
            while news.recv_timeout(Duration::from_millis(patience)) == Err(RecvTimeoutError::Timeout) {
                let now = STEPS.load(Ordering::Relaxed);
                if now == before {
                    bite(&seen.lock().unwrap(), patience);
                }
                before = now;
            }
        });
        Self { present, _alive: alive }
    }

    /// `what` names a program; it is printed if this is dropped in a panic as well.
    pub(crate) fn look_at(&self, what: String, program: &Arc<Program>) {
        *self.present.lock().unwrap() = Present { what, program: Arc::downgrade(program) };
    }
}

fn bite(present: &Present, patience: u64) -> ! {
    eprintln!("no step for {patience} ms: {}", present.what);
    if let Some(program) = present.program.upgrade() {
        eprint!("{}", program.describe());
    }
    eprintln!("  {} threads", threads("").len());
    std::process::abort();
}

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("failed: {}", self.present.lock().unwrap().what);
        }
    }
}
