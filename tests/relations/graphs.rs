//! Reading a graph without a session.

use orm_core::Error;
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// DESIGN 2: a graph has the relationships that the query asked for, and says what it lacks.
    async fn rule_11_5_a_graph_loads_what_the_query_says(db) {
        db.create(&blog_tables()).await?;
        let mut session = db.session();
        let tag = session.add(Tag::draft().name("t"));
        let posts = ["A", "B"].map(|title| Post::draft().title(title).tags([tag]));
        session.add(User::draft().name("Ada").posts(posts));
        session.add(User::draft().name("Bob"));
        session.commit().await?;
        let log = db.log();
        let graph = User::select()
            .order_by(User::id.asc())
            .with(User::posts.with(Post::user).with(Post::tags.joined()))
            .on(&db.engine)
            .graph()
            .await?;
        assert_eq!(log.emitted(), ["SELECT users", "SELECT posts"], "the users are known");
        assert_eq!(graph.len(), 2);
        let roots: Vec<_> = graph.roots().collect();
        let posts: Vec<_> = graph.members(roots[0], User::posts)?.collect();
        assert_eq!(posts.len(), 2);
        for (post, entity) in posts {
            assert_eq!(graph[post].title, entity.title);
            assert_eq!(graph.follow(post, Post::user)?.id(), graph[roots[0]].id());
            assert_eq!(graph.members(post, Post::tags)?.len(), 1);
            assert!(matches!(graph.members(post, Post::comments), Err(Error::NotLoaded { .. })));
        }
        assert_eq!(graph.members(roots[1], User::posts)?.len(), 0);
    }

    /// DESIGN 2: handles of sessions, and of other graphs, name nothing in a graph.
    async fn rule_2_1_a_graph_has_no_handles_of_sessions(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Author::draft().name("Ada"));
        session.commit().await?;
        let graph = Author::select().on(&db.engine).graph().await?;
        let other = Author::select().on(&db.engine).graph().await?;
        let root = graph.roots().next().expect("one author");
        assert!(matches!(graph.try_get(ada), Err(Error::Detached { .. })));
        assert!(matches!(other.try_get(root), Err(Error::Detached { .. })));
        assert!(matches!(session.try_get(root), Err(Error::Detached { .. })));
        assert_eq!(graph[root].name, "Ada");
    }
}
