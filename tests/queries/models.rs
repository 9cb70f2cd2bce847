//! A small newsroom, the same in every test of this area.

use chrono::NaiveDate;
use orm_core::query::Condition;
use orm_core::{BelongsTo, HasMany, ManyToMany, Model, Result, Schema, Session, schema};
use orm_tests::Database;

#[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
#[orm(rename_all = "snake_case")]
pub(crate) enum Mood {
    Calm,
    VeryHappy,
}

#[derive(Model)]
#[orm(table = "people")]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) nick: Option<String>,
    pub(crate) age: Option<i32>,
    #[orm(default = 0)]
    pub(crate) visits: i64,
    #[orm(default = 0.0)]
    pub(crate) score: f64,
    #[orm(default = Mood::Calm)]
    pub(crate) mood: Mood,
    pub(crate) joined: NaiveDate,
    #[orm(default = false)]
    pub(crate) active: bool,
    #[orm(foreign_key = Self)]
    pub(crate) boss_id: Option<i64>,

    #[orm(back_populates = reports)]
    pub(crate) boss: BelongsTo<Self>,
    #[orm(back_populates = boss)]
    pub(crate) reports: HasMany<Self>,
    #[orm(back_populates = author)]
    pub(crate) articles: HasMany<Article>,
    #[orm(back_populates = editor)]
    pub(crate) edited: HasMany<Article>,
}

#[derive(Model)]
pub(crate) struct Article {
    pub(crate) title: String,
    #[orm(default = 0)]
    pub(crate) words: i32,
    #[orm(foreign_key = Person)]
    pub(crate) author_id: i64,
    #[orm(foreign_key = Person)]
    pub(crate) editor_id: Option<i64>,

    #[orm(back_populates = articles)]
    pub(crate) author: BelongsTo<Person>,
    #[orm(back_populates = edited)]
    pub(crate) editor: BelongsTo<Person>,
    #[orm(back_populates = article, order_by = Comment::id.asc())]
    pub(crate) comments: HasMany<Comment>,
    #[orm(secondary = ArticleTag, back_populates = articles)]
    pub(crate) tags: ManyToMany<Tag>,
}

#[derive(Model)]
pub(crate) struct Comment {
    pub(crate) body: String,
    #[orm(foreign_key = Article)]
    pub(crate) article_id: i64,
    #[orm(back_populates = comments)]
    pub(crate) article: BelongsTo<Article>,
}

#[derive(Model)]
pub(crate) struct Tag {
    #[orm(unique)]
    pub(crate) name: String,
    #[orm(secondary = ArticleTag, back_populates = tags)]
    pub(crate) articles: ManyToMany<Article>,
}

#[derive(Model)]
#[orm(table = "article_tags", base = none)]
pub(crate) struct ArticleTag {
    #[orm(primary_key, foreign_key(Article, on_delete = "cascade"))]
    pub(crate) article_id: i64,
    #[orm(primary_key, foreign_key(Tag, on_delete = "cascade"))]
    pub(crate) tag_id: i64,
}

pub(crate) fn tables() -> Schema {
    schema![Person, Article, Comment, Tag, ArticleTag]
}

pub(crate) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

/// Creates the tables and fills them: four people (Ada leads Bob and Cyd, Bob leads Dee), four
/// articles, three comments, three tags, of which one is never used.
pub(crate) async fn newsroom(db: &Database) -> Result<Session> {
    db.create(&tables()).await?;
    let mut session = db.session();
    let ada = session.add(
        Person::draft()
            .name("Ada")
            .age(36)
            .visits(10)
            .score(1.5)
            .mood(Mood::VeryHappy)
            .joined(day(2001, 1, 1))
            .active(true),
    );
    let bob = session.add(
        Person::draft().name("Bob").nick("bo_b").score(-2.5).joined(day(2002, 2, 2)).boss(ada),
    );
    let cyd = session.add(
        Person::draft()
            .name("Cyd")
            .nick("50%!")
            .age(17)
            .visits(3)
            .mood(Mood::VeryHappy)
            .joined(day(2003, 3, 3))
            .active(true)
            .boss(ada),
    );
    session.add(
        Person::draft()
            .name("Dee")
            .nick("ADA")
            .age(36)
            .visits(7)
            .score(4.0)
            .joined(day(2004, 4, 4))
            .boss(bob),
    );
    let tags = session.add_all(["rust", "sql", "unused"].map(|name| Tag::draft().name(name)));
    let (rust, sql) = (tags[0], tags[1]);
    session.add(
        Article::draft()
            .title("On Engines")
            .words(1000)
            .author(ada)
            .editor(bob)
            .comments([Comment::draft().body("nice"), Comment::draft().body("wrong")])
            .tags([rust, sql]),
    );
    session.add(Article::draft().title("On Numbers").words(250).author(ada).tags([sql]));
    session.add(
        Article::draft()
            .title("Engines again")
            .words(250)
            .author(bob)
            .editor(ada)
            .comments([Comment::draft().body("nice")])
            .tags([rust]),
    );
    session.add(Article::draft().title("Silence").author(cyd));
    session.commit().await?;
    Ok(db.session())
}

/// The names of the people for whom a condition holds, by key; the same on a session and on the
/// engine, and as many as are counted.
pub(crate) async fn names(db: &Database, condition: Condition<Person>) -> Result<Vec<String>> {
    let query = Person::select().filter(condition).order_by(Person::id.asc());
    let mut session = db.session();
    let found = query.clone().all(&mut session).await?;
    let names: Vec<String> = found.iter().map(|person| session[*person].name.clone()).collect();
    let owned = query.clone().on(&db.engine).all().await?;
    assert!(owned.iter().map(|person| &person.name).eq(&names));
    assert_eq!(query.clone().count(&mut session).await?, names.len() as u64);
    assert_eq!(query.exists(&mut session).await?, !names.is_empty());
    Ok(names)
}

/// The same for the titles of articles.
pub(crate) async fn titles(db: &Database, condition: Condition<Article>) -> Result<Vec<String>> {
    let query = Article::select().filter(condition).order_by(Article::id.asc());
    let mut session = db.session();
    let found = query.clone().all(&mut session).await?;
    let titles: Vec<String> = found.iter().map(|article| session[*article].title.clone()).collect();
    assert_eq!(query.on(&db.engine).count().await?, titles.len() as u64);
    Ok(titles)
}
