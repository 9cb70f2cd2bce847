//! The suite's tests of mapping.
