//! Keys reach the right objects: SEMANTICS 5.2.

use std::collections::HashSet;

use orm_core::{Schema, schema};
use orm_tests::backend_tests;

use crate::models::{
    Country, Harbour, Parcel, Part, Passport, Person, Region, Seat, Shelf, Shop, Sticker, Ticket,
    Visa, Voucher, with_random_texts,
};

fn papers() -> Schema {
    schema![Person, Passport, Visa]
}

backend_tests! {
    /// SEMANTICS 5.2: thousands of rows whose contents tell which they are, read back by another
    /// session.
    async fn rule_5_2_generated_keys_reach_their_objects(db) {
        db.create(&papers()).await?;
        let mut session = db.session();
        let people = session.add_all((0..3000).map(|at| Person::draft().name(format!("p{at}"))));
        session.commit().await?;
        let mut other = db.session();
        let ids: Vec<i64> = people.iter().map(|person| session[*person].id()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), people.len());
        other.get_many::<Person>(ids.iter().copied()).await?;
        for (at, id) in ids.into_iter().enumerate() {
            let person = other.require::<Person>(id).await?;
            assert_eq!(other[person].name, format!("p{at}"));
        }
    }

    /// SEMANTICS 5.2: where keys neither come back nor can be counted on, rows that need generated
    /// keys go one by one.
    async fn rule_5_2_keys_that_cant_be_counted_go_one_by_one(db) {
        let db = db.with_engine(|engine| engine.counted_keys(false)).await?;
        db.create(&papers()).await?;
        let mut session = db.session();
        let people = session.add_all((0..5).map(|at| {
            Person::draft().name(format!("p{at}")).passport(Passport::draft().number(format!("{at}")))
        }));
        let log = db.log();
        session.commit().await?;
        let inserts = log.emitted().iter().filter(|it| *it == "INSERT people").count();
        assert_eq!(inserts, if db.capabilities.returning_on_insert { 1 } else { 5 });
        let mut other = db.session();
        for (at, person) in people.into_iter().enumerate() {
            let person = other.require::<Person>(session[person].id()).await?;
            assert_eq!(other[person].name, format!("p{at}"));
            let passport = person.passport(&mut other).await?;
            assert_eq!(passport.map(|passport| other[passport].number.clone()), Some(at.to_string()));
        }
    }

    /// SEMANTICS 5.2: rows were there before, and others were deleted: keys are never used twice.
    async fn rule_5_2_keys_after_gaps(db) {
        db.create(&schema![Region]).await?;
        let mut session = db.session();
        let first = session.add_all(["a", "b", "c"].map(|name| Region::draft().name(name)));
        session.commit().await?;
        session.delete(first[2]);
        session.commit().await?;
        let again = session.add_all(["d", "e"].map(|name| Region::draft().name(name)));
        session.commit().await?;
        for (handle, name) in again.into_iter().zip(["d", "e"]) {
            let id = session[handle].id();
            assert!(id > 3);
            let stored = Region::select().filter(Region::id.eq(id)).columns(Region::name);
            assert_eq!(stored.one(&mut session).await?, name);
        }
    }

    /// SEMANTICS 5.2: children learn the keys of parents that are inserted in the same flush, each
    /// that of its own, over chunks.
    async fn rule_5_2_children_get_the_key_of_their_own_parent(db) {
        db.create(&papers()).await?;
        let mut session = db.session();
        for at in 0..700 {
            session.add(Person::draft().name(format!("{at}")).passport(
                Passport::draft().number(format!("{at}")).visas(
                    ["x", "y"].map(|land| Visa::draft().country(format!("{at}{land}"))),
                ),
            ));
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                db.per_statement("INSERT people", 700),
                db.per_statement("INSERT passports", 700),
                db.per_statement("INSERT visas", 1400),
            ]
            .concat()
        );
        let mut other = db.session();
        let rows = Visa::select()
            .join(Visa::passport)
            .join(Passport::person)
            .columns((Visa::country, Passport::number, Person::name))
            .all(&mut other)
            .await?;
        assert_eq!(rows.len(), 1400);
        for (country, number, name) in rows {
            assert_eq!(number, name);
            assert_eq!(country.trim_end_matches(['x', 'y']), name);
        }
    }

    /// SEMANTICS 5.2: a primary key that is a foreign key is the parent's, in memory too, and the
    /// identity map finds the object by it.
    async fn rule_5_2_a_key_that_is_a_foreign_key(db) {
        db.create(&papers()).await?;
        let mut session = db.session();
        session.add(Person::draft().name("nobody"));
        let person = session.add(Person::draft().name("Ada"));
        let passport = session.add(Passport::draft().number("7").person(person));
        let visa = session.add(Visa::draft().country("no").passport(passport));
        assert_eq!(session.key(passport), None);
        session.commit().await?;
        let id = session[person].id();
        assert_eq!(session[passport].person_id, id);
        assert_eq!(session[visa].passport_id, id);
        assert_eq!(session.key(passport), Some(id));
        let log = db.log();
        assert_eq!(session.get::<Passport>(id).await?, Some(passport));
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 5.2: keys that people make, with columns that the server fills in beside them:
    /// both reach the right object.
    async fn rule_5_2_natural_keys(db) {
        db.create(&schema![Country, Harbour, Part]).await?;
        let mut session = db.session();
        // Keys that don't come in their own order.
        let codes: Vec<String> =
            (0..1000).map(|at| format!("{:03}-{at}", at * 7919 % 1000)).collect();
        let parts = session.add_all(codes.iter().map(|code| Part::draft().code(code)));
        for code in &codes {
            session.add(
                Country::draft()
                    .code(code)
                    .name(format!("land {code}"))
                    .harbours([Harbour::draft().name(format!("port {code}"))]),
            );
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted().len(), 3 * db.per_statement("INSERT", 1000).len());
        for (code, part) in codes.iter().zip(parts) {
            assert_eq!(session[part].code, *code);
            assert_eq!(session[part].weight, 1);
            assert_eq!(session.get::<Part>(code.clone()).await?, Some(part));
        }
        let harbours = Harbour::select().on(&db.engine).all().await?;
        assert_eq!(harbours.len(), 1000);
        for harbour in harbours {
            assert_eq!(harbour.name, format!("port {}", harbour.country_code));
        }
    }

    /// SEMANTICS 5.2: composite keys, and foreign keys to them.
    async fn rule_5_2_composite_keys(db) {
        db.create(&schema![Seat, Ticket]).await?;
        let mut session = db.session();
        let mut tickets = Vec::new();
        for hall in (1..=30).rev() {
            for number in ["c", "a", "b"] {
                let seat = session.add(Seat::draft().hall(hall).number(number));
                let holder = format!("{hall}/{number}");
                tickets.push(session.add(Ticket::draft().holder(holder).seat(seat)));
            }
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT seats", "INSERT tickets"]);
        for ticket in &tickets {
            let ticket = &session[*ticket];
            assert_eq!(ticket.holder, format!("{}/{}", ticket.hall, ticket.number));
        }
        for ticket in Ticket::select().on(&db.engine).all().await? {
            assert_eq!(ticket.holder, format!("{}/{}", ticket.hall, ticket.number));
        }
        let seat = session.require::<Seat>((7, "b".to_owned())).await?;
        assert_eq!(session[seat].comfort, "plain");

        // And by their keys updates and deletes find their rows.
        for hall in [3, 4] {
            let seat = session.require::<Seat>((hall, "a".to_owned())).await?;
            session[seat].comfort = format!("velvet {hall}");
        }
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE seats"]);
        let velvet = Seat::select().filter(Seat::comfort.like("velvet%")).on(&db.engine).all().await?;
        assert_eq!(velvet.len(), 2);
        for seat in velvet {
            assert_eq!((seat.comfort.as_str(), seat.number.as_str()), (&*format!("velvet {}", seat.hall), "a"));
        }
        for ticket in &tickets[..6] {
            session.delete(*ticket);
        }
        session.commit().await?;
        assert_eq!(Ticket::select().count(&mut session).await?, 84);
    }

    /// SEMANTICS 5.2: keys that the application makes in a base of its own are known before the
    /// flush, so that rows need no reading back to be told apart.
    async fn rule_5_2_keys_made_by_the_application(db) {
        db.create(&schema![Parcel, Sticker]).await?;
        let mut session = db.session();
        let mut parcels = Vec::new();
        for at in 0..1200 {
            let text = format!("{at}");
            parcels.push(session.add(
                Parcel::draft().content(&text).stickers([Sticker::draft().text(&text)]),
            ));
        }
        let before: Vec<_> = parcels.iter().map(|parcel| session.key(*parcel)).collect();
        assert!(before.iter().all(Option::is_some));
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                db.per_statement("INSERT parcels", 1200),
                db.per_statement("INSERT stickers", 1200),
            ]
            .concat()
        );
        let after: Vec<_> = parcels.iter().map(|parcel| session.key(*parcel)).collect();
        assert_eq!(before, after);
        let mut other = db.session();
        for (at, key) in after.into_iter().enumerate() {
            let parcel = other.require::<Parcel>(key.unwrap()).await?;
            assert_eq!(other[parcel].content, format!("{at}"));
            assert_eq!(other[parcel].base().shelf, 7);
            if at % 100 == 0 {
                let stickers = parcel.stickers(&mut other).await?;
                assert_eq!(other[stickers[0]].text, format!("{at}"));
            }
        }
    }

    /// SEMANTICS 5.2: keys that the server makes in no order can't be told apart within one
    /// statement: each row has its own. Where an INSERT gives nothing back, they are made before
    /// it, by the default that the model declares.
    async fn rule_5_2_keys_that_the_server_makes_in_no_order(db) {
        if !db.capabilities.returning_on_insert {
            db.create(&schema![Voucher]).await?;
            let mut session = db.session();
            let voucher = session.add(Voucher::draft().worth(5));
            session.commit().await?;
            assert_eq!(session[voucher].code, "random");
            let log = db.log();
            session.delete(voucher);
            let again = session.add(Voucher::draft().worth(6));
            session.flush().await.expect_err("the same key again, which this default makes");
            session.rollback().await?;
            assert_eq!(session.state(again), orm_core::session::ObjectState::Detached);
            assert_eq!(log.all().last().map(String::as_str), Some("ROLLBACK"));
            let mut other = db.session();
            let read = other.require::<Voucher>("random".to_owned()).await?;
            assert_eq!(other[read].worth, 5);
            return Ok(());
        }
        with_random_texts(&db, &schema![Voucher]).await?;
        let mut session = db.session();
        let vouchers = session.add_all((0..50).map(|worth| Voucher::draft().worth(worth)));
        session.commit().await?;
        let mut other = db.session();
        for (worth, voucher) in vouchers.into_iter().enumerate() {
            let code = session[voucher].code.clone();
            assert_eq!(code.len(), 32);
            let read = other.require::<Voucher>(code).await?;
            assert_eq!(other[read].worth, worth as i64);
        }
    }

    /// SEMANTICS 5.2: keys of an auto-increment column that the user gives, in no order and beside
    /// rows without one.
    async fn rule_5_2_given_keys_beside_generated_ones(db) {
        db.create(&papers()).await?;
        let mut session = db.session();
        let mut people = Vec::new();
        for (name, id) in [("a", 90), ("b", 0), ("c", 30), ("d", 0), ("e", 60)] {
            let person = session.add(Person::draft().name(name).passport(
                Passport::draft().number(name),
            ));
            if id > 0 {
                session.set(person, Person::id, id);
            }
            people.push((person, name, id));
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT people", "INSERT people", "INSERT passports"]);
        let mut other = db.session();
        for (person, name, id) in people {
            if id > 0 {
                assert_eq!(session[person].id(), id);
            }
            let read = other.require::<Person>(session[person].id()).await?;
            assert_eq!(other[read].name, name);
            assert_eq!(other[read].created_at(), session[person].created_at());
            let passport = other.require::<Passport>(session[person].id()).await?;
            assert_eq!(other[passport].number, name);
        }
    }

    /// SEMANTICS 5.2: generated keys go on behind those that were given, in the same flush and
    /// later.
    async fn rule_5_2_generated_keys_go_on_behind_given_ones(db) {
        db.create(&papers()).await?;
        let mut session = db.session();
        let given = session.add(Person::draft().name("given"));
        session.set(given, Person::id, 90);
        session.commit().await?;
        let names = ["next", "and next"];
        let next = session.add_all(names.map(|name| Person::draft().name(name)));
        session.commit().await?;
        assert!(next.iter().all(|person| session[*person].id() > 90));
        let mut other = db.session();
        let given = other.add(Person::draft().name("lower"));
        other.set(given, Person::id, 50);
        other.commit().await?;
        let last = other.add(Person::draft().name("last"));
        other.commit().await?;
        assert!(other[last].id() > session[next[1]].id());
    }

    /// SEMANTICS 5.2: foreign keys to a unique column, given or filled in by the server.
    async fn rule_5_2_foreign_keys_to_a_unique_column(db) {
        with_random_texts(&db, &schema![Shop, Shelf]).await?;
        let mut session = db.session();
        for at in 0..40 {
            let name = format!("{at}");
            let shop = Shop::draft().name(&name).shelves([Shelf::draft().name(&name)]);
            session.add(if at % 2 == 0 { shop.slug(format!("shop-{at}")) } else { shop });
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT shops", "INSERT shops", "INSERT shelves"]);
        let rows = Shelf::select().join(Shelf::shop).columns((Shelf::name, Shop::name));
        let rows = rows.all(&mut db.session()).await?;
        assert_eq!(rows.len(), 40);
        assert!(rows.into_iter().all(|(shelf, shop)| shelf == shop));
        for shelf in Shelf::select().all(&mut session).await? {
            let shop = session.follow(shelf, Shelf::shop)?;
            assert_eq!(session[shelf].shop_slug, shop.slug);
        }
    }
}
