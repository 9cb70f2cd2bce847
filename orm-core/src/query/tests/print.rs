//! Trees as compact text, so that a test can say what it expects.

use crate::model::Table;
use crate::sql::{self, Alias, ColumnRef, Expr, From, JoinKind, OrderTerm, Source};

/// A whole SELECT.
pub(super) fn select(tree: &sql::Select) -> String {
    let mut text = String::from("SELECT ");
    if tree.distinct {
        text += "DISTINCT ";
    }
    text += &list(&tree.columns, |(column, name)| match name {
        Some(name) => format!("{} AS {name}", expr(column)),
        None => expr(column),
    });
    text += " FROM ";
    text += &from(&tree.from);
    for join in &tree.joins {
        let kind = match join.kind {
            JoinKind::Inner => "JOIN",
            JoinKind::Left => "LEFT JOIN",
        };
        let table = match join.from.occurrence() {
            Some((table, source @ Source::Alias(_))) => {
                format!("{} AS {}", table.name(), occurrence(table, source))
            }
            _ => from(&join.from),
        };
        text += &format!(" {kind} {table} ON {}", expr(&join.on));
    }
    if let Some(filter) = &tree.filter {
        text += &format!(" WHERE {}", expr(filter));
    }
    if !tree.group_by.is_empty() {
        text += &format!(" GROUP BY {}", list(&tree.group_by, expr));
    }
    if let Some(having) = &tree.having {
        text += &format!(" HAVING {}", expr(having));
    }
    if !tree.order_by.is_empty() {
        text += &format!(" ORDER BY {}", list(&tree.order_by, order));
    }
    if let Some(limit) = tree.limit {
        text += &format!(" LIMIT {limit}");
    }
    if let Some(offset) = tree.offset {
        text += &format!(" OFFSET {offset}");
    }
    text
}

/// An expression; binds show their value.
pub(super) fn expr(tree: &Expr) -> String {
    let not = |negated: bool| if negated { "NOT " } else { "" };
    match tree {
        Expr::Column(ColumnRef { table, column, source }) => {
            format!("{}.{}", occurrence(table, *source), table.columns()[*column].name)
        }
        Expr::Bind(bind) => format!("{:?}", bind.value),
        Expr::Integer(number) => number.to_string(),
        Expr::Binary(left, op, right) => format!("({} {op:?} {})", expr(left), expr(right)),
        Expr::All(all) => format!("all({})", list(all, expr)),
        Expr::Any(any) => format!("any({})", list(any, expr)),
        Expr::Not(inner) => format!("NOT {}", expr(inner)),
        Expr::Negate(inner) => format!("-{}", expr(inner)),
        Expr::IsNull { operand, negated } => format!("{} IS {}NULL", expr(operand), not(*negated)),
        Expr::In { operand, list: values, negated } => {
            format!("{} {}IN ({})", expr(operand), not(*negated), list(values, expr))
        }
        Expr::Keys { columns, keys } => {
            let columns = list(columns, |column| expr(&Expr::Column(*column)));
            format!("({columns}) KEYS {keys:?}")
        }
        Expr::Between { operand, low, high } => {
            format!("{} BETWEEN {} AND {}", expr(operand), expr(low), expr(high))
        }
        Expr::Like { operand, pattern } => format!("{} LIKE {}", expr(operand), expr(pattern)),
        Expr::Function(function, arguments) => format!("{function:?}({})", list(arguments, expr)),
        Expr::Aggregate(aggregation) => format!(
            "{:?}({}{})",
            aggregation.function,
            if aggregation.distinct { "DISTINCT " } else { "" },
            aggregation.operand.as_ref().map_or("*".into(), expr)
        ),
        Expr::Related { relationship, condition, .. } => format!(
            "related({}{})",
            relationship.name(),
            condition.as_deref().map_or(String::new(), |inner| format!(": {}", expr(inner)))
        ),
        other => format!("{other:?}"),
    }
}

fn order(term: &OrderTerm) -> String {
    let direction = if term.descending { " DESC" } else { "" };
    let nulls = match term.nulls_first {
        None => "",
        Some(true) => " NULLS FIRST",
        Some(false) => " NULLS LAST",
    };
    format!("{}{direction}{nulls}", expr(&term.expr))
}

fn from(from: &From) -> String {
    match from {
        From::Table(table, source) => occurrence(table, *source),
        From::Derived(body, table, _) => {
            format!("({}) AS {}", list(body.selects(), select), table.name())
        }
        other => format!("{other:?}"),
    }
}

fn occurrence(table: &Table, source: Source) -> String {
    match source {
        Source::Scope => table.name().into(),
        Source::Tag(tag) => tag.label(),
        Source::Alias(Alias(number)) => format!("{}_{number}", table.name()),
    }
}

fn list<T>(items: &[T], print: impl Fn(&T) -> String) -> String {
    items.iter().map(print).collect::<Vec<_>>().join(", ")
}
