//! Aggregates: what one value is made of that stands for many rows.

use super::{Expr, OrderTerm};

/// What an aggregate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Aggregate {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    /// One text of many, with a separator in between.
    Join,
}

impl Aggregate {
    /// What most databases call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::Join => "string_agg",
        }
    }
}

/// An aggregate of an expression, or of nothing but rows.
#[derive(Clone, Debug)]
pub(crate) struct Aggregation {
    pub(crate) function: Aggregate,
    /// `None` counts rows.
    pub(crate) operand: Option<Expr>,
    pub(crate) distinct: bool,
    /// The rows that take part, if not all do.
    pub(crate) filter: Option<Expr>,
    /// In which order texts are joined.
    pub(crate) order: Vec<OrderTerm>,
    /// What stands between joined texts.
    pub(crate) separator: String,
}

impl Aggregation {
    /// An aggregate of all rows.
    pub(crate) fn new(function: Aggregate, operand: Option<Expr>) -> Self {
        let (order, separator) = (Vec::new(), String::new());
        Self { function, operand, distinct: false, filter: None, order, separator }
    }

    /// Visits the expressions that it consists of.
    pub(super) fn for_each_part<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        self.operand.iter().chain(&self.filter).for_each(&mut *visit);
        self.order.iter().for_each(|term| visit(&term.expr));
    }

    /// Visits the same parts, to change them.
    pub(super) fn for_each_part_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        self.operand.iter_mut().chain(&mut self.filter).for_each(&mut *visit);
        self.order.iter_mut().for_each(|term| visit(&mut term.expr));
    }
}

impl From<Aggregation> for Expr {
    fn from(aggregation: Aggregation) -> Self {
        Expr::Aggregate(Box::new(aggregation))
    }
}
