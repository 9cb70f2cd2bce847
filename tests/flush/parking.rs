//! Circles through a unique key, broken by a parking UPDATE or reported: SEMANTICS 4.3, 4.5.

use orm_core::{Error, Handle, Result, Session, schema};
use orm_tests::backend_tests;

use crate::unique_models::{Account, Letter, Locker, Login, Note, Player, Token};

async fn lockers(session: &mut Session, labels: &[&str]) -> Result<Vec<Handle<Locker>>> {
    let lockers = labels
        .iter()
        .map(|label| session.add(Locker::draft().label(*label).content(*label)))
        .collect();
    session.commit().await?;
    Ok(lockers)
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

backend_tests! {
    /// SEMANTICS 4.3: a swap parks one row, by a match of its old version that doesn't bump it.
    async fn rule_4_3_a_swap_parks_one_row(db) {
        db.create(&schema![Locker]).await?;
        let mut session = db.session();
        let old = lockers(&mut session, &["a", "b"]).await?;
        let before = [session[old[0]].updated_at(), session[old[1]].updated_at()];
        session[old[0]].label = Some("b".into());
        session[old[1]].label = Some("a".into());
        assert_eq!(
            session.plan()?.to_string(),
            "1. UPDATE lockers: 1 row (label), parks lockers.label until its value is taken over\n\
             2. UPDATE lockers: 1 row (label, updated_at, revision)\n\
             3. UPDATE lockers: 1 row (label, updated_at, revision), \
             level 1, after lockers.label is given up"
        );
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE lockers"; 3]);
        let mut other = db.session();
        for (at, label) in ["b", "a"].into_iter().enumerate() {
            let locker = other.require::<Locker>(session[old[at]].id()).await?;
            assert_eq!(other[locker].label.as_deref(), Some(label));
            assert_eq!(session[old[at]].label.as_deref(), Some(label));
            assert_eq!((other[locker].revision, session[old[at]].revision), (2, 2));
            assert!(session[old[at]].updated_at() >= before[at]);
        }
        log.emitted();
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 4.3: however many rows swap, all are parked by one statement.
    async fn rule_4_3_many_swaps_are_parked_together(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let old: Vec<_> = (0..20).map(|number| session.add(player(number))).collect();
        session.commit().await?;
        for at in 0..20 {
            session[old[at]].email = player(at as i64 ^ 1).email;
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players"; 3]);
        let mut other = db.session();
        for (at, player) in Player::select().order_by(Player::id.asc()).all(&mut other).await?.into_iter().enumerate() {
            assert_eq!(other[player].email, session[old[at]].email);
            assert_eq!(other[player].email, Some(format!("{}@example.org", at ^ 1)));
        }
    }

    /// SEMANTICS 4.3: a ring of rows is one circle: one parking, and a chain.
    async fn rule_4_3_a_ring_is_parked_once(db) {
        db.create(&schema![Locker]).await?;
        let mut session = db.session();
        let old = lockers(&mut session, &["a", "b", "c", "d"]).await?;
        for (at, label) in ["b", "c", "d", "a"].into_iter().enumerate() {
            session[old[at]].label = Some(label.into());
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE lockers"; 5]);
        for (at, label) in ["b", "c", "d", "a"].into_iter().enumerate() {
            assert_eq!(session[old[at]].label.as_deref(), Some(label));
            assert_eq!(session[old[at]].revision, 2);
        }
    }

    /// SEMANTICS 4.3: of a group, the column that can be NULL is parked, also where it is another
    /// that changes; it gets its value back.
    async fn rule_4_3_a_group_is_parked_by_the_column_that_can_be_null(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let [a, b] = [1, 2].map(|number| {
            session.add(Player { team: format!("team {number}"), place: Some(1), ..player(number) })
        });
        session.commit().await?;
        session[a].team = "team 2".into();
        session[b].team = "team 1".into();
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE players"; 3]);
        let mut other = db.session();
        for (player, team) in [(a, "team 2"), (b, "team 1")] {
            let row = other.require::<Player>(session[player].id).await?;
            assert_eq!((other[row].team.as_str(), other[row].place), (team, Some(1)));
            assert_eq!((session[player].team.as_str(), session[player].place), (team, Some(1)));
        }
    }

    /// SEMANTICS 4.3: a delete plus an insert of the same value whose children move over: the row
    /// that is to be deleted is parked.
    async fn rule_4_3_children_move_over_from_a_deleted_row_that_is_parked(db) {
        db.create(&schema![Account, Letter]).await?;
        let mut session = db.session();
        let old = session.add(Account::draft().email("ada@example.org"));
        let letters = ["x", "y"].map(|text| session.add(Letter::draft().text(text).account(old)));
        session.commit().await?;
        let new = session.add(Account::draft().email("ada@example.org"));
        for letter in letters {
            letter.account(&mut session).set(new);
        }
        session.delete(old);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["UPDATE accounts", "INSERT accounts", "UPDATE letters", "DELETE accounts"]
        );
        assert!(session.try_get(old).is_err());
        let mut other = db.session();
        let account = Account::select().one(&mut other).await?;
        assert_eq!(other[account].email.as_deref(), Some("ada@example.org"));
        assert_eq!(account.letters(&mut other).await?.len(), 2);
        log.emitted();
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 4.3 and 1.3: a rollback brings the parked row back as it was.
    async fn rule_4_3_a_rolled_back_parking_is_undone_in_memory(db) {
        db.create(&schema![Account, Letter]).await?;
        let mut session = db.session();
        let old = session.add(Account::draft().email("ada@example.org"));
        let letter = session.add(Letter::draft().text("x").account(old));
        session.commit().await?;
        let new = session.add(Account::draft().email("ada@example.org"));
        letter.account(&mut session).set(new);
        session.delete(old);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session[old].email.as_deref(), Some("ada@example.org"));
        assert_eq!(session[letter].account_id, session[old].id());
        assert!(session.try_get(new).is_err());
        let id = session[old].id();
        assert_eq!(session.get::<Account>(id).await?, Some(old));
        let mut other = db.session();
        let account = Account::select().one(&mut other).await?;
        assert_eq!(other[account].email.as_deref(), Some("ada@example.org"));
    }

    /// SEMANTICS 4.5: where no value can be parked, the children leave for a moment.
    async fn rule_4_5_children_are_cut_loose_where_nothing_can_be_parked(db) {
        db.create(&schema![Login, Note, Token]).await?;
        let mut session = db.session();
        let old = session.add(Login::draft().name("ada"));
        let notes = ["x", "y"].map(|text| session.add(Note::draft().text(text).login(old)));
        session.commit().await?;
        let new = session.add(Login::draft().name("ada"));
        notes.iter().for_each(|note| note.login(&mut session).set(new));
        session.delete(old);
        let log = db.log();
        session.flush().await?;
        let emitted = log.emitted();
        assert_eq!(
            emitted[emitted.len() - 4..],
            ["UPDATE notes", "DELETE logins", "INSERT logins", "UPDATE notes"]
        );
        session.commit().await?;
        let mut other = db.session();
        let login = Login::select().one(&mut other).await?;
        assert_eq!(login.notes(&mut other).await?.len(), 2);
        assert_eq!(session[notes[0]].login_id, Some(session[new].id()));
    }

    /// SEMANTICS 4.3: where no column can be parked and no key is nullable, the error names the
    /// objects, the table and the columns; nothing was sent, and the session goes on.
    async fn rule_4_3_a_circle_that_nothing_breaks_names_the_objects(db) {
        db.create(&schema![Login, Note, Token]).await?;
        let mut session = db.session();
        let old = session.add(Login::draft().name("ada"));
        let token = session.add(Token::draft().text("x").login(old));
        session.commit().await?;
        let new = session.add(Login::draft().name("ada"));
        token.login(&mut session).set(new);
        // Known to have no others, so that the flush reads nothing.
        old.notes(&mut session).await?;
        session.delete(old);
        let log = db.log();
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::Cycle(_)), "{error}");
        let sentence = error.to_string();
        for word in [
            format!("{old:?}"),
            format!("{new:?}"),
            format!("{token:?}"),
            "logins.name".into(),
            "tokens.login_id".into(),
            "can be NULL".into(),
        ] {
            assert!(sentence.contains(&word), "{sentence} lacks {word}");
        }
        assert!(!sentence.contains("ada"), "{sentence}");
        assert!(!log.emitted().iter().any(|statement| !statement.starts_with("SELECT")));

        session[new].name = "ada 2".into();
        session.commit().await?;
        assert_eq!(session[token].login_id, session[new].id());
    }

    /// SEMANTICS 4.3: a swap of values that can't be NULL.
    async fn rule_4_3_a_swap_that_cannot_be_parked_names_both_objects(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let [a, b] = [1, 2].map(|number| session.add(player(number)));
        session.commit().await?;
        session[a].shirt = 2;
        session[b].shirt = 1;
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Cycle(_)), "{error}");
        let sentence = error.to_string();
        for word in [format!("{a:?}"), format!("{b:?}"), "players.shirt".into()] {
            assert!(sentence.contains(&word), "{sentence} lacks {word}");
        }
        assert_eq!(log.all(), [""; 0]);
        session[b].shirt = 3;
        session.commit().await?;
        assert_eq!((session[a].shirt, session[b].shirt), (2, 3));
    }

    /// SEMANTICS 4.3 and 6.4: the parking matches the old version: who changed the row meanwhile is
    /// noticed by it.
    async fn rule_4_3_a_parking_matches_the_old_version(db) {
        db.create(&schema![Locker]).await?;
        let mut session = db.session();
        let old = lockers(&mut session, &["a", "b"]).await?;
        let mut other = db.session();
        let theirs = other.require::<Locker>(session[old[0]].id()).await?;
        other[theirs].content = "theirs".into();
        other.commit().await?;
        session[old[0]].label = Some("b".into());
        session[old[1]].label = Some("a".into());
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::StaleData(_)), "{error}");
        session.rollback().await?;
        session.refresh(old[0]).await?;
        assert_eq!(session[old[0]].content, "theirs");
        assert_eq!(session[old[1]].label.as_deref(), Some("b"));
    }

    /// SEMANTICS 4.3: rows with an expression aren't parked, since it is to see the row as it is:
    /// the other one is.
    async fn rule_4_3_a_row_with_an_expression_is_not_parked(db) {
        db.create(&schema![Player]).await?;
        let mut session = db.session();
        let [a, b] = [1, 2].map(|number| session.add(player(number)));
        session.commit().await?;
        session[a].email = player(2).email;
        session[b].email = player(1).email;
        session.set(a, Player::shirt, Player::shirt + 10);
        session.commit().await?;
        let mut other = db.session();
        let row = other.require::<Player>(1).await?;
        assert_eq!((other[row].shirt, other[row].email.clone()), (11, player(2).email));
        let row = other.require::<Player>(2).await?;
        assert_eq!((other[row].shirt, other[row].email.clone()), (2, player(1).email));
    }
}
