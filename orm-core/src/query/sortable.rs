//! Orders that a request may ask for, from a list of those that are offered.

use std::collections::HashSet;

use super::{Order, Term};
use crate::error::{Error, Result};
use crate::model::{Column, Model};
use crate::value::ColumnType;

/// What a list may be ordered by, under the name by which a request asks for it: for
/// `User::order_from`.
///
/// A column goes by the name of its field; [`named`](Self::named) gives another name, or one to an
/// expression.
pub struct Sortable<M> {
    name: &'static str,
    ascending: Order<M>,
}

impl<M: Model> Sortable<M> {
    /// A column or an expression under a name.
    pub fn named<T: Term<Models = M>>(name: &'static str, term: T) -> Self {
        Self { name, ascending: Order::by::<T::Type>(term.__fragment().0, false) }
    }

    /// Puts NULLs first, in both directions.
    pub fn nulls_first(mut self) -> Self {
        self.ascending = self.ascending.nulls_first();
        self
    }

    /// Puts NULLs last, in both directions.
    pub fn nulls_last(mut self) -> Self {
        self.ascending = self.ascending.nulls_last();
        self
    }
}

impl<M: Model, T: ColumnType> From<Column<M, T>> for Sortable<M> {
    fn from(column: Column<M, T>) -> Self {
        Self::named(M::__table().columns()[column.__index()].field, column)
    }
}

impl<M> Clone for Sortable<M> {
    fn clone(&self) -> Self {
        Self { name: self.name, ascending: self.ascending.clone() }
    }
}

impl<M> std::fmt::Debug for Sortable<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sortable").field(&self.name).finish()
    }
}

/// The order that a text such as `-created_at,username` asks for, where a minus is for descending:
/// what the derived `User::order_from` is.
///
/// ```
/// # use orm_core::{Model, query::Select};
/// # #[derive(Model)] struct User { username: String, visits: i64 }
/// use orm_core::query::Sortable;
///
/// let offered = [User::username.into(), Sortable::named("name_length", User::username.length())];
/// let order = User::order_from("-name_length,username", &offered)?;
/// # let query: Select<User> =
/// User::select().order_by(order)
/// # ;
/// # let error =
/// User::order_from("password", &offered).unwrap_err()
/// # ;
/// # assert_eq!(error.to_string(), "the rows can't be ordered like that: `password` is not among \
/// #     `username`, `name_length`");
/// # Ok::<(), orm_core::Error>(())
/// ```
///
/// An empty text asks for no order.
///
/// # Errors
/// [`Error::InvalidOrder`] for a name that isn't offered or comes twice; the message says which
/// names are. No part of the text ever becomes SQL.
pub fn order_from<M: Model>(text: &str, offered: &[Sortable<M>]) -> Result<Vec<Order<M>>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut seen = HashSet::new();
    let mut orders = Vec::new();
    for part in text.split(',') {
        let part = part.trim();
        let (name, descending) = match part.strip_prefix('-') {
            Some(name) => (name, true),
            None => (part.strip_prefix('+').unwrap_or(part), false),
        };
        let sortable = offered.iter().find(|sortable| sortable.name == name);
        let sortable = sortable.ok_or_else(|| refused(name, "is not among", offered))?;
        if !seen.insert(name) {
            return Err(refused(name, "comes twice; there are", offered));
        }
        let order = sortable.ascending.clone();
        orders.push(if descending { order.reverse() } else { order });
    }
    Ok(orders)
}

fn refused<M>(name: &str, why: &str, offered: &[Sortable<M>]) -> Error {
    /// The most characters of a name that a message repeats.
    const LONGEST_NAME: usize = 40;
    let name: String = name.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect();
    let names: Vec<String> = offered.iter().map(|it| format!("`{}`", it.name)).collect();
    Error::InvalidOrder(format!("`{name}` {why} {}", names.join(", ")))
}
