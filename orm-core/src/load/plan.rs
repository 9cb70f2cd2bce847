//! Which relationship is loaded how: the query's options over the model's defaults.

use crate::model::{Relationship, Strategy, Table};
use crate::query::LoadOption;
use crate::sql::{Expr, OrderTerm};

/// One relationship to load with a query, and what to load below it.
#[derive(Clone, Debug)]
pub(crate) struct LoadNode {
    pub(crate) relationship: &'static Relationship,
    /// By a join of the query itself; else by a statement of its own.
    pub(crate) joined: bool,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Vec<OrderTerm>,
    /// At most this many members per owner.
    pub(crate) limit: Option<u64>,
    pub(crate) children: Vec<LoadNode>,
}

impl LoadNode {
    /// Whether what is loaded says nothing of the whole.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.filter.is_some() || self.limit.is_some()
    }
}

/// What to load with a query on a table: its options, else the defaults of its relationships. A
/// default that leads back to a table it came from is not followed, or a pair of eager
/// relationships would never end.
pub(crate) fn plan_loads(table: &'static Table, options: &[LoadOption]) -> Vec<LoadNode> {
    plan_below(table, options, &mut vec![table])
}

fn plan_below(
    table: &'static Table,
    options: &[LoadOption],
    path: &mut Vec<&'static Table>,
) -> Vec<LoadNode> {
    let mut nodes = Vec::new();
    for relationship in table.relationships() {
        let chosen: Vec<&LoadOption> = options
            .iter()
            .filter(|option| std::ptr::eq(option.relationship, relationship))
            .collect();
        let Some(last) = chosen.last() else {
            let eager = matches!(
                relationship.lazy(),
                Strategy::Joined | Strategy::SelectIn | Strategy::Subquery
            );
            if eager && !path.contains(&relationship.target()) {
                nodes.push(node(relationship, relationship.lazy(), None, path));
            }
            continue;
        };
        // The same relationship named twice: the last says how, all say what below.
        let strategy = last.strategy.unwrap_or(match relationship.lazy() {
            Strategy::Joined => Strategy::Joined,
            _ => Strategy::SelectIn,
        });
        if matches!(strategy, Strategy::Select | Strategy::Raise | Strategy::WriteOnly) {
            continue;
        }
        let mut merged = (*last).clone();
        merged.children = chosen.iter().flat_map(|option| option.children.clone()).collect();
        nodes.push(node(relationship, strategy, Some(merged), path));
    }
    nodes
}

fn node(
    relationship: &'static Relationship,
    strategy: Strategy,
    option: Option<LoadOption>,
    path: &mut Vec<&'static Table>,
) -> LoadNode {
    path.push(relationship.target());
    let options = option.as_ref().map_or(&[][..], |option| &option.children);
    let children = plan_below(relationship.target(), options, path);
    path.pop();
    let (filter, order, limit) =
        option.map_or((None, Vec::new(), None), |o| (o.filter, o.order, o.limit));
    LoadNode {
        relationship,
        // A limit is per owner, which a join can't count.
        joined: strategy == Strategy::Joined && limit.is_none(),
        filter,
        order,
        limit,
        children,
    }
}
