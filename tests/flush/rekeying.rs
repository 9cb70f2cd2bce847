//! Changed primary keys: SEMANTICS 2.4.

use orm_core::schema;
use orm_tests::backend_tests;

use crate::models::{Country, Harbour, Part, Seat, Ticket};

backend_tests! {
    /// SEMANTICS 2.4: UPDATE finds the row by the old key; the identity map has the new one.
    async fn rule_2_4_a_changed_key_moves_the_row_and_the_object(db) {
        db.create(&schema![Part]).await?;
        let mut session = db.session();
        let wheel = session.add(Part::draft().code("wheel").weight(3));
        session.commit().await?;
        session[wheel].code = "tyre".into();
        // Until the flush the object is known by the key that its row has.
        session.autoflush(false);
        assert_eq!(session.get::<Part>("wheel".to_owned()).await?, Some(wheel));
        let log = db.log();
        session.commit().await?;
        // Whether another part refers to it isn't known, and must not be.
        assert_eq!(log.emitted(), ["SELECT parts", "UPDATE parts"]);
        assert_eq!(session.get::<Part>("tyre".to_owned()).await?, Some(wheel));
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.get::<Part>("wheel".to_owned()).await?, None);
        assert_eq!(Part::select().one(&mut session).await?, wheel);
        assert_eq!(session[wheel].weight, 3);

        // And it can be found by it to be changed and deleted.
        session[wheel].weight = 4;
        session.flush().await?;
        session.delete(wheel);
        session.commit().await?;
        assert_eq!(Part::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 2.4: a rollback restores it, flushed or not.
    async fn rule_2_4_a_rollback_restores_the_key(db) {
        db.create(&schema![Part]).await?;
        let mut session = db.session();
        let wheel = session.add(Part::draft().code("wheel"));
        session.commit().await?;
        for flush in [false, true] {
            session[wheel].code = "tyre".into();
            if flush {
                session.flush().await?;
            }
            session.rollback().await?;
            assert_eq!(session[wheel].code, "wheel");
            let log = db.log();
            assert_eq!(session.get::<Part>("wheel".to_owned()).await?, Some(wheel));
            assert_eq!(log.emitted(), [""; 0]);
            assert_eq!(session.get::<Part>("tyre".to_owned()).await?, None);
        }
    }

    /// SEMANTICS 2.4: one column of a composite key, for several rows in one statement.
    async fn rule_2_4_composite_keys_of_several_rows(db) {
        db.create(&schema![Seat, Ticket]).await?;
        let mut session = db.session();
        let seats = session.add_all(
            ["a", "b", "c"].map(|number| Seat::draft().hall(1).number(number).comfort(number)),
        );
        session.commit().await?;
        for seat in &seats {
            session[*seat].hall = 2;
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE seats"]);
        for (seat, number) in seats.iter().zip(["a", "b", "c"]) {
            assert_eq!(session.get::<Seat>((2, number.to_owned())).await?, Some(*seat));
            assert_eq!(session[*seat].comfort, number);
        }
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(Seat::select().filter(Seat::hall.eq(2)).count(&mut session).await?, 3);
    }

    /// SEMANTICS 2.4 and 4.1: rows that take the new key come after it, whether they are new or
    /// move.
    async fn rule_2_4_rows_that_take_the_new_key_come_after_it(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let [norway, sweden] =
            ["no", "se"].map(|code| session.add(Country::draft().code(code).name(code)));
        let bergen = session.add(Harbour::draft().name("Bergen").country(sweden));
        session.commit().await?;
        let oslo = session.add(Harbour::draft().name("Oslo").country(norway));
        bergen.country(&mut session).set(norway);
        session[norway].code = "nor".into();
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["UPDATE countries", "UPDATE harbours", "INSERT harbours"]
        );
        assert_eq!(session[oslo].country_code, "nor");
        assert_eq!(session[bergen].country_code, "nor");
        let stored = Harbour::select().columns(Harbour::country_code).all(&mut session).await?;
        assert_eq!(stored, ["nor", "nor"]);
    }
}
