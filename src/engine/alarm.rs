//! A wait that ends by itself, with a runtime's timer or without.

use std::sync::mpsc::{self, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::cache::Flights;

/// The waits that need a thread, by key: whoever waits at the same time shares one.
pub(crate) struct Alarms(Flights<()>);

impl Default for Alarms {
    fn default() -> Self {
        Self(Flights::new())
    }
}

impl Alarms {
    /// Returns after `wait`, counted from its first poll; without a timer of the runtime, from the first poll of whoever has
    /// begun to wait under this key.
    pub(crate) async fn ring(&self, key: &[u8], wait: Duration, has_timers: bool) {
        if has_timers {
            tokio::time::sleep(wait).await;
        } else {
            self.0.join(key, || by_thread(wait)).await;
        }
    }
}

/// Waits on a thread, which ends with the wait, or with whoever waits. Never returns where no thread can be had.
async fn by_thread(wait: Duration) {
    let (rung, ringing) = oneshot::channel::<()>();
    let Some(_watch) = Watch::start(wait, rung) else { return std::future::pending().await };
    let _ = ringing.await;
}

/// A thread that sleeps.
struct Watch {
    /// The thread ends when this is dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(wait: Duration, rung: oneshot::Sender<()>) -> Option<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let sleep = move || {
            let _ = stopped.recv_timeout(wait);
            let _ = rung.send(());
        };
        let thread = Builder::new().name("xtra-wait".to_owned()).spawn(sleep).ok()?;
        Some(Self { stop: Some(stop), thread: Some(thread) })
    }
}

/// No thread is left behind: what counts threads may come next.
impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn without_a_runtime_it_rings_after_its_time_and_who_goes_away_leaves_no_thread() {
        let alarms = Alarms::default();
        futures_util::future::join_all((0..100).map(|_| alarms.ring(b"k", Duration::from_millis(5), false)))
            .now_or_never()
            .ok_or(())
            .unwrap_err();
        let (done, ringing) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(Alarms::default().ring(b"k", Duration::from_millis(5), false));
            done.send(()).unwrap();
        });
        ringing.recv_timeout(Duration::from_secs(10)).unwrap();
        let mut long = Box::pin(alarms.ring(b"k", Duration::MAX, false));
        assert!((&mut long).now_or_never().is_none());
        drop(long); // joins its thread, or this test never ends
    }

    #[tokio::test(start_paused = true)]
    async fn with_timers_it_is_the_runtime_s_time_that_counts() {
        Alarms::default().ring(b"k", Duration::from_secs(3600), true).await;
    }
}
