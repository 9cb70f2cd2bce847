//! `distinct_on`: of rows that are equal in some columns, the first.

use super::{Fragments, Groups, Query, Select, Within};
use crate::error::Error;
use crate::model::Model;
use crate::sql::{Expr, Source};

impl<M: Model, Scope> Select<M, Scope> {
    /// Of the rows that are equal in these columns or expressions, keeps the first in the order so
    /// far: the latest post of each user, if the latest comes first.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)]
    /// # struct User { username: String, #[orm(back_populates = user)] posts: HasMany<Post> }
    /// # #[derive(Model)]
    /// # struct Post {
    /// #     title: String,
    /// #     #[orm(foreign_key = User)] user_id: i64,
    /// #     #[orm(back_populates = posts)] user: BelongsTo<User>,
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// # let mut session = SessionFactory::new(engine.clone()).session();
    /// # let posts = ["first", "second"].map(|title| Post::draft().title(title));
    /// # session.add(User::draft().username("ada").posts(posts));
    /// # session.commit().await?;
    /// let latest: Vec<String> = Post::select()
    ///     .order_by(Post::id.desc())
    ///     .distinct_on(Post::user_id)
    ///     .columns(Post::title)
    ///     .on(&engine)
    ///     .all()
    ///     .await?;
    /// assert_eq!(latest, ["second"]);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// Rows that the order leaves equal are told apart by their keys. The rows stay in that order.
    /// What is added to the query behind this is about the rows that are left, and joined models
    /// are no longer part of it. It is PostgreSQL's `DISTINCT ON`, on every database: a window
    /// function numbers the rows.
    ///
    /// It has to come before `limit`, `offset`, `distinct` and `group_by`, and locks nothing:
    /// [`Error::Misuse`](crate::Error::Misuse) otherwise.
    pub fn distinct_on<G, At>(mut self, columns: G) -> Select<M>
    where
        G: Groups<Models: Within<Scope, At>>,
    {
        let mut partition = Fragments::default();
        columns.__groups(&mut partition);
        self.query.keep_first_of(partition.0);
        self.scoped()
    }
}

impl Query {
    /// Keeps the first row of each partition, in the order so far.
    fn keep_first_of(&mut self, partition: Vec<Expr>) {
        let tree = &self.tree;
        let is_counted = tree.limit.is_some() || tree.offset.is_some() || tree.distinct;
        if is_counted || !tree.group_by.is_empty() {
            return self.mistaken(Error::misuse(
                "`distinct_on` has to come before `limit`, `offset`, `distinct` and `group_by`",
            ));
        }
        self.break_ties();
        let table = self.table;
        let mut inner = self.tree.clone();
        inner.select_all(table, Source::Scope);
        let mut order = inner.order_by.clone();
        for (at, term) in order.iter_mut().enumerate() {
            let is_joined = |part: &Expr| {
                matches!(part, Expr::Column(column)
                    if column.table != table || column.source != Source::Scope)
            };
            if term.expr.any_part(&is_joined) {
                let column = format!("o{at}");
                let shown = Expr::Derived { table, column: column.clone(), shows: None };
                inner.columns.push((std::mem::replace(&mut term.expr, shown), Some(column)));
            }
        }
        self.tree = inner.at_most_per(table, partition, 1);
        self.tree.order_by = order;
    }
}
