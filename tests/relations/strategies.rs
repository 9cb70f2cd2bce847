//! Every strategy on every kind of relationship: what it emits, and what it loads.

use orm_core::error::Result;
use orm_core::{Error, HasMany, ManyToMany, Model, schema};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// Members of a relationship as text, by the strategy that loaded them. `$members` reads them.
macro_rules! by_every_strategy {
    ($db:ident, $of:ident :: $relation:ident, |$session:ident, $owner:ident| $members:expr) => {{
        let log = $db.log();
        let mut seen = Vec::new();
        let eager = [
            ("joined", $of::$relation.joined(), 1),
            ("selectin", $of::$relation.selectin(), 2),
            ("subquery", $of::$relation.subquery(), 2),
        ];
        for (name, load, statements) in eager {
            let mut $session = $db.session();
            log.texts();
            let owners =
                $of::select().order_by($of::id.asc()).with(load).all(&mut $session).await?;
            assert_eq!(log.texts().len(), statements, "{name}");
            let mut all = Vec::new();
            for $owner in owners {
                let members: Vec<String> = $members;
                all.push(members);
            }
            assert!(log.texts().is_empty(), "{name} has loaded them");
            seen.push((name, all));
        }
        for load in [$of::$relation.lazy(), $of::$relation.raise()] {
            let mut $session = $db.session();
            let owners =
                $of::select().order_by($of::id.asc()).with(load).all(&mut $session).await?;
            assert_eq!(log.texts().len(), 1, "neither loads with the query");
            for owner in &owners {
                owner.$relation(&mut $session).await?;
            }
            assert_eq!(log.texts().len(), 1, "one load for all peers");
            let mut all = Vec::new();
            for $owner in owners {
                let members: Vec<String> = $members;
                all.push(members);
            }
            seen.push(("lazy", all));
        }
        let (_, expected) = seen[0].clone();
        for (name, members) in seen {
            assert_eq!(members, expected, "{name}");
        }
        expected
    }};
}

/// Users with no post, one and two; comments and tags below.
async fn blog(db: &Database) -> Result<()> {
    db.create(&blog_tables()).await?;
    let mut session = db.session();
    let tags = session.add_all(["x", "y"].map(|name| Tag::draft().name(name)));
    for posts in 0..3 {
        let posts = (0..posts).map(|post| {
            Post::draft()
                .title(format!("{posts}.{post}"))
                .comments((0..=post).map(|text| Comment::draft().text(text.to_string())))
                .tags(tags.iter().copied().take(post + 1))
        });
        session.add(
            User::draft().name(format!("user {}", posts.len())).posts(posts.collect::<Vec<_>>()),
        );
    }
    session.commit().await
}

/// A pair table between keys of several columns, and a reference by one.
#[derive(Model)]
#[orm(base = none)]
struct Parcel {
    #[orm(primary_key)]
    street: String,
    #[orm(primary_key)]
    number: i32,
    #[orm(secondary = "parcel_owners", back_populates = parcels)]
    owners: ManyToMany<Landlord>,
    #[orm(back_populates = parcel)]
    visits: HasMany<Visit>,
}

#[derive(Model)]
#[orm(base = none)]
struct Landlord {
    #[orm(primary_key)]
    country: String,
    #[orm(primary_key)]
    name: String,
    #[orm(secondary = "parcel_owners", back_populates = owners)]
    parcels: ManyToMany<Parcel>,
}

#[derive(Model)]
#[orm(foreign_key(street => Parcel::street, number => Parcel::number))]
struct Visit {
    day: i32,
    street: String,
    number: i32,
    #[orm(via = (street, number), back_populates = visits)]
    parcel: orm_core::BelongsTo<Parcel>,
}

/// Loads what it has by a subquery, unless told otherwise.
#[derive(Model)]
struct Depot {
    name: String,
    #[orm(back_populates = depot, lazy = "subquery", order_by = Barrel::size.desc())]
    barrels: HasMany<Barrel>,
}

#[derive(Model)]
struct Barrel {
    size: i32,
    #[orm(foreign_key = Depot)]
    depot_id: i64,
    #[orm(back_populates = barrels, lazy = "joined")]
    depot: orm_core::BelongsTo<Depot>,
}

async fn parcels(db: &Database) -> Result<()> {
    db.create(&schema![Parcel, Landlord, Visit]).await?;
    let mut session = db.session();
    let owners = [("FR", "Ada"), ("FR", "Bob"), ("UK", "Ada")];
    let owners = owners.map(|(country, name)| Landlord::draft().country(country).name(name));
    let owners = session.add_all(owners);
    for (at, (street, number)) in [("A", 1), ("A", 2), ("B", 1)].into_iter().enumerate() {
        let visits = (0..3).map(|day| Visit::draft().day(day * 10 + at as i32));
        session.add(
            Parcel::draft()
                .street(street)
                .number(number)
                .owners(owners[at..].iter().copied())
                .visits(visits.collect::<Vec<_>>()),
        );
    }
    session.commit().await
}

backend_tests! {
    /// SEMANTICS 11.1–11.4: a collection by its foreign key.
    async fn rule_11_4_has_many_by_every_strategy(db) {
        blog(&db).await?;
        let posts = by_every_strategy!(db, User::posts, |session, user| {
            session.members(user, User::posts)?.map(|(_, post)| post.title.clone()).collect()
        });
        assert_eq!(posts, [vec![], vec!["1.0"], vec!["2.0", "2.1"]]);
    }

    /// SEMANTICS 11.1–11.4: a collection through an association.
    async fn rule_11_4_many_to_many_by_every_strategy(db) {
        blog(&db).await?;
        let posts = by_every_strategy!(db, Tag::posts, |session, tag| {
            session.members(tag, Tag::posts)?.map(|(_, post)| post.title.clone()).collect()
        });
        assert_eq!(posts, [vec!["1.0", "2.0", "2.1"], vec!["2.1"]]);
    }

    /// SEMANTICS 11.1–11.4: a reference.
    async fn rule_11_4_belongs_to_by_every_strategy(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let [ada, bob] = ["Ada", "Bob"].map(|name| session.add(Author::draft().name(name)));
        for (title, author) in [("A", ada), ("B", bob), ("C", ada)] {
            session.add(Book::draft().title(title).author(author));
        }
        session.add(Book::draft().title("D"));
        session.commit().await?;
        let authors = by_every_strategy!(db, Book::author, |session, book| {
            session.follow(book, Book::author)?.map(|author| author.name.clone()).into_iter().collect()
        });
        assert_eq!(authors, [vec!["Ada"], vec!["Bob"], vec!["Ada"], vec![]]);
    }

    /// SEMANTICS 11.1–11.4: a one-to-one from the side without the key. Where nothing keeps it
    /// unique, each strategy takes the same of several, and no owner comes twice.
    async fn rule_11_4_has_one_by_every_strategy(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().name("France"));
        session.add(Country::draft().name("Nowhere"));
        session.flush().await?;
        let id = session[france].id();
        session.add_all(["Paris", "Vichy"].map(|name| Capital::draft().name(name).country_id(id)));
        session.commit().await?;
        let capitals = by_every_strategy!(db, Country::capital, |session, country| {
            let capital = session.follow(country, Country::capital)?;
            capital.map(|capital| capital.name.clone()).into_iter().collect()
        });
        assert_eq!(capitals, [vec!["Paris"], vec![]]);
        let mut session = db.session();
        let load = Country::capital.joined();
        let limited = Country::select().order_by(Country::id.asc()).limit(2).with(load);
        assert_eq!(limited.all(&mut session).await?.len(), 2, "the limit counts countries");
    }

    /// SEMANTICS 11.4: write_only never loads, and a query that says so does.
    async fn rule_11_4_write_only_loads_by_a_query(db) {
        db.create(&rack_tables()).await?;
        let mut session = db.session();
        session.add(Rack::draft().place(1).wares(["a", "b"].map(|name| Ware::draft().name(name))));
        session.commit().await?;
        for load in [Rack::wares.joined(), Rack::wares.selectin(), Rack::wares.subquery()] {
            let mut session = db.session();
            let rack = session.require::<Rack>(1).await?;
            assert!(matches!(rack.wares(&mut session).await, Err(Error::NotLoaded { .. })));
            Rack::select().with(load).one(&mut session).await?;
            assert_eq!(rack.wares(&mut session).await?.len(), 2);
        }
    }

    /// SEMANTICS 11.4: the original query is embedded, its limit and order included.
    async fn rule_11_4_subquery_embeds_the_limit(db) {
        blog(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let users = User::select()
            .order_by(User::name.desc())
            .limit(2)
            .with(User::posts.subquery())
            .all(&mut session)
            .await?;
        assert_eq!(log.rows(), [2, 3], "only the posts of the two are read");
        let posts = session.members(users[0], User::posts)?;
        assert_eq!(posts.map(|(_, post)| &*post.title).collect::<Vec<_>>(), ["2.0", "2.1"]);
        assert_eq!(session.members(users[1], User::posts)?.len(), 1);
        // Rows that the order leaves equal are cut at the same place twice.
        let mut session = db.session();
        let users = Post::select()
            .order_by(Post::created_at.asc())
            .limit(1)
            .offset(1)
            .with(Post::comments.subquery())
            .all(&mut session)
            .await?;
        log.texts();
        assert_eq!(users[0].comments(&mut session).await?.len(), 1);
        assert!(log.texts().is_empty());
    }

    /// SEMANTICS 11.4: filters and joins of the query are embedded, and multiply nothing.
    async fn rule_11_4_subquery_embeds_filters_and_joins(db) {
        blog(&db).await?;
        for distinct in [false, true] {
            let mut session = db.session();
            let log = db.log();
            let query = User::select()
                .join(User::posts)
                .filter(Post::title.starts_with("2."))
                .order_by(User::name.asc())
                .with(User::posts.order_by(Post::title.desc()).subquery());
            let query = if distinct { query.distinct().limit(5) } else { query };
            let users = query.all(&mut session).await?;
            let [_, ref subquery] = log.texts()[..] else { panic!("two statements") };
            assert!(subquery.contains("JOIN") && subquery.contains("LIKE"), "{subquery}");
            let posts = session.members(users[0], User::posts)?.map(|(_, post)| &*post.title);
            assert_eq!(posts.collect::<Vec<_>>(), ["2.1", "2.0"]);
        }
    }

    /// SEMANTICS 11.4: nested at any depth, below what is joined, selected or embedded.
    async fn rule_11_4_subquery_nests_and_mixes(db) {
        blog(&db).await?;
        let outline = async |load: orm_core::query::Load<User, Post>| {
            let mut session = db.session();
            let log = db.log();
            let users = User::select().order_by(User::id.desc()).limit(2).with(load);
            let users = users.all(&mut session).await?;
            let statements = log.texts().len();
            let mut seen = Vec::new();
            for user in users {
                for (post, entity) in session.members(user, User::posts)? {
                    seen.push(entity.title.clone());
                    let comments = session.members(post, Post::comments)?;
                    seen.extend(comments.map(|(_, comment)| comment.text.clone()));
                    for (tag, entity) in session.members(post, Post::tags)? {
                        seen.push(entity.name.clone());
                        let posts = session.members(tag, Tag::posts)?;
                        seen.extend(posts.map(|(_, post)| post.title.clone()));
                    }
                }
            }
            assert!(log.texts().is_empty(), "everything is loaded");
            Ok::<_, Error>((seen, statements))
        };
        let (expected, statements) = outline(
            User::posts.with(Post::comments).with(Post::tags.with(Tag::posts))
        ).await?;
        assert_eq!(statements, 5);
        let (sub, join) = (User::posts.subquery(), User::posts.joined());
        let all = sub.clone()
            .with(Post::comments.subquery())
            .with(Post::tags.subquery().with(Tag::posts.subquery()));
        assert_eq!(outline(all).await?, (expected.clone(), 5));
        let below_a_join = join
            .with(Post::comments.subquery())
            .with(Post::tags.joined().with(Tag::posts.subquery()));
        assert_eq!(outline(below_a_join).await?, (expected.clone(), 3));
        let mixed = sub
            .with(Post::comments.joined())
            .with(Post::tags.selectin().with(Tag::posts.subquery()));
        assert_eq!(outline(mixed).await?, (expected.clone(), 4));
        let below_keys = User::posts
            .with(Post::comments.subquery())
            .with(Post::tags.subquery().with(Tag::posts.joined()));
        assert_eq!(outline(below_keys).await?, (expected, 4));
    }

    /// SEMANTICS 11.4, 11.5: a default of the model, which a query overrides.
    async fn rule_11_5_subquery_is_set_on_the_model(db) {
        db.create(&schema![Depot, Barrel]).await?;
        let mut session = db.session();
        for name in ["a", "b"] {
            session.add(Depot::draft().name(name).barrels([1, 2].map(|size| Barrel::draft().size(size))));
        }
        session.commit().await?;
        let mut session = db.session();
        let log = db.log();
        let depots = Depot::select().order_by(Depot::name.desc()).limit(1).all(&mut session).await?;
        assert_eq!(log.rows(), [1, 2], "the query is embedded with its limit");
        let sizes = session.members(depots[0], Depot::barrels)?.map(|(_, barrel)| barrel.size);
        assert_eq!(sizes.collect::<Vec<_>>(), [2, 1]);
        let mut session = db.session();
        log.texts();
        Depot::select().with(Depot::barrels.lazy()).all(&mut session).await?;
        assert_eq!(log.texts().len(), 1);
        // By its key, and below what is joined.
        let mut session = db.session();
        let depot = session.require::<Depot>(1).await?;
        assert_eq!(session.members(depot, Depot::barrels)?.len(), 2);
        let mut session = db.session();
        log.texts();
        let load = Barrel::depot.with(Depot::barrels.subquery());
        let barrels = Barrel::select().filter(Barrel::size.eq(1)).with(load).all(&mut session);
        let barrels = barrels.await?;
        assert_eq!(log.texts().len(), 2);
        let depot = session[barrels[0]].depot.loaded().flatten().expect("joined");
        assert_eq!(session.members(depot, Depot::barrels)?.len(), 2);
    }

    /// SEMANTICS 11.3, 11.4: no parents, no statement; known objects are skipped.
    async fn rule_11_4_subquery_emits_only_what_is_needed(db) {
        blog(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let none = User::select().filter(User::name.eq("nobody")).with(User::posts.subquery());
        none.all(&mut session).await?;
        assert_eq!(log.texts().len(), 1);
        User::select().all(&mut session).await?;
        log.texts();
        Post::select().with(Post::user.subquery()).all(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT posts"], "every user is known");
    }

    /// SEMANTICS 11.2–11.4: narrowed by filter, order and limit, with keys of several columns.
    async fn rule_11_3_narrowed_loads_with_composite_keys(db) {
        parcels(&db).await?;
        type Of = orm_core::query::Load<Parcel, Landlord>;
        let strategies: [fn(Of) -> Of; 3] = [Of::joined, Of::selectin, Of::subquery];
        for strategy in strategies {
            let mut session = db.session();
            let log = db.log();
            let narrowed = Parcel::owners.filter(Landlord::name.eq("Ada"));
            let narrowed = strategy(narrowed.order_by(Landlord::country.desc()).limit(1));
            let parcels = Parcel::select()
                .order_by((Parcel::street.asc(), Parcel::number.asc()))
                .limit(2)
                .with(narrowed)
                .with(Parcel::visits.order_by(Visit::day.desc()).limit(2).subquery())
                .all(&mut session)
                .await?;
            assert_eq!(log.texts().len(), 3);
            for parcel in parcels {
                let part = session[parcel].owners.narrowed().expect("narrowed").to_vec();
                let countries: Vec<&str> = part.iter().map(|of| &*session[*of].country).collect();
                assert_eq!(countries, ["UK"]);
                let visits = session[parcel].visits.narrowed().expect("narrowed").to_vec();
                let at = session[parcel].number - 1;
                let days: Vec<i32> = visits.iter().map(|visit| session[*visit].day).collect();
                assert_eq!(days, [20 + at, 10 + at]);
                assert!(session[parcel].owners.loaded().is_none());
            }
        }
        let visits = by_every_strategy!(db, Visit::parcel, |session, visit| {
            let parcel = session.follow(visit, Visit::parcel)?;
            vec![format!("{} {}", parcel.street, parcel.number)]
        });
        assert_eq!(visits[3], ["A 2"]);
    }

    /// SEMANTICS 11.4: below members that several owners share, each counts once.
    async fn rule_11_4_subquery_below_shared_members(db) {
        blog(&db).await?;
        let mut session = db.session();
        let load = Post::tags.limit(1).subquery().with(Tag::posts.subquery());
        let posts = Post::select().order_by(Post::id.asc()).with(load).all(&mut session).await?;
        let tag = session[posts[0]].tags.narrowed().expect("narrowed")[0];
        assert_eq!(session[tag].posts.loaded(), Some(&posts[..]));
    }

    /// SEMANTICS 11.2: a limit of members leaves their owner's own limit alone, and owners without
    /// members show none.
    async fn rule_11_2_limits_of_both(db) {
        blog(&db).await?;
        for load in [User::posts.joined(), User::posts.selectin(), User::posts.subquery()] {
            let mut session = db.session();
            let users = User::select()
                .order_by(User::id.asc())
                .limit(3)
                .with(load.order_by(Post::title.desc()).limit(1).with(Post::tags.joined()))
                .all(&mut session)
                .await?;
            let part = |at: usize| session[users[at]].posts.narrowed().expect("narrowed");
            assert_eq!([part(0).len(), part(1).len(), part(2).len()], [0, 1, 1]);
            let last = part(2)[0];
            assert_eq!(session[last].title, "2.1");
            assert_eq!(session.members(last, Post::tags)?.len(), 2);
        }
    }

    /// SEMANTICS 11.2: a to-one has no more than one, whatever its limit.
    async fn rule_11_2_a_limit_of_a_reference_narrows_nothing(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(Book::draft().title("A").author(Author::draft().name("Ada")));
        session.add(Book::draft().title("B"));
        session.commit().await?;
        let mut session = db.session();
        let load = Book::author.limit(1);
        let books = Book::select().order_by(Book::id.asc()).with(load).all(&mut session).await?;
        assert!(matches!(session[books[0]].author.loaded(), Some(Some(_))));
        assert_eq!(session[books[1]].author.loaded(), Some(None));
        // Nor does a filter make a reference unknown that leads nowhere.
        for load in [Book::author.joined(), Book::author.selectin(), Book::author.subquery()] {
            let mut session = db.session();
            let load = load.filter(Author::name.eq("Bob"));
            let books = Book::select().order_by(Book::id.asc()).with(load).all(&mut session).await?;
            assert_eq!(session[books[0]].author.loaded(), None, "it leads to somebody else");
            assert_eq!(session[books[1]].author.loaded(), Some(None));
        }
    }

    /// SEMANTICS 11.2: the same from the side without the key.
    async fn rule_11_2_a_filtered_one_to_one_knows_what_is_not_there(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        session.add(Country::draft().name("France").capital(Capital::draft().name("Paris")));
        session.add(Country::draft().name("Nowhere"));
        session.commit().await?;
        for load in [Country::capital.joined(), Country::capital.selectin()] {
            let mut session = db.session();
            let load = load.filter(Capital::name.eq("Vichy"));
            let all = Country::select().order_by(Country::id.asc()).with(load);
            let countries = all.all(&mut session).await?;
            assert_eq!(session[countries[0]].capital.loaded(), None);
            assert_eq!(session[countries[1]].capital.loaded(), Some(None));
        }
    }

    /// SEMANTICS 11.2: distinct and grouped queries, and a joined collection under them.
    async fn rule_11_2_joined_under_distinct_and_order(db) {
        blog(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let users = User::select()
            .join(User::posts)
            .distinct()
            .order_by(User::name.desc())
            .limit(1)
            .offset(1)
            .with(User::posts.joined())
            .all(&mut session)
            .await?;
        assert_eq!(log.texts().len(), 1);
        assert_eq!(users.len(), 1);
        assert_eq!(session[users[0]].name, "user 1");
        assert_eq!(session.members(users[0], User::posts)?.len(), 1);
        let mut session = db.session();
        let busy = User::select()
            .join(User::posts)
            .group_by(User::id)
            .having(Post::id.count().gt(1))
            .with(User::posts.joined())
            .one(&mut session)
            .await?;
        assert_eq!(session.members(busy, User::posts)?.len(), 2);
    }

    /// SEMANTICS 11.5: two relationships to one table, each under an alias of its own.
    async fn rule_11_5_two_relationships_to_one_table(db) {
        db.create(&game_tables()).await?;
        let mut session = db.session();
        let [red, blue] = ["red", "blue"].map(|name| session.add(Team::draft().name(name)));
        session.add(Game::draft().place("A").home(red).away(blue));
        session.add(Game::draft().place("B").home(blue).away(red));
        session.add(Game::draft().place("C").home(red));
        session.commit().await?;
        for joined in [true, false] {
            let mut session = db.session();
            let (home, away) = match joined {
                true => (Game::home.joined(), Game::away.joined()),
                false => (Game::home.subquery(), Game::away.selectin()),
            };
            let home = home.with(Team::away_games.joined());
            let games = Game::select().order_by(Game::id.asc()).with(home).with(away);
            let games = games.all(&mut session).await?;
            let name = |game: usize| {
                let away = session.follow(games[game], Game::away)?;
                let away = away.map_or("-", |team| &team.name);
                Ok::<_, Error>(format!("{} {away}", session.follow(games[game], Game::home)?.name))
            };
            assert_eq!([name(0)?, name(1)?, name(2)?], ["red blue", "blue red", "red -"]);
            let blue = session[games[1]].home.loaded().flatten().expect("loaded");
            assert_eq!(session.members(blue, Team::away_games)?.len(), 1);
        }
    }

    /// SEMANTICS 2.2, 11.5: populate_existing at every level, by every strategy.
    async fn rule_2_2_populate_existing_reaches_what_is_loaded(db) {
        blog(&db).await?;
        for load in [User::posts.joined(), User::posts.selectin(), User::posts.subquery()] {
            let mut session = db.session();
            session.autoflush(false);
            let load = load.with(Post::tags.subquery());
            let query = User::select().order_by(User::id.asc()).with(load);
            let users = query.clone().all(&mut session).await?;
            let posts = users[2].posts(&mut session).await?;
            session[posts[0]].title = "edited".into();
            session.remove(users[2], User::posts, posts[1]);
            let tags = posts[0].tags(&mut session).await?;
            session.unlink(posts[0], Post::tags, tags[0]);
            let again = query.clone().all(&mut session).await?;
            assert_eq!(again, users);
            assert_eq!(session[posts[0]].title, "edited", "a load overwrites nothing");
            assert_eq!(session[users[2]].posts.loaded(), Some(&posts[..1]));
            query.populate_existing().all(&mut session).await?;
            assert_eq!(session[posts[0]].title, "2.0");
            assert_eq!(session[users[2]].posts.loaded(), Some(&posts[..]));
        }
    }

    /// SEMANTICS 11.5: below members that only an unflushed edit put there, too.
    async fn rule_11_5_edited_members_get_what_is_below(db) {
        blog(&db).await?;
        for load in [User::posts.joined(), User::posts.selectin(), User::posts.subquery()] {
            let mut session = db.session();
            session.autoflush(false);
            let users = User::select().order_by(User::id.asc()).all(&mut session).await?;
            let post = session.require::<Post>(1).await?;
            session.push(users[0], User::posts, post);
            let load = load.with(Post::comments.joined());
            User::select().filter(User::id.eq(1)).with(User::posts).all(&mut session).await?;
            User::select().filter(User::id.eq(1)).with(load).all(&mut session).await?;
            assert_eq!(session[users[0]].posts.loaded(), Some(&[post][..]));
            assert_eq!(session[post].comments.loaded().map(<[_]>::len), Some(1));
        }
    }
}
