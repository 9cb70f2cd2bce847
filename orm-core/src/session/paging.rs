//! Reading a list in parts: pages by number, with a total, and slices by the place of a row.

use super::engine_queries::{count, fill};
use super::{OnEngine, Session};
use crate::driver::Connection;
use crate::error::{Error, Result};
use crate::load::KEYS_PER_STATEMENT;
use crate::model::{Entity, Handle, Model};
use crate::query::{
    Arrivals, Cursor, Keyset, Page, Query, Rows, Seek, Select, Slice, View, Views, read_order,
};
use crate::value::{Cells, SqlType, Value};

/// Items with the values that they are ordered by.
type Placed<T> = Vec<(T, Vec<Value>)>;

/// Fails for pages and slices that show nothing.
fn expect_size(size: u64) -> Result<()> {
    match size {
        0 => Err(Error::misuse("pages and slices have at least one item")),
        _ => Ok(()),
    }
}

/// Limits a query to one page, in a total order.
fn turn_to(query: &mut Query, number: u64, size: u64) -> Result<()> {
    expect_size(size)?;
    let before = number.checked_sub(1).ok_or_else(|| Error::misuse("pages are counted from 1"))?;
    query.break_ties();
    query.narrow(before.saturating_mul(size), size);
    Ok(())
}

/// Limits a query to a slice and the row behind it; gives the order.
fn begin_at(query: &mut Query, keyset: &Keyset, seek: Seek<'_>, size: u64) -> Result<Vec<SqlType>> {
    expect_size(size)?;
    keyset.seek(query, seek)?;
    query.narrow(0, size.saturating_add(1));
    Ok(keyset.types().collect())
}

/// The slice, of its rows and the one behind it.
fn slice_of<T>(keyset: &Keyset, seek: Seek<'_>, size: u64, mut placed: Placed<T>) -> Slice<T> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let goes_on = placed.len() > size;
    placed.truncate(size);
    if seek.backwards {
        placed.reverse();
    }
    let cursor = |row: Option<&(T, Vec<Value>)>| row.map(|(_, values)| keyset.cursor(values));
    let came_from = seek.from.is_some();
    let (is_next, is_previous) =
        if seek.backwards { (came_from, goes_on) } else { (goes_on, came_from) };
    Slice {
        next: cursor(placed.last()).filter(|_| is_next),
        previous: cursor(placed.first()).filter(|_| is_previous),
        items: placed.into_iter().map(|(item, _)| item).collect(),
    }
}

impl<M: Model, Scope> Select<M, Scope> {
    async fn placed(self, session: &mut Session, order: Vec<SqlType>) -> Result<Placed<Handle<M>>> {
        let loaded = session.load_with_places(self.query, order).await?;
        let handle = |(object, place)| (session.store.handle(object), place);
        Ok(loaded.into_iter().map(handle).collect())
    }

    async fn placed_on(
        self,
        connection: &mut Connection,
        order: Vec<SqlType>,
    ) -> Result<Placed<Entity<M>>> {
        self.into_listing()?.with_places(order).read(connection).await
    }
}

impl<R: Send, Scope, Owned: Send> Rows<R, Scope, Owned> {
    async fn placed(mut self, session: &mut Session, order: Vec<SqlType>) -> Result<Placed<R>> {
        let absorb = self.decoder.absorb;
        let first = self.query.tree.select_order();
        let mut placed = Vec::new();
        let mut each = |arrivals: &mut Arrivals<'_>, cells: &dyn Cells| {
            placed.push((absorb(arrivals, cells)?, read_order(cells, first, &order)?));
            Ok(())
        };
        session.load_tuples(self.query, &mut each).await?;
        Ok(placed)
    }

    async fn placed_on(
        self,
        connection: &mut Connection,
        order: Vec<SqlType>,
    ) -> Result<Placed<Owned>> {
        self.into_listing()?.with_places(order).read(connection).await
    }
}

impl<V: View, Scope> Views<V, Scope> {
    async fn placed(self, session: &mut Session, order: Vec<SqlType>) -> Result<Placed<V>> {
        let mut loading =
            self.under(&session.criteria).loading_with_places(order, KEYS_PER_STATEMENT)?;
        session.fill(&mut loading).await?;
        loading.finish_with_places()
    }

    async fn placed_on(
        self,
        connection: &mut Connection,
        order: Vec<SqlType>,
    ) -> Result<Placed<V>> {
        let mut loading = self.loading_with_places(order, KEYS_PER_STATEMENT)?;
        fill(connection, &mut loading).await?;
        loading.finish_with_places()
    }
}

/// The verbs that read part of a list, on a session and on an engine.
macro_rules! verbs {
    ([$($generics:tt)*] $query:ty, $item:ty, $owned:ty) => {
        impl<$($generics)*> $query {
            /// One page of the result, the first page being number 1, and how many items there are
            /// on all of them. Ties of the order are broken, so that pages don't overlap.
            ///
            /// Its cost grows with the number of the page, and pages shift where rows come and go:
            /// [`slice`](Self::slice) and [`after`](Self::after) neither count nor shift.
            ///
            /// # Errors
            /// [`Error::Misuse`] for a page or a size of zero; the database's, and those of the
            /// flush.
            pub async fn page(
                mut self,
                session: &mut Session,
                number: u64,
                size: u64,
            ) -> Result<Page<$item>> {
                let counted = self.query.clone();
                turn_to(&mut self.query, number, size)?;
                let total = session.count(&counted).await?;
                Ok(Page::new(self.all(session).await?, total, size))
            }

            /// The first items, and where [`after`](Self::after) goes on.
            ///
            /// # Errors
            /// As [`after`](Self::after).
            pub async fn slice(self, session: &mut Session, size: u64) -> Result<Slice<$item>> {
                self.sliced(session, Seek { from: None, backwards: false }, size).await
            }

            /// The items behind a [`Cursor`], which another [`Slice`] of the same order gave; the
            /// first ones for `None`. Ties of the order are broken by the primary key.
            ///
            /// # Errors
            /// [`Error::InvalidCursor`] for a cursor of another query or order, or one that was
            /// changed; [`Error::Misuse`] for a size of zero, a query with a limit of its own, or
            /// an order by which rows have no places; the database's, and those of the flush.
            pub async fn after(
                self,
                session: &mut Session,
                cursor: impl Into<Option<&Cursor>>,
                size: u64,
            ) -> Result<Slice<$item>> {
                self.sliced(session, Seek { from: cursor.into(), backwards: false }, size).await
            }

            /// The items right before a [`Cursor`], in the order of the query; the last ones of all
            /// for `None`.
            ///
            /// # Errors
            /// As [`after`](Self::after).
            pub async fn before(
                self,
                session: &mut Session,
                cursor: impl Into<Option<&Cursor>>,
                size: u64,
            ) -> Result<Slice<$item>> {
                self.sliced(session, Seek { from: cursor.into(), backwards: true }, size).await
            }

            async fn sliced(
                mut self,
                session: &mut Session,
                seek: Seek<'_>,
                size: u64,
            ) -> Result<Slice<$item>> {
                let keyset = Keyset::of(&mut self.query, session.engine.dialect())?;
                let order = begin_at(&mut self.query, &keyset, seek, size)?;
                let placed = self.placed(session, order).await?;
                Ok(slice_of(&keyset, seek, size, placed))
            }
        }

        impl<$($generics)*> OnEngine<'_, $query> {
            /// One page of the result, the first page being number 1, and how many items there are
            /// on all of them. Ties of the order are broken, so that pages don't overlap.
            ///
            /// # Errors
            /// [`Error::Misuse`] for a page or a size of zero; the database's.
            pub async fn page(mut self, number: u64, size: u64) -> Result<Page<$owned>> {
                let counted = self.query.query.clone();
                turn_to(&mut self.query.query, number, size)?;
                let total = count(self.engine, &counted).await?;
                Ok(Page::new(self.all().await?, total, size))
            }

            /// The first items, and where [`after`](Self::after) goes on.
            ///
            /// # Errors
            /// As [`after`](Self::after).
            pub async fn slice(self, size: u64) -> Result<Slice<$owned>> {
                self.sliced(Seek { from: None, backwards: false }, size).await
            }

            /// The items behind a [`Cursor`], which another [`Slice`] of the same order gave; the
            /// first ones for `None`. Ties of the order are broken by the primary key.
            ///
            /// # Errors
            /// [`Error::InvalidCursor`] for a cursor of another query or order, or one that was
            /// changed; [`Error::Misuse`] for a size of zero, a query with a limit of its own, or
            /// an order by which rows have no places; the database's.
            pub async fn after(
                self,
                cursor: impl Into<Option<&Cursor>>,
                size: u64,
            ) -> Result<Slice<$owned>> {
                self.sliced(Seek { from: cursor.into(), backwards: false }, size).await
            }

            /// The items right before a [`Cursor`], in the order of the query; the last ones of all
            /// for `None`.
            ///
            /// # Errors
            /// As [`after`](Self::after).
            pub async fn before(
                self,
                cursor: impl Into<Option<&Cursor>>,
                size: u64,
            ) -> Result<Slice<$owned>> {
                self.sliced(Seek { from: cursor.into(), backwards: true }, size).await
            }

            async fn sliced(mut self, seek: Seek<'_>, size: u64) -> Result<Slice<$owned>> {
                let query = &mut self.query.query;
                let keyset = Keyset::of(query, self.engine.dialect())?;
                let order = begin_at(query, &keyset, seek, size)?;
                let mut connection = self.engine.reader().await?;
                let placed = self.query.placed_on(&mut connection, order).await?;
                Ok(slice_of(&keyset, seek, size, placed))
            }
        }
    };
}

verbs!([M: Model, Scope] Select<M, Scope>, Handle<M>, Entity<M>);
verbs!([R: Send, Scope, Owned: Send] Rows<R, Scope, Owned>, R, Owned);
verbs!([V: View, Scope] Views<V, Scope>, V, V);
