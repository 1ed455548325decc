//! The bounds of stacks, as Linux and its C library tell them.

use std::io::Error;
use std::mem::MaybeUninit;
use std::ptr;

use super::{Bounds, LEAST};

/// The end of a main thread's stack that is looked up for nothing: asking for its bounds costs 50 microseconds, since the C
/// library reads them from `/proc`. The kernel gives every process more than twice as much.
const TOP: usize = 64 * 1024;

/// The top of the main thread's stack, if the calling thread is there.
pub(super) fn top_of_main(here: usize) -> Option<Bounds> {
    // SAFETY: no preconditions.
    let process = unsafe { libc::getpid() };
    // SAFETY: no preconditions.
    let is_main = unsafe { libc::gettid() } == process;
    // The kernel puts the name of the program at the top of the first stack.
    // SAFETY: no preconditions.
    let high = usize::try_from(unsafe { libc::getauxval(libc::AT_EXECFN) }).ok()?;
    let top = Bounds { low: high.checked_sub(TOP)?, high };
    (is_main && top.contains(here)).then_some(top)
}

/// The calling thread's own stack.
pub(super) fn own() -> Option<Bounds> {
    let mut attr = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: no preconditions.
    let own = unsafe { libc::pthread_self() };
    // SAFETY: writes the attributes of the calling thread, which exists.
    if unsafe { libc::pthread_getattr_np(own, attr.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut low, mut size) = (ptr::null_mut(), 0);
    // SAFETY: initialised above; the out-pointers are ours.
    let known = unsafe { libc::pthread_attr_getstack(attr.as_ptr(), &raw mut low, &raw mut size) } == 0;
    // SAFETY: initialised above, destroyed once.
    unsafe { libc::pthread_attr_destroy(attr.as_mut_ptr()) };
    known.then(|| Bounds { low: low.addr(), high: low.addr().saturating_add(size) })
}

/// The mapping that a foreign stack is in: writable, of no file, and guarded by one that is not to be touched. Without such
/// a guard nobody can tell where the stack ends.
pub(super) fn mapping(here: usize) -> Option<Bounds> {
    find(&std::fs::read_to_string("/proc/self/maps").ok()?, here)
}

pub(super) fn find(maps: &str, here: usize) -> Option<Bounds> {
    let mut guard = None;
    for line in maps.lines() {
        let mut fields = line.split_ascii_whitespace();
        let (low, high) = fields.next()?.split_once('-')?;
        let (low, high) = (usize::from_str_radix(low, 16).ok()?, usize::from_str_radix(high, 16).ok()?);
        let rights = fields.next()?;
        if here < low {
            return None;
        }
        if here < high {
            // Behind the rights: offset, device, inode; then the file, or a name in brackets.
            let is_heap = fields.nth(3).is_some_and(|name| !name.starts_with("[anon:"));
            return (rights.starts_with("rw") && !is_heap && guard == Some(low))
                .then_some(Bounds { low, high });
        }
        guard = rights.starts_with("---").then_some(high);
    }
    None
}

/// Whether all from `low` up to the page of `here`, which is on the caller's stack, is one mapping, so that it can be
/// written like that page. Changes nothing.
///
/// A stack that has been replaced by a smaller one is not: what guards the new one lies in between.
pub(super) fn is_one_mapping(low: usize, here: usize) -> bool {
    // SAFETY: no preconditions.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(LEAST);
    let len = (here / page * page).saturating_sub(low);
    let start = ptr::without_provenance_mut(low);
    // Growing in place is refused in any case, since the page of `here` is in the way; before that, with another error,
    // if the old part is not in one mapping. The C library musl looks for the end of a stack like this.
    // SAFETY: as just said, no mapping changes.
    let grown = unsafe { libc::mremap(start, len, len + page, 0) };
    len > 0 && grown == libc::MAP_FAILED && Error::last_os_error().raw_os_error() == Some(libc::ENOMEM)
}
