//! The models whose unique values change hands.

use orm_core::{BelongsTo, HasMany, HasOne, ManyToMany, Model};

/// A value that can be NULL, one that can't, and a group of which one column can.
#[derive(Model)]
#[orm(base = none, unique(team, place))]
pub struct Player {
    #[orm(primary_key)]
    pub id: i64,
    #[orm(unique)]
    pub email: Option<String>,
    #[orm(unique)]
    pub shirt: i64,
    pub team: String,
    pub place: Option<i64>,
}

/// A row with a version, an `on_update` and a unique value.
#[derive(Model)]
pub struct Locker {
    #[orm(unique)]
    pub label: Option<String>,
    pub content: String,
    #[orm(version)]
    pub revision: i64,
}

/// Its letters can't be without it.
#[derive(Model)]
pub struct Account {
    #[orm(unique)]
    pub email: Option<String>,
    #[orm(back_populates = account, cascade = "all")]
    pub letters: HasMany<Letter>,
}

#[derive(Model)]
pub struct Letter {
    pub text: String,
    #[orm(foreign_key = Account)]
    pub account_id: i64,
    #[orm(back_populates = letters)]
    pub account: BelongsTo<Account>,
}

/// A login can't be NULL, but the key that leads to it can.
#[derive(Model)]
pub struct Login {
    #[orm(unique)]
    pub name: String,
    #[orm(back_populates = login)]
    pub notes: HasMany<Note>,
    #[orm(back_populates = login)]
    pub tokens: HasMany<Token>,
}

#[derive(Model)]
pub struct Note {
    pub text: String,
    #[orm(foreign_key = Login)]
    pub login_id: Option<i64>,
    #[orm(back_populates = notes)]
    pub login: BelongsTo<Login>,
}

#[derive(Model)]
pub struct Token {
    pub text: String,
    #[orm(foreign_key = Login)]
    pub login_id: i64,
    #[orm(back_populates = tokens)]
    pub login: BelongsTo<Login>,
}

/// One-to-one: the key is unique and can't be NULL.
#[derive(Model)]
pub struct Owner {
    pub name: String,
    #[orm(back_populates = owner, cascade = "all, delete-orphan")]
    pub kennel: HasOne<Kennel>,
}

#[derive(Model)]
pub struct Kennel {
    pub name: String,
    #[orm(unique, foreign_key = Owner)]
    pub owner_id: i64,
    #[orm(back_populates = kennel)]
    pub owner: BelongsTo<Owner>,
}

/// A tree whose names are unique.
#[derive(Model)]
#[orm(table = "branches")]
pub struct Branch {
    #[orm(unique)]
    pub name: String,
    #[orm(foreign_key = Branch)]
    pub parent_id: Option<i64>,
    #[orm(back_populates = children)]
    pub parent: BelongsTo<Branch>,
    #[orm(back_populates = parent, cascade = "all, delete-orphan")]
    pub children: HasMany<Branch>,
}

/// Tables that refer to each other, with a name that can't be NULL.
#[derive(Model)]
pub struct Ship {
    #[orm(unique)]
    pub name: String,
    #[orm(foreign_key = Sailor)]
    pub captain_id: Option<i64>,
    pub captain: BelongsTo<Sailor>,
    #[orm(back_populates = ship)]
    pub crew: HasMany<Sailor>,
}

#[derive(Model)]
pub struct Sailor {
    #[orm(unique)]
    pub name: String,
    #[orm(foreign_key = Ship)]
    pub ship_id: i64,
    #[orm(back_populates = crew)]
    pub ship: BelongsTo<Ship>,
}

/// A key made by people, with everything that a new object may leave out.
#[derive(Model)]
#[orm(base = none)]
pub struct Plot {
    #[orm(primary_key)]
    pub number: i64,
    pub owner: String,
    pub note: Option<String>,
    #[orm(default = 3)]
    pub fence: i64,
    #[orm(server_default = "'grass'")]
    pub cover: String,
    #[orm(version)]
    pub revision: i64,
    #[orm(back_populates = plot)]
    pub trees: HasMany<Tree>,
    #[orm(back_populates = plot, cascade = "all")]
    pub sheds: HasMany<Shed>,
    #[orm(secondary(PlotCrop::plot_number, PlotCrop::crop_name))]
    pub crops: ManyToMany<Crop>,
}

#[derive(Model)]
pub struct Tree {
    pub name: String,
    #[orm(foreign_key = Plot)]
    pub plot_number: Option<i64>,
    #[orm(via = plot_number, back_populates = trees)]
    pub plot: BelongsTo<Plot>,
}

#[derive(Model)]
pub struct Shed {
    pub name: String,
    #[orm(foreign_key = Plot)]
    pub plot_number: i64,
    #[orm(via = plot_number, back_populates = sheds)]
    pub plot: BelongsTo<Plot>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Crop {
    #[orm(primary_key)]
    pub name: String,
}

/// Nothing but its key.
#[derive(Model)]
#[orm(table = "plot_crops", base = none)]
pub struct PlotCrop {
    #[orm(primary_key, foreign_key = Plot)]
    pub plot_number: i64,
    #[orm(primary_key, foreign_key = Crop)]
    pub crop_name: String,
}

/// Its stones are left to the database.
#[derive(Model)]
#[orm(base = none)]
pub struct Field {
    #[orm(primary_key)]
    pub number: i64,
    #[orm(back_populates = field, cascade = "all, delete-orphan", passive_deletes)]
    pub stones: HasMany<Stone>,
}

#[derive(Model)]
pub struct Stone {
    #[orm(foreign_key(Field, on_delete = "cascade"))]
    pub field_number: i64,
    #[orm(via = field_number, back_populates = stones)]
    pub field: BelongsTo<Field>,
}
