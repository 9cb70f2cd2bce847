//! What turns one test into one per backend.

/// Tests that run on every backend, each in a database of its own.
///
/// ```
/// orm_tests::backend_tests! {
///     /// SEMANTICS 9.2
///     async fn rule_9_2_a_commit_without_work_emits_nothing(db) {
///         let log = db.log();
///         db.session().commit().await?;
///         assert!(log.all().is_empty());
///     }
/// }
/// ```
#[macro_export]
macro_rules! backend_tests {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($db: $crate::Database) -> ::orm_core::Result<()> {
                $body
                #[allow(unreachable_code)]
                Ok(())
            }

            $crate::on_every_backend!(|backend| $crate::run(backend, body));
        }
    )+};
}

/// Tests of what only a server can do to a client: be lost. They run on every backend that has one,
/// each in a database of its own, with a [`Proxy`](crate::Proxy) in front of the server.
#[macro_export]
macro_rules! server_tests {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident, $proxy:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($db: $crate::Database) -> ::orm_core::Result<()> {
                let $proxy = $crate::Proxy::in_front_of($db.url()).await.expect("a server");
                $body
                #[allow(unreachable_code)]
                Ok(())
            }

            $crate::on_every_server!(|backend| $crate::run(backend, body));
        }
    )+};
}

/// Properties that hold on every backend, whatever the value: so many cases of it, each in a
/// database of its own.
///
/// ```
/// orm_tests::backend_properties! {
///     /// SEMANTICS 9.2
///     async fn rule_9_2_any_number_of_commits(db, times in 0..3, cases = 2) {
///         for _ in 0..times {
///             db.session().commit().await?;
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! backend_properties {
    ($(
        $(#[$meta:meta])*
        async fn $name:ident($db:ident, $value:ident in $values:expr, cases = $cases:expr) $body:block
    )+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::on_every_backend!(|backend| {
                use ::proptest::test_runner::{Config, TestRunner};
                let config = Config { cases: $cases, failure_persistence: None, ..Config::default() };
                let mut runner = TestRunner::new(config);
                let outcome = runner.run(&$values, |$value| {
                    $crate::run(backend, async move |$db| {
                        $body
                        #[allow(unreachable_code)]
                        Ok(())
                    });
                    Ok(())
                });
                if let Err(error) = outcome {
                    panic!("{error}");
                }
            });
        }
    )+};
}

/// One test function per backend.
#[doc(hidden)]
#[macro_export]
macro_rules! on_every_backend {
    (|$backend:ident| $run:expr) => {
        #[test]
        fn sqlite() {
            let $backend = $crate::Backend::Sqlite;
            $run
        }

        #[test]
        fn sqlx_sqlite() {
            let $backend = $crate::Backend::SqlxSqlite;
            $run
        }

        $crate::on_every_server!(|$backend| $run);
    };
}

/// One test function per backend that has a server.
#[doc(hidden)]
#[macro_export]
macro_rules! on_every_server {
    (|$backend:ident| $run:expr) => {
        #[test]
        fn postgres() {
            let $backend = $crate::Backend::Postgres;
            $run
        }

        #[test]
        fn mariadb() {
            let $backend = $crate::Backend::MariaDb;
            $run
        }

        #[test]
        fn mariadb_without_returning() {
            let $backend = $crate::Backend::MariaDbWithoutReturning;
            $run
        }
    };
}
