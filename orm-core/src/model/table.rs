//! Tables, columns and keys as plain descriptions.

use std::any::TypeId;
use std::collections::HashSet;
use std::sync::OnceLock;

use super::{
    BaseColumns, ColumnDef, ColumnSet, EntityStorage, Hooks, Model, ModelHooks, Relationship,
    Storage,
};
use crate::error::Error;
use crate::value::{Cells, SqlType, ValueError};

/// How a description names another table.
pub type TableFn = fn() -> &'static Table;

/// The description of a table, made once per model.
#[derive(Debug)]
pub struct Table {
    name: &'static str,
    schema: Option<&'static str>,
    comment: Option<&'static str>,
    model: &'static str,
    type_id: Option<TypeId>,
    storage: Option<fn() -> Box<dyn Storage>>,
    columns: Vec<ColumnDef>,
    base_columns: usize,
    deferred: Vec<usize>,
    primary_key: Vec<usize>,
    foreign_keys: Vec<ForeignKey>,
    uniques: Vec<Index>,
    indexes: Vec<Index>,
    checks: Vec<&'static str>,
    relationships: Vec<Relationship>,
    hooks: Option<ModelHooks>,
}

impl Table {
    /// The description of rows that no table stores: columns and nothing else.
    pub fn of_rows<const N: usize>(
        name: &'static str,
        model: &'static str,
        columns: [ColumnDef; N],
    ) -> Self {
        let mut table = TableBuilder::plain(name, model).0;
        table.columns.extend(columns);
        table
    }
    /// The name in the database.
    pub fn name(&self) -> &'static str {
        self.name
    }
    /// The database schema, where one is named.
    pub fn schema(&self) -> Option<&'static str> {
        self.schema
    }
    /// The table's comment.
    pub fn comment(&self) -> Option<&'static str> {
        self.comment
    }
    /// The model's name in Rust.
    pub fn model(&self) -> &'static str {
        self.model
    }
    /// The columns, base columns first.
    pub fn columns(&self) -> &[ColumnDef] {
        &self.columns
    }
    /// How many of the columns are base columns.
    pub fn base_columns(&self) -> usize {
        self.base_columns
    }
    /// The positions of the columns that queries leave out until they are asked for.
    pub(crate) fn deferred(&self) -> &[usize] {
        &self.deferred
    }
    /// The positions of the columns that a query selects, given those that it doesn't leave out
    /// though they are deferred.
    pub(crate) fn selected(&self, undeferred: &ColumnSet) -> impl Iterator<Item = usize> {
        let columns = 0..self.columns.len();
        columns.filter(|at| !self.deferred.contains(at) || undeferred.contains(*at))
    }
    /// The positions of the primary key's columns.
    pub fn primary_key(&self) -> &[usize] {
        &self.primary_key
    }
    /// The foreign keys.
    pub fn foreign_keys(&self) -> &[ForeignKey] {
        &self.foreign_keys
    }
    /// The unique columns and groups of columns, without the primary key.
    pub fn uniques(&self) -> &[Index] {
        &self.uniques
    }
    /// Whether no two rows can have the same values in all of these columns.
    pub(crate) fn is_unique(&self, columns: &[usize]) -> bool {
        let uniques = self.uniques.iter().map(|unique| &unique.columns);
        uniques
            .chain([&self.primary_key])
            .any(|unique| unique.iter().all(|column| columns.contains(column)))
    }
    /// The indexes that are not unique.
    pub fn indexes(&self) -> &[Index] {
        &self.indexes
    }
    /// The checks of the whole table, in SQL.
    pub fn checks(&self) -> &[&'static str] {
        &self.checks
    }
    /// The relationships of the model.
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }
    /// The model's hooks, if it has any.
    pub(crate) fn hooks(&self) -> Option<ModelHooks> {
        self.hooks
    }
    /// The model's type; `None` for a pair table that has no struct.
    pub(crate) fn type_id(&self) -> Option<TypeId> {
        self.type_id
    }
    /// An empty storage for the model's entities.
    pub(crate) fn new_storage(&self) -> Option<Box<dyn Storage>> {
        self.storage.map(|new| new())
    }
    /// The position of the column of this field.
    pub(crate) fn column_of_field(&self, field: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.field == field)
    }
    /// The position of the column of this name.
    pub(crate) fn column_named(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
    /// Whether a row has one of this table's, whose cells begin at this position: there is none where
    /// an outer join found none.
    pub(crate) fn is_in(&self, cells: &dyn Cells, at: usize) -> bool {
        !self.primary_key.iter().any(|column| cells.is_null(at + column))
    }
    /// The error of a row whose columns, from the cell at `at` on, could not be decoded: names the
    /// column. Only on the error's path are they read once more, one by one.
    pub(crate) fn decode_error(&self, cells: &dyn Cells, at: usize, error: ValueError) -> Error {
        let mut columns = self.columns.iter().enumerate();
        let unreadable = columns
            .find(|(position, column)| !column.is_readable(cells, at + position))
            .map(|(_, column)| column)
            .or_else(|| self.only_document());
        match unreadable {
            Some(column) => Error::at_column(self.name, column.name, error),
            None => Error::Type { place: format!("a row of `{}`", self.name), error },
        }
    }
    /// The only column of documents, whose shape the field's type alone knows.
    fn only_document(&self) -> Option<&ColumnDef> {
        let mut documents =
            self.columns.iter().filter(|column| column.logical_type() == SqlType::Json);
        documents.next().filter(|_| documents.next().is_none())
    }
    /// The relationship of this field.
    pub(crate) fn relationship(&self, name: &str) -> Option<&Relationship> {
        self.relationships.iter().find(|relationship| relationship.name() == name)
    }
    /// The column of the optimistic lock, if there is one.
    pub(crate) fn version(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.version)
    }
}

impl PartialEq for Table {
    /// Two descriptions are the same if they are of the same model, or of the same pair table.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Table {}

impl std::hash::Hash for Table {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self).hash(state);
    }
}

/// What happens to rows that point to a row that goes away or changes its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing is done; the statement fails if a row is left pointing nowhere.
    NoAction,
    /// The statement fails at once.
    Restrict,
    /// They follow: are deleted, or take the new key.
    Cascade,
    /// Their key becomes `NULL`.
    SetNull,
    /// Their key becomes its default.
    SetDefault,
}

/// What a foreign key references.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The primary key of a table.
    PrimaryKey(TableFn),
    /// The columns of these fields of a table.
    Fields(TableFn, &'static [&'static str]),
    /// The columns at these positions of a table.
    Columns(TableFn, &'static [usize]),
}

/// A foreign key.
#[derive(Debug)]
pub struct ForeignKey {
    /// The position among the table's foreign keys.
    pub(crate) index: usize,
    /// The positions of its columns.
    pub(crate) columns: Vec<usize>,
    pub(crate) target: Target,
    pub(crate) on_delete: Action,
    pub(crate) on_update: Action,
    pub(crate) deferrable: bool,
    referenced: OnceLock<Vec<usize>>,
}

impl ForeignKey {
    /// The positions of its columns in the table that has it.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }
    /// The table it references.
    pub fn target(&self) -> &'static Table {
        match self.target {
            Target::PrimaryKey(table) | Target::Fields(table, _) | Target::Columns(table, _) => {
                table()
            }
        }
    }
    /// The positions of the referenced columns, in the order of [`columns`](Self::columns).
    pub fn referenced(&self) -> &[usize] {
        self.referenced.get_or_init(|| match self.target {
            Target::PrimaryKey(table) => table().primary_key().to_vec(),
            Target::Fields(table, fields) => {
                let table = table();
                fields
                    .iter()
                    .map(|field| {
                        table.column_of_field(field).unwrap_or_else(|| {
                            panic!("`{}` has no column for the field `{field}`", table.model())
                        })
                    })
                    .collect()
            }
            Target::Columns(_, columns) => columns.to_vec(),
        })
    }
    /// Whether it references the whole primary key, in its order.
    pub(crate) fn references_primary_key(&self) -> bool {
        self.referenced() == self.target().primary_key()
    }
    /// What happens when the referenced row is deleted.
    pub fn on_delete(&self) -> Action {
        self.on_delete
    }
    /// What happens when the referenced key changes.
    pub fn on_update(&self) -> Action {
        self.on_update
    }
    /// Whether it is checked at COMMIT rather than by each statement.
    pub fn is_deferrable(&self) -> bool {
        self.deferrable
    }
    /// Whether every column of it accepts `NULL`.
    pub(crate) fn is_nullable(&self, table: &Table) -> bool {
        self.columns.iter().all(|&column| table.columns[column].facts.nullable)
    }
}

/// An index or a unique constraint over columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// A name of its own, in place of the convention's.
    pub name: Option<&'static str>,
    /// The positions of the columns.
    pub columns: Vec<usize>,
}

/// Builds a [`Table`], for generated code. Mistakes that the derive has ruled out panic here.
#[derive(Debug)]
pub struct TableBuilder(Table);

impl TableBuilder {
    /// A table for the model, starting with its base columns.
    pub fn new<M: Model>(name: &'static str, model: &'static str) -> Self {
        let mut builder = Self::plain(name, model);
        builder.0.type_id = Some(TypeId::of::<M>());
        builder.0.storage = Some(|| Box::new(EntityStorage::<M>::default()));
        for column in M::Base::columns() {
            builder = builder.column(column);
        }
        builder.0.base_columns = M::Base::COUNT;
        builder
    }

    /// A table without a struct.
    pub(crate) fn plain(name: &'static str, model: &'static str) -> Self {
        Self(Table {
            name,
            schema: None,
            comment: None,
            model,
            type_id: None,
            storage: None,
            columns: Vec::new(),
            base_columns: 0,
            deferred: Vec::new(),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            uniques: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            relationships: Vec::new(),
            hooks: None,
        })
    }

    /// Adds a column.
    pub fn column(mut self, column: ColumnDef) -> Self {
        self.0.columns.push(column);
        self
    }

    /// Names the database schema.
    pub fn schema(mut self, schema: &'static str) -> Self {
        self.0.schema = Some(schema);
        self
    }

    /// Adds a comment.
    pub fn comment(mut self, comment: &'static str) -> Self {
        self.0.comment = Some(comment);
        self
    }

    /// Adds a foreign key over the columns of these fields.
    pub fn foreign_key(
        mut self,
        fields: &[&'static str],
        target: Target,
        on_delete: Action,
        on_update: Action,
    ) -> Self {
        let columns = self.positions(fields);
        self.0.foreign_keys.push(ForeignKey {
            index: self.0.foreign_keys.len(),
            columns,
            target,
            on_delete,
            on_update,
            deferrable: false,
            referenced: OnceLock::new(),
        });
        self
    }

    /// Has the foreign key that was added last checked at COMMIT.
    pub fn deferrable(mut self) -> Self {
        if let Some(key) = self.0.foreign_keys.last_mut() {
            key.deferrable = true;
        }
        self
    }

    /// Adds a unique constraint over the columns of these fields.
    pub fn unique(mut self, fields: &[&'static str], name: Option<&'static str>) -> Self {
        let columns = self.positions(fields);
        self.0.uniques.push(Index { name, columns });
        self
    }

    /// Adds an index over the columns of these fields.
    pub fn index(mut self, fields: &[&'static str], name: Option<&'static str>) -> Self {
        let columns = self.positions(fields);
        self.0.indexes.push(Index { name, columns });
        self
    }

    /// Adds a check of the whole table.
    pub fn check(mut self, sql: &'static str) -> Self {
        self.0.checks.push(sql);
        self
    }

    /// Adds a relationship.
    pub fn relationship(mut self, relationship: Relationship) -> Self {
        let index = self.0.relationships.len();
        self.0.relationships.push(relationship.at(index));
        self
    }

    /// Lets the hooks of the model run.
    pub fn hooks<M: Hooks>(mut self) -> Self {
        self.0.hooks = Some(ModelHooks::of::<M>());
        self
    }

    /// The finished table.
    ///
    /// # Panics
    /// If two columns have the same name in the database or there is no primary key.
    pub fn build(self) -> Table {
        let mut table = self.0;
        let mut names = HashSet::new();
        let keys = table.columns.iter().filter(|column| column.primary_key).count();
        for (at, column) in table.columns.iter().enumerate() {
            assert!(
                names.insert(column.name),
                "`{}` has two columns named `{}`: rename one with `#[orm(column = \"…\")]`",
                table.model,
                column.name,
            );
            if column.primary_key {
                table.primary_key.push(at);
            }
            if column.facts.deferred {
                table.deferred.push(at);
            }
            let is_whole_key = column.primary_key && keys == 1;
            if column.facts.unique && !is_whole_key {
                table.uniques.push(Index { name: None, columns: vec![at] });
            } else if column.facts.index {
                table.indexes.push(Index { name: None, columns: vec![at] });
            }
        }
        assert!(!table.primary_key.is_empty(), "`{}` has no primary key", table.model);
        table
    }

    fn positions(&self, fields: &[&'static str]) -> Vec<usize> {
        fields
            .iter()
            .map(|field| {
                self.0.column_of_field(field).unwrap_or_else(|| {
                    panic!("`{}` has no column for the field `{field}`", self.0.model)
                })
            })
            .collect()
    }
}
