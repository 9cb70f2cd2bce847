//! Which driver serves a URL or a pool: the one place that knows them all.

use std::sync::Arc;

use super::{Driver, Options};
use crate::error::{Error, Result};
use crate::sql::Dialect;

/// What an engine connects to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The database of this URL.
    Url(String),
    /// The database of a pool that somebody else made.
    #[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
    Pool(SqlxPool),
}

/// A pool of sqlx's for an [`Engine`](crate::Engine) to use, made from an `SqlitePool`, a
/// `PgPool` or a `MySqlPool`.
#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
#[derive(Clone, Debug)]
pub struct SqlxPool(Pools);

#[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
#[derive(Clone, Debug)]
enum Pools {
    #[cfg(feature = "sqlx-sqlite")]
    Sqlite(sqlx::SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

#[cfg(feature = "sqlx-sqlite")]
impl From<sqlx::SqlitePool> for SqlxPool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self(Pools::Sqlite(pool))
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::PgPool> for SqlxPool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self(Pools::Postgres(pool))
    }
}

#[cfg(feature = "mysql")]
impl From<sqlx::MySqlPool> for SqlxPool {
    fn from(pool: sqlx::MySqlPool) -> Self {
        Self(Pools::MySql(pool))
    }
}

/// A database that is open.
pub(super) struct Opened {
    pub(super) driver: Box<dyn Driver>,
    pub(super) dialect: &'static dyn Dialect,
    /// Settings that each transaction begins with.
    pub(super) of_transactions: Option<Arc<str>>,
}

impl Opened {
    pub(super) fn new(driver: impl Driver + 'static, dialect: &'static dyn Dialect) -> Self {
        Self { driver: Box::new(driver), dialect, of_transactions: None }
    }
}

/// Opens a database. A URL's scheme names the driver.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(unused_variables, reason = "there is no driver")
)]
pub(super) async fn open(target: Target, options: &Options) -> Result<Opened> {
    #[cfg_attr(
        not(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql")),
        expect(clippy::infallible_destructuring_match, reason = "there are no pools of others")
    )]
    let url = match target {
        Target::Url(url) => url,
        #[cfg(any(feature = "sqlx-sqlite", feature = "postgres", feature = "mysql"))]
        Target::Pool(SqlxPool(pool)) => {
            return match pool {
                #[cfg(feature = "sqlx-sqlite")]
                Pools::Sqlite(pool) => super::sqlite::adopt(pool, options).await,
                #[cfg(feature = "postgres")]
                Pools::Postgres(pool) => super::postgres::adopt(pool, options).await,
                #[cfg(feature = "mysql")]
                Pools::MySql(pool) => super::mysql::adopt(pool, options).await,
            };
        }
    };
    match url.split_once(':').map_or("", |(scheme, _)| scheme) {
        #[cfg(feature = "sqlite")]
        "sqlite" => super::sqlite::open(&url, options).await,
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => super::postgres::open(&url, options).await,
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => super::mysql::open(&url, options).await,
        scheme => Err(Error::misuse(format!(
            "no driver of this build takes the scheme `{scheme}` of the URL: the schemes are {}",
            SCHEMES.join(", "),
        ))),
    }
}

/// The schemes and the features of `orm-core` that bring their drivers.
const SCHEMES: [&str; 3] = [
    if cfg!(feature = "sqlite") {
        "`sqlite:`"
    } else {
        "`sqlite:` (not in this build: enable the feature `sqlite`)"
    },
    if cfg!(feature = "postgres") {
        "`postgres:`"
    } else {
        "`postgres:` (not in this build: enable the feature `postgres`)"
    },
    if cfg!(feature = "mysql") {
        "`mysql:`"
    } else {
        "`mysql:` (not in this build: enable the feature `mysql`)"
    },
];
