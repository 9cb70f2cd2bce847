//! `find_or_add`: what is there is found, what is missing is added, whoever else adds it meanwhile.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::draft::DraftLink;
use super::{New, Session};
use crate::error::{Error, Result};
use crate::flush::{SkipExisting, order_of};
use crate::model::{Column, Handle, Link, Model, RelationshipKind, Table};
use crate::query::Select;
use crate::tracking::{ObjectId, State};
use crate::value::{ColumnType, Operand, Value};

/// How often values are looked for that others add, and take away again, at the same time.
const ROUNDS: usize = 5;

/// A draft whose row is to be inserted. Its members follow once the row is known to be ours.
struct Added {
    value: Value,
    object: ObjectId,
    links: Vec<DraftLink>,
    /// Objects that came in with the draft because its row needs them, and those that they brought.
    along: Vec<ObjectId>,
}

impl Session {
    /// The objects whose column has these values: found, or added as the closure says. In the
    /// order of the values, equal ones folded.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Tag { #[orm(unique)] name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Tag]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// let names = ["sql", "rust", "sql"];
    /// let tags = session.find_or_add(Tag::name, names, |name| Tag::draft().name(name)).await?;
    /// assert_eq!(tags.len(), 2);
    /// assert_eq!(session[tags[1]].name, "rust");
    /// # session.commit().await?;
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// The session is flushed first, also with autoflush off. Then there is one SELECT; if a value
    /// is missing, one INSERT of what is, which begins the transaction; and another SELECT only if
    /// somebody else added one of the values meanwhile. Of such a value the row is taken as it is,
    /// and nothing of the draft remains: the closure has been called in vain, and may be called
    /// again. Of a draft that is added, columns, members and cascades are those of
    /// [`add`](Self::add).
    ///
    /// Two transactions that add the same values at once both succeed and agree: the second waits
    /// for the first, and no error is raised on the way that a database would end the transaction
    /// for. All do it in one order, whatever that of the values, so that they don't wait for each
    /// other; several calls within a transaction can still collide with those of another
    /// ([`Error::Serialization`]). Under repeatable read and serializable a row that is there and
    /// can't be seen is that error too.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the column isn't unique on its own, a value is `NULL`, or a draft has
    /// another value in the column than that which it was made for; [`Error::UniqueViolation`] if
    /// another unique column of a draft is taken; [`Error::Detached`] if a draft leads to an object
    /// that is not in this session: nothing has been added then. The database's, and those of the
    /// flush.
    pub async fn find_or_add<M, T, V, I, N>(
        &mut self,
        column: Column<M, T>,
        values: I,
        mut new: impl FnMut(T) -> N,
    ) -> Result<Vec<Handle<M>>>
    where
        M: Model,
        T: ColumnType + Clone + Eq + Hash,
        V: Operand<T>,
        I: IntoIterator<Item = V>,
        N: Into<New<M>>,
    {
        let (table, at) = (M::__table(), column.__index());
        let wanted = distinct(values.into_iter().map(Operand::into_operand));
        expect_findable(table, at, &wanted)?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.ready().await?;
        self.flush_changes().await.map_err(Error::in_autoflush)?;
        let mut found: HashMap<Value, ObjectId> = HashMap::new();
        let mut refusal = None;
        for round in 0..ROUNDS {
            let known = found.len();
            self.find_values(column, &wanted, &mut found).await?;
            let mut missing: Vec<&(Value, T)> =
                wanted.iter().filter(|(key, _)| !found.contains_key(key)).collect();
            if !missing.is_empty() {
                if round > 0 && found.len() == known && self.begins_with_reads() {
                    // It is there and can't be seen.
                    break;
                }
                // Whoever adds several of the same values does it in this order.
                missing.sort_by(|(a, _), (b, _)| order_of(a, b));
                let drafts = missing.into_iter();
                let drafts = drafts.map(|(key, value)| (key.clone(), new(value.clone()).into()));
                let drafts: Vec<(Value, New<M>)> = drafts.collect();
                for (_, draft) in &drafts {
                    self.expect_members(&draft.links)?;
                }
                refusal = self.add_missing(table, at, drafts, &mut found).await?;
                if refusal.as_ref().is_some_and(|error| !is_about(error, table, at)) {
                    break;
                }
            }
            let all: Option<Vec<ObjectId>> =
                wanted.iter().map(|(key, _)| found.get(key).copied()).collect();
            if let Some(all) = all {
                return Ok(all.into_iter().map(|object| self.store.handle(object)).collect());
            }
        }
        let error = refusal.filter(|error| !is_about(error, table, at)).unwrap_or_else(|| {
            let column = table.columns()[at].name;
            Error::Serialization(format!(
                "others add values of `{}.{column}` that this transaction can't see",
                table.name()
            ))
        });
        self.fail_flush(error).await
    }

    /// Looks for the values that are not found yet.
    async fn find_values<M: Model, T: ColumnType + Clone>(
        &mut self,
        column: Column<M, T>,
        wanted: &[(Value, T)],
        found: &mut HashMap<Value, ObjectId>,
    ) -> Result<()> {
        let (table, at) = (M::__table(), column.__index());
        let is_missing = |(key, _): &&(Value, T)| !found.contains_key(key);
        let missing: Vec<&T> = wanted.iter().filter(is_missing).map(|(_, value)| value).collect();
        let mut objects = Vec::new();
        for chunk in missing.chunks(self.engine.dialect().max_binds()) {
            // A value that a hidden row has can't be added once more.
            let select = Select::<M>::__new()
                .filter(column.in_(chunk.iter().copied()))
                .without_criteria::<M>();
            objects.extend(self.load_query(select.query).await?);
        }
        let keys: HashSet<&Value> = wanted.iter().map(|(key, _)| key).collect();
        let value_of = |session: &Self, object: ObjectId| {
            session.store.storage(object).encode(object.slot, at)
        };
        // The row was found by its value. Memory that shows another one is older.
        let is_outdated = |object: &ObjectId| !keys.contains(&value_of(self, *object));
        let outdated: Vec<ObjectId> = objects.iter().copied().filter(is_outdated).collect();
        let key_of = |object: &ObjectId| {
            let columns = table.primary_key().iter();
            columns.map(|&column| self.store.database_value(*object, column)).collect()
        };
        let outdated: Vec<Vec<Value>> = outdated.iter().map(key_of).collect();
        self.load_keys(table, outdated, true).await?;
        found.extend(objects.into_iter().map(|object| (value_of(self, object), object)));
        Ok(())
    }

    /// Inserts what nobody else has inserted. Of a row that somebody has, nothing remains here; if
    /// the database could only say so by refusing the statement, gives its refusal.
    async fn add_missing<M: Model>(
        &mut self,
        table: &'static Table,
        at: usize,
        drafts: Vec<(Value, New<M>)>,
        found: &mut HashMap<Value, ObjectId>,
    ) -> Result<Option<Error>> {
        // Nothing that is awaited from here on can leave the drafts behind: a flush that is
        // interrupted has to be rolled back.
        self.begin().await?;
        let mut added = Vec::with_capacity(drafts.len());
        let mut mistake = None;
        for (value, new) in drafts {
            let draft = self.enter_row(new, value);
            let storage = self.store.storage(draft.object);
            if self.store.is_unset(draft.object, at)
                || storage.encode(draft.object.slot, at) != draft.value
            {
                mistake = Some(Error::misuse(format!(
                    "the draft that was made for a value of `{}.{}` has another one in that column",
                    table.name(),
                    table.columns()[at].name,
                )));
            }
            added.push(draft);
        }
        let flushed = match mistake {
            Some(mistake) => Err(mistake),
            None => self.flush_skipping(Some(SkipExisting { table, columns: vec![at] })).await,
        };
        let refusal = match flushed {
            Ok(refusal) => refusal,
            Err(error) => {
                let left = added.iter().flat_map(|draft| draft.along.iter().chain([&draft.object]));
                let is_pending =
                    |object: &ObjectId| self.store.header(*object).state == State::Pending;
                let left: Vec<ObjectId> = left.copied().filter(is_pending).collect();
                self.store.release(&left);
                return Err(error);
            }
        };
        for Added { value, object, links, along } in added {
            if self.store.header(object).state == State::Persistent {
                self.put_all(object, links);
                found.insert(value, object);
            } else {
                for object in along {
                    if self.store.is_in_session(object) {
                        self.delete_object(object);
                    }
                }
            }
        }
        Ok(refusal)
    }

    /// Adds the row of a draft, with the parents that it can't be inserted without.
    fn enter_row<M: Model>(&mut self, new: New<M>, value: Value) -> Added {
        let New { model, unset, links, .. } = new;
        let object = self.insert_pending(model, unset);
        let is_needed = |link: &DraftLink| match link.relationship.link() {
            Ok(Link::Direct { foreign_key, .. }) => {
                link.relationship.kind() == RelationshipKind::BelongsTo
                    && (!foreign_key.is_nullable(M::__table())
                        || link.members.iter().all(|member| !member.is_new()))
            }
            _ => false,
        };
        let (needed, links): (Vec<DraftLink>, Vec<DraftLink>) =
            links.into_iter().partition(is_needed);
        // What enters is touched by that, behind all that was there before.
        let before = self.store.touched.len();
        self.put_all(object, needed);
        let is_pending = |object: &ObjectId| self.store.header(*object).state == State::Pending;
        let along = self.store.touched[before..].iter().copied().filter(is_pending).collect();
        Added { value, object, links, along }
    }
}

/// The values as they enter a session, each once.
fn distinct<T: ColumnType>(values: impl Iterator<Item = T>) -> Vec<(Value, T)> {
    let mut seen = HashSet::new();
    values
        .map(|mut value| {
            value.normalize();
            (value.encode(), value)
        })
        .filter(|(key, _)| seen.insert(key.clone()))
        .collect()
}

/// Whether rows can be told apart by a column, and found by these values of it.
fn expect_findable<T>(table: &Table, at: usize, wanted: &[(Value, T)]) -> Result<()> {
    let column = table.columns()[at].name;
    let mut keys = table.uniques().iter().map(|unique| unique.columns.as_slice());
    if table.primary_key() != [at] && !keys.any(|columns| columns == [at]) {
        return Err(Error::misuse(format!(
            "`{}.{column}` isn't unique on its own, so that `find_or_add` can't tell which row is meant: mark it `#[orm(unique)]`",
            table.name(),
        )));
    }
    if wanted.iter().any(|(key, _)| key.is_null()) {
        return Err(Error::misuse(format!(
            "`find_or_add` was given NULL for `{}.{column}`, which is equal to no other",
            table.name(),
        )));
    }
    Ok(())
}

/// Whether the database refused a row because of this column, as far as it tells.
fn is_about(error: &Error, table: &Table, at: usize) -> bool {
    error.violation().is_some_and(|violation| {
        violation.columns.is_empty() || violation.columns == [table.columns()[at].name]
    })
}
