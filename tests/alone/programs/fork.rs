//! A child process that goes on with this one's memory.

/// Does one thing in a child that is forked here and another in this process, at the same time, and says whether each
/// succeeded. Only for a process of one thread.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // there is no safe fork
pub fn both(in_child: impl FnOnce() -> bool, here: impl FnOnce() -> bool) -> (bool, bool) {
    unsafe extern "C" {
        fn fork() -> i32;
        fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    }
    // SAFETY: this process has one thread, so no lock is held that the child would wait for.
    let child = unsafe { fork() };
    if child == 0 {
        std::process::exit(i32::from(!in_child()));
    }
    let here = here();
    let mut status = -1;
    // SAFETY: the status lives until this returns.
    let ended = unsafe { waitpid(child, &raw mut status, 0) };
    (child > 0 && ended == child && status == 0, here)
}

#[cfg(not(target_os = "linux"))]
pub fn both(_: impl FnOnce() -> bool, _: impl FnOnce() -> bool) -> (bool, bool) {
    (false, false)
}
