//! A real MySQL or MariaDB, of the URL in `ORM_TEST_MYSQL_URL`, else of this machine: values on
//! their way there and back, writes, errors, schemas and connections.
//!
//! Each test has a database of its own, which is dropped afterwards.

mod connections;
mod errors;
mod reading;
mod schemas;
mod values;
mod writes;

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use futures_util::FutureExt;

use crate::driver::{Connection, Done, EachRow, Engine, EngineBuilder, RowSink, Schema};
use crate::error::{Error, Result};
use crate::model::{Action, ColumnDef, Table, TableBuilder, TableFn, Target};
use crate::sql::dialect::mysql::{MARIADB, MYSQL, configured};
use crate::sql::testing::{at, post_tags, posts, tags, users};
use crate::sql::*;
use crate::value::{Cells, EnumType, Facts, SqlType, Value, ValueError};

/// The server's URL without the database, and what follows the database.
fn server() -> (String, String) {
    let url = std::env::var("ORM_TEST_MYSQL_URL")
        .unwrap_or_else(|_| "mysql://root@127.0.0.1:3306/test".to_owned());
    let (url, options) = match url.split_once('?') {
        Some((url, options)) => (url.to_owned(), format!("?{options}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    (format!("{scheme}://{host}"), options)
}

/// Runs a test in a database of its own, given its URL, and drops it afterwards, come what may.
async fn in_database<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    static NOTICE: Once = Once::new();
    let (server, options) = server();
    let admin = match Engine::connect(format!("{server}/{options}")).await {
        Ok(admin) => admin,
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{error}"),
        Err(error) => {
            NOTICE.call_once(|| eprintln!("no MySQL or MariaDB to test with: {error}"));
            return;
        }
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("orm_core_{}_{number}", std::process::id());
    let mut connection = admin.connection().await.unwrap();
    run(&mut connection, &format!("CREATE DATABASE {name}")).await;
    let outcome = AssertUnwindSafe(test(format!("{server}/{name}{options}"))).catch_unwind().await;
    run(&mut connection, &format!("DROP DATABASE {name}")).await;
    // What a test made beside its own.
    run(&mut connection, &format!("DROP DATABASE IF EXISTS {name}_shop")).await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

async fn run(connection: &mut Connection, sql: &str) {
    let done = connection.run(Statement::words(sql), &mut ()).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Runs a query that fails or reads every row.
async fn read(
    connection: &mut Connection,
    sql: &str,
    row: impl FnMut(&dyn Cells) + Send,
) -> Result<Done> {
    let mut row = row;
    let mut sink = EachRow(|cells: &dyn Cells| {
        row(cells);
        Ok(())
    });
    connection.run(Statement::plain(sql), &mut sink).await
}

async fn number(connection: &mut Connection, sql: &str) -> i64 {
    let mut number = 0;
    read(connection, sql, |cells| number = cells.int(0).unwrap()).await.unwrap();
    number
}

async fn text(connection: &mut Connection, sql: &str) -> String {
    let mut text = String::new();
    read(connection, sql, |cells| cells.text(0).unwrap().clone_into(&mut text)).await.unwrap();
    text
}

/// Keeps the columns of these types of every row.
struct Rows(Vec<SqlType>, Vec<Vec<Value>>);

impl RowSink for Rows {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let values = self.0.iter().enumerate().map(|(at, sql_type)| {
            Value::read(cells, at, sql_type)
                .map_err(|error| Error::at_column("rows", &at.to_string(), error))
        });
        self.1.push(values.collect::<Result<_>>()?);
        Ok(())
    }
}

/// A table for the rest of the program.
fn table(builder: TableBuilder) -> &'static Table {
    Box::leak(Box::new(builder.build()))
}

fn id() -> ColumnDef {
    ColumnDef::new::<i64>("id", "id").primary_key().autoincrement()
}

fn of_type(name: &'static str, sql_type: SqlType) -> ColumnDef {
    ColumnDef::with_facts(name, name, Facts::new(sql_type).nullable())
}

async fn create(connection: &mut Connection, table: &'static Table) {
    for statement in ddl::create_table(connection.dialect(), table, &[]) {
        connection.run(statement, &mut ()).await.unwrap();
    }
}

fn insert_rows(table: &'static Table, columns: &[&str], values: Vec<Value>) -> InsertRows {
    let columns: Vec<usize> = columns.iter().map(|name| at(table, name)).collect();
    let rows = values.len() / columns.len();
    InsertRows { table, columns, rows, values, returning: vec![], on_conflict: OnConflict::Fail }
}

fn insert(table: &'static Table, columns: &[&str], values: Vec<Value>) -> Statement {
    let dialect = configured(&MARIADB, true, true, Naming::AsDeclared);
    render_insert(dialect, insert_rows(table, columns, values)).unwrap()
}

fn words(text: &str) -> Value {
    Value::Text(text.into())
}

fn user(email: &str) -> Statement {
    insert(users(), &["email"], vec![words(email)])
}

static MOOD: EnumType = EnumType {
    name: "mood",
    labels: &["happy", "it's ok", "HAPPY", "", "a,b", r"back\slash", "é😀", " x"],
};

async fn fails(connection: &mut Connection, sql: &str) -> Error {
    let done = connection.run(Statement::plain(sql), &mut ()).await;
    done.err().unwrap_or_else(|| panic!("{sql} passed"))
}
