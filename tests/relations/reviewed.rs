//! What a review of the library found, pinned: each of these hung, panicked or lost a write.

use orm_core::{Error, ManyToMany, Model, schema};
use orm_tests::backend_tests;

use crate::models::*;

/// One association that serves two relationships by different keys of it.
#[derive(Model)]
struct Guild {
    name: String,
    #[orm(secondary(Seat::guild_id, Seat::holder_id))]
    holders: ManyToMany<Knight>,
    #[orm(secondary(Seat::guild_id, Seat::deputy_id))]
    deputies: ManyToMany<Knight>,
}

#[derive(Model)]
struct Knight {
    name: String,
}

#[derive(Model)]
struct Seat {
    #[orm(foreign_key = Guild)]
    guild_id: i64,
    #[orm(foreign_key = Knight)]
    holder_id: Option<i64>,
    #[orm(foreign_key = Knight)]
    deputy_id: Option<i64>,
}

#[derive(Model)]
struct Left {
    #[orm(secondary = "shared_pairs")]
    knights: ManyToMany<Knight>,
}

#[derive(Model)]
struct Right {
    #[orm(secondary = "shared_pairs")]
    guilds: ManyToMany<Guild>,
}

backend_tests! {
    /// SEMANTICS 4.8: a member that was moved by someone else and expunged leaves a view that shows
    /// less than the whole; the flush reads it again instead of asking for ever.
    async fn rule_4_8_a_view_with_an_expunged_member_is_read_again(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let ada = session.add(User::draft().name("Ada").posts([Post::draft().title("Notes")]));
        let bob = session.add(User::draft().name("Bob"));
        session.commit().await?;
        let post = ada.posts(&mut session).await?[0];
        let mut other = db.session();
        let moved = other.require::<Post>(1).await?;
        let to = other.require::<User>(2).await?;
        moved.user(&mut other).set(to);
        other.commit().await?;

        session.refresh(post).await?;
        session.expunge(post);
        session.delete(ada);
        session.commit().await?;
        assert_eq!(User::select().count(&mut session).await?, 1);
        assert_eq!(bob.posts(&mut session).await?.len(), 1);
    }

    /// SEMANTICS 2.1, 2.4: a key that was set by hand keeps its row findable by the old key until
    /// the flush, and by the new one afterwards.
    async fn rule_2_4_a_key_set_by_hand_keeps_the_identity_map_whole(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let tag = session.add(Tag::draft().name("a"));
        session.commit().await?;
        session.autoflush(false);
        session.set(tag, Tag::id, 99);
        assert_eq!(session.get::<Tag>(1).await?, Some(tag), "the row's key is still 1");
        session.commit().await?;
        assert_eq!(session.get::<Tag>(99).await?, Some(tag));
        assert_eq!(session.get::<Tag>(1).await?, None);
        session.delete(tag);
        session.commit().await?;
        // Growing the map looks at every key in it.
        for at in 0..1_000 {
            session.add(Tag::draft().name(format!("tag {at}")));
        }
        session.commit().await?;
        assert_eq!(Tag::select().count(&mut session).await?, 1_000);

        let first = session.require::<Tag>(100).await?;
        session.set(first, Tag::id, 5_000);
        session.rollback().await?;
        assert_eq!(session.get::<Tag>(100).await?, Some(first));
        assert_eq!(session[first].id(), 100);
    }

    /// SEMANTICS 8.6: a pair that someone else took apart can be put together again.
    async fn rule_8_6_a_pair_that_others_removed_is_inserted_again(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        session.add(Tag::draft().name("a"));
        session.add(User::draft().name("Ada").posts([Post::draft().title("Notes")]));
        session.commit().await?;
        let mut session = db.session();
        let post = session.require::<Post>(1).await?;
        let tag = session.require::<Tag>(1).await?;
        session.link(post, Post::tags, tag);
        session.commit().await?;
        let mut other = db.session();
        let pair = other.require::<PostTag>((1, 1)).await?;
        other.delete(pair);
        other.commit().await?;

        assert!(post.tags(&mut session).await?.is_empty());
        session.link(post, Post::tags, tag);
        session.commit().await?;
        assert_eq!(PostTag::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 8.6: pairs of one association go under the columns of their own relationship.
    async fn rule_8_6_one_association_for_two_relationships(db) {
        db.create(&schema![Guild, Knight, Seat]).await?;
        let mut session = db.session();
        let guild = session.add(Guild::draft().name("Smiths"));
        let [ann, ben] = ["Ann", "Ben"].map(|name| session.add(Knight::draft().name(name)));
        session.link(guild, Guild::holders, ann);
        session.link(guild, Guild::deputies, ben);
        session.commit().await?;
        let mut session = db.session();
        let guild = session.require::<Guild>(1).await?;
        let holders = guild.holders(&mut session).await?;
        let deputies = guild.deputies(&mut session).await?;
        assert_eq!(holders.len(), 1);
        assert_eq!(session[holders[0]].name, "Ann");
        assert_eq!(session[deputies[0]].name, "Ben");
        session.unlink(guild, Guild::deputies, deputies[0]);
        session.unlink(guild, Guild::holders, holders[0]);
        session.commit().await?;
        assert_eq!(Seat::select().count(&mut session).await?, 0);
    }

    /// DESIGN 3: two pairs of models can't share one pair table.
    async fn a_pair_table_has_one_pair_of_models(db) {
        let first = db.create(&schema![Left, Knight, Guild, Seat]).await;
        let second = db.create(&schema![Right, Knight, Guild, Seat]).await;
        let error = first.and(second).unwrap_err();
        assert!(matches!(error, Error::Misuse(_)), "{error}");
        assert!(error.to_string().contains("shared_pairs"), "{error}");
    }

    /// SEMANTICS 8.8: an assignment that can't be written stays an error until it is undone.
    async fn rule_8_8_an_assignment_that_is_refused_stays_refused(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let author = session.add(Author::draft().name("Ada"));
        let book = session.add(Book::draft().title("Notes"));
        session.commit().await?;
        session[author].shelf = [book].into();
        for _ in 0..2 {
            let error = session.commit().await.unwrap_err();
            assert!(matches!(error, Error::Misuse(_)), "{error}");
        }
        session.rollback().await?;
        session.commit().await?;
    }

    /// SEMANTICS 8.7: a key that was given to a pending object is followed.
    async fn rule_8_7_a_key_given_after_the_draft_is_followed(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let ada = session.add(User::draft().name("Ada"));
        session.commit().await?;
        assert!(ada.posts(&mut session).await?.is_empty());
        let post = session.add(Post::draft().title("Notes"));
        session[post].user_id = 1;
        assert_eq!(post.user(&mut session).await?, ada);
        session.commit().await?;
        assert_eq!(ada.posts(&mut session).await?, [post]);
    }

    /// SEMANTICS 11.1: a relationship opened as a query has the relationship's order.
    async fn rule_11_1_a_relationship_as_a_query_keeps_its_order(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let titles = ["a", "c", "b"].map(|title| Book::draft().title(title));
        let author = session.add(Author::draft().name("Ada").books(titles));
        session.commit().await?;
        let books = author.shelf(&mut session).query().all().await?;
        let titles: Vec<&str> = books.iter().map(|book| session[*book].title.as_str()).collect();
        assert_eq!(titles, ["c", "b", "a"]);
        let first = author.shelf(&mut session).query().order_by(Book::title.asc()).first().await?;
        assert_eq!(first.map(|book| session[book].title.clone()), Some("a".to_owned()));
    }

    /// SEMANTICS 1.4: a flush that writes nothing taints nothing.
    async fn rule_1_4_a_flush_without_work_expires_nothing(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        session.add_all([User::draft().name("Ada"), User::draft().name("Bob")]);
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let name = session[ada].name.clone();
        session[ada].name = name;
        session.flush().await?;
        let bob = session.require::<User>(2).await?;
        session.rollback().await?;
        assert_eq!(session[bob].name, "Bob");
    }
    /// DESIGN 5: a plan after a mistake is the mistake.
    async fn a_plan_after_a_mistake_is_the_mistake(db) {
        let mut session = db.session();
        let author = session.add(Author::draft().name("Ada"));
        let book = session.add(Book::draft().title("Notes"));
        session.push(author, Author::shelf, book);
        assert!(matches!(session.plan(), Err(Error::Misuse(_))));
    }
}
