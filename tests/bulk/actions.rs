//! What ON DELETE and ON UPDATE do behind a bulk statement: SEMANTICS 12.1, 7.10, 1.4.

use orm_core::{Handle, Model, Session, schema};
use orm_tests::backend_tests;

use crate::models::*;

#[track_caller]
fn is_expired<M: Model>(session: &Session, handle: Handle<M>) -> bool {
    match session.try_get(handle) {
        Ok(_) => false,
        Err(orm_core::Error::NotLoaded { field: "*", .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

backend_tests! {
    /// SEMANTICS 12.1: children of rows that the session doesn't hold.
    async fn rule_12_1_children_of_deleted_strangers_are_expired(db) {
        create(&db).await?;
        let mut session = db.session();
        for name in ["ada", "bob"] {
            session.add(Member::draft().name(name).tasks([Task::draft().title(name)]));
        }
        session.commit().await?;
        let mut session = db.session();
        let of_ada = session.require::<Task>(1).await?;
        let of_bob = session.require::<Task>(2).await?;
        Member::delete().filter(Member::name.eq("ada")).execute(&mut session).await?;
        assert!(is_expired(&session, of_ada));
        assert!(!is_expired(&session, of_bob), "its parent is still there");
        assert_eq!(session.get::<Task>(1).await?, None);
    }

    /// SEMANTICS 12.1: children of children, where the row in between is not in memory, nor known.
    async fn rule_12_1_what_was_deleted_out_of_sight_is_expired(db) {
        create(&db).await?;
        let mut session = db.session();
        for name in ["ada", "bob"] {
            let task = Task::draft().title(name).steps([Step::draft().title(name)]);
            session.add(Member::draft().name(name).tasks([task]));
        }
        session.commit().await?;
        let mut session = db.session();
        let of_ada = session.require::<Step>(1).await?;
        let of_bob = session.require::<Step>(2).await?;
        session.require::<Task>(2).await?;
        Member::delete().filter(Member::name.eq("ada")).execute(&mut session).await?;
        assert!(is_expired(&session, of_ada));
        assert!(!is_expired(&session, of_bob), "its task is in memory, and not ada's");
        assert_eq!(session.get::<Step>(1).await?, None);
        session.commit().await?;
    }

    /// SEMANTICS 12.1: SET NULL, also where a table leads to itself.
    async fn rule_12_1_set_null_is_read_anew(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let leaf = session.add(Folder::draft().name("leaf"));
        let root = session.add(Folder::draft().name("root"));
        session.push(root, Folder::children, leaf);
        session.commit().await?;
        Folder::delete().filter(Folder::name.eq("root")).execute(&mut session).await?;
        assert!(is_expired(&session, leaf));
        session.refresh(leaf).await?;
        assert_eq!(session[leaf].parent_id, None);
    }

    /// SEMANTICS 12.1: a foreign key to a column that is not the primary key; both actions.
    async fn rule_12_1_keys_that_are_not_primary(db) {
        db.create(&schema![Seat, Ticket]).await?;
        let mut session = db.session();
        for code in ["x", "y"] {
            session.add(Seat::draft().row(1).number(code).code(code));
            session.add(Ticket::draft().holder(code).seat_code(code));
        }
        session.commit().await?;
        let mut session = db.session();
        let [x, y] = [1, 2];
        let of_x = session.require::<Ticket>(x).await?;
        let of_y = session.require::<Ticket>(y).await?;
        Seat::update()
            .set(Seat::code, Seat::code.concat("!"))
            .filter(Seat::number.eq("x"))
            .execute(&mut session)
            .await?;
        assert!(is_expired(&session, of_x));
        session.refresh(of_x).await?;
        session.refresh(of_y).await?;
        assert_eq!(session[of_x].seat_code, "x!");
        Seat::delete().filter(Seat::number.eq("x")).execute(&mut session).await?;
        assert!(is_expired(&session, of_x));
        assert!(!is_expired(&session, of_y));
        assert_eq!(session.get::<Ticket>(x).await?, None);
    }

    /// SEMANTICS 12.1: where memory shows all children of a deleted row, none is out of sight.
    async fn rule_12_1_whom_memory_shows_whole_hides_nobody(db) {
        create(&db).await?;
        let mut session = db.session();
        for name in ["ada", "bob"] {
            let task = Task::draft().title(name).steps([Step::draft().title(name)]);
            session.add(Member::draft().name(name).tasks([task]));
        }
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        ada.tasks(&mut session).await?;
        let of_ada = session.require::<Step>(1).await?;
        let of_bob = session.require::<Step>(2).await?;
        Member::delete().filter(Member::name.eq("ada")).execute(&mut session).await?;
        assert!(is_expired(&session, of_ada));
        assert!(!is_expired(&session, of_bob), "its task is not in memory, but ada's tasks are");
        assert_eq!(session.get::<Step>(1).await?, None);
    }

    /// SEMANTICS 12.1: ON UPDATE reaches those whose row was updated, or is not in memory.
    async fn rule_12_1_followers_of_updated_rows_only(db) {
        db.create(&schema![Seat, Ticket]).await?;
        let mut session = db.session();
        for code in ["x", "y", "z"] {
            session.add(Seat::draft().row(1).number(code).code(code));
            session.add(Ticket::draft().holder(code).seat_code(code));
        }
        session.commit().await?;
        let mut session = db.session();
        Seat::select().filter(Seat::number.ne("z")).all(&mut session).await?;
        let tickets = Ticket::select().order_by(Ticket::id.asc()).all(&mut session).await?;
        let bang = || Seat::update().set(Seat::code, Seat::code.concat("!"));
        bang().filter(Seat::number.eq("x")).execute(&mut session).await?;
        let expired = |session: &Session| tickets.iter().map(|it| is_expired(session, *it)).collect::<Vec<_>>();
        assert_eq!(expired(&session), [true, false, false], "the row is in memory");
        bang().filter(Seat::number.eq("z")).execute(&mut session).await?;
        assert_eq!(expired(&session), [true, false, true], "the row is out of sight");
        for (ticket, code) in tickets.iter().zip(["x!", "y", "z!"]) {
            session.refresh(*ticket).await?;
            assert_eq!(session[*ticket].seat_code, code);
        }
    }
}
