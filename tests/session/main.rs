//! The suite's tests of session.
