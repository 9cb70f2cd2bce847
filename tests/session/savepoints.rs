//! Savepoints: what ends with them, in the database and in memory, and what stays.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Model, Result, Session};
use orm_tests::{Database, backend_tests};

use super::models::*;

/// How SAVEPOINT, RELEASE and ROLLBACK TO of a number read in the log.
fn words(verb: &str, number: usize) -> String {
    format!("{verb} SAVEPOINT orm_{number}")
}

fn set(number: usize) -> String {
    format!("SAVEPOINT orm_{number}")
}

fn release(number: usize) -> String {
    words("RELEASE", number)
}

fn back_to(number: usize) -> String {
    words("ROLLBACK TO", number)
}

#[track_caller]
fn is_expired<M: Model>(session: &Session, handle: Handle<M>) -> bool {
    matches!(session.try_get(handle), Err(Error::NotLoaded { field: "*", .. }))
}

/// A second flush has nothing to do, and the session can be committed.
async fn settled(session: &mut Session, db: &Database) -> Result<()> {
    let log = db.log();
    session.flush().await?;
    assert_eq!(log.emitted(), [""; 0], "a flush has nothing to do");
    session.commit().await
}

backend_tests! {
    /// SEMANTICS 9.3, 3.1
    async fn rule_9_3_a_savepoint_flushes_and_begins(db) {
        db.create(&user_tables()).await?;
        let mut session = db.session();
        session.autoflush(false);
        let log = db.log();
        let ada = session.add(user("ada"));
        let mut savepoint = session.savepoint().await?;
        assert_eq!(log.all(), ["BEGIN".into(), "INSERT users".into(), set(1)]);
        savepoint[ada].visits = 3;
        savepoint.commit().await?;
        assert_eq!(log.all(), ["UPDATE users".into(), release(1)]);
        session.commit().await?;
        assert_eq!(log.all(), ["COMMIT"]);
        assert_eq!(usernames(&db).await?, ["ada"]);
        assert_eq!(session[ada].visits, 3);

        // Without anything to be flushed it begins, too.
        session.savepoint().await?.rollback().await?;
        assert_eq!(log.all()[1..], ["BEGIN".into(), set(1), back_to(1), release(1)]);
        settled(&mut session, &db).await?;
    }

    /// SEMANTICS 9.3, 1.3: what was written, and what was not flushed yet.
    async fn rule_9_3_a_rollback_restores_what_changed_inside(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        session[ada].visits = 1;
        let mut savepoint = session.savepoint().await?;
        savepoint[ada].visits = 2;
        savepoint[bob].visits = 2;
        let eve = savepoint.add(user("eve"));
        savepoint.flush().await?;
        savepoint[bob].nickname = Some("b".into());
        let zoe = savepoint.add(user("zoe"));
        let log = db.log();
        savepoint.rollback().await?;
        assert_eq!(log.all(), [back_to(1), release(1)]);
        assert_eq!((session[ada].visits, session[bob].visits), (1, 0));
        assert_eq!(session[bob].nickname, None);
        for (handle, name) in [(eve, "eve"), (zoe, "zoe")] {
            assert_eq!(session.state(handle), ObjectState::Detached);
            assert_eq!(session.take(handle)?.into_inner().username, name);
        }
        settled(&mut session, &db).await?;
        let mut other = db.session();
        assert_eq!(usernames_in(&mut other).await?, ["ada", "bob"]);
        let ada = other.require::<User>(1).await?;
        assert_eq!(other[ada].visits, 1, "what was edited before is a row already");
    }

    /// SEMANTICS 9.3
    async fn rule_9_3_deleted_objects_return_under_their_handles(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let posts = ada.posts(&mut session).await?;
        session.delete(bob);
        let mut savepoint = session.savepoint().await?;
        assert_eq!(savepoint.state(bob), ObjectState::Deleted);
        savepoint.delete(ada);
        savepoint.flush().await?;
        assert_eq!(savepoint.state(posts[1]), ObjectState::Deleted);
        savepoint.rollback().await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        assert_eq!(session[posts[1]].title, "Second of ada");
        assert_eq!(session[ada].posts.loaded(), Some(&posts[..]));
        assert_eq!(session.state(bob), ObjectState::Deleted, "that was before");
        let log = db.log();
        assert_eq!(session.get::<User>(1).await?, Some(ada), "and in the identity map");
        assert_eq!(log.emitted(), [""; 0]);
        settled(&mut session, &db).await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 9.3: what was undone can be done again.
    async fn rule_9_3_a_part_can_be_tried_again(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        for _ in 0..2 {
            let mut savepoint = session.savepoint().await?;
            savepoint.delete(ada);
            savepoint.add(user("bob"));
            savepoint.flush().await?;
            savepoint.rollback().await?;
        }
        session.delete(ada);
        session.add(user("bob"));
        session.commit().await?;
        assert_eq!(session.state(ada), ObjectState::Detached);
        assert_eq!(usernames(&db).await?, ["bob"]);
        settled(&mut session, &db).await?;
    }

    /// SEMANTICS 9.3: to any depth.
    async fn rule_9_3_savepoints_nest(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let log = db.log();
        {
            let mut first = session.savepoint().await?;
            first[ada].visits = 1;
            {
                let mut second = first.savepoint().await?;
                second[ada].visits = 2;
                second.add(user("bob"));
                {
                    let mut third = second.savepoint().await?;
                    third[ada].visits = 3;
                    third.add(user("eve"));
                    third.commit().await?;
                }
                assert_eq!(second[ada].visits, 3);
                assert_eq!(usernames_in(&mut second).await?, ["ada", "bob", "eve"]);
                second.rollback().await?;
            }
            assert_eq!(first[ada].visits, 1);
            assert_eq!(usernames_in(&mut first).await?, ["ada"]);
            {
                let mut second = first.savepoint().await?;
                second[ada].visits = 4;
                second.commit().await?;
            }
            first.commit().await?;
        }
        let savepoints: Vec<String> =
            log.all().into_iter().filter(|logged| logged.contains("SAVEPOINT")).collect();
        let expected = [
            set(1), set(2), set(3), release(3), back_to(2), release(2), set(2), release(2),
            release(1),
        ];
        assert_eq!(savepoints, expected);
        assert_eq!(session[ada].visits, 4);
        settled(&mut session, &db).await?;
        let mut other = db.session();
        let ada = other.require::<User>(1).await?;
        assert_eq!(other[ada].visits, 4);
    }

    /// SEMANTICS 9.3, 1.3: what savepoints kept belongs to the unit of work.
    async fn rule_9_3_a_rollback_of_the_session_undoes_committed_savepoints(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let posts = ada.posts(&mut session).alone().await?;
        let mut first = session.savepoint().await?;
        first[ada].visits = 1;
        first.remove(ada, User::posts, posts[0]);
        let mut second = first.savepoint().await?;
        second[ada].visits = 2;
        second.delete(bob);
        let eve = second.add(user("eve"));
        second.commit().await?;
        first.commit().await?;
        assert_eq!(session.state(bob), ObjectState::Deleted);
        session.rollback().await?;
        assert_eq!(session[ada].visits, 0);
        assert_eq!(session[ada].posts.loaded(), Some(&posts[..]));
        assert_eq!(session.state(posts[0]), ObjectState::Persistent);
        assert_eq!(session.state(bob), ObjectState::Persistent);
        assert_eq!(session.state(eve), ObjectState::Detached);
        settled(&mut session, &db).await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 9.3: never committed in silence.
    async fn rule_9_3_a_guard_that_is_dropped_undoes_its_part(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        async fn fails(session: &mut Session, ada: Handle<User>) -> Result<()> {
            let mut savepoint = session.savepoint().await?;
            savepoint[ada].visits = 2;
            let mut inner = savepoint.savepoint().await?;
            inner.add(user("bob"));
            inner.flush().await?;
            inner.require::<User>(99).await?;
            inner.commit().await
        }
        let outcome = fails(&mut session, ada).await;
        assert!(matches!(outcome, Err(Error::NotFound { .. })), "{outcome:?}");
        assert_eq!(session[ada].visits, 1, "memory is as it was at once");

        // What is edited before the database follows is kept.
        session[ada].nickname = Some("a".into());
        let log = db.log();
        assert_eq!(usernames_in(&mut session).await?, ["ada"]);
        assert_eq!(
            log.all(),
            [back_to(1), release(1), "UPDATE users".into(), "SELECT users".into()],
            "the next statement repairs it",
        );
        drop(session.savepoint().await?);
        log.all();
        session.commit().await?;
        assert_eq!(log.all(), [back_to(1), release(1), "COMMIT".into()], "and so does a commit");
        let mut other = db.session();
        let ada = other.require::<User>(1).await?;
        assert_eq!((other[ada].visits, other[ada].nickname.as_deref()), (1, Some("a")));

        // A rollback has nothing to repair.
        drop(session.savepoint().await?);
        log.all();
        session.rollback().await?;
        assert_eq!(log.all(), ["ROLLBACK"]);
    }

    /// SEMANTICS 9.3: a failure of which nobody was told before the guard was gone.
    async fn rule_9_3_a_guard_that_is_dropped_takes_its_failure_along(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(user("bob"));
        {
            let mut savepoint = session.savepoint().await?;
            savepoint.add(user("ada"));
            assert!(matches!(savepoint.flush().await, Err(Error::UniqueViolation(_))));
        }
        assert_eq!(usernames_in(&mut session).await?, ["ada", "bob"]);
        {
            // Not even flushed: what a verb could not do.
            let mut savepoint = session.savepoint().await?;
            let eve = savepoint.add(user("eve"));
            savepoint.set(eve, User::visits, User::visits + 1);
        }
        settled(&mut session, &db).await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 9.2: inside a savepoint only the savepoint is lost.
    async fn rule_9_2_a_failed_flush_loses_the_savepoint_only(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        let mut outer = session.savepoint().await?;
        let bob = outer.add(user("bob"));
        let mut savepoint = outer.savepoint().await?;
        savepoint[bob].visits = 2;
        savepoint.add(user("ada"));
        assert!(matches!(savepoint.flush().await, Err(Error::UniqueViolation(_))));
        let log = db.log();
        for outcome in [
            savepoint.flush().await,
            savepoint.get::<User>(7).await.map(drop),
            savepoint.savepoint().await.map(drop),
        ] {
            let Err(Error::RollbackRequired { first }) = outcome else { panic!("{outcome:?}") };
            assert!(first.contains("users"), "it names the first failure: {first}");
        }
        assert_eq!(log.all(), [""; 0]);
        savepoint.rollback().await?;
        assert_eq!(log.all(), [back_to(2), release(2)]);
        assert_eq!(outer[bob].visits, 0);
        outer.commit().await?;
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
        assert_eq!(session[ada].visits, 1);
        settled(&mut session, &db).await?;
    }

    /// SEMANTICS 9.2: the guard is gone, and its part with it.
    async fn rule_9_2_a_commit_of_a_savepoint_that_fails_undoes_it(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(user("bob"));
        let mut savepoint = session.savepoint().await?;
        let eve = savepoint.add(user("eve"));
        savepoint.flush().await?;
        savepoint.add(user("ada"));
        let log = db.log();
        let outcome = savepoint.commit().await;
        assert!(matches!(outcome, Err(Error::UniqueViolation(_))), "{outcome:?}");
        assert_eq!(log.all(), ["INSERT users".into(), back_to(1), release(1)]);
        assert_eq!(session.state(eve), ObjectState::Detached);
        settled(&mut session, &db).await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);

        // What a plan finds wrong, too.
        let mut savepoint = session.savepoint().await?;
        savepoint.add(Post::draft().title("nobody's"));
        let outcome = savepoint.commit().await;
        assert!(matches!(outcome, Err(Error::MissingForeignKey { .. })), "{outcome:?}");
        settled(&mut session, &db).await?;
    }

    /// SEMANTICS 9.2: but the user may mend it, if it was a flush that found it.
    async fn rule_9_2_what_a_plan_finds_wrong_loses_no_savepoint(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let mut savepoint = session.savepoint().await?;
        let post = savepoint.add(Post::draft().title("nobody's"));
        assert!(matches!(savepoint.flush().await, Err(Error::MissingForeignKey { .. })));
        savepoint[post].user_id = 1;
        savepoint.commit().await?;
        settled(&mut session, &db).await?;
        assert_eq!(session.state(post), ObjectState::Persistent);
    }

    /// SEMANTICS 9.2: an error of a read, which some databases make the transaction's.
    async fn rule_9_2_a_read_that_fails_loses_the_savepoint_only(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        session.add(user("bob"));
        let savepoint = session.savepoint().await?;
        savepoint.rollback().await?;
        let mut savepoint = session.savepoint().await?;
        let missing = Country::select().count(&mut savepoint).await;
        assert!(matches!(missing, Err(Error::Database { .. })), "{missing:?}");
        assert!(matches!(savepoint.flush().await, Err(Error::RollbackRequired { .. })));
        savepoint.rollback().await?;
        settled(&mut session, &db).await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 6.4: the rows that were stale are found after the savepoint's writes are undone.
    async fn rule_6_4_stale_rows_inside_a_savepoint(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let posts = bob.posts(&mut session).alone().await?;
        let mut other = db.session();
        let doomed = other.require::<Post>(session[posts[1]].id()).await?;
        other.delete(doomed);
        other.commit().await?;

        session[ada].visits = 1;
        let mut savepoint = session.savepoint().await?;
        savepoint[posts[0]].rank = 1;
        savepoint[posts[1]].rank = 1;
        let outcome = savepoint.flush().await;
        let Err(Error::StaleData(stale)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((stale.matched, stale.expected, stale.objects.len()), (1, 2, 1));
        savepoint.rollback().await?;
        assert!(is_expired(&session, posts[1]), "what was stale is to be read again");
        session[posts[0]].rank = 2;
        session.commit().await?;
        let mut other = db.session();
        let ada = other.require::<User>(1).await?;
        assert_eq!(other[ada].visits, 1);
    }

    /// SEMANTICS 9.2: a hand-written statement that ends the transaction takes everything along.
    async fn rule_9_2_a_transaction_that_is_gone_is_the_sessions_loss(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        let mut savepoint = session.savepoint().await?;
        savepoint[ada].visits = 2;
        db.run_in(&mut savepoint, "ROLLBACK").await?;
        savepoint[ada].visits = 3;
        assert!(matches!(savepoint.flush().await, Err(Error::Misuse(_))));
        let outcome = savepoint.rollback().await;
        let Err(Error::RollbackRequired { first }) = outcome else { panic!("{outcome:?}") };
        assert!(first.contains("hand-written"), "{first}");
        assert!(matches!(session.commit().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 0);
        session[ada].visits = 3;
        session.commit().await?;
        settled(&mut session, &db).await?;
    }

    /// SEMANTICS 9.2, 9.3: a hand-written statement that fails is one of the savepoint's.
    async fn rule_9_3_hand_written_statements_are_undone_too(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let mut savepoint = session.savepoint().await?;
        db.run_in(&mut savepoint, "UPDATE users SET visits = 7").await?;
        savepoint.refresh(ada).await?;
        assert_eq!(savepoint[ada].visits, 7);
        db.run_in(&mut savepoint, "UPDATE nothing SET x = 1").await.expect_err("no such table");
        savepoint.rollback().await?;
        assert!(is_expired(&session, ada));
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 0);
        let mut savepoint = session.savepoint().await?;
        db.run_in(&mut savepoint, "UPDATE users SET visits = 8").await?;
        savepoint.commit().await?;
        session.commit().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 8);
        settled(&mut session, &db).await?;
    }

    /// SEMANTICS 9.3: who is inside ends it first.
    async fn rule_9_3_the_session_does_not_end_inside(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let mut savepoint = session.savepoint().await?;
        savepoint.add(user("bob"));
        for outcome in [Session::commit(&mut savepoint).await, Session::rollback(&mut savepoint).await]
        {
            let Err(Error::Misuse(message)) = outcome else { panic!("{outcome:?}") };
            assert!(message.contains("end the savepoint first"), "{message}");
        }
        savepoint.commit().await?;
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 9.3, 9.4: a RELEASE that nobody awaits, of a savepoint that one around it takes
    /// along, is not that of the one which stays.
    async fn rule_9_4_a_release_of_a_savepoint_that_was_left(db) {
        committed(&db, &["ada"]).await?;
        // It may be answered before it is asked for again: then there is nothing to drop.
        for _ in 0..20 {
            let mut session = db.session();
            let ada = session.require::<User>(1).await?;
            let mut first = session.savepoint().await?;
            first[ada].visits = 1;
            let log = db.log();
            let inside = async {
                let mut second = first.savepoint().await?;
                second[ada].visits = 2;
                let mut third = second.savepoint().await?;
                third[ada].visits = 3;
                third.commit().await?;
                // Nothing of this is a part of the story.
                second.rollback().await
            };
            let at_release = || log.all().contains(&release(3));
            let is_dropped = match dropped_when(inside, at_release).await {
                Some(outcome) => outcome.map(|()| false)?,
                None => true,
            };
            assert_eq!(first[ada].visits, 1, "it is undone at once, and nothing is in doubt");
            let bob = first.add(user("bob"));
            first.flush().await?;
            first.rollback().await?;
            assert_eq!(session.state(bob), ObjectState::Detached);
            assert_eq!(session[ada].visits, 0, "the first one was still open");
            settled(&mut session, &db).await?;
            assert_eq!(usernames(&db).await?, ["ada"]);
            if is_dropped {
                return Ok(());
            }
        }
        assert!(db.capabilities.single_writer, "every RELEASE was answered at once");
    }

    /// SEMANTICS 9.3: a guard that was forgotten can't be told from one that is still there.
    async fn rule_9_3_a_guard_that_is_forgotten_is_never_committed(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let mut outer = session.savepoint().await?;
        let mut savepoint = outer.savepoint().await?;
        savepoint.add(user("bob"));
        savepoint.flush().await?;
        std::mem::forget(savepoint);
        let outcome = outer.commit().await;
        assert!(matches!(outcome, Err(Error::Misuse(_))), "{outcome:?}");
        assert_eq!(usernames_in(&mut session).await?, ["ada"], "the outer one takes it along");

        let mut savepoint = session.savepoint().await?;
        savepoint.add(user("bob"));
        savepoint.flush().await?;
        std::mem::forget(savepoint);
        assert!(matches!(session.commit().await, Err(Error::Misuse(_))));
        session.close().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 1.4: per savepoint, what was loaded after the first write inside it.
    async fn rule_1_4_a_rollback_expires_what_was_loaded_after_a_write_inside(db) {
        committed(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        let mut savepoint = session.savepoint().await?;
        let bob = savepoint.require::<User>(2).await?;
        let posts = bob.posts(&mut savepoint).await?;
        savepoint[ada].visits = 2;
        savepoint.flush().await?;
        let eve = savepoint.require::<User>(3).await?;
        savepoint.rollback().await?;
        assert!(!is_expired(&session, ada) && !is_expired(&session, bob));
        assert_eq!(session[bob].posts.loaded(), Some(&posts[..]), "loaded before the write");
        assert!(is_expired(&session, eve));
        let log = db.log();
        assert_eq!(session.get::<User>(3).await?, Some(eve));
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!(session[ada].visits, 1);

        // All of them may show what the session wrote before.
        session.rollback().await?;
        assert!(!is_expired(&session, ada), "its database values are known");
        assert!(is_expired(&session, bob) && is_expired(&session, eve));
        session.refresh(bob).await?;
        assert_eq!(session[bob].posts.loaded(), None);
    }

    /// SEMANTICS 1.4: what a committed savepoint tainted is the outer one's.
    async fn rule_1_4_taints_belong_to_what_is_around_a_committed_savepoint(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let mut outer = session.savepoint().await?;
        let mut inner = outer.savepoint().await?;
        inner[ada].visits = 1;
        inner.flush().await?;
        let bob = inner.require::<User>(2).await?;
        inner.commit().await?;
        outer.rollback().await?;
        assert!(is_expired(&session, bob));
        assert_eq!(session[ada].visits, 0);
        settled(&mut session, &db).await?;
    }

    /// SEMANTICS 1.3: in nested savepoints, each goes back to its own beginning.
    async fn rule_1_3_keys_go_back_to_what_they_were(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FX").name("France"));
        session.commit().await?;
        session[france].code = "FY".into();
        let mut savepoint = session.savepoint().await?;
        savepoint[france].code = "FR".into();
        savepoint.flush().await?;
        assert_eq!(savepoint.get::<Country>("FR".into()).await?, Some(france));
        savepoint.rollback().await?;
        assert_eq!(session.key(france).as_deref(), Some("FY"));
        assert_eq!(session.get::<Country>("FY".into()).await?, Some(france));
        assert_eq!(session.get::<Country>("FR".into()).await?, None);
        session.rollback().await?;
        assert_eq!(session.get::<Country>("FX".into()).await?, Some(france));
    }

    /// SEMANTICS 4.7, 1.3: a row that changed hands inside goes back.
    async fn rule_1_3_a_row_that_another_object_took_goes_back(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let old = session.add(Country::draft().code("FR").name("Gaul"));
        let mut savepoint = session.savepoint().await?;
        savepoint.delete(old);
        let new = savepoint.add(Country::draft().code("FR").name("France"));
        savepoint.flush().await?;
        assert_eq!(savepoint.get::<Country>("FR".into()).await?, Some(new));
        savepoint.rollback().await?;
        assert_eq!(session.get::<Country>("FR".into()).await?, Some(old));
        assert_eq!(session[old].name, "Gaul");
        assert_eq!(session.state(new), ObjectState::Detached);
        settled(&mut session, &db).await?;
        let mut other = db.session();
        let old = other.require::<Country>("FR".into()).await?;
        assert_eq!(other[old].name, "Gaul");
    }

    /// SEMANTICS 9.3: whoever left inside stays away.
    async fn rule_9_3_what_was_expunged_inside_does_not_return(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        let mut savepoint = session.savepoint().await?;
        savepoint.expunge(posts[0]);
        savepoint.rollback().await?;
        assert_eq!(session.state(posts[0]), ObjectState::Detached);
        assert_eq!(session[ada].posts.loaded(), None, "what is left is not the whole");
        let mut savepoint = session.savepoint().await?;
        savepoint.expunge_all();
        let bob = savepoint.add(user("eve"));
        savepoint.flush().await?;
        savepoint.rollback().await?;
        assert_eq!(session.state(bob), ObjectState::Detached);
        settled(&mut session, &db).await?;
        assert_eq!(usernames(&db).await?, ["ada", "bob"]);
    }

    /// SEMANTICS 9.8, 9.3
    async fn rule_9_8_savepoints_in_a_transaction_closure(db) {
        committed(&db, &["ada"]).await?;
        let taken = db
            .sessions
            .retry(async |mut session| {
                let mut taken = 0;
                for name in ["bob", "ada", "eve"] {
                    let mut savepoint = session.savepoint().await?;
                    savepoint.add(user(name));
                    match savepoint.commit().await {
                        Err(Error::UniqueViolation(_)) => taken += 1,
                        outcome => outcome?,
                    }
                }
                Ok(taken)
            })
            .await?;
        assert_eq!(taken, 1);
        assert_eq!(usernames(&db).await?, ["ada", "bob", "eve"]);
    }
}
