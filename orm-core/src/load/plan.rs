//! Which relationship is loaded how: the query's options over the model's defaults.

use crate::error::{Error, Result};
use crate::model::{ColumnSet, Relationship, RelationshipKind, Strategy, Table};
use crate::query::{Levels, LoadOption};
use crate::sql::{Expr, OrderTerm};

/// How an eager load gets at the members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By a join of the query itself.
    Joined,
    /// By a statement with the keys of the owners.
    Keys,
    /// By a statement that embeds the owners' query.
    Query,
    /// By a statement that follows the relationship to its end.
    Tree,
}

/// One relationship to load with a query, and what to load below it.
#[derive(Clone, Debug)]
pub(crate) struct LoadNode {
    pub(crate) relationship: &'static Relationship,
    pub(crate) how: How,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Vec<OrderTerm>,
    /// At most this many members per owner.
    pub(crate) limit: Option<u64>,
    /// The deferred columns of the members that are loaded all the same.
    pub(crate) undeferred: ColumnSet,
    pub(crate) children: Vec<LoadNode>,
}

impl LoadNode {
    /// All members of a relationship, by keys.
    pub(crate) fn of(relationship: &'static Relationship, children: Vec<LoadNode>) -> Self {
        let (filter, order, limit) = (None, Vec::new(), None);
        let undeferred = ColumnSet::default();
        Self { relationship, how: How::Keys, filter, order, limit, undeferred, children }
    }

    /// Whether the query itself loads it.
    pub(crate) fn is_joined(&self) -> bool {
        self.how == How::Joined
    }

    /// Whether what is loaded says nothing of the whole.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.filter.is_some() || self.limit.is_some()
    }

    /// Whether an owner may have several rows, which come in an order then. A to-one whose key is
    /// on the other side has more than it should where nothing keeps that key unique.
    pub(crate) fn leads_to_several(&self) -> bool {
        match self.relationship.kind() {
            RelationshipKind::BelongsTo => false,
            RelationshipKind::HasOne => !self.relationship.has_unique_key(),
            RelationshipKind::HasMany | RelationshipKind::ManyToMany => true,
        }
    }
}

/// Whether anything is loaded by embedding the query of the nodes' owners.
pub(crate) fn embed_their_query(nodes: &[LoadNode]) -> bool {
    let joined_ones = |node: &LoadNode| node.is_joined() && embed_their_query(&node.children);
    nodes.iter().any(|node| node.how == How::Query || joined_ones(node))
}

/// What to load with a query on a table: its options, else the defaults of its relationships. A
/// default that leads back to a table it came from is not followed, or a pair of eager
/// relationships would never end.
///
/// # Errors
/// `Misuse` for options that contradict each other.
pub(crate) fn plan_loads(table: &'static Table, options: &[LoadOption]) -> Result<Vec<LoadNode>> {
    plan_below(table, options, &mut vec![table])
}

fn plan_below(
    table: &'static Table,
    options: &[LoadOption],
    path: &mut Vec<&'static Table>,
) -> Result<Vec<LoadNode>> {
    let mut nodes = Vec::new();
    for relationship in table.relationships() {
        let mut chosen =
            options.iter().filter(|option| std::ptr::eq(option.relationship, relationship));
        let Some(first) = chosen.next() else {
            let is_eager = how(relationship.lazy()).is_some();
            if is_eager && !path.contains(&relationship.target()) {
                nodes.extend(node(LoadOption::of(relationship), path)?);
            }
            continue;
        };
        // The same relationship named several times: the last says how, all say what below.
        let option = chosen.fold(first.clone(), |before, option| LoadOption {
            children: [before.children, option.children.clone()].concat(),
            undeferred: before.undeferred.iter().chain(option.undeferred.iter()).collect(),
            ..option.clone()
        });
        nodes.extend(node(option, path)?);
    }
    Ok(nodes)
}

/// What a strategy means for a query; `None` if it doesn't load.
fn how(strategy: Strategy) -> Option<How> {
    match strategy {
        Strategy::Joined => Some(How::Joined),
        Strategy::SelectIn => Some(How::Keys),
        Strategy::Subquery => Some(How::Query),
        Strategy::Select | Strategy::Raise | Strategy::WriteOnly => None,
    }
}

fn node(option: LoadOption, path: &mut Vec<&'static Table>) -> Result<Option<LoadNode>> {
    let relationship = option.relationship;
    let asked = match option.strategy {
        Some(strategy) => how(strategy),
        None => Some(how(relationship.lazy()).unwrap_or(How::Keys)),
    };
    let Some(mut how) = asked else { return Ok(None) };
    // An owner has one such member at most.
    let limit = option.limit.filter(|_| relationship.kind().is_to_many());
    if limit.is_some() && how == How::Joined {
        // A limit is per owner: a join would have to rank every row of the table.
        how = How::Keys;
    }
    let mut below = option.children.clone();
    match option.levels {
        Levels::Number(0) => return Ok(None),
        Levels::Number(1) => {}
        Levels::Number(levels) => {
            below.push(LoadOption { levels: Levels::Number(levels - 1), ..option.clone() });
        }
        Levels::All if limit.is_some() => {
            return Err(Error::misuse(format!(
                "`{}::{}.recursive()` loads every level at once, which can't be limited: take \
                 `depth(…)`",
                relationship.source().model(),
                relationship.name(),
            )));
        }
        Levels::All => {
            how = How::Tree;
            // Its own next level is not one that is loaded below it.
            below.push(LoadOption::of(relationship).with(Strategy::Select));
        }
    }
    path.push(relationship.target());
    let children = plan_below(relationship.target(), &below, path);
    path.pop();
    let LoadOption { filter, order, undeferred, .. } = option;
    let children = children?;
    Ok(Some(LoadNode { relationship, how, filter, order, limit, undeferred, children }))
}
