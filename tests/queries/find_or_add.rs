//! `find_or_add`: what is there is found, what is missing is added, in the order asked for, whoever
//! else does so at the same time.

use std::time::Duration;

use orm_core::session::Isolation;
use orm_core::{BelongsTo, Error, Handle, HasMany, Model, Result, Session, schema};
use orm_tests::{Database, backend_tests};
use tokio::task::JoinHandle;

use super::models::{Article, Person, Tag, day, newsroom};

/// What has more than a name.
#[derive(Debug, Model)]
struct Topic {
    #[orm(unique, length = 32)]
    name: String,
    #[orm(unique)]
    slug: Option<String>,
    #[orm(default = 7)]
    rank: i64,
    #[orm(server_default = "'open'", length = 8)]
    state: String,
    #[orm(foreign_key = Field)]
    field_id: i64,
    #[orm(foreign_key = Field)]
    other_id: Option<i64>,
    #[orm(back_populates = topics)]
    field: BelongsTo<Field>,
    #[orm(via = other_id)]
    other: BelongsTo<Field>,
    #[orm(back_populates = topic, cascade = "all, delete-orphan")]
    aliases: HasMany<Alias>,
}

#[derive(Debug, Model)]
struct Field {
    name: String,
    #[orm(foreign_key = Field)]
    parent_id: Option<i64>,
    parent: BelongsTo<Field>,
    #[orm(back_populates = field)]
    topics: HasMany<Topic>,
}

#[derive(Debug, Model)]
#[orm(table = "aliases")]
struct Alias {
    name: String,
    #[orm(foreign_key = Topic)]
    topic_id: i64,
    #[orm(back_populates = aliases)]
    topic: BelongsTo<Topic>,
}

async fn topics(db: &Database) -> Result<()> {
    db.create(&schema![Topic, Field, Alias]).await
}

fn tag(name: String) -> impl Into<orm_core::session::New<Tag>> {
    Tag::draft().name(name)
}

/// A field below another, below another.
fn field(name: &str) -> impl Into<orm_core::session::Member<Field>> + use<> {
    let root = Field::draft().name(format!("root of {name}"));
    let branch = Field::draft().name(format!("branch of {name}")).parent(root);
    Field::draft().name(format!("field of {name}")).parent(branch)
}

fn topic(name: &str) -> impl Into<orm_core::session::New<Topic>> + use<> {
    Topic::draft()
        .name(name)
        .field(field(name))
        .other(Field::draft().name(format!("other of {name}")))
        .aliases([Alias::draft().name(format!("alias of {name}"))])
}

/// A task that finds or adds in a session of its own, commits, and gives the keys.
fn task(db: &Database, names: &'static [&'static str]) -> JoinHandle<Result<Vec<i64>>> {
    let mut session = db.session();
    tokio::spawn(async move {
        let tags = session.find_or_add(Tag::name, names.iter().copied(), tag).await?;
        session.commit().await?;
        Ok(keys(&session, &tags))
    })
}

fn keys<M: Model<Id = i64>>(session: &Session, handles: &[Handle<M>]) -> Vec<i64> {
    handles.iter().map(|handle| session.key(*handle).expect("flushed")).collect()
}

async fn names(db: &Database) -> Result<Vec<String>> {
    Tag::select().order_by(Tag::name.asc()).columns(Tag::name).all(&mut db.session()).await
}

/// Long enough for another task to come as far as it can.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}

backend_tests! {
    /// SEMANTICS 12.4: handles in input order, duplicates folded.
    async fn rule_12_4_finds_and_adds_in_input_order(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let wanted = ["new", "sql", "new", "rust", "other", "sql"];
        let tags =
            session.find_or_add(Tag::name, wanted, |name| Tag::draft().name(name)).await?;
        assert_eq!(log.emitted(), ["SELECT tags", "INSERT tags"]);
        let names: Vec<&str> = tags.iter().map(|tag| &*session[*tag].name).collect();
        assert_eq!(names, ["new", "sql", "rust", "other"]);
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(Tag::select().count(&mut session).await?, 5);
        log.emitted();
        let again =
            session.find_or_add(Tag::name, wanted, |name| Tag::draft().name(name)).await?;
        assert_eq!(log.emitted(), ["SELECT tags"]);
        assert_eq!(again, tags);
        session.commit().await?;
        assert_eq!(Tag::select().count(&mut session).await?, 5);
    }

    /// SEMANTICS 12.4: of nothing it asks nothing.
    async fn rule_12_4_of_nothing_asks_nothing(db) {
        let mut session = newsroom(&db).await?;
        let log = db.log();
        let none = session.find_or_add(Tag::name, Vec::<String>::new(), tag).await?;
        assert_eq!(none, []);
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 12.4: what is pending is found, flushed or not, with autoflush or without.
    async fn rule_12_4_finds_what_is_pending(db) {
        let mut session = newsroom(&db).await?;
        let first = session.find_or_add(Tag::name, ["new"], tag).await?;
        session.autoflush(false);
        let added = session.add(Tag::draft().name("newer"));
        let second = session.find_or_add(Tag::name, ["newer", "new", "newest"], tag).await?;
        assert_eq!(second[..2], [added, first[0]]);
        session.commit().await?;
        assert_eq!(Tag::select().count(&mut session).await?, 6);
    }

    /// SEMANTICS 12.4, 1.3: what was added leaves with a rollback, what was found stays.
    async fn rule_12_4_a_rollback_undoes_what_was_added(db) {
        let mut session = newsroom(&db).await?;
        let tags = session.find_or_add(Tag::name, ["sql", "new"], tag).await?;
        session.rollback().await?;
        assert_eq!(session.try_get(tags[0]).map(|tag| tag.name.clone()).ok().as_deref(), Some("sql"));
        assert!(matches!(session.try_get(tags[1]), Err(Error::Detached { .. })));
        assert!(!names(&db).await?.contains(&"new".to_owned()));
    }

    /// SEMANTICS 12.4: the rest of the draft, its parents and its members.
    async fn rule_12_4_keeps_what_the_draft_was_given(db) {
        topics(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let found = session.find_or_add(Topic::name, ["b", "a"], |name| topic(&name)).await?;
        session.commit().await?;
        // Three fields below each other, then the topics.
        assert_eq!(log.emitted(), [
            "SELECT topics", "INSERT fields", "INSERT fields", "INSERT fields", "INSERT topics",
            "INSERT fields", "UPDATE topics", "INSERT aliases",
        ]);
        for (topic, name) in found.into_iter().zip(["b", "a"]) {
            assert_eq!((session[topic].rank, session[topic].state.as_str()), (7, "open"));
            let field = topic.field(&mut session).await?;
            assert_eq!(session[field].name, format!("field of {name}"));
            let other = topic.other(&mut session).await?.expect("given");
            assert_eq!(session[other].name, format!("other of {name}"));
            let aliases = topic.aliases(&mut session).await?;
            assert_eq!(session[aliases[0]].name, format!("alias of {name}"));
        }
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 12.4: one INSERT and at most two SELECTs, whatever the number of names.
    async fn rule_12_4_many_names_take_as_few_statements(db) {
        let mut session = newsroom(&db).await?;
        let all: Vec<String> = (0..1_500).map(|at| format!("tag {at}")).collect();
        let log = db.log();
        let tags = session.find_or_add(Tag::name, &all, tag).await?;
        let mut expected = vec!["SELECT tags"];
        expected.extend(db.per_statement("INSERT tags", 1_500));
        assert_eq!(log.emitted(), expected);
        let in_order = tags.iter().zip(&all).all(|(tag, name)| session[*tag].name == *name);
        assert!(in_order && tags.len() == 1_500);
        let log = db.log();
        assert_eq!(session.find_or_add(Tag::name, &all, tag).await?, tags);
        assert_eq!(log.emitted(), ["SELECT tags"]);
    }

    /// SEMANTICS 12.4: only a unique column tells which row is meant, and no two NULLs are one.
    async fn rule_12_4_a_column_that_is_not_unique_is_refused(db) {
        topics(&db).await?;
        let mut session = db.session();
        let error = session
            .find_or_add(Field::name, ["x"], |name| Field::draft().name(name)).await.unwrap_err();
        assert!(error.to_string().contains("`fields.name` isn't unique"), "{error}");
        let error = session
            .find_or_add(Topic::slug, [None::<String>], |_| topic("x")).await.unwrap_err();
        assert!(error.to_string().contains("NULL"), "{error}");
        let error = session.find_or_add(Topic::name, ["x"], |_| topic("y")).await.unwrap_err();
        assert!(error.to_string().contains("another one in that column"), "{error}");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0], "nothing of it is left");
    }

    /// SEMANTICS 12.4, 9.6: another unique column that is taken is a violation, not a find.
    async fn rule_12_4_another_unique_column_is_a_violation(db) {
        topics(&db).await?;
        let mut session = db.session();
        let draft = |name: String| {
            Topic::draft().name(name).slug("same").field(Field::draft().name("field"))
        };
        session.find_or_add(Topic::name, ["a"], draft).await?;
        session.commit().await?;
        let error = session.find_or_add(Topic::name, ["b"], draft).await.unwrap_err();
        assert!(error.violates(Topic::slug), "{error}");
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::RollbackRequired { .. }), "{error}");
        session.rollback().await?;
        session.find_or_add(Topic::name, ["a"], draft).await?;
        assert_eq!(Topic::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 12.4: the second of two writers waits for the first and finds its rows, in either
    /// order; the transaction goes on.
    async fn rule_12_4_two_writers_agree(db) {
        drop(newsroom(&db).await?);
        for (first, second) in [(["a", "b"], &["b", "a"]), (["d", "c"], &["c", "d"])] {
            let mut session = db.session();
            let tags = session.find_or_add(Tag::name, first, tag).await?;
            let log = db.log();
            let other = task(&db, second);
            a_while().await;
            assert!(!other.is_finished(), "it waits");
            session.commit().await?;
            let mut theirs = other.await.expect("no panic")?;
            theirs.reverse();
            assert_eq!(theirs, keys(&session, &tags));
            assert_eq!(log.with_read_backs(), ["SELECT tags", "INSERT tags", "SELECT tags"]);
        }
        assert_eq!(names(&db).await?.len(), 3 + 4);
    }

    /// SEMANTICS 12.4: if the first of two writers gives up, the second adds.
    async fn rule_12_4_a_writer_that_gives_up_leaves_nothing(db) {
        drop(newsroom(&db).await?);
        let mut session = db.session();
        session.find_or_add(Tag::name, ["a", "b"], tag).await?;
        let other = task(&db, &["b", "a"]);
        a_while().await;
        session.rollback().await?;
        let theirs = other.await.expect("no panic")?;
        assert_eq!(theirs.len(), 2);
        assert_eq!(names(&db).await?.len(), 3 + 2);
    }

    /// SEMANTICS 12.4: some of the names are the other's, within a transaction with other work.
    async fn rule_12_4_writers_that_overlap(db) {
        let mut first = newsroom(&db).await?;
        let mine = first.find_or_add(Tag::name, ["m", "sql", "n"], tag).await?;
        let mut second = db.session();
        let other = tokio::spawn(async move {
            let person = Person::draft().name("Eve").joined(day(2001, 1, 1));
            let article = second.add(Article::draft().title("Work").author(person));
            let tags = second.find_or_add(Tag::name, ["z", "n", "l", "m", "rust"], tag).await?;
            second.replace(article, Article::tags, tags.iter().copied());
            second.commit().await?;
            Ok::<_, Error>(keys(&second, &tags))
        });
        a_while().await;
        first.commit().await?;
        let theirs = other.await.expect("no panic")?;
        let mine = keys(&first, &mine);
        assert_eq!((theirs[1], theirs[3]), (mine[2], mine[0]));
        assert_eq!(names(&db).await?, ["l", "m", "n", "rust", "sql", "unused", "z"]);
        let eve = Article::select().filter(Article::title.eq("Work"));
        let tagged = eve.with(Article::tags).one(&mut first).await?;
        assert_eq!(first.members(tagged, Article::tags)?.len(), 5);
    }

    /// SEMANTICS 12.4: of a draft whose row is another's, nothing remains, its own parent neither.
    async fn rule_12_4_nothing_remains_of_a_draft_in_vain(db) {
        topics(&db).await?;
        let mut first = db.session();
        let mine = first.find_or_add(Topic::name, ["a"], |name| topic(&name)).await?;
        let mut second = db.session();
        let other = tokio::spawn(async move {
            let found = second.find_or_add(Topic::name, ["a", "b"], |name| topic(&name)).await?;
            second.commit().await?;
            Ok::<_, Error>(keys(&second, &found))
        });
        a_while().await;
        first.commit().await?;
        assert_eq!(other.await.expect("no panic")?[0], keys(&first, &mine)[0]);
        let fields = Field::select().order_by(Field::name.asc()).columns(Field::name);
        let fields = fields.all(&mut first).await?;
        assert_eq!(fields, [
            "branch of a", "branch of b", "field of a", "field of b",
            "other of a", "other of b", "root of a", "root of b",
        ]);
        let aliases = Alias::select().order_by(Alias::name.asc()).columns(Alias::name);
        assert_eq!(aliases.all(&mut first).await?, ["alias of a", "alias of b"]);
    }

    /// SEMANTICS 12.4: of a draft that was refused before any SQL, nothing remains at any depth.
    async fn rule_12_4_nothing_remains_of_a_refused_draft(db) {
        topics(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let long = "x".repeat(33);
        let error = session.find_or_add(Topic::name, [long], |name| topic(&name)).await;
        assert!(matches!(error, Err(Error::Type { .. })), "{error:?}");
        let other = session.find_or_add(Topic::name, ["a"], |_| topic("b")).await.unwrap_err();
        assert!(matches!(other, Error::Misuse(_)), "{other}");
        assert!(session.pending().is_empty(), "{:?}", session.pending());
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(Field::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 12.4, 1.5: a draft that leads to an object of elsewhere, at any depth, is an error
    /// before anything is added.
    async fn rule_12_4_a_draft_with_a_stale_handle_adds_nothing(db) {
        topics(&db).await?;
        let mut session = db.session();
        let elsewhere = db.session().add(Field::draft().name("of another session"));
        let draft = |at: &'static str| {
            let below = Field::draft().name("below").parent(elsewhere);
            let topic = Topic::draft().name(at).field(Field::draft().name("field").parent(below));
            topic.aliases([Alias::draft().name("alias")])
        };
        let log = db.log();
        let names = ["a", "b"];
        let found = session.find_or_add(Topic::name, names, |name| match &*name {
            "a" => topic("a").into(),
            _ => draft("b").into(),
        });
        let error = found.await.unwrap_err();
        assert!(matches!(error, Error::Detached { .. }), "{error}");
        assert!(session.pending().is_empty());
        assert_eq!(log.emitted(), ["SELECT topics"]);
        session.find_or_add(Topic::name, names, |name| topic(&name)).await?;
        session.commit().await?;
        assert_eq!(Topic::select().count(&mut session).await?, 2);
    }

    /// SEMANTICS 12.4: many at once agree; who collides otherwise is told that it can try again.
    async fn rule_12_4_a_crowd_agrees(db) {
        drop(newsroom(&db).await?);
        const NAMES: [&[&str]; 4] =
            [&["a", "b", "c"], &["c", "b", "a"], &["b", "d", "c"], &["d", "a"]];
        let crowd: Vec<_> = (0..8_usize)
            .map(|at| {
                let (sessions, wanted) = (db.sessions.clone(), NAMES[at % 4]);
                tokio::spawn(async move {
                    sessions
                        .retry(async |mut session| {
                            let names = wanted.iter().copied();
                            session.find_or_add(Tag::name, names, tag).await.map(drop)
                        })
                        .await
                })
            })
            .collect();
        for task in crowd {
            task.await.expect("no panic")?;
        }
        assert_eq!(names(&db).await?, ["a", "b", "c", "d", "rust", "sql", "unused"]);
    }

    /// SEMANTICS 12.4: where the other's row can't be seen, it is a collision.
    async fn rule_12_4_at_repeatable_read_it_is_a_collision(db) {
        drop(newsroom(&db).await?);
        let mut session = db.sessions.clone().isolation(Isolation::RepeatableRead).session();
        // The snapshot is taken by the first statement.
        Tag::select().count(&mut session).await?;
        let mut other = db.session();
        other.find_or_add(Tag::name, ["a"], tag).await?;
        other.commit().await?;
        let error = session.find_or_add(Tag::name, ["a"], tag).await.unwrap_err();
        assert!(matches!(error, Error::Serialization(_)), "{error}");
        session.rollback().await?;
        assert_eq!(session.find_or_add(Tag::name, ["a"], tag).await?.len(), 1);
        session.commit().await?;
        assert_eq!(names(&db).await?.len(), 3 + 1);
    }

    /// SEMANTICS 12.4, 2.2: memory that is older than the row that was found is read again.
    async fn rule_12_4_a_row_that_was_renamed_is_found(db) {
        let (mut session, mut other) = (newsroom(&db).await?, db.session());
        let sql = session.find_or_add(Tag::name, ["sql"], tag).await?[0];
        let theirs = other.find_or_add(Tag::name, ["sql"], tag).await?[0];
        other[theirs].name = "SQL".into();
        other.commit().await?;
        assert_eq!(session.find_or_add(Tag::name, ["SQL"], tag).await?, [sql]);
        assert_eq!(session[sql].name, "SQL");
    }
}
