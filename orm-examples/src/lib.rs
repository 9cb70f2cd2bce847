//! What the example programs share: the Chinook models with all that the `chinook` program does,
//! and the narration of `quickstart`.

pub mod chinook;
mod story;

pub use story::Story;
