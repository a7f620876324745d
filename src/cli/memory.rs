//! What the C library is told of memory before anything else: to give back what is freed, and to be quick about lines.
//!
//! glibc maps a large buffer by itself, and unmaps it when it is freed; but with the first one that is freed it raises the
//! bound of what counts as large (mallopt(3), `M_MMAP_THRESHOLD`). From then on pages of logs, some MiB each, come to lie
//! among the lines that stay, and the heap keeps their room. Each thread begins a heap of its own (`M_ARENA_MAX`), although
//! a line is made by one of them and freed by another. And small pieces that are freed wait by size, to be joined all at once
//! when something large is asked for (`M_MXFAST`): with a ring of lines that is each page, and takes a third of the time that
//! the lines themselves take. A bound that is set stays. It can be set by the environment, which is read as a process begins.

use crate::config::{Environment, begin_again};

/// The name of glibc's tunables (The GNU C Library, "Memory Allocation Tunables").
pub const TUNABLES: &str = "GLIBC_TUNABLES";
/// The bound of what is large, at which glibc begins, bytes; the number of heaps; and that what is freed is joined at once.
pub const BOUNDS: &str = "glibc.malloc.mmap_threshold=131072:glibc.malloc.arena_max=1:glibc.malloc.mxfast=0";
/// That this was done. A program with rights of its own does not find the tunables again, and would begin for ever.
const DONE: &str = "PAGERDECK_BOUNDED";
/// Where a person has chosen already.
const CHOSEN: [&str; 4] = [TUNABLES, DONE, "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX"];

/// Lets the program begin once more in this process, with the bounds set. Returns where they are set already or by another's
/// choice, where there is no glibc, and where that fails: then the session only needs more memory.
pub fn bound(env: &Environment) {
    let has_bounds = cfg!(all(target_os = "linux", target_env = "gnu"));
    if !has_bounds || CHOSEN.iter().any(|name| env.get(name).is_some()) {
        return;
    }
    // It comes back only with an error.
    let _ = begin_again([(TUNABLES, BOUNDS), (DONE, "1")]);
}
