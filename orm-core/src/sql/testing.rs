//! Three small tables for the tests of this folder and of the drivers: users, their posts and
//! the posts' tags, without the derive.

use std::sync::OnceLock;

use crate::model::{
    Action, Base, BaseColumns, ColumnDef, Path, Relationship, RelationshipKind, Table,
    TableBuilder, Target,
};
use crate::value::{EnumType, Facts, SqlType};

/// A table made once.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident = $build:expr) => {
        $(#[$doc])*
        pub(crate) fn $name() -> &'static Table {
            static TABLE: OnceLock<Table> = OnceLock::new();
            TABLE.get_or_init(|| $build)
        }
    };
}

/// A table that begins with the default base.
fn with_base(name: &'static str, model: &'static str) -> TableBuilder {
    Base::columns().into_iter().fold(TableBuilder::plain(name, model), TableBuilder::column)
}

static MOOD: EnumType = EnumType { name: "mood", labels: &["happy", "it's ok"] };

table!(
    /// id, created_at, updated_at, email, age, mood, boss_id.
    users = {
        let mut mood = ColumnDef::new::<String>("mood", "mood").server_default("'happy'");
        mood.facts = Facts { sql_type: SqlType::Enum(&MOOD), ..mood.facts };
        with_base("users", "User")
            .column(ColumnDef::new::<String>("email", "email").unique().length(64))
            .column(ColumnDef::new::<Option<i32>>("age", "age").check("{column} >= 0"))
            .column(mood)
            .column(ColumnDef::new::<Option<i64>>("boss_id", "boss_id"))
            .foreign_key(
                &["boss_id"],
                Target::PrimaryKey(users),
                Action::SetNull,
                Action::NoAction,
            )
            .check("length(email) > 2")
            .relationship(Relationship::new(
                "posts",
                RelationshipKind::HasMany,
                users,
                posts,
                Path::ForeignKey(&["user_id"]),
            ))
            .relationship(Relationship::new(
                "boss",
                RelationshipKind::BelongsTo,
                users,
                users,
                Path::Via(&["boss_id"]),
            ))
            .build()
    }
);

table!(
    /// id, created_at, updated_at, title, user_id.
    posts = with_base("posts", "Post")
        .column(ColumnDef::new::<String>("title", "title"))
        .column(ColumnDef::new::<i64>("user_id", "user_id").index())
        .foreign_key(&["user_id"], Target::PrimaryKey(users), Action::Cascade, Action::NoAction)
        .relationship(Relationship::new(
            "user",
            RelationshipKind::BelongsTo,
            posts,
            users,
            Path::Via(&["user_id"]),
        ))
        .relationship(Relationship::new(
            "tags",
            RelationshipKind::ManyToMany,
            posts,
            tags,
            Path::Secondary(post_tags, &[], &[]),
        ))
        .build()
);

table!(
    /// id, created_at, updated_at, name.
    tags = with_base("tags", "Tag")
        .column(ColumnDef::new::<String>("name", "name").unique())
        .build()
);

table!(
    /// post_id, tag_id.
    post_tags = TableBuilder::plain("post_tags", "PostTag")
        .column(ColumnDef::new::<i64>("post_id", "post_id").primary_key())
        .column(ColumnDef::new::<i64>("tag_id", "tag_id").primary_key())
        .foreign_key(&["post_id"], Target::PrimaryKey(posts), Action::Cascade, Action::NoAction)
        .foreign_key(&["tag_id"], Target::PrimaryKey(tags), Action::Cascade, Action::NoAction)
        .build()
);

/// The position of a column.
pub(crate) fn at(table: &Table, name: &str) -> usize {
    table.column_named(name).expect("a column of this name")
}
