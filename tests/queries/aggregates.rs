//! `columns`: tuples, aggregates, groups.

use orm_core::Error;
use orm_tests::backend_tests;

use super::models::{Article, Comment, Mood, Person, Tag, day, newsroom};

backend_tests! {
    /// DESIGN 6: one column, tuples, nested tuples, of up to twelve.
    async fn columns_become_tuples(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let ages: Vec<Option<i32>> =
            Person::select().order_by(Person::id.asc()).columns(Person::age).all(&mut session).await?;
        assert_eq!(ages, [Some(36), None, Some(17), Some(36)]);
        let nested: ((String, Mood), (i64, bool)) = Person::select()
            .filter(Person::name.eq("Cyd"))
            .columns(((Person::name, Person::mood), (Person::visits, Person::active)))
            .one(&mut session)
            .await?;
        assert_eq!(nested, (("Cyd".to_owned(), Mood::VeryHappy), (3, true)));
        let twelve = Person::select()
            .filter(Person::id.eq(1))
            .columns((
                Person::id,
                Person::name,
                Person::nick,
                Person::age,
                Person::visits,
                Person::score,
                Person::mood,
                Person::joined,
                Person::active,
                Person::boss_id,
                Person::id,
                Person::id + 1,
            ))
            .on(&db.engine)
            .one()
            .await?;
        assert_eq!(twelve.5, 1.5);
        assert_eq!(twelve.7, day(2001, 1, 1));
        assert_eq!((twelve.0, twelve.10, twelve.11), (1, 1, 2));
        assert_eq!(log.emitted(), ["SELECT people"; 3]);
    }

    /// DESIGN 6: aggregates over all rows, over none, and over NULLs.
    async fn aggregates_of_everything_and_of_nothing(db) {
        let mut session = newsroom(&db).await?;
        type Row = (i64, i64, i64, Option<i64>, Option<f64>, Option<i32>, Option<i32>);
        let ages = || {
            (
                Person::id.count(),
                Person::age.count(),
                Person::age.count_distinct(),
                Person::age.sum(),
                Person::age.avg(),
                Person::age.min(),
                Person::age.max(),
            )
        };
        let all: Row = Person::select().columns(ages()).one(&mut session).await?;
        let average = 89.0 / 3.0;
        assert_eq!(all, (4, 3, 2, Some(89), Some(average), Some(17), Some(36)));
        let nobody = Person::select().filter(Person::name.eq("Eve"));
        let none: Row = nobody.clone().columns(ages()).one(&mut session).await?;
        assert_eq!(none, (0, 0, 0, None, None, None, None));
        let zero = nobody.columns(Person::visits.sum().coalesce(0)).on(&db.engine).one().await?;
        assert_eq!(zero, 0);
        let (sum, average): (Option<f64>, Option<f64>) = Person::select()
            .columns((Person::score.sum(), Person::score.avg()))
            .on(&db.engine)
            .one()
            .await?;
        assert_eq!((sum, average), (Some(3.0), Some(0.75)));
        let (first, last) = Person::select()
            .columns((Person::joined.min(), Person::name.max()))
            .one(&mut session)
            .await?;
        assert_eq!((first, last.as_deref()), (Some(day(2001, 1, 1)), Some("Dee")));
        let computed: (Option<i64>, i64) = Person::select()
            .columns((
                (Person::visits * Person::id).sum() + 1,
                (Person::visits % 2).count_distinct() * 10,
            ))
            .one(&mut session)
            .await?;
        assert_eq!(computed, (Some(10 + 9 + 28 + 1), 20));
    }

    /// DESIGN 6: groups, of several columns and of expressions, ordered by aggregates.
    async fn groups(db) {
        let mut session = newsroom(&db).await?;
        let moods: Vec<(Mood, i64, Option<i64>)> = Person::select()
            .group_by(Person::mood)
            .order_by(Person::mood.asc())
            .columns((Person::mood, Person::id.count(), Person::visits.sum()))
            .all(&mut session)
            .await?;
        assert_eq!(moods, [(Mood::Calm, 2, Some(7)), (Mood::VeryHappy, 2, Some(13))]);
        let pairs = Person::select()
            .group_by((Person::mood, Person::active))
            .columns((Person::mood, Person::active, Person::id.count()));
        assert_eq!(pairs.clone().all(&mut session).await?.len(), 2);
        assert_eq!(pairs.count(&mut session).await?, 2);
        let ages: Vec<(Option<i32>, i64)> = Person::select()
            .group_by(Person::age)
            .columns((Person::age, Person::id.count()))
            .order_by((Person::id.count().desc(), Person::age.asc().nulls_first()))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(ages, [(Some(36), 2), (None, 1), (Some(17), 1)]);
        let parity: Vec<(i64, i64)> = Person::select()
            .group_by(Person::id % 2)
            .columns((Person::id % 2, Person::id.count()))
            .order_by((Person::id % 2).asc())
            .all(&mut session)
            .await?;
        assert_eq!(parity, [(0, 2), (1, 2)]);
    }

    /// DESIGN 6: `having` keeps groups, by aggregates and by columns, of joined models too.
    async fn having_keeps_groups(db) {
        let mut session = newsroom(&db).await?;
        let counted = || {
            Person::select()
                .join(Person::articles)
                .group_by((Person::id, Person::name))
                .order_by(Person::id.asc())
                .columns((Person::name, Article::id.count(), Article::words.max()))
        };
        let text = str::to_owned;
        assert_eq!(
            counted().all(&mut session).await?,
            [
                (text("Ada"), 2, Some(1000)),
                (text("Bob"), 1, Some(250)),
                (text("Cyd"), 1, Some(0)),
            ]
        );
        let several = counted().having(Article::id.count().gt(1));
        assert_eq!(several.clone().count(&mut session).await?, 1);
        assert_eq!(several.all(&mut session).await?[0].0, "Ada");
        let either = counted()
            .having(Article::id.count().gt(1) | Article::words.sum().eq(0))
            .having(Article::words.max().ge(0));
        assert_eq!(either.all(&mut session).await?.len(), 2);
        let filtered = counted().filter(Article::words.gt(0)).having(Person::name.ne("Ada"));
        assert_eq!(filtered.all(&mut session).await?, [(text("Bob"), 1, Some(250))]);
    }

    /// DESIGN 6: aggregates of a left join count nothing where there is no match.
    async fn aggregates_of_a_left_join(db) {
        let mut session = newsroom(&db).await?;
        let counts: Vec<(String, i64, Option<i64>)> = Person::select()
            .left_join(Person::articles)
            .group_by((Person::id, Person::name))
            .order_by(Person::id.asc())
            .columns((Person::name, Article::id.count(), Article::words.sum()))
            .all(&mut session)
            .await?;
        let counts: Vec<(&str, i64, Option<i64>)> =
            counts.iter().map(|(name, count, words)| (&**name, *count, *words)).collect();
        assert_eq!(
            counts,
            [("Ada", 2, Some(1250)), ("Bob", 1, Some(250)), ("Cyd", 1, Some(0)), ("Dee", 0, None)]
        );
        let tags: Vec<(String, i64, i64)> = Tag::select()
            .left_join(Tag::articles)
            .left_join(Article::comments)
            .group_by(Tag::name)
            .order_by(Tag::name.asc())
            .columns((Tag::name, Article::id.count_distinct(), Comment::id.count()))
            .on(&db.engine)
            .all()
            .await?;
        let text = str::to_owned;
        assert_eq!(tags, [(text("rust"), 2, 3), (text("sql"), 2, 2), (text("unused"), 0, 0)]);
    }

    /// DESIGN 6: the verbs of rows, with the errors of those of objects.
    async fn verbs_of_rows(db) {
        let mut session = newsroom(&db).await?;
        let named = |name: &'static str| Person::select().filter(Person::name.eq(name)).columns(Person::age);
        assert_eq!(named("Ada").one(&mut session).await?, Some(36));
        assert_eq!(named("Bob").one_or_none(&mut session).await?, Some(None));
        assert_eq!(named("Eve").one_or_none(&mut session).await?, None);
        assert_eq!(named("Eve").first(&mut session).await?, None);
        assert_eq!(named("Eve").on(&db.engine).first().await?, None);
        let error = named("Eve").one(&mut session).await.unwrap_err();
        assert!(matches!(&error, Error::NotFound { table, .. } if table == "people"), "{error}");
        let error = named("Eve").on(&db.engine).one().await.unwrap_err();
        assert!(matches!(&error, Error::NotFound { table, .. } if table == "people"), "{error}");
        let all = || Person::select().order_by(Person::id.desc()).columns(Person::name);
        for error in [
            all().one(&mut session).await.unwrap_err(),
            all().one_or_none(&mut session).await.unwrap_err(),
            all().on(&db.engine).one().await.unwrap_err(),
        ] {
            assert!(matches!(&error, Error::MultipleFound { table } if table == "people"), "{error}");
        }
        assert_eq!(all().first(&mut session).await?.as_deref(), Some("Dee"));
        assert_eq!(all().on(&db.engine).first().await?.as_deref(), Some("Dee"));
    }

    /// DESIGN 6: an aggregate of all rows beside a column of each is said before any SQL: databases
    /// would refuse it, or take the column of any row.
    async fn an_aggregate_beside_a_column_needs_a_group(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let query = || Person::select().columns((Person::name, Person::id.count()));
        let mixed = query().all(&mut session).await;
        let Err(Error::Misuse(sentence)) = mixed else { panic!("{mixed:?}") };
        assert!(sentence.contains("`group_by`"), "{sentence}");
        assert!(matches!(query().on(&db.engine).all().await, Err(Error::Misuse(_))));
        assert!(log.emitted().is_empty());
        let total = Person::select().columns(Person::visits.sum()).scalar();
        let beside = Person::select().columns((Person::name, total)).all(&mut session).await?;
        assert_eq!(beside[0], ("Ada".to_owned(), Some(20)));
    }
}
