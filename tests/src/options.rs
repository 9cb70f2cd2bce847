//! The options of a test's engine, whether it opens its own pool or is given one of sqlx's.

use std::time::Duration;

use orm_core::engine::{EngineBuilder, Naming};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

/// What [`EngineBuilder`] can be told: a test says it once, for every backend.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct EngineOptions {
    max_connections: Option<u32>,
    acquire_timeout: Option<Duration>,
    busy_timeout: Option<Duration>,
    transaction_pooling: Option<bool>,
    returning: Option<bool>,
    counted_keys: Option<bool>,
    naming: Option<Naming>,
}

/// Setters of the same names as the builder's.
macro_rules! setters {
    ($($name:ident: $type:ty),+ $(,)?) => {
        impl EngineOptions {
            $(
                /// As the builder's.
                pub fn $name(self, $name: $type) -> Self {
                    Self { $name: Some($name), ..self }
                }
            )+

            /// The builder with all of them.
            pub(crate) fn apply(self, mut engine: EngineBuilder) -> EngineBuilder {
                $(
                    if let Some($name) = self.$name {
                        engine = engine.$name($name);
                    }
                )+
                engine
            }
        }
    };
}

setters!(
    max_connections: u32,
    acquire_timeout: Duration,
    busy_timeout: Duration,
    transaction_pooling: bool,
    returning: bool,
    counted_keys: bool,
    naming: Naming,
);

impl EngineOptions {
    /// The options of a pool that the engine is given.
    pub(crate) fn pool(&self) -> SqlitePoolOptions {
        SqlitePoolOptions::new()
            .max_connections(self.max_connections.unwrap_or(10))
            .acquire_timeout(self.acquire_timeout.unwrap_or(Duration::from_secs(30)))
    }

    /// The options of that pool's connections.
    pub(crate) fn connections(&self) -> SqliteConnectOptions {
        let busy_timeout = self.busy_timeout.unwrap_or(Duration::from_secs(5));
        SqliteConnectOptions::new().busy_timeout(busy_timeout)
    }
}
