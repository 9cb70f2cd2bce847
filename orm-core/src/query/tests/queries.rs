//! Queries, conditions, projections and loader options.

use super::models::{Post, Tag, User};
use super::print;
use crate::model::Strategy;
use crate::query::{
    Assign, Assigned, Condition, IntoLoad, Number, Order, Page, Rows, Select, all_of, any_of, order,
};
use crate::value::{ColumnType, NotNull, Nullable, Value, ValueCells};

#[track_caller]
fn check<M>(condition: Condition<M>, expected: &str) {
    assert_eq!(print::expr(&condition.into_expr()), expected);
}

#[track_caller]
fn check_tree<M, S>(select: &Select<M, S>, expected: &str) {
    select.query.check().unwrap();
    assert_eq!(print::select(&select.query.tree), expected);
}

#[test]
fn literals_infer() {
    check(User::visits.eq(5), "(users.visits Equal Int(5))");
    check(User::age.gt(5), "(users.age Greater Int(5))");
    check(User::username.eq("ada"), r#"(users.username Equal Text("ada"))"#);
    let ada = String::from("ada");
    check(User::username.ne(&ada), r#"(users.username NotEqual Text("ada"))"#);
    assert_eq!(ada, "ada");
    check(User::age.eq(None), "users.age IS NULL");
    check(User::age.ne(None::<i32>), "users.age IS NOT NULL");
    check(User::age.between(18, 30), "users.age BETWEEN Int(18) AND Int(30)");
    check(Post::score.lt(0.5), "(posts.score Less Double(0.5))");
    check(User::id.in_([1, 2]), "users.id IN (Int(1), Int(2))");
    check(User::username.in_(["a", "b"]), r#"users.username IN (Text("a"), Text("b"))"#);
    check(User::id.not_in(Vec::<i64>::new()), "users.id NOT IN ()");
}

#[test]
fn nulls_in_lists_mean_what_they_mean_in_eq() {
    check(User::age.in_([Some(1), None]), "any(users.age IN (Int(1)), users.age IS NULL)");
    check(
        User::age.not_in([Some(1), None]),
        "all(users.age NOT IN (Int(1)), users.age IS NOT NULL)",
    );
}

#[test]
fn columns_compare_with_columns() {
    check(User::visits.gt(User::id), "(users.visits Greater users.id)");
    check(Post::user_id.eq(Post::editor_id), "(posts.user_id Equal posts.editor_id)");
    check(User::visits.le(User::id + 1), "(users.visits LessOrEqual (users.id Add Int(1)))");
    check(User::id.eq_column(Post::editor_id), "(users.id Equal posts.editor_id)");
    let both: Condition<(User, Post)> = User::visits.lt_column(Post::score.count());
    check(both, "(users.visits Less Count(posts.score))");
}

#[test]
fn patterns_of_users_are_literal() {
    check(User::username.like("a%"), r#"users.username LIKE Text("a%")"#);
    check(User::username.contains("50%_!"), r#"users.username LIKE Text("%50!%!_!!%")"#);
    check(User::username.starts_with("a"), r#"users.username LIKE Text("a%")"#);
    check(
        User::username.lower().ends_with(String::from("a")),
        r#"Lower(users.username) LIKE Text("%a")"#,
    );
}

#[test]
fn arithmetic_keeps_the_type_and_adds_nullability() {
    fn is<T: ColumnType<Nullability = N>, N>(term: impl crate::query::Term<Type = T>) -> String {
        print::expr(&term.__fragment().0)
    }
    assert_eq!(is::<i64, NotNull>(User::visits + 1), "(users.visits Add Int(1))");
    assert_eq!(is::<Option<i32>, Nullable>(User::age * 2), "(users.age Multiply Int(2))");
    assert_eq!(
        is::<Option<i64>, Nullable>(Post::user_id - Post::editor_id),
        "(posts.user_id Subtract posts.editor_id)"
    );
    assert_eq!(is::<i64, NotNull>(-(User::visits % 2)), "-(users.visits Remainder Int(2))");
    assert_eq!(is::<Option<i64>, Nullable>(User::age.sum()), "Sum(users.age)");
    assert_eq!(is::<i64, NotNull>(User::age.sum().coalesce(0)), "Coalesce(Sum(users.age), Int(0))");
    assert_eq!(is::<i32, NotNull>(User::age.coalesce(0)), "Coalesce(users.age, Int(0))");
    assert_eq!(is::<Option<f64>, Nullable>(User::visits.avg()), "Avg(users.visits)");
    assert_eq!(is::<i64, NotNull>(User::username.length()), "Length(users.username)");
    assert_eq!(
        is::<String, NotNull>(User::username.concat("@").concat(User::username)),
        r#"((users.username Concat Text("@")) Concat users.username)"#
    );
}

#[test]
fn conditions_combine_and_start_loops() {
    let mut wanted = Condition::none();
    for word in ["a", "b"] {
        wanted |= Post::title.eq(word);
    }
    check(wanted, r#"any((posts.title Equal Text("a")), (posts.title Equal Text("b")))"#);
    check(Condition::<User>::all(), "all()");
    check(
        !(User::id.eq(1) & User::visits.eq(2)) | User::age.is_null(),
        "any(NOT all((users.id Equal Int(1)), (users.visits Equal Int(2))), users.age IS NULL)",
    );
    check(
        any_of((User::id.eq(1), Post::id.eq(2))),
        "any((users.id Equal Int(1)), (posts.id Equal Int(2)))",
    );
    check(
        all_of(vec![User::id.eq(1), User::id.eq(2)]),
        "all((users.id Equal Int(1)), (users.id Equal Int(2)))",
    );
}

#[test]
fn relationships_ask_about_related_rows() {
    check(
        User::username.like("a%") & User::posts.any(Post::title.contains("Engine")),
        r#"all(users.username LIKE Text("a%"), related(posts: posts.title LIKE Text("%Engine%")))"#,
    );
    check(Post::user.has(User::id.eq(1)), "related(user: (users.id Equal Int(1)))");
    check(!User::posts.exists(), "NOT related(posts)");
    check(Tag::children.any(Tag::children.exists()), "related(children: related(children))");
}

#[test]
fn the_contracts_query() {
    let select = User::select()
        .filter(User::username.like("a%"))
        .order_by((User::age.desc().nulls_last(), User::id.asc()))
        .limit(20)
        .offset(40);
    check_tree(
        &select,
        r#"SELECT  FROM users WHERE users.username LIKE Text("a%") ORDER BY users.age DESC NULLS LAST, users.id LIMIT 20 OFFSET 40"#,
    );
    let orders: Vec<Order<User>> = vec![User::id.asc(), User::username.length().desc()];
    check_tree(
        &User::select().order_by(orders),
        "SELECT  FROM users ORDER BY users.id, Length(users.username) DESC",
    );
}

#[test]
fn joins_follow_relationships() {
    check_tree(
        &User::select()
            .join(User::posts)
            .filter(Post::title.ne(""))
            .filter(User::id.eq_column(Post::user_id)),
        r#"SELECT  FROM users JOIN posts ON (users.id Equal posts.user_id) WHERE all((posts.title NotEqual Text("")), (users.id Equal posts.user_id))"#,
    );
    check_tree(
        &Post::select().left_join(Post::editor).join(Post::tags),
        "SELECT  FROM posts LEFT JOIN users ON (posts.editor_id Equal users.id) \
         JOIN post_tags AS post_tags_1 ON (posts.id Equal post_tags_1.post_id) \
         JOIN tags ON (post_tags_1.tag_id Equal tags.id)",
    );
}

#[test]
fn a_model_enters_once() {
    let twice = Post::select().join(Post::user).join(Post::editor);
    let error = twice.query.check().unwrap_err().to_string();
    assert!(
        error.starts_with("`User` is in this query already: a further use of it is an alias"),
        "{error}"
    );
    assert!(Tag::select().join(Tag::children).query.check().is_err());
}

#[test]
fn projections_infer_their_rows() {
    let names = User::select()
        .join(User::posts)
        .group_by(User::username)
        .having(Post::id.count().gt(1))
        .columns((User::username, Post::id.count()))
        .order_by(Post::id.count().desc());
    let row = [Value::Text("ada".into()), Value::Int(3)];
    let row: (String, i64) = (names.decoder.decode)(&ValueCells(&row)).unwrap();
    assert_eq!(row, ("ada".to_owned(), 3));
    assert_eq!(
        print::select(&names.query.tree),
        "SELECT users.username, Count(posts.id) FROM users JOIN posts ON (users.id Equal posts.user_id) \
         GROUP BY users.username HAVING (Count(posts.id) Greater Int(1)) ORDER BY Count(posts.id) DESC"
    );

    let one: Rows<String, _> = User::select().columns(User::username);
    let nested: Rows<((String, Option<i32>), i64), _> =
        User::select().columns(((User::username, User::age), User::visits + 1));
    let cells = [Value::Text("a".into()), Value::Null, Value::Int(1)];
    assert_eq!((one.decoder.decode)(&ValueCells(&cells)).unwrap(), "a");
    assert_eq!((nested.decoder.decode)(&ValueCells(&cells)).unwrap(), (("a".into(), None), 1));
}

#[test]
fn left_joined_columns_become_options_and_aggregates_dont() {
    let rows = User::select().left_join(User::posts).filter(Post::title.is_null()).columns((
        User::username,
        Post::title,
        Post::score,
        Post::id.count(),
    ));
    let cells = [Value::Text("a".into()), Value::Null, Value::Null, Value::Int(0)];
    let row: (String, Option<String>, Option<f64>, i64) =
        (rows.decoder.decode)(&ValueCells(&cells)).unwrap();
    assert_eq!(row, ("a".into(), None, None, 0));
}

#[test]
fn counting_wraps_what_decides_about_rows() {
    let count = |query: &crate::query::Query| print::select(&query.count_tree());
    let users = User::select().filter(User::id.gt(1)).order_by(User::id.asc());
    assert_eq!(count(&users.query), "SELECT Count(*) FROM users WHERE (users.id Greater Int(1))");
    assert_eq!(
        count(&users.clone().limit(3).query),
        "SELECT Count(*) FROM (SELECT 1 AS one FROM users WHERE (users.id Greater Int(1)) LIMIT 3) AS users"
    );
    assert_eq!(
        count(&User::select().distinct().query),
        "SELECT Count(*) FROM (SELECT DISTINCT users.id FROM users) AS users"
    );
    assert_eq!(
        count(&User::select().columns(User::age).distinct().query),
        "SELECT Count(*) FROM (SELECT DISTINCT users.age AS c0 FROM users) AS users"
    );
    let exists = |query: &crate::query::Query| print::select(&query.exists_tree());
    assert_eq!(
        exists(&users.query),
        "SELECT 1 AS one FROM users WHERE (users.id Greater Int(1)) LIMIT 1"
    );
    assert_eq!(
        exists(&User::select().distinct().limit(0).query),
        "SELECT 1 AS one FROM users LIMIT 0"
    );
    let some = users.limit(3).offset(2).query;
    assert_eq!(
        count(&some),
        "SELECT Count(*) FROM (SELECT 1 AS one FROM users WHERE (users.id Greater Int(1)) LIMIT 5) AS users"
    );
    assert_eq!([0, 2, 3, 5].map(|rows| some.counted(rows)), [0, 0, 1, 3]);
}

#[test]
fn ties_are_broken_by_the_key() {
    let mut select = User::select().order_by(User::age.desc());
    select.query.break_ties();
    select.query.break_ties();
    check_tree(&select, "SELECT  FROM users ORDER BY users.age DESC, users.id");
}

#[test]
fn loader_options_nest() {
    let select = User::select().with(
        User::posts
            .joined()
            .filter(Post::title.ne(""))
            .filter(Post::score.gt(0.0))
            .order_by((Post::id.asc(), Post::title.desc()))
            .limit(3)
            .with(Post::user)
            .with(Post::tags.raise()),
    );
    let [option] = select.query.options.as_slice() else { panic!("one option") };
    assert_eq!((option.relationship.name(), option.strategy), ("posts", Some(Strategy::Joined)));
    assert_eq!(
        option.filter.as_ref().map(print::expr).unwrap(),
        r#"all((posts.title NotEqual Text("")), (posts.score Greater Double(0.0)))"#
    );
    assert_eq!((option.order.len(), option.limit, option.filter.is_some()), (2, Some(3), true));
    let children: Vec<_> =
        option.children.iter().map(|child| (child.relationship.name(), child.strategy)).collect();
    assert_eq!(children, [("user", None), ("tags", Some(Strategy::Raise))]);
    assert!(User::edited.into_load().into_option().filter.is_none());
}

#[test]
fn assignments_are_values_or_expressions() {
    fn assigned<M, T: ColumnType, By>(
        _: crate::model::Column<M, T>,
        value: impl Assign<M, T, By>,
    ) -> Assigned<T> {
        value.__assign().into_assigned()
    }
    assert!(matches!(assigned(User::visits, 3), Assigned::Value(3)));
    assert!(matches!(assigned(User::age, 3), Assigned::Value(Some(3))));
    assert!(matches!(assigned(User::age, None), Assigned::Value(None)));
    assert!(matches!(assigned(User::visits, User::visits + 1), Assigned::Expression(_)));
    assert!(matches!(assigned(Post::editor_id, Post::user_id), Assigned::Expression(_)));
}

#[test]
fn orders_of_relationships_are_positions() {
    assert_eq!(order::<Post>((Post::title.desc(), Post::id.asc())), [(3, true), (0, false)]);
}

#[test]
fn pages_round_up() {
    assert_eq!(Page::new(vec![1, 2], 5, 2).pages, 3);
    assert_eq!(Page::<i32>::new(vec![], 0, 20).pages, 0);
    assert_eq!(<Option<i16> as Number>::Sum::FACTS.sql_type, crate::value::SqlType::I64);
}
