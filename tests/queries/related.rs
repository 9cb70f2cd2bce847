//! Conditions about related rows.

use orm_tests::backend_tests;

use super::models::{Article, Comment, Person, Tag, names, newsroom, titles};

backend_tests! {
    /// DESIGN 6: `any` asks about members, `has` about the row that a reference leads to.
    async fn any_and_has(db) {
        newsroom(&db).await?;
        let engines = || Article::title.contains("Engines");
        assert_eq!(names(&db, Person::articles.any(engines())).await?, ["Ada", "Bob"]);
        assert_eq!(names(&db, !Person::articles.any(engines())).await?, ["Cyd", "Dee"]);
        assert_eq!(names(&db, Person::edited.any(engines())).await?, ["Ada", "Bob"]);
        assert_eq!(
            names(&db, Person::articles.any(engines() & Article::words.lt(500))).await?,
            ["Bob"]
        );
        assert_eq!(names(&db, Person::articles.exists()).await?, ["Ada", "Bob", "Cyd"]);
        assert_eq!(names(&db, !Person::articles.exists()).await?, ["Dee"]);
        let by = |name: &str| Article::author.has(Person::name.eq(name));
        assert_eq!(titles(&db, by("Ada")).await?, ["On Engines", "On Numbers"]);
        assert_eq!(
            titles(&db, by("Ada") & Article::editor.has(Person::name.eq("Bob"))).await?,
            ["On Engines"]
        );
        assert_eq!(titles(&db, !Article::editor.exists()).await?, ["On Numbers", "Silence"]);
        assert_eq!(
            titles(&db, !Article::editor.has(Person::name.eq("Bob"))).await?,
            ["On Numbers", "Engines again", "Silence"]
        );
    }

    /// DESIGN 6: through an association table, with and without a condition.
    async fn any_through_an_association(db) {
        let mut session = newsroom(&db).await?;
        let tagged = |name: &str| Article::tags.any(Tag::name.eq(name));
        assert_eq!(titles(&db, tagged("rust")).await?, ["On Engines", "Engines again"]);
        assert_eq!(titles(&db, tagged("rust") & tagged("sql")).await?, ["On Engines"]);
        assert_eq!(titles(&db, !tagged("sql")).await?, ["Engines again", "Silence"]);
        assert_eq!(titles(&db, tagged("unused")).await?, [""; 0]);
        assert_eq!(titles(&db, !Article::tags.exists()).await?, ["Silence"]);
        let unused = Tag::select().filter(!Tag::articles.exists()).one(&mut session).await?;
        assert_eq!(session[unused].name, "unused");
        let by_bob = Tag::articles.any(Article::author.has(Person::name.eq("Bob")));
        let rust = Tag::select().filter(by_bob).one(&mut session).await?;
        assert_eq!(session[rust].name, "rust");
    }

    /// DESIGN 6: conditions nest, each about its own rows.
    async fn conditions_nest(db) {
        newsroom(&db).await?;
        let commented = Person::articles.any(Article::comments.any(Comment::body.eq("wrong")));
        assert_eq!(names(&db, commented).await?, ["Ada"]);
        // The author of an article that the person edited: three occurrences of two tables.
        let edited = Person::edited.any(Article::author.has(Person::name.eq("Bob")));
        assert_eq!(names(&db, edited).await?, ["Ada"]);
        let deep = Person::articles.any(
            Article::tags.any(Tag::name.eq("rust")) & !Article::comments.any(Comment::body.eq("wrong")),
        );
        assert_eq!(names(&db, deep).await?, ["Bob"]);
    }

    /// DESIGN 6: a relationship of a table to itself asks about other rows than its own.
    async fn self_references(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::boss.has(Person::name.eq("Ada"))).await?, ["Bob", "Cyd"]);
        assert_eq!(names(&db, Person::reports.any(Person::name.eq("Dee"))).await?, ["Bob"]);
        assert_eq!(names(&db, !Person::boss.exists()).await?, ["Ada"]);
        assert_eq!(names(&db, Person::reports.exists()).await?, ["Ada", "Bob"]);
        let grand = Person::boss.has(Person::boss.has(Person::name.eq("Ada")));
        assert_eq!(names(&db, grand).await?, ["Dee"]);
        let grand = Person::reports.any(Person::reports.any(Person::age.eq(36)));
        assert_eq!(names(&db, grand).await?, ["Ada"]);
        let siblings = Person::boss.has(Person::reports.any(Person::name.eq("Cyd")));
        assert_eq!(names(&db, siblings).await?, ["Bob", "Cyd"]);
    }

    /// DESIGN 6: inside a join the condition is about the joined model's own rows.
    async fn conditions_on_joined_models(db) {
        let mut session = newsroom(&db).await?;
        let found: Vec<(String, String)> = Person::select()
            .join(Person::articles)
            .filter(Article::comments.exists() & Article::editor.has(Person::name.eq("Ada")))
            .filter(!Person::boss.has(Person::name.eq("Bob")))
            .columns((Person::name, Article::title))
            .all(&mut session)
            .await?;
        assert_eq!(found, [("Bob".to_owned(), "Engines again".to_owned())]);
    }
}
