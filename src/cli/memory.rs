//! What the C library is told of memory before anything else: to give back what is freed.
//!
//! glibc maps a large buffer by itself, and unmaps it when it is freed; but with the first one that is freed it raises the
//! bound of what counts as large (mallopt(3), `M_MMAP_THRESHOLD`). From then on pages of logs, some MiB each, come to lie
//! among the lines that stay, and the heap keeps their room. And each thread begins a heap of its own (`M_ARENA_MAX`),
//! although a line is made by one of them and freed by another. A bound that is set stays. It can be set by the
//! environment, which is read as a process begins.

use crate::config::{Environment, begin_again};

/// The bound of what is large, at which glibc begins, bytes; the number of heaps; and that this was done. A program with
/// rights of its own does not find the first two again, and would begin for ever.
const SETTINGS: [(&str, &str); 3] =
    [("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_ARENA_MAX", "1"), ("PAGERDECK_BOUNDED", "1")];
/// The other way of setting them.
const TUNABLES: &str = "GLIBC_TUNABLES";

/// Lets the program begin once more in this process, with the bounds set. Returns where one is set already or by another's
/// choice, where there is no glibc, and where that fails: then the session only needs more memory.
pub fn bound(env: &Environment) {
    let has_bounds = cfg!(all(target_os = "linux", target_env = "gnu"));
    let is_set = |name: &str| env.get(name).is_some();
    if !has_bounds || is_set(TUNABLES) || SETTINGS.iter().any(|(name, _)| is_set(name)) {
        return;
    }
    // It comes back only with an error.
    let _ = begin_again(SETTINGS);
}
