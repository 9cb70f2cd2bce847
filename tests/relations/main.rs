//! The suite's tests of relations.
