//! Criteria for everyone: soft delete and multi-tenancy in one line.

use std::sync::Arc;

use super::SessionFactory;
use crate::model::Model;
use crate::query::Condition;

impl SessionFactory {
    /// Restricts every load of a model to the rows for which a condition holds. Several conditions
    /// on a model must all hold.
    ///
    /// ```
    /// use chrono::{DateTime, Utc};
    /// use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
    ///
    /// #[derive(Model)]
    /// struct User {
    ///     name: String,
    ///     deleted_at: Option<DateTime<Utc>>,
    ///     #[orm(back_populates = user)]
    ///     posts: HasMany<Post>,
    /// }
    /// #[derive(Model)]
    /// struct Post {
    ///     tenant: i64,
    ///     title: String,
    ///     #[orm(foreign_key = User)]
    ///     user_id: i64,
    ///     #[orm(back_populates = posts)]
    ///     user: BelongsTo<User>,
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// # let tenant = 1;
    /// // Soft delete, for the whole application:
    /// let sessions = SessionFactory::new(engine).with_criteria::<User>(User::deleted_at.is_null());
    /// // Multi-tenancy, for a request:
    /// let of_tenant = sessions.clone().with_criteria::<Post>(Post::tenant.eq(tenant));
    ///
    /// let mut session = of_tenant.session();
    /// let ada = session.add(User::draft().name("Ada"));
    /// session.add(Post::draft().tenant(1).title("ours").user(ada));
    /// session.add(Post::draft().tenant(2).title("theirs").user(ada));
    /// session.commit().await?;
    /// assert_eq!(Post::select().count(&mut session).await?, 1);
    /// assert_eq!(Post::select().unrestricted().count(&mut session).await?, 2);
    ///
    /// session[ada].deleted_at = Some(Utc::now());
    /// session.commit().await?;
    /// let id = session[ada].id();
    /// assert_eq!(session.get::<User>(id).await?, None);
    /// let gone = User::select().without_criteria::<User>().one(&mut session).await?;
    /// assert_eq!(gone, ada);
    /// // Without a session, a query keeps to the criteria on the factory, and not on the engine.
    /// assert_eq!(User::select().on(&sessions).count().await?, 0);
    /// assert_eq!(User::select().on(sessions.engine()).count().await?, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// It holds wherever a row of the model is read: in queries that start from it, join it or ask
    /// about it by `any`, `has` and `exists`; in `get`, also of an object that the session holds
    /// already; in lazy and eager loads, views, counts and bulk statements. A collection is loaded
    /// without the members that are hidden; a reference to a hidden row is *not loaded*, awaiting it
    /// is [`Error::NotLoaded`](crate::Error::NotLoaded): `None` would say that it leads nowhere. A query
    /// lifts it by [`without_criteria`](crate::query::Select::without_criteria) or
    /// [`unrestricted`](crate::query::Select::unrestricted).
    ///
    /// What writes objects sees every row, or it would leave some behind: what a flush reads to
    /// plan (the members of a deleted parent, say), `refresh`, `merge` and `find_or_add`. Members
    /// that are hidden are left alone where a collection is replaced. A new row isn't checked
    /// against the condition: a tenant's key has to be set. What the session holds already stays in
    /// the collections that show it until they are loaded anew.
    ///
    /// SQLAlchemy's `with_loader_criteria`, Hibernate's filters, EF Core's global query filters.
    pub fn with_criteria<M: Model>(mut self, condition: Condition<M>) -> Self {
        Arc::make_mut(&mut self.criteria).add(M::__table(), condition.into_expr());
        self
    }
}
