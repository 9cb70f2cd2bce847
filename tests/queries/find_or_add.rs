//! `find_or_add`: what is there is found, what is missing is added, in the order asked for.

use orm_tests::backend_tests;

use super::models::{Tag, newsroom};

backend_tests! {
    /// SEMANTICS 12.4: handles in input order, duplicates folded.
    async fn rule_12_4_finds_and_adds_in_input_order(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let wanted = ["new", "sql", "new", "rust", "other", "sql"];
        let tags =
            session.find_or_add(Tag::name, wanted, |name| Tag::draft().name(name)).await?;
        assert_eq!(log.emitted(), ["SELECT tags"]);
        let names: Vec<&str> = tags.iter().map(|tag| &*session[*tag].name).collect();
        assert_eq!(names, ["new", "sql", "rust", "other"]);
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT tags"]);
        assert_eq!(Tag::select().count(&mut session).await?, 5);
        let again =
            session.find_or_add(Tag::name, wanted, |name| Tag::draft().name(name)).await?;
        assert_eq!(again, tags);
        session.commit().await?;
        assert_eq!(Tag::select().count(&mut session).await?, 5);
    }

    /// SEMANTICS 12.4: of nothing it asks nothing.
    async fn rule_12_4_of_nothing_asks_nothing(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let none = session
            .find_or_add(Tag::name, Vec::<String>::new(), |name| Tag::draft().name(name))
            .await?;
        assert_eq!(none, []);
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 12.4: what an earlier call added is found, flushed or not.
    async fn rule_12_4_finds_what_is_pending(db) {
        let mut session = newsroom(&db).await?;
        let first = session.find_or_add(Tag::name, ["new"], |name| Tag::draft().name(name)).await?;
        let second =
            session.find_or_add(Tag::name, ["new", "newer"], |name| Tag::draft().name(name)).await?;
        assert_eq!(first[0], second[0]);
        session.commit().await?;
        assert_eq!(Tag::select().count(&mut session).await?, 5);
    }
}
