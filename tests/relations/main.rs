//! The suite's tests of relationships: editing them, what follows from it, and loading them.

mod assignments;
mod both_sides;
mod cascade_matrix;
mod cascades;
mod eager;
mod graphs;
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
mod self_references;
