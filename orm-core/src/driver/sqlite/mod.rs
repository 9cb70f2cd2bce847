//! SQLite, called in place: statements run on the caller's thread, and rows are decoded where SQLite
//! has put them. What may take long is kept off the threads that others wait for: `connection`
//! says where a statement runs. `pool` has the connections, `database` is one of them, `ground`
//! tells what thread the caller is on, `pace` what a statement has taken before. `sqlx_pool` is for
//! pools of sqlx's.

mod batch;
mod cells;
mod connection;
mod database;
mod errors;
mod ground;
mod memory;
mod pace;
mod pool;
#[cfg(feature = "sqlx-sqlite")]
mod sqlx_pool;
mod stored;
#[cfg(test)]
mod tests;
mod text;
mod url;

use std::cmp::Ordering;

pub(super) use self::pool::open;
#[cfg(feature = "sqlx-sqlite")]
pub(super) use self::sqlx_pool::adopt;

/// Compares two texts as the decimals that they are, and else as texts. The text of a float, which
/// SQLite calculates decimals with, is one too.
#[cfg(feature = "decimal")]
fn compare_decimals(left: &str, right: &str) -> Ordering {
    use rust_decimal::Decimal;
    let decimal = |text: &str| text.parse().or_else(|_| Decimal::from_scientific(text));
    match (decimal(left), decimal(right)) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

/// Without decimals nothing is compared by this collation.
#[cfg(not(feature = "decimal"))]
fn compare_decimals(left: &str, right: &str) -> Ordering {
    left.cmp(right)
}

/// What every connection needs: foreign keys are enforced, and LIKE goes by case, as on the other
/// databases.
const SETTINGS: &str = "PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON";
