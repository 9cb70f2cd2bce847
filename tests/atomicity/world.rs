//! A group of tables with rows in them, and how it is read: what the database has, and what a
//! session shows of it.

use std::collections::{BTreeMap, HashMap};

use orm_core::{Handle, Model, Result, Session};
use orm_tests::Database;

/// How much of a world a session has loaded when a scenario starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Every object, and where its relationships lead.
    Loaded,
    /// Every object, but none of its relationships.
    Unloaded,
    /// The same, and an earlier flush has written to the transaction.
    Flushed,
    /// The objects that others hang on, alone: what a flush needs of the others it must read.
    Sparse,
    /// The same, inside the transaction.
    SparseFlushed,
}

impl Start {
    /// Where every object is known.
    pub(crate) const FULL: &[Self] = &[Self::Loaded, Self::Unloaded, Self::Flushed];
    /// Where most are not.
    pub(crate) const SPARSE: &[Self] = &[Self::Sparse, Self::SparseFlushed];

    /// Whether only the objects that others hang on are loaded.
    pub(crate) fn is_sparse(self) -> bool {
        matches!(self, Self::Sparse | Self::SparseFlushed)
    }

    /// Whether the transaction has work already.
    pub(crate) fn is_flushed(self) -> bool {
        matches!(self, Self::Flushed | Self::SparseFlushed)
    }
}

/// The objects of a group of tables, in a session. Declared by [`world!`].
pub(crate) trait World: Sized {
    /// Creates the tables.
    async fn create(db: &Database) -> Result<()>;
    /// Adds the rows.
    fn fill(session: &mut Session);
    /// Loads the objects, without their relationships.
    async fn load(session: &mut Session, is_sparse: bool) -> Result<Self>;
    /// Loads the relationships that are not loaded.
    async fn load_related(&self, session: &mut Session) -> Result<()>;
    /// Some work that goes before a scenario's.
    fn work_before(&self, session: &mut Session);
    /// What the objects show.
    fn memory(&self, session: &Session) -> Memory;
    /// All rows of all tables, as the session's transaction sees them.
    async fn rows(session: &mut Session) -> Result<Rows>;
}

/// What objects show: their state, columns and relationships by name. `None`: not loaded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory(BTreeMap<String, Option<Vec<String>>>);

impl Memory {
    pub(crate) fn show(&mut self, place: String, shown: Option<Vec<String>>) {
        self.0.insert(place, shown);
    }

    /// What was shown before is shown again. What was not loaded then may be by now.
    #[track_caller]
    pub(crate) fn expect_restored(&self, before: &Self, when: &str) {
        for (place, was) in &before.0 {
            let is = self.0.get(place).and_then(Option::as_ref);
            if was.is_some() {
                assert_eq!(is, was.as_ref(), "{place}, {when}");
            }
        }
    }

    /// The members of collections that have no order of their own are sorted.
    pub(crate) fn sorted(mut self) -> Self {
        self.0.values_mut().flatten().for_each(|shown| shown.sort());
        self
    }
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// A generated key of a table, or what refers to one.
    Key(&'static str, Option<i64>),
    /// A time or a text that no two runs have in common.
    Chance(String),
    /// Anything else.
    Value(String),
}

/// The rows of a group of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows(BTreeMap<&'static str, Vec<Vec<Cell>>>);

impl Rows {
    pub(crate) fn add(&mut self, table: &'static str, mut rows: Vec<Vec<Cell>>) {
        rows.sort();
        self.0.insert(table, rows);
    }

    /// The same, but for what no two runs have in common: what is left to chance, and how far the
    /// counters of keys are. Keys are numbered by their order.
    pub(crate) fn without_chance(&self) -> Self {
        let mut known: HashMap<&str, Vec<i64>> = HashMap::new();
        for cell in self.0.values().flatten().flatten() {
            if let Cell::Key(table, Some(key)) = cell {
                known.entry(*table).or_default().push(*key);
            }
        }
        for keys in known.values_mut() {
            keys.sort_unstable();
            keys.dedup();
        }
        let number = |table: &str, key: i64| known[table].binary_search(&key).ok();
        let settled = |cell: &Cell| match cell {
            Cell::Key(table, key) => {
                let number = key.and_then(|key| number(table, key));
                Cell::Key(table, number.map(|number| number as i64))
            }
            Cell::Chance(_) => Cell::Chance(String::new()),
            Cell::Value(value) => Cell::Value(value.clone()),
        };
        let mut settled_rows = Self::default();
        for (table, rows) in &self.0 {
            let rows = rows.iter().map(|row| row.iter().map(settled).collect()).collect();
            settled_rows.add(table, rows);
        }
        settled_rows
    }
}

/// What a relationship shows, whatever its kind.
pub(crate) trait Shown {
    fn keys(self, session: &Session) -> Vec<String>;
}

impl<T: Model> Shown for &[Handle<T>] {
    fn keys(self, session: &Session) -> Vec<String> {
        self.iter().map(|member| format!("{:?}", session.key(*member))).collect()
    }
}

impl<T: Model> Shown for Option<Handle<T>> {
    fn keys(self, session: &Session) -> Vec<String> {
        self.as_slice().keys(session)
    }
}

/// Declares a [`World`]: its tables, of each the columns and the relationships. Columns that belong
/// to the base are marked as `base`, or as a `time` of the server; what else no two runs have in
/// common as `random`; an arrow leads to the table of a generated key. Tables marked as `leaf` are
/// left out of a sparse load; those of pairs have no objects.
macro_rules! world {
    (
        $(#[$doc:meta])*
        struct $World:ident {
            $(
                $([$leaf:ident])? $field:ident: $Model:ident {
                    $($column:ident $(($mark:ident))? $(-> $target:ident)?),*
                    $(; $($relation:ident),*)?
                },
            )*
        }
        pairs { $($Pair:ident { $($pair_column:ident -> $pair_target:ident),* },)* }
        create: $create:path,
        fill: $fill:path,
        work_before: $work_before:path,
    ) => {
        $(#[$doc])*
        pub(crate) struct $World {
            $(pub(crate) $field: Vec<Handle<$Model>>,)*
        }

        impl World for $World {
            async fn create(db: &Database) -> Result<()> {
                $create(db, &schema![$($Model,)* $($Pair,)*]).await
            }

            fn fill(session: &mut Session) {
                $fill(session);
            }

            async fn load(session: &mut Session, is_sparse: bool) -> Result<Self> {
                $(
                    let is_leaf = false $(|| stringify!($leaf) == "leaf")?;
                    let $field = match is_leaf && is_sparse {
                        true => Vec::new(),
                        false => {
                            let mut all = $Model::select().all(session).await?;
                            all.sort_by_key(|object| session[*object].id());
                            all
                        }
                    };
                )*
                Ok(Self { $($field,)* })
            }

            async fn load_related(&self, session: &mut Session) -> Result<()> {
                $($($(
                    for object in &self.$field {
                        object.$relation(session).await?;
                    }
                )*)?)*
                Ok(())
            }

            fn work_before(&self, session: &mut Session) {
                $work_before(self, session);
            }

            fn memory(&self, session: &Session) -> Memory {
                let mut memory = Memory::default();
                $(
                    for (at, handle) in self.$field.iter().enumerate() {
                        let place = format!("{}[{at}]", stringify!($field));
                        let state = format!("{:?}", session.state(*handle));
                        memory.show(place.clone(), Some(vec![state]));
                        let object = match session.try_get(*handle) {
                            Ok(object) => object,
                            Err(error) => {
                                memory.show(place, Some(vec![error.to_string()]));
                                continue;
                            }
                        };
                        $(
                            let shown = format!("{:?}", world!(@value object $column $($mark)?));
                            let name = stringify!($column);
                            memory.show(format!("{place}.{name}"), Some(vec![shown]));
                        )*
                        $($(
                            let shown = object.$relation.loaded();
                            let shown = shown.map(|members| members.keys(session));
                            let name = stringify!($relation);
                            memory.show(format!("{place}.{name}"), shown);
                        )*)?
                    }
                )*
                memory
            }

            async fn rows(session: &mut Session) -> Result<Rows> {
                let mut rows = Rows::default();
                $(
                    let all = $Model::select().columns(($($Model::$column,)*)).all(session).await?;
                    let all = all.into_iter().map(|($($column,)*)| {
                        vec![$(world!(@cell $column $($mark)? $(-> $target)?),)*]
                    });
                    rows.add(stringify!($Model), all.collect());
                )*
                $(
                    let all =
                        $Pair::select().columns(($($Pair::$pair_column,)*)).all(session).await?;
                    let all = all.into_iter().map(|($($pair_column,)*)| {
                        vec![$(world!(@cell $pair_column -> $pair_target),)*]
                    });
                    rows.add(stringify!($Pair), all.collect());
                )*
                Ok(rows)
            }
        }
    };
    (@value $object:ident $column:ident) => {
        $object.$column
    };
    (@value $object:ident $column:ident random) => {
        $object.$column
    };
    (@value $object:ident $column:ident base) => {
        $object.$column()
    };
    (@value $object:ident $column:ident time) => {
        $object.$column()
    };
    (@cell $value:ident $($mark:ident)? -> $target:ident) => {
        Cell::Key(stringify!($target), $value.into())
    };
    (@cell $value:ident time) => {
        Cell::Chance(format!("{:?}", $value))
    };
    (@cell $value:ident random) => {
        Cell::Chance(format!("{:?}", $value))
    };
    (@cell $value:ident $($base:ident)?) => {
        Cell::Value(format!("{:?}", $value))
    };
}

pub(crate) use world;
