//! A test harness for tests that need a process to themselves: `main` is the test's own thread, and there is no other.
//!
//! It speaks as much of libtest's language as cargo-nextest needs; started by hand, or by `cargo test`, it runs each test
//! in a process of its own, one after the other.

use std::process::{Command, ExitCode};

/// A test and its name.
pub(crate) type Test = (&'static str, fn());

/// Lists tests as [`run`] takes them.
macro_rules! tests {
    ($($name:ident)*) => { &[$((stringify!($name), $name as fn())),*] };
}
pub(crate) use tests;

/// The body of `main`.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let is_wanted = |name: &str| wanted.is_none_or(|part| name.contains(part.as_str()));
    if has("--list") {
        if !has("--ignored") {
            tests.iter().for_each(|(name, _)| println!("{name}: test"));
        }
        return ExitCode::SUCCESS;
    }
    if has("--exact") {
        let test = tests.iter().find(|(name, _)| Some(*name) == wanted.map(String::as_str));
        test.expect("a test of this name").1();
        return ExitCode::SUCCESS;
    }
    let fails = |name: &&str| {
        println!("test {name}");
        let status = Command::new(std::env::current_exe().unwrap()).args([name, "--exact"]).status();
        !status.is_ok_and(|status| status.success())
    };
    let names = tests.iter().map(|(name, _)| *name).filter(|name| is_wanted(name));
    let failed: Vec<_> = names.filter(fails).collect();
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {failed:?}");
    ExitCode::FAILURE
}
