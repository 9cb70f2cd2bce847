//! The programs of the contract at the level of builders: that they infer, and their trees.

mod models;
mod print;
mod queries;
mod views;
