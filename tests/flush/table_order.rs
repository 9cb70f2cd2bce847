//! Tables in the order that their keys demand: SEMANTICS 4.1, 4.2.

use orm_core::{Result, Session, schema};
use orm_tests::backend_tests;

use crate::models::{Article, Comment, Country, Harbour, Label, Part, Region, Setting, Street};
use crate::models::{ArticleLabel, City, Picture, Vote};

backend_tests! {
    /// SEMANTICS 4.1: keys set by hand, nothing linked in memory, the child added first.
    async fn rule_4_1_unlinked_parents_are_inserted_first(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        session.add(Harbour::draft().name("Bergen").country_code("no"));
        session.add(Country::draft().code("no").name("Norway"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT countries", "INSERT harbours"]);
    }

    /// SEMANTICS 4.1: the same for deletes, whatever the order of `delete`.
    async fn rule_4_1_unlinked_children_are_deleted_first(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let norway = session.add(Country::draft().code("no").name("Norway"));
        let bergen = session.add(Harbour::draft().name("Bergen").country_code("no"));
        session.commit().await?;
        session.delete(norway);
        session.delete(bergen);
        // Nothing tells the session that it knows all harbours: it reads them (7.3).
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["SELECT harbours", "DELETE harbours", "DELETE countries"]
        );
        assert_eq!(Country::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.3: a parent is updated before rows that lead to it are written, whatever was
    /// touched first. Writing them locks the parent: two transactions that did so could never update
    /// it.
    async fn rule_4_3_parents_are_updated_before_their_children_are_written(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let country = session.add(Country::draft().code("NO").name("Norway"));
        session.commit().await?;
        let log = db.log();
        session.add(Harbour::draft().name("Bergen").country(country));
        session[country].name = "Norge".to_owned();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE countries", "INSERT harbours"]);
    }

    /// SEMANTICS 4.1: streets refer to regions over cities, which take no part. The database's
    /// ON DELETE would take the city along and stumble over a street that is still there.
    async fn rule_4_1_a_table_that_takes_no_part_orders_the_others(db) {
        db.create(&schema![Region, City, Street]).await?;
        let mut session = db.session();
        let region = session.add(Region::draft().name("Hordaland"));
        session.flush().await?;
        let region_id = session[region].id();
        let city = session.add(City::draft().name("Bergen").region_id(region_id));
        session.flush().await?;
        let city_id = session[city].id();
        session.commit().await?;

        let mut session = db.session();
        let log = db.log();
        session.add(Street::draft().name("Bryggen").city_id(city_id));
        session.add(Region::draft().name("Rogaland"));
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT regions", "INSERT streets"]);

        let region = session.require::<Region>(region_id).await?;
        let street = Street::select().one(&mut session).await?;
        log.emitted();
        session.delete(region);
        session.delete(street);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE streets", "DELETE regions"]);
        assert_eq!(City::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.1: within one table, too, where the keys are made by people. The shapes differ,
    /// so that one statement can't hide the order.
    async fn rule_4_1_unlinked_rows_of_one_table_follow_their_keys(db) {
        db.create(&schema![Part]).await?;
        let mut session = db.session();
        session.add(Part::draft().code("spoke").whole_code("wheel").weight(3));
        session.add(Part::draft().code("wheel").whole_code("car"));
        session.add(Part::draft().code("car").weight(900));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT parts", "INSERT parts", "INSERT parts"]);
        assert_eq!(Part::select().count(&mut session).await?, 3);
    }

    /// SEMANTICS 4.1: an UPDATE waits for the INSERT of the row that its new key names, although
    /// updates of a table otherwise come first (4.3).
    async fn rule_4_1_an_unlinked_update_waits_for_the_insert_that_it_names(db) {
        db.create(&schema![Part]).await?;
        let mut session = db.session();
        let wheel = session.add(Part::draft().code("wheel"));
        session.commit().await?;
        session[wheel].whole_code = Some("car".into());
        session.add(Part::draft().code("car"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT parts", "UPDATE parts"]);
    }

    /// SEMANTICS 4.1: a child that moves away does so before its parent is deleted.
    async fn rule_4_1_moves_come_before_the_delete_of_the_old_parent(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let norway = session.add(Country::draft().code("no").name("Norway"));
        let bergen = session.add(Harbour::draft().name("Bergen").country(norway));
        session.commit().await?;
        let sweden = session.add(Country::draft().code("se").name("Sweden"));
        bergen.country(&mut session).set(sweden);
        session.delete(norway);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["INSERT countries", "UPDATE harbours", "DELETE countries"]
        );
        assert_eq!(session[bergen].country_code, "se");
    }

    /// SEMANTICS 4.2: one statement per shape, shapes by their first object, in `add` order.
    async fn rule_4_2_shapes_by_their_first_object_and_rows_in_add_order(db) {
        db.create(&schema![Setting]).await?;
        let mut session = db.session();
        let mut added = Vec::new();
        for at in 0..6 {
            let name = format!("s{at}");
            let draft = Setting::draft().name(&name);
            added.push(match at % 2 {
                0 => session.add(draft.by_server(at)),
                _ => session.add(draft),
            });
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT settings", "INSERT settings"]);
        // Keys increase within a shape in `add` order; the shape added first comes first.
        let ids: Vec<i64> = added.iter().map(|handle| session[*handle].id()).collect();
        assert_eq!(ids, [1, 4, 2, 5, 3, 6]);
        for (at, handle) in added.iter().enumerate() {
            let expected = if at % 2 == 0 { at as i64 } else { 20 };
            assert_eq!(session[*handle].by_server, expected);
        }
    }

    /// SEMANTICS 4.2: children come in the order of their collection.
    async fn rule_4_2_children_in_collection_order(db) {
        db.create(&schema![Article, Label, ArticleLabel, Comment, Vote, Picture]).await?;
        let mut session = db.session();
        let article = session.add(
            Article::draft()
                .title("On order")
                .comments(["a", "b"].map(|text| Comment::draft().text(text))),
        );
        article.comments(&mut session).push(Comment::draft().text("c"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT articles", "INSERT comments"]);
        assert_eq!(texts_by_id(&mut session).await?, ["a", "b", "c"]);
    }

    /// SEMANTICS 4.2: updates and deletes in key order, however they were touched.
    async fn rule_4_2_updates_and_deletes_in_key_order(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let codes = ["c", "a", "d", "b"];
        let countries = codes.map(|code| session.add(Country::draft().code(code).name("?")));
        session.commit().await?;
        // Rows that differ in their columns can't go in one statement: by the first key.
        session[countries[0]].name = "C".into();
        session[countries[2]].name = "D".into();
        session[countries[1]].name = "A".into();
        let plan = session.plan()?;
        assert_eq!(plan.steps().len(), 1);
        assert_eq!(plan.steps()[0].rows, 3);
        session.commit().await?;
        for (country, name) in countries.iter().zip(["C", "A", "D", "?"]) {
            assert_eq!(session[*country].name, name);
        }
    }

    /// Same input, same statements: nothing in a plan hangs on the order of a hash map.
    async fn rule_4_2_the_same_input_gives_the_same_statements(db) {
        db.create(&schema![Article, Label, ArticleLabel, Comment, Vote, Picture]).await?;
        let mut runs = Vec::new();
        for run in 0..4 {
            let log = db.log();
            let mut session = db.session();
            let labels = ["x", "y", "z"]
                .map(|name| session.add(Label::draft().name(format!("{name}{run}"))));
            for title in 0..8 {
                let article = session.add(Article::draft().title(format!("t{title}")));
                for &label in labels.iter().cycle().skip(title % 3).take(2) {
                    article.labels(&mut session).push(label);
                }
                article.pictures(&mut session).push(Picture::draft().file("f"));
                article
                    .comments(&mut session)
                    .push(Comment::draft().text("c").votes([Vote::draft()]));
            }
            let planned = session.plan()?.to_string();
            session.commit().await?;
            runs.push((planned, log.texts()));
        }
        for run in &runs[1..] {
            assert_eq!(*run, runs[0]);
        }
    }
}

async fn texts_by_id(session: &mut Session) -> Result<Vec<String>> {
    let comments = Comment::select().order_by(Comment::id.asc()).all(session).await?;
    Ok(comments.into_iter().map(|comment| session[comment].text.clone()).collect())
}
