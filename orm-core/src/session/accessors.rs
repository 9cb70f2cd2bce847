//! What the accessors of a handle give: `ada.posts(&mut session)`, `post.user(&mut session)`.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use super::Session;
use super::draft::MemberOf;
use super::relations::{hidden, strictly_not_loaded};
use crate::error::{Error, Result};
use crate::load::{Loader, load_for_peers};
use crate::model::{
    Column, Handle, Key, Link, Model, Relation, Relationship, RelationshipKind, Strategy, ToMany,
    ToOne,
};
use crate::query::{Condition, Only, Orders, Select};
use crate::sql::{BinaryOp, ColumnRef, Expr, Join, JoinKind, Source};
use crate::tracking::{ObjectId, Parent, State, not_loaded};
use crate::value::Nullability;

type Loading<'s, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 's>>;

/// A collection of an object: edits both sides at once, and awaits to the loaded members.
///
/// Awaiting it loads the collection, if it is not loaded, in one statement for the object and its
/// peers: the objects that the same query or flush brought in.
#[must_use = "a collection does nothing until it is edited or awaited"]
pub struct Collection<'s, M: Model, K: ToMany> {
    session: &'s mut Session,
    owner: Handle<M>,
    relation: Relation<M, K>,
    alone: bool,
}

impl<'s, M: Model, K: ToMany> Collection<'s, M, K> {
    #[doc(hidden)]
    pub fn __new(session: &'s mut Session, key: Key, relation: Relation<M, K>) -> Self {
        Self { session, owner: Handle::from_key(key), relation, alone: false }
    }

    /// Puts a member at the end.
    ///
    /// # Panics
    /// If a handle's object is not in this session; so do the other edits.
    #[track_caller]
    pub fn push(&mut self, member: impl Into<MemberOf<K>>) -> &mut Self {
        self.session.push(self.owner, self.relation, member);
        self
    }

    /// Puts several members at the end.
    #[track_caller]
    pub fn extend<I>(&mut self, members: I) -> &mut Self
    where
        I: IntoIterator,
        I::Item: Into<MemberOf<K>>,
    {
        for member in members {
            self.session.push(self.owner, self.relation, member);
        }
        self
    }

    /// Takes a member out.
    #[track_caller]
    pub fn remove(&mut self, member: Handle<K::Target>) -> &mut Self {
        self.session.remove(self.owner, self.relation, member);
        self
    }

    /// Takes every member out.
    #[track_caller]
    pub fn clear(&mut self) -> &mut Self {
        let nobody: [Handle<K::Target>; 0] = [];
        self.session.replace(self.owner, self.relation, nobody);
        self
    }

    /// Makes these the members: a net difference.
    #[track_caller]
    pub fn replace<I>(&mut self, members: I) -> &mut Self
    where
        I: IntoIterator,
        I::Item: Into<MemberOf<K>>,
    {
        self.session.replace(self.owner, self.relation, members);
        self
    }

    /// Whether the loaded collection contains the object; `None` if it is not loaded.
    pub fn contains(&self, member: Handle<K::Target>) -> Option<bool> {
        let owner = self.session.store.readable(self.owner).ok()?;
        let index = self.relation.def().index();
        let members = self.session.store.storage(owner).relation(owner.slot, index).keys()?;
        Some(members.contains(&Handle::to_key(member)))
    }

    /// Limits the load to this object, without its peers.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Opens the collection as a query: what it gives need not be the whole collection.
    pub fn query(self) -> RelatedQuery<'s, K::Target> {
        RelatedQuery::new(self.session, self.owner, self.relation.def())
    }
}

impl<'s, M: Model, K: ToMany> IntoFuture for Collection<'s, M, K> {
    type Output = Result<Vec<Handle<K::Target>>>;
    type IntoFuture = Loading<'s, Vec<Handle<K::Target>>>;
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let relationship = self.relation.def();
            let keys = self.session.load_relationship(self.owner, relationship, self.alone).await?;
            Ok(keys.into_iter().map(Handle::from_key).collect())
        })
    }
}

/// A scalar relationship of an object: sets both sides at once, and awaits to where it leads. It
/// gives a handle where it always leads somewhere, else an `Option` of one.
#[must_use = "a reference does nothing until it is set or awaited"]
pub struct Reference<'s, M: Model, K: ToOne, N: Nullability> {
    session: &'s mut Session,
    owner: Handle<M>,
    relation: Relation<M, K, N>,
    alone: bool,
}

impl<'s, M: Model, K: ToOne, N: Nullability> Reference<'s, M, K, N> {
    #[doc(hidden)]
    pub fn __new(session: &'s mut Session, key: Key, relation: Relation<M, K, N>) -> Self {
        Self { session, owner: Handle::from_key(key), relation, alone: false }
    }

    /// Lets it lead to a member. Never loads what it led to before.
    ///
    /// # Panics
    /// If a handle's object is not in this session.
    #[track_caller]
    pub fn set(self, member: impl Into<MemberOf<K>>) {
        self.session.put(self.owner, self.relation.def(), member.into());
    }

    /// Lets it lead nowhere.
    ///
    /// # Panics
    /// If the handle's object is not in this session.
    #[track_caller]
    pub fn clear(self) {
        self.session.set_one(self.owner, self.relation, None);
    }

    /// Limits the load to this object, without its peers.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Opens the relationship as a query.
    pub fn query(self) -> RelatedQuery<'s, K::Target> {
        RelatedQuery::new(self.session, self.owner, self.relation.def())
    }
}

impl<'s, M: Model, K: ToOne, N: Nullability> IntoFuture for Reference<'s, M, K, N> {
    type Output = Result<N::Of<Handle<K::Target>>>;
    type IntoFuture = Loading<'s, N::Of<Handle<K::Target>>>;
    fn into_future(self) -> Self::IntoFuture
    where
        N: Nullability,
    {
        Box::pin(async move {
            let relationship = self.relation.def();
            let keys = self.session.load_relationship(self.owner, relationship, self.alone).await?;
            let handle = keys.first().copied().map(Handle::from_key);
            N::of(handle).ok_or_else(|| leads_nowhere(relationship))
        })
    }
}

/// The error of a reference that must lead somewhere and doesn't.
pub(super) fn leads_nowhere(relationship: &'static Relationship) -> Error {
    Error::NotFound {
        table: relationship.target().name().into(),
        reason: format!(
            "`{}.{}` leads nowhere",
            relationship.source().model(),
            relationship.name()
        )
        .into(),
    }
}

/// A relationship of one object as a query on its members.
#[must_use = "a query does nothing until a verb such as `all` runs it"]
pub struct RelatedQuery<'s, T: Model> {
    session: &'s mut Session,
    owner: Result<ObjectId>,
    relationship: &'static Relationship,
    select: Select<T>,
}

impl<'s, T: Model> RelatedQuery<'s, T> {
    fn new<M: Model>(
        session: &'s mut Session,
        owner: Handle<M>,
        relationship: &'static Relationship,
    ) -> Self {
        let owner = session.store.readable(owner);
        Self { session, owner, relationship, select: Select::__new() }
    }

    /// The query on the owner's members. The flush comes first: it may give the owner its key, or
    /// change where it leads.
    async fn on_members(self) -> Result<(&'s mut Session, Select<T>)> {
        self.session.ready().await?;
        let owner = self.owner?;
        self.session.autoflush_changes().await?;
        let mut select = members_of(self.session, owner, self.relationship, self.select)?;
        let asked = std::mem::take(&mut select.query.tree.order_by);
        select.query.tree.order_by = crate::query::member_order(self.relationship, asked);
        Ok((self.session, select))
    }

    /// Keeps the members for which this holds.
    pub fn filter(mut self, condition: Condition<T>) -> Self {
        self.select = self.select.filter(condition);
        self
    }

    /// Orders the members.
    pub fn order_by(mut self, order: impl Orders<Models: Only<T>>) -> Self {
        let tree = &mut self.select.query.tree;
        let mut terms = crate::query::OrderTerms(std::mem::take(&mut tree.order_by));
        order.__orders(&mut terms);
        tree.order_by = terms.0;
        self
    }

    /// Loads a [`Deferred`](crate::Deferred) column of the members too.
    pub fn undefer<C>(mut self, column: Column<T, C>) -> Self {
        self.select = self.select.undefer(column);
        self
    }

    /// Finds every member, whatever the factory's
    /// [criteria](crate::SessionFactory::with_criteria) are.
    pub fn unrestricted(mut self) -> Self {
        self.select = self.select.unrestricted();
        self
    }

    /// Gives at most this many members.
    pub fn limit(mut self, rows: u64) -> Self {
        self.select = self.select.limit(rows);
        self
    }

    /// Leaves out this many members at the start.
    pub fn offset(mut self, rows: u64) -> Self {
        self.select = self.select.offset(rows);
        self
    }

    /// The members, as objects of the session. The collection itself stays as loaded or unloaded
    /// as it was.
    ///
    /// # Errors
    /// The database's, and those of the flush that runs first.
    pub async fn all(self) -> Result<Vec<Handle<T>>> {
        let (session, select) = self.on_members().await?;
        select.all(session).await
    }

    /// The first member, if there is one.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn first(self) -> Result<Option<Handle<T>>> {
        let (session, select) = self.on_members().await?;
        select.first(session).await
    }

    /// How many members there are.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn count(self) -> Result<u64> {
        let (session, select) = self.on_members().await?;
        select.count(session).await
    }

    /// Whether there are any.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn exists(self) -> Result<bool> {
        let (session, select) = self.on_members().await?;
        select.exists(session).await
    }
}

/// The query for the members of one object's relationship.
fn members_of<T: Model>(
    session: &Session,
    object: ObjectId,
    relationship: &'static Relationship,
    mut select: Select<T>,
) -> Result<Select<T>> {
    if session.store.header(object).state != State::Persistent {
        return Err(Error::misuse(format!(
            "`{}.{}` of an object that is not a row can't be queried: flush first",
            relationship.source().model(),
            relationship.name(),
        )));
    }
    let equals = |source: Source, table, columns: &[usize], of_owner: &[usize]| {
        let conditions = columns.iter().zip(of_owner).map(|(&column, &own)| {
            let column = ColumnRef { table, column, source };
            let value = session.store.database_value(object, own);
            Expr::binary(
                Expr::Column(column),
                BinaryOp::Equal,
                Expr::bind(value, column.sql_type()),
            )
        });
        Expr::All(conditions.collect())
    };
    let tree = &mut select.query.tree;
    match *relationship.link()? {
        Link::Direct { foreign_key, .. } if relationship.kind() == RelationshipKind::BelongsTo => {
            let target = foreign_key.target();
            tree.and_filter(equals(
                Source::Scope,
                target,
                foreign_key.referenced(),
                foreign_key.columns(),
            ));
        }
        Link::Direct { child, foreign_key } => {
            let referenced = foreign_key.referenced();
            tree.and_filter(equals(Source::Scope, child, foreign_key.columns(), referenced));
        }
        Link::Through(association) => {
            let source = Source::Alias(tree.next_alias());
            tree.joins.push(Join::table(
                JoinKind::Inner,
                association.table,
                source,
                crate::query::reaches(association.table, source, association.target, Source::Scope),
            ));
            let (columns, referenced) =
                (association.source.columns(), association.source.referenced());
            tree.and_filter(equals(source, association.table, columns, referenced));
        }
    }
    Ok(select)
}

impl Session {
    /// The members of a relationship, loaded for the object and its peers if they are not.
    async fn load_relationship<M: Model>(
        &mut self,
        owner: Handle<M>,
        relationship: &'static Relationship,
        alone: bool,
    ) -> Result<Vec<Key>> {
        self.ready().await?;
        let object = self.store.readable(owner)?;
        let shown = |session: &Self| -> Option<Vec<Key>> {
            let members = session.store.members(object, relationship)?;
            Some(members.into_iter().map(|member| session.store.key_of(member)).collect())
        };
        if let Some(members) = shown(self) {
            return Ok(members);
        }
        self.store.unload_stale(object, relationship);
        if matches!(relationship.lazy(), Strategy::Raise | Strategy::WriteOnly) {
            return Err(not_loaded(relationship));
        }
        if self.strict_loading && self.store.header(object).state != State::Pending {
            return Err(strictly_not_loaded(relationship));
        }
        if self.may_show_known(object, relationship)?
            && self.store.show_known(object, relationship)?
        {
            return Ok(shown(self).unwrap_or_default());
        }
        self.autoflush_changes().await?;
        // The flush may have settled what was asked for, or deleted who was asked.
        let object = self.store.readable(owner)?;
        self.connect().await?;
        if let Some(connection) = &mut self.connection {
            let (store, criteria) = (&mut self.store, &*self.criteria);
            let mut loader = Loader { connection, store, criteria, populate_existing: false };
            let loaded = load_for_peers(&mut loader, object, relationship, alone).await;
            self.check(loaded)?;
        }
        shown(self).ok_or_else(|| match self.criteria.concern(relationship) {
            true => hidden(relationship),
            false => leads_nowhere(relationship),
        })
    }

    /// Whether where a relationship leads may be told from memory: not if that is an object that
    /// the criteria may hide.
    fn may_show_known(
        &self,
        object: ObjectId,
        relationship: &'static Relationship,
    ) -> Result<bool> {
        Ok(match *relationship.link()? {
            Link::Direct { foreign_key, .. }
                if relationship.kind() == RelationshipKind::BelongsTo =>
            {
                match self.store.parent_of(object, foreign_key) {
                    Parent::Known(parent) => {
                        self.store.header(parent).state == State::Pending || self.admits(parent)
                    }
                    _ => true,
                }
            }
            _ => true,
        })
    }
}
