//! The suite's tests of flush.
