//! How PostgreSQL writes functions.

use crate::error::Result;
use crate::sql::dialect::common_template;
use crate::sql::expr::{Function, Unit};

/// The SQL of a function, its arguments being `$0`, `$1` and so on.
pub(super) fn template(function: Function) -> Result<&'static str> {
    use Function::*;
    Ok(match function {
        // It passes over NULLs.
        Greatest => "(CASE WHEN $0 IS NOT NULL AND $1 IS NOT NULL THEN greatest($0, $1) END)",
        Least => "(CASE WHEN $0 IS NOT NULL AND $1 IS NOT NULL THEN least($0, $1) END)",
        Position => "(nullif(strpos($0, $1), 0) - 1)",
        Sign => "CAST(sign($0) AS int8)",
        // Its own `round` goes to the even digit. The float below a half makes halves go up, and
        // what is less than a half stay below.
        Round => "(trunc($0 * $2 + sign($0) * 0.49999999999999994) / $2)",
        Power => "power(CAST($0 AS float8), $1)",
        Sqrt => "(CASE WHEN $0 >= 0 THEN sqrt(CAST($0 AS float8)) END)",
        IntegerToText => "CAST($0 AS text)",
        ToDouble => "CAST($0 AS float8)",
        ToDecimal => "CAST($0 AS numeric)",
        ToInteger => "CAST(trunc($0) AS int8)",
        BooleanToInteger => "CAST($0 AS int4)",
        TextToInteger => "(CASE WHEN $0 ~ '^[-+]?[0-9]{1,18}$' THEN CAST($0 AS int8) END)",
        TextToDouble => {
            "(CASE WHEN $0 ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?$' AND length($0) <= 300 \
             THEN CAST($0 AS float8) END)"
        }
        Year => "CAST(extract(year FROM $0) AS int8)",
        Month => "CAST(extract(month FROM $0) AS int8)",
        Day => "CAST(extract(day FROM $0) AS int8)",
        Weekday => "CAST(extract(isodow FROM $0) AS int8)",
        Hour => "CAST(extract(hour FROM $0) AS int8)",
        Minute => "CAST(extract(minute FROM $0) AS int8)",
        Second => "CAST(floor(extract(second FROM $0)) AS int8)",
        DateOf => "CAST($0 AS date)",
        TimeOf => "CAST($0 AS time)",
        InUtc | FromUtc => "($0 AT TIME ZONE 'UTC')",
        Truncate(unit) => match unit {
            Unit::Year => "date_trunc('year', $0)",
            Unit::Month => "date_trunc('month', $0)",
            Unit::Week => "date_trunc('week', $0)",
            Unit::Day => "date_trunc('day', $0)",
            Unit::Hour => "date_trunc('hour', $0)",
            Unit::Minute => "date_trunc('minute', $0)",
            Unit::Second => "date_trunc('second', $0)",
        },
        TruncateDate(unit) => match unit {
            Unit::Year => "CAST(date_trunc('year', CAST($0 AS timestamp)) AS date)",
            Unit::Month => "CAST(date_trunc('month', CAST($0 AS timestamp)) AS date)",
            Unit::Week => "CAST(date_trunc('week', CAST($0 AS timestamp)) AS date)",
            Unit::Day | Unit::Hour | Unit::Minute | Unit::Second => "$0",
        },
        // Days of an interval would depend on the time zone of the session.
        Shift => "($0 + $1 * interval '24 hours' + $2 * interval '1 microsecond')",
        ShiftDate => "($0 + $1)",
        MicrosecondsBetween => "CAST(extract(epoch FROM ($0 - $1)) * 1000000 AS int8)",
        DaysBetween => "CAST(($0 - $1) AS int8)",
        ArrayLength => "CAST(cardinality($0) AS int8)",
        ArrayContains => "($0 @> $1)",
        ArrayOverlaps => "($0 && $1)",
        ArrayElement(_) => "($0)[$1]",
        JsonKey | JsonDashedKey => "($0 -> $1)",
        // What is no array is taken for one that holds it.
        JsonIndex => "(CASE WHEN jsonb_typeof($0) = 'array' THEN $0 -> $1 END)",
        JsonText => "(CASE WHEN jsonb_typeof($0) = 'string' THEN $0 #>> '{}' END)",
        JsonInteger => {
            "(CASE WHEN jsonb_typeof($0) = 'number' THEN \
             CASE WHEN CAST($0 AS text) ~ '^-?[0-9]{1,19}$' AND CAST($0 AS numeric) \
             BETWEEN -9223372036854775808 AND 9223372036854775807 \
             THEN CAST($0 AS int8) END END)"
        }
        JsonFloat => "(CASE WHEN jsonb_typeof($0) = 'number' THEN CAST($0 AS float8) END)",
        JsonBoolean => "(CASE WHEN jsonb_typeof($0) = 'boolean' THEN CAST($0 AS bool) END)",
        JsonContains => "($0 @> $1)",
        other => return common_template(other),
    })
}
