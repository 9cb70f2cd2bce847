//! The shape of a SELECT: what its text depends on, told apart from its values.

use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use super::LONGEST;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Aggregate, Aggregation, ColumnRef, Expr, OrderTerm, Source, Tag, Window};
use crate::sql::select::{Body, Cte, From, Join, Owners, Select};
use crate::sql::statement::{Bind, count};
use crate::value::Value;

/// The most values that a SELECT may have whose text is kept. More of them are a list, which takes
/// longer to bind than to write, and is rarely as long a second time.
const MOST_VALUES: usize = 128;

/// A SELECT, taken apart.
pub(super) struct Shape<'t> {
    dialect: &'static dyn Dialect,
    key: Key,
    values: Vec<Given<'t>>,
    /// The common table expressions and the tags so far: what matters is which are the same.
    ctes: Vec<&'t Arc<Cte>>,
    tags: Vec<Tag>,
    /// Whether any query in it is grouped.
    is_grouped: bool,
    /// Whether a value beside those of `values` becomes a bind.
    has_separator: bool,
    /// Whether the text depends on values in a way that is not told apart.
    is_mixed: bool,
}

/// A value in a tree.
#[derive(Clone, Copy)]
pub(super) enum Given<'t> {
    Value(&'t Value),
    /// A limit or an offset.
    Count(u64),
}

impl Given<'_> {
    /// The value as it is bound.
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Count(rows) => count(rows),
        }
    }
}

/// What a text depends on, written one behind the other: what is read first says what follows, so
/// that the same bytes have the same meaning.
struct Key(Vec<u8>);

impl Hasher for Key {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u8(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Lengths, positions and variants are small.
    fn write_usize(&mut self, number: usize) {
        match u8::try_from(number) {
            Ok(small) if small != u8::MAX => self.0.push(small),
            _ => {
                self.0.push(u8::MAX);
                self.write(&number.to_ne_bytes());
            }
        }
    }

    fn write_isize(&mut self, number: isize) {
        self.write_usize(number.cast_unsigned());
    }

    /// The bytes themselves are compared.
    fn finish(&self) -> u64 {
        0
    }
}

impl<'t> Shape<'t> {
    /// Takes a SELECT apart; `None` if its text is not to be kept.
    pub(super) fn of(dialect: &'static dyn Dialect, select: &'t Select) -> Option<Self> {
        let mut shape = Self {
            dialect,
            key: Key(Vec::with_capacity(1024)),
            values: Vec::with_capacity(16),
            ctes: Vec::new(),
            tags: Vec::new(),
            is_grouped: false,
            has_separator: false,
            is_mixed: false,
        };
        shape.select(select);
        shape.is_mixed |= shape.values.len() > MOST_VALUES || shape.key.0.len() > LONGEST;
        if shape.shares_binds() && !shape.is_mixed {
            shape.equalities();
        }
        (!shape.is_mixed).then_some(shape)
    }

    /// All that the text depends on.
    pub(super) fn key(&self) -> &[u8] {
        &self.key.0
    }

    /// All that the text depends on.
    pub(super) fn into_key(self) -> Box<[u8]> {
        self.key.0.into()
    }

    /// What the text doesn't depend on, in the order of the tree.
    pub(super) fn values(&self) -> &[Given<'t>] {
        &self.values
    }

    /// Whether values that are equal may become one bind.
    pub(super) fn shares_binds(&self) -> bool {
        self.is_grouped && self.dialect.shares_binds()
    }

    /// Adds which values are equal.
    fn equalities(&mut self) {
        self.is_mixed |= self.has_separator;
        let values: Vec<Value> = self.values.iter().map(|given| given.to_value()).collect();
        for value in &values {
            self.note(&values.iter().position(|first| first == value));
        }
    }

    fn note(&mut self, part: &(impl Hash + ?Sized)) {
        part.hash(&mut self.key);
    }

    /// A description is the one that is at its place in memory.
    fn address<T>(&mut self, description: &'static T) {
        self.key.write(&std::ptr::from_ref(description).addr().to_ne_bytes());
    }

    fn list<T>(&mut self, items: &'t [T], mut each: impl FnMut(&mut Self, &'t T)) {
        self.note(&items.len());
        items.iter().for_each(|item| each(self, item));
    }

    fn option<T>(&mut self, item: Option<&'t T>, each: impl FnOnce(&mut Self, &'t T)) {
        self.note(&item.is_some());
        if let Some(item) = item {
            each(self, item);
        }
    }

    fn exprs(&mut self, exprs: &'t [Expr]) {
        self.list(exprs, Self::expr);
    }

    fn select(&mut self, select: &'t Select) {
        let Select {
            from,
            joins,
            columns,
            distinct,
            filter,
            group_by,
            having,
            order_by,
            limit,
            offset,
            lock,
        } = select;
        self.is_grouped |= !group_by.is_empty();
        self.from(from);
        self.list(joins, |shape, Join { kind, from, on }| {
            shape.note(kind);
            shape.from(from);
            shape.expr(on);
        });
        self.list(columns, |shape, (expr, name)| {
            shape.expr(expr);
            shape.note(name);
        });
        self.note(distinct);
        self.option(filter.as_ref(), Self::expr);
        self.exprs(group_by);
        self.option(having.as_ref(), Self::expr);
        self.list(order_by, Self::order_term);
        match self.dialect.binds_limit() {
            true => self.option(limit.as_ref(), Self::count),
            false => self.note(limit),
        }
        self.option(offset.as_ref(), Self::count);
        self.note(lock);
    }

    fn count(&mut self, rows: &u64) {
        self.values.push(Given::Count(*rows));
    }

    fn from(&mut self, from: &'t From) {
        self.note(&discriminant(from));
        match from {
            From::Table(table, source) | From::Itself(table, source) => {
                self.address(*table);
                self.source(*source);
            }
            From::Derived(body, table, source) => {
                self.body(body);
                self.address(*table);
                self.source(*source);
            }
            From::Cte(cte, source) => {
                self.cte(cte);
                self.source(*source);
            }
            From::Owners(owners) => {
                self.note(&discriminant(owners));
                match owners {
                    Owners::Query(query) => self.select(query),
                    Owners::Closure { from, step } => {
                        self.select(from);
                        self.select(step);
                    }
                    Owners::Reached => {}
                }
            }
        }
    }

    fn body(&mut self, body: &'t Body) {
        self.note(&discriminant(body));
        match body {
            Body::Select(select) => self.select(select),
            Body::Compound(operator, selects) => {
                self.note(operator);
                self.list(selects, Self::select);
            }
        }
    }

    fn cte(&mut self, cte: &'t Arc<Cte>) {
        let known = self.ctes.iter().position(|known| Arc::ptr_eq(known, cte));
        self.note(&known);
        if known.is_none() {
            self.ctes.push(cte);
            let Cte { table, body, recursive } = &**cte;
            self.address(*table);
            self.body(body);
            self.note(recursive);
        }
    }

    fn source(&mut self, source: Source) {
        self.note(&discriminant(&source));
        match source {
            Source::Scope => {}
            Source::Alias(alias) => self.note(&alias),
            Source::Tag(tag) => {
                let known = self.tags.iter().position(|known| *known == tag);
                self.note(&known);
                if known.is_none() {
                    self.tags.push(tag);
                    self.note(tag.name());
                }
            }
        }
    }

    fn column(&mut self, column: &ColumnRef) {
        let ColumnRef { table, column, source } = *column;
        self.address(table);
        self.note(&column);
        self.source(source);
    }

    fn bind(&mut self, bind: &'t Bind) {
        let Bind { value, sql_type, per_row, declared } = bind;
        self.note(&(sql_type, per_row, declared));
        self.values.push(Given::Value(value));
    }

    fn order_term(&mut self, term: &'t OrderTerm) {
        let OrderTerm { expr, descending, nulls_first, sql_type } = term;
        self.expr(expr);
        self.note(&(descending, nulls_first, sql_type));
    }

    fn expr(&mut self, expr: &'t Expr) {
        self.note(&discriminant(expr));
        match expr {
            Expr::Column(column) | Expr::Excluded(column) => self.column(column),
            Expr::Bind(bind) => self.bind(bind),
            Expr::Integer(value) => self.note(value),
            Expr::Authored(sql) => self.note(sql),
            Expr::Binary(left, op, right) => {
                self.expr(left);
                self.note(op);
                self.expr(right);
            }
            Expr::All(parts) | Expr::Any(parts) | Expr::Tuple(parts) => self.exprs(parts),
            Expr::Not(operand) | Expr::Negate(operand) => self.expr(operand),
            Expr::IsNull { operand, negated } => {
                self.expr(operand);
                self.note(negated);
            }
            Expr::In { operand, list, negated } => {
                self.expr(operand);
                self.exprs(list);
                self.note(negated);
            }
            Expr::Keys { columns, keys } => self.keys(columns, keys),
            Expr::Between { operand, low, high } => {
                self.expr(operand);
                self.expr(low);
                self.expr(high);
            }
            Expr::Like { operand, pattern } => {
                self.is_mixed |= self.dialect.refuses_pattern(pattern).is_some();
                self.expr(operand);
                self.expr(pattern);
            }
            Expr::Function(function, arguments) => {
                self.note(function);
                self.exprs(arguments);
            }
            Expr::Case { branches, otherwise } => {
                self.list(branches, |shape, (condition, value)| {
                    shape.expr(condition);
                    shape.expr(value);
                });
                self.option(otherwise.as_deref(), Self::expr);
            }
            Expr::Aggregate(aggregation) => self.aggregation(aggregation),
            Expr::Over(function, window) => {
                self.expr(function);
                let Window { partition, order, frame } = &**window;
                self.exprs(partition);
                self.list(order, Self::order_term);
                self.note(frame);
            }
            Expr::Related { owner, target, relationship, condition } => {
                self.source(*owner);
                self.source(*target);
                self.address(*relationship);
                self.option(condition.as_deref(), Self::expr);
            }
            Expr::Exists(select) | Expr::Scalar(select) => self.select(select),
            Expr::InSelect { operand, select, negated } => {
                self.expr(operand);
                self.select(select);
                self.note(negated);
            }
            Expr::Derived { table, column, shows } => {
                self.address(*table);
                self.note(column);
                self.option(shows.as_ref(), |shape, shows| shape.address(*shows));
            }
            Expr::OwnerKey(at, column) => {
                self.note(at);
                self.column(column);
            }
            // It is an error.
            Expr::Mistaken(_) => self.is_mixed = true,
        }
    }

    /// A list of keys has the text of a length of its own, and takes longer to bind than to write.
    fn keys(&mut self, columns: &'t [ColumnRef], keys: &'t [Vec<Value>]) {
        let [key] = keys else {
            self.is_mixed = true;
            return;
        };
        self.list(columns, Self::column);
        self.values.extend(key.iter().map(Given::Value));
        self.note(&key.len());
    }

    fn aggregation(&mut self, aggregation: &'t Aggregation) {
        let Aggregation { function, operand, distinct, filter, order, separator } = aggregation;
        self.has_separator |= *function == Aggregate::Join;
        self.note(function);
        self.option(operand.as_ref(), Self::expr);
        self.note(distinct);
        self.option(filter.as_ref(), Self::expr);
        self.list(order, Self::order_term);
        self.note(separator);
    }
}
