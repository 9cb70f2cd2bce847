//! Foreign keys: enforced, with their actions, to unique columns, and of several columns.

use orm_core::{BelongsTo, Error, HasMany, Model, Result, Session, schema};
use orm_tests::{Database, backend_tests};

#[derive(Model)]
#[orm(table = "parents", base = none)]
struct Parent {
    #[orm(primary_key)]
    id: i64,
    #[orm(unique)]
    slug: String,
}

#[derive(Model)]
#[orm(table = "children", base = none)]
struct Child {
    #[orm(primary_key)]
    id: i64,
    #[orm(foreign_key(Parent, on_delete = "cascade", on_update = "cascade"))]
    follows: Option<i64>,
    #[orm(foreign_key(Parent, on_delete = "set null", on_update = "set null"))]
    forgets: Option<i64>,
    #[orm(foreign_key(Parent, on_delete = "restrict"))]
    holds: Option<i64>,
    #[orm(foreign_key = Parent)]
    plain: Option<i64>,
    #[orm(foreign_key(Parent::slug, on_update = "cascade", on_delete = "cascade"))]
    by_slug: Option<String>,
}

#[derive(Model)]
#[orm(table = "lines", base = none)]
struct Line {
    #[orm(primary_key)]
    order: i64,
    #[orm(primary_key)]
    number: i32,
    text: String,
    #[orm(back_populates = line)]
    parts: HasMany<Part>,
}

#[derive(Model)]
#[orm(foreign_key(line_order => Line::order, line_number => Line::number, on_delete = "cascade"))]
struct Part {
    name: String,
    line_order: Option<i64>,
    line_number: Option<i32>,
    #[orm(via = (line_order, line_number), back_populates = parts)]
    line: BelongsTo<Line>,
}

#[derive(Model)]
#[orm(table = "promises", base = none)]
struct Promise {
    #[orm(primary_key)]
    id: i64,
    #[orm(foreign_key(Parent, deferrable))]
    parent_id: i64,
}

#[derive(Model)]
#[orm(foreign_key(line_order => Line::order, line_number => Line::number, deferrable))]
struct Remark {
    line_order: i64,
    line_number: i32,
}

/// Two parents, and children of the second that each point to it by one key.
async fn family(db: &Database) -> Result<Session> {
    db.create(&schema![Parent, Child]).await?;
    let mut session = db.session();
    session.add_all([(1, "one"), (2, "two")].map(|(id, slug)| Parent::draft().id(id).slug(slug)));
    session.commit().await?;
    Ok(db.session())
}

async fn delete(db: &Database, id: i64) -> Result<()> {
    let mut session = db.session();
    let parent = session.require::<Parent>(id).await?;
    session.delete(parent);
    session.commit().await
}

backend_tests! {
    /// DESIGN 5: foreign keys are enforced, and the error says so.
    async fn foreign_keys_are_enforced(db) {
        let mut session = family(&db).await?;
        session.add(Child::draft().id(1).plain(9));
        let error = session.commit().await.expect_err("a violation");
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        session.rollback().await?;
        session.add(Child::draft().id(1).by_slug("three"));
        let error = session.commit().await.expect_err("a violation");
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        session.rollback().await?;
        session.add(Child::draft().id(1).plain(2));
        session.add(Child::draft().id(2).holds(1));
        session.commit().await?;
        for id in [1, 2] {
            let error = delete(&db, id).await.expect_err("a violation");
            assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        }
        assert_eq!(Parent::select().count(&mut session).await?, 2);
    }

    /// DESIGN 3: the actions of the database when the row goes away.
    async fn actions_on_delete(db) {
        let mut session = family(&db).await?;
        session.add(Child::draft().id(1).follows(2).forgets(2));
        session.add(Child::draft().id(2).forgets(2).plain(1));
        session.add(Child::draft().id(3).by_slug("two"));
        session.commit().await?;
        delete(&db, 2).await?;
        let left: Vec<(i64, Option<i64>, Option<i64>)> =
            Child::select().columns((Child::id, Child::forgets, Child::plain)).on(&db.engine).all().await?;
        assert_eq!(left, [(2, None, Some(1))]);
    }

    /// DESIGN 3: the actions of the database when the key changes.
    async fn actions_on_update(db) {
        let mut session = family(&db).await?;
        session.add(Child::draft().id(1).by_slug("two"));
        session.commit().await?;
        let mut other = db.session();
        let parent = other.require::<Parent>(2).await?;
        other[parent].slug = "deux".to_owned();
        other.commit().await?;
        let slugs: Vec<Option<String>> =
            Child::select().columns(Child::by_slug).on(&db.engine).all().await?;
        assert_eq!(slugs, [Some("deux".to_owned())]);
    }

    /// SEMANTICS 2.4: a deferrable foreign key is checked at COMMIT; where the database has none,
    /// the tables aren't created.
    async fn rule_2_4_deferrable_foreign_keys(db) {
        for schema in [schema![Parent, Promise], schema![Line, Remark]] {
            let created = db.create(&schema).await;
            if !db.capabilities.deferrable {
                let refused = created.expect_err("a foreign key that can't be deferrable");
                assert!(matches!(refused, Error::Misuse(_)), "{refused}");
                let said = refused.to_string();
                assert!(said.contains("can't be deferrable: MariaDB checks"), "{said}");
                assert!(said.contains("promises.parent_id") || said.contains("line_order, line_number"), "{said}");
                continue;
            }
            created?;
        }
        if !db.capabilities.deferrable {
            return Ok(());
        }
        let mut session = db.session();
        session.add(Promise::draft().id(1).parent_id(7));
        session.add(Remark::draft().line_order(1).line_number(1));
        session.flush().await?;
        session.add(Parent::draft().id(7).slug("late"));
        session.add(Line::draft().order(1).number(1).text("late"));
        session.commit().await?;
        session.add(Promise::draft().id(2).parent_id(8));
        session.flush().await?;
        let kept = session.commit().await.expect_err("a violation");
        assert!(matches!(kept, Error::ForeignKeyViolation(_)), "{kept}");
        session.rollback().await?;
        assert_eq!(Promise::select().count(&mut session).await?, 1);
    }

    /// DESIGN 3: a foreign key of several columns, as a relationship.
    async fn composite_foreign_keys(db) {
        db.create(&schema![Line, Part]).await?;
        let mut session = db.session();
        let line = |order, number| Line::draft().order(order).number(number).text("x");
        let lines = session.add_all([line(1, 1), line(1, 2), line(2, 1)]);
        session.push(lines[1], Line::parts, Part::draft().name("bolt"));
        session.push(lines[1], Line::parts, Part::draft().name("nut"));
        let loose = session.add(Part::draft().name("loose"));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT lines", "INSERT parts"]);
        assert_eq!((session[loose].line_order, session[loose].line_number), (None, None));

        let mut other = db.session();
        let line = other.require::<Line>((1, 2)).await?;
        let parts = line.parts(&mut other).await?;
        assert_eq!(parts.len(), 2);
        assert_eq!((other[parts[0]].line_order, other[parts[0]].line_number), (Some(1), Some(2)));
        assert_eq!(parts[0].line(&mut other).await?, Some(line));
        let to = other.require::<Line>((2, 1)).await?;
        other.push(to, Line::parts, parts[0]);
        other.commit().await?;
        let moved = Part::select().filter(Part::line.has(Line::order.eq(2)));
        assert_eq!(moved.count(&mut other).await?, 1);
        let joined = Line::select().join(Line::parts).columns((Line::number, Part::name));
        assert_eq!(joined.clone().count(&mut other).await?, 2);
        let eager = Line::select().with(Line::parts).on(&db.engine).graph().await?;
        let counts: Vec<usize> = eager
            .roots()
            .map(|line| Ok(eager.members(line, Line::parts)?.len()))
            .collect::<Result<_>>()?;
        assert_eq!(counts.iter().sum::<usize>(), 2);

        other.add(Part::draft().name("lost").line_order(9).line_number(9));
        let error = other.commit().await.expect_err("a violation");
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
    }
}
