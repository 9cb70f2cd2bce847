//! The SQL of a query, without running it.

use super::OnEngine;
use super::target::QueryTarget;
use crate::error::Result;
use crate::flush::bulk;
use crate::load::{KEYS_PER_STATEMENT, entity_select, plan_loads};
use crate::model::Model;
use crate::query::{Bulk, BulkStatement, Delete, Query, Rows, Select, Update, View, Views};
use crate::sql::{self, Statement};

impl<M: Model, Scope> OnEngine<'_, Select<M, Scope>> {
    fn into_statement(self) -> Result<Statement> {
        let mut query = self.query.query;
        query.check_and_lock()?;
        let undeferred = query.undeferred();
        let Query { tree, table, options, criteria, .. } = query;
        let nodes = plan_loads(table, &options)?;
        let tree = entity_select(table, tree, &undeferred, &nodes, &criteria)?;
        self.engine.render(&tree)
    }

    /// Renders as a verb does and gives the number of binds. For benchmarks.
    #[doc(hidden)]
    pub fn __render(self) -> Result<usize> {
        Ok(self.into_statement()?.binds.len())
    }
}

impl<R, Scope, Owned: Send> OnEngine<'_, Rows<R, Scope, Owned>> {
    fn into_statement(self) -> Result<Statement> {
        self.engine.render(&self.query.into_listing()?.into_tree())
    }
}

impl<V: View, Scope> OnEngine<'_, Views<V, Scope>> {
    fn into_statement(self) -> Result<Statement> {
        let table = self.query.query.table;
        let tree = self.query.loading(KEYS_PER_STATEMENT)?.next_statement()?;
        self.engine.render(&tree.unwrap_or_else(|| sql::Select::from(table)))
    }
}

impl<B: Bulk> OnEngine<'_, B> {
    fn into_write(self) -> Result<Statement> {
        let BulkStatement(write) = self.query.__bulk();
        bulk::check(&write, self.engine.dialect())?;
        bulk::statement_alone(self.engine.dialect(), write)
    }
}

/// Gives a kind of query its method; the documentation says which statement it shows.
macro_rules! to_sql {
    ($(#[$doc:meta])* $query:ty, [$($generics:tt)*], $statement:ident) => {
        impl<$($generics)*> $query {
            $(#[$doc])*
            pub fn to_sql(&self, target: &(impl QueryTarget + ?Sized)) -> Result<String> {
                let statement = self.clone().on(target).$statement()?;
                Ok(statement.text.to_string())
            }
        }
    };
}

to_sql! {
    /// The SQL of the query in the words of a database, without running it: with placeholders where
    /// values are, on an engine or, under its criteria, on a factory. It is the statement that
    /// loads the objects, with what is joined to them; what else is loaded follows by statements of
    /// its own.
    ///
    /// ```
    /// # use orm_core::{Engine, Model};
    /// # #[derive(Model)] #[orm(base = none)] struct User { #[orm(primary_key)] id: i64, name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let engine = Engine::connect("sqlite::memory:").await?;
    /// let query = User::select().filter(User::name.eq("ada"));
    /// assert_eq!(
    ///     query.to_sql(&engine)?,
    ///     r#"SELECT "users"."id", "users"."name" FROM "users" WHERE "users"."name" = ?"#,
    /// );
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// It is for reading; [`Engine::log`](crate::Engine::log) shows what ran. SQLAlchemy's
    /// `compile`, Diesel's `debug_query`, EF Core's `ToQueryString`.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) if the query was put together wrongly.
    Select<M, Scope>, [M: Model, Scope], into_statement
}

to_sql! {
    /// The SQL of the query in the words of a database, as [`Select::to_sql`] gives it.
    ///
    /// # Errors
    /// As there.
    Rows<R, Scope, Owned>, [R, Scope, Owned: Send], into_statement
}

to_sql! {
    /// The SQL of the query in the words of a database, as [`Select::to_sql`] gives it: the
    /// statement of the views themselves. What is nested in them is read by statements of its own.
    ///
    /// # Errors
    /// As there.
    Views<V, Scope>, [V: View, Scope], into_statement
}

/// The same for both bulk statements.
macro_rules! bulk_to_sql {
    ($type:ident) => {
        to_sql! {
            /// The SQL of the statement in the words of a database, as it runs without a session;
            /// nothing is written.
            ///
            /// ```
            /// # use orm_core::{Engine, Model};
            /// # #[derive(Model)] #[orm(base = none)] struct User { #[orm(primary_key)] id: i64, age: i32 }
            /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            /// let engine = Engine::connect("sqlite::memory:").await?;
            /// let minors = User::delete().filter(User::age.lt(18));
            /// assert_eq!(minors.to_sql(&engine)?, r#"DELETE FROM "users" WHERE "users"."age" < ?"#);
            /// # Ok::<(), orm_core::Error>(()) }).unwrap();
            /// ```
            ///
            /// # Errors
            /// Those that `execute` finds before any SQL.
            $type<M>, [M: Model], into_write
        }
    };
}

bulk_to_sql!(Update);
bulk_to_sql!(Delete);
