//! Set operations: unions and their like, of rows and of objects.

use orm_core::{Error, Row};
use orm_tests::backend_tests;

use super::models::{Article, Mood, Person, Tag, newsroom};

#[derive(Row, Debug, PartialEq)]
struct Named {
    kind: i64,
    name: String,
}

fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort();
    rows
}

backend_tests! {
    /// DESIGN 6: the four operations, each meaning the same everywhere.
    async fn operations_of_rows(db) {
        let mut session = newsroom(&db).await?;
        let words = || Article::select().columns(Article::words);
        let ages = || Person::select().filter(Person::age.is_not_null()).columns(Person::visits);
        let large = || Article::select().filter(Article::words.gt(0)).columns(Article::words);
        assert_eq!(sorted(words().union(large()).all(&mut session).await?), [0, 250, 1000]);
        let all = words().union_all(large()).on(&db.engine).all().await?;
        assert_eq!(sorted(all), [0, 250, 250, 250, 250, 1000, 1000]);
        assert_eq!(sorted(words().intersect(large()).all(&mut session).await?), [250, 1000]);
        assert_eq!(words().except(large()).all(&mut session).await?, [0]);
        assert_eq!(words().union(large()).count(&mut session).await?, 3);
        assert!(ages().union(ages()).exists(&mut session).await?);
        let nulls = Person::select().columns(Person::age);
        let ages: Vec<Option<i32>> = nulls.clone().union(nulls).all(&mut session).await?;
        assert_eq!(sorted(ages), [None, Some(17), Some(36)]);
    }

    /// DESIGN 6: orders and limits count for each operand, and behind for all.
    async fn operands_keep_their_limits(db) {
        let mut session = newsroom(&db).await?;
        let top = |limit| {
            Article::select().order_by(Article::words.desc()).limit(limit).columns(Article::words)
        };
        let least = || Article::select().order_by(Article::words.asc()).limit(1).columns(Article::words);
        assert_eq!(sorted(top(1).union_all(least()).all(&mut session).await?), [0, 1000]);
        let limited = top(1).union_all(least()).limit(1).all(&mut session).await?;
        assert_eq!(limited.len(), 1);
        let offset = top(1).union_all(least()).limit(5).offset(1).all(&mut session).await?;
        assert_eq!(offset.len(), 1);
    }

    /// DESIGN 6: operations nest from the left, whatever a database binds closer.
    async fn operations_nest_from_the_left(db) {
        let mut session = newsroom(&db).await?;
        let ids = |least: i64, most: i64| {
            Person::select().filter(Person::id.between(least, most)).columns(Person::id)
        };
        let left = ids(1, 2).union(ids(3, 4)).intersect(ids(4, 4));
        assert_eq!(left.all(&mut session).await?, [4]);
        let right = ids(1, 2).union(ids(3, 4).intersect(ids(4, 4)));
        assert_eq!(sorted(right.all(&mut session).await?), [1, 2, 4]);
        let left = ids(1, 4).except(ids(2, 3)).except(ids(1, 1));
        assert_eq!(left.all(&mut session).await?, [4]);
        let twice = ids(1, 1).union_all(ids(1, 1)).union(ids(1, 1));
        assert_eq!(twice.all(&mut session).await?, [1]);
        let thrice = ids(1, 1).union(ids(1, 1)).union_all(ids(1, 1));
        assert_eq!(thrice.all(&mut session).await?, [1, 1]);
    }

    /// DESIGN 6: as a subquery a union is ordered, filtered and joined, with its types.
    async fn a_union_is_a_subquery(db) {
        let mut session = newsroom(&db).await?;
        let people = Person::select().columns((Person::id * 0, Person::name));
        let tags = Tag::select().columns((Tag::id * 0 + 1, Tag::name));
        let rows: Vec<Named> = people
            .union(tags)
            .subquery::<Named>()
            .select()
            .filter(Named::name.ne("unused"))
            .order_by((Named::kind.desc(), Named::name.desc()))
            .limit(3)
            .rows()
            .all(&mut session)
            .await?;
        let row = |kind, name: &str| Named { kind, name: name.into() };
        assert_eq!(rows, [row(1, "sql"), row(1, "rust"), row(0, "Dee")]);
        let moods = |mood| Person::select().filter(Person::mood.eq(mood)).columns(Person::mood);
        let both = moods(Mood::Calm).union(moods(Mood::VeryHappy)).all(&mut session).await?;
        assert_eq!(both.len(), 2);
        assert!(both.contains(&Mood::Calm) && both.contains(&Mood::VeryHappy));
    }

    /// DESIGN 6: a union of objects is a query of objects, with orders, limits and loaders.
    async fn operations_of_objects(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let elder = || Person::select().order_by(Person::joined.asc()).limit(2);
        let newest = Person::select().order_by(Person::joined.desc()).limit(1);
        let people = elder()
            .union(newest)
            .filter(Person::name.ne("Bob"))
            .order_by(Person::name.desc())
            .with(Person::articles)
            .all(&mut session)
            .await?;
        let names: Vec<&str> = people.iter().map(|person| &*session[*person].name).collect();
        assert_eq!(names, ["Dee", "Ada"]);
        assert_eq!(session.members(people[1], Person::articles)?.count(), 2);
        assert_eq!(log.emitted(), ["SELECT people", "SELECT articles"]);

        let happy = || Person::select().filter(Person::mood.eq(Mood::VeryHappy));
        let query = elder().intersect(happy());
        assert_eq!(query.clone().count(&mut session).await?, 1);
        assert_eq!(query.on(&db.engine).one().await?.name, "Ada");
        let rest = elder().except(happy()).limit(5).all(&mut session).await?;
        assert_eq!(session[rest[0]].name, "Bob");
        let joined: Vec<(String, String)> = elder()
            .union(happy())
            .join(Person::articles)
            .filter(Article::words.lt(300))
            .order_by(Article::id.asc())
            .columns((Person::name, Article::title))
            .all(&mut session)
            .await?;
        assert_eq!(joined.len(), 3);
        let page = elder().union(happy()).on(&db.engine).page(2, 2).await?;
        assert_eq!((page.total, page.items.len()), (3, 1));
        let joined = elder().union(happy()).with(Person::articles.joined()).limit(2);
        assert_eq!(joined.order_by(Person::id.asc()).all(&mut session).await?.len(), 2);
    }

    /// DESIGN 6: the rows of a union can't be locked, which is said before any SQL.
    async fn a_union_is_not_locked(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let both = Person::select().union(Person::select()).for_update().all(&mut session).await;
        assert!(matches!(both, Err(Error::Misuse(_))), "{both:?}");
        let operand = Person::select().for_update().union(Person::select());
        let operand = operand.all(&mut session).await;
        assert!(matches!(operand, Err(Error::Misuse(_))), "{operand:?}");
        assert!(log.emitted().is_empty());
    }
}
