//! Models as the derive would write them, as small as these tests allow.

#![allow(non_upper_case_globals)]

use std::sync::OnceLock;

use crate::model::{
    Accessors, Action, Base, BaseColumns, BelongsTo, Column, ColumnDef, HasMany, Key, ManyToMany,
    Model, NoBase, Path, Relation, RelationField, Relationship, RelationshipKind, Table,
    TableBuilder, Target,
};
use crate::query::{Select, order};
use crate::value::{Cells, ColumnField, ColumnType, NotNull, ValueError};

#[derive(Clone, Copy)]
pub(super) struct Keyed(Key);

impl Accessors for Keyed {
    fn __from_key(key: Key) -> Self {
        Self(key)
    }
    fn __to_key(self) -> Key {
        self.0
    }
}

/// A model: its columns as `name: Type => definition`, its relationships with their kind, path
/// and further words, its foreign keys.
macro_rules! model {
    ($model:ident: $base:ident [$id:ty, |$b:ident, $m:ident| $key:expr] in $table:literal {
        $($column:ident: $type:ty = $at:literal $(. $fact:ident)*),* ;
        $($relation:ident: $kind:ident<$target:ident> $(, $nullability:ty)? = $number:literal,
            $path:expr $(, $word:ident($argument:expr))*);* ;
        $($field:literal -> $parent:ident),*
    }) => {
        #[derive(Default)]
        pub(super) struct $model {
            $(pub(super) $column: $type,)*
            $(pub(super) $relation: $kind<$target>,)*
        }

        impl $model {
            $(pub(super) const $column: Column<Self, $type> =
                Column::__new(<$base as BaseColumns>::COUNT + $at);)*
            $(pub(super) const $relation: Relation<Self, $kind<$target> $(, $nullability)?> =
                Relation::__new($number, stringify!($relation), None);)*
            pub(super) fn select() -> Select<Self> {
                Select::__new()
            }
        }

        impl Model for $model {
            type Base = $base;
            type Id = $id;
            type Accessors = Keyed;
            fn __table() -> &'static Table {
                static TABLE: OnceLock<Table> = OnceLock::new();
                TABLE.get_or_init(|| {
                    TableBuilder::new::<Self>($table, stringify!($model))
                        $(.column(
                            ColumnDef::new::<$type>(stringify!($column), stringify!($column))
                                $(.$fact())*
                        ))*
                        $(.foreign_key(
                            &[$field],
                            Target::PrimaryKey(<$parent as Model>::__table),
                            Action::NoAction,
                            Action::NoAction,
                        ))*
                        $(.relationship(
                            Relationship::new(
                                stringify!($relation),
                                RelationshipKind::$kind,
                                Self::__table,
                                <$target as Model>::__table,
                                $path,
                            )
                            $(.$word($argument))*
                        ))*
                        .build()
                })
            }
            fn __key($b: &$base, $m: &Self) -> $id {
                $key
            }
            fn __decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
                Ok(Self {
                    $($column: <$type>::decode(cells, at + $at)?,)*
                    $($relation: Default::default(),)*
                })
            }
            fn __column(&self, column: usize) -> &dyn ColumnField {
                match column {
                    $($at => &self.$column,)*
                    _ => unreachable!("no such column"),
                }
            }
            fn __column_mut(&mut self, column: usize) -> &mut dyn ColumnField {
                match column {
                    $($at => &mut self.$column,)*
                    _ => unreachable!("no such column"),
                }
            }
            fn __relation(&self, relation: usize) -> &dyn RelationField {
                match relation {
                    $($number => &self.$relation,)*
                    _ => unreachable!("no such relationship"),
                }
            }
            fn __relation_mut(&mut self, relation: usize) -> &mut dyn RelationField {
                match relation {
                    $($number => &mut self.$relation,)*
                    _ => unreachable!("no such relationship"),
                }
            }
        }
    };
}

model!(User: Base [i64, |base, _model| base.id] in "users" {
    username: String = 0, age: Option<i32> = 1, visits: i64 = 2, password: String = 3 .hidden;
    posts: HasMany<Post> = 0, Path::ForeignKey(&["user_id"]),
        order_by(|| order(Post::title.desc()));
    edited: HasMany<Post> = 1, Path::ForeignKey(&["editor_id"]);
});

impl User {
    pub(super) const id: Column<Self, i64> = Column::__new(0);
}

model!(Post: Base [i64, |base, _model| base.id] in "posts" {
    title: String = 0, score: Option<f64> = 1, user_id: i64 = 2, editor_id: Option<i64> = 3;
    user: BelongsTo<User>, NotNull = 0, Path::Via(&["user_id"]);
    editor: BelongsTo<User> = 1, Path::Via(&["editor_id"]);
    tags: ManyToMany<Tag> = 2, Path::Secondary(<PostTag as Model>::__table, &[], &[]);
    "user_id" -> User, "editor_id" -> User
});

impl Post {
    pub(super) const id: Column<Self, i64> = Column::__new(0);
}

model!(Tag: Base [i64, |base, _model| base.id] in "tags" {
    name: String = 0, parent_id: Option<i64> = 1;
    children: HasMany<Tag> = 0, Path::ForeignKey(&["parent_id"]);
    "parent_id" -> Tag
});

model!(PostTag: NoBase [(i64, i64), |_base, model| (model.post_id, model.tag_id)] in "post_tags" {
    post_id: i64 = 0 .primary_key, tag_id: i64 = 1 .primary_key;
    ;
    "post_id" -> Post, "tag_id" -> Tag
});

// What only some tests need is part of a model all the same.
const _: () = {
    let _ = (Tag::parent_id, PostTag::post_id, PostTag::tag_id, PostTag::select);
};
