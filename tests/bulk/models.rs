//! The models of these tests: members of teams, who have tasks with steps and belong to clubs.

use orm_core::{BelongsTo, Enum, HasMany, HasOne, ManyToMany, Model, Result, schema};
use orm_tests::Database;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Grade {
    Junior,
    Senior,
}

#[derive(Model)]
pub struct Team {
    #[orm(unique, length = 40)]
    pub name: String,
    #[orm(back_populates = team, order_by = Member::id.asc())]
    pub members: HasMany<Member>,
}

#[derive(Model)]
pub struct Member {
    #[orm(unique, length = 40)]
    pub name: String,
    #[orm(default = 0)]
    pub score: i64,
    #[orm(default = 0)]
    pub bonus: i64,
    pub grade: Option<Grade>,
    pub labels: Option<Vec<String>>,
    pub notes: Option<serde_json::Value>,
    #[orm(foreign_key(Team, on_delete = "set null"))]
    pub team_id: Option<i64>,
    #[orm(back_populates = members)]
    pub team: BelongsTo<Team>,
    #[orm(back_populates = member, passive_deletes, cascade = "all", order_by = Task::id.asc())]
    pub tasks: HasMany<Task>,
    #[orm(back_populates = member)]
    pub locker: HasOne<Locker>,
    #[orm(secondary = Membership, back_populates = members)]
    pub clubs: ManyToMany<Club>,
}

#[derive(Model)]
pub struct Locker {
    pub number: i32,
    #[orm(foreign_key(Member, on_delete = "set null"))]
    pub member_id: Option<i64>,
    #[orm(back_populates = locker)]
    pub member: BelongsTo<Member>,
}

#[derive(Model)]
pub struct Task {
    pub title: String,
    #[orm(default = false)]
    pub done: bool,
    #[orm(foreign_key(Member, on_delete = "cascade"))]
    pub member_id: i64,
    #[orm(version)]
    pub revision: i64,
    #[orm(back_populates = tasks)]
    pub member: BelongsTo<Member>,
    #[orm(back_populates = task)]
    pub steps: HasMany<Step>,
}

#[derive(Model)]
pub struct Step {
    pub title: String,
    #[orm(foreign_key(Task, on_delete = "cascade"))]
    pub task_id: i64,
    #[orm(back_populates = steps)]
    pub task: BelongsTo<Task>,
}

#[derive(Model)]
pub struct Club {
    #[orm(unique, length = 40)]
    pub name: String,
    #[orm(secondary = Membership, back_populates = clubs)]
    pub members: ManyToMany<Member>,
}

#[derive(Model)]
#[orm(base = none)]
pub struct Membership {
    #[orm(primary_key, foreign_key(Member, on_delete = "cascade"))]
    pub member_id: i64,
    #[orm(primary_key, foreign_key(Club, on_delete = "cascade"))]
    pub club_id: i64,
    pub since: Option<i32>,
}

/// Leads to itself.
#[derive(Model)]
pub struct Folder {
    pub name: String,
    #[orm(default = 0)]
    pub depth: i32,
    #[orm(foreign_key(Folder, on_delete = "set null"))]
    pub parent_id: Option<i64>,
    #[orm(back_populates = children)]
    pub parent: BelongsTo<Folder>,
    #[orm(back_populates = parent)]
    pub children: HasMany<Folder>,
}

/// A key of two columns, and a unique column that another table refers to.
#[derive(Model)]
#[orm(base = none)]
pub struct Seat {
    #[orm(primary_key)]
    pub row: i32,
    #[orm(primary_key, length = 8)]
    pub number: String,
    #[orm(unique, length = 20)]
    pub code: String,
    #[orm(default = 0)]
    pub price: i32,
}

#[derive(Model)]
pub struct Ticket {
    pub holder: String,
    #[orm(foreign_key(Seat::code, on_delete = "cascade", on_update = "cascade"))]
    pub seat_code: String,
    #[orm(via = seat_code)]
    pub seat: BelongsTo<Seat>,
}

/// Creates the tables of members and what belongs to them.
pub(crate) async fn create(db: &Database) -> Result<()> {
    db.create(&schema![Team, Member, Locker, Task, Step, Club, Membership]).await
}

/// Creates the tables, and members of these names, with scores counted from 1.
pub(crate) async fn members(db: &Database, names: &[&str]) -> Result<()> {
    create(db).await?;
    let mut session = db.session();
    for (name, score) in names.iter().zip(1..) {
        session.add(Member::draft().name(*name).score(score));
    }
    session.commit().await
}

/// The names and scores that the database holds, by key.
pub(crate) async fn scores(db: &Database) -> Result<Vec<(String, i64)>> {
    let query = Member::select().order_by(Member::id.asc());
    query.columns((Member::name, Member::score)).on(&db.engine).all().await
}

/// Whose rows can't be deleted while others point to them.
#[derive(Model)]
pub struct Axle {
    #[orm(default = 2)]
    pub diameter: i32,
    #[orm(back_populates = axle)]
    pub wheels: HasMany<Wheel>,
}

#[derive(Model)]
pub struct Wheel {
    pub spokes: i32,
    #[orm(foreign_key = Axle)]
    pub axle_id: i64,
    #[orm(back_populates = wheels)]
    pub axle: BelongsTo<Axle>,
}
