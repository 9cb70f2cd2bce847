//! The suite's tests of looking at what a flush will write, and of the hooks that run as it does.

mod after_load;
mod endings;
mod example;
mod inspection;
mod model_hooks;
mod models;
mod session_hooks;
