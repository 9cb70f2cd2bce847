//! What `add` takes: a finished draft or a whole struct, with the objects it is linked to.

use std::fmt;
use std::marker::PhantomData;

use super::Session;
use super::merge::{Merged, MergedMember};
use crate::error::Result;
use crate::model::{
    ColumnDef, ColumnSet, Handle, Kind, Model, Relation, Relationship, ToMany, ToOne,
};
use crate::tracking::ObjectId;
use crate::value::{Blank, FieldOperand, Placeholder, Value};

/// A new object, ready to be added: made from a draft whose required columns are set, or from a
/// whole struct.
pub struct New<M: Model> {
    pub(super) model: M,
    /// Own columns that nobody gave a value, counted from the first own column.
    pub(super) unset: ColumnSet,
    /// Own columns that were given a value, and not left to a default.
    pub(super) given: ColumnSet,
    pub(super) links: Vec<DraftLink>,
}

impl<M: Model> New<M> {
    #[doc(hidden)]
    pub fn __from_draft(model: Option<M>, unset: Unset, links: Links<M>) -> Self {
        let model = model.expect("the draft's type says that its required columns are set");
        Self::finished(model, unset, links)
    }

    fn finished(model: M, unset: Unset, links: Links<M>) -> Self {
        Self { model: normalized(model), unset: unset.left_out, given: unset.given, links: links.0 }
    }
}

impl<M: Model> New<M> {
    /// A whole struct counts as given in every column, but for a generated key that is zero.
    #[doc(hidden)]
    pub fn __from_struct(model: M) -> Self {
        let table = M::__table();
        let own = &table.columns()[table.base_columns()..];
        let is_left_out = |(at, column): &(usize, &ColumnDef)| {
            column.autoincrement && model.__column(*at).encode() == Value::Int(0)
        };
        let (unset, given): (Vec<_>, Vec<_>) = own.iter().enumerate().partition(is_left_out);
        let columns = |set: Vec<(usize, &ColumnDef)>| set.into_iter().map(|(at, _)| at).collect();
        let (unset, given) = (columns(unset), columns(given));
        Self { model: normalized(model), unset, given, links: Vec::new() }
    }
}

/// The model as it enters a session: cut to what every database can hold.
fn normalized<M: Model>(mut model: M) -> M {
    let own = M::__table().columns().len() - M::__table().base_columns();
    (0..own).for_each(|column| model.__column_mut(column).normalize());
    model
}

impl<M: Model> fmt::Debug for New<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "New({})", M::__table().model())
    }
}

/// What a relationship takes: an object of the session, or a new one.
#[derive(Debug)]
pub enum Member<M: Model> {
    /// An object of the session.
    Known(Handle<M>),
    /// A new one, which is added along.
    New(New<M>),
}

impl<M: Model> From<Handle<M>> for Member<M> {
    fn from(handle: Handle<M>) -> Self {
        Self::Known(handle)
    }
}

impl<M: Model> From<New<M>> for Member<M> {
    fn from(new: New<M>) -> Self {
        Self::New(new)
    }
}

/// A relationship that a draft was given, and its members.
pub(super) struct DraftLink {
    pub(super) relationship: &'static Relationship,
    pub(super) members: Vec<Box<dyn DraftMember>>,
}

/// A [`Member`] of a model that isn't known statically.
pub(super) trait DraftMember: Send + Sync {
    /// Whether it is to be added along.
    fn is_new(&self) -> bool;
    /// Whether all that it leads to is in the session.
    fn expect_here(&self, session: &Session) -> Result<()>;
    /// The member as an object; a new one is added.
    fn bring_in(self: Box<Self>, session: &mut Session) -> ObjectId;
    /// The member as a part of what is merged.
    fn into_merged(self: Box<Self>) -> MergedMember;
}

impl Session {
    /// Whether the objects that links lead to are in the session, at any depth: asked before
    /// anything is added, by what must not stop half-way.
    ///
    /// # Errors
    /// [`Error::Detached`](crate::Error::Detached) of the first that isn't.
    pub(super) fn expect_members(&self, links: &[DraftLink]) -> Result<()> {
        let mut members = links.iter().flat_map(|link| &link.members);
        members.try_for_each(|member| member.expect_here(self))
    }

    fn expect_known<M: Model>(&self, handle: Handle<M>) -> Result<()> {
        self.store.member(M::__table(), Handle::to_key(handle)).map(drop)
    }
}

impl<M: Model> DraftMember for Member<M> {
    fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
    fn expect_here(&self, session: &Session) -> Result<()> {
        match self {
            Self::Known(handle) => session.expect_known(*handle),
            Self::New(new) => session.expect_members(&new.links),
        }
    }
    fn bring_in(self: Box<Self>, session: &mut Session) -> ObjectId {
        session.bring_in(*self)
    }
    fn into_merged(self: Box<Self>) -> MergedMember {
        match *self {
            Self::Known(handle) => MergedMember::Known(M::__table(), Handle::to_key(handle)),
            Self::New(new) => MergedMember::New(Merged::of_new(new, None)),
        }
    }
}

/// The relationships that a draft was given.
pub struct Links<M: Model>(Vec<DraftLink>, PhantomData<fn(M)>);

impl<M: Model> Default for Links<M> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

impl<M: Model> Links<M> {
    /// A reference is to lead to this member.
    pub fn one<K: ToOne, N>(
        &mut self,
        relation: Relation<M, K, N>,
        member: impl Into<Member<K::Target>>,
    ) {
        let members: Vec<Box<dyn DraftMember>> = vec![Box::new(member.into())];
        self.0.push(DraftLink { relationship: relation.def(), members });
    }

    /// A collection is to have these members.
    pub fn many<K: ToMany, I>(&mut self, relation: Relation<M, K>, members: I)
    where
        I: IntoIterator,
        I::Item: Into<Member<K::Target>>,
    {
        let boxed = |member: I::Item| -> Box<dyn DraftMember> { Box::new(member.into()) };
        let members = members.into_iter().map(boxed).collect();
        self.0.push(DraftLink { relationship: relation.def(), members });
    }
}

/// The columns that a draft leaves to the server, to a relationship or to NULL, while it is finished,
/// counted from the first own column.
#[derive(Debug, Default)]
pub struct Unset {
    left_out: ColumnSet,
    given: ColumnSet,
    /// The first column that is not set and must be.
    missing: Option<usize>,
}

impl Unset {
    /// Nothing is left out yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The given value, else the blank; remembers a column that is left out. `None` if it must be
    /// set and isn't.
    pub fn column<F>(
        &mut self,
        column: usize,
        given: Option<F>,
        blank: impl FnOnce() -> Option<Blank<F>>,
    ) -> Option<F> {
        if given.is_some() {
            self.given.insert(column);
            return given;
        }
        match blank() {
            Some(Blank::Written(value)) => Some(value),
            Some(Blank::LeftToServer(placeholder)) => {
                self.left_out.insert(column);
                Some(placeholder)
            }
            None => {
                self.missing = Some(column);
                None
            }
        }
    }
}

/// The columns that a draft was given, as values, counted from the first own column.
#[derive(Debug, Default)]
pub struct Given(Vec<(usize, Value)>);

impl Given {
    /// Nothing is given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A column that may be given.
    pub fn column(&mut self, column: usize, given: Option<Value>) {
        self.0.extend(given.map(|value| (column, value)));
    }
}

/// A draft of the model `M`, whatever is set of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a draft of `{M}`",
    label = "expected a draft, as in `User::draft().email(\"ada@example.org\")`"
)]
pub trait Draft<M: Model>: Sized {
    #[doc(hidden)]
    fn __into_partial(self) -> Partial<M>;
}

/// What is set of a draft: as much as [`Session::merge`](super::Session::merge) needs.
pub struct Partial<M: Model> {
    pub(super) given: Vec<(usize, Value)>,
    /// Everything, else the first own column that would have to be set.
    pub(super) new: Result<New<M>, (usize, Vec<DraftLink>)>,
}

impl<M: Model> Partial<M> {
    #[doc(hidden)]
    pub fn __from_draft(model: Option<M>, given: Given, unset: Unset, links: Links<M>) -> Self {
        let new = match (model, unset.missing) {
            (Some(model), _) => Ok(New::finished(model, unset, links)),
            (None, missing) => Err((missing.unwrap_or_default(), links.0)),
        };
        Self { given: given.0, new }
    }
}

impl<M: Model> fmt::Debug for Partial<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Partial({})", M::__table().model())
    }
}

/// A column that the server fills in, or that a relationship does.
pub fn left_to_server<T: Placeholder>(server_default: Option<&str>) -> Blank<T> {
    Blank::LeftToServer(T::placeholder(server_default))
}

/// A column's default of the application.
pub fn default_for<F>(value: impl FieldOperand<F>) -> Blank<F> {
    Blank::Written(value.into_field())
}

/// What a relationship of kind `K` takes.
pub(super) type MemberOf<K> = Member<<K as Kind>::Target>;
