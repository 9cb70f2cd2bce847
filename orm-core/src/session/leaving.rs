//! Objects that are deleted, leave the session, or are not to be believed any more, and who
//! follows them.

use super::Session;
use crate::error::{Error, Result};
use crate::model::{Entity, Handle, Model};
use crate::tracking::{ObjectId, State};

impl Session {
    /// Marks an object to be deleted by the next flush, with what its relationships cascade to. A
    /// pending one leaves at once.
    ///
    /// # Panics
    /// If the handle's object is not in this session.
    #[track_caller]
    pub fn delete<M: Model>(&mut self, handle: Handle<M>) {
        let object = self.expect_object(handle);
        self.delete_object(object);
    }

    /// Takes the mark of [`delete`](Self::delete) back: the next flush leaves the object. Nothing
    /// to do if there is none.
    ///
    /// # Panics
    /// If the handle's object is not in this session.
    #[track_caller]
    pub fn undelete<M: Model>(&mut self, handle: Handle<M>) {
        let object = self.expect_object(handle);
        self.store.header_mut(object).marked_deleted = false;
    }

    pub(super) fn delete_object(&mut self, object: ObjectId) {
        let is_pending = |object: ObjectId| self.store.header(object).state == State::Pending;
        // Whom the deletion of a row takes along is found by the flush.
        let deleted = self.store.followers(object, |owner, cascades| {
            is_pending(owner) && (cascades.delete || cascades.delete_orphan)
        });
        let (pending, rows): (Vec<ObjectId>, Vec<ObjectId>) =
            deleted.into_iter().partition(|object| is_pending(*object));
        self.store.release(&pending);
        for row in rows {
            self.store.changes_mut(row);
            self.store.header_mut(row).marked_deleted = true;
        }
    }

    /// Takes an object out of the session, unsaved changes and all, with the loaded members of its
    /// relationships that cascade `expunge`, at any depth (a pending object's members are known
    /// always). Their rows stay as they are. Collections that showed one of them and stay are
    /// unloaded, since they no longer show the whole.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String,
    /// #   #[orm(back_populates = user, cascade = "all")] posts: HasMany<Post> }
    /// # #[derive(Model)] struct Post { title: String, #[orm(foreign_key = User)] user_id: i64,
    /// #   #[orm(back_populates = posts)] user: BelongsTo<User> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// use orm_core::session::ObjectState;
    ///
    /// let ada = session.add(User::draft().name("Ada").posts([Post::draft().title("Notes")]));
    /// session.commit().await?;
    /// let post = ada.posts(&mut session).await?[0];
    /// session.expunge(ada); // `cascade = "all"`
    /// assert_eq!(session.state(post), ObjectState::Detached);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// SQLAlchemy's `Session.expunge`.
    ///
    /// # Panics
    /// If the handle's object is not in this session.
    #[track_caller]
    pub fn expunge<M: Model>(&mut self, handle: Handle<M>) {
        let object = self.expect_object(handle);
        let leaving = self.store.followers(object, |_, cascades| cascades.expunge);
        self.store.release(&leaving);
    }

    /// Takes every object out of the session, unsaved changes and all, and frees their memory.
    /// Every handle is detached afterwards.
    pub fn expunge_all(&mut self) {
        self.store.clear();
        self.mistake = None;
        if self.connection.as_ref().is_some_and(crate::driver::Connection::in_transaction) {
            self.store.begin_tainting();
        }
    }

    /// Takes an object's value out of the session: of one that is in it, as `expunge`, but without
    /// who follows it; of one whose row a flush deleted, until the commit; of one that a rollback
    /// took out, until the next unit of work ends.
    ///
    /// # Errors
    /// [`Error::Detached`] if there is nothing left of it.
    pub fn take<M: Model>(&mut self, handle: Handle<M>) -> Result<Entity<M>> {
        self.expect_no_commit()?;
        let object = self.store.locate(handle)?;
        match self.store.header(object).state {
            State::Pending => self.store.release(&[object]),
            State::Persistent => {
                self.store.let_go(&[object]);
            }
            State::Deleted | State::Detached | State::Vacant => {}
        }
        let entity = self.store.entities_mut::<M>().take(object.slot);
        self.store.free(&[object]);
        entity.ok_or(Error::Detached {
            model: M::__table().model(),
            reason: "its object has left the session",
        })
    }

    /// Discards an object's unflushed changes; it is loaded again by the next query that meets
    /// it, by `get` or by `refresh`. Until then reading it is an error, never a stale value. A
    /// pending object has no row to be loaded from and stays as it is.
    ///
    /// The loaded members of its relationships that cascade `refresh-expire`, at any depth, expire
    /// with it, and pending ones among them leave the session, as in SQLAlchemy: they are unflushed
    /// changes of what is expired.
    ///
    /// # Panics
    /// If the handle's object is not in this session.
    #[track_caller]
    pub fn expire<M: Model>(&mut self, handle: Handle<M>) {
        let object = self.expect_object(handle);
        if self.store.header(object).state == State::Persistent {
            let expired = self.discard_with_followers(object);
            self.store.expire_all(&expired);
        }
    }

    /// Expires every object that is a row. Pending objects stay.
    pub fn expire_all(&mut self) {
        let is_row = |object: &ObjectId| self.store.header(*object).state == State::Persistent;
        let objects: Vec<ObjectId> = self.store.objects().filter(is_row).collect();
        self.store.discard(&objects);
        self.store.expire_all(&objects);
    }

    /// Throws away the unflushed changes of an object that is a row, and of who follows it when it
    /// is refreshed or expired; pending ones leave the session. Gives those that are rows.
    pub(super) fn discard_with_followers(&mut self, object: ObjectId) -> Vec<ObjectId> {
        let following = self.store.followers(object, |_, cascades| cascades.refresh_expire);
        let is_pending = |object: &ObjectId| self.store.header(*object).state == State::Pending;
        let (pending, rows): (Vec<ObjectId>, Vec<ObjectId>) =
            following.into_iter().partition(is_pending);
        self.store.release(&pending);
        self.store.discard(&rows);
        rows
    }
}
