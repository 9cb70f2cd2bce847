//! A row that is deleted and added again is updated: SEMANTICS 4.7.

use orm_core::{Error, Handle, Result, Schema, Session, schema};
use orm_tests::{Database, backend_tests};

use crate::models::{Flag, Land, LandTongue, Passport, Person, Square, Tongue, Town, Visa};
use crate::unique_models::{Crop, Field, Locker, Plot, PlotCrop, Shed, Stone, Tree};

fn plots() -> Schema {
    schema![Plot, Tree, Shed, Crop, PlotCrop]
}

/// A plot of which every column was given.
async fn plot(session: &mut Session) -> Result<Handle<Plot>> {
    let plot =
        session.add(Plot::draft().number(1).owner("Ada").note("sunny").fence(9).cover("clover"));
    session.commit().await?;
    Ok(plot)
}

/// The one plot, as another session reads it: owner, note, fence, cover, revision.
async fn stored(db: &Database) -> Result<(String, Option<String>, i64, String, i64)> {
    let mut session = db.session();
    let plot = Plot::select().one(&mut session).await?;
    Ok(remembered(&session, plot))
}

/// The same, of a plot in memory.
fn remembered(session: &Session, plot: Handle<Plot>) -> (String, Option<String>, i64, String, i64) {
    let plot = &session[plot];
    (plot.owner.clone(), plot.note.clone(), plot.fence, plot.cover.clone(), plot.revision)
}

backend_tests! {
    /// SEMANTICS 4.7: one UPDATE, which matches the old version and sets the next. Unset columns
    /// take their application default, else keep the row's value, which memory learns.
    async fn rule_4_7_a_row_that_is_deleted_and_added_again_is_updated(db) {
        db.create(&plots()).await?;
        let mut session = db.session();
        let old = plot(&mut session).await?;
        old.trees(&mut session).await?;
        old.sheds(&mut session).await?;
        session.delete(old);
        let new = session.add(Plot::draft().number(1).owner("Bob"));
        let log = db.log();
        session.flush().await?;
        // Association rows go with the deleted object.
        assert_eq!(log.emitted(), ["UPDATE plots", "DELETE plot_crops"]);
        let expected = ("Bob".to_owned(), Some("sunny".to_owned()), 3, "clover".to_owned(), 2);
        assert_eq!(remembered(&session, new), expected);
        assert!(session.try_get(old).is_err());
        assert_eq!(session.get::<Plot>(1).await?, Some(new));
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
        session.commit().await?;
        assert_eq!(stored(&db).await?, expected);
        assert!(session.try_get(old).is_err());

        // The new object is a row like any other.
        session[new].owner = "Eve".into();
        session.commit().await?;
        assert_eq!(stored(&db).await?.0, "Eve");
        session.delete(new);
        session.commit().await?;
        assert_eq!(Plot::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.7: what is given is set, NULL too.
    async fn rule_4_7_what_is_given_is_set(db) {
        db.create(&plots()).await?;
        let mut session = db.session();
        let old = plot(&mut session).await?;
        session.delete(old);
        session.add(
            Plot::draft().number(1).owner("Bob").note(None::<String>).fence(1).cover("moss"),
        );
        session.commit().await?;
        assert_eq!(stored(&db).await?, ("Bob".to_owned(), None, 1, "moss".to_owned(), 2));
    }

    /// SEMANTICS 4.7: a reference that has no inverse leads to the new object, and to the old one
    /// again after a rollback.
    async fn rule_4_7_references_without_an_inverse_follow_the_row(db) {
        db.create(&schema![Land, Town, Square, Tongue, LandTongue, Flag]).await?;
        let mut session = db.session();
        let old = session.add(Land::draft().code("se"));
        let flag = session.add(Flag::draft().land(old));
        let blank = session.add(Flag::draft());
        session.commit().await?;
        assert_eq!(flag.land(&mut session).await?, Some(old));
        assert_eq!(blank.land(&mut session).await?, None);
        session.delete(old);
        let new = session.add(Land::draft().code("se"));
        session.flush().await?;
        assert_eq!(flag.land(&mut session).await?, Some(new));
        assert_eq!(blank.land(&mut session).await?, None);
        session.rollback().await?;
        assert_eq!(flag.land(&mut session).await?, Some(old));

        session.delete(old);
        let new = session.add(Land::draft().code("se"));
        session.commit().await?;
        let log = db.log();
        assert_eq!(flag.land(&mut session).await?, Some(new));
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0], "the new object is known");
    }

    /// SEMANTICS 4.7 and 1.3: a rollback restores the one and detaches the other.
    async fn rule_4_7_a_rollback_restores_the_deleted_object(db) {
        db.create(&plots()).await?;
        let mut session = db.session();
        let old = plot(&mut session).await?;
        let before = remembered(&session, old);
        session.delete(old);
        let new = session.add(Plot::draft().number(1).owner("Bob"));
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(remembered(&session, old), before);
        assert!(session.try_get(new).is_err());
        assert_eq!(session.get::<Plot>(1).await?, Some(old));
        assert_eq!(stored(&db).await?, before);
        session[old].owner = "Eve".into();
        session.commit().await?;
        assert_eq!(stored(&db).await?.0, "Eve");
    }

    /// SEMANTICS 4.7: children that move from the one to the other keep their key: no SQL. Those
    /// that stay follow the cascade of the delete.
    async fn rule_4_7_children_move_over_or_follow_the_cascade(db) {
        db.create(&plots()).await?;
        let mut session = db.session();
        let old = plot(&mut session).await?;
        let [oak, elm] = ["oak", "elm"].map(|name| session.add(Tree::draft().name(name).plot(old)));
        let [tools, hay] =
            ["tools", "hay"].map(|name| session.add(Shed::draft().name(name).plot(old)));
        session.commit().await?;
        old.trees(&mut session).await?;
        old.sheds(&mut session).await?;
        let new = session.add(Plot::draft().number(1).owner("Bob"));
        oak.plot(&mut session).set(new);
        tools.plot(&mut session).set(new);
        session.delete(old);
        let log = db.log();
        session.commit().await?;
        let mut emitted = log.emitted();
        emitted.sort();
        assert_eq!(
            emitted,
            ["DELETE plot_crops", "DELETE sheds", "UPDATE plots", "UPDATE trees"]
        );
        assert_eq!(session[oak].plot_number, Some(1));
        assert_eq!(session[elm].plot_number, None);
        assert_eq!(session[tools].plot_number, 1);
        assert!(session.try_get(hay).is_err());
        let mut other = db.session();
        let plot = Plot::select().one(&mut other).await?;
        let names: Vec<String> =
            plot.trees(&mut other).await?.into_iter().map(|tree| other[tree].name.clone()).collect();
        assert_eq!(names, ["oak"]);
        assert_eq!(plot.sheds(&mut other).await?.len(), 1);
        log.emitted();
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 4.7 and 4.6: the pairs of the one go, those of the other come.
    async fn rule_4_7_pairs_are_those_of_the_new_object(db) {
        db.create(&plots()).await?;
        let mut session = db.session();
        let old = plot(&mut session).await?;
        let [rye, oats] = ["rye", "oats"].map(|name| session.add(Crop::draft().name(name)));
        old.crops(&mut session).push(rye);
        session.commit().await?;
        session.delete(old);
        let new = session.add(Plot::draft().number(1).owner("Bob"));
        new.crops(&mut session).push(oats);
        new.crops(&mut session).push(rye);
        session.commit().await?;
        let mut other = db.session();
        let plot = Plot::select().one(&mut other).await?;
        let mut names: Vec<String> =
            plot.crops(&mut other).await?.into_iter().map(|crop| other[crop].name.clone()).collect();
        names.sort();
        assert_eq!(names, ["oats", "rye"]);
    }

    /// SEMANTICS 4.7: the key may come from a relationship: a passport is replaced by another of
    /// the same person.
    async fn rule_4_7_a_key_that_a_link_gives(db) {
        db.create(&schema![Person, Passport, Visa]).await?;
        let mut session = db.session();
        let ada = session.add(Person::draft().name("Ada"));
        let old = session.add(Passport::draft().number("A1").person(ada));
        session.commit().await?;
        session.delete(old);
        let new = session.add(Passport::draft().number("A2").person(ada));
        let log = db.log();
        session.commit().await?;
        let emitted = log.emitted();
        assert_eq!(emitted.last().map(String::as_str), Some("UPDATE passports"));
        assert_eq!(session[new].person_id, session[ada].id());
        let mut other = db.session();
        let passport = Passport::select().one(&mut other).await?;
        assert_eq!(other[passport].number, "A2");
    }

    /// SEMANTICS 4.7: a row that is nothing but its key.
    async fn rule_4_7_a_row_that_is_nothing_but_its_key(db) {
        db.create(&plots()).await?;
        let mut session = db.session();
        plot(&mut session).await?;
        session.add(Crop::draft().name("rye"));
        let old = session.add(PlotCrop::draft().plot_number(1).crop_name("rye"));
        session.commit().await?;
        session.delete(old);
        let new = session.add(PlotCrop::draft().plot_number(1).crop_name("rye"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE plot_crops"]);
        assert!(session.try_get(old).is_err());
        assert_eq!(session[new].crop_name, "rye");
        assert_eq!(PlotCrop::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 4.7 and 6.4: who changed the row meanwhile is noticed, and the rollback expires
    /// the object that is known to be it.
    async fn rule_4_7_the_old_version_is_matched(db) {
        db.create(&plots()).await?;
        let mut session = db.session();
        let old = plot(&mut session).await?;
        let mut other = db.session();
        let theirs = Plot::select().one(&mut other).await?;
        other[theirs].owner = "Eve".into();
        other.commit().await?;
        session.delete(old);
        session.add(Plot::draft().number(1).owner("Bob"));
        let error = session.commit().await.unwrap_err();
        let Error::StaleData(stale) = &error else { panic!("{error}") };
        assert_eq!(stale.objects, [format!("{old:?}")]);
        session.rollback().await?;
        session.refresh(old).await?;
        assert_eq!(session[old].owner, "Eve");
        // Another try succeeds.
        session.delete(old);
        session.add(Plot::draft().number(1).owner("Bob"));
        session.commit().await?;
        assert_eq!(stored(&db).await?.0, "Bob");
    }

    /// SEMANTICS 4.7: generated keys are never the same: nothing is switched.
    async fn rule_4_7_generated_keys_switch_nothing(db) {
        db.create(&schema![Locker]).await?;
        let mut session = db.session();
        let old = session.add(Locker::draft().label("a").content("old"));
        session.commit().await?;
        session.delete(old);
        session.add(Locker::draft().label("a").content("new"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE lockers", "INSERT lockers"]);
    }

    /// SEMANTICS 4.7 and 7.8: children that are left to ON DELETE need a DELETE: the row is not
    /// switched, and goes before the one that takes its key.
    async fn rule_4_7_a_row_whose_children_the_database_deletes_is_deleted(db) {
        db.create(&schema![Field, Stone]).await?;
        let mut session = db.session();
        let field = session.add(Field::draft().number(1));
        session.add(Stone::draft().field(field));
        session.commit().await?;
        let mut session = db.session();
        let old = session.require::<Field>(1).await?;
        session.delete(old);
        session.add(Field::draft().number(1));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE fields", "INSERT fields"]);
        assert_eq!(Stone::select().count(&mut session).await?, 0);
        assert_eq!(Field::select().count(&mut session).await?, 1);
    }
}
