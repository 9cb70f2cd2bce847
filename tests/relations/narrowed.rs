//! Loads narrowed by a filter or a limit, and collections opened as queries.

use orm_core::error::Result;
use orm_tests::{Database, backend_tests};

use crate::models::*;

async fn blog(db: &Database) -> Result<()> {
    db.create(&blog_tables()).await?;
    let mut session = db.session();
    let tags = session.add_all(["x", "y", "z"].map(|name| Tag::draft().name(name)));
    for name in ["Ada", "Bob"] {
        let posts = ["A", "B", "C"].map(|title| Post::draft().title(title).tags(tags.clone()));
        session.add(User::draft().name(name).posts(posts));
    }
    session.commit().await
}

backend_tests! {
    /// SEMANTICS 11.2, 11.3: a limit is per parent.
    async fn rule_11_3_a_limit_is_per_parent(db) {
        blog(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let users = User::select()
            .with(User::posts.order_by(Post::title.desc()).limit(2))
            .all(&mut session)
            .await?;
        assert_eq!(log.emitted().len(), 2);
        for &user in &users {
            assert_eq!(session[user].posts.loaded(), None, "a part is not the whole");
            assert!(session.members(user, User::posts).is_err());
            let part = session[user].posts.narrowed().expect("a narrowed load").to_vec();
            let titles: Vec<&str> = part.iter().map(|post| &*session[*post].title).collect();
            assert_eq!(titles, ["C", "B"]);
        }
        assert_eq!(users[0].posts(&mut session).await?.len(), 3, "awaiting loads all");
    }

    /// SEMANTICS 11.2: criteria stand in ON, and both strategies find the same.
    async fn rule_11_2_a_filter_narrows_the_members(db) {
        blog(&db).await?;
        for joined in [false, true] {
            let mut session = db.session();
            let load = User::posts.filter(Post::title.ne("B"));
            let load = if joined { load.joined() } else { load.selectin() };
            let users = User::select().with(load).all(&mut session).await?;
            assert_eq!(users.len(), 2);
            for user in users {
                assert_eq!(session[user].posts.loaded(), None);
                assert_eq!(session[user].posts.narrowed().map(<[_]>::len), Some(2));
            }
            // Where no member matches, the owner stays and shows none.
            let mut session = db.session();
            let load = User::posts.filter(Post::title.eq("nothing"));
            let load = if joined { load.joined() } else { load.selectin() };
            let users = User::select().with(load).all(&mut session).await?;
            assert_eq!(users.len(), 2);
            assert_eq!(session[users[0]].posts.narrowed(), Some(&[][..]));
        }
    }

    /// SEMANTICS 11.3: many-to-many too.
    async fn rule_11_3_a_limit_of_many_to_many(db) {
        blog(&db).await?;
        let mut session = db.session();
        let posts = Post::select()
            .with(Post::tags.filter(Tag::name.ne("y")).order_by(Tag::name.desc()).limit(1))
            .all(&mut session)
            .await?;
        assert_eq!(posts.len(), 6);
        for post in posts {
            let part = session[post].tags.narrowed().expect("narrowed");
            assert_eq!(part.len(), 1);
            assert_eq!(session[part[0]].name, "z");
            assert_eq!(session[post].tags.loaded(), None);
        }
    }

    /// SEMANTICS 11.2: a reference that the criteria refuse is not loaded, never None.
    async fn rule_11_2_criteria_of_a_reference(db) {
        blog(&db).await?;
        for (joined, known) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut session = db.session();
            if known {
                User::select().all(&mut session).await?;
            }
            let load = Post::user.filter(User::name.eq("Ada"));
            let load = if joined { load.joined() } else { load.selectin() };
            let posts = Post::select().order_by(Post::id.asc()).with(load).all(&mut session).await?;
            assert_eq!(posts.len(), 6);
            let of_ada = session[posts[0]].user.loaded().flatten();
            assert!(of_ada.is_some_and(|user| session[user].name == "Ada"));
            assert_eq!(session[posts[5]].user.loaded(), None, "joined: {joined}, known: {known}");
            let bob = posts[5].user(&mut session).await?;
            assert_eq!(session[bob].name, "Bob");
        }
    }

    /// SEMANTICS 11.5: below a narrowed load, everything is loaded as ever.
    async fn rule_11_5_options_below_a_narrowed_load(db) {
        blog(&db).await?;
        let mut session = db.session();
        let users = User::select()
            .with(User::posts.filter(Post::title.eq("A")).with(Post::tags))
            .all(&mut session)
            .await?;
        let post = session[users[0]].posts.narrowed().expect("narrowed")[0];
        assert_eq!(session[post].tags.loaded().map(<[_]>::len), Some(3));
    }

    /// DESIGN 2: the accessor opens the relationship as a query.
    async fn rule_3_1_a_collection_opens_as_a_query(db) {
        blog(&db).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let of_ada = ada.posts(&mut session).query();
        let found = of_ada.filter(Post::title.ne("A")).order_by(Post::title.desc()).all().await?;
        let titles: Vec<&str> = found.iter().map(|post| &*session[*post].title).collect();
        assert_eq!(titles, ["C", "B"]);
        assert_eq!(session[ada].posts.loaded(), None, "the collection stays as it was");
        assert_eq!(ada.posts(&mut session).query().count().await?, 3);
        assert!(!ada.posts(&mut session).query().filter(Post::title.eq("?")).exists().await?);
        let tagged = found[0].tags(&mut session).query().filter(Tag::name.eq("x")).all().await?;
        assert_eq!(tagged.len(), 1);
        let user = found[0].user(&mut session).query().first().await?;
        assert_eq!(user, Some(ada));
        // Unflushed edits are flushed before the query runs, those of the owner included.
        ada.posts(&mut session).push(Post::draft().title("D"));
        assert_eq!(ada.posts(&mut session).query().count().await?, 4);
        let bob = session.require::<User>(2).await?;
        found[0].user(&mut session).set(bob);
        assert_eq!(found[0].user(&mut session).query().first().await?, Some(bob));
        let new = session.add(User::draft().name("Eve").posts([Post::draft().title("E")]));
        assert_eq!(new.posts(&mut session).query().count().await?, 1);
    }
}
