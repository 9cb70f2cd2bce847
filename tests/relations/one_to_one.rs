//! One-to-one relationships, with a nullable and with a required key.

use orm_core::Error;
use orm_core::session::ObjectState;
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// SEMANTICS 8.5
    async fn rule_8_5_a_new_value_nulls_the_old_one(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(
            Country::draft().name("France").capital(Capital::draft().name("Versailles")),
        );
        let paris = session.add(Capital::draft().name("Paris"));
        session.commit().await?;
        let versailles = france.capital(&mut session).await?.expect("it has a capital");
        france.capital(&mut session).set(paris);
        assert_eq!(session[versailles].country.loaded(), Some(None));
        assert_eq!(session[paris].country.loaded(), Some(Some(france)));
        assert_eq!(session[france].capital.loaded(), Some(Some(paris)));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE capitals"], "both rows in one statement");
        assert_eq!(session[versailles].country_id, None);
        assert_eq!(session[paris].country_id, Some(session[france].id()));
    }

    /// SEMANTICS 8.5: from the side that has the key, the former value is let go as well.
    async fn rule_8_5_both_sides_agree_from_either_side(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(
            Country::draft().name("France").capital(Capital::draft().name("Versailles")),
        );
        let paris = session.add(Capital::draft().name("Paris"));
        session.commit().await?;
        let versailles = session[france].capital.loaded().flatten().expect("loaded");
        paris.country(&mut session).set(france);
        assert_eq!(session[france].capital.loaded(), Some(Some(paris)));
        assert_eq!(session[versailles].country.loaded(), Some(None));
        paris.country(&mut session).clear();
        assert_eq!(session[france].capital.loaded(), Some(None));
        session.commit().await?;
        assert_eq!(session[versailles].country_id, None);
        assert_eq!(session[paris].country_id, None);
    }

    /// SEMANTICS 8.5: who was there before is read by the flush where it is not loaded.
    async fn rule_8_5_an_unloaded_former_value_is_let_go(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        session.add(Country::draft().name("France").capital(Capital::draft().name("Versailles")));
        session.add(Capital::draft().name("Paris"));
        session.commit().await?;
        let mut session = db.session();
        let france = session.require::<Country>(1).await?;
        let paris = session.require::<Capital>(2).await?;
        let log = db.log();
        france.capital(&mut session).set(paris);
        assert!(log.emitted().is_empty());
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT capitals", "UPDATE capitals"]);
        let versailles = session.require::<Capital>(1).await?;
        assert_eq!(session[versailles].country_id, None);
        assert_eq!(session[versailles].country.loaded(), Some(None));
    }

    /// SEMANTICS 8.5, 8.2: the former value has left the session; a load that doesn't flush shows the
    /// new one all the same.
    async fn rule_8_5_a_load_before_the_flush_shows_the_new_value(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(
            Country::draft().name("France").capital(Capital::draft().name("Versailles")),
        );
        session.commit().await?;
        session.autoflush(false);
        let versailles = france.capital(&mut session).await?.expect("it has a capital");
        let paris = session.add(Capital::draft().name("Paris"));
        france.capital(&mut session).set(paris);
        session.expunge(versailles);
        assert_eq!(session[france].capital.loaded(), None);
        assert_eq!(france.capital(&mut session).await?, Some(paris));
        session.commit().await?;
        let mut other = db.session();
        let france = other.require::<Country>(1).await?;
        let capital = france.capital(&mut other).await?.expect("it has a capital");
        assert_eq!(other[capital].name, "Paris");
        let left = Capital::select().filter(Capital::country_id.is_null()).one(&mut other).await?;
        assert_eq!(other[left].name, "Versailles");
    }

    /// SEMANTICS 8.5: clearing it where it is not loaded reads it once.
    async fn rule_8_5_an_unloaded_value_can_be_cleared(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        session.add(Country::draft().name("France").capital(Capital::draft().name("Paris")));
        session.commit().await?;
        let mut session = db.session();
        let france = session.require::<Country>(1).await?;
        france.capital(&mut session).clear();
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT capitals", "UPDATE capitals"]);
        assert_eq!(session[france].capital.loaded(), Some(None));
        assert_eq!(Capital::select().filter(Capital::country_id.is_null()).count(&mut session).await?, 1);
    }

    /// SEMANTICS 8.5: with delete-orphan the former value is deleted.
    async fn rule_8_5_an_orphan_is_deleted(db) {
        db.create(&person_tables()).await?;
        let mut session = db.session();
        let ada = session.add(
            Person::draft().name("Ada").passport(Passport::draft().number("1")),
        );
        session.commit().await?;
        let old = ada.passport(&mut session).await?.expect("she has one");
        ada.passport(&mut session).set(Passport::draft().number("2"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT passports", "DELETE passports"]);
        assert_eq!(session.state(old), ObjectState::Detached);
        let new = session[ada].passport.loaded().flatten().expect("she has a new one");
        assert_eq!(session[new].number, "2");
        ada.passport(&mut session).clear();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE passports"]);
        assert_eq!(session[ada].passport.loaded(), Some(None));
    }

    /// SEMANTICS 8.5: a value that moves takes its place in one UPDATE of each row.
    async fn rule_8_5_a_value_moves_to_another_owner(db) {
        db.create(&person_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Person::draft().name("Ada").passport(Passport::draft().number("1")));
        let bob = session.add(Person::draft().name("Bob"));
        session.commit().await?;
        let passport = ada.passport(&mut session).await?.expect("she has one");
        bob.passport(&mut session).set(passport);
        assert_eq!(session[ada].passport.loaded(), Some(None));
        assert_eq!(session[passport].person.loaded(), Some(Some(bob)));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE passports"]);
        assert_eq!(session[passport].person_id, session[bob].id());
    }

    /// SEMANTICS 8.5: swapping two values is one UPDATE of two rows.
    async fn rule_8_5_two_owners_swap_their_values(db) {
        db.create(&person_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Person::draft().name("Ada").passport(Passport::draft().number("1")));
        let bob = session.add(Person::draft().name("Bob").passport(Passport::draft().number("2")));
        session.commit().await?;
        let one = session[ada].passport.loaded().flatten().expect("loaded");
        let two = session[bob].passport.loaded().flatten().expect("loaded");
        session.set_one(ada, Person::passport, two);
        session.set_one(bob, Person::passport, one);
        assert_eq!(session[ada].passport.loaded(), Some(Some(two)));
        assert_eq!(session[bob].passport.loaded(), Some(Some(one)));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE passports"]);
        assert_eq!(session[one].person_id, session[bob].id());
        assert_eq!(session[two].person_id, session[ada].id());
    }

    /// SEMANTICS 7.3: a required key can't be emptied.
    async fn rule_7_3_a_required_key_cannot_be_cleared(db) {
        db.create(&club_tables()).await?;
        let mut session = db.session();
        let club = session.add(Club::draft().name("Chess").members([Member::draft().name("Ada")]));
        session.commit().await?;
        let ada = session[club].members.loaded().expect("loaded")[0];
        club.members(&mut session).remove(ada);
        let log = db.log();
        let refused = session.flush().await;
        assert!(matches!(refused, Err(Error::MissingForeignKey { .. })), "{refused:?}");
        assert!(log.emitted().is_empty());
    }

    /// SEMANTICS 8.5, 10.1: a former value whose edit is discarded is let go all the same, as
    /// long as its successor stays.
    async fn rule_8_5_a_discarded_edit_leaves_one_value(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(
            Country::draft().name("France").capital(Capital::draft().name("Versailles")),
        );
        let paris = session.add(Capital::draft().name("Paris"));
        session.commit().await?;
        let versailles = france.capital(&mut session).await?.expect("it has a capital");
        france.capital(&mut session).set(paris);
        session.expire(versailles);
        session.expire(france);
        session.commit().await?;
        session.refresh(france).await?;
        session.refresh(versailles).await?;
        assert_eq!(session[versailles].country_id, None);
        assert_eq!(france.capital(&mut session).await?, Some(paris));
    }

    /// SEMANTICS 8.5: who was promised to an owner whose value is not loaded is let go by the next
    /// one, also if a flush was refused in between.
    async fn rule_8_5_a_refused_flush_keeps_one_value(db) {
        db.create(&country_tables()).await?;
        db.create(&person_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().name("France"));
        let paris = session.add(Capital::draft().name("Paris"));
        session.flush().await?;
        let nobodys = session.add(Passport::draft().number("1"));
        let versailles = session.add(Capital::draft().name("Versailles"));
        france.capital(&mut session).set(versailles);
        session.expire(france);
        let refused = session.flush().await;
        assert!(matches!(refused, Err(Error::MissingForeignKey { .. })), "{refused:?}");
        session.expunge(nobodys);
        paris.country(&mut session).set(france);
        assert_eq!(session[versailles].country.loaded(), Some(None));
        session.commit().await?;
        assert_eq!(session[versailles].country_id, None);
        session.refresh(france).await?;
        assert_eq!(france.capital(&mut session).await?, Some(paris));
    }
}
