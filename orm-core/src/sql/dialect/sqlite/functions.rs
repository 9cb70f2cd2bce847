//! How SQLite writes functions. It is built without those of mathematics; dates and times are
//! texts of a fixed width, arrays are JSON.

use crate::error::{Error, Result};
use crate::sql::dialect::common_template;
use crate::sql::expr::{Function, Unit};
#[cfg(feature = "uuid")]
use crate::value::SqlType;

/// The SQL of a function, its arguments being `$0`, `$1` and so on.
pub(super) fn template(function: Function) -> Result<&'static str> {
    use Function::*;
    Ok(match function {
        NullIf => "nullif(~0, $1)",
        Greatest => "max(~0, $1)",
        Least => "min(~0, $1)",
        Right => "substr($0, -$1)",
        Repeat => "replace(hex(zeroblob($1)), '00', $0)",
        Position => "(nullif(instr($0, $1), 0) - 1)",
        // From two to the power of 52 on a float has nothing behind the point.
        Floor => {
            "(CASE WHEN abs($0) < 4503599627370496.0 \
             THEN (CAST($0 AS INTEGER) - ($0 < CAST($0 AS INTEGER))) * 1.0 ELSE $0 END)"
        }
        Ceil => {
            "(CASE WHEN abs($0) < 4503599627370496.0 \
             THEN (CAST($0 AS INTEGER) + ($0 > CAST($0 AS INTEGER))) * 1.0 ELSE $0 END)"
        }
        // The float below a half makes halves go up, and what is less than a half stay below.
        Round | RoundDecimal => {
            "(CASE WHEN abs($0 * $2) < 4503599627370496.0 \
             THEN CAST($0 * $2 + sign($0) * 0.49999999999999994 AS INTEGER) * 1.0 \
             ELSE $0 * $2 END / $2)"
        }
        Power => {
            "(WITH RECURSIVE power(step, value) AS (SELECT 0, 1.0 UNION ALL \
             SELECT step + 1, value * $0 FROM power WHERE step < abs($1)) \
             SELECT CASE WHEN $1 < 0 THEN 1.0 / value ELSE value END \
             FROM power ORDER BY step DESC LIMIT 1)"
        }
        // Newton's method, from a number of as many digits on.
        Sqrt => {
            "(CASE WHEN $0 = 0 THEN 0.0 WHEN $0 > 0 THEN (\
             WITH RECURSIVE root(step, value) AS (\
             SELECT 0, CAST('1e' || (CAST(substr(printf('%e', $0), -3) AS INTEGER) / 2) AS REAL) \
             UNION ALL SELECT step + 1, (value + $0 / value) / 2 FROM root WHERE step < 10) \
             SELECT value FROM root ORDER BY step DESC LIMIT 1) END)"
        }
        IntegerToText | ToDecimal => "CAST($0 AS TEXT)",
        ToDouble => "CAST($0 AS REAL)",
        ToInteger => "CAST($0 AS INTEGER)",
        TextToInteger => {
            "(CASE WHEN length($0) BETWEEN 1 AND 19 AND substr($0, \
             1 + (substr($0, 1, 1) IN ('-', '+'))) NOT GLOB '*[^0-9]*' \
             AND length($0) - (substr($0, 1, 1) IN ('-', '+')) BETWEEN 1 AND 18 \
             THEN CAST($0 AS INTEGER) END)"
        }
        TextToDouble => {
            "(CASE WHEN json_valid($0) AND $0 GLOB '[-0-9]*' AND $0 NOT GLOB '*[^-.0-9]*' \
             AND length($0) <= 300 THEN CAST($0 AS REAL) END)"
        }
        Year => "CAST(substr($0, 1, 4) AS INTEGER)",
        Month => "CAST(substr($0, 6, 2) AS INTEGER)",
        Day => "CAST(substr($0, 9, 2) AS INTEGER)",
        Weekday => "((CAST(strftime('%w', substr($0, 1, 10)) AS INTEGER) + 6) % 7 + 1)",
        Hour => "CAST(substr($0, 12, 2) AS INTEGER)",
        Minute => "CAST(substr($0, 15, 2) AS INTEGER)",
        Second => "CAST(substr($0, 18, 2) AS INTEGER)",
        DateOf => "substr($0, 1, 10)",
        TimeOf => "substr($0, 12)",
        OnSomeDay => "('2000-01-01 ' || $0)",
        Truncate(unit) => match unit {
            Unit::Year => "(substr($0, 1, 4) || '-01-01 00:00:00.000000')",
            Unit::Month => "(substr($0, 1, 7) || '-01 00:00:00.000000')",
            Unit::Week => "(date(substr($0, 1, 10), 'weekday 0', '-6 days') || ' 00:00:00.000000')",
            Unit::Day => "(substr($0, 1, 10) || ' 00:00:00.000000')",
            Unit::Hour => "(substr($0, 1, 13) || ':00:00.000000')",
            Unit::Minute => "(substr($0, 1, 16) || ':00.000000')",
            Unit::Second => "(substr($0, 1, 19) || '.000000')",
        },
        TruncateDate(unit) => match unit {
            Unit::Year => "(substr($0, 1, 4) || '-01-01')",
            Unit::Month => "(substr($0, 1, 7) || '-01')",
            Unit::Week => "date($0, 'weekday 0', '-6 days')",
            Unit::Day | Unit::Hour | Unit::Minute | Unit::Second => "$0",
        },
        // The clock of its functions ends at milliseconds: what is behind the point is added by
        // itself, and carries seconds over.
        Shift => {
            "(strftime('%Y-%m-%d %H:%M:%S', substr($0, 1, 19), \
             ($3 + (CAST(substr($0 || '000000', 21, 6) AS INTEGER) + $4) / 1000000) || ' seconds') \
             || printf('.%06d', (CAST(substr($0 || '000000', 21, 6) AS INTEGER) + $4) % 1000000))"
        }
        ShiftDate => "date($0, $1 || ' days')",
        MicrosecondsBetween => {
            "((strftime('%s', substr($0, 1, 19)) - strftime('%s', substr($1, 1, 19))) * 1000000 \
             + CAST(substr($0 || '000000', 21, 6) AS INTEGER) \
             - CAST(substr($1 || '000000', 21, 6) AS INTEGER))"
        }
        DaysBetween => "CAST(julianday($0) - julianday($1) AS INTEGER)",
        ArrayLength => "json_array_length($0)",
        ArrayContains => {
            "(CASE WHEN $0 IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM json_each($1) AS wanted \
             WHERE NOT EXISTS (SELECT 1 FROM json_each($0) AS given \
             WHERE given.value = wanted.value)) END)"
        }
        ArrayOverlaps => {
            "(CASE WHEN $0 IS NOT NULL THEN EXISTS (SELECT 1 FROM json_each($1) AS wanted \
             JOIN json_each($0) AS given ON given.value = wanted.value) END)"
        }
        #[cfg(feature = "uuid")]
        ArrayElement(SqlType::Uuid) => "unhex(replace(json_extract($0, $2), '-', ''))",
        ArrayElement(_) => "json_extract($0, $2)",
        JsonKey | JsonDashedKey => "($0 -> $2)",
        JsonIndex => "($0 -> $1)",
        JsonText => "(CASE WHEN json_type($0) = 'text' THEN $0 ->> '$' END)",
        // What doesn't fit 64 bits is read as a float.
        JsonInteger => {
            "(CASE WHEN json_type($0) = 'integer' AND typeof($0 ->> '$') = 'integer' \
             THEN $0 ->> '$' END)"
        }
        JsonFloat => {
            "(CASE WHEN json_type($0) IN ('integer', 'real') THEN CAST($0 ->> '$' AS REAL) END)"
        }
        JsonBoolean => "(CASE json_type($0) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)",
        JsonContains => {
            return Err(Error::misuse(
                "SQLite can't tell whether a JSON document contains another: compare what stands \
                 at a path, as by `User::contacts.key(…).text()`",
            ));
        }
        other => return common_template(other),
    })
}
