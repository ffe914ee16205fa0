//! The allocator, and how it gives memory back.
//!
//! mimalloc returns free memory to the system only while something is allocated or freed. After a
//! crowd has left, nothing is, so it has to be told. Unsafe, since its crate offers no safe call.
#![allow(unsafe_code)]

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Gives the free memory of this thread back to the system, and what threads share.
pub(crate) fn give_back() {
    // SAFETY: it may be called at any time from any thread, and takes no pointers (mimalloc.h).
    unsafe { libmimalloc_sys::mi_collect(true) }
}
