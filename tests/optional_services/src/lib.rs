//! Tests of the services that are off by default.
