//! The rows that a bulk statement is for: whatever a query's filter says, SEMANTICS 12.1.

use orm_core::query::Condition;
use orm_core::schema;
use orm_tests::backend_tests;
use serde_json::json;

use crate::models::*;

backend_tests! {
    /// Conditions of every kind find the rows that a query finds.
    async fn conditions_of_every_kind(db) {
        create(&db).await?;
        let mut session = db.session();
        session.add_all([
            Member::draft().name("ada").score(1).grade(Grade::Senior).labels(vec!["x".to_owned()]),
            Member::draft().name("bob").score(2).grade(Grade::Junior).notes(json!({"a": 1})),
            Member::draft().name("eve").score(3),
        ]);
        session.commit().await?;
        let conditions: Vec<(Condition<Member>, u64)> = vec![
            (Member::grade.eq(Grade::Senior), 1),
            (Member::grade.in_([Some(Grade::Junior), None]), 2),
            (Member::grade.is_null(), 1),
            (Member::labels.eq(vec!["x".to_owned()]), 1),
            (Member::notes.is_not_null(), 1),
            (Member::name.contains("b") | Member::name.starts_with("e"), 2),
            (!Member::score.between(2, 3), 1),
            (Member::score.in_([1_i64; 0]), 0),
            (Member::score.not_in([1, 3]), 1),
            ((Member::score * 2).gt(Member::score + 1), 2),
            (Member::name.length().eq(3) & Member::score.lt(3), 2),
            (Condition::all(), 3),
            (Condition::none(), 0),
        ];
        for (condition, found) in conditions {
            assert_eq!(Member::select().filter(condition.clone()).count(&mut session).await?, found);
            let update = Member::update().set(Member::bonus, Member::bonus + 1);
            let updated = update.filter(condition.clone()).execute(&mut session).await?;
            assert_eq!(updated, found, "{condition:?}");
            let delete = Member::delete().filter(condition);
            assert_eq!(delete.execute(&mut session).await?, found);
            session.rollback().await?;
        }
    }

    /// Several filters must all hold.
    async fn filters_are_joined_by_and(db) {
        members(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        let delete = Member::delete().filter(Member::score.gt(1)).filter(Member::score.lt(3));
        assert_eq!(delete.execute(&mut session).await?, 1);
    }

    /// Lists that are longer than anyone would write by hand.
    async fn long_lists(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        session.require::<Member>(1).await?;
        let update = Member::update().set(Member::bonus, 1).filter(Member::id.in_(1..=10_000));
        assert_eq!(update.execute(&mut session).await?, 2);
    }

    /// Related rows of other tables, over every kind of relationship.
    async fn related_rows(db) {
        create(&db).await?;
        let mut session = db.session();
        let team = session.add(Team::draft().name("blue"));
        let ada = session.add(Member::draft().name("ada").tasks([Task::draft().title("write")]));
        let bob = session.add(Member::draft().name("bob").team(team));
        let club = session.add(Club::draft().name("chess"));
        session.link(club, Club::members, bob);
        session.commit().await?;
        let conditions = [
            (Member::tasks.any(Task::title.eq("write")), ada),
            (Member::team.has(Team::name.eq("blue")), bob),
            (Member::clubs.any(Club::name.eq("chess")), bob),
            (!Member::clubs.any(Condition::all()), ada),
        ];
        for (condition, found) in conditions {
            let update = Member::update().set(Member::score, 5).filter(condition.clone());
            assert_eq!(update.execute(&mut session).await?, 1);
            assert_eq!(session[found].score, 5);
            session.rollback().await?;
            let delete = Member::delete().filter(condition.clone());
            assert_eq!(delete.clone().execute(&mut session).await?, 1);
            session.rollback().await?;
            let mut stranger = db.session();
            assert_eq!(delete.execute(&mut stranger).await?, 1, "with nothing in memory");
            stranger.rollback().await?;
        }
    }

    /// Related rows of the written table itself, which MySQL's subqueries must not read (its
    /// error 1093): directly, and further inside.
    async fn related_rows_of_the_written_table(db) {
        db.create(&schema![Folder]).await?;
        create(&db).await?;
        let mut session = db.session();
        let root = session.add(
            Folder::draft().name("root").children([Folder::draft().name("a"), Folder::draft().name("b")]),
        );
        session.add(
            Team::draft().name("blue").members(["ada", "bob"].map(|name| Member::draft().name(name))),
        );
        session.commit().await?;
        for holds in [false, true] {
            let mut session = db.session();
            if holds {
                Folder::select().all(&mut session).await?;
                Member::select().all(&mut session).await?;
            }
            let inner = Folder::update()
                .set(Folder::depth, Folder::depth + 1)
                .filter(Folder::parent.has(Folder::name.eq("root")) & Folder::depth.lt(5));
            assert_eq!(inner.clone().execute(&mut session).await?, 2);
            session.rollback().await?;
            assert_eq!(inner.on(&db.engine).execute().await?, 2);
            let outer = Folder::delete().filter(Folder::children.any(Folder::name.eq("a")));
            assert_eq!(outer.execute(&mut session).await?, 1);
            session.rollback().await?;
            let mates = Member::team.has(Team::members.any(Member::name.eq("ada")));
            let update = Member::update().set(Member::score, 7).filter(mates.clone());
            assert_eq!(update.execute(&mut session).await?, 2);
            assert_eq!(Member::delete().filter(mates).execute(&mut session).await?, 2);
            session.rollback().await?;
        }
        session.refresh(root).await?;
        assert_eq!(session[root].depth, 0);
        let depths = Folder::select().order_by(Folder::id.asc()).columns(Folder::depth);
        assert_eq!(depths.all(&mut session).await?, [0, 2, 2]);
    }
}
