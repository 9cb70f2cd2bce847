//! Aliases: a table joined to itself, one table by two relationships, tables without a relationship.

use orm_core::Error;
use orm_core::query::{all_of, entity};
use orm_tests::backend_tests;

use super::models::{Article, Person, Tag, newsroom};

/// Names of further uses of a model.
struct Boss;
struct Chief;
struct Editor;
struct Other;

fn texts<const N: usize>(rows: [(&str, &str); N]) -> Vec<(String, String)> {
    rows.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec()
}

backend_tests! {
    /// DESIGN 6: a table joined to itself, to any depth, in one statement.
    async fn a_table_is_joined_to_itself(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let led = Person::select()
            .join(Person::boss.to::<Boss>())
            .order_by(Person::id.asc())
            .columns((Person::name, Person::name.of::<Boss>()));
        let expected = texts([("Bob", "Ada"), ("Cyd", "Ada"), ("Dee", "Bob")]);
        assert_eq!(led.clone().all(&mut session).await?, expected);
        assert_eq!(led.on(&db.engine).all().await?, expected);
        assert_eq!(log.emitted(), ["SELECT people", "SELECT people"]);

        let rows: Vec<(String, Option<String>, Option<String>)> = Person::select()
            .left_join(Person::boss.to::<Boss>())
            .left_join(Person::boss.of::<Boss>().to::<Chief>())
            .order_by(Person::id.asc())
            .columns((Person::name, Person::name.of::<Boss>(), Person::name.of::<Chief>()))
            .all(&mut session)
            .await?;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            rows,
            [
                ("Ada".to_owned(), None, None),
                ("Bob".to_owned(), text("Ada"), None),
                ("Cyd".to_owned(), text("Ada"), None),
                ("Dee".to_owned(), text("Bob"), text("Ada")),
            ]
        );
    }

    /// DESIGN 6: two relationships to one table, both joined; entities come with it.
    async fn one_table_by_two_relationships(db) {
        let mut session = newsroom(&db).await?;
        let query = Article::select()
            .join(Article::author)
            .join(Article::editor.to::<Editor>())
            .order_by(Article::id.asc());
        let rows = query
            .clone()
            .columns((Article::title, Person::name, Person::name.of::<Editor>()))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(
            rows,
            [
                (text("On Engines"), text("Ada"), text("Bob")),
                (text("Engines again"), text("Bob"), text("Ada")),
            ]
        );
        let by_elder = query
            .filter(Person::joined.lt_column(Person::joined.of::<Editor>()))
            .all(&mut session)
            .await?;
        assert_eq!(by_elder.len(), 1);
        assert_eq!(session[by_elder[0]].title, "On Engines");
    }

    /// DESIGN 6: conditions, expressions and orders move to an alias as a whole.
    async fn conditions_expressions_and_orders_move(db) {
        let mut session = newsroom(&db).await?;
        let leads = (Person::age.gt(18) | Person::age.is_null())
            & Person::articles.any(Article::words.ge(250));
        let names: Vec<(String, i64)> = Person::select()
            .join(Person::boss.to::<Boss>())
            .filter(leads.of::<Boss>())
            .order_by((Person::name.lower().desc().of::<Boss>(), Person::id.asc()))
            .columns((Person::name, (Person::visits + 1).of::<Boss>()))
            .all(&mut session)
            .await?;
        let text = str::to_owned;
        assert_eq!(names, [(text("Dee"), 1), (text("Bob"), 11), (text("Cyd"), 11)]);
        let per_boss: Vec<(String, i64)> = Person::select()
            .join(Person::boss.to::<Boss>())
            .group_by(Person::name.of::<Boss>())
            .having(Person::id.count().gt(1))
            .columns((Person::name.of::<Boss>(), Person::id.count()))
            .all(&mut session)
            .await?;
        assert_eq!(per_boss, [(text("Ada"), 2)]);
    }

    /// DESIGN 6: relationships of an alias can be asked about, and lead to aliases in subqueries.
    async fn relationships_start_from_aliases(db) {
        let mut session = newsroom(&db).await?;
        let names: Vec<String> = Person::select()
            .join(Person::boss.to::<Boss>())
            .filter(Person::articles.of::<Boss>().any(Article::title.contains("again")))
            .filter(!Person::boss.of::<Boss>().has(Person::name.eq("Cyd")))
            .filter(Person::boss.of::<Boss>().exists())
            .columns(Person::name)
            .all(&mut session)
            .await?;
        assert_eq!(names, ["Dee"]);
        let with_young = Person::reports
            .to::<Other>()
            .any(Person::age.of::<Other>().lt(18))
            & Person::articles.exists();
        let names: Vec<String> =
            Person::select().filter(with_young).columns(Person::name).all(&mut session).await?;
        assert_eq!(names, ["Ada"]);
        let titles: Vec<(String, String)> = Person::select()
            .join(Person::boss.to::<Boss>())
            .join(Person::articles.of::<Boss>())
            .join(Article::tags)
            .filter(Person::name.eq("Bob"))
            .order_by((Article::id.asc(), Tag::name.desc()))
            .columns((Article::title, Tag::name))
            .all(&mut session)
            .await?;
        assert_eq!(
            titles,
            texts([("On Engines", "sql"), ("On Engines", "rust"), ("On Numbers", "sql")])
        );
    }

    /// DESIGN 6: tables without a relationship are joined by a condition, or each with each.
    async fn joins_without_a_relationship(db) {
        let mut session = newsroom(&db).await?;
        let same_age: Vec<(String, String)> = Person::select()
            .join_on(
                entity::<Person>().of::<Other>(),
                all_of((
                    Person::age.eq_column(Person::age.of::<Other>()),
                    Person::id.lt_column(Person::id.of::<Other>()),
                )),
            )
            .columns((Person::name, Person::name.of::<Other>()))
            .all(&mut session)
            .await?;
        assert_eq!(same_age, texts([("Ada", "Dee")]));
        let named: Vec<(String, Option<String>)> = Tag::select()
            .left_join_on(
                entity::<Article>(),
                all_of((Article::words.eq(0), Tag::id.eq_column(Article::author_id))),
            )
            .order_by(Tag::id.asc())
            .columns((Tag::name, Article::title))
            .on(&db.engine)
            .all()
            .await?;
        let text = str::to_owned;
        assert_eq!(
            named,
            [
                (text("rust"), None),
                (text("sql"), None),
                (text("unused"), Some(text("Silence"))),
            ]
        );
        let pairs = Tag::select().cross_join(entity::<Tag>().of::<Other>());
        assert_eq!(pairs.count(&mut session).await?, 9);
    }

    /// DESIGN 6: a use that is there already is said before any SQL, by its name.
    async fn a_use_that_is_there_already_is_refused(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let twice = Person::select()
            .join(Person::boss.to::<Boss>())
            .join(Person::reports.to::<Boss>())
            .count(&mut session)
            .await;
        let Err(Error::Misuse(sentence)) = twice else { panic!("{twice:?}") };
        assert!(sentence.contains("`boss` of `Person`"), "{sentence}");
        let unnamed = Person::select().join(Person::boss).all(&mut session).await;
        let Err(Error::Misuse(sentence)) = unnamed else { panic!("{unnamed:?}") };
        assert!(sentence.contains("`Person` is in this query already"), "{sentence}");
        assert!(log.emitted().is_empty());
    }

    /// DESIGN 6: an alias never hides a table of the same name, nor another alias.
    async fn names_of_aliases_are_made_unique(db) {
        mod more {
            pub(super) struct Boss;
            #[expect(non_camel_case_types, reason = "its name is that of a table")]
            pub(super) struct articles;
            pub(super) struct AnAliasWhoseNameIsLongerThanTheLongestNameThatAnyOfTheDatabasesKeepsWhole;
        }
        type Long = more::AnAliasWhoseNameIsLongerThanTheLongestNameThatAnyOfTheDatabasesKeepsWhole;
        let mut session = newsroom(&db).await?;
        let rows = Person::select()
            .left_join(Person::boss.to::<Boss>())
            .left_join(Person::boss.of::<Boss>().to::<more::Boss>())
            .left_join(Person::reports.to::<more::articles>())
            .left_join(Person::articles)
            .left_join(Person::reports.to::<Long>())
            .filter(Person::name.eq("Dee"))
            .columns((
                Person::name.of::<Boss>(),
                Person::name.of::<more::Boss>(),
                Person::name.of::<more::articles>(),
                Article::title,
                Person::name.of::<Long>(),
            ))
            .all(&mut session)
            .await?;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(rows, [(text("Bob"), text("Ada"), None, None, None)]);
    }
}
