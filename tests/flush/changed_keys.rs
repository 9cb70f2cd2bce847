//! Keys that change while other rows refer to them: SEMANTICS 2.4 and 6.7.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Result, Schema, Session, schema};
use orm_tests::{Database, backend_tests};
use uuid::Uuid;

use crate::models::*;

fn lands() -> Schema {
    schema![Land, Town, Square, Tongue, LandTongue]
}

/// Norway with two towns, a square in each, and two tongues; and Sweden with a town.
async fn norway(db: &Database) -> Result<()> {
    db.create(&lands()).await?;
    let mut session = db.session();
    let towns = ["Bergen", "Oslo"].map(|name| {
        Town::draft().name(name).squares([Square::draft().name(format!("Square of {name}"))])
    });
    let tongues = ["nb", "nn"].map(|name| Tongue::draft().name(name));
    session.add(Land::draft().code("no").towns(towns).tongues(tongues));
    session.add(Land::draft().code("se").towns([Town::draft().name("Malmo")]));
    session.commit().await
}

/// Everything of Norway in memory, in a new session.
struct Norway {
    land: Handle<Land>,
    towns: Vec<Handle<Town>>,
    squares: Vec<Handle<Square>>,
}

async fn load(session: &mut Session) -> Result<Norway> {
    let query = Land::select().filter(Land::code.like("no%"));
    let query =
        query.with(Land::towns.order_by(Town::name.asc()).with(Town::squares)).with(Land::tongues);
    let land = query.one(session).await?;
    let towns = session[land].towns.loaded().expect("loaded").to_vec();
    let squares = towns.iter().map(|town| session[*town].squares.loaded().expect("loaded")[0]);
    let squares = squares.collect();
    Ok(Norway { land, towns, squares })
}

/// The rows of towns, squares and associated tongues, with their lands.
async fn stored(db: &Database) -> Result<(Vec<String>, Vec<String>, Vec<String>)> {
    let mut session = db.session();
    let towns = Town::select().columns((Town::land_code, Town::name)).all(&mut session).await?;
    let squares = Square::select().columns((Square::land_code, Square::name));
    let squares = squares.all(&mut session).await?;
    let tongues = LandTongue::select().columns((LandTongue::land_code, LandTongue::tongue_id));
    let tongues = tongues.all(&mut session).await?;
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    let squares = squares.into_iter().map(|(land, name)| (land.unwrap_or_default(), name));
    Ok((
        sorted(towns.into_iter().map(|(land, name)| format!("{land}/{name}")).collect()),
        sorted(squares.map(|(land, name)| format!("{land}/{name}")).collect()),
        sorted(tongues.into_iter().map(|(land, tongue)| format!("{land}/{tongue}")).collect()),
    ))
}

/// That nothing more is to be written.
async fn assert_settled(db: &Database, session: &mut Session) -> Result<()> {
    let log = db.log();
    session.flush().await?;
    assert_eq!(log.emitted(), [""; 0]);
    Ok(())
}

backend_tests! {
    /// SEMANTICS 2.4, 2.1: loaded children follow in memory, and those whose keys consist of
    /// theirs; every verb finds them by the new key, and none by the old one.
    async fn rule_2_4_loaded_children_follow(db) {
        norway(&db).await?;
        let mut session = db.session();
        let Norway { land, towns, squares } = load(&mut session).await?;
        session[land].code = "nor".into();
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE lands"]);
        for (town, square) in towns.iter().zip(&squares) {
            assert_eq!(session[*town].land_code, "nor");
            assert_eq!(session[*town].revision, 1, "the flush didn't update it");
            assert_eq!(session[*square].land_code.as_deref(), Some("nor"));
            let key = ("nor".to_owned(), session[*town].name.clone());
            assert_eq!(session.key(*town), Some(key.clone()));
            assert_eq!(session.get::<Town>(key).await?, Some(*town));
            assert_eq!(town.land(&mut session).await?, land);
            assert_eq!(square.town(&mut session).await?, Some(*town));
        }
        assert_eq!(session[land].towns.loaded(), Some(&towns[..]));
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.get::<Land>("no".to_owned()).await?, None);
        assert_eq!(session.get::<Town>(("no".to_owned(), "Oslo".to_owned())).await?, None);
        let (stored_towns, stored_squares, tongues) = stored(&db).await?;
        assert_eq!(stored_towns, ["nor/Bergen", "nor/Oslo", "se/Malmo"]);
        assert_eq!(stored_squares, ["nor/Square of Bergen", "nor/Square of Oslo"]);
        assert_eq!(tongues, ["nor/1", "nor/2"]);
        assert_settled(&db, &mut session).await?;

        // The same objects, however they are met again.
        let met = Land::select().with(Land::towns.with(Town::squares)).all(&mut session).await?;
        assert!(met.contains(&land));
        let keys = ["Bergen", "Oslo"].map(|name| ("nor".to_owned(), name.to_owned()));
        assert_eq!(session.get_many::<Town>(keys).await?, [Some(towns[0]), Some(towns[1])]);

        // And their rows are found to be changed and deleted.
        session[towns[0]].people = 5;
        session.delete(squares[1]);
        session.delete(towns[1]);
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE towns", "DELETE squares", "DELETE towns"]);
        assert_eq!(session[towns[0]].revision, 2);
        assert_eq!(stored(&db).await?.0, ["nor/Bergen", "se/Malmo"]);
    }

    /// SEMANTICS 2.4, 4.3: a key takes the value over of a row that the same flush deletes: who
    /// refers to it is found by the new key, after both.
    async fn rule_2_4_a_key_that_takes_over_that_of_a_deleted_row(db) {
        norway(&db).await?;
        let mut session = db.session();
        let Norway { land, towns, .. } = load(&mut session).await?;
        let sweden = session.require::<Land>("se".to_owned()).await?;
        let malmo = session.require::<Town>(("se".to_owned(), "Malmo".to_owned())).await?;
        sweden.towns(&mut session).await?;
        malmo.squares(&mut session).await?;
        session.delete(malmo);
        session.delete(sweden);
        session[land].code = "se".into();
        session[towns[0]].people = 7;
        let log = db.log();
        session.commit().await?;
        let emitted = log.emitted();
        let writes: Vec<&str> = emitted.iter().map(String::as_str)
            .filter(|statement| !statement.starts_with("SELECT")).collect();
        assert_eq!(
            writes,
            ["DELETE land_tongues", "DELETE towns", "DELETE lands", "UPDATE lands", "UPDATE towns"],
        );
        assert_eq!((session[towns[0]].people, &*session[towns[0]].land_code), (7, "se"));
        assert_eq!(stored(&db).await?.0, ["se/Bergen", "se/Oslo"]);
        assert_settled(&db, &mut session).await?;
    }

    /// SEMANTICS 2.4, 4.3: association rows that must go before the deletion can't be found by the
    /// key that changes after it: an error before any write, and two flushes do it.
    async fn rule_2_4_what_must_go_before_the_key_changes_cant_be_found(db) {
        norway(&db).await?;
        let mut session = db.session();
        let Norway { land, .. } = load(&mut session).await?;
        let tongue = session[land].tongues.loaded().expect("loaded")[0];
        let empty = session.add(Land::draft().code("fi"));
        session.commit().await?;
        session.delete(empty);
        session[land].code = "fi".into();
        session.remove(land, Land::tongues, tongue);
        let log = db.log();
        let refused = session.flush().await.expect_err("an order").to_string();
        assert!(refused.contains("`land_tongues`"), "{refused}");
        assert!(refused.contains("flush the deletion first"), "{refused}");
        assert!(log.emitted().iter().all(|statement| statement.starts_with("SELECT")));

        session.rollback().await?;
        session.delete(empty);
        session.flush().await?;
        session[land].code = "fi".into();
        session.remove(land, Land::tongues, tongue);
        session.commit().await?;
        assert_eq!(stored(&db).await?.2.len(), 1);
        assert_eq!(stored(&db).await?.0, ["fi/Bergen", "fi/Oslo", "se/Malmo"]);
        assert_settled(&db, &mut session).await?;
    }

    /// SEMANTICS 2.4, 1.3: a rollback restores them.
    async fn rule_2_4_a_rollback_restores_followers(db) {
        norway(&db).await?;
        let mut session = db.session();
        let Norway { land, towns, squares } = load(&mut session).await?;
        session[towns[0]].people = 3;
        session[land].code = "nor".into();
        session.flush().await?;
        session[land].code = "norge".into();
        session.flush().await?;
        assert_eq!(session[squares[0]].land_code.as_deref(), Some("norge"));
        session.rollback().await?;
        let log = db.log();
        assert_eq!(session[land].code, "no");
        for (town, square) in towns.iter().zip(&squares) {
            assert_eq!((session[*town].land_code.as_str(), session[*town].people), ("no", 0));
            assert_eq!(session[*square].land_code.as_deref(), Some("no"));
            let key = ("no".to_owned(), session[*town].name.clone());
            assert_eq!(session.get::<Town>(key).await?, Some(*town));
        }
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.get::<Town>(("nor".to_owned(), "Oslo".to_owned())).await?, None);
        assert_settled(&db, &mut session).await?;
        assert_eq!(stored(&db).await?.0, ["no/Bergen", "no/Oslo", "se/Malmo"]);
        session[land].code = "nor".into();
        session.commit().await?;
        assert_eq!(stored(&db).await?.0, ["nor/Bergen", "nor/Oslo", "se/Malmo"]);
    }

    /// SEMANTICS 2.4: what the database cascades to needs not be in memory.
    async fn rule_2_4_unloaded_children_follow_unread(db) {
        norway(&db).await?;
        let mut session = db.session();
        let land = session.require::<Land>("no".to_owned()).await?;
        // One in the middle is not in memory, one below it is.
        let square = session.require::<Square>(1).await?;
        session[land].code = "nor".into();
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.emitted(), ["UPDATE lands"]);
        let towns = land.towns(&mut session).await?.to_vec();
        assert_eq!(towns.len(), 2);
        assert!(towns.iter().all(|town| session[*town].land_code == "nor"));
        session.refresh(square).await?;
        assert_eq!(session[square].land_code.as_deref(), Some("nor"));
        let town = square.town(&mut session).await?.expect("a town");
        assert!(towns.contains(&town));
        session.commit().await?;
        assert_settled(&db, &mut session).await?;
    }

    /// SEMANTICS 2.4, 4.1: what else happens to its children in the same flush finds them by the
    /// new key: updates, deletes, moves in both directions, new ones, and pairs.
    async fn rule_2_4_other_work_finds_the_new_key(db) {
        norway(&db).await?;
        let mut session = db.session();
        let Norway { land, towns, squares } = load(&mut session).await?;
        let sweden = session.require::<Land>("se".to_owned()).await?;
        let malmo = session.require::<Town>(("se".to_owned(), "Malmo".to_owned())).await?;
        let tongue = session[land].tongues.loaded().expect("loaded")[0];
        session[land].code = "nor".into();
        session[towns[0]].people = 7;
        session.delete(squares[1]);
        session.delete(towns[1]);
        malmo.land(&mut session).set(land);
        session.push(malmo, Town::squares, Square::draft().name("New square"));
        let voss = session.add(Town::draft().name("Voss").land(land));
        session.remove(land, Land::tongues, tongue);
        let new_tongue = session.add(Tongue::draft().name("se"));
        session.push(land, Land::tongues, new_tongue);
        let log = db.log();
        session.commit().await?;
        let emitted = log.emitted();
        let mut of_children = emitted.iter().skip_while(|it| *it != "UPDATE lands").skip(1);
        assert!(of_children.any(|it| it == "UPDATE towns"), "{emitted:?}");
        assert_eq!(session[towns[0]].people, 7);
        assert_eq!((session[malmo].land_code.as_str(), session[voss].land_code.as_str()), ("nor", "nor"));
        assert_eq!(session.state(towns[1]), ObjectState::Detached);
        let (stored_towns, stored_squares, tongues) = stored(&db).await?;
        assert_eq!(stored_towns, ["nor/Bergen", "nor/Malmo", "nor/Voss"]);
        assert_eq!(stored_squares, ["nor/New square", "nor/Square of Bergen"]);
        assert_eq!(tongues, ["nor/2", "nor/3"]);
        assert_eq!(sweden.towns(&mut session).await?, []);
        let key = ("nor".to_owned(), "Malmo".to_owned());
        assert_eq!(session.get::<Town>(key).await?, Some(malmo));
        assert_settled(&db, &mut session).await?;

        // Away from a land whose key changes at the same time.
        session[land].code = "norge".into();
        towns[0].land(&mut session).set(sweden);
        session.commit().await?;
        let (stored_towns, stored_squares, _) = stored(&db).await?;
        assert_eq!(stored_towns, ["norge/Malmo", "norge/Voss", "se/Bergen"]);
        assert_eq!(stored_squares, ["norge/New square", "se/Square of Bergen"]);
        assert_eq!(session[squares[0]].land_code.as_deref(), Some("se"));
        assert_settled(&db, &mut session).await?;
    }

    /// SEMANTICS 2.4: without ON UPDATE CASCADE a row that is referred to keeps its key: an error
    /// before any SQL where memory shows the child, else before anything is written.
    async fn rule_2_4_what_can_t_follow_is_an_error(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        session.add(Country::draft().code("no").name("n").harbours([Harbour::draft().name("Bergen")]));
        session.add(Country::draft().code("ch").name("s"));
        session.commit().await?;
        for in_memory in [true, false] {
            let mut session = db.session();
            let norway = session.require::<Country>("no".to_owned()).await?;
            if in_memory {
                Harbour::select().all(&mut session).await?;
            }
            session[norway].code = "nor".into();
            let log = db.log();
            let refused = session.flush().await.expect_err("a harbour refers to it");
            let said = refused.to_string();
            assert!(matches!(refused, Error::Misuse(_)), "{said}");
            for word in ["`countries.code`", "`harbours.country_code`", "on_update = \"cascade\""] {
                assert!(said.contains(word), "{said}");
            }
            assert_eq!(said.contains("deferrable"), db.capabilities.deferrable, "{said}");
            assert_eq!(log.emitted(), if in_memory { vec![] } else { vec!["SELECT harbours"] });
            // It can be mended: nothing has failed yet.
            session[norway].code = "no".into();
            session[norway].name = "Norway".into();
            session.commit().await?;
            log.emitted();
            // A row to which nothing refers can change, known to be free or not.
            let alps = session.require::<Country>("ch".to_owned()).await?;
            if in_memory {
                alps.harbours(&mut session).await?;
            }
            session[alps].code = "che".into();
            log.emitted();
            session.flush().await?;
            let expected: &[&str] =
                if in_memory { &["UPDATE countries"] } else { &["SELECT harbours", "UPDATE countries"] };
            assert_eq!(log.emitted(), expected);
            session.rollback().await?;
        }
    }

    /// SEMANTICS 2.4: an expression has no value yet by which the identity map could know the row.
    async fn rule_2_4_a_key_is_no_expression(db) {
        db.create(&schema![Seat, Ticket]).await?;
        let mut session = db.session();
        let seat = session.add(Seat::draft().hall(1).number("a"));
        session.commit().await?;
        session.set(seat, Seat::hall, Seat::hall + 1);
        let log = db.log();
        let refused = session.flush().await.expect_err("an expression");
        let words = "`seats.hall` was assigned an SQL expression and is part of the primary key";
        assert!(refused.to_string().contains(words), "{refused}");
        session.rollback().await?;
        session.set(seat, Seat::hall, 2);
        session.commit().await?;
        assert_eq!(session.get::<Seat>((2, "a".to_owned())).await?, Some(seat));
        drop(log);
    }

    /// SEMANTICS 2.4: a deferrable foreign key: the flush gives its children the new key, loaded or
    /// not, and theirs.
    async fn rule_2_4_deferrable_keys_follow_by_the_flush(db) {
        if !db.capabilities.deferrable {
            return Ok(());
        }
        db.create(&schema![Guild, Master, Pupil]).await?;
        for (at, loaded) in [false, true].into_iter().enumerate() {
            let (old, new) = (format!("old{at}"), format!("new{at}"));
            let mut session = db.session();
            let masters = ["Jan", "Piet"].map(|name| {
                Master::draft().name(name).pupils([Pupil::draft().name(format!("of {name}"))])
            });
            session.add(Guild::draft().code(&old).masters(masters));
            session.commit().await?;
            let mut session = db.session();
            let guild = session.require::<Guild>(old.clone()).await?;
            if loaded {
                let query = Guild::select().filter(Guild::code.eq(&old));
                query.with(Guild::masters.with(Master::pupils)).one(&mut session).await?;
            }
            session[guild].code = new.clone();
            let joost = session.add(Master::draft().name("Joost").guild(guild));
            let log = db.log();
            session.flush().await?;
            let mut expected = vec!["UPDATE guilds", "UPDATE masters", "INSERT masters", "UPDATE pupils"];
            if !loaded {
                expected.splice(0..0, ["SELECT masters", "SELECT pupils"]);
            }
            let emitted = log.emitted();
            let mut sorted = (emitted.clone(), expected.clone());
            sorted.0.sort();
            sorted.1.sort();
            assert_eq!(sorted.0, sorted.1, "{emitted:?}");
            assert_eq!(emitted.iter().find(|it| it.starts_with("UPDATE")).map(String::as_str), Some("UPDATE guilds"));
            assert_eq!(session[joost].guild_code, new);
            assert_settled(&db, &mut session).await?;
            session.rollback().await?;
            assert_eq!(session[guild].code, old);
            session[guild].code = new.clone();
            session.commit().await?;
            let masters = guild.masters(&mut session).await?.to_vec();
            assert_eq!(masters.len(), 2);
            for master in masters {
                assert_eq!(session[master].guild_code, new);
                let pupil = master.pupils(&mut session).await?[0];
                assert_eq!(session[pupil].guild_code, new);
            }
            let mut other = db.session();
            let pupils = Pupil::select().filter(Pupil::guild_code.eq(&new));
            assert_eq!(pupils.count(&mut other).await?, 2);
            assert_settled(&db, &mut session).await?;
        }
    }

    /// SEMANTICS 2.4: keys that the application makes, in a base of its own.
    async fn rule_2_4_keys_of_a_base(db) {
        db.create(&schema![Parcel, Sticker]).await?;
        let mut session = db.session();
        let stickers = ["a", "b"].map(|text| Sticker::draft().text(text));
        let parcel = session.add(Parcel::draft().content("books").stickers(stickers));
        session.commit().await?;
        let (old, new) = (session.key(parcel).expect("a key"), Uuid::now_v7());
        let stickers = session[parcel].stickers.loaded().expect("loaded").to_vec();
        session.set(parcel, Parcel::id, new);
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.emitted(), ["UPDATE parcels"]);
        assert_eq!(session.get::<Parcel>(new).await?, Some(parcel));
        assert!(stickers.iter().all(|sticker| session[*sticker].parcel_id == new));
        session.rollback().await?;
        assert_eq!(session.get::<Parcel>(old).await?, Some(parcel));
        assert!(stickers.iter().all(|sticker| session[*sticker].parcel_id == old));
        session.set(parcel, Parcel::id, new);
        session.commit().await?;
        let mut other = db.session();
        let parcel = other.require::<Parcel>(new).await?;
        assert_eq!(parcel.stickers(&mut other).await?.len(), 2);
    }

    /// SEMANTICS 2.4: other actions of the database than following: what they may have changed is
    /// expired.
    async fn rule_2_4_cleared_children_expire(db) {
        db.create(&schema![Land, Town, Square, Tongue, LandTongue, Flag]).await?;
        let mut session = db.session();
        let land = session.add(Land::draft().code("no"));
        let flags = session.add_all([Flag::draft().land(land), Flag::draft()]);
        session.commit().await?;
        assert_eq!(flags[0].land(&mut session).await?, Some(land));
        session[land].code = "nor".into();
        session.flush().await?;
        assert!(matches!(session.try_get(flags[0]), Err(Error::NotLoaded { .. })));
        assert!(session.try_get(flags[1]).is_ok());
        session.refresh(flags[0]).await?;
        assert_eq!(session[flags[0]].land_code, None);
        assert_eq!(flags[0].land(&mut session).await?, None);
        session.rollback().await?;
        session.refresh(flags[0]).await?;
        assert_eq!(session[flags[0]].land_code.as_deref(), Some("no"));
    }

    /// SEMANTICS 2.4: a table that refers to itself follows where the database goes back into the
    /// table, and is an error where it doesn't.
    async fn rule_2_4_tables_that_refer_to_themselves(db) {
        db.create(&schema![Rank]).await?;
        let mut session = db.session();
        let general = session.add(Rank::draft().code("general").below([Rank::draft().code("major")]));
        session.commit().await?;
        let major = session[general].below.loaded().expect("loaded")[0];
        session[general].code = "marshal".into();
        session[major].code = "colonel".into();
        let log = db.log();
        let flushed = session.flush().await;
        if !db.capabilities.cascades_in_circles {
            let refused = flushed.expect_err("InnoDB doesn't cascade into the same table");
            assert!(refused.to_string().contains("`ranks.above_code` refers to it"), "{refused}");
            assert_eq!(log.emitted(), [""; 0]);
            return Ok(());
        }
        flushed?;
        assert_eq!(log.emitted(), ["UPDATE ranks"]);
        assert_eq!(session[major].above_code.as_deref(), Some("marshal"));
        assert_eq!(major.above(&mut session).await?, Some(general));
        assert_settled(&db, &mut session).await?;
        session.commit().await?;
        let stored = db.session().require::<Rank>("colonel".to_owned()).await;
        assert!(stored.is_ok());
        session.refresh(major).await?;
        assert_eq!(session[major].above_code.as_deref(), Some("marshal"));
    }

    /// SEMANTICS 6.7: a key column that is a foreign key can't be blanked.
    async fn rule_6_7_a_key_that_is_a_foreign_key_cant_be_blanked(db) {
        norway(&db).await?;
        let mut session = db.session();
        let Norway { land, towns, .. } = load(&mut session).await?;
        let log = db.log();
        session.remove(land, Land::towns, towns[0]);
        let refused = session.flush().await.expect_err("no key");
        assert!(refused.to_string().contains("`towns.land_code` is part of the primary key"), "{refused}");
        session.push(land, Land::towns, towns[0]);
        session.flush().await?;
        session.delete(land);
        let refused = session.flush().await.expect_err("no key");
        assert!(refused.to_string().contains("towns.land_code"), "{refused}");
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 6.7, 2.4: moving such a child to another parent gives it another key, in one
    /// UPDATE, and those follow that refer to it.
    async fn rule_6_7_moving_a_child_changes_its_key(db) {
        norway(&db).await?;
        let mut session = db.session();
        let Norway { towns, squares, .. } = load(&mut session).await?;
        let sweden = session.require::<Land>("se".to_owned()).await?;
        towns[0].land(&mut session).set(sweden);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE towns"]);
        assert_eq!(session[squares[0]].land_code.as_deref(), Some("se"));
        let key = ("se".to_owned(), "Bergen".to_owned());
        assert_eq!(session.get::<Town>(key).await?, Some(towns[0]));
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(stored(&db).await?.1, ["no/Square of Oslo", "se/Square of Bergen"]);

        // To a parent that is new in the same flush, and back by hand.
        let finland = session.add(Land::draft().code("fi"));
        towns[0].land(&mut session).set(finland);
        session.commit().await?;
        assert_eq!(session[squares[0]].land_code.as_deref(), Some("fi"));
        session[towns[0]].land_code = "no".into();
        session.commit().await?;
        assert_eq!(session[squares[0]].land_code.as_deref(), Some("no"));
        assert_eq!(stored(&db).await?.0, ["no/Bergen", "no/Oslo", "se/Malmo"]);
        assert_settled(&db, &mut session).await?;
    }

    /// SEMANTICS 6.7, 2.4: a one-to-one whose key is its owner's: what refers to it must be able
    /// to follow.
    async fn rule_6_7_a_one_to_one_by_its_key(db) {
        db.create(&schema![Person, Passport, Visa]).await?;
        let mut session = db.session();
        let ada = session.add(Person::draft().name("Ada").passport(Passport::draft().number("1")));
        let bob = session.add(Person::draft().name("Bob"));
        session.commit().await?;
        let passport = session[ada].passport.loaded().flatten().expect("loaded");
        passport.person(&mut session).set(bob);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted().last().map(String::as_str),
            Some("UPDATE passports"),
        );
        assert_eq!(session[passport].person_id, session[bob].id());
        let visa = session.add(Visa::draft().country("no").passport(passport));
        session.commit().await?;
        passport.person(&mut session).set(ada);
        let refused = session.flush().await.expect_err("a visa refers to it");
        assert!(refused.to_string().contains("`visas.passport_id` refers to it"), "{refused}");
        session.delete(visa);
        session.rollback().await?;
        assert_eq!(session[passport].person_id, session[bob].id());
    }
}
