//! What `add` takes: a finished draft or a whole struct, with the objects it is linked to.

use std::fmt;

use super::Session;
use crate::model::{ColumnSet, Handle, Kind, Model, Relation, Relationship, ToMany, ToOne};
use crate::value::{Blank, Operand, Placeholder, Value};

/// A new object, ready to be added: made from a draft whose required columns are set, or from a
/// whole struct.
pub struct New<M: Model> {
    pub(super) model: M,
    /// Own columns that nobody gave a value, counted from the first own column.
    pub(super) unset: ColumnSet,
    pub(super) links: Links<M>,
}

impl<M: Model> New<M> {
    #[doc(hidden)]
    pub fn __from_draft(model: M, unset: Unset, links: Links<M>) -> Self {
        Self { model: normalized(model), unset: unset.0, links }
    }
}

impl<M: Model> New<M> {
    /// A whole struct counts as given in every column, but for a generated key that is zero.
    #[doc(hidden)]
    pub fn __from_struct(model: M) -> Self {
        let table = M::__table();
        let own = &table.columns()[table.base_columns()..];
        let unset = own
            .iter()
            .enumerate()
            .filter(|(at, column)| column.autoincrement && model.__encode(*at) == Value::Int(0))
            .map(|(at, _)| at)
            .collect();
        Self { model: normalized(model), unset, links: Links::default() }
    }
}

/// The model as it enters a session: cut to what every database can hold.
fn normalized<M: Model>(mut model: M) -> M {
    let own = M::__table().columns().len() - M::__table().base_columns();
    (0..own).for_each(|column| model.__normalize(column));
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

type Link<M> = Box<dyn FnOnce(&mut Session, Handle<M>) + Send + Sync>;

/// The relationships that a draft was given.
pub struct Links<M: Model>(pub(super) Vec<Link<M>>);

impl<M: Model> Default for Links<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M: Model> Links<M> {
    /// A reference is to lead to this member.
    pub fn one<K: ToOne, N>(
        &mut self,
        relation: Relation<M, K, N>,
        member: impl Into<Member<K::Target>>,
    ) {
        self.push(relation.def(), vec![member.into()]);
    }

    /// A collection is to have these members.
    pub fn many<K: ToMany, I>(&mut self, relation: Relation<M, K>, members: I)
    where
        I: IntoIterator,
        I::Item: Into<Member<K::Target>>,
    {
        self.push::<K::Target>(relation.def(), members.into_iter().map(Into::into).collect());
    }

    fn push<T: Model>(&mut self, relationship: &'static Relationship, members: Vec<Member<T>>) {
        self.0.push(Box::new(move |session, owner| {
            for member in members {
                session.put(owner, relationship, member);
            }
        }));
    }
}

/// The columns that a draft leaves to the server, to a relationship or to NULL, while it is finished.
#[derive(Debug, Default)]
pub struct Unset(ColumnSet);

impl Unset {
    /// Nothing is left out yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The given value, else the blank; remembers a column that is left out. Columns are counted
    /// from the first own column.
    pub fn column<T>(
        &mut self,
        column: usize,
        given: Option<T>,
        blank: impl FnOnce() -> Blank<T>,
    ) -> T {
        match given.map_or_else(blank, Blank::Written) {
            Blank::Written(value) => value,
            Blank::LeftToServer(placeholder) => {
                self.0.insert(column);
                placeholder
            }
        }
    }
}

/// What a column holds when a draft left it out, which its type has told; the draft's type says
/// that it may be left out.
pub fn when_unset<T>(blank: Option<Blank<T>>) -> Blank<T> {
    blank.expect("the draft's type says that this column is set or has a default")
}

/// A column that the server fills in, or that a relationship does.
pub fn left_to_server<T: Placeholder>(server_default: Option<&str>) -> Blank<T> {
    Blank::LeftToServer(T::placeholder(server_default))
}

/// A column's default of the application.
pub fn default_for<T>(value: impl Operand<T>) -> Blank<T> {
    Blank::Written(value.into_operand())
}

/// What a relationship of kind `K` takes.
pub(super) type MemberOf<K> = Member<<K as Kind>::Target>;
