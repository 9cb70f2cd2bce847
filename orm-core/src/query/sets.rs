//! Set operations: the rows of two queries as one set.

use std::sync::OnceLock;

use super::{Query, Rows, Select};
use crate::model::{Model, Table};
use crate::sql::{self, Body, Expr, From, SetOperator, Source};

/// What the rows of a set are called that are no rows of any table.
pub(super) fn united() -> &'static Table {
    static UNITED: OnceLock<Table> = OnceLock::new();
    UNITED.get_or_init(|| Table::of_rows("united", "united", []))
}

/// The methods of both kinds of queries.
macro_rules! set_operations {
    ([$($bounds:tt)*] $type:ident<$param:ident>, $combine:ident $(, $example:literal)?) => {
        impl<$($bounds)*, Scope> $type<$param, Scope> {
            /// The rows of either query, equal ones once. Orders and limits that the queries have
            /// count for each of them; what follows counts for all.
            $(#[doc = $example])?
            pub fn union<Other>(self, other: $type<$param, Other>) -> $type<$param> {
                $combine(self, SetOperator::Union, other)
            }

            /// The rows of this query and those of the other.
            pub fn union_all<Other>(self, other: $type<$param, Other>) -> $type<$param> {
                $combine(self, SetOperator::UnionAll, other)
            }

            /// The rows that both queries have, each once.
            pub fn intersect<Other>(self, other: $type<$param, Other>) -> $type<$param> {
                $combine(self, SetOperator::Intersect, other)
            }

            /// The rows of this query that the other doesn't have, each once.
            pub fn except<Other>(self, other: $type<$param, Other>) -> $type<$param> {
                $combine(self, SetOperator::Except, other)
            }
        }
    };
}

set_operations!([M: Model] Select<M>, entities, r#"
It is a query of objects again, with filters, orders, limits and loaders of its own:

```
# use orm_core::{Engine, Model, SessionFactory, schema};
# #[derive(Model)] struct User { username: String, visits: i64 }
# tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
# let engine = Engine::connect("sqlite::memory:").await?;
# engine.create_all(&schema![User]).await?;
# let mut session = SessionFactory::new(engine.clone()).session();
# session.add(User::draft().username("ada").visits(7));
let most = User::select().order_by(User::visits.desc()).limit(10);
let newest = User::select().order_by(User::id.desc()).limit(10);
let shown = most.union(newest).order_by(User::username.asc()).all(&mut session).await?;
# assert_eq!(shown.len(), 1);
# Ok::<(), orm_core::Error>(()) }).unwrap();
```
"#);

set_operations!([R] Rows<R>, rows, r#"
To order the rows, or to filter them again, make them those of a [`subquery`](Rows::subquery).

```
# use orm_core::{Engine, Model, SessionFactory, schema};
# #[derive(Model)] struct Client { city: String }
# #[derive(Model)] struct Supplier { city: String }
# tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
# let engine = Engine::connect("sqlite::memory:").await?;
# engine.create_all(&schema![Client, Supplier]).await?;
# let mut session = SessionFactory::new(engine.clone()).session();
# session.add(Client::draft().city("Turin"));
# session.add(Supplier::draft().city("Turin"));
let cities: Vec<String> = Client::select()
    .columns(Client::city)
    .union(Supplier::select().columns(Supplier::city))
    .all(&mut session)
    .await?;
# assert_eq!(cities, ["Turin"]);
# Ok::<(), orm_core::Error>(()) }).unwrap();
```
"#);

/// The objects of two queries, as a query of their table.
fn entities<M: Model, A, B>(
    first: Select<M, A>,
    operator: SetOperator,
    second: Select<M, B>,
) -> Select<M> {
    let (mut first, second) = (first.query, second.query);
    let table = first.table;
    let mut options = std::mem::take(&mut first.options);
    options.extend(second.options.clone());
    let undeferred = first.undeferred.iter().chain(second.undeferred.iter()).collect();
    let populate_existing = first.populate_existing || second.populate_existing;
    let operands = [first, second].map(|query| {
        let mut tree = query.into_tree();
        tree.columns.clear();
        // What follows may filter and order by any of them.
        tree.select_all(table, Source::Scope);
        tree
    });
    let mut query = Query::over(compound(operator, operands, table), table);
    query.options = options;
    query.undeferred = undeferred;
    query.populate_existing = populate_existing;
    Select::over(query)
}

/// The rows of two queries, as rows of no table.
fn rows<R, A, B>(first: Rows<R, A>, operator: SetOperator, second: Rows<R, B>) -> Rows<R> {
    let decoder = first.decoder;
    let operands = [first.query, second.query].map(|query| {
        let mut tree = query.into_tree();
        for (at, (_, name)) in tree.columns.iter_mut().enumerate() {
            *name = Some(place(at));
        }
        tree
    });
    let table = united();
    let columns = operands[0].columns.iter().enumerate();
    let columns: Vec<_> = columns
        .map(|(at, (column, _))| {
            let shows = column.column_shown();
            (Expr::Derived { table, column: place(at), shows }, None)
        })
        .collect();
    let mut query = Query::over(compound(operator, operands, table), table);
    query.tree.columns = columns;
    Rows::over(query, decoder)
}

/// The name of a column of rows that are no rows of any table.
pub(super) fn place(at: usize) -> String {
    format!("c{at}")
}

/// Two SELECTs as one set of rows of the table.
fn compound(operator: SetOperator, operands: [sql::Select; 2], table: &'static Table) -> From {
    let body = Body::Compound(operator, operands.into());
    From::Derived(Box::new(body), table, Source::Scope)
}
