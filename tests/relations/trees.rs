//! Self-references: loaded to a depth, and to their end by one statement.

use orm_core::error::Result;
use orm_core::query::Load;
use orm_core::{Error, Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// `root` with the branches a and b; a has two leaves, of which one has a leaf itself.
async fn tree(db: &Database) -> Result<()> {
    db.create(&node_tables()).await?;
    let mut session = db.session();
    let leaf = |name: &str| Node::draft().name(name);
    let deep = leaf("a2").children([leaf("a2x")]);
    let a = leaf("a").children([leaf("a1")]).children([deep]);
    session.add(leaf("root").children([a]).children([leaf("b")]));
    session.add(leaf("other").children([leaf("o")]));
    session.commit().await
}

/// What is loaded below a node: `name(children)`, with `?` for what is not loaded.
fn below(session: &Session, node: Handle<Node>) -> String {
    let name = &session[node].name;
    match session[node].children.loaded() {
        None => format!("{name}?"),
        Some([]) => name.clone(),
        Some(children) => {
            let children: Vec<String> = children.iter().map(|it| below(session, *it)).collect();
            format!("{name}({})", children.join(" "))
        }
    }
}

async fn load(session: &mut Session, load: Load<Node, Node>) -> Result<String> {
    let root = Node::select().filter(Node::name.eq("root")).with(load).one(session).await?;
    Ok(below(session, root))
}

const WHOLE: &str = "root(a(a1 a2(a2x)) b)";

backend_tests! {
    /// SEMANTICS 11.6
    async fn rule_11_6_a_depth_is_so_many_levels(db) {
        tree(&db).await?;
        let log = db.log();
        type Of = Load<Node, Node>;
        let strategies: [(fn(Of) -> Of, bool); 3] =
            [(Of::joined, true), (Of::selectin, false), (Of::subquery, false)];
        for (strategy, is_joined) in strategies {
            for (levels, expected) in [
                (0, "root?"),
                (1, "root(a? b?)"),
                (2, "root(a(a1? a2?) b)"),
                (3, "root(a(a1 a2(a2x?)) b)"),
                (4, WHOLE),
            ] {
                log.texts();
                let seen =
                    load(&mut db.session(), strategy(Node::children.depth(levels))).await?;
                assert_eq!(seen, expected);
                let statements = if is_joined { 1 } else { 1 + levels as usize };
                assert_eq!(log.texts().len(), statements, "{levels}");
            }
        }
    }

    /// SEMANTICS 11.6: what an option says holds at each level.
    async fn rule_11_6_options_hold_at_each_level(db) {
        tree(&db).await?;
        for by in [Node::children.joined(), Node::children.selectin(), Node::children.subquery()] {
            let mut session = db.session();
            let by = by.order_by(Node::name.desc()).with(Node::parent).depth(3);
            assert_eq!(load(&mut session, by).await?, "root(b a(a2(a2x?) a1))");
            let leaf = Node::select().filter(Node::name.eq("a2x")).one(&mut session).await?;
            assert!(session.follow(leaf, Node::parent)?.is_some_and(|node| node.name == "a2"));
        }
        let mut session = db.session();
        let by = Node::children.order_by(Node::name.desc()).limit(1).depth(2);
        let root = Node::select().filter(Node::name.eq("root")).with(by).one(&mut session).await?;
        let part = session[root].children.narrowed().expect("narrowed").to_vec();
        assert_eq!(session[part[0]].name, "b");
        assert_eq!(session[part[0]].children.narrowed(), Some(&[][..]));
    }

    /// SEMANTICS 11.6
    async fn rule_11_6_a_whole_tree_is_one_statement(db) {
        tree(&db).await?;
        let log = db.log();
        let mut session = db.session();
        assert_eq!(load(&mut session, Node::children.recursive()).await?, WHOLE);
        assert_eq!(log.texts().len(), 2);
        // Leaves are known to be leaves.
        let leaf = Node::select().filter(Node::name.eq("a2x")).one(&mut session).await?;
        log.texts();
        assert!(leaf.children(&mut session).await?.is_empty());
        assert!(log.texts().is_empty());
        let mut session = db.session();
        let by = Node::children.order_by(Node::name.desc()).recursive();
        assert_eq!(load(&mut session, by).await?, "root(b a(a2(a2x) a1))");
        // Both trees, by all nodes: parts that are in several.
        let mut session = db.session();
        log.texts();
        let all = Node::select().order_by(Node::id.asc()).with(Node::children.recursive());
        let all = all.all(&mut session).await?;
        assert_eq!((all.len(), log.texts().len()), (8, 2));
        assert_eq!(below(&session, all[0]), WHOLE);
    }

    /// SEMANTICS 11.6: upwards, and in a graph.
    async fn rule_11_6_all_that_is_above(db) {
        tree(&db).await?;
        let log = db.log();
        let graph = Node::select()
            .filter(Node::name.eq("a2x"))
            .with(Node::parent.recursive())
            .on(&db.engine)
            .graph()
            .await?;
        assert_eq!(log.texts().len(), 2);
        let mut at = graph.roots().next().expect("one");
        let mut names = vec![graph[at].name.clone()];
        while let Some(parent) = graph[at].parent.loaded().expect("loaded to the end") {
            at = parent;
            names.push(graph[at].name.clone());
        }
        assert_eq!(names, ["a2x", "a2", "a", "root"]);
    }

    /// SEMANTICS 11.6: a circle ends.
    async fn rule_11_6_circles_end(db) {
        db.create(&node_tables()).await?;
        let mut session = db.session();
        let [a, b, c] = ["a", "b", "c"].map(|name| session.add(Node::draft().name(name)));
        session.flush().await?;
        for (child, parent) in [(a, b), (b, c), (c, a)] {
            session[child].parent_id = Some(session[parent].id());
        }
        let own = session.add(Node::draft().name("own"));
        session.flush().await?;
        session[own].parent_id = Some(session[own].id());
        session.commit().await?;
        for load in [Node::children.recursive(), Node::children.depth(5)] {
            let mut session = db.session();
            let all = Node::select().order_by(Node::id.asc()).with(load).all(&mut session).await?;
            let [a, b, c, own] = all[..] else { panic!("four") };
            for (parent, child) in [(b, a), (c, b), (a, c), (own, own)] {
                assert_eq!(session[parent].children.loaded(), Some(&[child][..]));
            }
        }
        let mut session = db.session();
        let up = Node::select().filter(Node::name.eq("a")).with(Node::parent.recursive());
        let a = up.one(&mut session).await?;
        let b = session[a].parent.loaded().flatten().expect("loaded");
        let c = session[b].parent.loaded().flatten().expect("loaded");
        assert_eq!(session[c].parent.loaded(), Some(Some(a)));
    }

    /// SEMANTICS 11.6: a filter prunes the tree, and what is loaded is narrowed.
    async fn rule_11_6_a_filter_prunes(db) {
        tree(&db).await?;
        let mut session = db.session();
        let by = Node::children.filter(Node::name.ne("a2")).recursive();
        let root = Node::select().filter(Node::name.eq("root")).with(by).one(&mut session).await?;
        let part = session[root].children.narrowed().expect("narrowed").to_vec();
        assert_eq!(part.len(), 2);
        assert_eq!(session[part[0]].children.narrowed().map(<[_]>::len), Some(1), "a1");
        assert_eq!(Node::select().count(&mut session).await?, 8);
        let pruned = Node::children.limit(1).recursive();
        let refused = Node::select().with(pruned).all(&mut session).await;
        assert!(matches!(refused, Err(Error::Misuse(_))));
    }

    /// SEMANTICS 11.5, 11.6: other relationships of every node, along with the tree.
    async fn rule_11_6_more_below_each_node(db) {
        tree(&db).await?;
        let log = db.log();
        let mut session = db.session();
        let by = Node::children.recursive().with(Node::parent.joined());
        assert_eq!(load(&mut session, by).await?, WHOLE);
        assert_eq!(log.texts().len(), 2);
        let leaf = Node::select().filter(Node::name.eq("a1")).one(&mut session).await?;
        assert!(session.follow(leaf, Node::parent)?.is_some_and(|node| node.name == "a"));
    }

    /// SEMANTICS 11.6: many-to-many between a model and itself: friends of friends.
    async fn rule_11_6_a_net_is_followed_too(db) {
        db.create(&person_tables()).await?;
        let mut session = db.session();
        let people = session.add_all(["a", "b", "c", "d", "e"].map(|name| Person::draft().name(name)));
        for (one, other) in [(0, 1), (1, 2), (2, 0), (2, 3)] {
            session.push(people[one], Person::friends, people[other]);
        }
        session.commit().await?;
        let log = db.log();
        let mut session = db.session();
        let a = Person::select()
            .filter(Person::name.eq("a"))
            .with(Person::friends.recursive())
            .one(&mut session)
            .await?;
        assert_eq!(log.texts().len(), 2);
        let mut seen = vec![a];
        for at in 0..4 {
            let friends = session[seen[at]].friends.loaded().expect("loaded").to_vec();
            seen.extend(friends.into_iter().filter(|it| !seen.contains(it)).collect::<Vec<_>>());
        }
        let names: Vec<&str> = seen.iter().map(|it| &*session[*it].name).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    /// SEMANTICS 11.5, 11.6: what is loaded or edited stays, what is above and below is filled in.
    async fn rule_11_6_edits_in_a_tree_stay(db) {
        tree(&db).await?;
        let mut session = db.session();
        session.autoflush(false);
        let root = Node::select().filter(Node::name.eq("root")).one(&mut session).await?;
        let branches = root.children(&mut session).await?;
        session.remove(root, Node::children, branches[1]);
        session[branches[0]].name = "edited".into();
        let new = session.add(Node::draft().name("new"));
        session.push(branches[0], Node::children, new);
        assert_eq!(
            load(&mut session, Node::children.recursive()).await?,
            "root(edited(a1 a2(a2x) new))",
        );
    }
}
