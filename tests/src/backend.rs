//! The databases that the suite runs on, and where they differ.

/// A database that a test can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// SQLite, in a database of the test's own in memory.
    Sqlite,
    /// PostgreSQL, in a schema of the test's own.
    Postgres,
    /// MariaDB, in a database of the test's own.
    MariaDb,
    /// MariaDB as MySQL is spoken to: without RETURNING.
    MariaDbWithoutReturning,
}

/// What a backend can do, where they differ: what tests ask instead of its name.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// `INSERT … RETURNING`: generated columns come back with the statement.
    pub returning_on_insert: bool,
    /// `UPDATE … RETURNING`: computed columns come back with the statement.
    pub returning_on_update: bool,
    /// `DELETE … RETURNING`: missing rows can be told apart.
    pub returning_on_delete: bool,
    /// Enums are types of the schema's own.
    pub native_enum: bool,
    /// Arrays are no documents.
    pub native_array: bool,
    /// Constraints can be checked at COMMIT.
    pub deferrable: bool,
    /// What creates and drops tables can be rolled back.
    pub transactional_ddl: bool,
    /// `SELECT … FOR UPDATE SKIP LOCKED`.
    pub skip_locked: bool,
    /// A table's `schema` is a namespace of the database, not a part of the table's name.
    pub schemas: bool,
    /// NULLs come first in an ascending order that doesn't say where.
    pub nulls_first: bool,
    /// One transaction writes at a time, whatever it writes: the others wait for their turn.
    pub single_writer: bool,
    /// A row that a transaction has changed makes a second writer wait for its end. Otherwise the
    /// second writer waits for the first transaction, whatever it has changed.
    pub row_locks: bool,
    /// A column of floats can hold NaN.
    pub nan: bool,
    /// A column of floats can hold infinity.
    pub infinity: bool,
    /// The first year of a date.
    pub earliest_year: i32,
    /// The last year of a date.
    pub latest_year: i32,
    /// A column of decimals without a scale keeps that of each value: `1.50` is not `1.5`.
    pub keeps_scale: bool,
    /// Text can hold NUL.
    pub nul_in_text: bool,
    /// A violated foreign key is named by the error.
    pub names_foreign_key: bool,
    /// A violated CHECK, or a text that is too long, is told as such, with its column.
    pub names_length: bool,
    /// An SQL expression that gives another text of 32 characters for each row.
    pub random_text: &'static str,
}

impl Backend {
    /// What it can do.
    pub fn capabilities(self) -> Capabilities {
        const MARIADB: Capabilities = Capabilities {
            returning_on_insert: true,
            returning_on_update: false,
            returning_on_delete: true,
            native_enum: false,
            native_array: false,
            deferrable: false,
            transactional_ddl: false,
            skip_locked: true,
            schemas: true,
            nulls_first: true,
            single_writer: false,
            row_locks: true,
            nan: false,
            infinity: false,
            earliest_year: 0,
            latest_year: 9999,
            keeps_scale: false,
            nul_in_text: true,
            names_foreign_key: true,
            names_length: false,
            random_text: "md5(uuid())",
        };
        match self {
            Self::Sqlite => Capabilities {
                returning_on_insert: true,
                returning_on_update: true,
                returning_on_delete: true,
                native_enum: false,
                native_array: false,
                deferrable: true,
                transactional_ddl: true,
                skip_locked: false,
                schemas: false,
                nulls_first: true,
                single_writer: true,
                row_locks: false,
                nan: false,
                infinity: true,
                earliest_year: 0,
                latest_year: 9999,
                keeps_scale: true,
                nul_in_text: true,
                names_foreign_key: false,
                names_length: true,
                random_text: "lower(hex(randomblob(16)))",
            },
            Self::Postgres => Capabilities {
                returning_on_insert: true,
                returning_on_update: true,
                returning_on_delete: true,
                native_enum: true,
                native_array: true,
                deferrable: true,
                transactional_ddl: true,
                skip_locked: true,
                schemas: true,
                nulls_first: false,
                single_writer: false,
                row_locks: true,
                nan: true,
                infinity: true,
                earliest_year: -4712,
                latest_year: 262_142,
                keeps_scale: true,
                nul_in_text: false,
                names_foreign_key: true,
                names_length: false,
                random_text: "md5(gen_random_uuid()::text)",
            },
            Self::MariaDb => MARIADB,
            Self::MariaDbWithoutReturning => {
                Capabilities { returning_on_insert: false, returning_on_delete: false, ..MARIADB }
            }
        }
    }
}
