//! Queries on sessions and on engines: conditions, joins, projections, verbs, views.

mod aggregates;
mod arrays;
mod case;
mod casts;
mod comparisons;
mod conditions;
mod date_functions;
mod decimals;
mod distinct_on;
mod find_or_add;
mod hostile;
mod joins;
mod json;
mod models;
mod number_functions;
mod orders;
mod raw;
mod related;
mod slices;
mod statements;
mod streams;
mod text;
mod text_functions;
mod verbs;
mod views;
mod windows;
