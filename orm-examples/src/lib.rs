//! What the example programs are made of: the Chinook models with all that the `chinook` program
//! does, the narration of `quickstart`, and the application that `web` serves.

pub mod chinook;
mod story;
pub mod web;

pub use story::Story;
