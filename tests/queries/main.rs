//! The suite's tests of queries.
