//! What the example programs are made of: the Chinook models with all that the `chinook` program
//! does, the narration of `quickstart`, the audited application of `hooks`, and the one that `web`
//! serves.

pub mod audit;
pub mod chinook;
mod story;
pub mod web;

pub use story::Story;
