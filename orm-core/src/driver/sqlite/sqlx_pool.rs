//! A pool of sqlx's that the application has already.

use futures_util::future::BoxFuture;
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteQueryResult, SqliteRow};
use sqlx::{Arguments, Column, Decode, Row, Sqlite, SqliteConnection, TypeInfo, ValueRef as _};

use super::cells::{SqliteCells, StoredRow};
use super::errors::from_sqlx;
use super::stored::stored;
use super::text::Verb;
use super::{SETTINGS, compare_decimals};
use crate::driver::joined::HandedIn;
use crate::driver::pooled::{Backend, Pooled, run_settings};
use crate::driver::statements::Statements;
use crate::driver::target::Opened;
use crate::driver::{Done, DriverConnection, Options, RowSink, handed_in};
use crate::error::{Error, Result};
use crate::sql::Bind;
use crate::sql::dialect::sqlite::{DECIMAL_COLLATION, named};

/// Uses a pool that somebody else made.
pub(in crate::driver) async fn adopt(pool: SqlitePool, options: &Options) -> Result<Opened> {
    let driver = Pooled::<Sqlite>::adopt(pool, options, SETTINGS).await?;
    Ok(Opened::new(driver, named(options.naming)))
}

/// Takes over a connection of sqlx's with an open transaction.
pub(super) async fn join(connection: HandedIn) -> Result<Box<dyn DriverConnection>> {
    handed_in::join::<Sqlite>(connection, Statements::new(true), SETTINGS).await
}

impl Backend for Sqlite {
    const HAS_SERVER: bool = false;
    const ENDS_EARLY: bool = true;

    fn encode(binds: Vec<Bind>) -> Result<SqliteArguments> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(binds.len(), 0);
        for (at, bind) in binds.iter().enumerate() {
            let added = match stored(at, bind)? {
                ToSqlOutput::Borrowed(value) => add(&mut arguments, value),
                ToSqlOutput::Owned(Owned::Text(text)) => arguments.add(text),
                other => return Err(Error::misuse(format!("{other:?} can't be bound"))),
            };
            // None of these can fail; sqlx's message is left out, which could quote the value.
            added.map_err(|_| Error::misuse(format!("bind {} can't be bound", at + 1)))?;
        }
        Ok(arguments)
    }

    fn read(row: &SqliteRow, rows: &mut dyn RowSink) -> Result<()> {
        rows.row(&SqliteCells(row))
    }

    fn done(text: &str, returned: u64, result: &SqliteQueryResult) -> Done {
        // After anything but a write, SQLite repeats the count of the write before.
        let is_write = Verb::of(text) == Verb::Write;
        Done { rows: if is_write { result.rows_affected() } else { returned }, first_key: None }
    }

    fn error(error: sqlx::Error) -> Error {
        from_sqlx(error)
    }

    fn set_up<'c>(
        connection: &'c mut SqliteConnection,
        settings: &'c str,
    ) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let mut handle = connection.lock_handle().await.map_err(from_sqlx)?;
            handle.create_collation(DECIMAL_COLLATION, compare_decimals).map_err(from_sqlx)?;
            drop(handle);
            run_settings(connection, settings).await
        })
    }
}

fn add(
    arguments: &mut SqliteArguments,
    value: ValueRef<'_>,
) -> std::result::Result<(), sqlx::error::BoxDynError> {
    match value {
        ValueRef::Null => arguments.add(None::<i64>),
        ValueRef::Integer(value) => arguments.add(value),
        ValueRef::Real(value) => arguments.add(value),
        ValueRef::Text(text) => arguments.add(str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => arguments.add(bytes.to_vec()),
    }
}

impl StoredRow for SqliteRow {
    fn width(&self) -> usize {
        self.columns().len()
    }

    fn name(&self, at: usize) -> Option<&str> {
        self.columns().get(at).map(Column::name)
    }

    fn cell(&self, at: usize) -> Option<ValueRef<'_>> {
        let cell = self.try_get_raw(at).ok()?;
        if cell.is_null() {
            return Some(ValueRef::Null);
        }
        let stored = cell.type_info();
        match stored.name() {
            "INTEGER" => Decode::<Sqlite>::decode(cell).ok().map(ValueRef::Integer),
            "REAL" => Decode::<Sqlite>::decode(cell).ok().map(ValueRef::Real),
            "BLOB" => <&[u8] as Decode<Sqlite>>::decode(cell).ok().map(ValueRef::Blob),
            _ => <&[u8] as Decode<Sqlite>>::decode(cell).ok().map(ValueRef::Text),
        }
    }
}
