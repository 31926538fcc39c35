//! The reading of files beside the caller's thread, within a deadline.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::core::{ErrorKind, Hint, XtraError, file_reason, thread};

/// The longest that a load waits for the disk.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// Reads on a thread that is gone when the answer is there, unless the disk has not answered by the deadline.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Held by a thread that did not come back in time. While there is one, no other is started: they would only pile up.
    stuck: Mutex<Weak<()>>,
}

impl Reader {
    /// What `work` gives, which reads `path`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        path: &Path,
        deadline: Duration,
        work: impl FnOnce() -> Result<T, XtraError> + Send + 'static,
    ) -> Result<T, XtraError> {
        if self.lock().strong_count() > 0 {
            return Err(too_slow(path));
        }
        let running = Arc::new(());
        let of_thread = Arc::clone(&running);
        let work = move || {
            let done = work();
            drop(of_thread);
            done
        };
        match thread::run_within("xtrasecurity-files", deadline, work).await {
            Ok(done) => done,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                *self.lock() = Arc::downgrade(&running);
                Err(too_slow(path))
            }
            Err(error) => {
                let message =
                    format!("{} was not read: no thread could read it ({})", path.display(), file_reason(error.kind()));
                Err(XtraError::new(ErrorKind::Server, message).with_os_error(&error))
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Weak<()>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_slow(path: &Path) -> XtraError {
    let message = format!("{} could not be read in time: the disk does not answer", path.display());
    XtraError::new(ErrorKind::Timeout, message).with_hint(Hint::Retry)
}

/// A path that does not depend on the working directory, where that can be told.
pub(super) fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_does_not_answer_ends_the_load_and_is_not_asked_again_before_it_has_answered() {
        let (reader, path) = (Reader::default(), Path::new("/secrets"));
        let (release, stuck) = std::sync::mpsc::channel::<()>();
        let (ended, end) = std::sync::mpsc::channel::<()>();
        let soon = Duration::from_millis(20);
        let hang = move || {
            let _ended = ended;
            let _ = stuck.recv();
            Ok(())
        };
        let error = reader.run(path, soon, hang).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Timeout && error.is_retryable(), "{error}");
        let again = reader.run::<()>(path, DEADLINE, || panic!("the thread was started")).await;
        assert_eq!(again.unwrap_err().kind(), ErrorKind::Timeout);
        drop(release);
        let _ = end.recv();
        while reader.lock().strong_count() > 0 {
            std::thread::yield_now();
        }
        assert_eq!(reader.run(path, DEADLINE, || Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_of_the_work_is_an_error() {
        let error = Reader::default().run::<()>(Path::new("/x"), DEADLINE, || panic!("in the work")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
    }
}
