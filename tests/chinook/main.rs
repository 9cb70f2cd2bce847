//! The Chinook data, loaded from JSON and compared with the ready-made database.
//!
//! The data lies beside the workspace, or where `ORM_CHINOOK_DATA` says. Where it is absent these
//! tests say so and pass; in CI (`CI=true`) its absence is a failure. The tests of what can go
//! wrong with a file bring their own.

mod data;
mod failures;
mod loading;
mod reports;
