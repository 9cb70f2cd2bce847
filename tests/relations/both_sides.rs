//! Editing one side of a relationship edits the other at once, and emits nothing.

use orm_core::{Error, Handle};
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// SEMANTICS 8.1
    async fn rule_8_1_push_sets_the_reference_and_leaves_the_former_collection(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada").books([Book::draft().title("Notes")]));
        let bob = session.add(Author::draft().name("Bob"));
        session.commit().await?;
        let notes = ada.books(&mut session).await?[0];
        let log = db.log();
        bob.books(&mut session).push(notes);
        assert_eq!(session[notes].author.loaded(), Some(Some(bob)));
        assert_eq!(session[ada].books.loaded(), Some(&[][..]));
        assert_eq!(session[bob].books.loaded(), Some(&[notes][..]));
        assert!(log.emitted().is_empty());
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"]);
        assert_eq!(session[notes].author_id, Some(session[bob].id()));
    }

    /// SEMANTICS 8.1
    async fn rule_8_1_setting_the_reference_moves_between_loaded_collections(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada").books([Book::draft().title("Notes")]));
        let bob = session.add(Author::draft().name("Bob"));
        session.commit().await?;
        let notes = ada.books(&mut session).await?[0];
        notes.author(&mut session).set(bob);
        assert_eq!(session[ada].books.loaded(), Some(&[][..]));
        assert_eq!(session[bob].books.loaded(), Some(&[notes][..]));
        notes.author(&mut session).clear();
        assert_eq!(session[bob].books.loaded(), Some(&[][..]));
        assert_eq!(session[notes].author.loaded(), Some(None));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"]);
        assert_eq!(session[notes].author_id, None);
    }

    /// SEMANTICS 8.1: a reference can be set to a draft, which is added along.
    async fn rule_8_1_a_reference_takes_a_draft(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let notes = session.add(Book::draft().title("Notes"));
        notes.author(&mut session).set(Author::draft().name("Ada"));
        let ada = session[notes].author.loaded().flatten().expect("the reference was set");
        assert_eq!(session[ada].books.loaded(), Some(&[notes][..]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT authors", "INSERT books"]);
        assert_eq!(session[notes].author_id, Some(session[ada].id()));
    }

    /// SEMANTICS 8.1: several relationships between two models don't touch each other.
    async fn rule_8_1_two_relationships_to_one_model_are_apart(db) {
        db.create(&game_tables()).await?;
        let mut session = db.session();
        let reds = session.add(Team::draft().name("Reds"));
        let blues = session.add(Team::draft().name("Blues"));
        let game = session.add(Game::draft().place("Park").home(reds));
        session.push(blues, Team::away_games, game);
        assert_eq!(session[reds].home_games.loaded(), Some(&[game][..]));
        assert_eq!(session[reds].away_games.loaded(), Some(&[][..]));
        assert_eq!(session[blues].away_games.loaded(), Some(&[game][..]));
        assert_eq!(session[game].home.loaded(), Some(Some(reds)));
        session.commit().await?;
        blues.away_games(&mut session).remove(game);
        session.commit().await?;
        assert_eq!(session[game].home_id, session[reds].id());
        assert_eq!(session[game].away_id, None);

        let mut other = db.session();
        let teams = Team::select()
            .order_by(Team::id.asc())
            .with(Team::home_games)
            .with(Team::away_games)
            .all(&mut other)
            .await?;
        assert_eq!(other[teams[0]].home_games.loaded().map(<[_]>::len), Some(1));
        assert_eq!(other[teams[0]].away_games.loaded().map(<[_]>::len), Some(0));
        assert_eq!(other[teams[1]].away_games.loaded().map(<[_]>::len), Some(0));
    }

    /// SEMANTICS 8.2
    async fn rule_8_2_edits_of_an_unloaded_collection_wait_and_merge(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(Author::draft().name("Ada").books(["A", "B"].map(|t| Book::draft().title(t))));
        session.commit().await?;

        let mut session = db.session();
        session.autoflush(false);
        let ada = session.require::<Author>(1).await?;
        let first = session.require::<Book>(1).await?;
        let log = db.log();
        let new = session.add(Book::draft().title("C"));
        ada.books(&mut session).push(new).remove(first);
        assert_eq!(session[ada].books.loaded(), None, "an edit doesn't load");
        assert_eq!(ada.books(&mut session).contains(new), None);
        assert!(log.emitted().is_empty());
        let books = ada.books(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT books"]);
        let titles: Vec<&str> = books.iter().map(|book| &*session[*book].title).collect();
        assert_eq!(titles, ["B", "C"]);
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books", "INSERT books"]);
    }

    /// SEMANTICS 8.2: with autoflush the edits are written before the collection is read.
    async fn rule_8_2_autoflush_writes_the_queue_before_loading(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(Author::draft().name("Ada").books([Book::draft().title("A")]));
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        ada.books(&mut session).push(Book::draft().title("B"));
        let log = db.log();
        assert_eq!(ada.books(&mut session).await?.len(), 2);
        assert_eq!(log.emitted(), ["INSERT books", "SELECT books"]);
    }

    /// SEMANTICS 8.2
    async fn rule_8_2_expire_discards_the_queue(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(Author::draft().name("Ada").books([Book::draft().title("A")]));
        session.add(Book::draft().title("B"));
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let (a, b) = (session.require::<Book>(1).await?, session.require::<Book>(2).await?);
        ada.books(&mut session).push(b).remove(a);
        session.expire(ada);
        session.refresh(ada).await?;
        let log = db.log();
        session.flush().await?;
        assert!(log.emitted().is_empty(), "nothing is left to be written");
        assert_eq!(ada.books(&mut session).await?, [a]);
        assert_eq!(b.author(&mut session).await?, None);
    }

    /// SEMANTICS 8.2
    async fn rule_8_2_replace_reads_an_unloaded_collection_once(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = Author::draft().name("Ada").books(["A", "B", "C"].map(|t| Book::draft().title(t)));
        session.add(ada);
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let b = session.require::<Book>(2).await?;
        let log = db.log();
        session.replace(ada, Author::books, [b]);
        assert_eq!(session[ada].books.loaded(), Some(&[b][..]));
        assert!(log.emitted().is_empty());
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT books", "UPDATE books"]);
        assert_eq!(session[ada].books.loaded(), Some(&[b][..]));
        let left = Book::select().filter(Book::author_id.is_null()).count(&mut session).await?;
        assert_eq!(left, 2);
    }

    /// SEMANTICS 8.2: a cleared collection that is not loaded is read once, then emptied.
    async fn rule_8_2_clear_of_an_unloaded_collection(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let user = User::draft().name("Ada").posts(["A", "B"].map(|t| Post::draft().title(t)));
        session.add(user);
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        ada.posts(&mut session).clear();
        let log = db.log();
        session.commit().await?;
        let emitted = log.emitted();
        assert_eq!(emitted.first().map(String::as_str), Some("SELECT posts"));
        assert_eq!(emitted.last().map(String::as_str), Some("DELETE posts"));
        assert_eq!(Post::select().count(&mut session).await?, 0);
        assert_eq!(session[ada].posts.loaded(), Some(&[][..]));
    }

    /// SEMANTICS 8.3
    async fn rule_8_3_setting_a_reference_never_loads_the_old_one(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(Author::draft().name("Ada").books([Book::draft().title("A")]));
        session.add(Author::draft().name("Bob"));
        session.commit().await?;
        let mut session = db.session();
        let book = session.require::<Book>(1).await?;
        let bob = session.require::<Author>(2).await?;
        let log = db.log();
        book.author(&mut session).set(bob);
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"]);
        assert_eq!(session[bob].books.loaded(), None, "an unloaded collection stays so");
    }

    /// SEMANTICS 8.3
    async fn rule_8_3_clearing_an_unloaded_reference_is_one_update(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(Author::draft().name("Ada").books([Book::draft().title("A")]));
        session.commit().await?;
        let mut session = db.session();
        let book = session.require::<Book>(1).await?;
        let log = db.log();
        book.author(&mut session).clear();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"]);
        assert_eq!((session[book].author_id, session[book].author.loaded()), (None, Some(None)));
    }

    /// SEMANTICS 8.4
    async fn rule_8_4_replace_is_a_net_difference(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let books = ["A", "B", "C"].map(|title| Book::draft().title(title));
        let ada = session.add(Author::draft().name("Ada").books(books));
        session.commit().await?;
        let [a, b, c] = ada.books(&mut session).await?[..] else { panic!("three books") };
        let log = db.log();
        session.replace(ada, Author::books, [c, b, a]);
        session.commit().await?;
        assert!(log.emitted().is_empty(), "the same members in another order");
        assert_eq!(session[ada].books.loaded(), Some(&[c, b, a][..]));
        let d = session.add(Book::draft().title("D"));
        session.replace(ada, Author::books, [b, d, b]);
        assert_eq!(session[ada].books.loaded(), Some(&[b, d][..]), "a member comes once");
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books", "INSERT books"]);
        let left = Book::select().filter(Book::author_id.is_null()).count(&mut session).await?;
        assert_eq!(left, 2);
    }

    /// SEMANTICS 8.4: a new object's members are known, also where a row's expiry has unloaded them.
    async fn rule_8_4_a_new_objects_collection_is_replaced_unloaded(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let row = session.add(Book::draft().title("A"));
        session.commit().await?;
        let new = session.add(Book::draft().title("B"));
        let ada = session.add(Author::draft().name("Ada").books([row, new]));
        session.expire(row);
        assert_eq!(session[ada].books.loaded(), None);
        session.replace(ada, Author::books, [] as [Handle<Book>; 0]);
        assert_eq!(session[new].author.loaded(), Some(None));
        session.commit().await?;
        assert_eq!(session[new].author_id, None);
    }

    /// SEMANTICS 8.2: who is to leave a replaced collection isn't shown by a load before the flush
    /// either. The row of a member that was expunged stays in.
    async fn rule_8_2_a_load_before_the_flush_shows_what_replaced(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let books = ["A", "B"].map(|title| Book::draft().title(title));
        session.add(Author::draft().name("Ada").books(books));
        session.commit().await?;
        let mut session = db.session();
        session.autoflush(false);
        let (ada, a) = (session.require::<Author>(1).await?, session.require::<Book>(1).await?);
        session.replace(ada, Author::books, [a]);
        session.expunge(a);
        let [a] = ada.books(&mut session).await?[..] else { panic!("one book") };
        assert_eq!(session[a].title, "A");
        session.commit().await?;
        let left = Book::select().filter(Book::author_id.is_null()).one(&mut session).await?;
        assert_eq!(session[left].title, "B");
        assert_eq!(session[a].author_id, Some(1));
    }

    /// SEMANTICS 8.7
    async fn rule_8_7_the_relationship_beats_the_key_column(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        let bob = session.add(Author::draft().name("Bob"));
        let book = session.add(Book::draft().title("A").author(ada));
        session.commit().await?;
        let (ada_id, bob_id) = (session[ada].id(), session[bob].id());
        // The key first, then the relationship.
        session[book].author_id = None;
        book.author(&mut session).set(bob);
        session.commit().await?;
        assert_eq!(session[book].author_id, Some(bob_id));
        // The relationship first, then the key.
        book.author(&mut session).set(ada);
        session[book].author_id = None;
        session.commit().await?;
        assert_eq!(session[book].author_id, Some(ada_id));
        // The relationship as it is in the database undoes the key.
        session[book].author_id = Some(bob_id);
        book.author(&mut session).set(ada);
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
        assert_eq!(session[book].author_id, Some(ada_id));
        assert_eq!(book.author(&mut session).await?, Some(ada));
    }

    /// SEMANTICS 8.7
    async fn rule_8_7_an_assigned_key_unloads_at_the_flush(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada").books([Book::draft().title("A")]));
        let bob = session.add(Author::draft().name("Bob"));
        session.commit().await?;
        let book = ada.books(&mut session).await?[0];
        session[book].author_id = Some(session[bob].id());
        assert_eq!(session[book].author.loaded(), Some(Some(ada)), "unchanged until the flush");
        assert_eq!(session[ada].books.loaded(), Some(&[book][..]));
        session.flush().await?;
        assert_eq!(session[book].author.loaded(), None);
        assert_eq!(session[ada].books.loaded(), None);
        assert_eq!(session[bob].books.loaded(), None);
        assert_eq!(book.author(&mut session).await?, Some(bob));
        assert_eq!(ada.books(&mut session).await?, []);
        assert_eq!(bob.books(&mut session).await?, [book]);
    }

    /// SEMANTICS 8.7: a new object that is given the key alone leaves no collection that lacks it.
    async fn rule_8_7_an_insert_by_key_unloads_the_parents_collection(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        session.commit().await?;
        let id = session[ada].id();
        let book = session.add(Book::draft().title("A").author_id(id));
        session.commit().await?;
        assert_eq!(ada.books(&mut session).await?, [book]);
        assert_eq!(book.author(&mut session).await?, Some(ada));
    }

    /// SEMANTICS 8.7: a child that was given another parent by hand is not cut off when its former
    /// parent is deleted in the same flush, and doesn't follow it.
    async fn rule_8_7_a_key_assigned_by_hand_outlives_the_former_parent(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let books = ["Kept", "Cut"].map(|title| Book::draft().title(title));
        let ada = session.add(Author::draft().name("Ada").books(books));
        let bob = session.add(Author::draft().name("Bob"));
        session.commit().await?;
        let books = ada.books(&mut session).await?;
        session[books[0]].author_id = Some(session[bob].id());
        session.delete(ada);
        let log = db.log();
        session.commit().await?;
        let written = log.emitted();
        assert_eq!(written.last().map(String::as_str), Some("DELETE authors"), "{written:?}");
        assert_eq!(session[books[0]].author_id, Some(session[bob].id()));
        assert_eq!(session[books[1]].author_id, None);
        assert_eq!(bob.books(&mut session).await?, [books[0]]);
        assert_eq!(books[0].author(&mut session).await?, Some(bob));
        assert_eq!(books[1].author(&mut session).await?, None);
        let mut other = db.session();
        let read = Book::select().order_by(Book::id.asc()).all(&mut other).await?;
        assert_eq!(read.iter().map(|book| other[*book].author_id).collect::<Vec<_>>(), [Some(2), None]);
    }

    /// SEMANTICS 8.7: nor is it deleted along.
    async fn rule_8_7_a_key_assigned_by_hand_leaves_the_cascade(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let posts = ["Kept", "Gone"].map(|title| Post::draft().title(title));
        let ada = session.add(User::draft().name("Ada").posts(posts));
        let bob = session.add(User::draft().name("Bob"));
        session.commit().await?;
        let posts = ada.posts(&mut session).await?;
        session[posts[0]].user_id = session[bob].id();
        session.delete(ada);
        session.commit().await?;
        assert_eq!(bob.posts(&mut session).await?, [posts[0]]);
        assert_eq!(posts[0].user(&mut session).await?, bob);
        assert!(session.try_get(posts[1]).is_err());
        assert_eq!(Post::select().count(&mut db.session()).await?, 1);
    }

    /// SEMANTICS 8.8
    async fn rule_8_8_viewonly_loads_and_never_writes(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let books = ["A", "C", "B"].map(|title| Book::draft().title(title));
        session.add(Author::draft().name("Ada").books(books));
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let shelf = ada.shelf(&mut session).await?;
        let titles: Vec<&str> = shelf.iter().map(|book| &*session[*book].title).collect();
        assert_eq!(titles, ["C", "B", "A"], "in the order of the relationship");
        ada.shelf(&mut session).remove(shelf[0]);
        assert!(matches!(session.flush().await, Err(Error::Misuse(_))));
        assert_eq!(session[shelf[0]].author_id, Some(1));
    }

    /// SEMANTICS 8.1: a foreign key to a unique column that is no primary key works the same.
    async fn rule_8_1_a_foreign_key_to_a_unique_column(db) {
        db.create(&account_tables()).await?;
        let mut session = db.session();
        let euro = session.add(
            Currency::draft().code("EUR").accounts([Account::draft().name("Savings")]),
        );
        let yen = session.add(Currency::draft().code("JPY"));
        session.commit().await?;
        let savings = euro.accounts(&mut session).await?[0];
        assert_eq!(session[savings].currency_code.as_deref(), Some("EUR"));
        yen.accounts(&mut session).push(savings);
        assert_eq!(session[euro].accounts.loaded(), Some(&[][..]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE accounts"]);
        yen.accounts(&mut session).remove(savings);
        assert_eq!(session[savings].currency.loaded(), Some(None));
        session.commit().await?;
        assert_eq!(session[savings].currency_code, None);

        let mut other = db.session();
        let savings = other.require::<Account>(1).await?;
        let euro = other.require::<Currency>(1).await?;
        savings.currency(&mut other).set(euro);
        other.commit().await?;
        let mut third = db.session();
        let savings = third.require::<Account>(1).await?;
        let euro = savings.currency(&mut third).await?.expect("it has a currency");
        assert_eq!(euro.accounts(&mut third).await?, [savings]);
    }

    /// SEMANTICS 8.2: what is pushed after a `replace` stays, also who was a member before.
    async fn rule_8_2_members_come_and_go_after_a_replace(db) {
        db.create(&book_tables()).await?;
        db.create(&country_tables()).await?;
        let mut session = db.session();
        let books = ["A", "B", "C"].map(|title| Book::draft().title(title));
        session.add(Author::draft().name("Ada").books(books));
        session.add(Country::draft().name("France").capital(Capital::draft().name("Paris")));
        session.add(Capital::draft().name("Vichy"));
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        let [a, b] = [session.require::<Book>(1).await?, session.require::<Book>(2).await?];
        session.replace(ada, Author::books, [b]);
        a.author(&mut session).set(ada);
        session.remove(ada, Author::books, b);
        assert_eq!(session[ada].books.loaded(), Some(&[a][..]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT books", "UPDATE books"]);
        assert_eq!((session[a].author_id, session[b].author_id), (Some(1), None));
        assert_eq!(session[ada].books.loaded(), Some(&[a][..]));
        // A one-to-one that is set to another value and back.
        let france = session.require::<Country>(1).await?;
        let paris = session.require::<Capital>(1).await?;
        let vichy = session.require::<Capital>(2).await?;
        session.set_one(france, Country::capital, vichy);
        session.set_one(france, Country::capital, paris);
        assert_eq!(session[vichy].country.loaded(), Some(None));
        session.commit().await?;
        assert_eq!(session[france].capital.loaded(), Some(Some(paris)));
        assert_eq!((session[paris].country_id, session[vichy].country_id), (Some(1), None));
    }

    /// SEMANTICS 8.1: every edit of a loaded collection is seen at once.
    async fn rule_8_1_a_collection_is_edited_through_its_accessor(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        let books = session.add_all(["A", "B", "C"].map(|title| Book::draft().title(title)));
        ada.books(&mut session).extend(books.iter().copied()).push(books[0]);
        assert_eq!(session[ada].books.loaded(), Some(&books[..]), "a member comes once");
        assert_eq!(ada.books(&mut session).contains(books[2]), Some(true));
        ada.books(&mut session).remove(books[2]);
        assert_eq!(ada.books(&mut session).contains(books[2]), Some(false));
        session.commit().await?;
        ada.books(&mut session).clear();
        assert_eq!(session[books[0]].author.loaded(), Some(None));
        ada.books(&mut session).replace([books[2]]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE books"], "three rows in one statement");
        assert_eq!(ada.books(&mut session).await?, [books[2]]);
    }
}
