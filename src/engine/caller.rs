//! Whether the thread drives a runtime of its own for as long as its call takes, as the blocking client's callers do.

use std::cell::Cell;

thread_local!(static DRIVES: Cell<bool> = const { Cell::new(false) });

/// Runs `call`, in which everything happens on the caller's time.
#[cfg(feature = "blocking")]
pub(crate) fn driving<T>(call: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            // a thread that is ending has nothing to restore
            let _ = DRIVES.try_with(|drives| drives.set(self.0));
        }
    }
    let _before = Before(DRIVES.try_with(|drives| drives.replace(true)).unwrap_or_default());
    call()
}

/// Whether the caller is in such a call.
pub(crate) fn drives() -> bool {
    DRIVES.try_with(Cell::get).unwrap_or_default()
}
