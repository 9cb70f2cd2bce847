//! Names: of tables, columns, constraints and indexes.

use orm_core::{Error, Model, schema};
use orm_tests::{backend_tests, plain};

#[derive(Model)]
struct BlogPost {
    title: String,
    #[orm(column = "the body", default)]
    body: String,
    #[orm(column = "select", default = 1)]
    choice: i32,
}

#[derive(Model)]
#[orm(table = "Order Line", rename_all = "PascalCase")]
struct OrderLine {
    unit_price: i64,
    #[orm(column = "QTY")]
    quantity_ordered: i32,
    r#type: Option<String>,
    #[orm(unique, index)]
    line_code: String,
}

#[derive(Model)]
#[orm(
    rename_all = "SCREAMING_SNAKE_CASE",
    unique(first_name, last_name),
    index(last_name, name = "by_last")
)]
struct Person {
    first_name: String,
    last_name: String,
    #[orm(index)]
    born_in: Option<i32>,
}

backend_tests! {
    /// DESIGN 2: lower-cased with an "s", columns named like fields, both overridden.
    async fn names_follow_the_convention(db) {
        let log = db.log();
        db.create(&schema![BlogPost, OrderLine, Person]).await?;
        let created: Vec<String> = log.texts().iter().map(|sql| plain(sql)).collect();
        let statement = |start: &str| {
            created.iter().find(|sql| sql.starts_with(start)).unwrap_or_else(|| panic!("{start}: {created:?}"))
        };
        let posts = statement("CREATE TABLE IF NOT EXISTS blogposts (");
        for column in ["\n    id ", "\n    created_at ", "\n    title ", "\n    the body ", "\n    select "] {
            assert!(posts.contains(column), "{column} in {posts}");
        }
        let lines = statement("CREATE TABLE IF NOT EXISTS Order Line (");
        for column in ["\n    UnitPrice ", "\n    QTY ", "\n    Type ", "\n    LineCode ", "\n    id "] {
            assert!(lines.contains(column), "{column} in {lines}");
        }
        assert!(lines.contains("CONSTRAINT uq_Order Line_LineCode UNIQUE (LineCode)"), "{lines}");
        let people = statement("CREATE TABLE IF NOT EXISTS persons (");
        assert!(people.contains("UNIQUE (FIRST_NAME, LAST_NAME)"), "{people}");
        // Beside the table, or inside it.
        for (index, column) in [("by_last", "LAST_NAME"), ("ix_persons_BORN_IN", "BORN_IN")] {
            let (beside, inside) =
                (format!("INDEX IF NOT EXISTS {index} ON persons ({column})"), format!("INDEX {index} ({column})"));
            let is_it = |sql: &String| sql.contains(&beside) || sql.contains(&inside);
            assert!(created.iter().any(is_it), "{index} in {created:?}");
        }
    }

    /// DESIGN 2: whatever a name is, rows are written, read, changed and deleted by it.
    async fn odd_names_work_everywhere(db) {
        db.create(&schema![BlogPost, OrderLine]).await?;
        let mut session = db.session();
        let post = session.add(BlogPost::draft().title("t"));
        let line = session
            .add(OrderLine::draft().unit_price(5).quantity_ordered(2).r#type("x").line_code("a"));
        let other = session.add(OrderLine::draft().unit_price(7).quantity_ordered(1).line_code("b"));
        session.commit().await?;
        session[post].choice = 9;
        session[line].r#type = None;
        session[other].quantity_ordered = 3;
        session[line].quantity_ordered = 3;
        session.commit().await?;
        let total: (Option<i64>, Option<i32>) = OrderLine::select()
            .filter(OrderLine::r#type.is_null() & OrderLine::quantity_ordered.eq(3))
            .columns((OrderLine::unit_price.sum(), OrderLine::quantity_ordered.max()))
            .one(&mut session)
            .await?;
        assert_eq!(total, (Some(12), Some(3)));
        let query = BlogPost::select().filter(BlogPost::choice.eq(9) & BlogPost::body.eq(""));
        assert_eq!(query.order_by(BlogPost::choice.desc()).one(&mut session).await?, post);
        session.delete(line);
        session.delete(other);
        session.commit().await?;
        assert_eq!(OrderLine::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 9.6: a violated constraint leads back to its table and columns.
    async fn rule_9_6_constraints_lead_back_to_columns(db) {
        db.create(&schema![OrderLine, Person]).await?;
        let mut session = db.session();
        let line = || OrderLine::draft().unit_price(1).quantity_ordered(1).line_code("s3cret");
        session.add_all([line(), line()]);
        let error = session.commit().await.expect_err("a violation");
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(OrderLine::line_code));
        assert!(!error.violates(OrderLine::unit_price));
        let violation = error.violation().expect("a violation");
        assert_eq!(violation.table.as_deref(), Some("Order Line"));
        assert_eq!(violation.columns, ["LineCode"]);
        assert_eq!(violation.constraint.as_deref(), Some("uq_Order Line_LineCode"));
        assert!(!error.to_string().contains("s3cret"), "{error}");
        session.rollback().await?;

        let person = || Person::draft().first_name("A").last_name("B");
        session.add_all([person(), person().born_in(1)]);
        let error = session.commit().await.expect_err("a violation");
        assert!(error.violates(Person::first_name) && error.violates(Person::last_name));
        assert_eq!(error.violation().expect("a violation").columns, ["FIRST_NAME", "LAST_NAME"]);
        session.rollback().await?;
        session.add_all([person(), Person::draft().first_name("A").last_name("C")]);
        session.commit().await?;
    }
}
