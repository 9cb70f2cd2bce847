//! Rows that need each other: SEMANTICS 4.5.

use orm_core::{Error, Handle, schema};
use orm_tests::backend_tests;

use crate::models::{Album, Body, Company, Employee, Folder, Key, Lock, Photo, Soul};

backend_tests! {
    /// SEMANTICS 4.5: a circle of tables whose rows are in none needs no further statement.
    async fn rule_4_5_a_circle_of_tables_without_one_of_rows(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        session.add(Employee::draft().name("Ada").company(Company::draft().name("Engines")));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT companies", "INSERT employees"]);
    }

    /// SEMANTICS 4.5: INSERT with NULL, then one UPDATE for all rows of the table.
    async fn rule_4_5_a_circle_of_rows_takes_one_update(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let companies = ["Engines", "Looms"].map(|name| {
            let company = session.add(Company::draft().name(name));
            let chief = session.add(Employee::draft().name(format!("chief of {name}")));
            chief.company(&mut session).set(company);
            company.chief(&mut session).set(chief);
            (company, chief)
        });
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["INSERT companies", "INSERT employees", "UPDATE companies"]
        );
        for (company, chief) in companies {
            assert_eq!(session[company].chief_id, Some(session[chief].id()));
            assert_eq!(session[chief].company_id, session[company].id());
        }
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);

        let mut other = db.session();
        let company = Company::select().order_by(Company::id.asc()).first(&mut other).await?;
        let chief = company.unwrap().chief(&mut other).await?.unwrap();
        assert_eq!(other[chief].name, "chief of Engines");
    }

    /// SEMANTICS 4.5: however many circles there are, and whatever hangs on them: the number of
    /// statements doesn't grow with them, neither that of INSERT nor that of DELETE.
    async fn rule_4_5_many_circles_take_no_more_statements(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut runs = Vec::new();
        for companies in [12, 60] {
            let mut session = db.session();
            let mut all: Vec<(Handle<Company>, Handle<Employee>)> = Vec::new();
            for at in 0..companies {
                let company = session.add(Company::draft().name(format!("{at}")));
                // Some chiefs work for the first company, on which theirs hang then; some
                // companies have no chief.
                let first = all.first().map_or(company, |(first, _)| *first);
                let employer = if at % 3 == 0 { first } else { company };
                let chief = session.add(Employee::draft().name(format!("{at}")).company(employer));
                if at % 4 != 3 {
                    company.chief(&mut session).set(chief);
                }
                all.push((company, chief));
            }
            let log = db.log();
            session.commit().await?;
            let inserted = log.emitted();
            let mut other = db.session();
            for company in Company::select().all(&mut other).await? {
                let chief = company.chief(&mut other).await?;
                let expected = other[company].name.parse::<u32>().unwrap() % 4 != 3;
                assert_eq!(chief.is_some(), expected);
                assert!(chief.is_none_or(|chief| other[chief].name == other[company].name));
            }
            for (company, chief) in all {
                session.delete(company);
                session.delete(chief);
            }
            log.emitted();
            session.commit().await?;
            let deleted = log.emitted();
            assert_eq!(Company::select().count(&mut session).await?, 0);
            runs.push((inserted, deleted));
        }
        assert_eq!(runs[0], runs[1]);
        assert_eq!(
            runs[0].0,
            ["INSERT companies", "INSERT employees", "INSERT companies", "UPDATE companies"]
        );
    }

    /// SEMANTICS 4.5: rows that are there already don't make a circle.
    async fn rule_4_5_a_link_to_a_row_that_exists_is_no_circle(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let company = session.add(Company::draft().name("Engines"));
        session.commit().await?;
        let chief = session.add(Employee::draft().name("Ada").company(company));
        company.chief(&mut session).set(chief);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT employees", "UPDATE companies"]);
        assert_eq!(session[company].chief_id, Some(session[chief].id()));
    }

    /// SEMANTICS 4.5: on delete, UPDATE to NULL first. The objects are gone afterwards.
    async fn rule_4_5_deleting_a_circle_of_rows_cuts_it_first(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let company = session.add(Company::draft().name("Engines"));
        let chief = session.add(Employee::draft().name("Ada").company(company));
        company.chief(&mut session).set(chief);
        session.commit().await?;
        session.delete(company);
        session.delete(chief);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["UPDATE companies", "DELETE employees", "DELETE companies"]
        );
        assert!(session.try_get(company).is_err());
        assert!(session.try_get(chief).is_err());
        assert_eq!(Company::select().count(&mut session).await?, 0);
        assert_eq!(Employee::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.5 and 1.3: a rollback brings the rows of the circle back, with their links.
    async fn rule_4_5_a_rolled_back_cut_is_undone_in_memory(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let company = session.add(Company::draft().name("Engines"));
        let chief = session.add(Employee::draft().name("Ada").company(company));
        company.chief(&mut session).set(chief);
        session.commit().await?;
        session.delete(company);
        session.delete(chief);
        session.flush().await?;
        assert!(session.try_get(company).is_err());
        session.rollback().await?;
        assert_eq!(session[company].chief_id, Some(session[chief].id()));
        session.flush().await?;
        assert_eq!(Company::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 4.5: circles within one table, of three rows.
    async fn rule_4_5_a_circle_within_one_table(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let [a, b, c] = ["a", "b", "c"].map(|name| session.add(Folder::draft().name(name)));
        for (child, parent) in [(a, b), (b, c), (c, a)] {
            child.parent(&mut session).set(parent);
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["INSERT folders", "INSERT folders", "INSERT folders", "UPDATE folders"]
        );
        for (child, parent) in [(a, b), (b, c), (c, a)] {
            assert_eq!(session[child].parent_id, Some(session[parent].id()));
        }
        [a, b, c].iter().for_each(|folder| session.delete(*folder));
        session.commit().await?;
        assert_eq!(Folder::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.5: `post_update` asks for the UPDATE where no circle does.
    async fn rule_4_5_post_update_always_updates(db) {
        db.create(&schema![Album, Photo]).await?;
        let mut session = db.session();
        let albums = [1, 2, 3].map(|at| {
            let cover = Photo::draft().file(format!("{at}.png"));
            session.add(Album::draft().title(format!("album {at}")).cover(cover))
        });
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT photos", "INSERT albums", "UPDATE albums"]);
        for album in albums {
            let cover = session.follow(album, Album::cover)?.unwrap();
            assert_eq!(session[album].cover_id, Some(cover.id()));
            assert_eq!(cover.file, session[album].title.replace("album ", "") + ".png");
        }
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 4.5: without an edge that can be NULL the error says which rows and columns, and
    /// nothing has happened. The user can help himself.
    async fn rule_4_5_a_circle_that_nothing_breaks_is_an_error_in_words(db) {
        db.create(&schema![Lock, Key]).await?;
        let mut session = db.session();
        let lock = session.add(Lock::draft().name("door"));
        let key = session.add(Key::draft().name("brass").lock(lock));
        lock.key(&mut session).set(key);
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Cycle(_)));
        let sentence = error.to_string();
        for word in ["locks.key_id", "keys.lock_id", "can be NULL"] {
            assert!(sentence.contains(word), "{sentence}");
        }
        assert_eq!(log.all(), [""; 0]);

        session.delete(key);
        session.delete(lock);
        session.commit().await?;
        assert_eq!(log.all(), [""; 0]);
    }

    /// SEMANTICS 4.5: keys that are each other's have no first value to begin with.
    async fn rule_4_5_keys_that_are_each_others_are_a_cycle(db) {
        db.create(&schema![Body, Soul]).await?;
        let mut session = db.session();
        let body = session.add(Body::draft());
        let soul = session.add(Soul::draft().body(body));
        body.soul(&mut session).set(soul);
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::Cycle(_)), "{error}");
    }
}
