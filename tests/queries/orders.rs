//! Orders, limits, offsets and distinct rows.

use orm_core::Result;
use orm_core::query::{Order, Select};
use orm_tests::{Database, backend_tests};

use super::models::{Article, Person, newsroom};

async fn names_of(db: &Database, query: Select<Person>) -> Result<Vec<String>> {
    query.columns(Person::name).on(&db.engine).all().await
}

backend_tests! {
    /// DESIGN 6: several orders, each deciding where the one before finds rows equal.
    async fn orders_decide_one_after_the_other(db) {
        newsroom(&db).await?;
        let by = |orders: Vec<Order<Person>>| Person::select().order_by(orders);
        let asc = names_of(&db, by(vec![Person::visits.asc()])).await?;
        assert_eq!(asc, ["Bob", "Cyd", "Dee", "Ada"]);
        let desc = names_of(&db, by(vec![Person::visits.desc()])).await?;
        assert_eq!(desc, ["Ada", "Dee", "Cyd", "Bob"]);
        let both = by(vec![Person::active.desc(), Person::name.desc()]);
        assert_eq!(names_of(&db, both).await?, ["Cyd", "Ada", "Dee", "Bob"]);
        let chained = Person::select().order_by(Person::active.asc()).order_by(Person::name.asc());
        assert_eq!(names_of(&db, chained).await?, ["Bob", "Dee", "Ada", "Cyd"]);
        let computed = Person::select().order_by(((Person::visits % 5).asc(), Person::id.desc()));
        assert_eq!(names_of(&db, computed).await?, ["Bob", "Ada", "Dee", "Cyd"]);
        let reversed = by(vec![Person::visits.asc().reverse()]);
        assert_eq!(names_of(&db, reversed).await?, ["Ada", "Dee", "Cyd", "Bob"]);
        assert_eq!(names_of(&db, by(Vec::new()).filter(Person::id.eq(2))).await?, ["Bob"]);
    }

    /// DESIGN 6: NULLs stand where they are told to, in both directions.
    async fn nulls_stand_where_they_are_told(db) {
        newsroom(&db).await?;
        let by = |order: Order<Person>| Person::select().order_by((order, Person::id.asc()));
        assert_eq!(
            names_of(&db, by(Person::age.asc().nulls_last())).await?,
            ["Cyd", "Ada", "Dee", "Bob"]
        );
        assert_eq!(
            names_of(&db, by(Person::age.asc().nulls_first())).await?,
            ["Bob", "Cyd", "Ada", "Dee"]
        );
        assert_eq!(
            names_of(&db, by(Person::age.desc().nulls_first())).await?,
            ["Bob", "Ada", "Dee", "Cyd"]
        );
        assert_eq!(
            names_of(&db, by(Person::age.desc().nulls_last())).await?,
            ["Ada", "Dee", "Cyd", "Bob"]
        );
        assert_eq!(
            names_of(&db, by(Person::age.asc().nulls_last().reverse())).await?,
            ["Ada", "Dee", "Cyd", "Bob"]
        );
    }

    /// DESIGN 6: where they are told nothing, they stand where the database puts them: together,
    /// at one end, and at the other when the order is turned round.
    async fn nulls_stand_together(db) {
        newsroom(&db).await?;
        let ages = async |order: Order<Person>| {
            Person::select().order_by(order).columns(Person::age).on(&db.engine).all().await
        };
        let (first, last) = match db.capabilities.nulls_first {
            true => ([None, Some(17), Some(36), Some(36)], [Some(36), Some(36), Some(17), None]),
            false => ([Some(17), Some(36), Some(36), None], [None, Some(36), Some(36), Some(17)]),
        };
        assert_eq!(ages(Person::age.asc()).await?, first);
        assert_eq!(ages(Person::age.desc()).await?, last);
    }

    /// DESIGN 6: limits and offsets, of nothing and beyond the end too, and what they count.
    async fn limits_and_offsets(db) {
        let mut session = newsroom(&db).await?;
        let ordered = || Person::select().order_by(Person::id.asc());
        assert_eq!(names_of(&db, ordered().limit(2)).await?, ["Ada", "Bob"]);
        assert_eq!(names_of(&db, ordered().limit(2).offset(1)).await?, ["Bob", "Cyd"]);
        assert_eq!(names_of(&db, ordered().offset(3)).await?, ["Dee"]);
        assert_eq!(names_of(&db, ordered().limit(0)).await?, [""; 0]);
        assert_eq!(names_of(&db, ordered().offset(9)).await?, [""; 0]);
        assert_eq!(names_of(&db, ordered().limit(u64::MAX)).await?.len(), 4);
        assert_eq!(names_of(&db, ordered().limit(3).limit(1)).await?, ["Ada"]);
        assert_eq!(ordered().limit(2).offset(3).count(&mut session).await?, 1);
        assert_eq!(ordered().limit(0).count(&mut session).await?, 0);
        assert!(!ordered().limit(0).exists(&mut session).await?);
        assert!(ordered().offset(3).exists(&mut session).await?);
        assert!(!ordered().offset(4).exists(&mut session).await?);
        // `first` and `one` keep to a limit that is there.
        assert!(ordered().limit(0).first(&mut session).await?.is_none());
        assert!(ordered().limit(1).one(&mut session).await.is_ok());
        let third = ordered().offset(2).first(&mut session).await?.expect("a third");
        assert_eq!(session[third].name, "Cyd");
    }

    /// DESIGN 6: distinct rows, of objects and of columns, NULL being one value.
    async fn equal_rows_come_once(db) {
        let mut session = newsroom(&db).await?;
        let ages = || Person::select().distinct().columns(Person::age).order_by(Person::age.asc().nulls_first());
        assert_eq!(ages().all(&mut session).await?, [None, Some(17), Some(36)]);
        assert_eq!(ages().count(&mut session).await?, 3);
        assert_eq!(ages().limit(2).count(&mut session).await?, 2);
        let pairs = Person::select().distinct().columns((Person::active, Person::mood));
        assert_eq!(pairs.on(&db.engine).count().await?, 2);
        let authors = Person::select().join(Person::articles).distinct().order_by(Person::id.asc());
        assert_eq!(authors.clone().offset(2).all(&mut session).await?.len(), 1);
        assert_eq!(authors.clone().offset(2).count(&mut session).await?, 1);
        assert!(!authors.offset(3).exists(&mut session).await?);
        let words = Article::select().distinct().columns(Article::words).order_by(Article::words.desc());
        assert_eq!(words.all(&mut session).await?, [1000, 250, 0]);
    }
}
