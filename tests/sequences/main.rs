//! Random sequences of everything that a session can do, on memory and on the database at once,
//! against a reference that is too simple to be wrong.
//!
//! [`reference`] is the specification: what a session and its database hold, as plain maps
//! ([`tables`]).
//! [`operation`] is what can be done, and [`strategy`] how likely it is. [`world`] does it, on a
//! session and on the reference, and compares the two after every step. [`campaign`] runs many
//! sequences on one database and shrinks one that fails to the few steps that matter.
//!
//! `ORM_TEST_SEQUENCES=100000` makes a run long, and tells its seed and how far it is;
//! `ORM_TEST_SEED` repeats a run.

mod bulk;
mod campaign;
mod compare;
mod edit;
mod merge;
mod models;
mod observe;
mod operation;
mod reference;
mod savepoint;
mod strategy;
mod tables;
mod trace;
mod tree;
mod verbs;
mod wait;
mod world;

use orm_tests::Backend;

/// One test per backend, all with the same seeds.
macro_rules! on {
    ($name:ident, $backend:ident, $sequences:expr) => {
        /// SEMANTICS 1.1–1.5, 2.1–2.3, 3.1, 4.9, 5.4, 6.1, 6.5, 7.1–7.10, 8.1–8.6, 9.2, 9.3, 10.1–10.3, 12.1, 12.4
        #[test]
        fn $name() {
            campaign::run(Backend::$backend, $sequences);
        }
    };
}

mod any_sequence_agrees_with_the_reference {
    use super::*;

    on!(sqlite, Sqlite, 2000);
    on!(postgres, Postgres, 200);
    on!(mariadb, MariaDb, 200);
    on!(mariadb_without_returning, MariaDbWithoutReturning, 200);
}
