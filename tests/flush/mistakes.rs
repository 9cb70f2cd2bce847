//! What a flush finds wrong before any SQL leaves everything as it was.

use orm_core::session::ObjectState;
use orm_core::{Error, schema};
use orm_tests::backend_tests;

use crate::models::{Company, Country, Employee, Harbour, Visa};
use crate::models::{Passport, Person};

backend_tests! {
    /// A required parent that was never given: the error names the relationship.
    async fn a_missing_parent_names_the_relationship(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let company = session.add(Company::draft().name("Engines"));
        let ada = session.add(Employee::draft().name("Ada"));
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        match &error {
            Error::MissingForeignKey { table, column, relationship } => {
                assert_eq!((&**table, &**column), ("employees", "company_id"));
                assert_eq!(&**relationship, "Employee::company");
            }
            other => panic!("{other}"),
        }
        assert!(error.to_string().contains("`Employee::company`"), "{error}");
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session.state(ada), ObjectState::Pending);
        assert_eq!(session.state(company), ObjectState::Pending);

        ada.company(&mut session).set(company);
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT companies", "INSERT employees"]);
        assert_eq!(session[ada].company_id, session[company].id());
    }

    /// The same where there is no relationship to name.
    async fn a_missing_parent_without_a_relationship(db) {
        db.create(&schema![Person, Passport, Visa]).await?;
        let mut session = db.session();
        let visa = session.add(Visa::draft().country("no"));
        let error = session.flush().await.unwrap_err();
        assert!(matches!(error, Error::MissingForeignKey { .. }), "{error}");
        // Setting the column is the other way out.
        let person = session.add(Person::draft().name("Ada").passport(
            Passport::draft().number("7"),
        ));
        session.delete(visa);
        session.commit().await?;
        let id = session[person].id();
        session.add(Visa::draft().country("no").passport_id(id));
        session.commit().await?;
        assert_eq!(Visa::select().count(&mut session).await?, 1);
    }

    /// Of a parent that is removed again, for a row that exists: the row is as before.
    async fn a_required_parent_that_is_taken_away(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let company = session.add(Company::draft().name("Engines"));
        let ada = session.add(Employee::draft().name("Ada").company(company));
        session.commit().await?;
        company.employees(&mut session).remove(ada);
        session[ada].name = "Augusta".into();
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::MissingForeignKey { .. }), "{error}");
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session[ada].name, "Augusta");
        company.employees(&mut session).push(ada);
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE employees"]);
        assert_eq!(session[ada].company_id, session[company].id());
    }

    /// Deleting a parent whose children can't be without one: the sentence names the ways out, of
    /// which one is taken.
    async fn a_parent_that_children_need(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let norway = session.add(Country::draft().code("no").name("Norway"));
        let bergen = session.add(Harbour::draft().name("Bergen").country(norway));
        session.commit().await?;
        session.delete(norway);
        let log = db.log();
        let sentence = session.commit().await.unwrap_err().to_string();
        for words in ["countries", "harbours.country_code", "not nullable", "delete-orphan"] {
            assert!(sentence.contains(words), "{sentence}");
        }
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session[norway].name, "Norway");

        let sweden = session.add(Country::draft().code("se").name("Sweden"));
        bergen.country(&mut session).set(sweden);
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["INSERT countries", "UPDATE harbours", "DELETE countries"]
        );
    }

    /// A whole entity in the place of another would bring its key along.
    async fn swapped_entities(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let [a, b] = ["a", "b"].map(|name| session.add(Company::draft().name(name)));
        session.commit().await?;
        let [first, second] = session.get_disjoint_mut([a, b]);
        std::mem::swap(first, second);
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error}");
        assert_eq!(log.all(), [""; 0]);
        session.rollback().await?;
        assert_eq!((&*session[a].name, &*session[b].name), ("a", "b"));
    }

    /// An error of a statement, of which there were others before: the database has nothing of
    /// the flush, and memory keeps its edits until the rollback.
    async fn a_failed_statement_keeps_memory_until_the_rollback(db) {
        db.create(&schema![Country, Harbour, Company, Employee]).await?;
        let mut session = db.session();
        session.add(Company::draft().name("Engines"));
        let norway = session.add(Country::draft().code("no").name("Norway"));
        let again = session.add(Country::draft().code("no").name("Norge"));
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert_eq!(log.all(), ["BEGIN", "INSERT companies", "INSERT countries", "ROLLBACK"]);
        assert_eq!(session[norway].name, "Norway");
        assert!(matches!(session.flush().await, Err(Error::RollbackRequired { .. })));
        session.rollback().await?;
        assert!(session.try_get(again).is_err());
        assert_eq!(session.take(norway)?.name, "Norway");
        assert_eq!(Company::select().count(&mut session).await?, 0);
        assert_eq!(Country::select().count(&mut session).await?, 0);
    }
}
