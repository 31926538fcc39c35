//! The service: what the real one answered, answered again to the client and compared with the dev server; and the generated
//! client.

mod dev_server;
mod dev_server_habits;
mod dev_server_persistence;
mod dev_server_races;
mod dev_server_recordings;
mod dev_server_routes;
mod dev_server_seed;
mod dev_server_state;
mod raw;
mod recorded;
mod replay_manage;
mod replay_raw;
mod replay_reads;
mod replay_rows;
mod replay_writes;
mod support;
mod wire_raw;
