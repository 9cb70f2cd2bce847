//! PostgreSQL over sqlx.

mod arguments;
mod cells;
mod errors;
#[cfg(feature = "decimal")]
mod numeric;
mod oid;
#[cfg(test)]
mod tests;
mod times;

use std::str::FromStr;

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgQueryResult, PgRow};
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres};

use self::cells::PgCells;
use self::errors::from_sqlx;
use super::pooled::{Backend, Pooled, pool_options, run_settings};
use super::target::Opened;
use super::{Done, Options, RowSink};
use crate::error::{Error, Result};
use crate::sql::Bind;
use crate::sql::dialect::postgres::named;

/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 512;

/// The isolation that sessions rely on, whatever the server's default is.
const ISOLATION: &str = "read committed";

/// Opens the database and one connection to it, so that a wrong URL is an error here.
pub(super) async fn open(url: &str, options: &Options) -> Result<Opened> {
    // What sqlx says of a URL that it can't read doesn't quote the URL.
    let connect = PgConnectOptions::from_str(url)
        .map_err(|error| Error::misuse(format!("the URL can't be read: {error}")))?
        .disable_statement_logging();
    let connect = if options.transaction_pooling {
        // A pooler refuses the options of a connection that it can't hand on.
        connect.extra_float_digits(None).statement_cache_capacity(0)
    } else {
        let timeout = statement_timeout(options).map(|timeout| ("statement_timeout", timeout));
        connect
            .statement_cache_capacity(STATEMENT_CACHE)
            .options([("default_transaction_isolation", ISOLATION)])
            .options(timeout)
    };
    probe(&connect, options).await?;
    let pool = pool_options(options).connect_lazy_with(connect);
    let driver = Pooled::<Postgres>::open(pool, options, &settings(options), None).await?;
    Ok(opened(driver, options))
}

/// Uses a pool that somebody else made.
pub(super) async fn adopt(pool: PgPool, options: &Options) -> Result<Opened> {
    let driver = Pooled::<Postgres>::adopt(pool, options, &settings(options)).await?;
    Ok(opened(driver, options))
}

fn opened(driver: Pooled<Postgres>, options: &Options) -> Opened {
    let mut opened = Opened::new(driver, named(options.naming));
    if options.transaction_pooling {
        // Every transaction may be on another connection of the server's.
        opened.of_transactions = statement_timeout(options)
            .map(|timeout| format!("SET LOCAL statement_timeout = {timeout}").into());
    }
    opened
}

/// Opens a connection once. The pool would try again and again where nobody listens, and say in
/// the end that there was no time.
async fn probe(connect: &PgConnectOptions, options: &Options) -> Result<()> {
    let probe = tokio::time::timeout(options.acquire_timeout, connect.connect()).await;
    match probe {
        Ok(Ok(connection)) => connection.close().await.map_err(from_sqlx),
        // The server has too many connections, or has just been started: the pool waits for it.
        Ok(Err(sqlx::Error::Database(error))) if error.is_transient_in_connect_phase() => Ok(()),
        Ok(Err(error)) => Err(from_sqlx(error)),
        Err(_) => Err(Error::Timeout("the server doesn't answer".to_owned())),
    }
}

/// In milliseconds, of which none would be no limit.
fn statement_timeout(options: &Options) -> Option<u128> {
    options.statement_timeout.map(|timeout| timeout.as_millis().max(1))
}

/// What makes a connection that others use fit: its times are in UTC. Through a pooler, settings
/// would reach connections of others.
fn settings(options: &Options) -> String {
    if options.transaction_pooling {
        return String::new();
    }
    let mut settings =
        format!("SET default_transaction_isolation = '{ISOLATION}'; SET TimeZone = 'UTC'");
    if let Some(timeout) = statement_timeout(options) {
        settings.push_str(&format!("; SET statement_timeout = {timeout}"));
    }
    settings
}

impl Backend for Postgres {
    const HAS_SERVER: bool = true;
    const ENDS_EARLY: bool = false;

    fn encode(binds: Vec<Bind>) -> Result<PgArguments> {
        arguments::encode(binds)
    }

    fn read(row: &PgRow, rows: &mut dyn RowSink) -> Result<()> {
        rows.row(&PgCells(row))
    }

    fn done(_text: &str, _returned: u64, result: &PgQueryResult) -> Done {
        // The server counts what a query returned, too.
        Done { rows: result.rows_affected(), first_key: None }
    }

    fn error(error: sqlx::Error) -> Error {
        from_sqlx(error)
    }

    fn is_outdated(error: &sqlx::Error) -> bool {
        errors::is_outdated(error)
    }

    fn set_up<'c>(
        connection: &'c mut PgConnection,
        settings: &'c str,
    ) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            if settings.is_empty() {
                return Ok(());
            }
            run_settings(connection, settings).await
        })
    }
}
