//! The suite's tests of relationships: editing them, what follows from it, and loading them.

mod assignments;
mod both_sides;
mod cascade_matrix;
mod cascades;
mod criteria;
mod eager;
mod graphs;
mod large;
mod lazy;
mod many_to_many;
mod models;
mod narrowed;
mod one_to_one;
mod orphans;
mod passive_deletes;
mod random_graphs;
mod reviewed;
mod rollback;
mod same_loads;
mod self_references;
mod strategies;
mod strict;
mod trees;
