//! What the scenario tests share: runtimes, gates, drop counters, a watchdog, child processes, seeds.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use wyn_sched::Runtime;

/// The numbers of workers most scenarios are run with: one, as many as processors here, and far more.
pub(crate) const WORKERS: [usize; 4] = [1, 2, 8, 64];

pub(crate) fn runtime(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).build().expect("a runtime starts")
}

/// Keeps threads waiting until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn wait(&self) {
        let (open, opened) = &*self.0;
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
    }

    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// Counts what lives of the tokens it gave out.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<[AtomicUsize; 2]>);

impl Counter {
    pub(crate) fn token(&self) -> Token {
        self.0[0].fetch_add(1, Ordering::SeqCst);
        Token(self.clone())
    }

    pub(crate) fn made(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    pub(crate) fn dropped(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }

    /// Waits until every token was dropped, each once.
    #[track_caller]
    pub(crate) fn assert_all_dropped(&self) {
        wait_until("every token is dropped", || self.dropped() >= self.made());
        assert_eq!(self.dropped(), self.made(), "dropped more often than made");
    }
}

/// Something to capture, return or panic with: its drop is counted.
#[derive(Debug)]
pub(crate) struct Token(Counter);

impl std::fmt::Debug for Counter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Counter({}/{})", self.dropped(), self.made())
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.0[1].fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a condition for 20 s.
#[track_caller]
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Runs `f` on a thread with this stack, so that the test's own 2 MiB do not matter.
pub(crate) fn with_stack(bytes: usize, f: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(bytes).spawn(f).unwrap();
    if let Err(payload) = thread.join() {
        std::panic::resume_unwind(payload);
    }
}

/// Aborts the process, with a dump of its threads, if it is not dropped in time.
pub(crate) struct Watchdog {
    alive: Option<Sender<()>>,
}

/// A hang is a failure: `seconds` are far more than the scenario needs.
#[must_use]
pub(crate) fn watchdog(seconds: u64) -> Watchdog {
    let (alive, news) = channel::<()>();
    let name = thread::current().name().unwrap_or("?").to_owned();
    thread::spawn(move || {
        let _wakes_nobody = wyn_sched::bystander();
        if news.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            bite(&format!("{name}: hangs since {seconds} s"));
        }
    });
    Watchdog { alive: Some(alive) }
}

/// The same, as long as `progress` does not move for two seconds.
#[must_use]
pub(crate) fn watch_progress(what: String, progress: Arc<AtomicUsize>) -> Watchdog {
    let (alive, news) = channel::<()>();
    let patience = env_number("WYN_PATIENCE_MS").unwrap_or(2000);
    thread::spawn(move || {
        let mut seen = usize::MAX;
        while news.recv_timeout(Duration::from_millis(patience)) == Err(RecvTimeoutError::Timeout) {
            let now = progress.load(Ordering::SeqCst);
            if now == seen {
                bite(&format!("{what}: no progress for {patience} ms after {now} steps"));
            }
            seen = now;
        }
    });
    Watchdog { alive: Some(alive) }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.alive.take());
    }
}

fn bite(what: &str) -> ! {
    eprintln!("watchdog: {what}");
    for thread in threads("") {
        eprintln!("  {thread:?}");
    }
    std::process::abort();
}

/// What the kernel says of one thread of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ThreadFacts {
    pub(crate) tid: u32,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) switches: u64,
    /// Time on a processor in nanoseconds.
    pub(crate) cpu: u64,
}

/// The threads of this process whose names start so, by id. Empty where there is no `/proc`.
pub(crate) fn threads(prefix: &str) -> Vec<ThreadFacts> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let mut found: Vec<_> = tasks
        .filter_map(|task| thread_facts(&task.ok()?.path()))
        .filter(|thread| thread.name.starts_with(prefix))
        .collect();
    found.sort_by_key(|thread| thread.tid);
    found
}

fn thread_facts(path: &std::path::Path) -> Option<ThreadFacts> {
    let status = std::fs::read_to_string(path.join("status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line[name.len()..].trim().to_owned())
    };
    let schedstat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
    let switches = |name| field(name).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    Some(ThreadFacts {
        tid: path.file_name()?.to_str()?.parse().ok()?,
        name: field("Name:")?,
        state: field("State:")?,
        switches: switches("voluntary_ctxt_switches:") + switches("nonvoluntary_ctxt_switches:"),
        cpu: schedstat.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0),
    })
}

pub(crate) fn env_number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

const CHILD: &str = "WYN_TEST_CHILD";

/// Runs `body` in a process of its own: the test `name`, started again by itself. `body` may change limits,
/// count threads, or exit with 0.
pub(crate) fn in_child(name: &str, environment: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var(CHILD).is_ok_and(|child| child == name) {
        let _dog = watchdog(60);
        return body();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, name);
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "the child ended with {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Small, seeded, and good enough to choose between a few ways. Marsaglia's xorshift.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Of `WYN_SEED`, or of the clock; prints it, so that a failure can be repeated.
    pub(crate) fn seeded(test: &str) -> Self {
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = env_number("WYN_SEED").unwrap_or_else(|| clock.map_or(1, |t| t.subsec_nanos().into()));
        eprintln!("{test}: WYN_SEED={seed}");
        Self::new(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n.max(1)
    }
}
