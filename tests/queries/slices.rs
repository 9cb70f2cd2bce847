//! Slices: going through a list by the place of a row, both ways, in any order.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use orm_core::query::{Cursor, Order, Rows, Select, Slice};
use orm_core::{BelongsTo, Error, HasMany, Model, Result, Session, View, schema};
use orm_tests::{Database, backend_tests};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::models::{Article, Mood, Person, Tag, newsroom};

/// A row of everything that can be ordered, with few different values, so that ties are many.
#[derive(Model)]
struct Thing {
    #[orm(length = 20)]
    name: String,
    nick: Option<String>,
    rank: Option<i32>,
    #[orm(server_default = "0")]
    share: f64,
    part: Option<f32>,
    price: Option<Decimal>,
    day: Option<NaiveDate>,
    time: NaiveTime,
    seen: Option<DateTime<Utc>>,
    tag: Option<Uuid>,
    raw: Option<Vec<u8>>,
    done: Option<bool>,
    mood: Option<Mood>,
    words: Option<Vec<String>>,
    #[orm(foreign_key = Thing)]
    parent_id: Option<i64>,
    #[orm(back_populates = parts)]
    parent: BelongsTo<Thing>,
    #[orm(back_populates = parent)]
    parts: HasMany<Thing>,
}

#[derive(View)]
#[orm(of = Thing)]
struct Shown {
    id: i64,
    parts: Vec<Part>,
}

#[derive(View)]
#[orm(of = Thing)]
struct Part {
    parent_id: Option<i64>,
}

impl Shown {
    fn into_id(self) -> i64 {
        assert!(self.parts.iter().all(|part| part.parent_id == Some(self.id)));
        self.id
    }
}

/// Numbers in no particular order, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// One of these, or nothing.
    fn maybe<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let at = self.below(of.len() as u64 + 1) as usize;
        of.get(at).cloned()
    }
}

/// Fills the table with so many rows.
async fn things(db: &Database, rows: i64, dice: &mut Dice) -> Result<Session> {
    db.create(&schema![Thing]).await?;
    let mut session = db.session();
    let day = |day| NaiveDate::from_ymd_opt(1969, 12, day);
    let days = [day(1).expect("a day"), day(31).expect("a day")];
    let time = |micros| NaiveTime::from_hms_micro_opt(23, 59, 59, micros).expect("a time");
    let instant = |millis| DateTime::from_timestamp_millis(millis).expect("an instant");
    for _ in 0..rows {
        session.add(
            Thing::draft()
                .name(*dice.pick(&["", "a", "A", "a ", "é😀", "z'; --"]))
                .nick(dice.maybe(&["x", "\\", "%", "\u{1}"]).map(str::to_owned))
                .rank(dice.maybe(&[i32::MIN, -1, 0, 7, i32::MAX]))
                .share(*dice.pick(&[-1.5, 0.0, 0.1, 1e300]))
                .part(dice.maybe(&[0.1_f32, -2.5, 3e30]))
                .price(dice.maybe(&[
                    Decimal::new(-150, 2),
                    Decimal::new(15, 1),
                    Decimal::new(10, 0),
                ]))
                .day(dice.maybe(&days))
                .time(time(*dice.pick(&[0, 1, 999_999])))
                .seen(dice.maybe(&[instant(-1), instant(0), instant(1_700_000_000_123)]))
                .tag(dice.maybe(&[Uuid::nil(), Uuid::max(), Uuid::from_u128(1 << 70)]))
                .raw(dice.maybe(&[vec![], vec![0], vec![0, 255]]))
                .done(dice.maybe(&[true, false]))
                .mood(dice.maybe(&[Mood::VeryHappy, Mood::Calm])),
        );
    }
    session.commit().await?;
    Ok(db.session())
}

/// Everything that a thing can be ordered by.
fn terms() -> Vec<fn() -> (Order<Thing>, Order<Thing>)> {
    macro_rules! both {
        ($($term:expr),* $(,)?) => { vec![$(|| ($term.asc(), $term.desc())),*] };
    }
    both![
        Thing::name,
        Thing::nick,
        Thing::rank,
        Thing::share,
        Thing::part,
        Thing::price,
        Thing::day,
        Thing::time,
        Thing::seen,
        Thing::tag,
        Thing::raw,
        Thing::done,
        Thing::id,
        Thing::name.length(),
        Thing::nick.upper(),
        Thing::share * 2.0,
        Thing::rank.coalesce(3),
    ]
}

fn some_order(dice: &mut Dice) -> Vec<Order<Thing>> {
    let terms = terms();
    (0..=dice.below(4))
        .map(|_| {
            let (ascending, descending) = dice.pick(&terms)();
            let order = if dice.below(2) == 0 { ascending } else { descending };
            match dice.below(3) {
                0 => order.nulls_first(),
                1 => order.nulls_last(),
                _ => order,
            }
        })
        .collect()
}

/// Walks to the end and back again; gives what was met on the way there, which is what was met on
/// the way back.
async fn walk<T: Clone + PartialEq + std::fmt::Debug>(
    mut after: impl AsyncFnMut(Option<Cursor>) -> Result<Slice<T>>,
    mut before: impl AsyncFnMut(Option<Cursor>) -> Result<Slice<T>>,
) -> Result<Vec<T>> {
    let mut there = Vec::new();
    let mut slice = after(None).await?;
    assert_eq!(slice.previous, None);
    loop {
        there.extend(slice.items);
        let Some(next) = slice.next else { break };
        // It goes where clients keep it.
        slice = after(Some(next.to_string().parse()?)).await?;
        assert!(slice.previous.is_some() && !slice.items.is_empty());
    }
    let mut back = Vec::new();
    let mut slice = before(None).await?;
    assert_eq!(slice.next, None);
    loop {
        back.extend(slice.items.into_iter().rev());
        let Some(previous) = slice.previous else { break };
        slice = before(Some(previous)).await?;
        assert!(slice.next.is_some() && !slice.items.is_empty());
    }
    back.reverse();
    assert_eq!(back, there);
    Ok(there)
}

backend_tests! {
    /// DESIGN 6: a walk through all slices meets what the whole query gives, in any order, with
    /// ties and NULLs, on engines and sessions, for objects, rows and views.
    async fn a_walk_meets_the_whole_result_in_its_order(db) {
        let mut dice = Dice(42);
        let mut session = things(&db, 60, &mut dice).await?;
        for round in 0..60 {
            let query = Thing::select().order_by(some_order(&mut dice));
            let size = 1 + dice.below(25);
            // The whole, by the order that slices make total.
            let whole: Vec<i64> = query
                .clone()
                .order_by(Thing::id.asc())
                .columns(Thing::id)
                .on(&db.engine)
                .all()
                .await?;
            let met = match round % 6 {
                0 => walk(
                    async |at| Ok(query.clone().on(&db.engine).after(at.as_ref(), size).await?.map(|it| it.id())),
                    async |at| Ok(query.clone().on(&db.engine).before(at.as_ref(), size).await?.map(|it| it.id())),
                ).await?,
                1 => {
                    let rows = query.columns((Thing::name, Thing::id));
                    walk(
                        async |at| Ok(rows.clone().on(&db.engine).after(at.as_ref(), size).await?.map(|it| it.1)),
                        async |at| Ok(rows.clone().on(&db.engine).before(at.as_ref(), size).await?.map(|it| it.1)),
                    ).await?
                }
                2 => {
                    let views = query.view::<Shown>();
                    walk(
                        async |at| Ok(views.clone().on(&db.engine).after(at.as_ref(), size).await?.map(Shown::into_id)),
                        async |at| Ok(views.clone().on(&db.engine).before(at.as_ref(), size).await?.map(Shown::into_id)),
                    ).await?
                }
                kind => walk_in_session(&mut session, query, kind, size).await?,
            };
            assert_eq!(met, whole, "round {round}, by {size}");
        }
    }

    /// DESIGN 6: as many statements as slices, whatever is in them.
    async fn a_slice_is_one_statement(db) {
        let mut session = things(&db, 5, &mut Dice(1)).await?;
        let log = db.log();
        let query = || Thing::select().order_by((Thing::rank.desc(), Thing::name.asc()));
        let first = query().slice(&mut session, 2).await?;
        let second = query().after(&mut session, &first.next.expect("there are more"), 2).await?;
        assert_eq!((first.items.len(), second.items.len()), (2, 2));
        query().before(&mut session, &second.previous.expect("it is behind"), 2).await?;
        query().on(&db.engine).before(None, 2).await?;
        assert_eq!(log.emitted(), ["SELECT things"; 4]);
    }

    /// DESIGN 6: rows of a join are rows of their own, also where they show the same object.
    async fn a_walk_through_joins_meets_each_row(db) {
        let mut session = newsroom(&db).await?;
        let joined = || Article::select().join(Article::tags).order_by(Article::words.desc());
        let whole = joined()
            .order_by((Article::id.asc(), Tag::id.asc()))
            .columns((Article::id, Tag::id))
            .all(&mut session)
            .await?;
        assert!(whole.len() > 3, "{whole:?}");
        let rows = || joined().columns((Article::id, Tag::id));
        let met = walk(
            async |at| rows().on(&db.engine).after(at.as_ref(), 1).await,
            async |at| rows().on(&db.engine).before(at.as_ref(), 1).await,
        ).await?;
        let sorted = |mut rows: Vec<(i64, i64)>| { rows.sort_unstable(); rows };
        assert_eq!(sorted(met), sorted(whole.clone()));
        let met = walk(
            async |at| Ok(joined().on(&db.engine).after(at.as_ref(), 1).await?.map(|it| it.id())),
            async |at| Ok(joined().on(&db.engine).before(at.as_ref(), 1).await?.map(|it| it.id())),
        ).await?;
        assert_eq!(met.len(), whole.len());
        assert!(met.iter().zip(&whole).all(|(met, (whole, _))| met == whole), "{met:?}");

        // By a column of a joined model, some of whose rows are missing.
        let led = || Article::select().left_join(Article::editor).order_by(Person::name.desc());
        let whole = led().order_by(Article::id.asc()).columns(Article::id).all(&mut session).await?;
        let met = walk(
            async |at| Ok(led().on(&db.engine).after(at.as_ref(), 1).await?.map(|it| it.id())),
            async |at| Ok(led().on(&db.engine).before(at.as_ref(), 1).await?.map(|it| it.id())),
        ).await?;
        assert_eq!(met, whole);
    }

    /// DESIGN 6: the limit of a slice counts objects, with what is loaded along with them.
    async fn a_slice_with_joined_collections_counts_objects(db) {
        let mut session = newsroom(&db).await?;
        let people = || {
            Person::select()
                .order_by((Person::age.desc().nulls_last(), Person::name.length().asc()))
                .with(Person::articles.joined())
                .with(Person::reports)
        };
        let whole = people().all(&mut session).await?;
        let mut session = db.session();
        let first = people().slice(&mut session, 3).await?;
        assert_eq!(first.items.len(), 3);
        let second = people().after(&mut session, first.next.as_ref(), 3).await?;
        assert_eq!((second.items.len(), second.next.is_none()), (1, true));
        for person in first.items.iter().chain(&second.items) {
            assert!(session[*person].articles.loaded().is_some());
            assert!(session[*person].reports.loaded().is_some());
        }
        let ids = first.items.iter().chain(&second.items).map(|person| session[*person].id());
        assert_eq!(ids.count(), whole.len());
    }

    /// DESIGN 6: groups and distinct rows have places too.
    async fn groups_and_distinct_rows_have_places(db) {
        things(&db, 40, &mut Dice(7)).await?;
        let groups = || {
            Thing::select()
                .group_by((Thing::name, Thing::done))
                .order_by(Thing::id.count().desc())
                .columns((Thing::name, Thing::done, Thing::id.count()))
        };
        let whole = groups().on(&db.engine).all().await?;
        let met = walk(
            async |at| groups().on(&db.engine).after(at.as_ref(), 2).await,
            async |at| groups().on(&db.engine).before(at.as_ref(), 2).await,
        ).await?;
        assert_eq!(met.len(), whole.len());
        assert!(met.iter().zip(&whole).all(|(met, whole)| met.2 == whole.2), "{met:?}");
        assert!(whole.iter().all(|group| met.contains(group)));

        let names = || Thing::select().distinct().order_by(Thing::rank.desc()).columns((Thing::rank, Thing::name));
        let whole = names().order_by(Thing::name.asc()).on(&db.engine).all().await?;
        let met = walk(
            async |at| names().on(&db.engine).after(at.as_ref(), 3).await,
            async |at| names().on(&db.engine).before(at.as_ref(), 3).await,
        ).await?;
        assert_eq!(met, whole);
        let page = names().on(&db.engine).page(1, 3).await?;
        assert_eq!((&page.items[..], page.total), (&whole[..3], whole.len() as u64));
    }

    /// DESIGN 6: rows that come and go don't shift what follows.
    async fn slices_neither_repeat_nor_miss_rows_when_others_come_and_go(db) {
        let mut session = newsroom(&db).await?;
        let people = || Person::select().order_by(Person::name.asc());
        let first = people().slice(&mut session, 2).await?;
        session[first.items[1]].name = "Zoe".into();
        Person::update().set(Person::name, "Aaa").filter(Person::name.eq("Dee")).execute(&mut session).await?;
        let next = first.next.expect("there are more");
        let second = people().after(&mut session, &next, 2).await?;
        let names: Vec<&str> = second.items.iter().map(|it| &*session[*it].name).collect();
        assert_eq!(names, ["Cyd", "Zoe"]);
        let back = people().before(&mut session, second.previous.as_ref(), 5).await?;
        assert_eq!(back.items.len(), 2);
    }

    /// DESIGN 6: a cursor is good for its own models and order only, and is no way to SQL.
    async fn a_cursor_of_another_query_is_refused(db) {
        let mut session = newsroom(&db).await?;
        let by_name = || Person::select().order_by(Person::name.asc());
        let cursor = by_name().slice(&mut session, 1).await?.next.expect("there are more");
        // Another filter is no other order.
        let filtered = by_name().filter(Person::visits.gt(0));
        assert_eq!(filtered.after(&mut session, &cursor, 5).await?.items.len(), 2);
        let log = db.log();
        macro_rules! refused {
            ($($query:expr),* $(,)?) => {$(
                let error = $query.on(&db.engine).after(&cursor, 5).await.err();
                assert!(matches!(error, Some(Error::InvalidCursor(_))), "{error:?}");
            )*};
        }
        refused![
            Person::select(),
            Person::select().order_by(Person::name.desc()),
            Person::select().order_by(Person::name.asc().nulls_last()),
            Person::select().order_by(Person::nick.asc()),
            Person::select().order_by((Person::name.asc(), Person::age.asc())),
            Person::select().order_by(Person::name.lower().asc()),
            by_name().join(Person::articles),
            Tag::select().order_by(Tag::name.asc()),
        ];
        assert!(log.emitted().is_empty());
    }

    /// DESIGN 6: what can't be sliced is said before any SQL.
    async fn what_has_no_places_is_refused(db) {
        things(&db, 1, &mut Dice(3)).await?;
        let log = db.log();
        macro_rules! refused {
            ($($query:expr),* $(,)?) => {$(
                let error = $query.on(&db.engine).slice(5).await.err();
                assert!(matches!(error, Some(Error::Misuse(_))), "{error:?}");
            )*};
        }
        refused![
            Thing::select().limit(3),
            Thing::select().offset(3),
            Thing::select().order_by(Thing::words.asc()),
            Thing::select().columns(Thing::id.count()),
            Thing::select().group_by(Thing::name.length()).columns(Thing::id.count()),
            Thing::select().distinct().order_by(Thing::rank.asc()).columns(Thing::name),
            Thing::select().for_update(),
        ];
        let none = Thing::select().on(&db.engine).slice(0).await.err();
        assert!(matches!(none, Some(Error::Misuse(_))));
        assert!(log.emitted().is_empty());
        // Enums have an order where they are compared by it.
        let by_mood = Thing::select().order_by(Thing::mood.asc()).on(&db.engine).slice(1).await;
        assert!(matches!(by_mood, Ok(_) | Err(Error::Misuse(_))));
    }

    /// DESIGN 6: pages of any query, which count what the query itself would give.
    async fn pages_of_objects_rows_and_views(db) {
        let mut session = newsroom(&db).await?;
        let people = || Person::select().order_by(Person::age.desc().nulls_last());
        let page = people().page(&mut session, 2, 3).await?;
        assert_eq!((page.items.len(), page.total, page.pages), (1, 4, 2));
        assert_eq!(session[page.items[0]].name, "Bob");
        let names = |query: Select<Person>| query.columns(Person::name);
        let page = names(people()).page(&mut session, 1, 3).await?;
        assert_eq!(page.items, ["Ada", "Dee", "Cyd"]);
        assert_eq!(names(people()).on(&db.engine).page(1, 3).await?, page);
        let page = names(people().offset(1).limit(2)).on(&db.engine).page(2, 1).await?;
        assert_eq!((&page.items[..], page.total, page.pages), (&["Cyd".to_owned()][..], 2, 2));
        let none = names(people().limit(2)).on(&db.engine).page(3, 1).await?;
        assert!(none.items.is_empty());
        let things = Thing::select();
        db.create(&schema![Thing]).await?;
        let page = things.view::<Shown>().page(&mut session, 1, 1).await?;
        assert_eq!((page.items.len(), page.total, page.pages), (0, 0, 0));
        let error = people().page(&mut session, 0, 3).await.err();
        assert!(matches!(error, Some(Error::Misuse(_))), "{error:?}");
    }

    /// DESIGN 6: an order that a request asks for is one of those that are offered.
    async fn an_order_from_a_request(db) {
        let mut session = newsroom(&db).await?;
        let offered = [Person::name.into(), Person::age.into()];
        let order = Person::order_from("-age, name", &offered)?;
        let names = Person::select().order_by(order).filter(Person::age.is_not_null()).columns(Person::name);
        assert_eq!(names.all(&mut session).await?, ["Ada", "Dee", "Cyd"]);
        assert!(Person::order_from(" ", &offered)?.is_empty());
        for (text, message) in [
            ("visits", "`visits` is not among `name`, `age`"),
            ("name,-name", "`name` comes twice; there are `name`, `age`"),
            ("name,", "`` is not among `name`, `age`"),
            ("--name", "`-name` is not among `name`, `age`"),
            ("name; DROP TABLE people", "`name; DROP TABLE people` is not among `name`, `age`"),
            ("\u{7}\n", "`\\u{7}` is not among `name`, `age`"),
        ] {
            let error = Person::order_from(text, &offered).unwrap_err();
            assert!(matches!(error, Error::InvalidOrder(_)));
            assert_eq!(error.to_string(), format!("the rows can't be ordered like that: {message}"));
        }
    }
}

/// The walks of a session, of one kind of query.
async fn walk_in_session(
    session: &mut Session,
    query: Select<Thing>,
    kind: u64,
    size: u64,
) -> Result<Vec<i64>> {
    let session = &tokio::sync::Mutex::new(session);
    match kind {
        3 => {
            let part = async |at: Option<Cursor>, back: bool| {
                let session = &mut **session.lock().await;
                let slice = match back {
                    false => query.clone().after(session, at.as_ref(), size).await?,
                    true => query.clone().before(session, at.as_ref(), size).await?,
                };
                Ok(slice.map(|thing| session[thing].id()))
            };
            walk(async |at| part(at, false).await, async |at| part(at, true).await).await
        }
        4 => {
            let rows: Rows<i64, _> = query.columns(Thing::id);
            walk(
                async |at| rows.clone().after(&mut **session.lock().await, at.as_ref(), size).await,
                async |at| {
                    rows.clone().before(&mut **session.lock().await, at.as_ref(), size).await
                },
            )
            .await
        }
        _ => {
            let views = query.view::<Shown>();
            let part = async |at: Option<Cursor>, back: bool| {
                let session = &mut **session.lock().await;
                let slice = match back {
                    false => views.clone().after(session, at.as_ref(), size).await?,
                    true => views.clone().before(session, at.as_ref(), size).await?,
                };
                Ok(slice.map(Shown::into_id))
            };
            walk(async |at| part(at, false).await, async |at| part(at, true).await).await
        }
    }
}
