//! Every way by which a value gets into a statement, with more than a thousand hostile texts: each
//! round-trips or is refused before the database hears of it, the statements are those of a harmless
//! text to the letter, and a table that nobody speaks of stays as it is.

use orm_core::query::{Cursor, excluded, raw};
use orm_core::session::Patch;
use orm_core::{Error, Json, Model, Result, Session, schema};
use orm_tests::{Database, backend_tests};
use serde_json::json;

use super::strings;

#[derive(Model)]
#[orm(table = "canaries")]
struct Canary {
    song: String,
}

#[derive(Model)]
struct Note {
    text: String,
    other: Option<String>,
    #[orm(default)]
    words: Vec<String>,
    document: Option<serde_json::Value>,
    labels: Option<Json<std::collections::BTreeMap<String, String>>>,
    #[orm(default)]
    bytes: Vec<u8>,
}

#[derive(Model)]
#[orm(base = none)]
struct Place {
    #[orm(primary_key, length = 255)]
    name: String,
    #[orm(default = 0)]
    visits: i64,
}

/// Creates the tables, with one canary and one note.
async fn prepare(db: &Database) -> Result<()> {
    db.create(&schema![Canary, Note, Place]).await?;
    let mut session = db.session();
    session.add(Canary::draft().song("tweet"));
    session.add(Note::draft().text("there").other("there"));
    session.commit().await
}

/// Goes one way with each of the texts, in a transaction that is rolled back.
async fn go(
    db: &Database,
    texts: &[String],
    way: impl AsyncFn(&mut Session, &str) -> Result<()>,
) -> Result<()> {
    let log = db.log();
    let mut session = db.session();
    way(&mut session, "harmless").await?;
    session.rollback().await?;
    let statements = log.texts();
    assert!(!statements.is_empty());
    let mut refused = 0;
    for text in texts {
        let outcome = way(&mut session, text).await;
        let emitted = log.texts();
        session.rollback().await?;
        match outcome {
            Ok(()) => assert_eq!(emitted, statements, "{text:?}"),
            Err(Error::Type { .. }) => {
                assert!(emitted.len() < statements.len(), "{text:?} was refused by the database");
                assert!(text.contains('\0'), "{text:?} was refused");
                refused += 1;
            }
            Err(error) => panic!("{text:?}: {error}"),
        }
    }
    assert!(refused < 10, "{refused}");
    let songs = Canary::select().columns(Canary::song).all(&mut session).await?;
    assert_eq!(songs, ["tweet"]);
    assert_eq!(Note::select().count(&mut session).await?, 1);
    assert_eq!(Place::select().count(&mut session).await?, 0);
    Ok(())
}

async fn the_note(session: &mut Session) -> Result<orm_core::Handle<Note>> {
    Note::select().one(session).await
}

/// Follows a path of hostile keys to a hostile text, and one that leads nowhere.
async fn follow(session: &mut Session, text: &str) -> Result<()> {
    let other = format!("{text} or another");
    let document = json!({ text: { text: text, "length": 3 } });
    let note = session.add(Note::draft().text("path").document(document));
    let conditions = [
        Note::document.key(text).key(text).text().eq(text),
        Note::document.path([text, text]).exists(),
        Note::document.key(text).key("length").int().eq(3),
        !Note::document.key(&*other).exists() & Note::document.is_not_null(),
        !Note::document.path([text, &*other]).exists() & Note::document.is_not_null(),
    ];
    for condition in conditions {
        assert_eq!(Note::select().filter(condition).all(session).await?, [note]);
    }
    let found = Note::select().columns(Note::document.path([text, text]).text());
    let found: Vec<Option<String>> = found.order_by(Note::id.asc()).all(session).await?;
    assert_eq!(found, [None, Some(text.to_owned())]);
    Ok(())
}

backend_tests! {
    /// DESIGN 6: values always travel as binds.
    async fn drafts_and_assignments(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let note = session.add(Note::draft().text(text).bytes(text.as_bytes()));
            session.flush().await?;
            session[note].other = Some(text.to_owned());
            session[note].words = vec![text.to_owned(), String::new(), text.to_owned()];
            session.flush().await?;
            session.refresh(note).await?;
            assert_eq!(session[note].text, text);
            assert_eq!(session[note].other.as_deref(), Some(text));
            assert_eq!(session[note].words, [text, "", text]);
            assert_eq!(session[note].bytes, text.as_bytes());
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: the strings and the keys of a document too.
    async fn documents(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let document = json!({ text: [text, { "in": text }] });
            let labels = Json([(text.to_owned(), text.to_owned())].into());
            let note = Note::draft().text("document").document(document.clone()).labels(labels);
            let note = session.add(note);
            session.flush().await?;
            session.refresh(note).await?;
            assert_eq!(session[note].document.as_ref(), Some(&document));
            let labels = session[note].labels.as_ref().expect("they were written");
            assert_eq!(labels.0.get(text).map(String::as_str), Some(text));
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: the keys of a path into a document are values, not parts of a path.
    async fn json_paths(db) {
        prepare(&db).await?;
        // A dash at the start means something to MariaDB, and has a statement of its own.
        let (dashed, plain): (Vec<String>, Vec<String>) =
            strings::all().into_iter().partition(|text| text.starts_with('-'));
        let rest: Vec<String> = dashed.iter().map(|text| text[1..].to_owned()).collect();
        go(&db, &plain, async |session, text| follow(session, text).await).await?;
        go(&db, &rest, async |session, text| follow(session, &format!("-{text}")).await).await?;
    }

    /// DESIGN 6: so are the elements that are looked for in an array.
    async fn array_operators(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let words = vec!["first".to_owned(), text.to_owned()];
            let note = session.add(Note::draft().text("array").words(words));
            let conditions = [
                Note::words.contains_value(text),
                Note::words.contains_all([text, "first"]),
                Note::words.overlaps([text, "nobody"]),
                Note::words.at(1).eq(text),
            ];
            for condition in conditions {
                assert_eq!(Note::select().filter(condition).all(session).await?, [note]);
            }
            let other = format!("{text} or another");
            let missing = Note::words.contains_value(&*other) | Note::words.overlaps([&*other]);
            assert_eq!(Note::select().filter(missing).all(session).await?, []);
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: a text finds itself and nothing else.
    async fn comparisons(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let note = session.add(Note::draft().text(text));
            let conditions = [
                Note::text.eq(text),
                Note::text.in_([text, "nobody"]),
                Note::text.between(text, text),
                Note::text.ge(text) & Note::text.le(text),
                !Note::text.ne(text),
                !Note::text.not_in([text]),
                Note::other.coalesce(text).eq(text) & Note::other.is_null(),
                Note::text.concat(text).eq(format!("{text}{text}")),
            ];
            for condition in conditions {
                assert_eq!(Note::select().filter(condition).all(session).await?, [note]);
            }
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: wildcards and escapes mean nothing where a text is looked for.
    async fn needles(db) {
        prepare(&db).await?;
        go(&db, &strings::short(), async |session, text| {
            let note = session.add(Note::draft().text(format!("<{text}>")));
            // What each wildcard could be taken for, and the escape alone.
            session.add(Note::draft().text("<>".repeat(60)));
            for condition in [
                Note::text.contains(text),
                Note::text.starts_with(format!("<{text}>")),
                Note::text.ends_with(format!("{text}>")),
            ] {
                let query = Note::select().filter(condition & Note::text.ne("there"));
                let found = query.order_by(Note::id.asc()).all(session).await?;
                let is_everywhere = "<>".repeat(60).contains(&format!("{text}>")) || text.is_empty();
                assert!(found == [note] || is_everywhere, "{text:?} found {}", found.len());
            }
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: an expression that an UPDATE evaluates, a bulk UPDATE and a bulk DELETE.
    async fn updates_and_deletes(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let note = the_note(session).await?;
            session.set(note, Note::other, Note::text.concat(text));
            session.flush().await?;
            assert_eq!(session[note].other, Some(format!("there{text}")));
            let set = Note::update().set(Note::other, text).filter(Note::text.ne(text));
            assert_eq!(set.execute(session).await?, 1);
            assert_eq!(session[note].other.as_deref(), Some(text));
            let delete = Note::delete().filter(Note::other.eq(text));
            assert_eq!(delete.execute(session).await?, 1);
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: a text that is a key.
    async fn keys(db) {
        prepare(&db).await?;
        go(&db, &strings::short(), async |session, text| {
            let found = session
                .find_or_add(Place::name, [text, text], |name| Place::draft().name(name))
                .await?;
            assert_eq!(found.len(), 1);
            session.expunge_all();
            let place = session.require::<Place>(text.to_owned()).await?;
            session[place].visits = 3;
            session.flush().await?;
            session.expunge_all();
            let many = session.get_many::<Place>([text.to_owned(), "nobody".to_owned()]).await?;
            assert!(many[0].is_some() && many[1].is_none());
            session.expunge_all();
            let merged = session.merge(Place::draft().name(text).visits(5)).await?;
            session.flush().await?;
            assert_eq!(session[merged].name, text);
            session.delete(merged);
            session.flush().await?;
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: the places of rows, which clients keep.
    async fn cursors(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let note = the_note(session).await?;
            session[note].text = text.into();
            session.add(Note::draft().text(format!("{text}z")).other(text));
            session.flush().await?;
            let notes = || Note::select().order_by((Note::other.desc(), Note::text.asc()));
            let first = notes().slice(session, 1).await?;
            let next = serde_json::to_string(&first.next).expect("a text");
            let next: Option<Cursor> = serde_json::from_str(&next).expect("the same");
            let second = notes().after(session, next.as_ref(), 5).await?;
            assert_eq!((first.items.len(), second.items.len(), &second.next), (1, 1, &None));
            assert_ne!(first.items, second.items);
            let back = notes().before(session, second.previous.as_ref(), 5).await?;
            assert_eq!(back.items, first.items);
            Ok(())
        })
        .await?;
        for text in strings::all() {
            assert!(matches!(text.parse::<Cursor>(), Err(Error::InvalidCursor(_))), "{text:?}");
            let offered = [Note::text.into(), Note::other.into()];
            let order = Note::order_from(&text, &offered);
            assert!(order.is_err() || text.trim().is_empty(), "{text:?}");
        }
    }

    /// DESIGN 6: bulk INSERTs, upserts and what they give back.
    async fn upserts(db) {
        prepare(&db).await?;
        go(&db, &strings::short(), async |session, text| {
            let rows = || Place::insert([Place::draft().name(text).visits(1)]).on_conflict(Place::name);
            assert_eq!(rows().nothing().execute(session).await?, 1);
            let added = rows().update_with(Place::visits, Place::visits + excluded(Place::visits));
            let names = added.returning_columns((Place::name, Place::visits)).all(session).await?;
            assert_eq!(names, [(text.to_owned(), 2)]);
            assert_eq!(rows().nothing().execute(session).await?, 0);
            let gone = Place::delete().filter(Place::name.eq(text)).returning_columns(Place::name);
            assert_eq!(gone.all(session).await?, [text]);
            Ok(())
        })
        .await?;
    }

    /// DESIGN 6: what a hand-written statement is given.
    async fn binds_of_hand_written_statements(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let write = raw("UPDATE notes SET other = {} WHERE text <> {}").bind(text).bind(text);
            assert_eq!(write.execute(session).await?, 1);
            let read = raw("SELECT other FROM notes WHERE other = {} /* {} */").bind(text.to_owned());
            assert_eq!(read.rows::<String>().all(session).await?, [text]);
            Ok(())
        })
        .await?;
    }

    /// DESIGN 2, Patches: what a request sends.
    async fn patches(db) {
        prepare(&db).await?;
        go(&db, &strings::all(), async |session, text| {
            let note = the_note(session).await?;
            let patch = json!({ "text": text, "other": text, "document": { text: text } });
            let patch: Patch<Note> = serde_json::from_value(patch).expect("a patch");
            session.apply(note, patch.everything())?;
            session.flush().await?;
            session.refresh(note).await?;
            assert_eq!((&*session[note].text, session[note].other.as_deref()), (text, Some(text)));
            assert_eq!(session[note].document, Some(json!({ text: text })));
            Ok(())
        })
        .await?;
        // A field that is not there is refused before anything is asked.
        for text in strings::all() {
            let patch = serde_json::from_value::<Patch<Note>>(json!({ &text: 1 }));
            assert!(patch.is_err(), "there is no field {text:?}");
        }
    }
}
