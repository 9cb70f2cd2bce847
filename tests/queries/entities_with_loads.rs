//! What comes with whole entities among the columns of a query: criteria, hooks, relationships.

use orm_core::query::entity;
use orm_core::{
    BelongsTo, Error, Handle, HasMany, HookContext, Hooks, Model, Result, Schema, Session,
    SessionFactory, schema,
};
use orm_tests::{Database, backend_tests};

use super::models::{Article, Person, newsroom};

/// A further use of a model.
struct Boss;

/// A team, whose relationships are loaded eagerly, each in another way.
#[derive(Model)]
struct Team {
    name: String,
    #[orm(foreign_key = City)]
    city_id: i64,
    #[orm(via = city_id, lazy = "joined")]
    city: BelongsTo<City>,
    #[orm(back_populates = team, lazy = "selectin", order_by = Player::id.asc())]
    players: HasMany<Player>,
    #[orm(foreign_key = Trophy::team_id, viewonly, lazy = "subquery")]
    trophies: HasMany<Trophy>,
    #[orm(foreign_key = Player::team_id, viewonly)]
    reserve: HasMany<Player>,
}

#[derive(Model)]
#[orm(table = "cities")]
struct City {
    name: String,
}

/// A player, whose shirt `after_load` prints.
#[derive(Model)]
#[orm(hooks)]
struct Player {
    name: String,
    #[orm(default = 0)]
    goals: i64,
    #[orm(default = false)]
    retired: bool,
    #[orm(foreign_key = Team)]
    team_id: i64,
    #[orm(skip)]
    shirt: String,
    #[orm(back_populates = players)]
    team: BelongsTo<Team>,
}

impl Hooks for Player {
    fn after_load(&mut self, _: &HookContext<'_>) -> Result<()> {
        if self.name == "Nobody" {
            return Err(Error::refused("nobody plays"));
        }
        self.shirt = self.name.to_uppercase();
        Ok(())
    }
}

#[derive(Model)]
#[orm(table = "trophies")]
struct Trophy {
    name: String,
    #[orm(foreign_key = Team)]
    team_id: i64,
}

fn tables() -> Schema {
    schema![City, Team, Player, Trophy]
}

/// Two teams of Turin with two players and a trophy each, and one that has none.
async fn league(db: &Database) -> Result<Session> {
    db.create(&tables()).await?;
    let mut session = db.session();
    let turin = session.add(City::draft().name("Turin"));
    for (team, players) in [("Reds", ["Ann", "Bea"]), ("Blues", ["Cat", "Dot"])] {
        let players = players.map(|name| Player::draft().name(name).goals(name.len() as i64));
        let team = session.add(Team::draft().name(team).city(turin).players(players));
        session.flush().await?;
        let team_id = session[team].id();
        session.add(Trophy::draft().name("Cup").team_id(team_id));
    }
    session.add(Team::draft().name("Greens").city(turin));
    session.commit().await?;
    Ok(db.session())
}

backend_tests! {
    /// DESIGN 5: what the factory's criteria hide doesn't come; what they admit is known to be, so
    /// that `get` needs no SQL.
    async fn criteria_hold_for_entities(db) {
        league(&db).await?;
        let mut session = db.session();
        let bea = Player::select().filter(Player::name.eq("Bea")).one(&mut session).await?;
        session[bea].retired = true;
        session.commit().await?;
        let active =
            SessionFactory::new(db.engine.clone()).with_criteria::<Player>(Player::retired.eq(false));
        let mut session = active.session();
        let query = Team::select()
            .left_join(Team::players)
            .order_by((Team::id.asc(), Player::id.asc()))
            .with(Team::players.lazy())
            .columns((Team::name, entity::<Player>()));
        let rows = query.clone().all(&mut session).await?;
        let read: Vec<_> = rows
            .iter()
            .map(|(team, player)| (&**team, player.map(|player| &*session[player].name)))
            .collect();
        assert_eq!(read, [
            ("Reds", Some("Ann")), ("Blues", Some("Cat")), ("Blues", Some("Dot")), ("Greens", None),
        ]);
        let log = db.log();
        let ann = rows[0].1.expect("Ann plays");
        let id = session[ann].id();
        assert_eq!(session.get::<Player>(id).await?, Some(ann));
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(query.clone().on(&active).count().await?, 4);
        assert_eq!(query.clone().on(&active).all().await?.len(), 4);
        assert_eq!(query.without_criteria::<Player>().all(&mut session).await?.len(), 5);
    }

    /// The hooks of a model see its entities, in a session and without.
    async fn hooks_run_after_the_load(db) {
        let mut session = league(&db).await?;
        let query = Player::select()
            .join(Player::team)
            .order_by(Player::id.asc())
            .columns((Team::name, entity::<Player>()));
        let (_, ann) = query.clone().first(&mut session).await?.expect("players");
        assert_eq!(session[ann].shirt, "ANN");
        let (_, ann) = query.clone().on(&db.engine).first().await?.expect("players");
        assert_eq!(ann.shirt, "ANN");
        session.add(Player::draft().name("Nobody").team_id(1));
        session.commit().await?;
        let refused = query.on(&db.engine).all().await.err().expect("a hook refuses");
        assert!(refused.to_string().contains("nobody plays"), "{refused}");
    }

    /// SEMANTICS 11.2 to 11.4: what the models load eagerly is loaded for all entities together, by a
    /// statement for each relationship.
    async fn eager_relationships_follow(db) {
        let mut session = league(&db).await?;
        let log = db.log();
        let rows: Vec<(Handle<Team>, String)> = Team::select()
            .join(Team::reserve)
            .order_by(Player::id.asc())
            .columns((entity::<Team>(), Player::name))
            .all(&mut session)
            .await?;
        let mut emitted = log.emitted();
        emitted[1..].sort();
        assert_eq!(emitted, ["SELECT teams", "SELECT cities", "SELECT players", "SELECT trophies"]);
        let reds = rows[0].0;
        assert_eq!(rows.iter().filter(|(team, _)| *team == reds).count(), 2);
        assert_eq!(session.follow(reds, Team::city)?.name, "Turin");
        let players: Vec<String> =
            session.members(reds, Team::players)?.map(|(_, player)| player.name.clone()).collect();
        assert_eq!(players, ["Ann", "Bea"]);
        assert_eq!(session.members(reds, Team::trophies)?.len(), 1);
        assert!(session[reds].reserve.loaded().is_none());
        // Peers of one query: one statement for both teams.
        assert_eq!(reds.reserve(&mut session).await?.len(), 2);
        assert_eq!(rows[3].0.reserve(&mut session).await?.len(), 2);
        assert_eq!(log.emitted(), ["SELECT players"]);
    }

    /// DESIGN 6: options of the query count for the entities of its model, under each name, and go
    /// below them; the other models' defaults hold.
    async fn options_of_the_query_count(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let rows: Vec<(Handle<Person>, Handle<Person>)> = Person::select()
            .with(Person::articles.joined().with(Article::comments))
            .join(Person::boss.to::<Boss>())
            .order_by(Person::id.asc())
            .columns((entity::<Person>(), entity::<Person>().of::<Boss>()))
            .all(&mut session)
            .await?;
        assert_eq!(log.emitted(), ["SELECT people", "SELECT articles", "SELECT comments"]);
        let (bob, ada) = rows[0];
        let articles: Vec<_> =
            session.members(ada, Person::articles)?.map(|(article, _)| article).collect();
        assert_eq!(articles.len(), 2);
        assert_eq!(session.members(articles[0], Article::comments)?.len(), 2);
        assert_eq!(session.members(bob, Person::articles)?.len(), 1);

        let without: Vec<(String, Handle<Person>)> = Article::select()
            .with(Article::tags)
            .join(Article::author)
            .columns((Article::title, entity::<Person>()))
            .all(&mut db.session())
            .await?;
        assert_eq!(without.len(), 4);
        assert_eq!(log.emitted(), ["SELECT articles"]);
    }
}
