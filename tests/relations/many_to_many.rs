//! Many-to-many relationships: through a model, a pair table, and a model with more columns.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// A committed post with two tags, and a third tag, in a session that has loaded nothing but them.
async fn tagged(db: &Database) -> orm_core::Result<(Session, Handle<Post>, [Handle<Tag>; 3])> {
    db.create(&blog_tables()).await?;
    let mut session = db.session();
    let [a, b, _c] = ["a", "b", "c"].map(|name| session.add(Tag::draft().name(name)));
    let post = Post::draft().title("Notes").tags([a, b]);
    session.add(User::draft().name("Ada").posts([post]));
    session.commit().await?;
    let mut session = db.session();
    let post = session.require::<Post>(1).await?;
    let mut tags = Tag::select().order_by(Tag::id.asc()).all(&mut session).await?.into_iter();
    let tags = [(); 3].map(|()| tags.next().expect("three tags"));
    Ok((session, post, tags))
}

backend_tests! {
    /// SEMANTICS 8.6
    async fn rule_8_6_a_pair_is_one_row_from_either_side(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let user = session.add(User::draft().name("Ada"));
        let post = session.add(Post::draft().title("Notes").user(user));
        let tag = session.add(Tag::draft().name("a"));
        session.link(post, Post::tags, tag);
        session.link(tag, Tag::posts, post);
        post.tags(&mut session).push(tag);
        assert_eq!(session[post].tags.loaded(), Some(&[tag][..]));
        assert_eq!(session[tag].posts.loaded(), Some(&[post][..]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["INSERT users", "INSERT posts", "INSERT tags", "INSERT post_tags"],
        );
        session.link(tag, Tag::posts, post);
        session.commit().await?;
        assert!(log.emitted().is_empty(), "it is a row already");
        assert_eq!(PostTag::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 8.6: neither side is loaded, and this session never saw the pair.
    async fn rule_8_6_a_pair_that_is_a_row_already_is_left_alone(db) {
        let (mut session, post, [a, _, c]) = tagged(&db).await?;
        let log = db.log();
        session.link(post, Post::tags, a);
        session.link(post, Post::tags, c);
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT post_tags"]);
        assert_eq!(PostTag::select().count(&mut session).await?, 3);
        assert_eq!(post.tags(&mut session).await?.len(), 3);
    }

    /// SEMANTICS 8.6
    async fn rule_8_6_add_and_remove_cancel_out(db) {
        let (mut session, post, [a, _, c]) = tagged(&db).await?;
        post.tags(&mut session).await?;
        let log = db.log();
        session.link(post, Post::tags, c);
        session.unlink(c, Tag::posts, post);
        session.unlink(a, Tag::posts, post);
        session.link(post, Post::tags, a);
        session.commit().await?;
        assert!(log.emitted().is_empty());
        assert_eq!(session[post].tags.loaded().map(<[_]>::len), Some(2));
    }

    /// SEMANTICS 8.6: neither side being loaded changes nothing of that.
    async fn rule_8_6_unloaded_sides_are_edited_without_reading(db) {
        let (mut session, post, [a, _, c]) = tagged(&db).await?;
        let log = db.log();
        session.link(c, Tag::posts, post);
        session.unlink(post, Post::tags, a);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE post_tags", "INSERT post_tags"]);
        assert_eq!(session[post].tags.loaded(), None);
        let mut names: Vec<String> = Vec::new();
        for tag in post.tags(&mut session).await? {
            names.push(session[tag].name.clone());
        }
        assert_eq!(names, ["b", "c"]);
        assert_eq!(a.posts(&mut session).await?, []);
    }

    /// SEMANTICS 8.2, 8.6: unflushed pairs are merged into what loads, on both sides.
    async fn rule_8_2_pairs_wait_for_the_collection(db) {
        let (mut session, post, [a, b, c]) = tagged(&db).await?;
        session.autoflush(false);
        session.link(c, Tag::posts, post);
        session.unlink(a, Tag::posts, post);
        assert_eq!(post.tags(&mut session).await?, [b, c]);
        assert_eq!(c.posts(&mut session).await?, [post]);
        assert_eq!(a.posts(&mut session).await?, []);
    }

    /// SEMANTICS 8.2: expire discards the queue, on both sides.
    async fn rule_8_2_expire_discards_queued_pairs(db) {
        let (mut session, post, [a, b, c]) = tagged(&db).await?;
        c.posts(&mut session).await?;
        session.link(post, Post::tags, c);
        assert_eq!(session[c].posts.loaded(), Some(&[post][..]));
        session.expire(post);
        session.refresh(post).await?;
        assert_ne!(session[c].posts.loaded(), Some(&[post][..]));
        let log = db.log();
        session.flush().await?;
        assert!(log.emitted().is_empty());
        assert_eq!(post.tags(&mut session).await?, [a, b]);
        assert_eq!(c.posts(&mut session).await?, []);
    }

    /// SEMANTICS 8.4: a replaced collection is a net difference, loaded or not.
    async fn rule_8_4_replace_writes_the_difference(db) {
        let (mut session, post, [a, b, c]) = tagged(&db).await?;
        let log = db.log();
        session.replace(post, Post::tags, [c, b]);
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["SELECT tags", "DELETE post_tags", "INSERT post_tags"],
        );
        assert_eq!(session[post].tags.loaded(), Some(&[c, b][..]));
        session.replace(post, Post::tags, [a, b]);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE post_tags", "INSERT post_tags"]);
        session.replace(post, Post::tags, [b, a]);
        session.commit().await?;
        assert!(log.emitted().is_empty());
        assert_eq!(PostTag::select().count(&mut session).await?, 2);
    }

    /// SEMANTICS 8.6: deleting either side removes its rows and never the partners.
    async fn rule_8_6_deleting_a_side_removes_its_rows(db) {
        let (mut session, post, [a, b, _]) = tagged(&db).await?;
        let log = db.log();
        session.delete(a);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE post_tags", "DELETE tags"]);
        assert_eq!(session.state(post), ObjectState::Persistent);
        session.delete(post);
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["SELECT comments", "DELETE post_tags", "DELETE posts"],
        );
        assert_eq!(session.state(b), ObjectState::Persistent);
        assert_eq!(PostTag::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 7.10: a deleted partner leaves a loaded collection, its own being loaded or not.
    async fn rule_7_10_a_deleted_partner_leaves_the_collection(db) {
        let (mut session, post, [a, b, _]) = tagged(&db).await?;
        post.tags(&mut session).await?;
        assert_eq!(session[a].posts.loaded(), None);
        session.delete(a);
        session.commit().await?;
        assert_eq!(session[post].tags.loaded(), Some(&[b][..]));
        b.posts(&mut session).await?;
        session.delete(b);
        session.commit().await?;
        assert_eq!(session[post].tags.loaded(), Some(&[][..]));
    }

    /// SEMANTICS 8.6: a pair with an object that is deleted before the flush is no row.
    async fn rule_8_6_a_pair_goes_with_a_pending_side(db) {
        let (mut session, post, [a, b, _]) = tagged(&db).await?;
        post.tags(&mut session).await?;
        let new = session.add(Tag::draft().name("new"));
        session.link(post, Post::tags, new);
        session.delete(new);
        assert_eq!(session[post].tags.loaded(), Some(&[a, b][..]));
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
    }

    /// SEMANTICS 8.4: a new object's members are known, also where a row's expiry has unloaded them.
    async fn rule_8_4_a_new_objects_pairs_are_replaced_unloaded(db) {
        let (mut session, post, [a, ..]) = tagged(&db).await?;
        let user = post.user(&mut session).await?;
        let new = session.add(Tag::draft().name("new"));
        let draft = session.add(Post::draft().title("Draft").user(user).tags([a, new]));
        session.expire(a);
        assert_eq!(session[draft].tags.loaded(), None);
        session.replace(draft, Post::tags, [] as [Handle<Tag>; 0]);
        assert_eq!(session[new].posts.loaded(), Some(&[][..]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT tags", "INSERT posts"]);
    }

    /// SEMANTICS 8.6: nobody has to ask the database whether a new object is in a pair.
    async fn rule_8_6_a_pair_that_a_new_object_never_had_is_not_removed(db) {
        let (mut session, post, _) = tagged(&db).await?;
        let new = session.add(Tag::draft().name("new"));
        session.unlink(post, Post::tags, new);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT tags"]);
    }

    /// SEMANTICS 8.6: a pair table without a struct works from both sides.
    async fn rule_8_6_a_plain_pair_table(db) {
        db.create(&school_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Student::draft().name("Ada").courses([Course::draft().title("Maths")]));
        let maths = session[ada].courses.loaded().expect("loaded")[0];
        assert_eq!(session[maths].students.loaded(), Some(&[ada][..]));
        let bob = session.add(Student::draft().name("Bob"));
        session.link(maths, Course::students, bob);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT students", "INSERT courses", "INSERT enrolments"]);
        let mut session = db.session();
        let maths = session.require::<Course>(1).await?;
        let students = maths.students(&mut session).await?;
        assert_eq!(students.len(), 2);
        assert_eq!(students[1].courses(&mut session).await?, [maths]);
        session.unlink(students[1], Student::courses, maths);
        session.delete(students[0]);
        session.commit().await?;
        assert_eq!(session[maths].students.loaded(), Some(&[][..]));
        let mut session = db.session();
        let maths = session.require::<Course>(1).await?;
        assert_eq!(maths.students(&mut session).await?, []);
        assert!(Student::select().filter(Student::courses.exists()).all(&mut session).await?.is_empty());
    }

    /// SEMANTICS 8.6: what else the association table says is left alone.
    async fn rule_8_6_extra_columns_are_left_alone(db) {
        db.create(&basket_tables()).await?;
        let mut session = db.session();
        let basket = session.add(Basket::draft().owner("Ada"));
        let [tea, milk, bread] =
            ["tea", "milk", "bread"].map(|name| session.add(Product::draft().name(name)));
        session.add(Line::draft().basket(basket).product(tea).quantity(3));
        session.commit().await?;
        session.refresh(basket).await?;
        assert_eq!(basket.products(&mut session).await?, [tea]);
        session.replace(basket, Basket::products, [milk, tea]);
        session.push(basket, Basket::products, bread);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT lines"], "the others' quantity is the server's default");
        let mut quantities: Vec<(i64, i64)> = Line::select()
            .order_by(Line::product_id.asc())
            .columns((Line::product_id, Line::quantity))
            .all(&mut session)
            .await?;
        quantities.sort_unstable();
        assert_eq!(quantities, [(1, 3), (2, 1), (3, 1)]);
        session.delete(basket);
        session.commit().await?;
        assert_eq!(Product::select().count(&mut session).await?, 3);
        assert_eq!(Line::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 7.6: members of a `single_parent` collection have one owner.
    async fn rule_7_6_a_second_owner_is_refused(db) {
        db.create(&carton_tables()).await?;
        let mut session = db.session();
        let one = session.add(Carton::draft().name("one").labels([Label::draft().text("x")]));
        let two = session.add(Carton::draft().name("two"));
        session.commit().await?;
        let label = session[one].labels.loaded().expect("loaded")[0];
        session.link(two, Carton::labels, label);
        let refused = session.flush().await;
        assert!(matches!(refused, Err(Error::Misuse(_))), "{refused:?}");
        // What counts is how it ends: taken out of the first it has moved.
        session.unlink(one, Carton::labels, label);
        session.commit().await?;
        assert_eq!(session[two].labels.loaded(), Some(&[label][..]));
        assert_eq!(session[one].labels.loaded(), Some(&[][..]));
        assert_eq!(Label::select().count(&mut session).await?, 1);
    }

    /// SEMANTICS 7.4, 7.6: a label that moves is kept, one that leaves is deleted.
    async fn rule_7_4_orphans_of_a_single_parent_collection(db) {
        db.create(&carton_tables()).await?;
        let mut session = db.session();
        let labels = ["x", "y"].map(|text| Label::draft().text(text));
        let one = session.add(Carton::draft().name("one").labels(labels));
        let two = session.add(Carton::draft().name("two"));
        session.commit().await?;
        let [x, y] = session[one].labels.loaded().expect("loaded")[..] else { panic!("two") };
        session.unlink(one, Carton::labels, x);
        session.link(two, Carton::labels, x);
        session.unlink(one, Carton::labels, y);
        session.commit().await?;
        assert_eq!(session.state(x), ObjectState::Persistent);
        assert_eq!(session.state(y), ObjectState::Detached);
        assert_eq!(two.labels(&mut session).await?, [x]);
        session.delete(two);
        session.commit().await?;
        assert_eq!(Label::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 8.6: removed and put back without being loaded, a pair is a row in the end,
    /// whether or not it was one, and what else its row says is left alone.
    async fn rule_8_6_an_unloaded_pair_is_removed_and_put_back(db) {
        db.create(&basket_tables()).await?;
        let mut session = db.session();
        let basket = session.add(Basket::draft().owner("Ada"));
        let tea = session.add(Product::draft().name("tea"));
        session.add(Product::draft().name("milk"));
        session.add(Line::draft().basket(basket).product(tea).quantity(3));
        session.commit().await?;
        let mut session = db.session();
        let basket = session.require::<Basket>(1).await?;
        for product in [1, 2] {
            let product = session.require::<Product>(product).await?;
            session.unlink(basket, Basket::products, product);
            session.link(basket, Basket::products, product);
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT products", "INSERT lines"]);
        let mut lines = Line::select()
            .columns((Line::product_id, Line::quantity))
            .all(&mut session)
            .await?;
        lines.sort_unstable();
        assert_eq!(lines, [(1, 3), (2, 1)]);
    }

    /// SEMANTICS 8.6: added and removed without being loaded, a pair is none in the end, whether
    /// or not it was one.
    async fn rule_8_6_an_unloaded_pair_is_added_and_removed(db) {
        let (mut session, post, [a, _, c]) = tagged(&db).await?;
        for tag in [a, c] {
            session.link(post, Post::tags, tag);
            session.unlink(post, Post::tags, tag);
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE post_tags"]);
        let tags = post.tags(&mut session).await?;
        assert_eq!(tags.len(), 1);
        assert!(!tags.contains(&a) && !tags.contains(&c));
    }

    /// SEMANTICS 8.1: a pair that is taken apart leaves both sides at once, also where the collection
    /// was replaced without being loaded and shows nobody.
    async fn rule_8_1_a_pair_of_a_replaced_collection_leaves_both_sides(db) {
        let (mut session, post, [a, b, _]) = tagged(&db).await?;
        assert_eq!(a.posts(&mut session).alone().await?, [post]);
        session.replace(post, Post::tags, [] as [Handle<Tag>; 0]);
        session.unlink(post, Post::tags, a);
        assert_eq!(session[a].posts.loaded(), Some(&[][..]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT tags", "DELETE post_tags"]);
        assert!(b.posts(&mut session).await?.is_empty());
    }

    /// SEMANTICS 2.2: what a query fills again shows none of the links that it discards.
    async fn rule_2_2_populate_existing_discards_links(db) {
        let (mut session, post, [a, b, c]) = tagged(&db).await?;
        post.tags(&mut session).await?;
        session.link(post, Post::tags, c);
        Post::select().populate_existing().all(&mut session).await?;
        assert_eq!(post.tags(&mut session).await?, [a, b]);
        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty());
    }
}
