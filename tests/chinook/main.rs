//! The Chinook data on every database: loaded from JSON, and in the ready-made forms.
//!
//! The data lies beside the workspace, or where `ORM_CHINOOK_DATA` says. Where it is absent these
//! tests say so and pass; in CI (`CI=true`) its absence is a failure. The tests of what can go
//! wrong with a file bring their own.

mod concurrency;
mod data;
mod differential;
mod edits;
mod failures;
mod loading;
mod reports;
