//! A unique value that changes hands is given up before it is taken: SEMANTICS 4.3.

use orm_core::{Handle, Result, Session, schema};
use orm_tests::{Database, backend_tests};

use crate::models::{Company, Employee, Part};
use crate::unique_models::{Account, Branch, Kennel, Letter, Locker, Owner, Player, Sailor, Ship};

/// So many players; their numbers say everything about them.
async fn players(
    session: &mut Session,
    numbers: impl IntoIterator<Item = i64>,
) -> Result<Vec<Handle<Player>>> {
    let players = numbers.into_iter().map(player).map(|player| session.add(player)).collect();
    session.commit().await?;
    Ok(players)
}

fn player(number: i64) -> Player {
    Player {
        id: number,
        email: Some(format!("{number}@example.org")),
        shirt: number,
        team: "first".into(),
        place: Some(number),
    }
}

fn email(number: i64) -> Option<String> {
    Some(format!("{number}@example.org"))
}

/// A column of every player, in key order, in memory and in the database; a second flush is idle.
async fn expect_shirts(
    db: &Database,
    session: &mut Session,
    expected: &[(i64, i64)],
) -> Result<()> {
    let log = db.log();
    session.flush().await?;
    assert_eq!(log.all(), [""; 0]);
    for session in [session, &mut db.session()] {
        let players = Player::select().order_by(Player::id.asc()).all(session).await?;
        let shirts: Vec<_> =
            players.into_iter().map(|at| (session[at].id, session[at].shirt)).collect();
        assert_eq!(shirts, expected);
    }
    Ok(())
}

backend_tests! {
    /// SEMANTICS 4.3: a DELETE goes before the INSERT that takes its value.
    async fn rule_4_3_a_delete_goes_before_the_insert_that_takes_its_value(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2]).await?;
        session.add(Player { id: 3, ..player(1) });
        session.delete(old[0]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE players", "INSERT players"]);
        expect_shirts(&db, &mut session, &[(2, 2), (3, 1)]).await?;
    }

    /// SEMANTICS 4.3: an UPDATE goes before the INSERT that takes its old value.
    async fn rule_4_3_an_update_goes_before_the_insert_that_takes_its_value(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1]).await?;
        session.add(Player { id: 2, email: None, place: None, ..player(1) });
        session[old[0]].shirt = 7;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players", "INSERT players"]);
        expect_shirts(&db, &mut session, &[(1, 7), (2, 1)]).await?;
    }

    /// SEMANTICS 4.3: a DELETE goes before the UPDATE that takes its value.
    async fn rule_4_3_a_delete_goes_before_the_update_that_takes_its_value(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2]).await?;
        session[old[0]].shirt = 2;
        session.delete(old[1]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE players", "UPDATE players"]);
        expect_shirts(&db, &mut session, &[(1, 2)]).await?;
    }

    /// SEMANTICS 4.3: a chain within one table takes one UPDATE per link, from its end; rows that
    /// take no part go with the first.
    async fn rule_4_3_a_chain_of_updates_splits_into_levels(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2, 3, 10, 20]).await?;
        for (at, shirt) in [2, 3, 4, 11, 21].into_iter().enumerate() {
            session[old[at]].shirt = shirt;
        }
        assert_eq!(
            session.plan()?.to_string(),
            "1. UPDATE players: 3 rows (shirt)\n\
             2. UPDATE players: 1 row (shirt), level 1, after players.shirt is given up\n\
             3. UPDATE players: 1 row (shirt), level 2, after players.shirt is given up"
        );
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players"; 3]);
        expect_shirts(&db, &mut session, &[(1, 2), (2, 3), (3, 4), (10, 11), (20, 21)]).await?;
    }

    /// SEMANTICS 4.3: the other direction of keys needs the other order.
    async fn rule_4_3_a_chain_that_moves_down(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [2, 3, 4]).await?;
        for (at, shirt) in [1, 2, 3].into_iter().enumerate() {
            session[old[at]].shirt = shirt;
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players"; 3]);
        expect_shirts(&db, &mut session, &[(2, 1), (3, 2), (4, 3)]).await?;
    }

    /// SEMANTICS 4.3: delete → update → insert, all in one chain.
    async fn rule_4_3_a_chain_through_all_operations(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2, 3]).await?;
        session.add(Player { id: 4, email: None, place: None, ..player(1) });
        session[old[0]].shirt = 2;
        session[old[1]].shirt = 3;
        session.delete(old[2]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["DELETE players", "UPDATE players", "UPDATE players", "INSERT players"]
        );
        expect_shirts(&db, &mut session, &[(1, 2), (2, 3), (4, 1)]).await?;
    }

    /// SEMANTICS 4.3: a group of columns is taken over as a whole; one of its columns alone is no
    /// conflict, and neither is a NULL in it.
    async fn rule_4_3_a_composite_key_is_taken_over_as_a_whole(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2, 3]).await?;
        session[old[0]].place = Some(2);
        session[old[1]].team = "second".into();
        session[old[2]].team = "second".into();
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players", "UPDATE players"]);
        // The same place in another team, and nowhere.
        session[old[0]].place = None;
        session[old[1]].place = None;
        session[old[2]].place = Some(2);
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted().len(), 2);
        let mut other = db.session();
        for (at, (team, place)) in
            [("first", None), ("second", None), ("second", Some(2))].into_iter().enumerate()
        {
            let player = other.require::<Player>(session[old[at]].id).await?;
            assert_eq!((other[player].team.as_str(), other[player].place), (team, place));
        }
    }

    /// SEMANTICS 4.3: values that nobody gives up, and values that stay, change nothing: UPDATE,
    /// then INSERT, then DELETE.
    async fn rule_4_3_without_a_conflict_the_order_is_update_insert_delete(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2]).await?;
        session.add(player(5));
        session[old[0]].shirt = 9;
        session.delete(old[1]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players", "INSERT players", "DELETE players"]);
    }

    /// SEMANTICS 4.3: a value that two rows want is still an error of the database.
    async fn rule_4_3_a_value_that_stays_taken_is_a_violation(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        players(&mut session, [1, 2]).await?;
        session.add(Player { id: 3, ..player(1) });
        let error = session.commit().await.unwrap_err();
        assert!(error.violation().is_some(), "{error}");
    }

    /// SEMANTICS 4.3 and 2.4: primary keys are unique keys; the objects are known by the new ones.
    async fn rule_4_3_primary_keys_move_along(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2, 3]).await?;
        for (at, id) in [2, 3, 4].into_iter().enumerate() {
            session[old[at]].id = id;
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players"; 3]);
        expect_shirts(&db, &mut session, &[(2, 1), (3, 2), (4, 3)]).await?;
        for (at, id) in [2, 3, 4].into_iter().enumerate() {
            assert_eq!(session.get::<Player>(id).await?, Some(old[at]));
        }
        assert_eq!(session.get::<Player>(1).await?, None);
    }

    /// SEMANTICS 4.3: a value moves on as its row's own key changes, into another row.
    async fn rule_4_3_values_move_along_with_changed_primary_keys(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2]).await?;
        session[old[0]].id = 2;
        session[old[1]].id = 3;
        session[old[1]].shirt = 1;
        session[old[0]].shirt = 5;
        // Each takes over from the other, by keys that can't be NULL.
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, orm_core::Error::Cycle(_)), "{error}");
        session[old[1]].shirt = 6;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players"; 2]);
        expect_shirts(&db, &mut session, &[(2, 5), (3, 6)]).await?;
    }

    /// SEMANTICS 4.3: a one-to-one is replaced: the old child is deleted before the new one takes
    /// its unique key.
    async fn rule_4_3_a_replaced_one_to_one_deletes_before_it_inserts(db) {
        db.create(&schema![Owner, Kennel]).await?;
        let mut session = db.session();
        let owner = session.add(Owner::draft().name("Ada"));
        let old = session.add(Kennel::draft().name("old").owner(owner));
        session.commit().await?;
        owner.kennel(&mut session).set(Kennel::draft().name("new"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE kennels", "INSERT kennels"]);
        assert!(session.try_get(old).is_err());
        let mut other = db.session();
        let kennel = Kennel::select().one(&mut other).await?;
        assert_eq!(other[kennel].name, "new");
    }

    /// SEMANTICS 4.3: or before the child of another parent, which moves here.
    async fn rule_4_3_a_one_to_one_that_moves_over_deletes_before_it_updates(db) {
        db.create(&schema![Owner, Kennel]).await?;
        let mut session = db.session();
        let [ada, bob] = ["Ada", "Bob"].map(|name| session.add(Owner::draft().name(name)));
        let old = session.add(Kennel::draft().name("old").owner(ada));
        let moved = session.add(Kennel::draft().name("moved").owner(bob));
        session.commit().await?;
        moved.owner(&mut session).set(ada);
        session.delete(old);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE kennels", "UPDATE kennels"]);
        let mut other = db.session();
        let kennel = Kennel::select().one(&mut other).await?;
        assert_eq!((other[kennel].name.as_str(), other[kennel].owner_id), ("moved", session[ada].id()));
    }

    /// SEMANTICS 4.3 and 4.4: names of a tree that change hands between its levels.
    async fn rule_4_3_a_tree_with_unique_names(db) {
        db.create(&schema![Branch]).await?;
        let mut session = db.session();
        let root = session.add(Branch::draft().name("root"));
        let a = session.add(Branch::draft().name("a").parent(root));
        let leaf = session.add(Branch::draft().name("leaf").parent(a));
        session.commit().await?;
        // The branch and what hangs on it go; new ones of the same names come, in another order.
        session.delete(a);
        let leaf_again = session.add(Branch::draft().name("leaf").parent(root));
        session.add(Branch::draft().name("a").parent(leaf_again));
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["DELETE branches", "DELETE branches", "INSERT branches", "INSERT branches"]
        );
        assert!(session.try_get(leaf).is_err());
        assert_eq!(Branch::select().count(&mut session).await?, 3);
    }

    /// SEMANTICS 4.3 and 4.5: tables that refer to each other, rebuilt under the same names.
    async fn rule_4_3_tables_that_refer_to_each_other(db) {
        db.create(&schema![Ship, Sailor]).await?;
        let mut session = db.session();
        let build = |session: &mut Session| {
            let ship = session.add(Ship::draft().name("Fram"));
            let captain = session.add(Sailor::draft().name("Sverdrup").ship(ship));
            ship.captain(session).set(captain);
            (ship, captain)
        };
        let (ship, captain) = build(&mut session);
        session.commit().await?;
        session.delete(captain);
        session.delete(ship);
        let (ship, captain) = build(&mut session);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                "UPDATE ships",
                "DELETE sailors",
                "DELETE ships",
                "INSERT ships",
                "INSERT sailors",
                "UPDATE ships"
            ]
        );
        assert_eq!(session[ship].captain_id, Some(session[captain].id()));
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 4.3: a row is wrapped: it gets another name, and a new row of its old name gets
    /// between it and its parent. Neither name can be NULL, but the reference can follow.
    async fn rule_4_3_a_row_that_moves_below_one_that_takes_its_name(db) {
        db.create(&schema![Branch]).await?;
        let mut session = db.session();
        let inner = session.add(Branch::draft().name("a"));
        session.commit().await?;
        let outer = session.add(Branch::draft().name("a"));
        session[inner].name = "a, old".into();
        inner.parent(&mut session).set(outer);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE branches", "INSERT branches", "UPDATE branches"]);
        assert_eq!(session[inner].parent_id, Some(session[outer].id()));
        let mut other = db.session();
        let inner = other.require::<Branch>(session[inner].id()).await?;
        assert_eq!(other[inner].parent_id, Some(session[outer].id()));
        assert_eq!(other[inner].name, "a, old");
        session.flush().await?;
        assert_eq!(log.emitted().len(), 1, "the other session's SELECT");
    }

    /// SEMANTICS 4.3: however many rows take part: as many levels as the longest chain has links,
    /// each in as few statements as its rows need.
    async fn rule_4_3_many_chains_take_no_more_levels(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let numbers = (0..300).map(|at| at / 3 * 10 + at % 3);
        let old = players(&mut session, numbers).await?;
        for player in &old {
            session[*player].shirt += 1;
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players"; 3]);
        let wrong = Player::select().filter(Player::shirt.ne(Player::id + 1));
        assert_eq!(wrong.count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.3 and 4.5: rows of several tables in one circle of tables, of which only some
    /// rows are in a circle: the others go in as few statements as there can be.
    async fn rule_4_3_rows_outside_of_a_circle_stay_together(db) {
        db.create(&schema![Account, Letter]).await?;
        let mut session = db.session();
        let accounts: Vec<_> = (0..4)
            .map(|at| session.add(Account::draft().email(format!("{at}"))))
            .collect();
        let letters: Vec<_> = accounts
            .iter()
            .map(|account| session.add(Letter::draft().text("x").account(*account)))
            .collect();
        session.commit().await?;
        // Each letter moves to a new account; only the first takes the address of its old one.
        for at in 0..4 {
            let email = if at == 0 { "0".to_owned() } else { format!("new {at}") };
            let new = session.add(Account::draft().email(email));
            letters[at].account(&mut session).set(new);
            session.delete(accounts[at]);
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["UPDATE accounts", "INSERT accounts", "UPDATE letters", "DELETE accounts"]
        );
        assert_eq!(Account::select().count(&mut session).await?, 4);
        assert_eq!(Letter::select().count(&mut session).await?, 4);
    }

    /// SEMANTICS 4.3 and 2.4: within one table, rows that lead to a changed key follow it.
    async fn rule_4_3_a_reference_within_the_table_follows_a_changed_key(db) {
        db.create(&schema![Part]).await?;
        let mut session = db.session();
        let wheel = session.add(Part::draft().code("wheel"));
        let hub = session.add(Part::draft().code("hub"));
        session.commit().await?;
        session[wheel].code = "tyre".into();
        session[hub].whole_code = Some("tyre".into());
        let log = db.log();
        session.commit().await?;
        // Whoever leads to the old key is read first (2.4).
        assert_eq!(log.emitted(), ["SELECT parts", "UPDATE parts", "UPDATE parts"]);
        let mut other = db.session();
        let hub = other.require::<Part>("hub".to_owned()).await?;
        assert_eq!(other[hub].whole_code.as_deref(), Some("tyre"));
    }

    /// SEMANTICS 4.3: an expression gives the old value up; what it comes to is not known.
    async fn rule_4_3_an_assigned_expression_gives_its_old_value_up(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1]).await?;
        session.set(old[0], Player::shirt, Player::shirt + 10);
        session.add(Player { id: 2, email: None, place: None, ..player(1) });
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players", "INSERT players"]);
        expect_shirts(&db, &mut session, &[(1, 11), (2, 1)]).await?;
    }

    /// SEMANTICS 4.3 and 1.3: a rollback undoes what changed hands.
    async fn rule_4_3_a_rollback_gives_every_value_back(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1, 2]).await?;
        session[old[0]].email = email(2);
        session[old[1]].email = email(1);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session[old[0]].email, email(1));
        assert_eq!(session[old[1]].email, email(2));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.get::<Player>(2).await?, Some(old[1]));
    }

    /// What `plan()` says of it.
    async fn a_plan_says_what_is_taken_over(db) {
        db.create(&schema![Player, Company, Employee, Locker]).await?;
        let mut session = db.session();
        let old = players(&mut session, [1]).await?;
        session.delete(old[0]);
        session.add(Player { id: 2, email: None, ..player(1) });
        assert_eq!(
            session.plan()?.to_string(),
            "1. DELETE players: 1 row (id), before INSERT players: players.team+place is taken over; \
             before INSERT players: players.shirt is taken over\n\
             2. INSERT players: 1 row (id, email, shirt, team, place)"
        );
    }
}
