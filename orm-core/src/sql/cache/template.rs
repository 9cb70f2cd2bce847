//! What was rendered of a SELECT, for all of the same shape.

use std::sync::Arc;

use super::shape::{Given, Shape};
use super::{LONGEST, is_same};
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::render::render_select;
use crate::sql::select::{Cte, CteCopies, From, Owners, Select};
use crate::sql::statement::{Bind, Statement};
use crate::value::Value;

/// A statement without its values.
pub(super) struct Template {
    text: Arc<str>,
    binds: Vec<Blank>,
    persistent: bool,
}

/// A bind without its value.
struct Blank {
    bind: Bind,
    filling: Filling,
}

/// What a bind's value is, by positions among the values of a [`Shape`].
enum Filling {
    /// That of every such statement, which the bind has.
    Fixed,
    One(usize),
    /// An array of them.
    Many(Vec<usize>),
}

impl Template {
    /// The template of which `statement` was made for a SELECT. `None` if it can't be told where
    /// each of the values belongs: the SELECT is rendered once more, with a marker for each.
    pub(super) fn of(
        dialect: &'static dyn Dialect,
        select: &Select,
        shape: &Shape<'_>,
        statement: &Statement,
    ) -> Option<Self> {
        if statement.text.len() > LONGEST {
            return None;
        }
        let mut marked = select.clone();
        Marking::new(dialect, shape).select(&mut marked);
        let marks = Shape::of(dialect, &marked).filter(|marks| marks.key() == shape.key())?;
        let marks: Vec<Value> = marks.values().iter().map(|mark| mark.to_value()).collect();
        let rendered = render_select(dialect, &marked).ok()?;
        let binds = rendered.binds.into_iter().map(|bind| Blank::of(bind, &marks)).collect();
        let template =
            Self { text: Arc::clone(&statement.text), binds, persistent: statement.persistent };
        let is_right = rendered.text == statement.text
            && marks.iter().all(is_marker)
            && is_same(&template.fill(shape.values()), statement);
        is_right.then_some(template)
    }

    /// The statement of a SELECT with these values.
    pub(super) fn fill(&self, values: &[Given<'_>]) -> Statement {
        let fill = |blank: &Blank| {
            let value = match &blank.filling {
                Filling::Fixed => blank.bind.value.clone(),
                Filling::One(at) => values[*at].to_value(),
                Filling::Many(all) => {
                    Value::Array(all.iter().map(|at| values[*at].to_value()).collect())
                }
            };
            let Bind { sql_type, per_row, declared, value: _ } = blank.bind;
            Bind { value, sql_type, per_row, declared }
        };
        Statement {
            binds: self.binds.iter().map(fill).collect(),
            persistent: self.persistent,
            ..Statement::plain(Arc::clone(&self.text))
        }
    }
}

impl Blank {
    /// Takes the markers out of a bind.
    fn of(bind: Bind, marks: &[Value]) -> Self {
        let place = |value: &Value| marks.iter().position(|mark| mark == value);
        let filling = match &bind.value {
            Value::Array(elements) => {
                elements.iter().map(place).collect::<Option<_>>().map(Filling::Many)
            }
            value => place(value).map(Filling::One),
        };
        match filling {
            Some(filling) => Self { bind: Bind { value: Value::Null, ..bind }, filling },
            None => Self { bind, filling: Filling::Fixed },
        }
    }
}

/// The first marker: numbers that nobody counts to.
const FIRST_MARKER: i64 = i64::MAX / 2;

fn is_marker(value: &Value) -> bool {
    matches!(value, Value::Int(FIRST_MARKER..))
}

/// Puts a marker in the place of every value of a SELECT.
struct Marking {
    marks_limits: bool,
    /// The values so far, where equal ones are to stay equal.
    seen: Option<Vec<Value>>,
    next: i64,
    ctes: CteCopies,
}

impl Marking {
    fn new(dialect: &dyn Dialect, shape: &Shape<'_>) -> Self {
        Self {
            marks_limits: dialect.binds_limit(),
            seen: shape.shares_binds().then(Vec::new),
            next: FIRST_MARKER,
            ctes: CteCopies::default(),
        }
    }

    fn marker(&mut self, value: Value) -> i64 {
        if let Some(seen) = &mut self.seen {
            let at = seen.iter().position(|known| *known == value).unwrap_or_else(|| {
                seen.push(value);
                seen.len() - 1
            });
            return FIRST_MARKER.saturating_add_unsigned(at as u64);
        }
        self.next += 1;
        self.next
    }

    fn mark(&mut self, value: &mut Value) {
        *value = Value::Int(self.marker(std::mem::replace(value, Value::Null)));
    }

    fn mark_count(&mut self, rows: &mut Option<u64>) {
        if let Some(rows) = rows {
            *rows = self.marker(Given::Count(*rows).to_value()).unsigned_abs();
        }
    }

    fn select(&mut self, select: &mut Select) {
        select.for_each_expr_mut(&mut |expr| self.expr(expr));
        self.from(&mut select.from);
        select.joins.iter_mut().for_each(|join| self.from(&mut join.from));
        if self.marks_limits {
            self.mark_count(&mut select.limit);
        }
        self.mark_count(&mut select.offset);
    }

    fn from(&mut self, from: &mut From) {
        match from {
            From::Derived(body, ..) => {
                body.selects_mut().iter_mut().for_each(|select| self.select(select));
            }
            From::Cte(cte, _) => *cte = self.cte(cte),
            From::Owners(Owners::Query(query)) => self.select(query),
            From::Owners(Owners::Closure { from, step }) => {
                self.select(from);
                self.select(step);
            }
            From::Table(..) | From::Itself(..) | From::Owners(Owners::Reached) => {}
        }
    }

    fn cte(&mut self, cte: &Arc<Cte>) -> Arc<Cte> {
        self.ctes.get(cte).unwrap_or_else(|| {
            let mut marked = Cte::clone(cte);
            marked.body.selects_mut().iter_mut().for_each(|select| self.select(select));
            self.ctes.keep(cte, marked)
        })
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Bind(bind) => self.mark(&mut bind.value),
            Expr::Keys { keys, .. } => keys.iter_mut().flatten().for_each(|part| self.mark(part)),
            Expr::Exists(select) | Expr::Scalar(select) => self.select(select),
            Expr::InSelect { operand, select, .. } => {
                self.expr(operand);
                self.select(select);
            }
            other => other.for_each_part_mut(&mut |part| self.expr(part)),
        }
    }
}
