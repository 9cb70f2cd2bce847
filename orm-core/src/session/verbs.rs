//! The verbs that every kind of query has, by what `all` gives: on a session and on an engine.

use super::engine_queries::{count, exists};
use super::{OnEngine, Session};
use crate::error::{Error, Result};
use crate::model::{Entity, Handle, Model, Table};
use crate::query::{Rows, Select, View, Views};

/// What was found, unless it is several.
///
/// # Errors
/// `MultipleFound`.
pub(super) fn at_most_one<T>(table: &Table, mut found: Vec<T>) -> Result<Option<T>> {
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(Error::MultipleFound { table: table.name().into() }),
    }
}

/// The error of a row of the table that isn't there.
pub(super) fn no_row(table: &Table, reason: &'static str) -> Error {
    Error::NotFound { table: table.name().into(), reason: reason.into() }
}

/// The verbs of a kind of query whose `all` gives items of one type in a session and of another
/// without one.
macro_rules! verbs {
    ([$($generics:tt)*] $query:ty, $item:ty, $owned:ty, $noun:literal) => {
        impl<$($generics)*> $query {
            #[doc = concat!("The only ", $noun, " of the query.")]
            ///
            /// # Errors
            /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; the
            /// database's, and those of the flush.
            pub async fn one(self, session: &mut Session) -> Result<$item> {
                let table = self.query.table;
                let found = self.one_or_none(session).await?;
                found.ok_or_else(|| no_row(table, "the query found none"))
            }

            #[doc = concat!("The only ", $noun, " of the query, or `None`.")]
            ///
            /// # Errors
            /// [`Error::MultipleFound`] with several; the database's, and those of the flush.
            pub async fn one_or_none(mut self, session: &mut Session) -> Result<Option<$item>> {
                self.query.limit_to(2);
                let table = self.query.table;
                at_most_one(table, self.all(session).await?)
            }

            #[doc = concat!("The first ", $noun, " of the query, or `None`.")]
            ///
            /// # Errors
            /// The database's, and those of the flush.
            pub async fn first(mut self, session: &mut Session) -> Result<Option<$item>> {
                self.query.limit_to(1);
                Ok(self.all(session).await?.into_iter().next())
            }

            /// How many rows the query has. Flushes first.
            ///
            /// # Errors
            /// The database's, and those of the flush.
            pub async fn count(self, session: &mut Session) -> Result<u64> {
                session.count(&self.query).await
            }

            /// Whether the query has any rows. Flushes first.
            ///
            /// # Errors
            /// The database's, and those of the flush.
            pub async fn exists(self, session: &mut Session) -> Result<bool> {
                session.exists(&self.query).await
            }
        }

        impl<$($generics)*> OnEngine<'_, $query> {
            #[doc = concat!("The only ", $noun, " of the query.")]
            ///
            /// # Errors
            /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; the
            /// database's.
            pub async fn one(self) -> Result<$owned> {
                let table = self.query.query.table;
                let found = self.one_or_none().await?;
                found.ok_or_else(|| no_row(table, "the query found none"))
            }

            #[doc = concat!("The only ", $noun, " of the query, or `None`.")]
            ///
            /// # Errors
            /// [`Error::MultipleFound`] with several; the database's.
            pub async fn one_or_none(mut self) -> Result<Option<$owned>> {
                self.query.query.limit_to(2);
                let table = self.query.query.table;
                at_most_one(table, self.all().await?)
            }

            #[doc = concat!("The first ", $noun, " of the query, or `None`.")]
            ///
            /// # Errors
            /// The database's.
            pub async fn first(mut self) -> Result<Option<$owned>> {
                self.query.query.limit_to(1);
                Ok(self.all().await?.into_iter().next())
            }

            /// How many rows the query has.
            ///
            /// # Errors
            /// The database's.
            pub async fn count(self) -> Result<u64> {
                count(self.engine, &self.query.query).await
            }

            /// Whether the query has any rows.
            ///
            /// # Errors
            /// The database's.
            pub async fn exists(self) -> Result<bool> {
                exists(self.engine, &self.query.query).await
            }
        }
    };
}

verbs!([M: Model, Scope] Select<M, Scope>, Handle<M>, Entity<M>, "object");
verbs!([R: Send, Scope, Owned: Send] Rows<R, Scope, Owned>, R, Owned, "row");
verbs!([V: View, Scope] Views<V, Scope>, V, V, "view");
