//! The turn of other tasks: a loop over reads that hit the cache never waits, and would keep its thread to itself.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::task::coop;

/// So many hits cost one unit of the budget that Tokio gives a task between two turns of the others. A unit for each hit would cost
/// as much as the hit.
const HITS_A_UNIT: u8 = 64;

/// The hits of one reader.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hits(u8);

impl Hits {
    /// Counts a hit that is about to be served. Pending, and the task woken, when it is the turn of other tasks. Outside a Tokio
    /// task it is never pending.
    #[inline]
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.0 < HITS_A_UNIT {
            self.0 += 1;
            return Poll::Ready(());
        }
        self.spend(context)
    }

    #[cold]
    fn spend(&mut self, context: &mut Context<'_>) -> Poll<()> {
        ready!(coop::poll_proceed(context)).made_progress();
        self.0 = 1;
        Poll::Ready(())
    }
}

thread_local! {
    static OF_THIS_THREAD: Cell<Hits> = const { Cell::new(Hits(0)) };
}

/// [`Hits::poll_next`] for reads that share no handle: what runs on one thread is counted together.
#[inline]
pub(crate) fn poll_next(context: &mut Context<'_>) -> Poll<()> {
    OF_THIS_THREAD.with(|shared| {
        let mut hits = shared.get();
        let turn = hits.poll_next(context);
        shared.set(hits);
        turn
    })
}

/// [`poll_next`] for an async function.
pub(crate) async fn next() {
    poll_fn(poll_next).await;
}
