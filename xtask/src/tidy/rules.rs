//! The rules, each a function from the lines of one file to what is wrong with it.

use super::lexer::Line;

/// How far above its code a `SAFETY:` comment may stand when other lines are in between.
const SAFETY_REACH: usize = 8;
/// How far one `Ordering:` comment reaches: it may cover a short run of accesses.
const ORDERING_REACH: usize = 10;
/// Files one reads in a sitting.
pub(crate) const MAX_LINES: usize = 450;

/// Something wrong: the line, counted from one, and what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Finding {
    fn new(index: usize, what: impl Into<String>) -> Finding {
        Finding { line: index + 1, what: what.into() }
    }
}

/// Every unsafe block, impl and attribute says why it is sound; every unsafe fn says what it asks for.
pub(crate) fn safety(lines: &[Line]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for (at, _) in words(&line.code).filter(|&(_, word)| word == "unsafe") {
            let what = match what_follows(lines, index, at + "unsafe".len()).as_str() {
                "{" => "unsafe block",
                "impl" => "unsafe impl",
                "extern" if opens_block(lines, index, at) => "unsafe extern block",
                "(" => "unsafe attribute",
                "fn" | "extern" | "trait" if declares(lines, index, at) => "unsafe declaration",
                _ => continue,
            };
            let declaration = what == "unsafe declaration";
            let explained =
                |comment: &str| comment.contains("SAFETY:") || (declaration && comment.contains("# Safety"));
            if !explained_above(lines, index, SAFETY_REACH, explained) {
                found.push(Finding::new(index, format!("{what} without a `// SAFETY:` comment")));
            }
        }
    }
    found
}

/// Every access that names an ordering says why that one.
pub(crate) fn orderings(lines: &[Line]) -> Vec<Finding> {
    const NAMES: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];
    let mut found = Vec::new();
    let skipped = uses_and_tests(lines);
    for (index, line) in lines.iter().enumerate() {
        if skipped[index] {
            continue;
        }
        let Some((_, name)) = words(&line.code).find(|(_, word)| NAMES.contains(word)) else { continue };
        if !explained_above(lines, index, ORDERING_REACH, |comment| comment.contains("Ordering:")) {
            found.push(Finding::new(index, format!("`{name}` without an `// Ordering:` comment")));
        }
    }
    found
}

/// Only `sync.rs` names the atomics, so that one file decides whose they are.
pub(crate) fn atomics_named(lines: &[Line]) -> Vec<Finding> {
    const PATHS: [&str; 4] = ["std::sync::atomic", "core::sync::atomic", "loom::sync", "loom::cell"];
    let tests = test_modules(lines);
    let named = |line: &Line| {
        let code: String = line.code.split_whitespace().collect();
        PATHS.iter().find(|path| code.contains(**path)).copied()
    };
    let outside_tests = lines.iter().enumerate().filter(|(index, _)| !tests[*index]);
    outside_tests
        .filter_map(|(index, line)| {
            let path = named(line)?;
            Some(Finding::new(index, format!("`{path}` outside sync.rs")))
        })
        .collect()
}

/// A file is short enough to be read.
pub(crate) fn length(lines: &[Line]) -> Vec<Finding> {
    // A final line feed opens an empty last line.
    let count = lines.len() - usize::from(lines.last().is_some_and(|line| *line == Line::default()));
    if count <= MAX_LINES {
        return Vec::new();
    }
    vec![Finding::new(count - 1, format!("{count} lines; {MAX_LINES} at most"))]
}

/// Whether the file holds the keyword `unsafe` at all.
pub(crate) fn uses_unsafe(lines: &[Line]) -> bool {
    lines.iter().any(|line| words(&line.code).any(|(_, word)| word == "unsafe"))
}

/// Whether the crate root forbids unsafe code or confines it to named modules.
pub(crate) fn confines_unsafe(lines: &[Line]) -> bool {
    let code: String = lines.iter().flat_map(|line| line.code.split_whitespace()).collect();
    code.contains("#![deny(unsafe_code)]") || code.contains("#![forbid(unsafe_code)]")
}

/// How many safety arguments are marked as not yet verified.
pub(crate) fn unverified(lines: &[Line]) -> usize {
    lines.iter().filter(|line| line.comment.contains("SAFETY: UNVERIFIED")).count()
}

/// The identifiers and keywords of a line with their byte offsets.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let start = rest + code[rest..].find(is_word)?;
        let end = code[start..].find(|c| !is_word(c)).map_or(code.len(), |len| start + len);
        rest = end;
        Some((start, &code[start..end]))
    })
}

/// The code from a place on, over the next few lines.
fn code_from(lines: &[Line], index: usize, at: usize) -> String {
    let mut text = lines[index].code[at..].to_owned();
    for line in lines[index + 1..].iter().take(6) {
        text.push(' ');
        text.push_str(&line.code);
    }
    text
}

/// The next word or the next symbol.
fn what_follows(lines: &[Line], index: usize, at: usize) -> String {
    let text = code_from(lines, index, at);
    let text = text.trim_start();
    match words(text).next() {
        Some((0, word)) => word.to_owned(),
        _ => text.chars().take(1).collect(),
    }
}

/// Whether `unsafe extern` opens a block of foreign items rather than a function or its type.
fn opens_block(lines: &[Line], index: usize, at: usize) -> bool {
    let text = code_from(lines, index, at);
    let after: String =
        text.trim_start_matches("unsafe").trim_start().trim_start_matches("extern").to_owned();
    after.trim_start().trim_start_matches("\"\"").trim_start().starts_with('{')
}

/// Whether `unsafe fn` or `unsafe trait` declares something; a function pointer type has no name.
fn declares(lines: &[Line], index: usize, at: usize) -> bool {
    let text = code_from(lines, index, at);
    let mut names = words(&text).map(|(_, word)| word).skip_while(|word| !matches!(*word, "fn" | "trait"));
    let Some(keyword) = names.next() else { return false };
    let from = text.find(&format!("{keyword} ")).map_or("", |start| &text[start + keyword.len()..]);
    names.next().is_some() && from.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Whether a comment beside the code, within reach above it, or in the block of comments and attributes
/// right above it says so.
fn explained_above(lines: &[Line], index: usize, reach: usize, says: impl Fn(&str) -> bool) -> bool {
    if lines[index.saturating_sub(reach)..=index].iter().any(|line| says(&line.comment)) {
        return true;
    }
    let above = lines[..index].iter().rev();
    above.take_while(|line| line.is_comment_or_attribute()).any(|line| says(&line.comment))
}

/// Lines that only import, or that lie in a test module: their orderings publish nothing.
fn uses_and_tests(lines: &[Line]) -> Vec<bool> {
    let mut marks = test_modules(lines);
    let mut importing = false;
    for (mark, line) in marks.iter_mut().zip(lines) {
        let code = line.code.trim_start();
        let opens =
            ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|u| code.starts_with(u));
        importing |= opens;
        *mark |= importing;
        if importing && code.contains(';') {
            importing = false;
        }
    }
    marks
}

/// The lines of modules under `#[cfg(test)]` (also `all(test, …)`), found by counting braces.
fn test_modules(lines: &[Line]) -> Vec<bool> {
    let mut marks = vec![false; lines.len()];
    let mut index = 0;
    while index < lines.len() {
        let code: String = lines[index].code.split_whitespace().collect();
        let test = code.starts_with("#[cfg(test)]") || code.starts_with("#[cfg(all(test,");
        if !test || what_is_marked(lines, index) != Some("mod") {
            index += 1;
            continue;
        }
        let mut depth = 0_i64;
        let mut opened = false;
        while index < lines.len() {
            marks[index] = true;
            let code = &lines[index].code;
            depth += count(code, '{') - count(code, '}');
            opened |= code.contains('{');
            let declared = !opened && code.contains(';');
            index += 1;
            if declared || (opened && depth <= 0) {
                break;
            }
        }
    }
    marks
}

/// The keyword after the attributes that start at `index`.
fn what_is_marked(lines: &[Line], index: usize) -> Option<&str> {
    let mut code = lines[index..].iter().map(|line| line.code.trim());
    let item = code.find(|code| !code.is_empty() && !code.starts_with("#["))?;
    words(item).map(|(_, word)| word).find(|word| !matches!(*word, "pub" | "crate" | "super"))
}

fn count(code: &str, wanted: char) -> i64 {
    i64::try_from(code.matches(wanted).count()).unwrap_or(i64::MAX)
}
