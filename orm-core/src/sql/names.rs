//! The names of constraints and indexes, by one convention.
//!
//! | what | name |
//! |---|---|
//! | primary key | `pk_<table>` |
//! | unique columns | `uq_<table>_<columns>` |
//! | index | `ix_<table>_<columns>` |
//! | foreign key | `fk_<table>_<columns>` |
//! | check of a column | `ck_<table>_<column>` |
//! | check of the table | `ck_<table>_<number>`, counted from one |
//!
//! Databases tell a violated constraint by its name: [`columns_of`] leads back to its columns.

use crate::model::{ForeignKey, Index, Table};

/// The longest identifier that every database accepts.
const LONGEST: usize = 63;

/// The name of the primary key.
pub(crate) fn primary_key(table: &Table) -> String {
    shortened(format!("pk_{}", table.name()))
}

/// The name of a unique constraint.
pub(crate) fn unique(table: &Table, unique: &Index) -> String {
    unique.name.map_or_else(|| over_columns("uq", table, &unique.columns), str::to_owned)
}

/// The name of an index.
pub(crate) fn index(table: &Table, index: &Index) -> String {
    index.name.map_or_else(|| over_columns("ix", table, &index.columns), str::to_owned)
}

/// The name of a foreign key.
pub(crate) fn foreign_key(table: &Table, key: &ForeignKey) -> String {
    over_columns("fk", table, key.columns())
}

/// The name of the check of a column.
pub(crate) fn column_check(table: &Table, column: usize) -> String {
    over_columns("ck", table, &[column])
}

/// The name of a check of the table, by its position.
pub(crate) fn table_check(table: &Table, position: usize) -> String {
    shortened(format!("ck_{}_{}", table.name(), position + 1))
}

/// The positions of the columns of the constraint of this name, if the table has it. None for a
/// check of the whole table.
pub(crate) fn columns_of(table: &Table, constraint: &str) -> Option<Vec<usize>> {
    let uniques = table.uniques().iter().find(|index| unique(table, index) == constraint);
    let keys = || table.foreign_keys().iter().find(|key| foreign_key(table, key) == constraint);
    let checked = || (0..table.columns().len()).find(|&at| column_check(table, at) == constraint);
    let checks = || (0..table.checks().len()).find(|&at| table_check(table, at) == constraint);
    if primary_key(table) == constraint {
        return Some(table.primary_key().to_vec());
    }
    uniques
        .map(|index| index.columns.clone())
        .or_else(|| keys().map(|key| key.columns().to_vec()))
        .or_else(|| checked().map(|column| vec![column]))
        .or_else(|| checks().map(|_| Vec::new()))
}

/// The name of the unique constraint or primary key over exactly these columns, in this order.
pub(crate) fn unique_over(table: &Table, columns: &[usize]) -> Option<String> {
    if table.primary_key() == columns {
        return Some(primary_key(table));
    }
    table.uniques().iter().find(|index| index.columns == columns).map(|index| unique(table, index))
}

fn over_columns(prefix: &str, table: &Table, columns: &[usize]) -> String {
    let mut name = format!("{prefix}_{}", table.name());
    for &column in columns {
        name.push('_');
        name.push_str(table.columns()[column].name);
    }
    shortened(name)
}

/// Cuts a name that is too long and tells it apart from others with the same beginning by a hash
/// of the whole, which must not change between versions: FNV-1a.
fn shortened(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut end = LONGEST - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{hash:08x}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::testing::{posts, users};

    #[test]
    fn names_lead_back_to_their_columns() {
        let (users, posts) = (users(), posts());
        for (table, name, columns) in [
            (users, "pk_users", vec!["id"]),
            (users, "uq_users_email", vec!["email"]),
            (users, "ck_users_age", vec!["age"]),
            (posts, "fk_posts_user_id", vec!["user_id"]),
            (users, "ck_users_1", vec![]),
        ] {
            let found = columns_of(table, name).expect(name);
            let found: Vec<_> = found.iter().map(|&at| table.columns()[at].name).collect();
            assert_eq!(found, columns, "{name}");
        }
        assert_eq!(columns_of(users, "uq_users_name"), None);
    }

    #[test]
    fn long_names_are_cut_and_stay_distinct() {
        let one = shortened(format!("uq_{}_a", "long".repeat(20)));
        let other = shortened(format!("uq_{}_b", "long".repeat(20)));
        assert_eq!(one.len(), LONGEST);
        assert_ne!(one, other);
    }
}
