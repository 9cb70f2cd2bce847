//! Queries of one statement: what they select, and how a row becomes an item.

use crate::driver::{Connection, EachRow};
use crate::error::Result;
use crate::model::{Entity, Model, RowLayout};
use crate::query::{Rows, Select, read_order};
use crate::sql::{self, Source, Statement};
use crate::value::{Cells, SqlType, Value};

/// A statement whose rows are items of their own, each decoded where it is.
pub(super) struct Listing<F> {
    tree: sql::Select,
    decode: F,
}

impl<M: Model, Scope> Select<M, Scope> {
    /// Owned entities, without relationships.
    ///
    /// # Errors
    /// `Misuse` if the query was put together wrongly.
    pub(super) fn into_listing(
        self,
    ) -> Result<Listing<impl FnMut(&dyn Cells) -> Result<Entity<M>> + Send + use<M, Scope>>> {
        self.query.check()?;
        let (table, undeferred) = (self.query.table, self.query.undeferred());
        let mut tree = self.query.tree;
        let layout = RowLayout::new(table, tree.columns.len(), &undeferred);
        tree.select_columns(table, Source::Scope, table.selected(&undeferred));
        self.query.criteria.restrict(&mut tree);
        Ok(Listing { tree, decode: move |cells: &dyn Cells| layout.read(cells, Entity::read) })
    }
}

impl<R, Scope, Owned: Send> Rows<R, Scope, Owned> {
    /// The rows as the projection has them without a session.
    ///
    /// # Errors
    /// `Misuse` if the query was put together wrongly.
    pub(super) fn into_listing(
        self,
    ) -> Result<Listing<impl FnMut(&dyn Cells) -> Result<Owned> + Send + use<R, Scope, Owned>>>
    {
        self.query.check()?;
        let decode = self.decoder.decode;
        let mut tree = self.query.tree;
        self.query.criteria.restrict(&mut tree);
        Ok(Listing { tree, decode })
    }
}

impl<F> Listing<F> {
    /// Each item with the values of the query's order, which have these types.
    pub(super) fn with_places<T>(
        self,
        order: Vec<SqlType>,
    ) -> Listing<impl FnMut(&dyn Cells) -> Result<(T, Vec<Value>)> + Send>
    where
        F: FnMut(&dyn Cells) -> Result<T> + Send,
    {
        let Self { mut tree, mut decode } = self;
        let first = tree.select_order();
        let decode = move |cells: &dyn Cells| {
            let item = decode(cells)?;
            Ok((item, read_order(cells, first, &order)?))
        };
        Listing { tree, decode }
    }

    /// What it selects.
    pub(super) fn into_tree(self) -> sql::Select {
        self.tree
    }

    /// The statement, rendered for the connection's database, and the decoder of its rows.
    ///
    /// # Errors
    /// As [`Connection::render`].
    pub(super) fn render(self, connection: &Connection) -> Result<(Statement, F)> {
        let mut statement = connection.render(&self.tree)?;
        statement.single_row = self.tree.limit == Some(1);
        Ok((statement, self.decode))
    }

    /// Runs the statement and gives all items.
    ///
    /// # Errors
    /// The database's; `Type` for a row that can't be decoded.
    pub(super) async fn read<T>(self, connection: &mut Connection) -> Result<Vec<T>>
    where
        T: Send,
        F: FnMut(&dyn Cells) -> Result<T> + Send,
    {
        let (statement, mut decode) = self.render(connection)?;
        let mut items = Vec::new();
        let mut rows = EachRow(|cells: &dyn Cells| {
            items.push(decode(cells)?);
            Ok(())
        });
        connection.run(statement, &mut rows).await?;
        Ok(items)
    }
}
