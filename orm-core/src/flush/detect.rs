//! What changed: rows to insert, update and delete, from snapshots and links.

use std::collections::HashSet;
use std::sync::Arc;

use smallvec::SmallVec;

use super::cascade::Cascaded;
use super::rekey::Way;
use super::shapes::{Shapes, generated};
use super::work::{Clear, Delete, Insert, PairRow, Parents, PlanValue, Update, Work};
use crate::error::{Error, Result};
use crate::model::{ColumnSet, ForeignKey, RelationshipKind, Table};
use crate::sql::Expr;
use crate::tracking::{
    Changes, ObjectId, ObjectMap, ObjectSet, Pair, PairEdit, Parent, State, Store, views_of_child,
};
use crate::value::Value;

/// Finds what the flush has to write.
pub(crate) fn detect(store: &Store, cascaded: Cascaded) -> Result<Work> {
    let detect = Detect::new(store, &cascaded);
    let mut work = Work::default();
    let mut shapes = Shapes::default();
    for &object in &store.touched {
        if cascaded.deleted.contains(&object) {
            continue;
        }
        match store.header(object).state {
            State::Pending => work.inserts.push(detect.insert(object, &mut shapes)?),
            State::Persistent => work.updates.extend(detect.update(object, &mut shapes)?),
            _ => {}
        }
    }
    // Children that are cut off from a deleted parent may have no changes of their own.
    let mut done: ObjectSet = work.updates.iter().map(|update| update.object).collect();
    for &(child, _) in &cascaded.unlinked {
        if store.header(child).state == State::Persistent && done.insert(child) {
            work.updates.extend(detect.update(child, &mut shapes)?);
        }
    }
    // Nor need those that the flush gives a changed key to.
    for follower in cascaded.followers.all() {
        if follower.way == Way::Flush && follower.stays && done.insert(follower.child) {
            work.updates.extend(detect.update(follower.child, &mut shapes)?);
        }
    }
    for &object in &cascaded.deletes {
        work.deletes.push(detect.delete(object, &mut shapes)?);
    }
    for (pair, edit) in store.pairs.edits() {
        let concerned = [pair.first, pair.second];
        if concerned.iter().any(|object| cascaded.deleted.contains(object)) {
            continue;
        }
        let row = detect.pair(pair);
        match edit {
            // Whether a restored pair is a row was read before, wherever something can be read.
            PairEdit::Insert | PairEdit::Restore => work.pair_inserts.push(row),
            PairEdit::Delete => work.pair_deletes.push(row),
        }
    }
    work.clears = detect.clears()?;
    sort_by_key(&mut work.updates);
    let tables = tables_of(work.deletes.iter().map(|delete| delete.table));
    work.deletes.sort_by(|a, b| {
        let place = |table| tables.iter().position(|other| *other == table);
        place(a.table).cmp(&place(b.table)).then_with(|| order_of_values(&a.key, &b.key))
    });
    work.expunged = cascaded.expunged;
    work.unlinked = cascaded.unlinked;
    work.followers = cascaded.followers.all().to_vec();
    Ok(work)
}

/// Brings updates into the order of their keys, table by table.
pub(super) fn sort_by_key(updates: &mut [Update]) {
    let tables = tables_of(updates.iter().map(|update| update.table));
    updates.sort_by(|a, b| {
        let place = |table| tables.iter().position(|other| *other == table);
        place(a.table).cmp(&place(b.table)).then_with(|| order_of_keys(&a.key, &b.key))
    });
}

/// Columns of a row, while they are gathered.
type ColumnList = SmallVec<[usize; 16]>;

/// What it takes to tell what changed.
pub(super) struct Detect<'s> {
    store: &'s Store,
    cascaded: &'s Cascaded,
    unlinked: ObjectMap<Vec<&'static ForeignKey>>,
}

/// The columns of an object's foreign keys that its links decide.
#[derive(Default)]
struct LinkedColumns {
    values: SmallVec<[(usize, PlanValue); 1]>,
    parents: Parents,
}

impl LinkedColumns {
    fn columns(&self) -> ColumnSet {
        self.values.iter().map(|(column, _)| *column).collect()
    }

    fn get(&self, column: usize) -> Option<&PlanValue> {
        self.values.iter().find(|(other, _)| *other == column).map(|(_, value)| value)
    }
}

impl<'s> Detect<'s> {
    pub(super) fn new(store: &'s Store, cascaded: &'s Cascaded) -> Self {
        let mut unlinked: ObjectMap<Vec<&'static ForeignKey>> = ObjectMap::default();
        for (child, foreign_key) in &cascaded.unlinked {
            unlinked.entry(*child).or_default().push(foreign_key);
        }
        Self { store, cascaded, unlinked }
    }

    /// The columns that an UPDATE of a row would write, but for those that the database computes.
    pub(super) fn changed_columns(&self, object: ObjectId) -> Result<Vec<usize>> {
        Ok(self.update(object, &mut Shapes::default())?.map_or_else(Vec::new, |update| {
            let mut columns = update.columns.to_vec();
            columns.extend(update.assigned.into_iter().map(|(column, _)| column));
            columns.sort_unstable();
            columns
        }))
    }

    fn insert(&self, object: ObjectId, shapes: &mut Shapes) -> Result<Insert> {
        let table = self.store.table(object);
        let changes = self.changes(object);
        let linked = self.linked_columns(object, changes)?;
        let mut columns: ColumnList = SmallVec::new();
        let mut values = Vec::with_capacity(table.columns().len());
        for (at, column) in table.columns().iter().enumerate() {
            let value = match linked.get(at) {
                Some(value) => value.clone(),
                None if !self.store.is_unset(object, at) => {
                    PlanValue::Known(self.store.storage(object).encode(object.slot, at))
                }
                None if column.is_generated() => continue,
                None if column.facts.nullable => PlanValue::Known(Value::Null),
                None => {
                    self.expect_parent(table, at)?;
                    continue;
                }
            };
            columns.push(at);
            values.push(value);
        }
        Ok(Insert {
            object,
            table,
            columns: shapes.list(&columns),
            values,
            linked: linked.columns(),
            parents: linked.parents,
        })
    }

    fn update(&self, object: ObjectId, shapes: &mut Shapes) -> Result<Option<Update>> {
        let table = self.store.table(object);
        let nothing = Changes::default();
        let changes = self.store.header(object).changes.as_deref().unwrap_or(&nothing);
        let linked = self.linked_columns(object, changes)?;
        let mut columns: ColumnList = SmallVec::new();
        let mut values = Vec::new();
        let expressions = self.store.expressions(object);
        let assigned: Vec<(usize, Expr)> =
            expressions.filter(|(column, _)| linked.get(*column).is_none()).cloned().collect();
        for at in 0..table.columns().len() {
            if assigned.iter().any(|(column, _)| *column == at) {
                continue;
            }
            let value = match (linked.get(at), &changes.snapshot) {
                (Some(value), _) => value.clone(),
                (None, Some(snapshot)) => {
                    let value = self.store.storage(object).encode(object.slot, at);
                    if !value.is_edit_of(&snapshot[at]) {
                        continue;
                    }
                    PlanValue::Known(value)
                }
                (None, None) => continue,
            };
            if let PlanValue::Known(known) = &value
                && *known == self.store.database_value(object, at)
            {
                continue;
            }
            columns.push(at);
            values.push(value);
        }
        if columns.is_empty() && assigned.is_empty() {
            return Ok(None);
        }
        let columns = shapes.list(&columns);
        let generated = match assigned.is_empty() {
            true => shapes.generated(table, Arc::clone(&columns)),
            false => generated(table, |at| {
                columns.contains(&at) || assigned.iter().any(|(column, _)| *column == at)
            }),
        };
        let (key_columns, key) = self.key(object, shapes);
        if let Some(version) = table.version().filter(|version| columns.contains(version)) {
            return Err(Error::misuse(format!(
                "`{}.{}` was assigned by hand, and is the version, which every UPDATE counts up",
                table.name(),
                table.columns()[version].name,
            )));
        }
        Ok(Some(Update {
            object,
            table,
            key_columns,
            key,
            columns,
            values,
            linked: linked.columns(),
            generated,
            assigned,
            parents: linked.parents,
            reason: self
                .unlinked
                .contains_key(&object)
                .then(|| "their parents are deleted".to_owned()),
            replaces: None,
            kept: Vec::new(),
        }))
    }

    fn delete(&self, object: ObjectId, shapes: &mut Shapes) -> Result<Delete> {
        let table = self.store.table(object);
        let (key_columns, key) = self.key(object, shapes);
        let key = key.into_iter().map(|value| known(value, table)).collect::<Result<_>>()?;
        let parents = table
            .foreign_keys()
            .iter()
            .filter_map(|foreign_key| match self.store.database_parent(object, foreign_key) {
                Parent::Known(parent) if self.cascaded.deleted.contains(&parent) => {
                    Some((foreign_key, parent))
                }
                _ => None,
            })
            .filter(|(_, parent)| self.store.header(*parent).state == State::Persistent)
            .collect();
        Ok(Delete { object, table, key_columns, key, parents })
    }

    /// What finds an object's row: its key in the database, and its version.
    fn key(&self, object: ObjectId, shapes: &mut Shapes) -> (Arc<[usize]>, Vec<PlanValue>) {
        let table = self.store.table(object);
        let columns = table.primary_key().iter().copied().chain(table.version());
        let columns: ColumnList = columns.collect();
        let values = columns.iter().map(|&column| self.found_by(object, column)).collect();
        (shapes.list(&columns), values)
    }

    /// A column of a row when its own statement runs: as it is in the database, unless the
    /// database gives it a key that this flush changed before.
    fn found_by(&self, object: ObjectId, column: usize) -> PlanValue {
        let (mut object, mut column) = (object, column);
        let mut passed: Vec<(ObjectId, usize)> = Vec::new();
        while let Some(origin) = self.cascaded_to(object, column)
            && !passed.contains(&origin)
        {
            if !self.cascaded.deleted.contains(&origin.0) {
                return self.value_of(origin.0, origin.1);
            }
            passed.push(origin);
            (object, column) = origin;
        }
        PlanValue::Known(self.store.database_value(object, column))
    }

    /// The column that the database copies into this one where it changes.
    fn cascaded_to(&self, object: ObjectId, column: usize) -> Option<(ObjectId, usize)> {
        let followed = self.cascaded.followers.of(object).filter(|it| it.way == Way::Database);
        followed.into_iter().find_map(|it| {
            let at = it.foreign_key.columns().iter().position(|other| *other == column)?;
            Some((it.parent, it.foreign_key.referenced()[at]))
        })
    }

    fn pair(&self, pair: Pair) -> PairRow {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for (foreign_key, object) in pair.foreign_keys() {
            for (column, referenced) in foreign_key.columns().iter().zip(foreign_key.referenced()) {
                columns.push(*column);
                values.push(self.value_of(object, *referenced));
            }
        }
        PairRow { pair, columns, values }
    }

    /// Association rows that go with a deleted side, together per association and side.
    fn clears(&self) -> Result<Vec<Clear>> {
        let mut clears: Vec<Clear> = Vec::new();
        let mut cleared = HashSet::new();
        for &(table, foreign_key, object) in &self.cascaded.cleared {
            let place = clears
                .iter()
                .position(|clear| clear.table == table && clear.foreign_key == foreign_key);
            let place = place.unwrap_or_else(|| {
                let (objects, keys) = (Vec::new(), Vec::new());
                clears.push(Clear { table, foreign_key, objects, keys });
                clears.len() - 1
            });
            let clear = &mut clears[place];
            if cleared.insert((table, foreign_key.columns(), object)) {
                clear.objects.push(object);
                let key = foreign_key.referenced().iter();
                let key = key.map(|&column| known(self.found_by(object, column), table));
                clear.keys.push(key.collect::<Result<_>>()?);
            }
        }
        Ok(clears)
    }

    /// The foreign key columns that the object's links decide, and where they lead in this flush.
    fn linked_columns(&self, object: ObjectId, changes: &Changes) -> Result<LinkedColumns> {
        let mut linked = LinkedColumns::default();
        let cut = self.unlinked.get(&object);
        for foreign_key in cut.into_iter().flatten() {
            let moved = changes.link(foreign_key).and_then(|edit| edit.parent);
            if moved.is_none_or(|parent| self.cascaded.deleted.contains(&parent)) {
                self.decide(&mut linked, object, foreign_key, None)?;
            }
        }
        for edit in &changes.links {
            let is_cut = linked.get(edit.foreign_key.columns()[0]).is_some();
            if !is_cut {
                let parent = edit.parent.filter(|parent| !self.cascaded.deleted.contains(parent));
                self.decide(&mut linked, object, edit.foreign_key, parent)?;
            }
        }
        let followed = self.cascaded.followers.of(object);
        for it in followed.filter(|it| it.way == Way::Flush && it.stays) {
            self.decide(&mut linked, object, it.foreign_key, Some(it.parent))?;
        }
        Ok(linked)
    }

    fn decide(
        &self,
        linked: &mut LinkedColumns,
        object: ObjectId,
        foreign_key: &'static ForeignKey,
        parent: Option<ObjectId>,
    ) -> Result<()> {
        let table = self.store.table(object);
        if let Some(parent) = parent
            && self.store.header(parent).state == State::Pending
        {
            linked.parents.push((foreign_key, parent));
        }
        for (&column, &referenced) in foreign_key.columns().iter().zip(foreign_key.referenced()) {
            let value = match parent {
                Some(parent) => self.value_of(parent, referenced),
                None => PlanValue::Known(Value::Null),
            };
            let is_blank = value == PlanValue::Known(Value::Null);
            if is_blank && table.primary_key().contains(&column) {
                return Err(Error::misuse(format!(
                    "`{}.{}` is part of the primary key and can't be blanked: delete the object, or move it to another parent",
                    table.name(),
                    table.columns()[column].name,
                )));
            }
            if is_blank && !table.columns()[column].facts.nullable {
                self.expect_parent(table, column)?;
            }
            linked.values.push((column, value));
        }
        Ok(())
    }

    /// A column of an object as others reference it: known, or generated by its INSERT.
    fn value_of(&self, mut object: ObjectId, mut column: usize) -> PlanValue {
        let mut passed = vec![(object, column)];
        while let Some(origin) = self.linked_to(object, column) {
            // Keys that are each other's begin nowhere: ordering the rows finds the circle.
            if passed.contains(&origin) {
                return PlanValue::KeyOf(object, column);
            }
            passed.push(origin);
            (object, column) = origin;
        }
        if self.store.header(object).state == State::Pending && self.store.is_unset(object, column)
        {
            return PlanValue::KeyOf(object, column);
        }
        PlanValue::Known(self.store.storage(object).encode(object.slot, column))
    }

    /// The column of another object that a link, or a changed key, copies into this one.
    fn linked_to(&self, object: ObjectId, column: usize) -> Option<(ObjectId, usize)> {
        let changes = self.store.header(object).changes.as_ref();
        let links = changes.iter().flat_map(|changes| &changes.links);
        let linked = links.filter_map(|edit| Some((edit.foreign_key, edit.parent?)));
        let followed = self.cascaded.followers.of(object);
        let followed = followed
            .filter(|it| it.stays && it.way != Way::Cleared)
            .map(|it| (it.foreign_key, it.parent));
        linked.chain(followed).find_map(|(foreign_key, parent)| {
            let at = foreign_key.columns().iter().position(|other| *other == column)?;
            Some((parent, foreign_key.referenced()[at]))
        })
    }

    fn changes(&self, object: ObjectId) -> &Changes {
        self.store.header(object).changes.as_deref().expect("a pending object has changes")
    }

    /// A required column without a value is an error where a relationship could have set it; any
    /// other is left to the database, which may fill it in or say what is missing.
    fn expect_parent(&self, table: &'static Table, column: usize) -> Result<()> {
        let Some(foreign_key) =
            table.foreign_keys().iter().find(|key| key.columns().contains(&column))
        else {
            return Ok(());
        };
        let relationship = views_of_child(table, foreign_key)
            .find(|relationship| relationship.kind() == RelationshipKind::BelongsTo)
            .map_or_else(
                || format!("a relationship to `{}`", foreign_key.target().model()),
                |relationship| format!("{}::{}", table.model(), relationship.name()),
            );
        Err(Error::MissingForeignKey {
            table: table.name().into(),
            column: table.columns()[column].name.into(),
            relationship: relationship.into(),
        })
    }
}

/// A value of a row to delete, which no row that is still to be inserted may give.
fn known(value: PlanValue, table: &Table) -> Result<Value> {
    match value {
        PlanValue::Known(value) => Ok(value),
        PlanValue::KeyOf(..) => Err(Error::misuse(format!(
            "a row of `{}` is deleted by a key that moves to a new row in the same flush: flush the move first",
            table.name(),
        ))),
    }
}

/// Each table once, by its first row: keys of different tables have no order.
fn tables_of(rows: impl Iterator<Item = &'static Table>) -> Vec<&'static Table> {
    let mut tables = Vec::new();
    for table in rows {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

fn order_of_keys(a: &[PlanValue], b: &[PlanValue]) -> std::cmp::Ordering {
    use std::cmp::Ordering::Equal;
    let pairs = a.iter().zip(b).map(|pair| match pair {
        (PlanValue::Known(a), PlanValue::Known(b)) => order_of(a, b),
        _ => Equal,
    });
    pairs.into_iter().find(|order| *order != Equal).unwrap_or(Equal)
}

/// The order of keys; what has no order of its own keeps the order in which it was found.
fn order_of_values(a: &[Value], b: &[Value]) -> std::cmp::Ordering {
    use std::cmp::Ordering::Equal;
    a.iter().zip(b).map(|(a, b)| order_of(a, b)).find(|order| *order != Equal).unwrap_or(Equal)
}

/// A total order of values of one column.
pub(crate) fn order_of(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Label(a), Value::Label(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        #[cfg(feature = "uuid")]
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        #[cfg(feature = "decimal")]
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    }
}
