//! Rollbacks: deferred columns are as loaded as they were.

use orm_tests::backend_tests;

use super::*;

backend_tests! {
    /// SEMANTICS 1.3: an edit that is undone leaves a column unloaded that was, and loaded that was.
    async fn rule_1_3_edits_are_undone(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        session.load(authors[0], Author::biography).alone().await?;
        for is_flushed in [false, true] {
            for author in &authors {
                session[*author].biography = "undone".into();
                session[*author].portrait = Some(vec![9]).into();
            }
            if is_flushed {
                session.flush().await?;
                assert_eq!(session[authors[1]].biography.get(), "undone");
            }
            session.rollback().await?;
            assert_eq!(session[authors[0]].biography.get(), "ada was born");
            assert!(!session[authors[1]].biography.is_loaded());
            assert!(!session[authors[1]].portrait.is_loaded());
            assert!(!session.is_modified(authors[0]) && !session.is_modified(authors[1]));
        }
        assert_eq!(session.load(authors[1], Author::biography).await?, "bob was born");
    }

    /// SEMANTICS 1.3, 1.4: what was loaded before a write stays, what was loaded after may show it
    /// and goes; the rest of the object stays as it was.
    async fn rule_1_4_what_was_loaded_after_a_write_goes(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        session.load(authors[0], Author::motto).alone().await?;
        orm_core::query::raw("UPDATE books SET title = 'x'").execute(&mut session).await?;
        session.rollback().await?;
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        session.load(authors[0], Author::motto).alone().await?;
        Author::update().set(Author::biography, "never").filter(Author::id.gt(0)).execute(&mut session).await?;
        // One that the statement didn't reach, in memory, is told by a load.
        session[authors[0]].visits = 1;
        session.flush().await?;
        session.load(authors[1], Author::portrait).await?;
        session.rollback().await?;
        assert_eq!(session[authors[0]].motto.get(), "write");
        for author in &authors {
            assert!(!session[*author].portrait.is_loaded());
            assert!(!session[*author].biography.is_loaded());
            assert_eq!(session[*author].visits, 0);
        }
        assert_eq!(session.load(authors[0], Author::biography).await?, "ada was born");
    }

    /// SEMANTICS 9.3: savepoints undo exactly what was loaded in them, after they wrote.
    async fn rule_9_3_savepoints_too(db) {
        committed(&db).await?;
        let mut session = db.session();
        let authors = Author::select().order_by(Author::id.asc()).all(&mut session).await?;
        let [ada, bob] = authors[..] else { panic!("two authors") };
        session[ada].visits = 1;
        session.flush().await?;
        session.load(ada, Author::biography).alone().await?;
        let mut outer = session.savepoint().await?;
        // Nothing was written in it: this may show what the unit of work wrote, and no more.
        outer.load(ada, Author::motto).alone().await?;
        let mut inner = outer.savepoint().await?;
        inner[bob].biography = "inner".into();
        inner.flush().await?;
        inner.load(ada, Author::portrait).alone().await?;
        inner.rollback().await?;
        assert!(!outer[ada].portrait.is_loaded() && !outer[bob].biography.is_loaded());
        assert!(outer[ada].motto.is_loaded() && outer[ada].biography.is_loaded());
        let mut inner = outer.savepoint().await?;
        inner[bob].biography = "kept".into();
        inner.flush().await?;
        inner.load(ada, Author::portrait).alone().await?;
        inner.commit().await?;
        assert!(outer[ada].portrait.is_loaded());
        outer.rollback().await?;
        assert!(!session[ada].portrait.is_loaded() && !session[bob].biography.is_loaded());
        assert!(session[ada].motto.is_loaded() && session[ada].biography.is_loaded());
        session.rollback().await?;
        assert!(!session[ada].motto.is_loaded() && !session[ada].biography.is_loaded());
        assert_eq!(session[ada].visits, 0);
    }

    /// A commit keeps what is loaded.
    async fn rule_9_2_a_commit_keeps_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        session[ada].visits = 2;
        session.flush().await?;
        session.load(ada, Author::biography).await?;
        session.commit().await?;
        assert_eq!(session[ada].biography.get(), "ada was born");
        session.rollback().await?;
        assert_eq!(session[ada].biography.get(), "ada was born");
    }
}
