//! Whoever reads the output may leave (`| head`): what is under way goes on.

use std::process::{Command, Output, Stdio};

/// Runs `xtask` with a standard output, and a standard error if `both`, that nobody reads.
fn unread(words: &[&str], both: bool) -> Output {
    let gone = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(words).stdout(gone());
    command.stderr(if both { gone() } else { Stdio::piped() });
    command.output().unwrap()
}

#[test]
fn output_that_nobody_reads_is_no_failure() {
    for words in [&["bench", "rank"][..], &["mutants", "--list"], &["publish", "--list"]] {
        let output = unread(words, false);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.contains("panicked"), "{words:?}: {text}");
    }
}

#[test]
fn neither_are_notes() {
    assert!(unread(&["tidy"], true).status.success());
}
