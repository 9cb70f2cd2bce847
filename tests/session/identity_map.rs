//! One row, one handle; what `get` asks the database and what a query overwrites.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle};
use orm_tests::backend_tests;

use super::models::*;

backend_tests! {
    /// SEMANTICS 2.1
    async fn rule_2_1_one_row_is_one_handle_by_whatever_road(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let by_query = User::select().filter(User::username.eq("ada")).one(&mut session).await?;
        assert_eq!(by_query, ada);
        let post = session.require::<Post>(1).await?;
        assert_eq!(post.user(&mut session).await?, ada);
        let all = User::select().order_by(User::id.asc()).all(&mut session).await?;
        assert_eq!(all[0], ada);
        assert_ne!(all[1], ada);
    }

    /// SEMANTICS 2.1: the key is the table's too.
    async fn rule_2_1_rows_of_two_tables_with_one_key_are_two_objects(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let post = session.require::<Post>(1).await?;
        assert_eq!(session[ada].id(), session[post].id());
        session.expunge(post);
        assert_eq!(session.state(ada), ObjectState::Persistent);
    }

    /// SEMANTICS 2.1: an added object is found by its key as soon as it has one.
    async fn rule_2_1_a_flushed_object_is_in_the_map(db) {
        db.create(&user_tables()).await?;
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        let france = session.add(Country::draft().code("FR").name("France"));
        session.flush().await?;
        let log = db.log();
        assert_eq!(session.get::<User>(session[ada].id()).await?, Some(ada));
        assert_eq!(session.get::<Country>("FR".into()).await?, Some(france));
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 2.2
    async fn rule_2_2_a_query_overwrites_neither_edits_nor_loaded_values(db) {
        committed(&db, &["ada"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        session.autoflush(false);
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 7;
        let theirs = other.require::<User>(1).await?;
        other[theirs].nickname = Some("the countess".into());
        other.commit().await?;
        let met = User::select().one(&mut session).await?;
        assert_eq!(met, ada);
        assert_eq!((session[ada].visits, session[ada].nickname.as_deref()), (7, None));
        session.commit().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].visits, 7);
        assert_eq!(session[ada].nickname.as_deref(), Some("the countess"), "not overwritten");
    }

    /// SEMANTICS 2.2
    async fn rule_2_2_a_query_fills_the_relationships_that_are_not_loaded(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        assert_eq!(session[ada].posts.loaded(), None);
        let log = db.log();
        User::select().with(User::posts).one(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT users", "SELECT posts"]);
        assert_eq!(session[ada].posts.loaded().map(<[_]>::len), Some(2));
    }

    /// SEMANTICS 2.2
    async fn rule_2_2_a_query_fills_expired_objects_again(db) {
        committed(&db, &["ada", "bob"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let users = User::select().order_by(User::id.asc()).all(&mut session).await?;
        let theirs = other.require::<User>(1).await?;
        other[theirs].visits = 3;
        other.commit().await?;
        session.expire(users[0]);
        let again = User::select().order_by(User::id.asc()).all(&mut session).await?;
        assert_eq!(again, users);
        assert_eq!(session[users[0]].visits, 3);
    }

    /// SEMANTICS 2.2
    async fn rule_2_2_populate_existing_discards_the_changes_of_what_it_meets(db) {
        committed(&db, &["ada", "bob"]).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        let theirs = other.require::<User>(1).await?;
        other[theirs].nickname = Some("the countess".into());
        other.commit().await?;
        session[ada].visits = 7;
        session[bob].visits = 8;
        let log = db.log();
        User::select().filter(User::id.eq(1)).populate_existing().one(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT users"], "it does not autoflush");
        assert_eq!(session[ada].visits, 0);
        assert_eq!(session[ada].nickname.as_deref(), Some("the countess"));
        assert_eq!(session[bob].visits, 8, "it met only the other");
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE users"]);
        session.refresh(ada).await?;
        assert_eq!(session[ada].nickname.as_deref(), Some("the countess"));
        assert_eq!(session[ada].visits, 0);
    }

    /// SEMANTICS 2.2
    async fn rule_2_2_populate_existing_takes_back_a_mark(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.delete(ada);
        User::select().populate_existing().one(&mut session).await?;
        assert_eq!(session.state(ada), ObjectState::Persistent);
        session.commit().await?;
        assert_eq!(usernames(&db).await?, ["ada"]);
    }

    /// SEMANTICS 2.3
    async fn rule_2_3_a_hit_emits_nothing_and_does_not_autoflush(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session[ada].visits = 1;
        session.add(user("bob"));
        let log = db.log();
        assert_eq!(session.get::<User>(1).await?, Some(ada));
        assert_eq!(session.require::<User>(1).await?, ada);
        assert_eq!(session.get_many::<User>([1, 1]).await?, [Some(ada), Some(ada)]);
        assert_eq!(log.all(), [""; 0]);
    }

    /// SEMANTICS 2.3
    async fn rule_2_3_a_miss_autoflushes_and_emits_one(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let log = db.log();
        session.add(user("bob"));
        let ada = session.get::<User>(1).await?.expect("a row");
        assert_eq!(log.emitted(), ["INSERT users", "SELECT users"]);
        assert_eq!(session[ada].username, "ada");
        assert_eq!(session.get::<User>(77).await?, None);
        assert_eq!(log.emitted(), ["SELECT users"]);
    }

    /// SEMANTICS 2.3: the object that the autoflush inserts is the one that is asked for.
    async fn rule_2_3_a_miss_finds_what_its_autoflush_inserted(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        let log = db.log();
        assert_eq!(session.get::<Country>("FR".into()).await?, Some(france));
        assert_eq!(log.emitted(), ["INSERT countries"]);
    }

    /// SEMANTICS 2.3
    async fn rule_2_3_a_hit_on_an_expired_object_emits_one_and_does_not_autoflush(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.expire(ada);
        session.add(user("bob"));
        let log = db.log();
        assert_eq!(session.get::<User>(1).await?, Some(ada));
        assert_eq!(log.all(), ["SELECT users"]);
        assert_eq!(session[ada].username, "ada");
    }

    /// SEMANTICS 2.3
    async fn rule_2_3_an_expired_object_whose_row_is_gone_is_evicted(db) {
        db.create(&user_tables()).await?;
        let (mut session, mut other) = (db.session(), db.session());
        let ada = session.add(user("ada"));
        session.commit().await?;
        session.expire(ada);
        let theirs = other.require::<User>(1).await?;
        other.delete(theirs);
        other.commit().await?;
        let log = db.log();
        assert_eq!(session.get::<User>(1).await?, None);
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!(session.state(ada), ObjectState::Detached);
        let error = session.require::<User>(1).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
        assert!(error.to_string().contains("users"), "{error}");
    }

    /// SEMANTICS 2.3
    async fn rule_2_3_get_many_emits_one_statement_for_all_misses(db) {
        committed(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        let (ada, eve) = (session.require::<User>(1).await?, session.require::<User>(3).await?);
        session.expire(eve);
        let log = db.log();
        let found = session.get_many::<User>([3, 77, 1, 2, 3]).await?;
        assert_eq!(log.emitted(), ["SELECT users"]);
        let bob = found[3].expect("a row");
        assert_eq!(found, [Some(eve), None, Some(ada), Some(bob), Some(eve)]);
        assert_eq!((session[bob].username.as_str(), session[eve].visits), ("bob", 0));
        assert_eq!(session.get_many::<User>([]).await?, [None::<Handle<User>>; 0]);
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 2.3
    async fn rule_2_3_get_many_autoflushes_once_where_something_is_missing(db) {
        committed(&db, &["ada"]).await?;
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        let log = db.log();
        let found = session.get_many::<Country>(["FR".into(), "GB".into()]).await?;
        assert_eq!(found, [Some(france), None]);
        assert_eq!(log.emitted(), ["INSERT countries", "SELECT countries"]);
    }

    /// SEMANTICS 2.3: a row that is to be deleted is still the session's; a deleted one is gone.
    async fn rule_2_3_get_follows_a_deletion_through_the_flush(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        session.delete(ada);
        assert_eq!(session.get::<User>(1).await?, Some(ada));
        session.flush().await?;
        assert_eq!(session.get::<User>(1).await?, None);
        assert_eq!(session.state(ada), ObjectState::Deleted, "until the commit");
    }

    /// SEMANTICS 2.3: however many they are.
    async fn rule_2_3_get_many_emits_one_statement_for_thousands_of_keys(db) {
        db.create(&ticket_tables()).await?;
        let mut session = db.session();
        session.add_all((0..3_000).map(|at| Ticket::draft().holder(format!("holder {at}"))));
        session.commit().await?;
        session.expunge_all();
        let log = db.log();
        let found = session.get_many::<Ticket>((1..=3_000).rev()).await?;
        assert_eq!(log.emitted(), ["SELECT tickets"]);
        assert_eq!(found.len(), 3_000);
        for (at, ticket) in found.into_iter().enumerate() {
            let number = 3_000 - at as i64;
            let ticket = &session[ticket.expect("a row")];
            assert_eq!(ticket.number, number);
            assert_eq!(ticket.holder, format!("holder {}", number - 1));
        }
    }

    /// SEMANTICS 2.1, 2.3: the key of several columns.
    async fn rule_2_3_composite_keys_are_looked_up_as_a_whole(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        for code in ["FR", "GB"] {
            session.add(Country::draft().code(code).name(code));
        }
        let seats = [("FR", 1), ("FR", 2), ("GB", 1)].map(|(code, number)| {
            let seat = Seat::draft().country_code(code).number(number);
            session.add(seat.hall(format!("{code}{number}")).place(number))
        });
        session.commit().await?;
        let key = |code: &str, number: i64| (code.to_owned(), number);
        let log = db.log();
        assert_eq!(session.get::<Seat>(key("GB", 1)).await?, Some(seats[2]));
        assert_eq!(session.key(seats[1]), Some(key("FR", 2)));
        assert_eq!(log.emitted(), [""; 0]);
        session.expire(seats[0]);
        session.expire(seats[2]);
        let found = session.get_many([key("GB", 1), key("GB", 2), key("FR", 1)]).await?;
        assert_eq!(found, [Some(seats[2]), None, Some(seats[0])]);
        assert_eq!(log.emitted(), ["SELECT seats"]);
        assert_eq!(session[seats[0]].hall, "FR1");
    }
}
