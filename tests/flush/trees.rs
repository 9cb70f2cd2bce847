//! Tables that refer to themselves: SEMANTICS 4.4, 4.8.

use orm_core::{Handle, Session, schema};
use orm_tests::backend_tests;

use crate::models::Folder;

/// A tree with `width` folders below every folder, `depth` levels deep.
fn grow(session: &mut Session, parent: Handle<Folder>, width: usize, depth: usize) {
    if depth == 0 {
        return;
    }
    for at in 0..width {
        let name = format!("{}.{at}", session[parent].name);
        let child = session.add(Folder::draft().name(name).parent(parent));
        grow(session, child, width, depth - 1);
    }
}

backend_tests! {
    /// SEMANTICS 4.4
    async fn rule_4_4_one_insert_per_level_root_first(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let root = session.add(Folder::draft().name("r"));
        grow(&mut session, root, 3, 3);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT folders"; 4]);

        // Every folder hangs where its name says, as a second session reads it.
        let mut other = db.session();
        let folders = Folder::select().all(&mut other).await?;
        assert_eq!(folders.len(), 1 + 3 + 9 + 27);
        for folder in folders {
            let parent = folder.parent(&mut other).await?;
            let expected = other[folder].name.rsplit_once('.').map(|(parent, _)| parent.to_owned());
            assert_eq!(parent.map(|parent| other[parent].name.clone()), expected);
        }
    }

    /// SEMANTICS 4.4: children that were added before their parents, too.
    async fn rule_4_4_levels_follow_links_and_not_the_order_of_add(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let leaf = session.add(Folder::draft().name("leaf"));
        let middle = session.add(Folder::draft().name("middle"));
        let root = session.add(Folder::draft().name("root"));
        leaf.parent(&mut session).set(middle);
        root.children(&mut session).push(middle);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT folders"; 3]);
        assert_eq!(session[leaf].parent_id, Some(session[middle].id()));
        assert_eq!(session[middle].parent_id, Some(session[root].id()));
    }

    /// SEMANTICS 4.4 and 4.8: collections of deleted parents are loaded level by level in spite of
    /// `lazy = "raise"`, one statement for all parents of a level, and rows go leaves first.
    async fn rule_4_4_deletes_go_leaves_first(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        for name in ["r", "s"] {
            let root = session.add(Folder::draft().name(name));
            grow(&mut session, root, 2, 2);
        }
        session.commit().await?;

        let mut session = db.session();
        let roots = Folder::select().filter(Folder::parent_id.is_null()).all(&mut session).await?;
        let log = db.log();
        roots.iter().for_each(|root| session.delete(*root));
        session.commit().await?;
        // Levels of the tree, and one more that has no folders any more.
        assert_eq!(
            log.emitted(),
            [["SELECT folders"; 3], ["DELETE folders"; 3]].concat()
        );
        assert_eq!(Folder::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.4: a tree of depth 6, in both directions: as many statements as it has levels.
    async fn rule_4_4_a_deep_tree_takes_one_statement_per_level(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let root = session.add(Folder::draft().name("r"));
        grow(&mut session, root, 2, 5);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT folders"; 6]);
        assert_eq!(Folder::select().count(&mut session).await?, 63);
        log.emitted();
        // Every collection is known, so nothing is to be read.
        session.delete(root);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE folders"; 6]);
        assert_eq!(Folder::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.8: the reads belong to the transaction of the flush.
    async fn rule_4_8_what_a_flush_reads_it_reads_inside_its_transaction(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let root = session.add(Folder::draft().name("r"));
        grow(&mut session, root, 1, 1);
        session.commit().await?;

        let mut session = db.session();
        let root = Folder::select().filter(Folder::parent_id.is_null()).one(&mut session).await?;
        let log = db.log();
        session.delete(root);
        session.commit().await?;
        assert_eq!(
            log.all(),
            [
                "BEGIN",
                "SELECT folders",
                "SELECT folders",
                "DELETE folders",
                "DELETE folders",
                "COMMIT"
            ]
        );
    }

    /// SEMANTICS 4.4: a row that refers to itself is a circle of one.
    async fn rule_4_4_a_row_that_refers_to_itself(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let folder = session.add(Folder::draft().name("mirror"));
        folder.parent(&mut session).set(folder);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT folders", "UPDATE folders"]);
        assert_eq!(session[folder].parent_id, Some(session[folder].id()));
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);

        session.delete(folder);
        session.commit().await?;
        assert_eq!(Folder::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.4: where a subtree moves and its old root is deleted in one flush, the rows
    /// that stay leave first.
    async fn rule_4_4_a_subtree_moves_out_of_a_deleted_tree(db) {
        db.create(&schema![Folder]).await?;
        let mut session = db.session();
        let old = session.add(Folder::draft().name("old"));
        let kept = session.add(Folder::draft().name("kept").parent(old));
        let gone = session.add(Folder::draft().name("gone").parent(old));
        session.commit().await?;
        let new = session.add(Folder::draft().name("new"));
        kept.parent(&mut session).set(new);
        session.delete(old);
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            // What hangs below the folders that go, if anything, has to be read.
            [
                "INSERT folders",
                "UPDATE folders",
                "DELETE folders",
                "DELETE folders"
            ]
        );
        assert!(session.try_get(gone).is_err());
        assert_eq!(session[kept].parent_id, Some(session[new].id()));
        assert_eq!(session.members(new, Folder::children)?.count(), 1);
    }
}
