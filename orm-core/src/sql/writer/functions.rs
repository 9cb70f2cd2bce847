//! Writing functions, aggregates and windows.

use super::Writer;
use super::expr::Strength;
use crate::error::{Error, Result};
use crate::sql::expr::{Aggregate, Aggregation, Bound, Expr, Function, OrderTerm, Window};
use crate::value::{SqlType, Value};

impl Writer<'_> {
    /// Pushes a function as the dialect writes it.
    pub(super) fn function(&mut self, function: Function, arguments: &[Expr]) -> Result<()> {
        let template = self.dialect.function(function)?;
        self.template(template, arguments)
    }

    /// Pushes SQL of ours in which `$0` stands for the first argument, `~0` for the same as
    /// something that is compared, and `$*` for all arguments.
    pub(crate) fn template(&mut self, template: &str, arguments: &[Expr]) -> Result<()> {
        let mut written = 0;
        let bytes = template.as_bytes();
        for at in 0..bytes.len() {
            let (mark, Some(&number)) = (bytes[at], bytes.get(at + 1)) else { break };
            if !matches!(mark, b'$' | b'~') || !(number.is_ascii_digit() || number == b'*') {
                continue;
            }
            self.push(&template[written..at]);
            written = at + 2;
            if number == b'*' {
                self.list(arguments, Self::expr)?;
                continue;
            }
            let argument = arguments.get(usize::from(number - b'0')).ok_or_else(|| {
                Error::misuse("a function was written with fewer arguments than it has")
            })?;
            let (before, behind) = (&template[..at], &template[written..]);
            let stands_alone =
                (before.ends_with('(') || before.ends_with(", ")) && behind.starts_with([')', ',']);
            match (mark, stands_alone) {
                (b'~', _) => self.ordered(argument)?,
                (_, true) => self.expr(argument)?,
                (_, false) => self.operand(argument, Strength::Atom)?,
            }
        }
        self.push(&template[written..]);
        Ok(())
    }

    /// Pushes the first value whose condition holds.
    pub(super) fn case(
        &mut self,
        branches: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Result<()> {
        self.push("CASE");
        for (condition, value) in branches {
            self.push(" WHEN ");
            self.expr(condition)?;
            self.push(" THEN ");
            self.expr(value)?;
        }
        if let Some(otherwise) = otherwise {
            self.push(" ELSE ");
            self.expr(otherwise)?;
        }
        self.push(" END");
        Ok(())
    }

    /// Pushes an aggregate as most dialects write it.
    pub(crate) fn aggregate(&mut self, aggregation: &Aggregation) -> Result<()> {
        self.push(aggregation.function.name());
        self.push("(");
        match &aggregation.operand {
            Some(operand) => {
                self.push(if aggregation.distinct { "DISTINCT " } else { "" });
                self.dialect.write_aggregated(self, aggregation, operand)?;
            }
            None => self.push("*"),
        }
        if aggregation.function == Aggregate::Join {
            self.push(", ");
            self.bind(Value::Text(aggregation.separator.clone()), SqlType::Text);
        }
        if !aggregation.order.is_empty() {
            self.push(" ");
            self.order(&aggregation.order)?;
        }
        self.push(")");
        if let Some(filter) = &aggregation.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        Ok(())
    }

    /// Pushes a function of the rows that a window shows.
    pub(super) fn over(&mut self, function: &Expr, window: &Window) -> Result<()> {
        if let Expr::Aggregate(aggregation) = function {
            if aggregation.distinct {
                return Err(Error::misuse(
                    "an aggregate of different values has no window: count them in a subquery",
                ));
            }
            if aggregation.function == Aggregate::Join {
                return Err(Error::misuse(
                    "joined texts have no window: join them in a subquery with a group",
                ));
            }
        }
        self.bare(function)?;
        self.push(" OVER (");
        let mut separator = "";
        if !window.partition.is_empty() {
            self.push("PARTITION BY ");
            self.list(&window.partition, Self::ordered)?;
            separator = " ";
        } else if let (true, Some(all)) = (window.order.is_empty(), self.dialect.partition_of_all())
        {
            self.push("PARTITION BY ");
            self.push(all);
            separator = " ";
        }
        if !window.order.is_empty() {
            self.push(separator);
            self.order(&window.order)?;
            separator = " ";
        }
        if let Some((start, end)) = window.frame {
            self.push(separator);
            self.push("ROWS BETWEEN ");
            self.bound(start, "PRECEDING");
            self.push(" AND ");
            self.bound(end, "FOLLOWING");
        }
        self.push(")");
        Ok(())
    }

    fn bound(&mut self, bound: Bound, outwards: &str) {
        let text = match bound {
            Bound::Unbounded => format!("UNBOUNDED {outwards}"),
            Bound::Rows(0) => "CURRENT ROW".to_owned(),
            Bound::Rows(behind @ 1..) => format!("{behind} FOLLOWING"),
            Bound::Rows(before) => format!("{} PRECEDING", before.unsigned_abs()),
        };
        self.push(&text);
    }

    /// Pushes `ORDER BY` and its terms.
    pub(crate) fn order(&mut self, terms: &[OrderTerm]) -> Result<()> {
        self.push("ORDER BY ");
        let dialect = self.dialect;
        self.list(terms, |w, term| dialect.write_order_term(w, term))
    }
}
