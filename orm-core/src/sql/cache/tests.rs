use std::sync::atomic::Ordering;

use super::*;
use crate::model::Table;
use crate::sql::dialect::mysql::{MARIADB, MYSQL, configured};
use crate::sql::dialect::{postgres, sqlite};
use crate::sql::testing::{at, post_tags, posts, tags, users};
use crate::sql::{
    Aggregate, Aggregation, Alias, BinaryOp, Body, Bound, ColumnRef, Cte, Expr, From, Function,
    Join, JoinKind, Naming, OrderTerm, RowLock, SetOperator, Source, Tag, Window,
};
use crate::value::{SqlType, Value};

const NAMINGS: [Naming; 2] = [Naming::AsDeclared, Naming::SnakeCase];

/// Every database, with both spellings.
fn dialects() -> Vec<&'static dyn Dialect> {
    NAMINGS
        .into_iter()
        .flat_map(|naming| -> [&'static dyn Dialect; 4] {
            [
                sqlite::named(naming),
                postgres::named(naming),
                configured(&MARIADB, true, true, naming),
                configured(&MYSQL, true, true, naming),
            ]
        })
        .collect()
}

fn hits(renderer: &Renderer) -> usize {
    renderer.hits.load(Ordering::Relaxed)
}

/// Renders through the cache and compares with what is written anew; gives whether nothing had to
/// be written.
#[track_caller]
fn check(renderer: &Renderer, select: &Select) -> bool {
    let before = hits(renderer);
    match (renderer.select(select), render_select(renderer.dialect, select)) {
        (Ok(kept), Ok(anew)) => assert!(is_same(&kept, &anew), "{kept:?}\n{anew:?}"),
        (Err(kept), Err(anew)) => assert_eq!(kept.to_string(), anew.to_string()),
        (kept, anew) => panic!("{kept:?}\n{anew:?}"),
    }
    hits(renderer) > before
}

fn column(table: &'static Table, name: &str) -> Expr {
    Expr::Column(ColumnRef::scoped(table, at(table, name)))
}

fn int(value: i64) -> Expr {
    Expr::bind(Value::Int(value), SqlType::I64)
}

fn text(value: &str) -> Expr {
    Expr::bind(Value::Text(value.to_owned()), SqlType::Text)
}

fn users_where(filter: Expr) -> Select {
    let mut select = Select::from(users());
    select.select_all(users(), Source::Scope);
    select.filter = Some(filter);
    select
}

fn of_age(value: Value) -> Select {
    let value = Expr::bind(value, SqlType::I32);
    users_where(Expr::binary(column(users(), "age"), BinaryOp::Equal, value))
}

fn in_ages(ages: &[i64]) -> Select {
    let list = ages.iter().copied().map(int).collect();
    users_where(Expr::In { operand: Box::new(column(users(), "age")), list, negated: false })
}

fn like(pattern: &str) -> Select {
    let operand = Box::new(column(users(), "email"));
    users_where(Expr::Like { operand, pattern: Box::new(text(pattern)) })
}

fn page(limit: Option<u64>, offset: Option<u64>) -> Select {
    Select { limit, offset, ..of_age(Value::Int(1)) }
}

/// Expects each second SELECT to take the text of the first, or not to.
#[track_caller]
fn check_pairs(expect_hit: impl Fn(&dyn Dialect) -> bool, first: &Select, second: &Select) {
    for dialect in dialects() {
        let renderer = Renderer::new(dialect, 10);
        assert!(!check(&renderer, first));
        assert_eq!(check(&renderer, second), expect_hit(dialect), "{dialect:?}");
        assert!(check(&renderer, first), "{dialect:?}");
    }
}

#[test]
fn other_values_take_the_same_text() {
    check_pairs(|_| true, &of_age(Value::Int(1)), &of_age(Value::Int(2)));
    check_pairs(|_| true, &of_age(Value::Int(1)), &of_age(Value::Null));
    check_pairs(|_| true, &in_ages(&[1, 2, 3]), &in_ages(&[4, 4, 5]));
    check_pairs(|_| true, &like("a%"), &like("%b%"));
    check_pairs(|_| true, &page(Some(1), Some(2)), &page(Some(1), Some(3)));
}

#[test]
fn another_shape_is_another_text() {
    check_pairs(|_| false, &in_ages(&[1, 2, 3]), &in_ages(&[1, 2]));
    check_pairs(|_| false, &page(Some(1), None), &page(None, Some(1)));
    check_pairs(|_| false, &page(Some(1), None), &page(None, None));
    let of_id = users_where(Expr::binary(column(users(), "id"), BinaryOp::Equal, int(1)));
    check_pairs(|_| false, &of_age(Value::Int(1)), &of_id);
    check_pairs(
        |_| false,
        &of_age(Value::Int(1)),
        &Select { distinct: true, ..of_age(Value::Int(1)) },
    );
}

#[test]
fn a_limit_is_part_of_the_text_where_it_stands_in_it() {
    let pages = [page(Some(10), None), page(Some(20), None)];
    check_pairs(|dialect| dialect.binds_limit(), &pages[0], &pages[1]);
}

#[test]
fn a_pattern_that_is_refused_is_refused_behind_one_that_is_not() {
    for dialect in dialects() {
        let renderer = Renderer::new(dialect, 10);
        check(&renderer, &like("a%"));
        check(&renderer, &like("a\0%"));
        assert!(check(&renderer, &like("b%")));
    }
}

/// `SELECT age + ? FROM users GROUP BY age + ? HAVING count(*) > ?`.
fn grouped(selected: i64, by: i64, least: i64) -> Select {
    let sum = |addend| Expr::binary(column(users(), "age"), BinaryOp::Add, int(addend));
    let count = Aggregation::new(Aggregate::Count, None).into();
    let mut select = Select::from(users());
    select.columns = vec![(sum(selected), None)];
    select.group_by = vec![sum(by)];
    select.having = Some(Expr::binary(count, BinaryOp::Greater, int(least)));
    select
}

#[test]
fn values_that_share_a_bind_share_it_again() {
    check_pairs(|_| true, &grouped(1, 1, 2), &grouped(3, 3, 4));
    check_pairs(|dialect| !dialect.shares_binds(), &grouped(1, 1, 2), &grouped(1, 2, 2));
    check_pairs(|dialect| !dialect.shares_binds(), &grouped(1, 1, 2), &grouped(1, 1, 1));
    let offset = |by, offset| Select { offset: Some(offset), ..grouped(by, by, 9) };
    check_pairs(|dialect| !dialect.shares_binds(), &offset(1, 1), &offset(1, 2));
}

#[test]
fn a_separator_is_never_shared() {
    let joined = |separator: &str, pattern: &str| {
        let mut names = Aggregation::new(Aggregate::Join, Some(column(users(), "email")));
        names.separator = separator.to_owned();
        let mut select = like(pattern);
        select.columns = vec![(names.into(), None)];
        select.group_by = vec![column(users(), "age")];
        select
    };
    for dialect in dialects() {
        let renderer = Renderer::new(dialect, 10);
        for (separator, pattern) in [(",", ","), (",", ";"), (";", ";"), ("", ","), ("", "")] {
            check(&renderer, &joined(separator, pattern));
        }
    }
}

#[test]
fn a_common_table_expression_is_told_from_an_equal_one() {
    let cte = |age| {
        let body = Body::Select(of_age(Value::Int(age)));
        Arc::new(Cte { table: tags(), body, recursive: false })
    };
    let both = |first: &Arc<Cte>, second: &Arc<Cte>| {
        let mut select = Select::new(From::Cte(Arc::clone(first), Source::Scope));
        let from = From::Cte(Arc::clone(second), Source::Alias(Alias(1)));
        select.joins = vec![Join { kind: JoinKind::Inner, from, on: int(1) }];
        select
    };
    let (one, equal) = (cte(1), cte(1));
    check_pairs(|_| false, &both(&one, &one), &both(&one, &equal));
    let other = cte(2);
    check_pairs(|_| true, &both(&one, &one), &both(&other, &other));
}

#[test]
fn keys_of_one_object_take_the_same_text() {
    let by_keys = |keys: &[i64]| {
        let columns = vec![ColumnRef::scoped(users(), 0)];
        users_where(Expr::Keys {
            columns,
            keys: keys.iter().map(|key| vec![Value::Int(*key)]).collect(),
        })
    };
    check_pairs(|_| true, &by_keys(&[1]), &by_keys(&[2]));
    for dialect in dialects() {
        let renderer = Renderer::new(dialect, 10);
        assert!(!check(&renderer, &by_keys(&[1, 2])));
        assert!(!check(&renderer, &by_keys(&[1, 2])), "lists of keys are not kept");
    }
}

#[test]
fn memory_is_bounded() {
    let renderer = Renderer::new(&sqlite::SQLITE, 2);
    let pages = [page(Some(1), None), page(None, Some(1)), page(None, None)];
    for select in &pages {
        assert!(!check(&renderer, select));
    }
    assert!(check(&renderer, &pages[2]) && check(&renderer, &pages[1]));
    assert!(!check(&renderer, &pages[0]), "the one that was used longest ago made room");

    let long = in_ages(&(0..5_000).collect::<Vec<_>>());
    assert!(!check(&renderer, &long) && !check(&renderer, &long));
    assert!(check(&renderer, &pages[0]) && check(&renderer, &pages[1]), "it took no room");

    let none = Renderer::new(&sqlite::SQLITE, 0);
    assert!(!check(&none, &pages[0]) && !check(&none, &pages[0]));
}

#[test]
fn threads_share_what_is_kept() {
    let renderer = Renderer::new(&postgres::POSTGRES, 3);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for round in 0..500 {
                    check(&renderer, &of_age(Value::Int(round)));
                    check(&renderer, &page(Some(1), Some(round.unsigned_abs())));
                    check(&renderer, &in_ages(&(0..round % 5).collect::<Vec<_>>()));
                }
            });
        }
    });
    assert!(hits(&renderer) > 1_000);
}

/// The same random decisions whatever the machine, but for one of them.
struct Random {
    state: u64,
    left: Option<usize>,
}

impl Random {
    fn new(seed: u64) -> Self {
        Self { state: seed, left: None }
    }

    /// The same decisions but for the one at this place.
    fn but_for(seed: u64, place: usize) -> Self {
        Self { state: seed, left: Some(place) }
    }

    fn below(&mut self, limit: usize) -> usize {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        self.state = self.state.wrapping_mul(FACTOR).wrapping_add(1_442_695_040_888_963_407);
        let is_other = self.left == Some(0);
        self.left = self.left.and_then(|left| left.checked_sub(1));
        ((self.state >> 33) as usize + usize::from(is_other)) % limit
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

/// Random trees: `shape` decides about everything but the values.
struct Trees {
    shape: Random,
    values: Random,
    /// What the current place can refer to.
    scope: Vec<(&'static Table, Source)>,
    cte: Option<Arc<Cte>>,
}

struct Boss;
struct Other;

impl Trees {
    fn tree(shape: Random, values: u64) -> Select {
        let values = Random::new(values);
        Self { shape, values, scope: Vec::new(), cte: None }.select(2)
    }

    fn table(&mut self) -> &'static Table {
        [users(), posts(), tags()][self.shape.below(3)]
    }

    fn flag(&mut self) -> bool {
        self.shape.one_in(2)
    }

    fn maybe<T>(&mut self, chances: usize, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.shape.one_in(chances).then(|| make(self))
    }

    fn list<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.shape.below(most + 1)).map(|_| make(self)).collect()
    }

    /// Makes it where nothing around it is in sight.
    fn apart(&mut self, depth: usize) -> Select {
        let around = std::mem::take(&mut self.scope);
        let select = self.select(depth);
        self.scope = around;
        select
    }

    fn from(&mut self, source: Source, depth: usize) -> From {
        let table = self.table();
        match self.shape.below(8) {
            0 if depth > 0 => {
                let body = match self.shape.one_in(3) {
                    true => {
                        let operator =
                            [SetOperator::Union, SetOperator::Except][self.shape.below(2)];
                        Body::Compound(operator, vec![self.apart(depth - 1), self.apart(depth - 1)])
                    }
                    false => Body::Select(self.apart(depth - 1)),
                };
                From::Derived(Box::new(body), table, source)
            }
            1 if depth > 0 => {
                let known = self.cte.clone().filter(|_| self.shape.one_in(2));
                let cte = known.unwrap_or_else(|| {
                    let (table, recursive) = (post_tags(), self.shape.one_in(4));
                    let body = Body::Select(self.apart(depth - 1));
                    Arc::new(Cte { table, body, recursive })
                });
                self.cte = Some(Arc::clone(&cte));
                From::Cte(cte, source)
            }
            _ => From::Table(table, source),
        }
    }

    fn select(&mut self, depth: usize) -> Select {
        let around = self.scope.len();
        let mut select = Select::new(self.from(Source::Scope, depth));
        self.scope.extend(select.from.occurrence());
        for number in 1..=self.shape.below(3) {
            let source = match self.shape.below(4) {
                0 => Source::Tag(Tag::of::<Boss>()),
                1 => Source::Tag(Tag::of::<Other>()),
                2 => Source::Scope,
                _ => Source::Alias(Alias(number as u32)),
            };
            let from = self.from(source, depth);
            self.scope.extend(from.occurrence());
            let kind = [JoinKind::Inner, JoinKind::Left][self.shape.below(2)];
            let on = self.expr(depth.min(1));
            select.joins.push(Join { kind, from, on });
        }
        select.columns = self.list(3, |trees| {
            let name = trees.maybe(3, |trees| format!("c{}", trees.shape.below(3)));
            (trees.expr(depth), name)
        });
        select.distinct = self.shape.one_in(4);
        select.filter = self.maybe(2, |trees| trees.expr(depth));
        if self.shape.one_in(3) {
            select.group_by = self.list(2, |trees| trees.expr(depth.min(1)));
            select.having = self.maybe(2, |trees| trees.expr(depth.min(1)));
        }
        select.order_by = self.list(2, Self::term);
        select.limit = self.maybe(3, |trees| trees.values.below(3) as u64);
        select.offset = self.maybe(3, |trees| trees.values.below(3) as u64);
        select.lock = self.maybe(8, |_| RowLock::SkipLocked);
        self.scope.truncate(around);
        select
    }

    fn term(&mut self) -> OrderTerm {
        let term = OrderTerm::new(self.expr(1), self.shape.one_in(2));
        OrderTerm { nulls_first: self.maybe(2, Self::flag), ..term }
    }

    fn column(&mut self) -> ColumnRef {
        let (table, source) = match self.scope.len() {
            0 => (self.table(), Source::Scope),
            known => self.scope[self.shape.below(known)],
        };
        ColumnRef { table, column: self.shape.below(table.columns().len()), source }
    }

    /// Few values, so that some are equal.
    fn bind(&mut self) -> Expr {
        let column = self.column();
        let value = match (self.values.below(8), column.sql_type()) {
            (0, _) => Value::Null,
            (1, SqlType::Text) => Value::Text("a\0".to_owned()),
            (number, SqlType::Text | SqlType::Enum(_)) => Value::Text(number.to_string()),
            (number, _) => Value::Int(number as i64 % 3),
        };
        Expr::bind(value, column.sql_type())
    }

    fn boxed(&mut self, depth: usize) -> Box<Expr> {
        Box::new(self.expr(depth))
    }

    fn expr(&mut self, depth: usize) -> Expr {
        let Some(below) = depth.checked_sub(1) else {
            return match self.shape.below(3) {
                0 => Expr::Column(self.column()),
                1 => self.bind(),
                _ => Expr::Integer(self.shape.below(300) as i64 - 100),
            };
        };
        match self.shape.below(24) {
            0 => Expr::All(self.list(3, |trees| trees.expr(below))),
            1 => Expr::Any(self.list(3, |trees| trees.expr(below))),
            2 => Expr::Not(self.boxed(below)),
            3 => Expr::Negate(self.boxed(below)),
            4 => Expr::IsNull { operand: self.boxed(below), negated: self.flag() },
            5 => {
                let list = self.list(5, |trees| match trees.shape.one_in(8) {
                    true => trees.expr(below),
                    false => trees.bind(),
                });
                Expr::In { operand: self.boxed(below), list, negated: self.flag() }
            }
            6 => {
                let keys = self.list(2, |trees| vec![Value::Int(trees.values.below(3) as i64)]);
                Expr::Keys { columns: vec![self.column()], keys }
            }
            7 => Expr::Between {
                operand: self.boxed(below),
                low: self.boxed(below),
                high: self.boxed(below),
            },
            8 => Expr::Like { operand: self.boxed(below), pattern: self.boxed(0) },
            9 => {
                let function = [Function::Coalesce, Function::Lower, Function::Greatest];
                Expr::Function(function[self.shape.below(3)], vec![self.expr(below), self.bind()])
            }
            10 => {
                let branches = vec![(self.expr(below), self.bind())];
                Expr::Case { branches, otherwise: self.maybe(2, |trees| trees.boxed(below)) }
            }
            11 | 12 => self.aggregation(below),
            13 => {
                let window = Window {
                    partition: self.list(1, |trees| trees.expr(below)),
                    order: self.list(1, Self::term),
                    frame: self.maybe(2, |trees| {
                        (Bound::Unbounded, Bound::Rows(trees.shape.below(9) as i64 - 4))
                    }),
                };
                Expr::Over(Box::new(self.aggregation(0)), Box::new(window))
            }
            14 => self.related(below),
            15 => Expr::Exists(Box::new(self.select(below))),
            16 => Expr::Scalar(Box::new(self.select(below))),
            17 => Expr::InSelect {
                operand: self.boxed(below),
                select: Box::new(self.select(below)),
                negated: self.flag(),
            },
            18 => Expr::Authored(["now()", "CURRENT_TIMESTAMP"][self.shape.below(2)]),
            19 if self.shape.one_in(8) => Expr::Mistaken("a mistake".to_owned()),
            _ => {
                use BinaryOp::*;
                let operators = [Equal, Less, Add, Divide, Remainder, Concat];
                let right = match self.flag() {
                    true => self.bind(),
                    false => self.expr(below),
                };
                Expr::binary(self.expr(below), operators[self.shape.below(6)], right)
            }
        }
    }

    fn aggregation(&mut self, depth: usize) -> Expr {
        let functions = [Aggregate::Count, Aggregate::Sum, Aggregate::Join];
        let function = functions[self.shape.below(3)];
        let operand = Some(self.expr(depth)).filter(|_| function != Aggregate::Count);
        let mut aggregation = Aggregation::new(function, operand);
        if function == Aggregate::Join {
            aggregation.separator = ["", "1", "2"][self.shape.below(3)].to_owned();
            aggregation.order = self.list(1, Self::term);
        }
        aggregation.distinct = self.shape.one_in(4);
        aggregation.filter = self.maybe(4, |trees| trees.expr(depth));
        aggregation.into()
    }

    /// A question about related rows of something in sight, if there is any.
    fn related(&mut self, depth: usize) -> Expr {
        let Some(&(table, owner)) = self.scope.last() else { return self.bind() };
        let Some(relationship) = table.relationships().first() else { return self.bind() };
        let target = relationship.target();
        self.scope.push((target, Source::Scope));
        let condition = self.maybe(2, |trees| trees.boxed(depth));
        self.scope.pop();
        Expr::Related { owner, target: Source::Scope, relationship, condition }
    }
}

#[test]
fn random_queries_are_what_they_would_be_without_a_cache() {
    const SHAPES: u64 = 60;
    const NEIGHBOURS: usize = 8;
    for dialect in dialects() {
        if dialect.naming() != Naming::AsDeclared {
            continue;
        }
        // Fewer than there are shapes, so that some make room.
        let renderer = Renderer::new(dialect, 200);
        let (mut rendered, mut kept) = (0, 0);
        for shape in 0..SHAPES {
            let seed = shape * 7_919;
            // Each shape comes again with other values, among shapes that are nearly the same.
            for neighbour in 0..NEIGHBOURS {
                for values in [0, 1, 2] {
                    for random in [Random::new(seed), Random::but_for(seed, neighbour * 3 + values)]
                    {
                        let tree = Trees::tree(random, shape ^ ((values as u64) << 20));
                        kept += usize::from(check(&renderer, &tree));
                        rendered += usize::from(render_select(dialect, &tree).is_ok());
                    }
                }
            }
        }
        let templates = lock(renderer.templates.as_ref().expect("shapes are kept"));
        assert!(
            templates.iter().all(|(_, template)| template.is_some()),
            "each shape has one text"
        );
        assert!(rendered > 1_000, "{rendered} of these queries can be rendered");
        assert!(kept * 3 > rendered, "{kept} of {rendered} were kept on {dialect:?}");
    }
}
