//! How the allocator of the system treats large buffers.

/// Buffers of this many bytes and more are given back to the system when they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 1 << 20;

/// The C library of GNU raises its limit for such buffers with each one that is freed, up to 32 MiB, and
/// then keeps them in pieces: a fifth of the memory of a scan of folders (`mallopt(3)`).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(
    unsafe_code,
    reason = "sets a number inside the C library; called once, before any thread is started"
)]
pub(super) fn give_back_large_buffers() {
    // SAFETY: the call takes two numbers and keeps neither pointer nor lock.
    let _ = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
}

/// Other allocators do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back_large_buffers() {}
