//! How many threads the process has.

/// At one instant; `None` where the system does not say.
#[cfg(target_os = "linux")]
pub(super) fn threads() -> Option<usize> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the name in brackets, which may hold anything; the number is the 20th.
    let rest = stat.get(stat.rfind(')')? + 1..)?;
    rest.split_ascii_whitespace().nth(17)?.parse().ok()
}

/// The same.
#[cfg(not(target_os = "linux"))]
pub(super) fn threads() -> Option<usize> {
    None
}
