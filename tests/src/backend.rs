//! The databases that the suite runs on, and where they differ.

use chrono::NaiveDate;

/// A database that a test can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// SQLite, in a database of the test's own in memory.
    Sqlite,
    /// SQLite over a pool of sqlx's that the engine is given, in a file of the test's own.
    SqlxSqlite,
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
    /// Constraints can be checked at COMMIT.
    pub deferrable: bool,
    /// ON UPDATE CASCADE may lead back into the table that it came from.
    pub cascades_in_circles: bool,
    /// What creates and drops tables can be rolled back.
    pub transactional_ddl: bool,
    /// NULLs come first in an ascending order that doesn't say where.
    pub nulls_first: bool,
    /// One transaction writes at a time, whatever it writes: the others wait for their turn.
    pub single_writer: bool,
    /// A serializable transaction reads a snapshot and locks nothing.
    pub snapshot_when_serializable: bool,
    /// A statement that fails takes the whole transaction with it.
    pub fails_as_a_whole: bool,
    /// A violated foreign key is told by its columns, whatever its name.
    pub tells_foreign_keys: bool,
    /// A column of floats can hold NaN.
    pub nan: bool,
    /// A column of floats can hold infinity.
    pub infinity: bool,
    /// The first day of the calendar.
    pub first_day: NaiveDate,
    /// The last day of the calendar.
    pub last_day: NaiveDate,
    /// A column of decimals without a scale keeps that of each value: `1.50` is not `1.5`.
    pub keeps_scale: bool,
    /// Text and documents can hold NUL.
    pub nul_in_text: bool,
    /// How deep the arrays and objects of a document may nest.
    pub json_depth: usize,
    /// It can tell whether a document contains another.
    pub contains_documents: bool,
    /// The most rows of one shape that a flush writes in one statement.
    pub rows_per_statement: usize,
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
            deferrable: false,
            cascades_in_circles: false,
            transactional_ddl: false,
            nulls_first: true,
            single_writer: false,
            snapshot_when_serializable: false,
            fails_as_a_whole: false,
            tells_foreign_keys: true,
            nan: false,
            infinity: false,
            first_day: day(0, 1, 1),
            last_day: day(9999, 12, 31),
            keeps_scale: false,
            nul_in_text: true,
            json_depth: 31,
            contains_documents: true,
            rows_per_statement: 500,
            random_text: "md5(uuid())",
        };
        match self {
            Self::Sqlite | Self::SqlxSqlite => Capabilities {
                returning_on_insert: true,
                returning_on_update: true,
                returning_on_delete: true,
                native_enum: false,
                deferrable: true,
                cascades_in_circles: true,
                transactional_ddl: true,
                nulls_first: true,
                single_writer: true,
                snapshot_when_serializable: true,
                fails_as_a_whole: false,
                tells_foreign_keys: false,
                nan: false,
                infinity: true,
                first_day: day(0, 1, 1),
                last_day: day(9999, 12, 31),
                keeps_scale: true,
                nul_in_text: true,
                json_depth: 127,
                contains_documents: false,
                rows_per_statement: 500,
                random_text: "lower(hex(randomblob(16)))",
            },
            Self::Postgres => Capabilities {
                returning_on_insert: true,
                returning_on_update: true,
                returning_on_delete: true,
                native_enum: true,
                deferrable: true,
                cascades_in_circles: true,
                transactional_ddl: true,
                nulls_first: false,
                single_writer: false,
                snapshot_when_serializable: true,
                fails_as_a_whole: true,
                tells_foreign_keys: true,
                nan: true,
                infinity: true,
                first_day: day(-4713, 11, 24),
                last_day: NaiveDate::MAX,
                keeps_scale: true,
                nul_in_text: false,
                json_depth: 127,
                contains_documents: true,
                rows_per_statement: 1000,
                random_text: "md5(gen_random_uuid()::text)",
            },
            Self::MariaDb => MARIADB,
            Self::MariaDbWithoutReturning => {
                Capabilities { returning_on_insert: false, returning_on_delete: false, ..MARIADB }
            }
        }
    }
}

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}
