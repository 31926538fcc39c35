//! The relay of what several listeners hear to one: for a snapshot that is put together of several scopes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};

use super::listener::{Listener, Listening, listen};
use super::topic::Topic;

/// Listens with each of `begin` that has something to listen to, and says to `listener` what they hear. It is connected when all of
/// them are: a scope that tells nothing must be polled.
pub(crate) fn relay<B>(listener: Listener, begin: impl Iterator<Item = B>) -> Option<Listening>
where
    B: FnOnce(Listener) -> Option<Listening>,
{
    let (mut parts, mut all_tell) = (Vec::new(), true);
    for begin in begin {
        let topic = Arc::new(Topic::default());
        match begin(Listener::new(&topic)) {
            Some(listening) => parts.push((topic, listening)),
            None => all_tell = false,
        }
    }
    if parts.is_empty() {
        return None;
    }
    let topics: Vec<_> = parts.iter().map(|(topic, _)| Arc::clone(topic)).collect();
    Some(Box::pin(async move {
        let connected = AtomicBool::new(false);
        let pass_on = |told: bool| {
            let now = all_tell && topics.iter().all(|topic| topic.listens());
            match (connected.swap(now, Ordering::Relaxed), now) {
                (false, true) => listener.connected(),
                (true, false) => listener.lost(),
                _ => {}
            }
            if told {
                listener.changed();
            }
        };
        let pass_on = &pass_on;
        join_all(parts.into_iter().map(|(topic, listening)| async move {
            let relaying = async {
                loop {
                    topic.changed().await;
                    pass_on(topic.was_told());
                }
            };
            join(listen(Some(listening), &topic), relaying).await
        }))
        .await;
    }))
}
