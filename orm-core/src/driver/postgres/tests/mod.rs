//! PostgreSQL as it is: values on their way there and back, errors, schemas and connections.
//!
//! Each test has a schema of its own on the server that `ORM_TEST_POSTGRES_URL` names, which is
//! dropped afterwards.

mod connections;
mod errors;
mod reading;
mod schemas;
mod values;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use futures_util::FutureExt;

use super::*;
use crate::driver::{Connection as Ours, EachRow, Engine, EngineBuilder, Schema};
use crate::model::{Action, ColumnDef, Table, TableBuilder, TableFn, Target};
use crate::sql::dialect::Dialect;
use crate::sql::dialect::postgres::POSTGRES;
use crate::sql::testing::{at, post_tags, posts, tags, users};
use crate::sql::{
    ColumnRef, DeleteRows, Expr, InsertRows, Naming, OnConflict, OrderTerm, Select, Statement,
    UpdateRows, ddl, render_delete, render_insert, render_select, render_update,
};
use crate::value::{Cells, EnumType, Facts, SqlType, Value};

/// A schema of a test's own.
struct Database {
    url: String,
}

impl Database {
    fn builder(&self) -> EngineBuilder {
        Engine::builder(&self.url)
    }

    async fn engine(&self) -> Engine {
        self.builder().connect().await.unwrap()
    }

    async fn connection(&self) -> Ours {
        self.engine().await.connection().await.unwrap()
    }
}

fn server() -> String {
    let default = "postgres://postgres@127.0.0.1:5432/test".to_owned();
    std::env::var("ORM_TEST_POSTGRES_URL").unwrap_or(default)
}

/// Runs a test in a schema of its own; without a server, only says so.
async fn in_schema(test: impl AsyncFnOnce(&Database)) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    static NOTICE: Once = Once::new();
    let server = server();
    let outside = match Engine::connect(&server).await {
        Ok(engine) => engine,
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1") => {
            panic!("no PostgreSQL at ORM_TEST_POSTGRES_URL: {error}")
        }
        Err(error) => {
            NOTICE.call_once(|| eprintln!("skipped, set ORM_TEST_POSTGRES_URL: {error}"));
            return;
        }
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("orm_unit_{}_{number}", std::process::id());
    let mut connection = outside.connection().await.unwrap();
    run(&mut connection, &format!("CREATE SCHEMA {schema}")).await;
    let separator = if server.contains('?') { '&' } else { '?' };
    let database = Database { url: format!("{server}{separator}options[search_path]={schema}") };
    let outcome = AssertUnwindSafe(test(&database)).catch_unwind().await;
    run(&mut connection, &format!("DROP SCHEMA {schema} CASCADE")).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a statement without binds, prepared.
async fn run(connection: &mut Ours, sql: &str) {
    try_run(connection, sql).await.unwrap();
}

async fn try_run(connection: &mut Ours, sql: &str) -> Result<Done> {
    connection.run(Statement::plain(sql), &mut ()).await
}

/// Runs statements as they are.
async fn words(connection: &mut Ours, sql: &str) {
    connection.run(Statement::words(sql), &mut ()).await.unwrap();
}

/// What a statement gives back, as values of these types, row after row.
async fn values(connection: &mut Ours, statement: Statement, types: &[SqlType]) -> Vec<Value> {
    let mut values = Vec::new();
    let mut sink = EachRow(|cells: &dyn Cells| {
        for (at, sql_type) in types.iter().enumerate() {
            let value = Value::read(cells, at, sql_type);
            values.push(value.map_err(|error| Error::at_column("t", "v", error))?);
        }
        Ok(())
    });
    connection.run(statement, &mut sink).await.unwrap();
    values
}

async fn number(connection: &mut Ours, sql: &str) -> i64 {
    match values(connection, Statement::plain(sql), &[SqlType::I64]).await.as_slice() {
        [Value::Int(number)] => *number,
        other => panic!("{other:?}"),
    }
}

fn insert_into(
    table: &'static Table,
    columns: &[&str],
    values: Vec<Value>,
    returning: &[&str],
) -> Statement {
    let columns: Vec<usize> = columns.iter().map(|name| at(table, name)).collect();
    let returning = returning.iter().map(|name| at(table, name)).collect();
    let rows = values.len() / columns.len();
    let rows =
        InsertRows { table, columns, rows, values, returning, on_conflict: OnConflict::Fail };
    render_insert(&POSTGRES, rows).unwrap()
}

fn user(email: &str) -> Statement {
    insert_into(users(), &["email"], vec![Value::Text(email.into())], &["id"])
}

fn sample() -> Schema {
    Schema::new([users as TableFn, posts, tags, post_tags])
}

/// A table of a key and one column.
fn table_of(column: ColumnDef) -> &'static Table {
    let id = ColumnDef::new::<i64>("id", "id").primary_key().autoincrement();
    Box::leak(Box::new(TableBuilder::plain("t", "T").column(id).column(column).build()))
}

/// Creates a table, without types.
async fn create(connection: &mut Ours, table: &'static Table) {
    for statement in ddl::create_table(&POSTGRES, table, &[]) {
        connection.run(statement, &mut ()).await.unwrap();
    }
}
