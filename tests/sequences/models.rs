//! Five models with one relationship of each kind between them.

use orm_core::{BelongsTo, HasMany, HasOne, ManyToMany, Model, Schema, schema};

/// Has a badge (one-to-one) and people (one-to-many, who stay when it goes).
#[derive(Model)]
pub(crate) struct Team {
    pub name: String,
    #[orm(back_populates = team)]
    pub badge: HasOne<Badge>,
    #[orm(back_populates = team)]
    pub people: HasMany<Person>,
}

#[derive(Model)]
pub(crate) struct Badge {
    pub text: String,
    #[orm(unique, foreign_key = Team)]
    pub team_id: Option<i64>,
    #[orm(back_populates = badge)]
    pub team: BelongsTo<Team>,
}

/// Owns tasks (one-to-many, with orphans deleted) and has skills (many-to-many).
#[derive(Model)]
#[orm(table = "people")]
pub(crate) struct Person {
    pub name: String,
    #[orm(version)]
    pub version: i64,
    #[orm(foreign_key = Team)]
    pub team_id: Option<i64>,
    #[orm(back_populates = people)]
    pub team: BelongsTo<Team>,
    #[orm(back_populates = person, cascade = "all, delete-orphan")]
    pub tasks: HasMany<Task>,
    #[orm(secondary = PersonSkill, back_populates = people)]
    pub skills: ManyToMany<Skill>,
}

/// Its key is a column of its own, so that a draft inside another can have one.
#[derive(Model)]
#[orm(base = none)]
pub(crate) struct Task {
    #[orm(primary_key, autoincrement)]
    pub id: i64,
    pub title: String,
    #[orm(foreign_key = Person)]
    pub person_id: i64,
    #[orm(back_populates = tasks)]
    pub person: BelongsTo<Person>,
}

/// A tree, whose branches go with their root, and a unique code. The key is a column of its own here
/// too.
#[derive(Model)]
#[orm(base = none)]
pub(crate) struct Skill {
    #[orm(primary_key, autoincrement)]
    pub id: i64,
    #[orm(unique)]
    pub code: Option<String>,
    #[orm(foreign_key = Skill)]
    pub parent_id: Option<i64>,
    #[orm(back_populates = children)]
    pub parent: BelongsTo<Skill>,
    #[orm(back_populates = parent, cascade = "all")]
    pub children: HasMany<Skill>,
    #[orm(secondary = PersonSkill, back_populates = skills)]
    pub people: ManyToMany<Person>,
}

#[derive(Model)]
#[orm(table = "person_skills", base = none)]
pub(crate) struct PersonSkill {
    #[orm(primary_key, foreign_key = Person)]
    pub person_id: i64,
    #[orm(primary_key, foreign_key = Skill)]
    pub skill_id: i64,
}

pub(crate) fn tables() -> Schema {
    schema![Team, Badge, Person, Task, Skill, PersonSkill]
}
