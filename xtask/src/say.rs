//! What the commands print: `say!` a line of what was asked for, [`text`] a whole table of it, `note!` how it goes.
//!
//! Whoever reads may have had enough (`| head`). That is no failure, and what is under way goes on: a record is
//! written though nobody reads its table. `println!` and its kin would panic, and clippy refuses them here.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Prints a line to standard output.
macro_rules! say {
    ($($words:tt)*) => { $crate::say::text(format_args!("{}\n", format_args!($($words)*))) };
}

/// Prints a line to standard error.
macro_rules! note {
    ($($words:tt)*) => { $crate::say::aside(format_args!("{}\n", format_args!($($words)*))) };
}

/// Prints to standard output, with no line end of its own.
pub(crate) fn text(text: impl std::fmt::Display) {
    print(stdout().lock(), format_args!("{text}"));
}

/// The same to standard error: what [`note`] expands to.
pub(crate) fn aside(words: Arguments<'_>) {
    print(stderr().lock(), words);
}

fn print(mut to: impl Write, words: Arguments<'_>) {
    match to.write_fmt(words) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("cannot print: {error}"),
        _ => {}
    }
}
