//! A declarative ORM with a real session and unit of work.
mod driver;
pub mod error;
mod flush;
mod load;
pub mod model;
pub mod query;
pub mod session;
mod sql;
mod tracking;
pub mod value;

#[doc(hidden)]
pub mod codegen_support;

pub use driver::{Engine, EngineBuilder, Logged, Schema, StatementKind, StatementLog};
pub use error::{Error, Result};
pub use model::{
    Base, BelongsTo, Column, Entity, Handle, HasMany, HasOne, ManyToMany, Model, Relation,
};
pub use orm_derive::{BaseColumns, ColumnType, Enum, Model};
pub use session::{Graph, Session, SessionFactory};
pub use value::Json;
