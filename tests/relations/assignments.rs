//! Relationship fields that are assigned, taken or swapped: what the next flush makes of them.

use orm_core::Error;
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// SEMANTICS 8.4: an assigned field counts as `replace` at the next flush.
    async fn rule_8_4_an_assigned_collection_is_a_replace(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let books = ["A", "B"].map(|title| Book::draft().title(title));
        let ada = session.add(Author::draft().name("Ada").books(books));
        let c = session.add(Book::draft().title("C"));
        session.commit().await?;
        let [a, b] = session[ada].books.loaded().expect("loaded")[..] else { panic!("two") };
        session[ada].books = [c, a].into();
        session.commit().await?;
        assert_eq!(session[ada].books.loaded(), Some(&[c, a][..]));
        assert_eq!(session[b].author.loaded(), Some(None));
        assert_eq!(session[b].author_id, None);
        assert_eq!(session[c].author.loaded(), Some(Some(ada)));
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
    }

    /// SEMANTICS 8.4: the same members assigned again write nothing.
    async fn rule_8_4_assigning_the_same_members_writes_nothing(db) {
        db.create(&school_tables()).await?;
        let mut session = db.session();
        let course = session.add(Course::draft().title("Maths"));
        let ada = session.add(Student::draft().name("Ada").courses([course]));
        session.commit().await?;
        session[ada].courses = [course].into();
        let log = db.log();
        session.commit().await?;
        let emitted = log.emitted();
        assert!(emitted.iter().all(|statement| statement.starts_with("SELECT")), "{emitted:?}");
        assert_eq!(session[ada].courses.loaded(), Some(&[course][..]));
    }

    /// SEMANTICS 8.7: references, with `None` too.
    async fn rule_8_7_an_assigned_reference_counts(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        let bob = session.add(Author::draft().name("Bob"));
        let book = session.add(Book::draft().title("A").author(ada));
        session.commit().await?;
        session[book].author = bob.into();
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"]);
        assert_eq!(session[book].author_id, Some(session[bob].id()));
        assert_eq!(session[bob].books.loaded(), Some(&[book][..]));
        session[book].author = None.into();
        session.commit().await?;
        assert_eq!(session[book].author_id, None);
        assert_eq!(session[bob].books.loaded(), Some(&[][..]));
    }

    /// DESIGN 2: an unloaded value is no edit.
    async fn rule_8_4_a_taken_field_is_no_edit(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let ada = session.add(User::draft().name("Ada").posts([Post::draft().title("A")]));
        session.commit().await?;
        let post = session[ada].posts.loaded().expect("loaded")[0];
        let taken = std::mem::take(&mut session[ada].posts);
        assert_eq!(taken.loaded(), Some(&[post][..]));
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
        assert_eq!(ada.posts(&mut session).await?, [post]);
        // Put back, it is the same collection.
        session[ada].posts = taken;
        session.commit().await?;
        assert_eq!(Post::select().count(&mut session).await?, 1);
    }

    /// DESIGN 2: swapped fields are two replaced collections.
    async fn rule_8_4_swapped_collections_change_places(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let ada = session.add(User::draft().name("Ada").posts([Post::draft().title("A")]));
        let bob = session.add(User::draft().name("Bob").posts([Post::draft().title("B")]));
        session.commit().await?;
        let a = session[ada].posts.loaded().expect("loaded")[0];
        let b = session[bob].posts.loaded().expect("loaded")[0];
        let [left, right] = session.get_disjoint_mut([ada, bob]);
        std::mem::swap(&mut left.posts, &mut right.posts);
        session.commit().await?;
        assert_eq!(session[a].user_id, session[bob].id());
        assert_eq!(session[b].user_id, session[ada].id());
        assert_eq!(session[ada].posts.loaded(), Some(&[b][..]));
        assert_eq!(Post::select().count(&mut session).await?, 2, "nobody became an orphan");
    }

    /// DESIGN 2: an emptied delete-orphan collection deletes its members.
    async fn rule_7_4_assigning_none_makes_orphans(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let posts = ["A", "B"].map(|title| Post::draft().title(title));
        let ada = session.add(User::draft().name("Ada").posts(posts));
        session.commit().await?;
        session[ada].posts = [].into();
        session.commit().await?;
        assert_eq!(Post::select().count(&mut session).await?, 0);
        assert_eq!(session[ada].posts.loaded(), Some(&[][..]));
    }

    /// DESIGN 2: a struct that is added brings what its fields were given.
    async fn rule_7_1_a_whole_struct_brings_its_relationships(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        let book = session.add(Book { title: "A".into(), author_id: None, author: ada.into() });
        assert_eq!(session[ada].books.loaded(), Some(&[book][..]));
        let bob = Author { name: "Bob".into(), books: [book].into(), shelf: Default::default() };
        let bob = session.add(bob);
        assert_eq!(session[ada].books.loaded(), Some(&[][..]));
        session.commit().await?;
        assert_eq!(session[book].author_id, Some(session[bob].id()));
    }

    /// DESIGN 2: an assigned field of a pending object counts too.
    async fn rule_8_4_pending_objects_take_assignments(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let books = session.add_all(["A", "B"].map(|title| Book::draft().title(title)));
        let ada = session.add(Author::draft().name("Ada").books([books[0]]));
        session[ada].books = [books[1]].into();
        session.commit().await?;
        assert_eq!(session[books[0]].author_id, None);
        assert_eq!(session[books[1]].author_id, Some(session[ada].id()));
        assert_eq!(session[books[0]].author.loaded(), Some(None));
    }

    /// DESIGN 2: handles of another session are an error, never a silent loss.
    async fn rule_2_1_handles_of_another_session_are_refused(db) {
        db.create(&book_tables()).await?;
        let mut other = db.session();
        let foreign = other.add(Book::draft().title("A"));
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        session.commit().await?;
        session[ada].books = [foreign].into();
        let log = db.log();
        let refused = session.commit().await;
        assert!(matches!(refused, Err(Error::Detached { .. })), "{refused:?}");
        assert!(log.emitted().is_empty());
        session.rollback().await?;
        assert_eq!(session[ada].books.loaded(), Some(&[][..]));
        session.commit().await?;
    }

    /// DESIGN 2: a whole entity that is swapped in can't change its base.
    async fn rule_2_1_swapped_entities_are_refused(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        let bob = session.add(Author::draft().name("Bob"));
        session.commit().await?;
        let [left, right] = session.get_disjoint_mut([ada, bob]);
        std::mem::swap(left, right);
        let log = db.log();
        let refused = session.commit().await;
        assert!(matches!(refused, Err(Error::Misuse(_))), "{refused:?}");
        assert!(log.emitted().is_empty());
        session.rollback().await?;
        assert_eq!((&*session[ada].name, session[ada].id()), ("Ada", 1));
        assert_eq!((&*session[bob].name, session[bob].id()), ("Bob", 2));
    }

    /// SEMANTICS 8.4: assigned over, a new object's pairs are those that were assigned.
    async fn rule_8_4_a_pending_objects_pairs_are_assigned_over(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let [a, b] = ["a", "b"].map(|name| session.add(Tag::draft().name(name)));
        let post = session.add(Post::draft().title("Notes").tags([a]));
        session.add(User::draft().name("Ada").posts([post]));
        session[post].tags = [b].into();
        session.commit().await?;
        assert_eq!(session[post].tags.loaded(), Some(&[b][..]));
        let mut other = db.session();
        let post = other.require::<Post>(1).await?;
        assert_eq!(post.tags(&mut other).await?.len(), 1);
    }
}
