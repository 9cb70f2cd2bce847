//! The texts of a few statements: aliases, scopes and correlated subqueries.
//!
//! Quotes, placeholders and casts differ between databases; everything else here doesn't.

use orm_core::Result;
use orm_core::query::Select;
use orm_tests::{Database, backend_tests, plain};

use super::models::{Article, Comment, Person, Tag, newsroom};

/// The text of the statement that finds the ids of a query.
async fn text<Scope>(db: &Database, query: Select<Tag, Scope>) -> Result<String> {
    let log = db.log();
    query.count(&mut db.session()).await?;
    Ok(only(log.texts()))
}

fn only(texts: Vec<String>) -> String {
    let [text] = <[String; 1]>::try_from(texts).expect("one statement");
    plain(&text)
}

backend_tests! {
    /// DESIGN 6: a relationship to the same table is asked about under an alias of its own.
    async fn a_self_reference_is_correlated_by_alias(db) {
        newsroom(&db).await?;
        let log = db.log();
        let grand = Person::boss.has(Person::boss.has(Person::name.eq("Ada")) & Person::age.is_null());
        Person::select().filter(grand & Person::age.eq(36)).count(&mut db.session()).await?;
        assert_eq!(
            only(log.texts()),
            "SELECT count(*) FROM people WHERE EXISTS (SELECT 1 FROM people AS people_r1 \
             WHERE people_r1.id = people.boss_id AND (EXISTS (SELECT 1 FROM people AS people_r2 \
             WHERE people_r2.id = people_r1.boss_id AND people_r2.name = ?) \
             AND people_r1.age IS NULL)) AND people.age = ?"
        );
    }

    /// DESIGN 6: an association is joined inside the subquery only where a condition needs it.
    async fn an_association_is_joined_where_it_is_needed(db) {
        newsroom(&db).await?;
        assert_eq!(
            text(&db, Tag::select().filter(Tag::articles.any(Article::words.gt(1)))).await?,
            "SELECT count(*) FROM tags WHERE EXISTS (SELECT 1 FROM article_tags JOIN articles \
             ON articles.id = article_tags.article_id \
             WHERE article_tags.tag_id = tags.id AND articles.words > ?)"
        );
        assert_eq!(
            text(&db, Tag::select().filter(!Tag::articles.exists())).await?,
            "SELECT count(*) FROM tags WHERE NOT EXISTS (SELECT 1 FROM article_tags \
             WHERE article_tags.tag_id = tags.id)"
        );
    }

    /// DESIGN 6: joins stand in order, the association under an alias.
    async fn joins_stand_in_order(db) {
        newsroom(&db).await?;
        let query = Tag::select()
            .join(Tag::articles)
            .left_join(Article::comments)
            .filter(Tag::name.ne("x") & !Tag::name.eq("y"))
            .filter(Comment::body.is_null());
        assert_eq!(
            text(&db, query).await?,
            "SELECT count(*) FROM tags \
             JOIN article_tags AS article_tags_1 ON tags.id = article_tags_1.tag_id \
             JOIN articles ON article_tags_1.article_id = articles.id \
             LEFT JOIN comments ON articles.id = comments.article_id \
             WHERE tags.name <> ? AND NOT (tags.name = ?) AND comments.body IS NULL"
        );
    }

    /// DESIGN 6: the clauses of a grouped query, and how it is counted.
    async fn a_grouped_query_and_its_count(db) {
        newsroom(&db).await?;
        let query = Person::select()
            .filter(Person::visits.ge(0))
            .group_by(Person::active)
            .having(Person::id.count().gt(1))
            .order_by(Person::active.desc())
            .limit(5)
            .offset(0)
            .columns((Person::active, (Person::visits + 1).max()));
        let log = db.log();
        query.clone().all(&mut db.session()).await?;
        assert_eq!(
            only(log.texts()),
            "SELECT people.active, max(people.visits + ?) FROM people WHERE people.visits >= ? \
             GROUP BY people.active HAVING count(people.id) > ? ORDER BY people.active DESC \
             LIMIT ? OFFSET ?"
        );
        query.count(&mut db.session()).await?;
        assert_eq!(
            only(log.texts()),
            "SELECT count(*) FROM (SELECT people.active AS c0, max(people.visits + ?) AS c1 \
             FROM people WHERE people.visits >= ? GROUP BY people.active \
             HAVING count(people.id) > ? LIMIT ?) AS people"
        );
    }
}
