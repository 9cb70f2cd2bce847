//! Patterns and functions of text.

use orm_tests::backend_tests;

use super::models::{Person, Tag, day, names, newsroom, tables};

backend_tests! {
    /// DESIGN 6: `like` takes the wildcards of SQL, goes by case, and escapes with `!`.
    async fn patterns_go_by_case(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::name.like("_d_")).await?, ["Ada"]);
        assert_eq!(names(&db, Person::name.like("%d%")).await?, ["Ada", "Cyd"]);
        assert_eq!(names(&db, Person::name.like("ada")).await?, [""; 0]);
        assert_eq!(names(&db, Person::nick.like("%!%!!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.like("__!_%")).await?, ["Bob"]);
        assert_eq!(names(&db, !Person::nick.like("%A")).await?, ["Bob", "Cyd"]);
    }

    /// DESIGN 6: a text to look for is taken literally, wildcards and escapes included.
    async fn needles_are_literal(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Person::nick.contains("%")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.contains("_")).await?, ["Bob"]);
        assert_eq!(names(&db, Person::nick.contains("!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.contains("%!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.contains("")).await?, ["Bob", "Cyd", "Dee"]);
        assert_eq!(names(&db, Person::nick.starts_with("50%")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.starts_with("b_")).await?, [""; 0]);
        assert_eq!(names(&db, Person::nick.ends_with("!")).await?, ["Cyd"]);
        assert_eq!(names(&db, Person::nick.ends_with("_b")).await?, ["Bob"]);
        assert_eq!(names(&db, Person::name.starts_with("a")).await?, [""; 0]);
        assert_eq!(names(&db, Person::name.ends_with("A")).await?, [""; 0]);
        assert_eq!(names(&db, Person::name.contains("D")).await?, ["Dee"]);
    }

    /// Issue 3, item 2: two texts are equal if they are the same characters, to `eq`, to lists, to
    /// unique columns, to groups and to joins alike, whatever the database would do by itself.
    async fn equality_is_exact(db) {
        const TEXTS: [&str; 12] =
            ["a", "A", "a ", " a", "\ta", "á", "a\u{301}", "ａ", "ß", "ss", "", " "];
        db.create(&tables()).await?;
        let mut session = db.session();
        session.add_all(TEXTS.map(|name| Tag::draft().name(name)));
        session.add_all(TEXTS.map(|name| Person::draft().name(name).joined(day(2000, 1, 1))));
        session.commit().await?;
        for text in TEXTS {
            let found = Tag::select().filter(Tag::name.eq(text)).columns(Tag::name);
            assert_eq!(found.all(&mut session).await?, [text]);
            let found = Tag::select().filter(Tag::name.in_([text, "b"])).columns(Tag::name);
            assert_eq!(found.all(&mut session).await?, [text]);
            assert_eq!(Tag::select().filter(Tag::name.ne(text)).count(&mut session).await?, 11);
            assert_eq!(names(&db, Person::name.eq(text)).await?, [text]);
        }
        let distinct = Person::select().columns(Person::name.count_distinct());
        assert_eq!(distinct.one(&mut session).await?, 12);
        let groups = Tag::select().group_by(Tag::name).columns((Tag::name, Tag::id.count()));
        assert_eq!(groups.all(&mut session).await?.len(), 12);
        let found = session.find_or_add(Tag::name, TEXTS, |name| Tag::draft().name(name)).await?;
        assert_eq!(found.len(), 12);
        assert_eq!(Tag::select().count(&mut session).await?, 12);
    }

    /// DESIGN 6: functions of text, NULL staying NULL.
    async fn functions_of_text(db) {
        let mut session = newsroom(&db).await?;
        assert_eq!(names(&db, Person::nick.lower().eq("ada")).await?, ["Dee"]);
        assert_eq!(names(&db, Person::name.upper().eq("ADA")).await?, ["Ada"]);
        assert_eq!(names(&db, Person::nick.length().gt(3)).await?, ["Bob", "Cyd"]);
        assert_eq!(names(&db, Person::name.eq(Person::nick.coalesce("Ada"))).await?, ["Ada"]);
        assert_eq!(names(&db, Person::nick.eq(Person::name.upper())).await?, [""; 0]);
        type Row = (String, Option<String>, Option<i64>, i64, String);
        let rows: Vec<Row> = Person::select()
            .order_by(Person::id.asc())
            .limit(2)
            .columns((
                Person::name.concat("@").concat(Person::name.lower()),
                Person::name.concat(" ").concat(Person::nick),
                Person::nick.length(),
                Person::name.length(),
                Person::nick.coalesce("-"),
            ))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(
            rows,
            [
                (text("Ada@ada"), None, None, 3, text("-")),
                (text("Bob@bob"), Some(text("Bob bo_b")), Some(4), 3, text("bo_b")),
            ]
        );
    }
}
