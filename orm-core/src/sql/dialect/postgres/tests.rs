use std::sync::OnceLock;

use super::*;
use crate::error::Error;
use crate::model::TableBuilder;
use crate::sql::testing::{at, post_tags, posts, users};
use crate::sql::{
    Alias, From, Function, OnConflict, OrderTerm, Select, Source, Statement, ddl, max_rows,
    render_delete, render_insert, render_select, render_update,
};
use crate::value::{EnumType, Facts};

static MOOD: EnumType = EnumType { name: "mood", labels: &["happy", "it's ok"] };
static MOODS: SqlType = SqlType::Enum(&MOOD);

/// id, mood, moods, scores, spelled, note: what travels as text, or is compared as what its author
/// spelled.
fn odd() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let column = |name, sql_type| ColumnDef::with_facts(name, name, Facts::new(sql_type));
        TableBuilder::plain("odd", "Odd")
            .schema("shop")
            .comment("it's odd")
            .column(column("mood", MOODS).primary_key())
            .column(column("moods", SqlType::Array(&MOODS)))
            .column(column("scores", SqlType::Array(&SqlType::I64)))
            .column(column("spelled", MOODS).sql_type("varchar(9)").comment("by hand"))
            .column(column("exotic", MOODS).sql_type("citext"))
            .build()
    })
}

#[track_caller]
fn check(statement: Result<Statement>, expected: &str, binds: &[Value]) {
    let statement = statement.unwrap();
    assert_eq!(&*statement.text, expected);
    assert!(statement.persistent);
    let values: Vec<_> = statement.binds.into_iter().map(|bind| bind.value).collect();
    assert_eq!(values, binds);
}

fn ints(values: &[i64]) -> Vec<Value> {
    values.iter().copied().map(Value::Int).collect()
}

fn array(values: &[i64]) -> Value {
    Value::Array(ints(values))
}

fn insert(
    table: &'static Table,
    columns: &[&str],
    rows: usize,
    values: Vec<Value>,
    returning: &[&str],
) -> Result<Statement> {
    let columns = columns.iter().map(|name| at(table, name)).collect();
    let returning = returning.iter().map(|name| at(table, name)).collect();
    let on_conflict = OnConflict::Fail;
    let rows = InsertRows { table, columns, rows, values, returning, on_conflict };
    render_insert(&POSTGRES, rows)
}

#[test]
fn inserts_of_one_row() {
    check(
        insert(users(), &["email", "age", "mood"], 1, ints(&[1, 2, 3]), &["id", "mood"]),
        r#"INSERT INTO "users" ("email", "age", "mood") VALUES ($1::text, $2::int4, $3::text::"mood") RETURNING "id", "mood"::text"#,
        &ints(&[1, 2, 3]),
    );
    check(
        insert(
            odd(),
            &["moods", "scores", "spelled", "exotic"],
            1,
            ints(&[1, 2, 3, 4]),
            &["moods", "spelled"],
        ),
        r#"INSERT INTO "shop"."odd" ("moods", "scores", "spelled", "exotic") VALUES ($1::text[]::"mood"[], $2::int8[], $3::text, $4::text::citext) RETURNING "moods"::text[], "spelled""#,
        &ints(&[1, 2, 3, 4]),
    );
    check(insert(users(), &[], 1, vec![], &[]), r#"INSERT INTO "users" DEFAULT VALUES"#, &[]);
    assert!(insert(users(), &["email"], 1, vec![], &[]).is_err());
}

#[test]
fn inserts_of_many_rows_have_one_text() {
    for rows in [2, 3, 999] {
        let values = (0..rows).flat_map(|row| ints(&[row, row + 1, row + 2])).collect();
        let binds: Vec<Value> = (0..3)
            .map(|add| Value::Array((0..rows).map(|row| Value::Int(row + add)).collect()))
            .collect();
        check(
            insert(
                users(),
                &["email", "age", "mood"],
                usize::try_from(rows).unwrap(),
                values,
                &["id"],
            ),
            r#"INSERT INTO "users" ("email", "age", "mood") SELECT "orm_given"."c0", "orm_given"."c1", "orm_given"."c2"::"mood" FROM unnest($1::text[], $2::int4[], $3::text[]) WITH ORDINALITY AS "orm_given" ("c0", "c1", "c2", "n") ORDER BY "orm_given"."n" RETURNING "id""#,
            &binds,
        );
    }
    check(
        insert(
            odd(),
            &["moods", "scores", "spelled", "exotic"],
            2,
            ints(&[1, 2, 3, 4, 5, 6, 7, 8]),
            &[],
        ),
        r#"INSERT INTO "shop"."odd" ("moods", "scores", "spelled", "exotic") SELECT "orm_given"."c0"::"mood"[], "orm_given"."c1"::int8[], "orm_given"."c2", "orm_given"."c3"::citext FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS "orm_given" ("c0", "c1", "c2", "c3", "n") ORDER BY "orm_given"."n""#,
        &[array(&[1, 5]), array(&[2, 6]), array(&[3, 7]), array(&[4, 8])],
    );
    check(
        insert(users(), &[], 3, vec![], &["id"]),
        r#"INSERT INTO "users" SELECT FROM generate_series(1, $1::int8) RETURNING "id""#,
        &ints(&[3]),
    );
    assert!(insert(users(), &["email"], 2, ints(&[1]), &[]).is_err());
    assert_eq!(max_rows(&POSTGRES, 5), 1_000);
    assert_eq!(max_rows(&POSTGRES, 1_600), 1_000);
}

#[test]
fn rows_that_exist_are_skipped() {
    let pairs = |rows: usize, values| InsertRows {
        table: post_tags(),
        columns: vec![0, 1],
        rows,
        values,
        returning: vec![],
        on_conflict: OnConflict::Skip(vec![0, 1]),
    };
    check(
        render_insert(&POSTGRES, pairs(1, ints(&[1, 2]))),
        r#"INSERT INTO "post_tags" ("post_id", "tag_id") VALUES ($1::int8, $2::int8) ON CONFLICT ("post_id", "tag_id") DO NOTHING"#,
        &ints(&[1, 2]),
    );
    check(
        render_insert(&POSTGRES, pairs(2, ints(&[1, 2, 3, 4]))),
        r#"INSERT INTO "post_tags" ("post_id", "tag_id") SELECT "orm_given"."c0", "orm_given"."c1" FROM unnest($1::int8[], $2::int8[]) WITH ORDINALITY AS "orm_given" ("c0", "c1", "n") ORDER BY "orm_given"."n" ON CONFLICT ("post_id", "tag_id") DO NOTHING"#,
        &[array(&[1, 3]), array(&[2, 4])],
    );
}

#[test]
fn updates() {
    let update = |set: &[&str], rows: usize, values: &[i64]| {
        let age = at(users(), "age");
        let older = Expr::binary(
            Expr::Column(ColumnRef::scoped(users(), age)),
            BinaryOp::Add,
            Expr::bind(Value::Int(70), SqlType::I32),
        );
        let update = UpdateRows {
            table: users(),
            key: vec![0],
            set: set.iter().map(|name| at(users(), name)).collect(),
            expressions: vec![(2, Expr::Authored("CURRENT_TIMESTAMP")), (age, older)],
            rows,
            values: ints(values),
            returning: vec![0, at(users(), "mood")],
        };
        render_update(&POSTGRES, update)
    };
    check(
        update(&["boss_id", "mood"], 1, &[7, 8, 9]),
        r#"UPDATE "users" SET "boss_id" = $1::int8, "mood" = $2::text::"mood", "updated_at" = statement_timestamp(), "age" = "users"."age" + $3::int4 WHERE "id" = $4::int8 RETURNING "id", "mood"::text"#,
        &ints(&[8, 9, 70, 7]),
    );
    check(
        update(&["boss_id", "mood"], 2, &[1, 2, 3, 4, 5, 6]),
        r#"UPDATE "users" SET "boss_id" = "orm_given"."c1", "mood" = "orm_given"."c2"::"mood", "updated_at" = statement_timestamp(), "age" = "users"."age" + $1::int4 FROM unnest($2::int8[], $3::int8[], $4::text[]) AS "orm_given" ("c0", "c1", "c2") WHERE "users"."id" = "orm_given"."c0" RETURNING "users"."id", "users"."mood"::text"#,
        &[Value::Int(70), array(&[1, 4]), array(&[2, 5]), array(&[3, 6])],
    );
    check(
        update(&[], 2, &[1, 2]),
        r#"UPDATE "users" SET "updated_at" = statement_timestamp(), "age" = "users"."age" + $1::int4 FROM unnest($2::int8[]) AS "orm_given" ("c0") WHERE "users"."id" = "orm_given"."c0" RETURNING "users"."id", "users"."mood"::text"#,
        &[Value::Int(70), array(&[1, 2])],
    );
    assert!(update(&[], 1, &[]).is_err());
    assert!(update(&["age"], 2, &[7]).is_err());
}

#[test]
fn deletes() {
    let delete = |table, key: &[usize], rows, values: &[i64], returning: &[usize]| {
        let (key, returning) = (key.to_vec(), returning.to_vec());
        render_delete(&POSTGRES, DeleteRows { table, key, rows, values: ints(values), returning })
    };
    check(
        delete(users(), &[0], 1, &[1], &[0]),
        r#"DELETE FROM "users" WHERE "id" = $1::int8 RETURNING "id""#,
        &ints(&[1]),
    );
    check(
        delete(users(), &[0], 3, &[1, 2, 3], &[0]),
        r#"DELETE FROM "users" WHERE "id" = ANY($1::int8[]) RETURNING "id""#,
        &[array(&[1, 2, 3])],
    );
    check(
        delete(odd(), &[0], 2, &[1, 2], &[]),
        r#"DELETE FROM "shop"."odd" WHERE "mood" = ANY($1::text[]::"mood"[])"#,
        &[array(&[1, 2])],
    );
    check(
        delete(post_tags(), &[0, 1], 1, &[1, 2], &[]),
        r#"DELETE FROM "post_tags" WHERE "post_id" = $1::int8 AND "tag_id" = $2::int8"#,
        &ints(&[1, 2]),
    );
    check(
        delete(post_tags(), &[0, 1], 2, &[1, 2, 3, 4], &[0]),
        r#"DELETE FROM "post_tags" USING unnest($1::int8[], $2::int8[]) AS "orm_given" ("c0", "c1") WHERE "post_tags"."post_id" = "orm_given"."c0" AND "post_tags"."tag_id" = "orm_given"."c1" RETURNING "post_tags"."post_id""#,
        &[array(&[1, 3]), array(&[2, 4])],
    );
    check(delete(users(), &[0], 0, &[], &[]), r#"DELETE FROM "users" WHERE 1 = 0"#, &[]);
    assert!(delete(users(), &[0], 2, &[1], &[]).is_err());
}

fn column(table: &'static Table, name: &str) -> Expr {
    Expr::Column(ColumnRef::scoped(table, at(table, name)))
}

/// A SELECT of one expression, in a table's scope.
#[track_caller]
fn check_expr(table: &'static Table, expr: Expr, expected: &str, binds: &[Value]) {
    let mut select = Select::from(table);
    select.columns = vec![(Expr::Integer(1), None)];
    select.filter = Some(expr);
    let mut path = String::new();
    POSTGRES.table_path(table, &mut path);
    let text = format!("SELECT 1 FROM {path} WHERE {expected}");
    check(render_select(&POSTGRES, &select), &text, binds);
}

#[test]
fn lists_of_keys_have_one_text() {
    let keys = |columns: &[(&'static Table, usize)], keys: &[&[i64]]| Expr::Keys {
        columns: columns.iter().map(|&(table, at)| ColumnRef::scoped(table, at)).collect(),
        keys: keys.iter().map(|key| ints(key)).collect(),
    };
    let id = [(users(), 0)];
    let one = r#""users"."id" = ANY($1::int8[])"#;
    check_expr(users(), keys(&id, &[&[5]]), one, &[array(&[5])]);
    check_expr(users(), keys(&id, &[&[5], &[6], &[7]]), one, &[array(&[5, 6, 7])]);
    check_expr(users(), keys(&id, &[]), "1 = 0", &[]);
    check_expr(
        post_tags(),
        keys(&[(post_tags(), 0), (post_tags(), 1)], &[&[1, 2], &[3, 4]]),
        r#"("post_tags"."post_id", "post_tags"."tag_id") IN (SELECT "orm_given"."c0", "orm_given"."c1" FROM unnest($1::int8[], $2::int8[]) AS "orm_given" ("c0", "c1"))"#,
        &[array(&[1, 3]), array(&[2, 4])],
    );
    check_expr(
        odd(),
        keys(&[(odd(), 0)], &[&[1]]),
        r#""odd"."mood" = ANY($1::text[]::"mood"[])"#,
        &[array(&[1])],
    );
}

#[test]
fn lists_of_binds_have_one_text() {
    let list = |table: &'static Table, name, items: Vec<Expr>, negated| Expr::In {
        operand: Box::new(column(table, name)),
        list: items,
        negated,
    };
    let bind = |value, sql_type| Expr::bind(Value::Int(value), sql_type);
    let ages = || vec![bind(1, SqlType::I32), bind(2, SqlType::I32)];
    check_expr(
        users(),
        list(users(), "age", ages(), false),
        r#""users"."age" = ANY($1::int4[])"#,
        &[array(&[1, 2])],
    );
    check_expr(
        users(),
        list(users(), "age", ages(), true),
        r#""users"."age" <> ALL($1::int4[])"#,
        &[array(&[1, 2])],
    );
    check_expr(
        odd(),
        list(odd(), "mood", vec![bind(1, MOODS)], false),
        r#""odd"."mood" = ANY($1::text[]::"mood"[])"#,
        &[array(&[1])],
    );
    check_expr(
        odd(),
        list(odd(), "spelled", vec![bind(1, MOODS)], false),
        r#""odd"."spelled" = ANY($1::text[])"#,
        &[array(&[1])],
    );
    check_expr(
        users(),
        list(users(), "age", vec![bind(1, SqlType::I32), Expr::Integer(2)], false),
        r#""users"."age" IN ($1::int4, 2)"#,
        &ints(&[1]),
    );
    let arrays = SqlType::Array(&SqlType::I64);
    check_expr(
        odd(),
        list(odd(), "scores", vec![bind(1, arrays), bind(2, arrays), bind(3, arrays)], false),
        r#""odd"."scores" IN ($1::int8[], $2::int8[], $3::int8[], $4::int8[])"#,
        &ints(&[1, 2, 3, 3]),
    );
}

#[test]
fn expressions() {
    let compare = |table, name, op, sql_type| {
        Expr::binary(column(table, name), op, Expr::bind(Value::Int(1), sql_type))
    };
    let equal = BinaryOp::Equal;
    let one = ints(&[1]);
    let mood = r#""odd"."mood" = $1::text::"mood""#;
    check_expr(odd(), compare(odd(), "mood", equal, MOODS), mood, &one);
    let spelled = r#""odd"."spelled" = $1::text"#;
    check_expr(odd(), compare(odd(), "spelled", equal, MOODS), spelled, &one);
    let turned =
        Expr::binary(Expr::bind(Value::Int(1), MOODS), BinaryOp::NotEqual, column(odd(), "exotic"));
    check_expr(odd(), turned, r#"$1::text::citext <> "odd"."exotic""#, &one);
    let quotient = compare(users(), "age", BinaryOp::Divide, SqlType::I32);
    check_expr(users(), quotient, r#""users"."age" / $1::int4"#, &one);
    let like = Expr::Like {
        operand: Box::new(column(users(), "email")),
        pattern: Box::new(Expr::bind(Value::Int(1), SqlType::Text)),
    };
    check_expr(users(), like, r#""users"."email" LIKE $1::text ESCAPE '!'"#, &one);
    let joined = compare(users(), "email", BinaryOp::Concat, SqlType::Text);
    check_expr(users(), joined, r#""users"."email" || $1::text"#, &one);
    let negative = Expr::Negate(Box::new(Expr::bind(Value::Int(1), SqlType::I32)));
    check_expr(users(), negative, "-$1::int4", &one);
    let float = |value| Expr::bind(Value::Double(value), SqlType::F64);
    check_expr(
        users(),
        Expr::binary(float(7.5), BinaryOp::Remainder, float(2.0)),
        "(($1::float8) - ($2::float8) * trunc(($3::float8) / ($4::float8)))",
        &[7.5, 2.0, 7.5, 2.0].map(Value::Double),
    );
    let now = Expr::binary(
        column(users(), "created_at"),
        BinaryOp::Less,
        Expr::Authored("current_timestamp"),
    );
    check_expr(users(), now, r#""users"."created_at" < statement_timestamp()"#, &[]);
}

#[test]
fn aggregates_have_the_types_that_queries_expect() {
    let float = Expr::bind(Value::Float(1.0), SqlType::F32);
    let of = |function, operand: Expr, distinct| {
        let aggregation = Aggregation::new(function, Some(operand));
        Expr::from(Aggregation { distinct, ..aggregation })
    };
    let age = || column(users(), "age");
    for (expr, expected) in [
        (of(Aggregate::Sum, age(), false), r#"CAST(sum("users"."age") AS int8)"#),
        (of(Aggregate::Avg, age(), true), r#"CAST(avg(DISTINCT "users"."age") AS float8)"#),
        (of(Aggregate::Min, age(), false), r#"min("users"."age")"#),
        (of(Aggregate::Max, column(users(), "mood"), false), r#"max("users"."mood")::text"#),
        (of(Aggregate::Count, age(), true), r#"count(DISTINCT "users"."age")"#),
        (of(Aggregate::Sum, float.clone(), false), "sum(CAST($1::float4 AS float8))"),
        (of(Aggregate::Avg, float, false), "avg($1::float4)"),
        (Aggregation::new(Aggregate::Count, None).into(), "count(*)"),
        (
            Expr::Function(
                Function::Coalesce,
                vec![of(Aggregate::Sum, age(), false), Expr::Integer(0)],
            ),
            r#"coalesce(CAST(sum("users"."age") AS int8), 0)"#,
        ),
    ] {
        let mut select = Select::from(users());
        select.columns = vec![(expr, None)];
        let statement = render_select(&POSTGRES, &select).unwrap();
        assert_eq!(&*statement.text, format!(r#"SELECT {expected} FROM "users""#));
    }
}

#[test]
fn pages_orders_and_what_is_read() {
    let mut select = Select::from(users());
    let mood = || column(users(), "mood");
    select.columns = vec![(mood(), None)];
    select.order_by = vec![
        OrderTerm { nulls_first: Some(true), ..OrderTerm::new(mood(), true) },
        OrderTerm::new(column(users(), "id"), false),
    ];
    select.offset = Some(5);
    let text = r#"SELECT "users"."mood"::text FROM "users" ORDER BY "users"."mood" DESC NULLS FIRST, "users"."id" ASC OFFSET $1::int8"#;
    check(render_select(&POSTGRES, &select), text, &ints(&[5]));
    select.limit = Some(3);
    select.distinct = true;
    let text = r#"SELECT DISTINCT "users"."mood" FROM "users" ORDER BY "users"."mood" DESC NULLS FIRST, "users"."id" ASC LIMIT 3 OFFSET $1::int8"#;
    check(render_select(&POSTGRES, &select), text, &ints(&[5]));
    // Inside of another query columns keep their types.
    let mut inner = Select::from(odd());
    inner.select_all(odd(), Source::Scope);
    inner.limit = Some(1);
    let mut outer = Select::new(From::derived(inner, odd()));
    outer.select_all(odd(), Source::Scope);
    let text = r#"SELECT "odd"."mood"::text, "odd"."moods"::text[], "odd"."scores", "odd"."spelled", "odd"."exotic"::text FROM (SELECT "odd"."mood", "odd"."moods", "odd"."scores", "odd"."spelled", "odd"."exotic" FROM "shop"."odd" LIMIT 1) AS "odd""#;
    check(render_select(&POSTGRES, &outer), text, &[]);
    let alias = Source::Alias(Alias(1));
    let aliased = Select::new(From::Table(odd(), alias));
    let text = r#"SELECT 1 FROM "shop"."odd" AS "odd_1""#;
    check(render_select(&POSTGRES, &aliased), text, &[]);
}

#[test]
fn what_is_grouped_by_is_known_again() {
    let two = || Expr::bind(Value::Int(2), SqlType::I32);
    let parity = || Expr::binary(column(users(), "age"), BinaryOp::Remainder, two());
    let mut select = Select::from(users());
    select.columns = vec![(parity(), None)];
    select.group_by = vec![parity()];
    select.having =
        Some(Expr::binary(two(), BinaryOp::Less, Expr::bind(Value::Int(3), SqlType::I32)));
    select.order_by = vec![OrderTerm::new(parity(), false)];
    let text = r#"SELECT "users"."age" % $1::int4 FROM "users" GROUP BY "users"."age" % $1::int4 HAVING $1::int4 < $2::int4 ORDER BY "users"."age" % $1::int4 ASC"#;
    check(render_select(&POSTGRES, &select), text, &ints(&[2, 3]));
}

#[track_caller]
fn check_table(table: &Table, later: &[&'static Table], expected: &[&str]) {
    let statements = ddl::create_table(&POSTGRES, table, later);
    let texts: Vec<_> = statements.iter().map(|statement| &*statement.text).collect();
    assert_eq!(texts, expected);
}

#[test]
fn tables() {
    check_table(
        users(),
        &[],
        &[r#"CREATE TABLE IF NOT EXISTS "users" (
    "id" BIGINT GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "pk_users" PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT (statement_timestamp()),
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT (statement_timestamp()),
    "email" VARCHAR(64) NOT NULL,
    "age" INTEGER CONSTRAINT "ck_users_age" CHECK ("age" >= 0),
    "mood" "mood" NOT NULL DEFAULT 'happy',
    "boss_id" BIGINT,
    CONSTRAINT "uq_users_email" UNIQUE ("email"),
    CONSTRAINT "fk_users_boss_id" FOREIGN KEY ("boss_id") REFERENCES "users" ("id") ON DELETE SET NULL,
    CONSTRAINT "ck_users_1" CHECK (length(email) > 2)
)"#],
    );
    check_table(
        odd(),
        &[],
        &[
            r#"CREATE TABLE IF NOT EXISTS "shop"."odd" (
    "mood" "mood" NOT NULL,
    "moods" "mood"[] NOT NULL,
    "scores" BIGINT[] NOT NULL,
    "spelled" varchar(9) NOT NULL,
    "exotic" citext NOT NULL,
    CONSTRAINT "pk_odd" PRIMARY KEY ("mood")
)"#,
            r#"COMMENT ON TABLE "shop"."odd" IS 'it''s odd'"#,
            r#"COMMENT ON COLUMN "shop"."odd"."spelled" IS 'by hand'"#,
        ],
    );
    // A table that comes later is referenced later.
    check_table(
        posts(),
        &[users()],
        &[
            r#"CREATE TABLE IF NOT EXISTS "posts" (
    "id" BIGINT GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "pk_posts" PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT (statement_timestamp()),
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT (statement_timestamp()),
    "title" TEXT NOT NULL,
    "user_id" BIGINT NOT NULL
)"#,
            r#"CREATE INDEX IF NOT EXISTS "ix_posts_user_id" ON "posts" ("user_id")"#,
        ],
    );
    let keys = ddl::add_foreign_keys(&POSTGRES, posts(), &[users()]);
    let keys: Vec<_> = keys.iter().map(|statement| &*statement.text).collect();
    assert_eq!(
        keys,
        [r#"DO $orm$
BEGIN
    ALTER TABLE "posts" ADD CONSTRAINT "fk_posts_user_id" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE;
EXCEPTION WHEN duplicate_object THEN
    NULL;
END
$orm$"#]
    );
    let drop = ddl::drop_table(&POSTGRES, odd());
    assert_eq!(&*drop.text, r#"DROP TABLE IF EXISTS "shop"."odd" CASCADE"#);
}

#[test]
fn columns_of_every_type() {
    let column = |name, sql_type| ColumnDef::with_facts(name, name, Facts::new(sql_type));
    let table = TableBuilder::plain("t", "T")
        .column(column("id", SqlType::U16).primary_key().autoincrement())
        .column(column("bool", SqlType::Bool))
        .column(column("i16", SqlType::I16))
        .column(column("u8", SqlType::U8))
        .column(column("u16", SqlType::U16).check("{column} <> 7"))
        .column(column("u32", SqlType::U32))
        .column(column("f32", SqlType::F32))
        .column(column("f64", SqlType::F64))
        .column(column("bytes", SqlType::Bytes))
        .column(column("date", SqlType::Date))
        .column(column("time", SqlType::Time))
        .column(column("date_time", SqlType::DateTime))
        .column(column("json", SqlType::Json).server_default("'{}'"))
        .column(column("dates", SqlType::Array(&SqlType::Date)));
    #[cfg(feature = "uuid")]
    let table = table.column(column("uuid", SqlType::Uuid));
    #[cfg(feature = "decimal")]
    let table = table
        .column(column("exact", SqlType::Decimal))
        .column(column("money", SqlType::Decimal).precision(10).scale(2))
        .column(column("whole", SqlType::Decimal).precision(10))
        .column(column("rate", SqlType::Decimal).scale(4));
    let table = table.build();
    let text = ddl::create_table(&POSTGRES, &table, &[]).remove(0).text;
    let mut lines = vec![
        r#""id" INTEGER GENERATED BY DEFAULT AS IDENTITY CONSTRAINT "pk_t" PRIMARY KEY"#,
        r#""bool" BOOLEAN NOT NULL"#,
        r#""i16" SMALLINT NOT NULL"#,
        r#""u8" SMALLINT NOT NULL CONSTRAINT "ck_t_u8" CHECK ("u8" BETWEEN 0 AND 255)"#,
        r#""u16" INTEGER NOT NULL CONSTRAINT "ck_t_u16" CHECK (("u16" BETWEEN 0 AND 65535) AND ("u16" <> 7))"#,
        r#""u32" BIGINT NOT NULL CONSTRAINT "ck_t_u32" CHECK ("u32" BETWEEN 0 AND 4294967295)"#,
        r#""f32" REAL NOT NULL"#,
        r#""f64" DOUBLE PRECISION NOT NULL"#,
        r#""bytes" BYTEA NOT NULL"#,
        r#""date" DATE NOT NULL"#,
        r#""time" TIME NOT NULL"#,
        r#""date_time" TIMESTAMP NOT NULL"#,
        r#""json" JSONB NOT NULL DEFAULT '{}'"#,
        r#""dates" DATE[] NOT NULL"#,
    ];
    if cfg!(feature = "uuid") {
        lines.push(r#""uuid" UUID NOT NULL"#);
    }
    if cfg!(feature = "decimal") {
        lines.extend([
            r#""exact" NUMERIC NOT NULL"#,
            r#""money" NUMERIC(10, 2) NOT NULL"#,
            r#""whole" NUMERIC(10, 0) NOT NULL"#,
            r#""rate" NUMERIC(1000, 4) NOT NULL"#,
        ]);
    }
    let expected = format!("CREATE TABLE IF NOT EXISTS \"t\" (\n    {}\n)", lines.join(",\n    "));
    assert_eq!(&*text, expected);
}

#[test]
fn types_and_schemas_are_created_once() {
    let created = POSTGRES.create_types(&[users(), odd()]);
    assert_eq!(created.len(), 2);
    assert!(created[0].contains(r#"CREATE SCHEMA "shop""#));
    assert!(created[1].contains(r#"CREATE TYPE "mood" AS ENUM ('happy', 'it''s ok')"#));
    assert!(created.iter().all(|text| text.starts_with("DO $orm$") && text.ends_with("$orm$")));
    let dropped = POSTGRES.drop_types(&[users(), odd()]);
    assert_eq!(dropped.len(), 1);
    assert!(dropped[0].contains(r#"DROP TYPE "mood""#));
    static HOSTILE: EnumType = EnumType { name: "x$orm$\"", labels: &["$orm$", "$_orm$"] };
    let hostile = ColumnDef::with_facts("v", "v", Facts::new(SqlType::Enum(&HOSTILE)));
    let hostile = TableBuilder::plain("t", "T").column(hostile.primary_key()).build();
    let created = POSTGRES.create_types(&[Box::leak(Box::new(hostile))]);
    assert!(created[0].starts_with("DO $__orm$\n") && created[0].ends_with("\n$__orm$"));
}

#[test]
fn names_in_snake_case_are_used_everywhere() {
    let id = ColumnDef::new::<i64>("id", "TrackId").primary_key();
    let name = ColumnDef::new::<String>("name", "TrackName").comment("c");
    let table = TableBuilder::plain("MediaTrack", "Track").column(id).column(name).build();
    let table: &'static Table = Box::leak(Box::new(table));
    let rows = UpdateRows {
        table,
        key: vec![0],
        set: vec![1],
        expressions: vec![],
        rows: 2,
        values: ints(&[1, 2, 3, 4]),
        returning: vec![0],
    };
    let text = render_update(named(Naming::SnakeCase), rows).unwrap().text;
    assert_eq!(
        &*text,
        r#"UPDATE "media_track" SET "track_name" = "orm_given"."c1" FROM unnest($1::int8[], $2::text[]) AS "orm_given" ("c0", "c1") WHERE "media_track"."track_id" = "orm_given"."c0" RETURNING "media_track"."track_id""#
    );
    let comments = named(Naming::SnakeCase).after_create(table);
    assert_eq!(comments, [r#"COMMENT ON COLUMN "media_track"."track_name" IS 'c'"#]);
}

#[test]
fn refusals_say_why() {
    let text = Value::Text("a\0b".into());
    assert_eq!(POSTGRES.refusal(&text), Some(NO_NUL));
    assert_eq!(POSTGRES.refusal(&Value::Array(vec![Value::Null, text])), Some(NO_NUL));
    let early = NaiveDate::from_ymd_opt(-4713, 11, 23).unwrap();
    assert_eq!(POSTGRES.refusal(&Value::Date(early)), Some(TOO_EARLY));
    assert_eq!(POSTGRES.refusal(&Value::Date(NaiveDate::MAX)), None);
    assert_eq!(POSTGRES.refusal(&Value::Double(f64::NAN)), None);
    let document = serde_json::json!({"a": [{"b\u{0}": 1}]});
    assert_eq!(POSTGRES.refusal(&Value::Json(Box::new(document))), Some(NO_NUL_IN_JSON));
    let nested = Value::Array(vec![Value::Array(vec![])]);
    assert!(POSTGRES.refusal(&nested).is_some());
}

#[test]
fn a_column_that_is_not_in_the_query_is_an_error() {
    let mut select = Select::from(users());
    select.filter = Some(column(posts(), "title"));
    assert!(matches!(render_select(&POSTGRES, &select), Err(Error::Misuse(_))));
}

#[test]
fn locks_are_of_the_first_table() {
    let mut select = Select::from(odd());
    select.limit = Some(1);
    for (lock, words) in [
        (RowLock::Wait, "FOR UPDATE OF \"odd\""),
        (RowLock::NoWait, "FOR UPDATE OF \"odd\" NOWAIT"),
        (RowLock::SkipLocked, "FOR UPDATE OF \"odd\" SKIP LOCKED"),
    ] {
        select.lock = Some(lock);
        let text = format!(r#"SELECT 1 FROM "shop"."odd" LIMIT 1 {words}"#);
        check(render_select(&POSTGRES, &select), &text, &[]);
    }
}
