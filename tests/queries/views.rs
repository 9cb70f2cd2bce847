//! Views, written by hand as the derive writes them: only what they name is loaded.

use chrono::NaiveDate;
use orm_core::query::{View, ViewRow, ViewShape};
use orm_core::{Error, Result};
use orm_tests::backend_tests;

use super::models::{Article, Comment, Person, Tag, newsroom};

macro_rules! view {
    ($view:ident of $model:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, PartialEq)]
        struct $view { $($field: $type),* }

        impl View for $view {
            type Of = $model;
            fn __shape(shape: &mut ViewShape) {
                $(shape.field::<$type, _>($model::$field);)*
            }
            fn __build(row: &mut ViewRow<'_>) -> Result<Self> {
                Ok(Self { $($field: row.field($model::$field)?),* })
            }
        }
    };
}

view!(PersonOut of Person { id: i64, name: String, boss: Option<Box<Name>>, articles: Vec<ArticleOut> });
view!(Name of Person { name: String });
view!(ArticleOut of Article { title: String, author: Name, comments: Vec<CommentOut>, tags: Vec<TagOut> });
view!(CommentOut of Comment { body: String });
view!(TagOut of Tag { name: String });
view!(Tree of Person { name: String, reports: Vec<Tree> });

fn name(name: &str) -> Name {
    Name { name: name.to_owned() }
}

backend_tests! {
    /// DESIGN 6: one statement per relationship and level, whatever the number of rows.
    async fn views_nest(db) {
        newsroom(&db).await?;
        let log = db.log();
        let people: Vec<PersonOut> = Person::select()
            .filter(Person::articles.exists())
            .order_by(Person::id.asc())
            .view()
            .on(&db.engine)
            .all()
            .await?;
        let mut emitted = log.emitted();
        assert_eq!(emitted.remove(0), "SELECT people");
        emitted.sort();
        assert_eq!(
            emitted,
            ["SELECT articles", "SELECT comments", "SELECT people", "SELECT people", "SELECT tags"]
        );
        assert_eq!(people.len(), 3);
        assert_eq!((people[0].id, &*people[0].name, &people[0].boss), (1, "Ada", &None));
        assert_eq!(people[1].boss, Some(Box::new(name("Ada"))));
        let engines = &people[0].articles[0];
        assert_eq!((&*engines.title, &engines.author), ("On Engines", &name("Ada")));
        let comments: Vec<&str> = engines.comments.iter().map(|comment| &*comment.body).collect();
        assert_eq!(comments, ["nice", "wrong"]);
        let mut tags: Vec<&str> = engines.tags.iter().map(|tag| &*tag.name).collect();
        tags.sort_unstable();
        assert_eq!(tags, ["rust", "sql"]);
        let silence = &people[2].articles[0];
        assert_eq!((silence.comments.len(), silence.tags.len()), (0, 0));
    }

    /// DESIGN 6: a view selects the columns that it names, and nothing else.
    async fn views_select_what_they_name(db) {
        newsroom(&db).await?;
        let log = db.log();
        let first = Person::select().order_by(Person::id.asc()).view::<Name>().on(&db.engine);
        assert_eq!(first.first().await?, Some(name("Ada")));
        let [text] = <[String; 1]>::try_from(log.texts()).expect("one statement");
        assert!(text.contains("name") && !text.contains("visits"), "{text}");
        let page = Person::select().view::<Name>().on(&db.engine).page(2, 3).await?;
        assert_eq!((page.total, page.pages, page.items), (4, 2, vec![name("Dee")]));
    }

    /// DESIGN 5: a view of a tracked object shows what the session has, unflushed changes too.
    async fn views_of_objects(db) {
        newsroom(&db).await?;
        let mut session = db.session();
        let ada = Person::select().filter(Person::name.eq("Ada"))
            .with(Person::boss)
            .with(Person::articles.with(Article::author).with(Article::comments).with(Article::tags))
            .one(&mut session)
            .await?;
        session[ada].name = "Augusta".to_owned();
        let log = db.log();
        let shown: PersonOut = session.view(ada)?;
        assert!(log.emitted().is_empty(), "it loads nothing");
        assert_eq!((shown.id, &*shown.name, &shown.boss), (1, "Augusta", &None));
        assert_eq!(shown.articles[0].author, name("Augusta"));
        assert_eq!(shown.articles[0].comments.len(), 2);
        session.commit().await?;
        let query = Person::select().filter(Person::id.eq(1)).view::<PersonOut>();
        assert_eq!(query.on(&db.engine).one().await?, session.view(ada)?);
    }

    /// DESIGN 5: what is not loaded never shows as empty.
    async fn views_of_objects_lack_what_is_not_loaded(db) {
        newsroom(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Person>(1).await?;
        assert_eq!(session.view::<Name>(ada)?, name("Ada"));
        let missing = session.view::<PersonOut>(ada);
        assert!(matches!(missing, Err(Error::NotLoaded { model: "Person", .. })), "{missing:?}");
        let new = session.add(Person::draft().name("Eve").joined(NaiveDate::MIN));
        assert_eq!(session.view::<Name>(new)?, name("Eve"));
        let unflushed = session.view::<PersonOut>(new);
        let expected = matches!(unflushed, Err(Error::NotLoaded { field: "id", .. }));
        assert!(expected, "only the database can tell: {unflushed:?}");
        session.expire(ada);
        assert!(matches!(session.view::<Name>(ada), Err(Error::NotLoaded { field: "*", .. })));
        let mut other = db.session();
        let foreign = other.require::<Person>(2).await?;
        assert!(matches!(session.view::<Name>(foreign), Err(Error::Detached { .. })));
    }

    /// A view of itself ends where the objects end, or is refused where they form a circle.
    async fn views_of_objects_in_a_circle_end(db) {
        newsroom(&db).await?;
        let mut session = db.session();
        let people = Person::select().with(Person::reports).all(&mut session).await?;
        assert_eq!(session.view::<Tree>(people[0])?.reports.len(), 2);
        session.push(people[1], Person::reports, people[0]);
        assert!(matches!(session.view::<Tree>(people[0]), Err(Error::Misuse(_))));
        let graph = Person::select().with(Person::reports).on(&db.engine).graph().await?;
        let root = graph.roots().next().expect("Ada is there");
        assert_eq!(graph.view::<Tree>(root)?.reports.len(), 2);
    }

    /// DESIGN 6: a view of itself follows a tree to its leaves.
    async fn views_of_a_tree(db) {
        newsroom(&db).await?;
        let query = Person::select().filter(!Person::boss.exists()).view::<Tree>();
        let roots = query.clone().on(&db.engine).all().await?;
        let leaf = |name: &str| Tree { name: name.to_owned(), reports: Vec::new() };
        let bob = Tree { name: "Bob".to_owned(), reports: vec![leaf("Dee")] };
        let ada = Tree { name: "Ada".to_owned(), reports: vec![bob, leaf("Cyd")] };
        assert_eq!(roots, [ada]);
        assert!(matches!(query.on(&db.engine).page(0, 1).await, Err(Error::Misuse(_))));
    }
}
