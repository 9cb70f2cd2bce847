//! Writes that look at other tables: SEMANTICS 12.1, DESIGN 6.

use orm_core::query::exists;
use orm_tests::backend_tests;

use crate::models::*;

backend_tests! {
    /// SEMANTICS 12.1: a column is set to what a subquery finds for each row, and objects follow.
    async fn rule_12_1_columns_are_set_to_what_a_subquery_finds(db) {
        members(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let before = ada.tasks(&mut session).await?.len();
        Task::insert(["one", "two"].map(|title| Task::draft().title(title).member_id(1)))
            .execute(&mut session)
            .await?;
        let tasks = Task::select()
            .correlate::<Member>()
            .filter(Task::member_id.eq_column(Member::id))
            .columns(Task::id.count())
            .scalar();
        let updated = Member::update()
            .set(Member::bonus, tasks.coalesce(0))
            .filter(Member::name.ne("eve"))
            .execute(&mut session)
            .await?;
        assert_eq!(updated, 2);
        assert_eq!(session[ada].bonus, before as i64 + 2);
        session.commit().await?;
    }

    /// SEMANTICS 12.1: rows are deleted and updated by what other tables say of them, the table
    /// itself included.
    async fn rule_12_1_rows_are_found_by_subqueries(db) {
        members(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        Task::delete().all_rows().execute(&mut session).await?;
        Task::insert([Task::draft().title("one").member_id(2)]).execute(&mut session).await?;
        let has_task = exists(
            Task::select().correlate::<Member>().filter(Task::member_id.eq_column(Member::id)),
        );
        let busy = Member::update().set(Member::score, 100).filter(has_task);
        assert_eq!(busy.returning_columns(Member::name).all(&mut session).await?, ["bob"]);
        let of_busy = Member::select().filter(Member::score.eq(100)).columns(Member::id);
        let deleted = Task::delete().filter(Task::member_id.in_query(of_busy)).execute(&mut session).await?;
        assert_eq!(deleted, 1);
        let best = Member::select().filter(Member::score.eq(100)).columns(Member::id);
        let others = Member::delete().filter(!Member::id.in_query(best));
        // The table that is written is read, too.
        assert_eq!(others.execute(&mut session).await?, 2);
        let left = Member::select().columns(Member::name).all(&mut session).await?;
        assert_eq!(left, ["bob"]);
    }
}
