//! Conditions combine, and bind as Rust's operators do.

use orm_core::query::{Condition, all_of, any_of};
use orm_tests::backend_tests;

use super::models::{Article, Person, names, newsroom};

backend_tests! {
    /// DESIGN 6: `&`, `|` and `!` mean in SQL what they mean in Rust.
    async fn operators_bind_as_in_rust(db) {
        newsroom(&db).await?;
        let ada = || Person::name.eq("Ada");
        let bob = || Person::name.eq("Bob");
        let active = || Person::active.eq(true);
        assert_eq!(names(&db, ada() | bob() & active()).await?, ["Ada"]);
        assert_eq!(names(&db, bob() | ada() & active()).await?, ["Ada", "Bob"]);
        assert_eq!(names(&db, (ada() | bob()) & active()).await?, ["Ada"]);
        assert_eq!(names(&db, !(ada() | bob())).await?, ["Cyd", "Dee"]);
        assert_eq!(names(&db, !ada() & !bob()).await?, ["Cyd", "Dee"]);
        assert_eq!(names(&db, !(ada() & active())).await?, ["Bob", "Cyd", "Dee"]);
        assert_eq!(names(&db, !!ada()).await?, ["Ada"]);
        assert_eq!(names(&db, !(!ada() & active())).await?, ["Ada", "Bob", "Dee"]);
    }

    /// DESIGN 6: conditions are built in loops, which may have nothing to add.
    async fn conditions_are_built_in_loops(db) {
        newsroom(&db).await?;
        assert_eq!(names(&db, Condition::all()).await?.len(), 4);
        assert_eq!(names(&db, Condition::none()).await?, [""; 0]);
        assert_eq!(names(&db, !Condition::none()).await?.len(), 4);
        assert_eq!(names(&db, !Condition::all()).await?, [""; 0]);
        let mut wanted = Condition::none();
        for letter in ["A", "D"] {
            wanted |= Person::name.starts_with(letter);
        }
        assert_eq!(names(&db, wanted).await?, ["Ada", "Dee"]);
        let mut wanted = Condition::all();
        for letter in ["d", "e"] {
            wanted &= Person::name.lower().contains(letter);
        }
        assert_eq!(names(&db, wanted).await?, ["Dee"]);
        // Longer than any database's limit on the depth of an expression.
        let mut wanted = Condition::none();
        for id in 0..5_000 {
            wanted |= Person::id.eq(id + 3);
        }
        assert_eq!(names(&db, wanted).await?, ["Cyd", "Dee"]);
    }

    /// DESIGN 6: several filters must all hold, whatever is inside them.
    async fn several_filters_must_all_hold(db) {
        let mut session = newsroom(&db).await?;
        let query = Person::select()
            .filter(Person::name.eq("Ada") | Person::name.eq("Bob"))
            .filter(Person::active.eq(false) | Person::active.eq(true))
            .filter(Person::age.is_null());
        let bob = query.one(&mut session).await?;
        assert_eq!(session[bob].name, "Bob");
    }

    /// DESIGN 6: `any_of` and `all_of` combine conditions of several models.
    async fn conditions_of_several_models_combine(db) {
        let mut session = newsroom(&db).await?;
        let joined = || Person::select().join(Person::articles).order_by(Article::id.asc());
        let either: Vec<String> = joined()
            .filter(any_of((Person::name.eq("Cyd"), Article::words.gt(500))))
            .columns(Article::title)
            .all(&mut session)
            .await?;
        assert_eq!(either, ["On Engines", "Silence"]);
        let both: Vec<String> = joined()
            .filter(all_of((Person::name.eq("Ada"), Article::words.lt(500))))
            .columns(Article::title)
            .all(&mut session)
            .await?;
        assert_eq!(both, ["On Numbers"]);
        let nested = any_of((
            all_of((Person::name.eq("Ada"), Article::words.lt(500))),
            all_of((Person::name.eq("Cyd"), Article::words.eq(0))),
        ));
        let nested: Vec<String> =
            joined().filter(nested).columns(Article::title).on(&db.engine).all().await?;
        assert_eq!(nested, ["On Numbers", "Silence"]);
        let one_model = any_of(["Bob", "Dee"].map(|name| Person::name.eq(name)));
        assert_eq!(names(&db, one_model).await?, ["Bob", "Dee"]);
        assert_eq!(names(&db, any_of(Vec::<Condition<Person>>::new())).await?, [""; 0]);
        assert_eq!(names(&db, all_of(Vec::<Condition<Person>>::new())).await?.len(), 4);
    }
}
