//! From a relationship to the joins that follow it.

use crate::error::Result;
use crate::model::{ForeignKey, Link, Relationship, RelationshipKind, Table};
use crate::sql::{Alias, BinaryOp, ColumnRef, Expr, Join, JoinKind, OrderTerm, Source};

/// The columns that connect the two ends of a relationship directly, in the same order: the
/// owner's, and those of the target or of the association table that hold the same values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) owner: &'static [usize],
    pub(crate) far: &'static [usize],
    /// The association table, which has the far columns, and its foreign key to the target.
    pub(crate) through: Option<(&'static Table, &'static ForeignKey)>,
}

impl Ends {
    /// The ends of a relationship.
    ///
    /// # Errors
    /// `Misuse` where the mapping doesn't say which foreign key is meant.
    pub(crate) fn of(relationship: &'static Relationship) -> Result<Self> {
        Ok(match *relationship.link()? {
            // Which end has the key is a matter of the kind: in a tree both are one table.
            Link::Direct { foreign_key, .. } => match relationship.kind() {
                RelationshipKind::BelongsTo => Self {
                    owner: foreign_key.columns(),
                    far: foreign_key.referenced(),
                    through: None,
                },
                _ => Self {
                    owner: foreign_key.referenced(),
                    far: foreign_key.columns(),
                    through: None,
                },
            },
            Link::Through(pair) => Self {
                owner: pair.source.referenced(),
                far: pair.source.columns(),
                through: Some((pair.table, pair.target)),
            },
        })
    }
}

/// The joins that lead from an occurrence of the owner's table to one of the target's: one, or
/// two where they go through an association table, which takes the alias.
///
/// # Errors
/// `Misuse` where the mapping doesn't say which foreign key is meant.
pub(crate) fn joins(
    relationship: &'static Relationship,
    kind: JoinKind,
    owner: Source,
    target: Source,
    association: Alias,
) -> Result<Vec<Join>> {
    let ends = Ends::of(relationship)?;
    let (from, to) = (relationship.source(), relationship.target());
    Ok(match ends.through {
        None => {
            let on = equal((from, owner, ends.owner), (to, target, ends.far));
            vec![Join::table(kind, to, target, on)]
        }
        Some((table, key)) => {
            let source = Source::Alias(association);
            let near = equal((from, owner, ends.owner), (table, source, ends.far));
            vec![
                Join::table(kind, table, source, near),
                Join::table(kind, to, target, reaches(table, source, key, target)),
            ]
        }
    })
}

/// That a row with a foreign key points to the row of the key's target.
pub(crate) fn reaches(
    child: &'static Table,
    source: Source,
    key: &'static ForeignKey,
    target: Source,
) -> Expr {
    equal((child, source, key.columns()), (key.target(), target, key.referenced()))
}

/// That the columns of two occurrences are equal, pair by pair.
fn equal(
    (left, left_source, left_columns): (&'static Table, Source, &[usize]),
    (right, right_source, right_columns): (&'static Table, Source, &[usize]),
) -> Expr {
    let mut pairs = left_columns.iter().zip(right_columns).map(|(&left_column, &right_column)| {
        Expr::binary(
            Expr::Column(ColumnRef { table: left, column: left_column, source: left_source }),
            BinaryOp::Equal,
            Expr::Column(ColumnRef { table: right, column: right_column, source: right_source }),
        )
    });
    match (pairs.next(), pairs.next()) {
        (Some(only), None) => only,
        (first, second) => Expr::All(first.into_iter().chain(second).chain(pairs).collect()),
    }
}

/// The order of a relationship's members: the one that is asked for, else the relationship's own;
/// ties by key, so that every way to load them gives the same order.
pub(crate) fn member_order(
    relationship: &'static Relationship,
    asked: Vec<OrderTerm>,
) -> Vec<OrderTerm> {
    let target = relationship.target();
    let mut order = asked;
    if order.is_empty() {
        order.extend(relationship.member_order().into_iter().map(|(column, descending)| {
            OrderTerm::new(Expr::Column(ColumnRef::scoped(target, column)), descending)
        }));
    }
    for tie in key_order(target, Source::Scope) {
        if !order.iter().any(|term| term.is_of_column(&tie)) {
            order.push(tie);
        }
    }
    order
}

/// The order of a table's primary key.
pub(crate) fn key_order(table: &'static Table, source: Source) -> impl Iterator<Item = OrderTerm> {
    table.primary_key().iter().map(move |&column| {
        OrderTerm::new(Expr::Column(ColumnRef { table, column, source }), false)
    })
}
