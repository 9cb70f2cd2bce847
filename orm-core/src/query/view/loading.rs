//! The statements that fill a view, and the rows that they brought.
//!
//! A [`Loading`] is a plan that grows: the keys that one level brought decide about the
//! statements of the next. It is synchronous and never sees a connection:
//!
//! ```text
//! let mut loading = views.loading(max_keys)?;
//! while let Some(tree) = loading.next_statement()? {
//!     // render and run it, and for each row:
//!     loading.accept(cells)?;
//! }
//! let items: Vec<UserOut> = loading.finish()?;
//! ```
//!
//! Rows wait as values until the last level is in, because several owners may share a member:
//! each builds its own view of it from the one row.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::shape::{Nested, Slot, expect_depth};
use super::{View, ViewRow, ViewShape};
use crate::error::{Error, Result};
use crate::model::{Relationship, RelationshipKind, Table};
use crate::query::join::{member_order, reaches};
use crate::query::keyset::read_order;
use crate::query::{Criteria, Query};
use crate::sql::{self, Alias, ColumnRef, Expr, Join, JoinKind, Source};
use crate::value::{Cells, ColumnType, SqlType, Value, ValueCells, ValueError};

/// A view's query under way.
#[derive(Debug)]
pub(crate) struct Loading {
    levels: Vec<Level>,
    /// Statements to run.
    statements: VecDeque<Asked>,
    /// What was asked by the statement that was given out last, and by which level.
    current: (usize, Question),
    /// How many of the levels have had their nested levels planned.
    expanded: usize,
    max_keys: usize,
    criteria: Arc<Criteria>,
    /// The types of what the views themselves are ordered by, if that is to be read too.
    order: Vec<SqlType>,
    /// The values of the order, view by view.
    places: Vec<Vec<Value>>,
}

/// A statement to run, for a level.
#[derive(Debug)]
struct Asked {
    level: usize,
    question: Question,
    tree: sql::Select,
}

/// What a statement asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// Which rows there are to see.
    Rows,
    /// Which owners have a row, to be seen or not.
    Owners,
}

/// The rows of one nested field, whoever their owners are.
#[derive(Debug)]
struct Level {
    shape: ViewShape,
    depth: usize,
    /// The columns of the cells: those of the shape, then those of an association table.
    cells: Vec<ColumnRef>,
    /// The positions of the cells that tell to which owners a row belongs.
    link: Vec<usize>,
    rows: Vec<Box<[Value]>>,
    /// The rows of each owner, by the owner's key.
    members: HashMap<Vec<Value>, Vec<usize>>,
    /// The owners that lead to a row, though it may be hidden: of a to-one under criteria.
    lead_somewhere: HashSet<Vec<Value>>,
    /// The levels of the nested fields; `None` where there was nothing to ask for.
    nested: Vec<Option<usize>>,
}

impl Loading {
    /// Starts with the statement for the views themselves.
    pub(super) fn new<V: View>(query: Query, order: Vec<SqlType>, max_keys: usize) -> Result<Self> {
        query.check()?;
        let mut tree = query.tree;
        let mut shape = ViewShape::of::<V>();
        if tree.distinct {
            // A view shows an object: two that look the same stay two.
            for &column in query.table.primary_key() {
                shape.select(column);
            }
        }
        let level = Level::new(shape, 0)?;
        level.select_into(&mut tree);
        let by = tree.order_by.iter().take(order.len()).map(|term| (term.expr.clone(), None));
        tree.columns.extend(by);
        Ok(Self {
            levels: vec![level],
            statements: VecDeque::from([Asked { level: 0, question: Question::Rows, tree }]),
            current: (0, Question::Rows),
            expanded: 0,
            max_keys: max_keys.max(1),
            criteria: query.criteria,
            order,
            places: Vec::new(),
        })
    }

    /// The next statement to run, once all rows of the one before have been accepted.
    pub(crate) fn next_statement(&mut self) -> Result<Option<sql::Select>> {
        loop {
            if let Some(Asked { level, question, mut tree }) = self.statements.pop_front() {
                self.current = (level, question);
                if question == Question::Rows {
                    self.criteria.restrict(&mut tree);
                }
                return Ok(Some(tree));
            }
            if self.expanded == self.levels.len() {
                return Ok(None);
            }
            self.expand(self.expanded)?;
            self.expanded += 1;
        }
    }

    /// Takes a row of the statement that was given out last.
    pub(crate) fn accept(&mut self, cells: &dyn Cells) -> Result<()> {
        let (at, question) = self.current;
        let level = &mut self.levels[at];
        match question {
            Question::Rows => level.accept(cells)?,
            Question::Owners => level.accept_owner(cells)?,
        }
        if at == 0 && !self.order.is_empty() {
            self.places.push(read_order(cells, level.cells.len(), &self.order)?);
        }
        Ok(())
    }

    /// The views, in the order of the query.
    pub(crate) fn finish<V: View>(self) -> Result<Vec<V>> {
        (0..self.levels[0].rows.len())
            .map(|row| {
                let row = ReadRow { loading: &self, level: 0, row, field: 0 };
                V::__build(&mut ViewRow::read(row))
            })
            .collect()
    }

    /// The views with the values that they are ordered by, as far as those were asked for.
    pub(crate) fn finish_with_places<V: View>(mut self) -> Result<Vec<(V, Vec<Value>)>> {
        let places = std::mem::take(&mut self.places);
        Ok(self.finish()?.into_iter().zip(places).collect())
    }

    /// Plans the levels below one whose rows are all there.
    fn expand(&mut self, owner: usize) -> Result<()> {
        for field in 0..self.levels[owner].shape.nested_fields().len() {
            let keys = self.levels[owner].keys(field);
            if keys.is_empty() {
                self.levels[owner].nested.push(None);
                continue;
            }
            let above = &self.levels[owner];
            let nested = &above.shape.nested_fields()[field];
            let mut level = Level::below(nested, above.depth + 1)?;
            let number = self.levels.len();
            for keys in keys.chunks(self.max_keys) {
                let (question, tree) = (Question::Rows, level.tree(nested, keys));
                self.statements.push_back(Asked { level: number, question, tree });
            }
            match nested.relationship.kind() {
                _ if !self.criteria.concern(nested.relationship) => {}
                RelationshipKind::BelongsTo => level.lead_somewhere.extend(keys),
                RelationshipKind::HasOne => {
                    for keys in keys.chunks(self.max_keys) {
                        let (question, tree) =
                            (Question::Owners, level.tree_of_owners(nested, keys));
                        self.statements.push_back(Asked { level: number, question, tree });
                    }
                }
                RelationshipKind::HasMany | RelationshipKind::ManyToMany => {}
            }
            self.levels.push(level);
            self.levels[owner].nested.push(Some(number));
        }
        Ok(())
    }
}

impl Level {
    fn new(shape: ViewShape, depth: usize) -> Result<Self> {
        shape.check()?;
        let table = shape.table();
        let cells = shape.columns().iter().map(|&at| ColumnRef::scoped(table, at)).collect();
        Ok(Self {
            shape,
            depth,
            cells,
            link: Vec::new(),
            rows: Vec::new(),
            members: HashMap::new(),
            lead_somewhere: HashSet::new(),
            nested: Vec::new(),
        })
    }

    /// The level of a nested field, which selects the far end of the relationship as well.
    fn below(nested: &Nested, depth: usize) -> Result<Self> {
        expect_depth(depth, nested.relationship)?;
        let mut shape = (nested.describe)();
        match nested.ends.through {
            None => {
                let link = nested.ends.far.iter().map(|&column| shape.select(column)).collect();
                Ok(Self { link, ..Self::new(shape, depth)? })
            }
            Some((table, _)) => {
                let mut level = Self::new(shape, depth)?;
                let own = level.cells.len();
                level.link = (own..own + nested.ends.far.len()).collect();
                level.cells.extend(
                    nested.ends.far.iter().map(|&at| ColumnRef::aliased(table, at, ASSOCIATION)),
                );
                Ok(level)
            }
        }
    }

    fn select_into(&self, tree: &mut sql::Select) {
        tree.columns = self.cells.iter().map(|cell| (Expr::Column(*cell), None)).collect();
    }

    /// The statement for the members of these owners.
    fn tree(&self, nested: &Nested, keys: &[Vec<Value>]) -> sql::Select {
        let target = self.shape.table();
        let mut tree = sql::Select::from(target);
        if let Some((table, key)) = nested.ends.through {
            let source = Source::Alias(ASSOCIATION);
            let on = reaches(table, source, key, Source::Scope);
            tree.joins.push(Join::table(JoinKind::Inner, table, source, on));
        }
        self.select_into(&mut tree);
        let columns = self.link.iter().map(|&at| self.cells[at]).collect();
        tree.filter = Some(Expr::Keys { columns, keys: keys.to_vec() });
        if nested.relationship.kind().is_to_many() {
            tree.order_by = member_order(nested.relationship, Vec::new());
        }
        tree
    }

    /// The statement for those of the owners that lead to a row.
    fn tree_of_owners(&self, nested: &Nested, keys: &[Vec<Value>]) -> sql::Select {
        let mut tree = self.tree(nested, keys);
        tree.columns = self.owner_cells().map(|cell| (Expr::Column(cell), None)).collect();
        tree.order_by.clear();
        tree
    }

    /// The columns that tell to which owners a row belongs.
    fn owner_cells(&self) -> impl Iterator<Item = ColumnRef> + '_ {
        self.link.iter().map(|&at| self.cells[at])
    }

    fn accept_owner(&mut self, cells: &dyn Cells) -> Result<()> {
        let owner = self.owner_cells().enumerate().map(|(at, cell)| read(cells, at, cell));
        let owner = owner.collect::<Result<_>>()?;
        self.lead_somewhere.insert(owner);
        Ok(())
    }

    fn accept(&mut self, cells: &dyn Cells) -> Result<()> {
        let row = self
            .cells
            .iter()
            .enumerate()
            .map(|(at, cell)| read(cells, at, *cell))
            .collect::<Result<Box<[Value]>>>()?;
        if !self.link.is_empty() {
            let owner = picked(&row, &self.link);
            self.members.entry(owner).or_default().push(self.rows.len());
        }
        self.rows.push(row);
        Ok(())
    }

    /// The different keys by which the members of a nested field are found, in the order of the
    /// rows. A key with a NULL in it leads nowhere.
    fn keys(&self, field: usize) -> Vec<Vec<Value>> {
        let positions = &self.shape.nested_fields()[field].key;
        let mut seen = HashSet::new();
        let mut keys = Vec::new();
        for row in &self.rows {
            let key = picked(row, positions);
            if !key.iter().any(Value::is_null) && seen.insert(key.clone()) {
                keys.push(key);
            }
        }
        keys
    }
}

/// The occurrence of an association table in the statement for members behind it.
const ASSOCIATION: Alias = Alias(1);

fn picked(row: &[Value], positions: &[usize]) -> Vec<Value> {
    positions.iter().map(|&at| row[at].clone()).collect()
}

fn read(cells: &dyn Cells, at: usize, column: ColumnRef) -> Result<Value> {
    Value::read(cells, at, &column.sql_type())
        .map_err(|error| at_column(column.table, column.column, error))
}

fn at_column(table: &'static Table, column: usize, error: ValueError) -> Error {
    Error::at_column(table.name(), table.columns()[column].name, error)
}

/// A row that was read, from which a view takes its fields one after the other.
#[derive(Debug)]
pub(super) struct ReadRow<'a> {
    loading: &'a Loading,
    level: usize,
    row: usize,
    /// The next field.
    field: usize,
}

impl<'a> ReadRow<'a> {
    fn next_slot(&mut self) -> Option<Slot> {
        self.field += 1;
        self.loading.levels[self.level].shape.slot(self.field - 1)
    }

    pub(super) fn cell<T: ColumnType>(&mut self) -> Result<T> {
        let Some(Slot::Cell(at)) = self.next_slot() else {
            return Err(out_of_order());
        };
        let level = &self.loading.levels[self.level];
        T::decode(&ValueCells(&level.rows[self.row]), at).map_err(|error| {
            let cell = level.cells[at];
            at_column(cell.table, cell.column, error)
        })
    }

    /// The rows of the members of a nested field.
    pub(super) fn members(&mut self) -> Result<Vec<Self>> {
        let Some(Slot::Nested(number)) = self.next_slot() else {
            return Err(out_of_order());
        };
        let loading = self.loading;
        let level = &loading.levels[self.level];
        let nested = level.nested.get(number).copied().flatten();
        let Some(below) = nested else { return Ok(Vec::new()) };
        let Nested { key, relationship, .. } = &level.shape.nested_fields()[number];
        let key = picked(&level.rows[self.row], key);
        match loading.levels[below].members.get(&key) {
            Some(rows) => {
                let row = |&row: &usize| ReadRow { loading, level: below, row, field: 0 };
                Ok(rows.iter().map(row).collect())
            }
            None if loading.levels[below].lead_somewhere.contains(&key) => {
                Err(hidden(relationship))
            }
            None => Ok(Vec::new()),
        }
    }
}

/// The error of a reference to a row that the criteria hide: `None` would say that it leads
/// nowhere.
fn hidden(relationship: &'static Relationship) -> Error {
    Error::NotLoaded {
        model: relationship.source().model(),
        field: relationship.name(),
        hint: "the criteria of the sessions hide the row that it leads to; `without_criteria` \
               finds it",
    }
}

/// Only a `View` that was written by hand can get here.
fn out_of_order() -> Error {
    Error::misuse("a view takes its fields in another order than it names them")
}
