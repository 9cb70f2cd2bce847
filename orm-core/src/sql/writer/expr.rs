//! Writing an expression, with as few parentheses as its meaning allows.

use super::Writer;
use super::scope::Scope;
use super::source::OWNERS;
use crate::error::{Error, Result};
use crate::model::{Link, Relationship, RelationshipKind};
use crate::sql::dialect::{is_current_timestamp, padded_rows};
use crate::sql::expr::{BinaryOp, Expr, Source};
use crate::sql::select::owner_key;
use crate::value::{Value, ValueError};

/// The most conditions in a row without parentheses.
const LONGEST_CHAIN: usize = 256;

/// How tightly an expression holds together. Only levels that all databases agree on are told
/// apart; whatever they rank differently is set in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    Any,
    All,
    Comparison,
    Sum,
    Product,
    Atom,
}

impl Strength {
    fn of(expr: &Expr) -> Self {
        match expr {
            // SQL that we don't look into.
            Expr::Authored(sql) if !is_current_timestamp(sql) => Strength::Any,
            Expr::All(parts) | Expr::Any(parts) if parts.len() == 1 => Self::of(&parts[0]),
            Expr::All(parts) | Expr::Any(parts) if parts.is_empty() => Strength::Comparison,
            Expr::Any(_) => Strength::Any,
            Expr::All(_) => Strength::All,
            Expr::Binary(_, op, _) => Self::of_operator(*op),
            Expr::Not(_)
            | Expr::IsNull { .. }
            | Expr::In { .. }
            | Expr::InSelect { .. }
            | Expr::Keys { .. }
            | Expr::Between { .. }
            | Expr::Like { .. } => Strength::Comparison,
            Expr::Negate(_) => Strength::Product,
            _ => Strength::Atom,
        }
    }

    fn of_operator(op: BinaryOp) -> Self {
        match op {
            BinaryOp::Add | BinaryOp::Subtract => Strength::Sum,
            BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => Strength::Product,
            // The rank of `||` differs: it is set in parentheses, and so are its operands.
            _ => Strength::Comparison,
        }
    }
}

impl Writer<'_> {
    /// Pushes an expression.
    pub(crate) fn expr(&mut self, expr: &Expr) -> Result<()> {
        let Some(stored) = self.dialect.stored_as(expr) else { return self.bare(expr) };
        self.push("CAST(");
        self.bare(expr)?;
        self.push(" AS ");
        self.push(stored);
        self.push(")");
        Ok(())
    }

    /// Pushes an expression by whose value rows are ordered, grouped or told apart.
    pub(crate) fn ordered(&mut self, expr: &Expr) -> Result<()> {
        self.compared(expr, Strength::Any)
    }

    fn compared(&mut self, expr: &Expr, least: Strength) -> Result<()> {
        let Some(collation) = self.dialect.collation(expr) else {
            return self.operand(expr, least);
        };
        self.operand(expr, Strength::Atom)?;
        self.push(" COLLATE ");
        self.push(collation);
        Ok(())
    }

    pub(super) fn bare(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Column(column) => self.column(column)?,
            Expr::Bind(bind) => self.push_bind(bind.clone()),
            Expr::Integer(value) => self.integer(*value),
            Expr::Authored(sql) => self.push(self.dialect.authored(sql)),
            Expr::Binary(left, op, right) => self.dialect.write_binary(self, left, *op, right)?,
            Expr::All(parts) => self.junction(parts, " AND ", "1 = 1", Strength::Comparison)?,
            Expr::Any(parts) => self.junction(parts, " OR ", "1 = 0", Strength::All)?,
            Expr::Not(operand) => {
                self.push("NOT ");
                self.operand(operand, Strength::Atom)?;
            }
            Expr::Negate(operand) => {
                self.push("-");
                self.operand(operand, Strength::Atom)?;
            }
            Expr::IsNull { operand, negated } => {
                self.operand(operand, Strength::Sum)?;
                self.push(if *negated { " IS NOT NULL" } else { " IS NULL" });
            }
            Expr::In { list, negated, .. } if list.is_empty() => {
                self.push(if *negated { "1 = 1" } else { "1 = 0" });
            }
            Expr::In { operand, list, negated } => {
                self.dialect.write_in(self, operand, list, *negated)?;
            }
            Expr::Keys { columns, keys } => {
                let keys: Vec<Vec<Value>> = keys.clone();
                self.dialect.write_keys(self, columns, keys)?;
            }
            Expr::Between { operand, low, high } => {
                self.compared(operand, Strength::Sum)?;
                self.push(" BETWEEN ");
                self.operand(low, Strength::Sum)?;
                self.push(" AND ");
                self.operand(high, Strength::Sum)?;
            }
            Expr::Excluded(column) => {
                if !self.knows_excluded {
                    return Err(Error::misuse(format!(
                        "`excluded({}::{})` is the value that a row was to be inserted with: it \
                         means something in `on_conflict(…).update_with(…)` only",
                        column.table.model(),
                        column.table.columns()[column.column].field,
                    )));
                }
                self.dialect.write_excluded(self, &column.table.columns()[column.column]);
            }
            Expr::Tuple(parts) => {
                self.push("(");
                self.list(parts, Self::ordered)?;
                self.push(")");
            }
            Expr::Like { operand, pattern } => {
                if let Some(reason) = self.dialect.refuses_pattern(pattern) {
                    let error = ValueError::new(reason);
                    return Err(Error::Type { place: "the pattern of a LIKE".to_owned(), error });
                }
                self.operand(operand, Strength::Sum)?;
                self.push(" LIKE ");
                self.operand(pattern, Strength::Sum)?;
                self.push(" ESCAPE '!'");
            }
            Expr::Function(function, arguments) => self.function(*function, arguments)?,
            Expr::Case { branches, otherwise } => self.case(branches, otherwise.as_deref())?,
            Expr::Aggregate(aggregation) => self.dialect.write_aggregate(self, aggregation)?,
            Expr::Over(function, window) => self.over(function, window)?,
            Expr::Related { owner, target, relationship, condition } => {
                self.related(*owner, *target, relationship, condition.as_deref())?;
            }
            Expr::Exists(select) => {
                self.push("EXISTS (");
                self.subselect(select)?;
                self.push(")");
            }
            Expr::InSelect { operand, select, negated } => {
                self.comparand(operand)?;
                self.push(if *negated { " NOT IN (" } else { " IN (" });
                self.subselect(select)?;
                self.push(")");
            }
            Expr::Scalar(select) => {
                self.push("(");
                self.subselect(select)?;
                self.push(")");
            }
            Expr::Derived { table, column, .. } => {
                let label = self.label(table, Source::Scope)?;
                self.qualified(&label, column);
            }
            Expr::OwnerKey(at, _) => self.qualified(OWNERS, &owner_key(*at)),
            Expr::Mistaken(sentence) => return Err(Error::misuse(sentence.as_str())),
        }
        Ok(())
    }

    /// Pushes `left symbol right`, for the hook of a dialect that spells the operator its own
    /// way.
    pub(crate) fn infix(
        &mut self,
        left: &Expr,
        op: BinaryOp,
        symbol: &str,
        right: &Expr,
    ) -> Result<()> {
        let (on_the_left, on_the_right) = match (op, Strength::of_operator(op)) {
            (BinaryOp::Concat, _) => (Strength::Atom, Strength::Atom),
            (_, Strength::Sum) => (Strength::Sum, Strength::Product),
            (_, Strength::Product) => (Strength::Product, Strength::Atom),
            _ => (Strength::Sum, Strength::Sum),
        };
        if op.is_comparison() {
            self.compared(left, on_the_left)?;
        } else {
            self.operand(left, on_the_left)?;
        }
        self.push(" ");
        self.push(symbol);
        self.push(" ");
        self.operand(right, on_the_right)
    }

    /// Pushes the left side of a comparison, for the hook of a dialect that spells it its own way.
    pub(crate) fn comparand(&mut self, expr: &Expr) -> Result<()> {
        self.compared(expr, Strength::Sum)
    }

    /// Pushes `operand IN (a, b)`. A list of binds is padded by repeating the last one, so that
    /// lists of all lengths share a few texts.
    pub(crate) fn in_list(&mut self, operand: &Expr, list: &[Expr], negated: bool) -> Result<()> {
        self.comparand(operand)?;
        self.push(if negated { " NOT IN (" } else { " IN (" });
        self.list(list, Self::expr)?;
        if let Some(last @ Expr::Bind(_)) = list.last()
            && list.iter().all(|item| matches!(item, Expr::Bind(_)))
        {
            for _ in list.len()..padded_rows(list.len(), 1, self.dialect.max_binds()) {
                self.push(", ");
                self.expr(last)?;
            }
        }
        self.push(")");
        Ok(())
    }

    /// Pushes an expression, in parentheses unless it holds together tightly enough.
    pub(super) fn operand(&mut self, expr: &Expr, least: Strength) -> Result<()> {
        if Strength::of(expr) >= least {
            return self.expr(expr);
        }
        self.push("(");
        self.expr(expr)?;
        self.push(")");
        Ok(())
    }

    fn junction(
        &mut self,
        parts: &[Expr],
        word: &str,
        of_none: &str,
        least: Strength,
    ) -> Result<()> {
        match parts {
            [] => self.push(of_none),
            [one] => self.expr(one)?,
            // A chain is as deep as it is long, and databases limit the depth.
            parts if parts.len() > LONGEST_CHAIN => {
                for (at, part) in parts.chunks(LONGEST_CHAIN).enumerate() {
                    self.push(if at == 0 { "" } else { word });
                    self.push("(");
                    self.junction(part, word, of_none, least)?;
                    self.push(")");
                }
            }
            parts => {
                for (at, part) in parts.iter().enumerate() {
                    self.push(if at == 0 { "" } else { word });
                    self.operand(part, least)?;
                }
            }
        }
        Ok(())
    }

    /// A negative number is set in parentheses: two minus signs in a row begin a comment.
    fn integer(&mut self, value: i64) {
        let text = if value < 0 { format!("({value})") } else { value.to_string() };
        self.push(&text);
    }

    /// Pushes an EXISTS of the related rows of one occurrence of the owner's table.
    fn related(
        &mut self,
        owner: Source,
        target_source: Source,
        relationship: &'static Relationship,
        condition: Option<&Expr>,
    ) -> Result<()> {
        let link = *relationship.link()?;
        let owner_table = relationship.source();
        let owner = self.label(owner_table, owner)?;
        let target = relationship.target();
        self.push("EXISTS (SELECT 1 FROM ");
        match link {
            Link::Direct { foreign_key, .. } => {
                let here = relationship.kind() == RelationshipKind::BelongsTo;
                let (inner, outer) = if here {
                    (foreign_key.referenced(), foreign_key.columns())
                } else {
                    (foreign_key.columns(), foreign_key.referenced())
                };
                let related = self.inner_occurrence(target, target_source);
                self.occurrence(&related)?;
                self.push(" WHERE ");
                for (at, (&inner, &outer)) in inner.iter().zip(outer).enumerate() {
                    self.push(if at == 0 { "" } else { " AND " });
                    self.column_of(&related, inner);
                    self.push(" = ");
                    self.qualified_column(&owner, &owner_table.columns()[outer]);
                }
                self.condition(Scope::new(vec![related]), condition)?;
            }
            Link::Through(pair) => {
                let association = self.inner_occurrence(pair.table, Source::Scope);
                let related = self.inner_occurrence(target, target_source);
                self.occurrence(&association)?;
                if condition.is_some() {
                    self.push(" JOIN ");
                    self.occurrence(&related)?;
                    self.push(" ON ");
                    let columns = pair.target.referenced().iter().zip(pair.target.columns());
                    for (at, (&theirs, &ours)) in columns.enumerate() {
                        self.push(if at == 0 { "" } else { " AND " });
                        self.column_of(&related, theirs);
                        self.push(" = ");
                        self.column_of(&association, ours);
                    }
                }
                self.push(" WHERE ");
                let columns = pair.source.columns().iter().zip(pair.source.referenced());
                for (at, (&ours, &outer)) in columns.enumerate() {
                    self.push(if at == 0 { "" } else { " AND " });
                    self.column_of(&association, ours);
                    self.push(" = ");
                    self.qualified_column(&owner, &owner_table.columns()[outer]);
                }
                self.condition(Scope::new(vec![related, association]), condition)?;
            }
        }
        self.push(")");
        Ok(())
    }

    /// Pushes a further condition, in a scope of its own.
    fn condition(&mut self, scope: Scope, condition: Option<&Expr>) -> Result<()> {
        let Some(condition) = condition else { return Ok(()) };
        self.push(" AND ");
        self.within(scope, |w| w.operand(condition, Strength::Comparison))
    }
}
