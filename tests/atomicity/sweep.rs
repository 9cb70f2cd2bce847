//! Runs a scenario once undisturbed, to count its statements, and then once for each of them with
//! a failure in its place.

use orm_core::engine::{Logged, StatementKind};
use orm_core::{Error, Result, Session};
use orm_tests::Database;

use crate::world::{Memory, Rows, Start, World};

/// Tests of a world, each a unit of work: the edits that a flush is to write. They run from every
/// [start](Start) where all objects are loaded, or, if they say so, where few are.
macro_rules! scenarios {
    ($World:ident: $(
        $(#[$meta:meta])*
        $(@$sparse:ident)? fn $name:ident($session:ident, $world:ident) $body:block
    )+) => {
        orm_tests::backend_tests! {$(
            $(#[$meta])*
            async fn $name(db) {
                fn edit($session: &mut orm_core::Session, $world: &$World) $body
                let is_sparse: &[&str] = &[$(stringify!($sparse))?];
                let starts = if is_sparse.is_empty() { Start::FULL } else { Start::SPARSE };
                sweep::<$World>(&db, starts, edit).await?;
            }
        )+}
    };
}

pub(crate) use scenarios;

/// What [`orm_core`]'s log puts in the place of the statement that is to fail.
const FAILURE: &str = "orm_missing_on_purpose";

/// Fails a unit of work at each of its statements, from each of the starts.
pub(crate) async fn sweep<W: World>(
    db: &Database,
    starts: &[Start],
    edit: fn(&mut Session, &W),
) -> Result<()> {
    W::create(db).await?;
    let mut session = db.session();
    W::fill(&mut session);
    session.commit().await?;
    let before = W::rows(&mut db.session()).await?;
    for start in starts {
        let sweep = Sweep { db, start: *start, edit, before: before.clone() };
        let undisturbed = sweep.undisturbed().await?;
        for at in 0..undisturbed.statements.len() {
            sweep.fail_at(at, &undisturbed).await?;
        }
        println!("{start:?}: {} statements", undisturbed.statements.len());
    }
    let sweep = Sweep { db, start: starts[0], edit, before };
    sweep.in_savepoints().await?;
    sweep.to_the_end().await
}

struct Sweep<'d, W> {
    db: &'d Database,
    start: Start,
    edit: fn(&mut Session, &W),
    /// All rows, before the unit of work.
    before: Rows,
}

/// What a unit of work does if nothing fails.
struct Undisturbed {
    /// What it sends, the COMMIT included.
    statements: Vec<Logged>,
    /// The rows afterwards.
    after: Rows,
    /// What the objects show at the start when everything is loaded.
    shown: Memory,
}

impl<W: World> Sweep<'_, W> {
    /// A session as the start says.
    async fn begin(&self) -> Result<(Session, W)> {
        let mut session = self.db.session();
        let world = W::load(&mut session, self.start.is_sparse()).await?;
        if self.start == Start::Loaded {
            world.load_related(&mut session).await?;
        }
        Ok((session, world))
    }

    /// The unit of work, but for its end.
    async fn work(&self, session: &mut Session, world: &W) -> Result<()> {
        if self.start.is_flushed() {
            world.work_before(session);
            session.flush().await?;
        }
        (self.edit)(session, world);
        session.flush().await
    }

    /// The rows as others see them.
    async fn committed(&self) -> Result<Rows> {
        W::rows(&mut self.db.session()).await
    }

    async fn undisturbed(&self) -> Result<Undisturbed> {
        let (mut session, world) = self.begin().await?;
        world.load_related(&mut session).await?;
        let shown = world.memory(&session).sorted();
        let (mut session, world) = self.begin().await?;
        let memory = world.memory(&session);
        let log = self.db.engine.log();
        self.work(&mut session, &world).await?;
        let written = log.take().len();
        session.flush().await?;
        assert_eq!(log.take().len(), 0, "a second flush has nothing to do");
        let after = W::rows(&mut session).await?;
        assert_ne!(after.without_chance(), self.before.without_chance(), "it does something");
        session.rollback().await?;
        assert_eq!(self.committed().await?, self.before);
        world.memory(&session).expect_restored(&memory, "rolled back");

        let (mut session, world) = self.begin().await?;
        log.take();
        self.work(&mut session, &world).await?;
        let mut statements = log.take();
        assert_eq!(statements.len(), written, "the same work takes the same statements");
        session.rollback().await?;
        let commit = log.take().pop().expect("a ROLLBACK, where the COMMIT would be");
        statements.push(commit);
        Ok(Undisturbed { statements, after: after.without_chance(), shown })
    }

    async fn fail_at(&self, at: usize, undisturbed: &Undisturbed) -> Result<()> {
        let (mut session, world) = self.begin().await?;
        let memory = world.memory(&session);
        let log = self.db.engine.log();
        log.fail_after(at);
        let outcome = match self.work(&mut session, &world).await {
            Ok(()) => session.commit().await,
            failed => failed,
        };
        let failed = &undisturbed.statements[at];
        let when = format!("{:?}, {at}: `{}` failed", self.start, failed.sql);
        let error = outcome.expect_err(&when);
        assert!(error.to_string().contains(FAILURE), "{when}, but: {error}");
        drop(log);
        if failed.kind != StatementKind::Begin {
            // What fails before the transaction begins costs nothing but itself.
            let error = session.flush().await.expect_err(&when);
            assert!(matches!(error, Error::RollbackRequired { .. }), "{when}, but: {error}");
        }
        assert_eq!(self.committed().await?, self.before, "{when}");
        session.rollback().await?;
        world.memory(&session).expect_restored(&memory, &when);
        let log = self.db.engine.log();
        session.flush().await?;
        assert_eq!(log.take().len(), 0, "{when}: nothing is left to be written");
        drop(log);

        self.work(&mut session, &world).await?;
        let rows = W::rows(&mut session).await?.without_chance();
        assert_eq!(rows, undisturbed.after, "{when}, repeated");
        session.rollback().await?;
        world.memory(&session).expect_restored(&memory, &format!("{when}, repeated, rolled back"));
        assert_eq!(self.committed().await?, self.before, "{when}, repeated, rolled back");
        if self.start.is_sparse() || self.start == Start::Flushed {
            // What was loaded behind a write is loaded again, as a query would.
            W::load(&mut session, self.start.is_sparse()).await?;
        }
        world.load_related(&mut session).await?;
        let shown = world.memory(&session).sorted();
        assert_eq!(shown, undisturbed.shown, "{when}: what is loaded is true");
        Ok(())
    }

    /// The same in a savepoint of a transaction that has written already: each failure loses the
    /// savepoint alone, and what is around it goes on. (SEMANTICS 9.2, 9.3)
    async fn in_savepoints(&self) -> Result<()> {
        let (mut session, world) = self.begin_around().await?;
        let log = self.db.engine.log();
        let mut savepoint = session.savepoint().await?;
        (self.edit)(&mut savepoint, &world);
        savepoint.commit().await?;
        let statements = log.take();
        let after = W::rows(&mut session).await?.without_chance();
        session.rollback().await?;
        // A SAVEPOINT that fails is a failure of what is around it.
        for (at, statement) in statements.iter().enumerate().skip(1) {
            let when = format!("in a savepoint, {at}: `{}` failed", statement.sql);
            self.fail_in_savepoint_at(at, &after, &when).await?;
        }
        Ok(())
    }

    /// A session whose transaction has written.
    async fn begin_around(&self) -> Result<(Session, W)> {
        let (mut session, world) = self.begin().await?;
        world.work_before(&mut session);
        session.flush().await?;
        Ok((session, world))
    }

    async fn fail_in_savepoint_at(&self, at: usize, after: &Rows, when: &str) -> Result<()> {
        let (mut session, world) = self.begin_around().await?;
        let memory = world.memory(&session);
        let around = W::rows(&mut session).await?;
        let log = self.db.engine.log();
        log.fail_after(at);
        let mut savepoint = session.savepoint().await?;
        (self.edit)(&mut savepoint, &world);
        let error = match savepoint.flush().await {
            Ok(()) => savepoint.commit().await.expect_err(when),
            Err(error) => {
                savepoint.rollback().await?;
                error
            }
        };
        assert!(error.to_string().contains(FAILURE), "{when}, but: {error}");
        drop(log);
        world.memory(&session).expect_restored(&memory, when);
        assert_eq!(W::rows(&mut session).await?, around, "{when}");

        let mut savepoint = session.savepoint().await?;
        (self.edit)(&mut savepoint, &world);
        savepoint.commit().await?;
        assert_eq!(W::rows(&mut session).await?.without_chance(), *after, "{when}, repeated");
        session.rollback().await?;
        assert_eq!(self.committed().await?, self.before, "{when}, rolled back");
        Ok(())
    }

    /// After a failure in the midst of it, the same session repeats the work and commits.
    async fn to_the_end(&self) -> Result<()> {
        let (mut session, world) = self.begin().await?;
        let log = self.db.engine.log();
        log.fail_after(2);
        let outcome = match self.work(&mut session, &world).await {
            Ok(()) => session.commit().await,
            failed => failed,
        };
        assert!(outcome.is_err());
        session.rollback().await?;
        self.work(&mut session, &world).await?;
        let after = W::rows(&mut session).await?;
        session.commit().await?;
        assert_eq!(self.committed().await?, after);
        log.take();
        session.commit().await?;
        assert_eq!(log.take().len(), 0, "nothing is left to be written");
        Ok(())
    }
}
