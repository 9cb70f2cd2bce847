//! Relationships as plain descriptions, and the foreign keys that they resolve to.

use std::sync::OnceLock;

use super::ColumnDef;
use super::table::{Action, ForeignKey, Table, TableBuilder, TableFn, Target};
use crate::error::{Error, Result};

/// The four kinds of relationships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationshipKind {
    /// To one; the foreign key is in this table.
    BelongsTo,
    /// To one; the foreign key is in the other table.
    HasOne,
    /// To many; the foreign key is in the other table.
    HasMany,
    /// To many, through an association table.
    ManyToMany,
}

impl RelationshipKind {
    /// Whether it leads to many.
    pub fn is_to_many(self) -> bool {
        matches!(self, Self::HasMany | Self::ManyToMany)
    }
}

/// How a relationship is loaded unless a query says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// On demand, for an object and its peers at once.
    Select,
    /// By a LEFT JOIN of the query itself.
    Joined,
    /// By one more statement with the keys of the query's objects.
    SelectIn,
    /// By one more statement that embeds the query.
    Subquery,
    /// Never: reading it is an error until a query loads it.
    Raise,
    /// Never: it can only be edited and queried.
    WriteOnly,
}

/// What follows a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// Putting an object in brings it into the session.
    pub save_update: bool,
    /// Merging the owner merges the members.
    pub merge: bool,
    /// Deleting the owner deletes the members.
    pub delete: bool,
    /// A member that leaves is deleted.
    pub delete_orphan: bool,
    /// Refreshing or expiring the owner does the same to the members.
    pub refresh_expire: bool,
    /// Expunging the owner expunges the members.
    pub expunge: bool,
}

impl Cascade {
    /// Nothing follows.
    pub const NONE: Self = Self {
        save_update: false,
        merge: false,
        delete: false,
        delete_orphan: false,
        refresh_expire: false,
        expunge: false,
    };
    /// `"save-update, merge"`, the default.
    pub const DEFAULT: Self = Self { save_update: true, merge: true, ..Self::NONE };
    /// `"all"`: everything but delete-orphan.
    pub const ALL: Self =
        Self { delete: true, refresh_expire: true, expunge: true, ..Self::DEFAULT };
}

/// Which members of a deleted owner are left to the database's ON DELETE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassiveDeletes {
    /// None: what is not loaded is loaded first.
    Never,
    /// Those that are not loaded.
    Unloaded,
    /// All.
    All,
}

/// What connects the two sides of a relationship, as the derive found it.
#[derive(Clone, Copy, Debug)]
pub enum Path {
    /// The foreign key over these fields of this table.
    Via(&'static [&'static str]),
    /// The foreign key over these fields of the other table.
    ForeignKey(&'static [&'static str]),
    /// The foreign key of the relationship that `back_populates` names.
    Inverse,
    /// An association table. Fields of it that reference this side and the other; empty where
    /// they follow from the foreign keys.
    Secondary(TableFn, &'static [&'static str], &'static [&'static str]),
    /// An association table of this name that has no struct: one column per key column of each
    /// side, named after the side (`user_id` and `other_user_id` between a model and itself).
    PairTable(&'static str),
}

/// Gives the order of a relationship's members: positions of the other table's columns, true for
/// descending.
pub type MemberOrder = fn() -> Vec<(usize, bool)>;

/// The description of a relationship.
#[derive(Debug)]
pub struct Relationship {
    index: usize,
    name: &'static str,
    kind: RelationshipKind,
    source: TableFn,
    target: TableFn,
    path: Path,
    back_populates: Option<&'static str>,
    strategy: Strategy,
    cascade: Cascade,
    passive_deletes: PassiveDeletes,
    single_parent: bool,
    post_update: bool,
    view_only: bool,
    order_by: Option<MemberOrder>,
    link: OnceLock<std::result::Result<Link, String>>,
}

impl Relationship {
    /// A relationship of the default strategy and cascade.
    pub fn new(
        name: &'static str,
        kind: RelationshipKind,
        source: TableFn,
        target: TableFn,
        path: Path,
    ) -> Self {
        Self {
            index: 0,
            name,
            kind,
            source,
            target,
            path,
            back_populates: None,
            strategy: Strategy::Select,
            cascade: Cascade::DEFAULT,
            passive_deletes: PassiveDeletes::Never,
            single_parent: false,
            post_update: false,
            view_only: false,
            order_by: None,
            link: OnceLock::new(),
        }
    }
    /// Names the relationship on the other side.
    pub fn back_populates(mut self, name: &'static str) -> Self {
        self.back_populates = Some(name);
        self
    }
    /// With a loading strategy.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }
    /// With cascades.
    pub fn cascade(mut self, cascade: Cascade) -> Self {
        self.cascade = cascade;
        self
    }
    /// Trusting the database's ON DELETE for members that are not loaded.
    pub fn passive_deletes(mut self) -> Self {
        self.passive_deletes = PassiveDeletes::Unloaded;
        self
    }
    /// Leaving its members to the database's ON DELETE, loaded or not.
    pub fn never_deletes(mut self) -> Self {
        self.passive_deletes = PassiveDeletes::All;
        self
    }
    /// With members that have one owner at most.
    pub fn single_parent(mut self) -> Self {
        self.single_parent = true;
        self
    }
    /// Always written by an UPDATE of its own after the INSERT.
    pub fn post_update(mut self) -> Self {
        self.post_update = true;
        self
    }
    /// Loaded and never written.
    pub fn view_only(mut self) -> Self {
        self.view_only = true;
        self
    }
    /// With an order of its members.
    pub fn order_by(mut self, order: MemberOrder) -> Self {
        self.order_by = Some(order);
        self
    }

    pub(crate) fn at(mut self, index: usize) -> Self {
        self.index = index;
        self
    }
    pub(crate) fn index(&self) -> usize {
        self.index
    }
    /// The field's name.
    pub fn name(&self) -> &'static str {
        self.name
    }
    /// The kind.
    pub fn kind(&self) -> RelationshipKind {
        self.kind
    }
    /// The table of the model that has the field.
    pub fn source(&self) -> &'static Table {
        (self.source)()
    }
    /// The table of the model that it leads to.
    pub fn target(&self) -> &'static Table {
        (self.target)()
    }
    /// The loading strategy.
    pub fn lazy(&self) -> Strategy {
        self.strategy
    }
    /// The cascades.
    pub fn cascades(&self) -> Cascade {
        self.cascade
    }
    /// Whether it leads to a table whose foreign key keeps its values unique.
    pub(crate) fn has_unique_key(&self) -> bool {
        match self.link() {
            Ok(Link::Direct { child, foreign_key }) => child.is_unique(foreign_key.columns()),
            _ => false,
        }
    }
    pub(crate) fn left_to_database(&self) -> PassiveDeletes {
        self.passive_deletes
    }
    pub(crate) fn has_single_parent(&self) -> bool {
        self.single_parent
    }
    pub(crate) fn is_post_update(&self) -> bool {
        self.post_update
    }
    pub(crate) fn is_view_only(&self) -> bool {
        self.view_only
    }
    /// The order of its members, as far as one is declared.
    pub(crate) fn member_order(&self) -> Vec<(usize, bool)> {
        self.order_by.map(|order| order()).unwrap_or_default()
    }
    /// The relationship on the other side, if both name each other.
    pub(crate) fn inverse(&self) -> Option<&'static Relationship> {
        self.target().relationship(self.back_populates?)
    }

    /// The foreign keys that connect the two sides.
    ///
    /// # Errors
    /// [`Error::Misuse`] where the mapping doesn't say which foreign key is meant.
    pub(crate) fn link(&self) -> Result<&Link> {
        self.link.get_or_init(|| self.resolve()).as_ref().map_err(|why| {
            Error::misuse(format!("`{}.{}`: {why}", self.source().model(), self.name))
        })
    }

    fn resolve(&self) -> std::result::Result<Link, String> {
        let (source, target) = (self.source(), self.target());
        match self.path {
            Path::Via(fields) => Ok(Link::Direct {
                child: source,
                foreign_key: foreign_key_over(source, fields, target)?,
            }),
            Path::ForeignKey(fields) => Ok(Link::Direct {
                child: target,
                foreign_key: foreign_key_over(target, fields, source)?,
            }),
            Path::Inverse => {
                let inverse = self.inverse().ok_or_else(|| {
                    format!("`back_populates` names no relationship of `{}`", target.model())
                })?;
                match inverse.path {
                    Path::Inverse => Err(format!(
                        "neither it nor `{}.{}` says which foreign key connects them",
                        target.model(),
                        inverse.name
                    )),
                    _ => match inverse.resolve()? {
                        Link::Through(pair) => Ok(Link::Through(Association {
                            table: pair.table,
                            source: pair.target,
                            target: pair.source,
                        })),
                        direct => Ok(direct),
                    },
                }
            }
            Path::Secondary(table, here, there) => {
                let table = table();
                let side = |fields: &[&'static str], of: &'static Table, other: Option<usize>| {
                    if fields.is_empty() {
                        only_foreign_key(table, of, other)
                    } else {
                        foreign_key_over(table, fields, of)
                    }
                };
                let from = side(here, source, None)?;
                let to = side(there, target, Some(from.index))?;
                Ok(Link::Through(Association { table, source: from, target: to }))
            }
            Path::PairTable(name) => {
                let table = pair_table(name, self.source, self.target);
                let (first, second) = (&table.foreign_keys()[0], &table.foreign_keys()[1]);
                let ends = [first.target(), second.target()];
                if ends != [source, target] && ends != [target, source] {
                    return Err(format!(
                        "the pair table `{name}` is that of `{}` and `{}` already",
                        ends[0].model(),
                        ends[1].model(),
                    ));
                }
                let (source, target) = match self.is_second_side_of(first, source, target) {
                    false => (first, second),
                    true => (second, first),
                };
                Ok(Link::Through(Association { table, source, target }))
            }
        }
    }
    /// Whether a pair table's first key leads away from this side. Of two relationships of a model
    /// to itself that both name the table, the first declared is the first side.
    fn is_second_side_of(
        &self,
        first: &ForeignKey,
        source: &'static Table,
        target: &'static Table,
    ) -> bool {
        if source != target {
            return first.target() != source;
        }
        self.inverse().is_some_and(|inverse| {
            matches!(inverse.path, Path::PairTable(_)) && inverse.index < self.index
        })
    }
}

/// What connects the two sides of a relationship.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// A foreign key of one of the two tables.
    Direct {
        /// The table that has the foreign key.
        child: &'static Table,
        /// The foreign key.
        foreign_key: &'static ForeignKey,
    },
    /// An association table.
    Through(Association),
}

/// An association table and its two foreign keys, seen from one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Association {
    /// The association table.
    pub table: &'static Table,
    /// Its foreign key to the side that the relationship starts from.
    pub source: &'static ForeignKey,
    /// Its foreign key to the side that the relationship leads to.
    pub target: &'static ForeignKey,
}

impl PartialEq for ForeignKey {
    /// Descriptions are made once: the same foreign key is the same place in memory.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

fn foreign_key_over(
    table: &'static Table,
    fields: &[&'static str],
    target: &'static Table,
) -> std::result::Result<&'static ForeignKey, String> {
    let columns: Option<Vec<usize>> =
        fields.iter().map(|field| table.column_of_field(field)).collect();
    table
        .foreign_keys()
        .iter()
        .find(|key| Some(&key.columns) == columns.as_ref() && key.target() == target)
        .ok_or_else(|| {
            format!(
                "`{}` has no foreign key over ({}) that references `{}`",
                table.model(),
                fields.join(", "),
                target.model()
            )
        })
}

fn only_foreign_key(
    table: &'static Table,
    target: &'static Table,
    other_than: Option<usize>,
) -> std::result::Result<&'static ForeignKey, String> {
    let mut keys = table
        .foreign_keys()
        .iter()
        .filter(|key| key.target() == target && Some(key.index) != other_than);
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(format!("`{}` has no foreign key to `{}`", table.model(), target.model())),
        (Some(_), Some(_)) => Err(format!(
            "`{0}` has several foreign keys to `{1}`: name them, as in `secondary({0}::…, {0}::…)`",
            table.model(),
            target.model()
        )),
    }
}

/// The pair table of this name, made once: the two sides' relationships share it.
fn pair_table(name: &'static str, source: TableFn, target: TableFn) -> &'static Table {
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};
    static TABLES: Mutex<Option<HashMap<&'static str, &'static Table>>> = Mutex::new(None);
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    tables.get_or_insert_default().entry(name).or_insert_with(|| {
        let mut builder = TableBuilder::plain(name, name);
        let mut sides = Vec::new();
        // A model paired with itself needs two names for the same key.
        let prefix = if source() == target() { "other_" } else { "" };
        for (side, prefix) in [(source, ""), (target, prefix)] {
            let table = side();
            let mut fields = Vec::new();
            for &at in table.primary_key() {
                let key = &table.columns()[at];
                let model = table.model().to_lowercase();
                let column = leak(format!("{prefix}{model}_{}", key.field));
                let mut facts = key.facts;
                facts.server_default = None;
                let mut pair = ColumnDef::new::<i64>(column, column).primary_key();
                pair.facts = facts;
                builder = builder.column(pair);
                fields.push(column);
            }
            sides.push((fields, side));
        }
        for (fields, side) in sides {
            builder = builder.foreign_key(
                &fields,
                Target::PrimaryKey(side),
                Action::Cascade,
                Action::Cascade,
            );
        }
        Box::leak(Box::new(builder.build()))
    })
}

/// Descriptions live as long as the program; a pair table's names are made once per program.
fn leak(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}
