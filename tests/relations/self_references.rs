//! Trees, and many-to-many relationships of a model to itself.

use orm_core::session::ObjectState;
use orm_core::{Handle, Session};
use orm_tests::backend_tests;

use crate::models::*;

/// A root with two children, the first of which has a child.
fn tree(session: &mut Session) -> [Handle<Node>; 4] {
    let root = session.add(Node::draft().name("root"));
    let left = session.add(Node::draft().name("left").parent(root));
    let right = session.add(Node::draft().name("right").parent(root));
    let leaf = session.add(Node::draft().name("leaf").parent(left));
    [root, left, right, leaf]
}

backend_tests! {
    /// SEMANTICS 8.1, 4.4
    async fn rule_8_1_a_tree_keeps_both_sides_in_step(db) {
        db.create(&node_tables()).await?;
        let mut session = db.session();
        let [root, left, right, leaf] = tree(&mut session);
        assert_eq!(session[root].children.loaded(), Some(&[left, right][..]));
        assert_eq!(session[left].parent.loaded(), Some(Some(root)));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT nodes", "INSERT nodes", "INSERT nodes"]);
        right.children(&mut session).push(leaf);
        assert_eq!(session[left].children.loaded(), Some(&[][..]));
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE nodes"]);
        assert_eq!(session[leaf].parent_id, Some(session[right].id()));
    }

    /// SEMANTICS 7.2, 4.4: deleting the root deletes the tree, leaves first, one load a level.
    async fn rule_7_2_a_tree_is_deleted_with_its_root(db) {
        db.create(&node_tables()).await?;
        let mut session = db.session();
        tree(&mut session);
        session.commit().await?;
        let mut session = db.session();
        let root = session.require::<Node>(1).await?;
        session.delete(root);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                "SELECT nodes", "SELECT nodes", "SELECT nodes", "DELETE nodes", "DELETE nodes",
                "DELETE nodes",
            ],
        );
        assert_eq!(Node::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 7.4: a removed subtree goes as a whole.
    async fn rule_7_4_a_removed_subtree_is_deleted_recursively(db) {
        db.create(&node_tables()).await?;
        let mut session = db.session();
        let [root, left, right, leaf] = tree(&mut session);
        session.commit().await?;
        root.children(&mut session).remove(left);
        session.commit().await?;
        assert_eq!(session.state(left), ObjectState::Detached);
        assert_eq!(session.state(leaf), ObjectState::Detached);
        assert_eq!(session[root].children.loaded(), Some(&[right][..]));
        // A node that never had a parent is no orphan.
        assert_eq!(session.state(root), ObjectState::Persistent);
    }

    /// SEMANTICS 11.6
    async fn rule_11_6_depth_comes_from_nested_options(db) {
        db.create(&node_tables()).await?;
        let mut session = db.session();
        tree(&mut session);
        session.commit().await?;
        let mut session = db.session();
        let log = db.log();
        let root = Node::select()
            .filter(Node::parent_id.is_null())
            .with(Node::children.with(Node::children))
            .one(&mut session)
            .await?;
        assert_eq!(log.emitted(), ["SELECT nodes", "SELECT nodes", "SELECT nodes"]);
        let left = session[root].children.loaded().expect("loaded")[0];
        let leaf = session[left].children.loaded().expect("loaded")[0];
        assert_eq!(session[leaf].children.loaded(), None, "as deep as was asked");
        let mut session = db.session();
        let root = Node::select()
            .filter(Node::parent_id.is_null())
            .with(Node::children.joined().with(Node::children.joined()))
            .one(&mut session)
            .await?;
        assert_eq!(log.emitted(), ["SELECT nodes"]);
        let left = session[root].children.loaded().expect("loaded")[0];
        assert_eq!(session[left].children.loaded().map(<[_]>::len), Some(1));
    }

    /// SEMANTICS 8.6
    async fn rule_8_6_friends_of_the_same_model(db) {
        db.create(&person_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Person::draft().name("Ada"));
        let bob = session.add(Person::draft().name("Bob"));
        let eve = session.add(Person::draft().name("Eve").friends([ada, bob]));
        session.link(ada, Person::friends, bob);
        // The same friendship from the other side.
        session.link(bob, Person::friend_of, ada);
        assert_eq!(session[bob].friend_of.loaded(), Some(&[eve, ada][..]));
        assert_eq!(session[bob].friends.loaded(), Some(&[][..]), "friendship has a direction");
        // One may be one's own friend.
        session.link(ada, Person::friends, ada);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT people", "INSERT friendships"]);
        assert_eq!(Friendship::select().count(&mut session).await?, 4);

        let mut other = db.session();
        let bob = other.require::<Person>(2).await?;
        assert_eq!(bob.friends(&mut other).await?.len(), 0);
        assert_eq!(bob.friend_of(&mut other).await?.len(), 2);
        // Both directions go with the person.
        other.delete(bob);
        other.commit().await?;
        assert_eq!(Friendship::select().count(&mut other).await?, 2);
        session.refresh(eve).await?;
        assert_eq!(eve.friends(&mut session).await?, [ada]);
    }

    /// SEMANTICS 8.6: a pair table without a struct, from a model to itself.
    async fn rule_8_6_a_pair_table_of_one_model(db) {
        db.create(&school_tables()).await?;
        let mut session = db.session();
        let ada = session.add(Student::draft().name("Ada"));
        let bob = session.add(Student::draft().name("Bob").mentors([ada]));
        assert_eq!(session[ada].mentored.loaded(), Some(&[bob][..]));
        session.commit().await?;
        let mut session = db.session();
        let ada = session.require::<Student>(1).await?;
        let bob = session.require::<Student>(2).await?;
        assert_eq!(bob.mentors(&mut session).await?, [ada]);
        assert_eq!(ada.mentored(&mut session).await?, [bob]);
        assert_eq!(ada.mentors(&mut session).await?, []);
    }

    /// SEMANTICS 7.2: new objects below new objects go with a deleted root, and rows too.
    async fn rule_7_2_new_branches_go_with_their_root(db) {
        db.create(&node_tables()).await?;
        let mut session = db.session();
        let root = session.add(Node::draft().name("root"));
        let moved = session.add(Node::draft().name("moved"));
        session.commit().await?;
        let branch = session.add(Node::draft().name("branch").parent(root));
        let leaf = session.add(Node::draft().name("leaf").parent(branch));
        branch.children(&mut session).push(moved);
        session.delete(root);
        session.commit().await?;
        assert_eq!(session.state(branch), ObjectState::Detached);
        assert_eq!(session.state(leaf), ObjectState::Detached);
        assert_eq!(Node::select().count(&mut session).await?, 0);
    }
}
