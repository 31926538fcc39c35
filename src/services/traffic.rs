//! The traffic of a transport, as statistics have it.

use crate::engine::Traffic;
use crate::http::Transport;

/// What `transport` has sent and kept back so far.
pub(crate) fn of(transport: &Transport) -> Traffic {
    let counters = transport.counters();
    Traffic {
        quota_left: transport.quota_left(),
        delayed: counters.delayed,
        withheld: counters.withheld,
        retries_withheld: counters.retries_withheld,
        ..Traffic::new(counters.requests, counters.retries)
    }
}
