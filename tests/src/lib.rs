//! What the suite's tests share: a database of their own on every backend, and the statement log
//! in a form that reads the same everywhere.
//!
//! A test is written once, inside [`backend_tests!`], and runs on every backend. Where backends
//! differ it asks a capability, never the backend's name.
//!
//! SQLite is always there. PostgreSQL and MariaDB are looked for where `ORM_TEST_POSTGRES_URL` and
//! `ORM_TEST_MYSQL_URL` say, or else at their usual ports on this machine. A server that is
//! missing fails its tests in CI (`CI=true`); elsewhere one line on standard error says that they
//! are passed over. `cargo test -p orm-tests -- sqlite` runs those that need no server.

mod backend;
mod database;
mod log;
mod macros;
mod options;
mod polls;
mod proxy;
mod read_backs;
mod server;
mod sql;
mod transactions;

pub use backend::{Backend, Capabilities};
pub use database::{Database, run};
pub use log::Log;
pub use options::EngineOptions;
pub use polls::{dropped_after, dropped_when};
pub use proxy::{Fault, Proxy, Side};
pub use sql::{plain, summary};
