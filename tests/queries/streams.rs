//! Results that are never in memory as a whole: streams on an engine, batches on a session.

use std::cell::Cell;
use std::time::Duration;

use orm_core::query::{Cursor, Select};
use orm_core::{
    BelongsTo, Error, HasMany, HookContext, Hooks, Model, Result, Session, View, schema,
};
use orm_tests::{Database, backend_tests};

#[derive(Model)]
#[orm(hooks)]
struct Reading {
    station: i64,
    value: Option<i32>,
    #[orm(default = false)]
    checked: bool,
    #[orm(back_populates = reading)]
    notes: HasMany<Note>,
}

#[derive(Model)]
struct Note {
    text: String,
    #[orm(foreign_key = Reading)]
    reading_id: i64,
    #[orm(back_populates = notes)]
    reading: BelongsTo<Reading>,
}

#[derive(View)]
#[orm(of = Reading)]
struct Shown {
    id: i64,
    notes: Vec<Noted>,
}

#[derive(View)]
#[orm(of = Note)]
struct Noted {
    text: String,
}

thread_local! {
    /// How many readings this thread has decoded, on which one test runs.
    static DECODED: Cell<usize> = const { Cell::new(0) };
}

impl Hooks for Reading {
    fn after_load(&mut self, _context: &HookContext<'_>) -> Result<()> {
        DECODED.set(DECODED.get() + 1);
        Ok(())
    }
}

/// Fills the tables with so many readings, every third of which has two notes.
async fn readings(db: &Database, rows: i64) -> Result<Session> {
    db.create(&schema![Reading, Note]).await?;
    let mut session = db.session();
    for at in 0..rows {
        let draft = Reading::draft().station(at % 7).value((at % 5 > 0).then_some(1));
        let reading = session.add(draft);
        if at % 3 == 0 {
            let notes = ["one", "two"].map(|text| Note::draft().text(text));
            reading.notes(&mut session).extend(notes);
        }
    }
    session.commit().await?;
    Ok(db.session())
}

fn in_order() -> Select<Reading> {
    Reading::select().order_by((Reading::station.desc(), Reading::value.asc(), Reading::id.asc()))
}

async fn ids_in_order(db: &Database) -> Result<Vec<i64>> {
    in_order().columns(Reading::id).on(&db.engine).all().await
}

backend_tests! {
    /// SEMANTICS 12.3: a stream gives what the whole query gives, by one statement.
    async fn rule_12_3_a_stream_gives_the_whole_result(db) {
        readings(&db, 1_000).await?;
        let whole = ids_in_order(&db).await?;
        let log = db.log();
        let mut met = Vec::new();
        let mut stream = in_order().on(&db.engine).stream();
        while let Some(reading) = stream.next().await {
            met.push(reading?.id());
        }
        assert!(stream.next().await.is_none());
        assert_eq!(met, whole);
        let mut rows = in_order().columns((Reading::id, Reading::value)).on(&db.engine).stream();
        let mut met = Vec::new();
        while let Some(row) = rows.next().await {
            met.push(row?.0);
        }
        assert_eq!(met, whole);
        assert_eq!(log.emitted(), ["SELECT readings"; 2]);
        let mut none = Reading::select().filter(Reading::id.lt(0)).on(&db.engine).stream();
        assert!(none.next().await.is_none());
    }

    /// SEMANTICS 12.3: rows are decoded as they are taken, in bounded memory.
    async fn rule_12_3_a_stream_reads_no_further_than_it_is_taken(db) {
        readings(&db, 3_000).await?;
        let before = DECODED.get();
        let mut stream = in_order().on(&db.engine).stream();
        for taken in 1..=200 {
            stream.next().await.expect("there are more")?;
            let decoded = DECODED.get() - before;
            assert!((taken..taken + 64).contains(&decoded), "{decoded} for {taken}");
        }
    }

    /// SEMANTICS 12.3: a stream that is dropped anywhere leaves no connection that others would find
    /// in the middle of something.
    async fn rule_12_3_a_stream_may_be_dropped_anywhere(db) {
        let db = db.with_engine(|engine| {
            engine.max_connections(1).acquire_timeout(Duration::from_secs(5))
        }).await?;
        readings(&db, 2_000).await?;
        let count = || Reading::select().on(&db.engine).count();
        for taken in [0, 1, 63, 64, 65, 1_000, 1_999, 2_000] {
            let mut stream = in_order().on(&db.engine).stream();
            for _ in 0..taken {
                stream.next().await.expect("there are more")?;
            }
            drop(stream);
            assert_eq!(count().await?, 2_000, "after {taken}");
        }
        for taken in 0..3 {
            let mut graphs = in_order().with(Reading::notes).on(&db.engine).graphs(300);
            for _ in 0..taken {
                graphs.next().await.expect("there are more")?;
            }
            drop(graphs);
            assert_eq!(count().await?, 2_000);
        }
        let mut unpolled = in_order().on(&db.engine).stream();
        let polled = orm_tests::dropped_after(1, unpolled.next()).await;
        drop((polled, unpolled));
        assert_eq!(count().await?, 2_000);
        db.expect_no_transaction().await;
    }

    /// SEMANTICS 12.3: an error is the last item.
    async fn rule_12_3_an_error_ends_a_stream(db) {
        readings(&db, 3).await?;
        let mut wrong = Reading::select().for_update().on(&db.engine).stream();
        assert!(matches!(wrong.next().await, Some(Err(Error::Misuse(_)))));
        assert!(wrong.next().await.is_none());
        db.run("DROP TABLE notes").await.expect("drops");
        let mut views = Reading::select().view::<Shown>().on(&db.engine).stream();
        assert!(matches!(views.next().await, Some(Err(Error::Database { .. }))));
        assert!(views.next().await.is_none());
        let mut none = Reading::select().on(&db.engine).graphs(0);
        assert!(matches!(none.next().await, Some(Err(Error::Misuse(_)))));
    }

    /// SEMANTICS 12.3: relationships are loaded chunk by chunk, by a statement of their own or by a
    /// join.
    async fn rule_12_3_eager_loads_come_with_each_chunk(db) {
        readings(&db, 500).await?;
        let whole = ids_in_order(&db).await?;
        for (options, emitted) in [
            (in_order().with(Reading::notes.selectin()), 6),
            (in_order().with(Reading::notes.joined()), 3),
        ] {
            let log = db.log();
            let mut graphs = options.on(&db.engine).graphs(200);
            let mut met = Vec::new();
            while let Some(graph) = graphs.next().await {
                let graph = graph?;
                assert!(graph.len() <= 200);
                for reading in graph.roots() {
                    let id = graph[reading].id();
                    let notes = graph.members(reading, Reading::notes)?;
                    let texts: Vec<&str> = notes.map(|(_, note)| &*note.text).collect();
                    let expected: &[&str] = if id % 3 == 1 { &["one", "two"] } else { &[] };
                    assert_eq!(texts, expected);
                    met.push(id);
                }
            }
            assert_eq!(met, whole);
            assert_eq!(log.emitted().len(), emitted, "{:?}", log.emitted());
        }
        let log = db.log();
        let mut views = in_order().limit(450).offset(20).view::<Shown>().on(&db.engine).stream();
        let mut met = Vec::new();
        while let Some(view) = views.next().await {
            let view = view?;
            assert_eq!(view.notes.iter().filter(|note| note.text == "two").count(), usize::from(view.id % 3 == 1));
            met.push(view.id);
        }
        assert_eq!(met, whole[20..470]);
        assert_eq!(log.emitted(), ["SELECT readings", "SELECT notes"]);
    }

    /// SEMANTICS 12.3: batches meet every object once, each by one statement, and a commit between
    /// them, edits included, is nothing to them.
    async fn rule_12_3_batches_survive_commits(db) {
        let mut session = readings(&db, 100).await?;
        let whole = ids_in_order(&db).await?;
        let log = db.log();
        let mut met = Vec::new();
        let mut batches = in_order().batches(30);
        assert!(batches.position().is_none());
        while let Some(readings) = batches.next(&mut session).await? {
            assert!(readings.len() <= 30);
            for reading in &readings {
                met.push(session[*reading].id());
                session[*reading].checked = true;
            }
            session.commit().await?;
            session.expunge_all();
            assert!(matches!(session.try_get(readings[0]), Err(Error::Detached { .. })));
        }
        assert_eq!(met, whole);
        assert_eq!(log.emitted(), ["SELECT readings", "UPDATE readings"].repeat(4));
        assert!(batches.next(&mut session).await?.is_none());
        let changed = Reading::select().filter(Reading::checked.eq(true));
        assert_eq!(changed.count(&mut session).await?, 100);
    }

    /// SEMANTICS 12.3: batches go on in another session, from a place that was written down.
    async fn rule_12_3_batches_resume_from_a_place(db) {
        let mut session = readings(&db, 50).await?;
        let whole = ids_in_order(&db).await?;
        let mut batches = in_order().batches(20);
        let first = batches.next(&mut session).await?.expect("there are some");
        let mut met: Vec<i64> = first.into_iter().map(|it| session[it].id()).collect();
        let place = batches.position().expect("it has begun").to_string();
        drop((batches, session));

        let mut session = db.session();
        let mut batches = in_order().batches(7).resume(place.parse()?);
        while let Some(readings) = batches.next(&mut session).await? {
            met.extend(readings.into_iter().map(|it| session[it].id()));
        }
        assert_eq!(met, whole);

        let place: Cursor = place.parse()?;
        let mut other = Reading::select().batches(7).resume(place);
        assert!(matches!(other.next(&mut session).await, Err(Error::InvalidCursor(_))));
        let mut none = Reading::select().batches(0);
        assert!(matches!(none.next(&mut session).await, Err(Error::Misuse(_))));
    }

    /// SEMANTICS 12.3: a limit counts all batches together; what is loaded eagerly comes with each.
    async fn rule_12_3_batches_have_the_limit_and_the_loads_of_the_query(db) {
        let mut session = readings(&db, 60).await?;
        let whole = ids_in_order(&db).await?;
        let query = in_order().offset(5).limit(25).with(Reading::notes.joined());
        let mut batches = query.batches(10);
        let (mut met, mut sizes) = (Vec::new(), Vec::new());
        while let Some(readings) = batches.next(&mut session).await? {
            sizes.push(readings.len());
            for reading in readings {
                assert!(session[reading].notes.loaded().is_some());
                met.push(session[reading].id());
            }
        }
        assert_eq!(sizes, [10, 10, 5]);
        assert_eq!(met, whole[5..30]);
    }

    /// SEMANTICS 12.3: a batch that fails, or whose future is dropped, is tried again.
    async fn rule_12_3_a_batch_that_was_not_given_comes_again(db) {
        let mut session = readings(&db, 20).await?;
        let whole = ids_in_order(&db).await?;
        let mut batches = in_order().batches(8);
        batches.next(&mut session).await?;
        let dropped = orm_tests::dropped_after(1, batches.next(&mut session)).await;
        let second = match dropped {
            Some(second) => second?,
            None => batches.next(&mut session).await?,
        };
        let met: Vec<i64> =
            second.expect("there are more").into_iter().map(|it| session[it].id()).collect();
        assert_eq!(met, whole[8..16]);
    }
}
