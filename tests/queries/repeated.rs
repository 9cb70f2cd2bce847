//! Queries that come again with other values: their text is kept, their values are not.

use orm_core::query::all_rows;
use orm_core::{Engine, Result};
use orm_tests::backend_tests;

use super::models::{Article, Person, Tag, newsroom};

/// The names of what a query of people finds.
macro_rules! names {
    ($query:expr, $engine:expr) => {{
        let rows =
            $query.order_by(Person::id.asc()).columns(Person::name).on($engine).all().await?;
        rows.join(" ")
    }};
}

async fn of_ages(engine: &Engine, ages: &[i32]) -> Result<String> {
    Ok(names!(Person::select().filter(Person::age.in_(ages.to_vec())), engine))
}

backend_tests! {
    /// DESIGN 6: a query of the same shape is served by the text that was rendered before, whatever
    /// its values are.
    async fn values_are_those_of_the_query(db) {
        newsroom(&db).await?;
        let engine = &db.engine;
        for _ in 0..2 {
            for (name, found) in [("Ada", "Ada"), ("Bob", "Bob"), ("Eve", ""), ("Dee", "Dee")] {
                assert_eq!(names!(Person::select().filter(Person::name.eq(name)), engine), found);
            }
            for (start, found) in [("A%", "Ada"), ("%e%", "Dee"), ("_o_", "Bob"), ("%", "Ada Bob Cyd Dee")] {
                assert_eq!(names!(Person::select().filter(Person::name.like(start)), engine), found);
            }
            for (age, found) in [(Some(36), "Ada Dee"), (None, "Bob"), (Some(17), "Cyd")] {
                assert_eq!(names!(Person::select().filter(Person::age.eq(age)), engine), found);
            }
            for (ages, found) in [
                (&[36, 17][..], "Ada Cyd Dee"), (&[17, 18], "Cyd"), (&[17], "Cyd"), (&[], ""),
                (&[36, 36, 17], "Ada Cyd Dee"), (&[1, 2, 36], "Ada Dee"), (&[36], "Ada Dee"),
            ] {
                assert_eq!(of_ages(engine, ages).await?, found, "{ages:?}");
            }
            for (limit, offset, found) in [(2, 0, "Ada Bob"), (1, 2, "Cyd"), (2, 2, "Cyd Dee"), (1, 0, "Ada")] {
                assert_eq!(names!(Person::select().limit(limit).offset(offset), engine), found);
            }
        }
    }

    /// Equal values of a grouped query may be one bind; different ones never are.
    async fn groups_keep_their_values_apart(db) {
        newsroom(&db).await?;
        let grouped = async |added: i64, least: i64, offset: u64| {
            Person::select()
                .group_by(Person::visits + added)
                .having(Person::id.count().ge(least))
                .order_by((Person::visits + added).asc())
                .limit(9)
                .offset(offset)
                .columns((Person::visits + added, Person::id.count()))
                .on(&db.engine)
                .all()
                .await
        };
        for _ in 0..2 {
            assert_eq!(grouped(1, 1, 1).await?, [(4, 1), (8, 1), (11, 1)]);
            assert_eq!(grouped(1, 1, 2).await?, [(8, 1), (11, 1)]);
            assert_eq!(grouped(2, 1, 2).await?, [(9, 1), (12, 1)]);
            assert_eq!(grouped(2, 2, 0).await?, []);
            assert_eq!(grouped(5, 1, 3).await?, [(15, 1)]);
        }
    }

    /// Subqueries, related rows, common table expressions and windows have values too.
    async fn values_inside_of_subqueries_are_those_of_the_query(db) {
        newsroom(&db).await?;
        let engine = &db.engine;
        for _ in 0..2 {
            for (tag, words, found) in [("rust", 100, "Ada Bob"), ("rust", 500, "Ada"), ("sql", 0, "Ada"), ("unused", 0, "")] {
                let tagged = Article::tags.any(Tag::name.eq(tag)) & Article::words.gt(words);
                assert_eq!(names!(Person::select().filter(Person::articles.any(tagged)), engine), found);
            }
            for (words, found) in [(1000, "Ada"), (250, "Ada Bob"), (0, "Ada Bob Cyd")] {
                let authors = Article::select().filter(Article::words.ge(words)).columns(Article::author_id);
                assert_eq!(names!(Person::select().filter(Person::id.in_query(authors)), engine), found);
            }
            for (added, sum) in [(1, 24), (10, 60)] {
                let sums = Person::select().columns((Person::visits + added).sum().over(all_rows()));
                assert_eq!(sums.limit(1).on(engine).all().await?, [Some(sum)]);
            }
        }
    }

    /// An engine's sessions share what is kept.
    async fn concurrent_queries_keep_their_values(db) {
        newsroom(&db).await?;
        let people = [("Ada", 36), ("Dee", 36), ("Cyd", 17)];
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let engine = db.engine.clone();
                tokio::spawn(async move {
                    for round in 0..20 {
                        let (name, age) = people[(task + round) % 3];
                        let found = Person::select().filter(Person::name.eq(name)).on(&engine).one().await?;
                        assert_eq!((&*found.name, found.age), (name, Some(age)));
                        let ages = vec![age; 1 + (task + round) % 4];
                        let found = of_ages(&engine, &ages).await?;
                        assert_eq!(found, if age == 17 { "Cyd" } else { "Ada Dee" });
                    }
                    Ok::<_, orm_core::Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no task panics")?;
        }
    }
}
