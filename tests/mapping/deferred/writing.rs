//! What becomes of deferred columns that are assigned, whether they are loaded or not.

use orm_core::session::Patch;
use orm_tests::backend_tests;

use super::*;

#[derive(Debug, Model)]
#[orm(base = none)]
struct Note {
    #[orm(primary_key, length = 20)]
    slug: String,
    text: Deferred<String>,
    rank: i64,
}

/// The row of an author, with everything.
async fn row(db: &Database, id: i64) -> Result<orm_core::Entity<Author>> {
    Author::select()
        .undefer(Author::biography)
        .undefer(Author::portrait)
        .undefer(Author::motto)
        .filter(Author::id.eq(id))
        .on(&db.engine)
        .one()
        .await
}

backend_tests! {
    /// SEMANTICS 6.1, 11.7: an assignment loads nothing, and the flush writes only that.
    async fn rule_6_1_only_what_was_assigned_is_written(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let log = db.log();
        session[ada].biography = "by assignment".into();
        session[ada].portrait.set(None);
        assert!(session.is_modified(ada));
        session.flush().await?;
        let texts = log.texts();
        assert!(texts[0].contains("biography") && texts[0].contains("portrait"), "{texts:?}");
        assert!(!texts[0].contains("motto") && !texts[0].contains("visits"), "{texts:?}");
        assert_eq!(session[ada].biography.get(), "by assignment");
        session.set(ada, Author::motto, "by set");
        session.commit().await?;
        let row = row(&db, 1).await?;
        assert_eq!((&**row.biography.get(), &**row.motto.get()), ("by assignment", "by set"));
        assert_eq!((row.portrait.get(), &*row.name), (&None, "ada"));
    }

    /// SEMANTICS 6.1, 11.7: an unloaded field is no edit, however it came about.
    async fn rule_11_7_unloaded_is_never_written(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let log = db.log();
        session[ada].visits += 0;
        assert!(!session.is_modified(ada));
        session.load(ada, Author::biography).await?;
        log.emitted();
        session[ada].biography = Deferred::unloaded();
        assert!(!session.is_modified(ada));
        assert!(!session.history(ada, Author::biography).is_changed());
        assert!(session.changes(ada)?.is_empty());
        session[ada].visits = 1;
        session.flush().await?;
        assert!(!log.texts()[0].contains("biography"));
        assert_eq!(session.load(ada, Author::biography).await?, "ada was born");
        assert!(!session.is_modified(ada));
        // Editing in place what is loaded is an edit; taking it back is none.
        session[ada].biography.loaded_mut().unwrap().push('!');
        assert!(session.is_modified(ada));
        session[ada].biography.loaded_mut().unwrap().pop();
        assert!(!session.is_modified(ada));
        session.commit().await?;
        assert_eq!(row(&db, 1).await?.biography.get(), "ada was born");
    }

    /// What was unloaded and loaded again is as the database has it by then, and no edit.
    async fn what_is_loaded_again_is_no_edit(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        session.load(ada, Author::biography).await?;
        session.autoflush(false);
        session[ada].biography = Deferred::default();
        Author::update().set(Author::biography, "theirs").filter(Author::id.gt(0)).on(&db.engine).execute().await?;
        assert_eq!(session.load(ada, Author::biography).await?, "theirs");
        assert!(!session.is_modified(ada));
    }

    /// History and changes tell an old value only if it was loaded.
    async fn history_knows_what_was_loaded(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let biography = session.history(ada, Author::biography);
        assert_eq!((biography.old(), biography.new(), biography.is_changed()), (None, None, false));
        session[ada].biography = "new".into();
        let biography = session.history(ada, Author::biography);
        assert_eq!((biography.old(), biography.is_changed()), (None, true));
        assert_eq!(biography.new().unwrap(), "new");
        assert_eq!(session.changes(ada)?.to_string(), r#"biography: "new""#);
        session.flush().await?;
        session[ada].biography = "newer".into();
        assert_eq!(session.changes(ada)?.to_string(), r#"biography: "new" → "newer""#);
        let bob = session.require::<Author>(2).await?;
        assert_eq!(session.history(bob, Author::portrait).old(), None);
    }

    /// SEMANTICS 5.3, 5.4: a draft sets it as any column, and the flush tells what the server made.
    async fn rule_5_3_drafts_and_defaults(db) {
        db.create(&tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("ada").biography("born"));
        let book = session.add(Book::draft().title("t").author(ada));
        assert_eq!(session[book].blurb.get(), "none yet");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT authors", "INSERT books"]);
        assert_eq!((&**session[ada].motto.get(), session[ada].portrait.get()), ("none", &None));
        let row = row(&db, 1).await?;
        assert_eq!((&**row.biography.get(), &**row.motto.get()), ("born", "none"));
    }

    /// SEMANTICS 11.7: a new object that was never given the value is refused, before any SQL.
    async fn rule_11_7_a_new_object_needs_a_value(db) {
        committed(&db).await?;
        let copied = Page { text: Deferred::unloaded(), version: 1, rank: 1 };
        let mut session = db.session();
        session.add(copied);
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(error.violates(Page::text), "{error}");
        assert!(error.to_string().contains("deferred and was never loaded or set"), "{error}");
        assert_eq!(log.emitted(), [""; 0]);
        session.rollback().await?;
        session.add(Page { text: "given".into(), version: 1, rank: 1 });
        session.commit().await?;
    }

    /// SEMANTICS 6.5: a change of it alone bumps the version, and one that is read by others is stale.
    async fn rule_6_5_versions_count_it(db) {
        db.create(&tables()).await?;
        let mut session = db.session();
        session.add(Page::draft().text("first").rank(1));
        session.commit().await?;
        let (mut session, mut other) = (db.session(), db.session());
        let page = session.require::<Page>(1).await?;
        let theirs = other.require::<Page>(1).await?;
        session[page].text = "second".into();
        session.commit().await?;
        assert_eq!(session[page].version, 2);
        other[theirs].text = "lost".into();
        let error = other.commit().await.unwrap_err();
        assert!(matches!(error, Error::StaleData(_)), "{error}");
        other.rollback().await?;
        other.refresh(theirs).await?;
        assert_eq!(other.load(theirs, Page::text).await?, "second");
    }

    /// SEMANTICS 6.6: an SQL expression sees the row, loaded or not, and is read back.
    async fn rule_6_6_expressions_are_read_back(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        session.set(ada, Author::biography, Author::biography.upper());
        assert!(session.is_modified(ada));
        assert_eq!(session.history(ada, Author::biography).new(), None);
        session.commit().await?;
        assert_eq!(session[ada].biography.get(), "ADA WAS BORN");
    }

    /// SEMANTICS 10.3: what wasn't loaded elsewhere is not set here.
    async fn rule_10_3_merge_takes_what_is_loaded(db) {
        committed(&db).await?;
        let mut session = db.session();
        let mut entity = Author::select().undefer(Author::motto).on(&db.engine).first().await?.unwrap();
        entity.name = "augusta".into();
        entity.motto = "merged".into();
        let ada = session.merge(entity).await?;
        let log = db.log();
        session.flush().await?;
        assert!(!log.texts()[0].contains("biography"));
        assert_eq!((&*session[ada].name, &**session[ada].motto.get()), ("augusta", "merged"));
        session.merge((1, Author::draft().biography("of a draft"))).await?;
        session.commit().await?;
        let row = row(&db, 1).await?;
        assert_eq!((&**row.biography.get(), &**row.motto.get()), ("of a draft", "merged"));
        assert_eq!(row.portrait.get(), &Some(vec![1, 2]));
    }

    /// A patch may set it, and one that fails leaves it unloaded.
    async fn patches_set_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let patch: Patch<Author> =
            serde_json::from_str(r#"{"biography": "patched", "portrait": null}"#).unwrap();
        session.apply(ada, patch.only((Author::biography, Author::portrait)))?;
        session.commit().await?;
        let row = row(&db, 1).await?;
        assert_eq!((&**row.biography.get(), row.portrait.get()), ("patched", &None));
    }

    /// SEMANTICS 12.1: a bulk UPDATE tells objects the columns that it assigned, loaded or not.
    async fn rule_12_1_bulk_updates_tell_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        Author::update()
            .set(Author::biography, "bulk")
            .set(Author::motto, Author::name.upper())
            .filter(Author::name.eq("ada"))
            .execute(&mut session)
            .await?;
        assert_eq!((&**session[authors[0]].biography.get(), &**session[authors[0]].motto.get()), ("bulk", "ADA"));
        assert!(!session[authors[1]].biography.is_loaded() && !session[authors[1]].motto.is_loaded());
        assert!(!session.is_modified(authors[0]));
        session.rollback().await?;
        assert!(!session[authors[0]].biography.is_loaded(), "as it was");
        assert_eq!(session.load(authors[0], Author::motto).await?, "write");
    }

    /// SEMANTICS 12.2: objects that a write gives come as a query's do; columns come if asked for.
    async fn rule_12_2_returned_rows_leave_it_out(db) {
        committed(&db).await?;
        let mut session = db.session();
        let written = Author::update()
            .set(Author::visits, 7)
            .filter(Author::id.gt(0))
            .returning()
            .all(&mut session)
            .await?;
        assert_eq!(written.len(), 2);
        for author in written {
            assert_eq!((session[author].visits, session[author].biography.is_loaded()), (7, false));
        }
        let again = Page::insert([Page::draft().text("one").rank(1)]).returning();
        let pages = again.all(&mut session).await?;
        assert_eq!(session.load(pages[0], Page::text).await?, "one");
    }

    /// SEMANTICS 12.2: an upsert writes it, and its objects come without it.
    async fn rule_12_2_upserts_write_it(db) {
        db.create(&schema![Note]).await?;
        let mut session = db.session();
        let note = |text: &str| Note::draft().slug("a").text(text).rank(1);
        let kept = session.add(note("first"));
        session.commit().await?;
        let update = |text| {
            let insert = Note::insert([note(text)]).on_conflict(Note::slug);
            insert.update((Note::text, Note::rank))
        };
        let texts: Vec<(String, i64)> =
            update("second").returning_columns((Note::text, Note::rank)).all(&mut session).await?;
        assert_eq!(texts, [("second".to_owned(), 1)]);
        assert_eq!(session.load(kept, Note::text).await?, "second");
        let notes = update("third").returning().all(&mut session).await?;
        assert_eq!((notes[0], session[kept].rank), (kept, 1));
        assert!(!session[kept].text.is_loaded(), "it was read anew, without it");
        assert_eq!(session.load(kept, Note::text).await?, "third");
        session.commit().await?;
        let found = session.find_or_add(Note::slug, ["a", "b"], |slug| {
            Note::draft().slug(slug).text("new").rank(2)
        });
        let found = found.await?;
        assert_eq!(found[0], kept);
        assert_eq!(session.load(found[1], Note::text).await?, "new");
        session.commit().await?;
    }

    /// SEMANTICS 4.7: a row that takes another's place keeps, and knows, what it wasn't given.
    async fn rule_4_7_row_switches_keep_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let book = session.require::<Book>(1).await?;
        session.delete(book);
        session.merge((1, Book::draft().title("again").author_id(1))).await?;
        session.commit().await?;
        let new = session.require::<Book>(1).await?;
        assert_eq!(session[new].title, "again");
        session.load(new, Book::blurb).await?;
    }
}
