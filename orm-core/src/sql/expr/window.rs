//! Windows: the rows that a function sees from each row.

use super::{Expr, Function, OrderTerm};

/// Where a frame begins or ends, in rows of the window's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bound {
    /// With the first row or the last one.
    Unbounded,
    /// So many rows behind the current one, or before it.
    Rows(i64),
}

/// The rows that a function sees from each row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// Rows see those that are equal to them in these.
    pub(crate) partition: Vec<Expr>,
    pub(crate) order: Vec<OrderTerm>,
    /// Where the rows that are seen begin and end, if that is said.
    pub(crate) frame: Option<(Bound, Bound)>,
}

impl Window {
    /// Visits the expressions that it consists of.
    pub(super) fn for_each_part<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        self.partition.iter().for_each(&mut *visit);
        self.order.iter().for_each(|term| visit(&term.expr));
    }

    /// Visits the same parts, to change them.
    pub(super) fn for_each_part_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        self.partition.iter_mut().for_each(&mut *visit);
        self.order.iter_mut().for_each(|term| visit(&mut term.expr));
    }
}

impl Expr {
    /// `row_number() OVER (PARTITION BY … ORDER BY …)`.
    pub(crate) fn row_number(partition: Vec<Expr>, order: Vec<OrderTerm>) -> Self {
        let window = Window { partition, order, frame: None };
        Expr::Over(Box::new(Expr::Function(Function::RowNumber, Vec::new())), Box::new(window))
    }

    /// The function that sees a window's rows, or the expression itself if it has no window.
    pub(crate) fn function_of_window(&self) -> &Expr {
        match self {
            Expr::Over(function, _) => function,
            other => other,
        }
    }
}
