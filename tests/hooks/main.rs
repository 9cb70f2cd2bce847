//! The suite's tests of looking at what a flush will write, and of the hooks that run as it does.

mod inspection;
mod models;
