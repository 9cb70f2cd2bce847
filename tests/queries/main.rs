//! Queries on sessions and on engines: conditions, joins, projections, verbs, views.

mod aggregates;
mod comparisons;
mod conditions;
mod decimals;
mod find_or_add;
mod hostile;
mod joins;
mod models;
mod orders;
mod related;
mod slices;
mod statements;
mod text;
mod verbs;
mod views;
