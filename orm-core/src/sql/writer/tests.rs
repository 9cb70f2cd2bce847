//! Trees and the SQL that they become on SQLite.

use crate::model::Table;
use crate::sql::dialect::sqlite::SQLITE;
use crate::sql::testing::{at, posts, users};
use crate::sql::*;
use crate::value::{SqlType, Value};

#[track_caller]
fn check(select: &Select, expected: &str) {
    let statement = render_select(&SQLITE, select).unwrap();
    assert_eq!(&*statement.text, expected);
    assert_eq!(statement.text.matches('?').count(), statement.binds.len());
}

/// Checks an expression as the condition of a query on users.
#[track_caller]
fn check_expr(expr: Expr, expected: &str) {
    let mut select = Select::from(users());
    select.and_filter(expr);
    check(&select, &format!("SELECT 1 FROM \"users\" WHERE {expected}"));
}

fn column(table: &'static Table, name: &str) -> Expr {
    Expr::Column(ColumnRef::scoped(table, at(table, name)))
}

fn aliased(table: &'static Table, name: &str, alias: u32) -> Expr {
    Expr::Column(ColumnRef::aliased(table, at(table, name), Alias(alias)))
}

fn age() -> Expr {
    column(users(), "age")
}

fn int(value: i64) -> Expr {
    Expr::bind(Value::Int(value), SqlType::I64)
}

fn equal(left: Expr, right: Expr) -> Expr {
    Expr::binary(left, BinaryOp::Equal, right)
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

#[test]
fn a_plain_select() {
    let mut select = Select::from(users());
    select.select_all(users(), Source::Scope);
    select.and_filter(Expr::Like {
        operand: boxed(column(users(), "email")),
        pattern: boxed(Expr::bind(Value::Text("a%".into()), SqlType::Text)),
    });
    select.order_by.push(OrderTerm::new(age(), true));
    select.order_by.push(OrderTerm { nulls_first: Some(false), ..OrderTerm::new(age(), false) });
    select.limit = Some(20);
    select.offset = Some(40);
    check(
        &select,
        r#"SELECT "users"."id", "users"."created_at", "users"."updated_at", "users"."email", "users"."age", "users"."mood", "users"."boss_id" FROM "users" WHERE "users"."email" LIKE ? ESCAPE '!' ORDER BY "users"."age" DESC, "users"."age" ASC NULLS LAST LIMIT 20 OFFSET ?"#,
    );
}

#[test]
fn an_offset_alone_needs_a_limit() {
    let mut select = Select::from(users());
    select.offset = Some(u64::MAX);
    check(&select, r#"SELECT 1 FROM "users" LIMIT -1 OFFSET ?"#);
    let binds = render_select(&SQLITE, &select).unwrap().binds;
    assert_eq!(binds[0].value, Value::Int(i64::MAX));
}

#[test]
fn parentheses_where_the_meaning_needs_them() {
    let (a, b, c) = (|| equal(age(), int(1)), || equal(age(), int(2)), || equal(age(), int(3)));
    let age_is = r#""users"."age" = ?"#;
    check_expr(
        Expr::All(vec![a(), Expr::Any(vec![b(), c()])]),
        &format!("{age_is} AND ({age_is} OR {age_is})"),
    );
    check_expr(
        Expr::Any(vec![a(), Expr::All(vec![b(), c()])]),
        &format!("{age_is} OR {age_is} AND {age_is}"),
    );
    check_expr(Expr::Not(boxed(Expr::Any(vec![a(), b()]))), &format!("NOT ({age_is} OR {age_is})"));
    check_expr(Expr::All(vec![Expr::Any(vec![a()])]), age_is);
    check_expr(Expr::All(vec![]), "1 = 1");
    check_expr(Expr::Any(vec![]), "1 = 0");
    let sum = || Expr::binary(age(), BinaryOp::Add, int(1));
    check_expr(
        equal(Expr::binary(sum(), BinaryOp::Multiply, sum()), sum()),
        r#"("users"."age" + ?) * ("users"."age" + ?) = "users"."age" + ?"#,
    );
    check_expr(
        equal(Expr::binary(sum(), BinaryOp::Subtract, sum()), int(0)),
        r#""users"."age" + ? - ("users"."age" + ?) = ?"#,
    );
    check_expr(equal(a(), b()), &format!("({age_is}) = ({age_is})"));
    check_expr(
        Expr::IsNull {
            operand: boxed(Expr::binary(sum(), BinaryOp::Concat, age())),
            negated: true,
        },
        r#"(("users"."age" + ?) || "users"."age") IS NOT NULL"#,
    );
    check_expr(equal(age(), Expr::Negate(boxed(Expr::Integer(-1)))), r#""users"."age" = -(-1)"#);
    check_expr(
        equal(age(), Expr::Negate(boxed(Expr::Negate(boxed(age()))))),
        r#""users"."age" = -(-"users"."age")"#,
    );
    check_expr(
        Expr::Between { operand: boxed(age()), low: boxed(sum()), high: boxed(int(2)) },
        r#""users"."age" BETWEEN "users"."age" + ? AND ?"#,
    );
    check_expr(equal(age(), Expr::Authored("a or b")), r#""users"."age" = (a or b)"#);
}

#[test]
fn long_chains_are_grouped() {
    let mut select = Select::from(users());
    select.and_filter(Expr::Any(vec![equal(age(), int(1)); 600]));
    let text = render_select(&SQLITE, &select).unwrap().text;
    assert_eq!(text.matches(" OR ").count(), 599);
    assert_eq!(text.matches(") OR (").count(), 2);
}

#[test]
fn lists() {
    let list = |list, negated| Expr::In { operand: boxed(age()), list, negated };
    check_expr(list(vec![], false), "1 = 0");
    check_expr(list(vec![], true), "1 = 1");
    check_expr(list(vec![int(1), int(2)], true), r#""users"."age" NOT IN (?, ?)"#);
}

#[test]
fn keys_are_padded_by_repeating_the_last() {
    let id = ColumnRef::scoped(users(), 0);
    let keys = |count: i64| Expr::Keys {
        columns: vec![id],
        keys: (1..=count).map(|key| vec![Value::Int(key)]).collect(),
    };
    check_expr(keys(0), "1 = 0");
    check_expr(keys(1), r#""users"."id" IN (?)"#);
    check_expr(keys(3), r#""users"."id" IN (?, ?, ?, ?)"#);
    let pairs = Expr::Keys {
        columns: vec![id, ColumnRef::scoped(users(), at(users(), "age"))],
        keys: (1..=3).map(|key| vec![Value::Int(key), Value::Int(-key)]).collect(),
    };
    check_expr(
        pairs.clone(),
        r#"("users"."id", "users"."age") IN (VALUES (?, ?), (?, ?), (?, ?), (?, ?))"#,
    );
    let mut select = Select::from(users());
    select.and_filter(pairs);
    let binds = render_select(&SQLITE, &select).unwrap().binds;
    let values: Vec<_> = binds.into_iter().map(|bind| bind.value).collect();
    assert_eq!(values[4..], [Value::Int(3), Value::Int(-3), Value::Int(3), Value::Int(-3)]);
}

#[test]
fn functions_and_aggregates() {
    let count = Expr::from(Aggregation::new(Aggregate::Count, None));
    let distinct = Aggregation::new(Aggregate::Count, Some(age()));
    let distinct = Expr::from(Aggregation { distinct: true, ..distinct });
    let lower = Expr::Function(Function::Lower, vec![column(users(), "email")]);
    let mut select = Select::from(users());
    select.distinct = true;
    select.columns =
        vec![(lower.clone(), Some("who\"".into())), (count.clone(), None), (distinct, None)];
    select.group_by = vec![lower];
    select.and_having(Expr::binary(count, BinaryOp::Greater, int(1)));
    check(
        &select,
        r#"SELECT DISTINCT lower("users"."email") AS "who""", count(*), count(DISTINCT "users"."age") FROM "users" GROUP BY lower("users"."email") HAVING count(*) > ?"#,
    );
}

#[test]
fn joins_and_aliases() {
    let mut select = Select::from(posts());
    select.joins.push(Join::table(
        JoinKind::Left,
        users(),
        Source::Alias(Alias(1)),
        equal(aliased(users(), "id", 1), column(posts(), "user_id")),
    ));
    select.columns = vec![(aliased(users(), "email", 1), None), (column(posts(), "title"), None)];
    check(
        &select,
        r#"SELECT "users_1"."email", "posts"."title" FROM "posts" LEFT JOIN "users" AS "users_1" ON "users_1"."id" = "posts"."user_id""#,
    );
}

#[test]
fn what_is_not_in_the_query_is_an_error() {
    let mut select = Select::from(users());
    select.and_filter(equal(column(posts(), "id"), int(1)));
    let error = render_select(&SQLITE, &select).unwrap_err();
    assert!(error.to_string().contains("`posts`"), "{error}");
}

#[test]
fn a_derived_table_stands_for_its_table() {
    let mut inner = Select::from(users());
    inner.columns = vec![
        (column(users(), "id"), None),
        (Expr::Function(Function::Abs, vec![age()]), None),
        (
            Expr::row_number(vec![age()], vec![OrderTerm::new(column(users(), "id"), false)]),
            Some("rn".into()),
        ),
    ];
    let mut select = Select::new(From::derived(inner, users()));
    select.columns = vec![(column(users(), "id"), None)];
    let rank = Expr::Derived { table: users(), column: "rn".into(), shows: None };
    select.and_filter(Expr::binary(rank, BinaryOp::LessOrEqual, int(3)));
    check(
        &select,
        r#"SELECT "users"."id" FROM (SELECT "users"."id", abs("users"."age") AS "created_at", row_number() OVER (PARTITION BY "users"."age" ORDER BY "users"."id" ASC) AS "rn" FROM "users") AS "users" WHERE "users"."rn" <= ?"#,
    );
}

fn related(table: &'static Table, name: &str, condition: Option<Expr>) -> Expr {
    Expr::Related {
        owner: Source::Scope,
        target: Source::Scope,
        relationship: table.relationship(name).unwrap(),
        condition: condition.map(boxed),
    }
}

#[test]
fn related_rows() {
    check_expr(
        related(
            users(),
            "posts",
            Some(Expr::Any(vec![
                equal(column(posts(), "id"), int(1)),
                equal(column(posts(), "id"), age()),
            ])),
        ),
        r#"EXISTS (SELECT 1 FROM "posts" WHERE "posts"."user_id" = "users"."id" AND ("posts"."id" = ? OR "posts"."id" = "users"."age"))"#,
    );
    // A self-reference: the boss has a name of its own, to which the condition refers.
    check_expr(
        Expr::Not(boxed(related(users(), "boss", Some(equal(age(), int(1)))))),
        r#"NOT EXISTS (SELECT 1 FROM "users" AS "users_r1" WHERE "users_r1"."id" = "users"."boss_id" AND "users_r1"."age" = ?)"#,
    );
    // The boss's boss.
    check_expr(
        related(users(), "boss", Some(related(users(), "boss", Some(equal(age(), int(1)))))),
        r#"EXISTS (SELECT 1 FROM "users" AS "users_r1" WHERE "users_r1"."id" = "users"."boss_id" AND EXISTS (SELECT 1 FROM "users" AS "users_r2" WHERE "users_r2"."id" = "users_r1"."boss_id" AND "users_r2"."age" = ?))"#,
    );
    let tags = crate::sql::testing::tags();
    let named = equal(column(tags, "name"), Expr::bind(Value::Text("x".into()), SqlType::Text));
    check_expr(
        related(users(), "posts", Some(related(posts(), "tags", Some(named)))),
        r#"EXISTS (SELECT 1 FROM "posts" WHERE "posts"."user_id" = "users"."id" AND EXISTS (SELECT 1 FROM "post_tags" JOIN "tags" ON "tags"."id" = "post_tags"."tag_id" WHERE "post_tags"."post_id" = "posts"."id" AND "tags"."name" = ?))"#,
    );
    check_expr(
        related(users(), "posts", Some(related(posts(), "tags", None))),
        r#"EXISTS (SELECT 1 FROM "posts" WHERE "posts"."user_id" = "users"."id" AND EXISTS (SELECT 1 FROM "post_tags" WHERE "post_tags"."post_id" = "posts"."id"))"#,
    );
}

#[test]
fn nothing_is_locked_where_writers_take_turns() {
    let mut select = Select::from(users());
    select.lock = Some(RowLock::Wait);
    check(&select, r#"SELECT 1 FROM "users""#);
}
