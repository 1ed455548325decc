//! Planted violations: each rule must find its own, and nothing in the clean version.

use super::{Place, check_file, lexer, rules};

fn findings(source: &str, place: Place) -> Vec<String> {
    check_file(&lexer::lines(source), place).into_iter().map(|f| format!("{}: {}", f.line, f.what)).collect()
}

fn library(source: &str) -> Vec<String> {
    findings(source, Place::Library)
}

#[test]
fn an_unsafe_block_needs_its_comment() {
    assert_eq!(library("fn f() {\n    unsafe { g() }\n}").len(), 1);
    assert_eq!(library("fn f() {\n    // SAFETY: g asks for nothing.\n    unsafe { g() }\n}"), [""; 0]);
    assert_eq!(library("fn f() {\n    // This is safe.\n    unsafe { g() }\n}").len(), 1);
}

#[test]
fn a_string_that_says_safety_is_no_comment() {
    assert_eq!(library("fn f() {\n    let _ = \"// SAFETY: no\";\n    unsafe { g() }\n}").len(), 1);
}

#[test]
fn the_brace_may_stand_on_the_next_line() {
    assert_eq!(library("let x = unsafe\n{ g() };").len(), 1);
}

#[test]
fn an_unsafe_impl_needs_its_comment() {
    assert_eq!(library("unsafe impl Send for X {}").len(), 1);
    assert_eq!(
        library("// SAFETY: X owns what it points to.\n#[cfg(unix)]\nunsafe impl Send for X {}"),
        [""; 0]
    );
}

#[test]
fn an_unsafe_declaration_says_what_it_asks_for() {
    assert_eq!(library("unsafe fn f() {}").len(), 1);
    assert_eq!(library("pub unsafe extern \"C\" fn f() {}").len(), 1);
    assert_eq!(library("unsafe trait T {}").len(), 1);
    assert_eq!(library("/// # Safety\n/// - `p` is valid.\nunsafe fn f(p: *const u8) {}"), [""; 0]);
    assert_eq!(library("struct S { call: unsafe fn(*mut ()), c: unsafe extern \"C\" fn(i32) }"), [""; 0]);
}

#[test]
fn foreign_blocks_and_attributes_count() {
    assert_eq!(library("unsafe extern \"C\" { fn f(); }").len(), 1);
    assert_eq!(library("#[unsafe(no_mangle)]\nfn f() {}").len(), 1);
}

#[test]
fn a_long_argument_directly_above_counts_whole() {
    let long = "// and more\n".repeat(20);
    assert_eq!(library(&format!("// SAFETY: one\n{long}unsafe {{ f() }}")), [""; 0]);
    let far = "f();\n".repeat(20);
    assert_eq!(library(&format!("// SAFETY: one\n{far}unsafe {{ f() }}")).len(), 1);
}

#[test]
fn an_ordering_needs_its_comment() {
    assert_eq!(library("fn f() {\n    x.load(Relaxed);\n}").len(), 1);
    assert_eq!(library("fn f() {\n    x.store(1, Ordering::SeqCst);\n}").len(), 1);
    assert_eq!(library("// Ordering: publishes nothing.\nx.load(Relaxed);\ny.load(Relaxed);"), [""; 0]);
    let far = "f();\n".repeat(11);
    assert_eq!(library(&format!("// Ordering: one\n{far}x.load(Acquire);")).len(), 1);
}

#[test]
fn imports_and_test_modules_name_orderings_freely() {
    assert_eq!(library("use crate::sync::{\n    AtomicU64,\n    Ordering::{Acquire, Release},\n};"), [""; 0]);
    assert_eq!(library("#[cfg(test)]\nmod tests {\n    fn f() { x.load(Relaxed); }\n}"), [""; 0]);
    let after = "#[cfg(test)]\nmod tests {\n    fn f() { { } }\n}\nfn g() { x.load(Relaxed); }";
    assert_eq!(library(after), ["5: `Relaxed` without an `// Ordering:` comment"]);
    assert_eq!(library("#[cfg(test)]\nfn f() { x.load(Relaxed); }").len(), 1);
    assert_eq!(library("#[cfg(test)]\nmod tests;\nfn f() { x.load(Relaxed); }").len(), 1);
}

#[test]
fn only_sync_names_atomics() {
    let source = "use std::sync::atomic::AtomicU64;";
    assert_eq!(library(source), ["1: `std::sync::atomic` outside sync.rs"]);
    assert_eq!(findings(source, Place::Sync), [""; 0]);
    assert_eq!(findings(source, Place::Program), [""; 0]);
    assert_eq!(library("fn f(x: &core :: sync :: atomic::AtomicU8) {}").len(), 1);
    assert_eq!(library("// std::sync::atomic is named in sync.rs"), [""; 0]);
}

#[test]
fn a_file_ends_in_time() {
    assert_eq!(library(&"f();\n".repeat(rules::MAX_LINES)), [""; 0]);
    assert_eq!(library(&"f();\n".repeat(rules::MAX_LINES + 1)).len(), 1);
}

#[test]
fn the_root_confines_unsafe() {
    assert!(rules::confines_unsafe(&lexer::lines("//! x\n#![deny(unsafe_code)]")));
    assert!(!rules::confines_unsafe(&lexer::lines("// #![deny(unsafe_code)]")));
    assert!(rules::uses_unsafe(&lexer::lines("unsafe { f() }")));
    assert!(!rules::uses_unsafe(&lexer::lines("#![deny(unsafe_code)] // unsafe")));
}

#[test]
fn unverified_arguments_are_counted() {
    assert_eq!(rules::unverified(&lexer::lines("// SAFETY: UNVERIFIED because of y\nunsafe { f() }")), 1);
}
