//! How MySQL and MariaDB write functions and aggregates.

use std::fmt::Write as _;

use crate::error::Result;
use crate::sql::dialect::common_template;
use crate::sql::expr::{Aggregate, Aggregation, Expr, Function, Unit};
use crate::sql::writer::Writer;
use crate::value::SqlType;

/// The SQL of a function, its arguments being `$0`, `$1` and so on.
pub(super) fn template(function: Function) -> Result<&'static str> {
    use Function::*;
    Ok(match function {
        Greatest => "greatest($*)",
        Least => "least($*)",
        // `length` counts bytes.
        Length => "char_length($0)",
        Position => "(nullif(locate($1, $0), 0) - 1)",
        // The float below a half makes halves go up, and what is less than a half stay below.
        Round => "(truncate($0 * $2 + sign($0) * 0.49999999999999994e0, 0) / $2)",
        Power => "power($0, $1)",
        Sqrt => "sqrt($0)",
        IntegerToText => "CAST($0 AS CHAR)",
        ToDouble => "CAST($0 AS DOUBLE)",
        ToDecimal => "CAST($0 AS DECIMAL(57, 28))",
        ToInteger => "CAST(truncate($0, 0) AS SIGNED)",
        // `$` would also stand before a newline at the end: nothing may follow, not even that.
        TextToInteger => {
            "(CASE WHEN $0 REGEXP '^[-+]?[0-9]{1,18}(?![.]|[^.])' THEN CAST($0 AS SIGNED) END)"
        }
        TextToDouble => {
            "(CASE WHEN $0 REGEXP '^-?(0|[1-9][0-9]*)([.][0-9]+)?(?![.]|[^.])' \
             AND char_length($0) <= 300 THEN CAST($0 AS DOUBLE) END)"
        }
        Year => "year($0)",
        Month => "month($0)",
        Day => "day($0)",
        Weekday => "(weekday($0) + 1)",
        Hour => "hour($0)",
        Minute => "minute($0)",
        Second => "second($0)",
        DateOf => "CAST($0 AS DATE)",
        TimeOf => "CAST($0 AS TIME(6))",
        Truncate(unit) => match unit {
            Unit::Year => "CAST(date_format($0, '%Y-01-01') AS DATETIME(6))",
            Unit::Month => "CAST(date_format($0, '%Y-%m-01') AS DATETIME(6))",
            Unit::Week => "CAST(CAST($0 AS DATE) - INTERVAL weekday($0) DAY AS DATETIME(6))",
            Unit::Day => "CAST(CAST($0 AS DATE) AS DATETIME(6))",
            Unit::Hour => "CAST(date_format($0, '%Y-%m-%d %H:00:00') AS DATETIME(6))",
            Unit::Minute => "CAST(date_format($0, '%Y-%m-%d %H:%i:00') AS DATETIME(6))",
            Unit::Second => "CAST(date_format($0, '%Y-%m-%d %H:%i:%s') AS DATETIME(6))",
        },
        TruncateDate(unit) => match unit {
            Unit::Year => "CAST(date_format($0, '%Y-01-01') AS DATE)",
            Unit::Month => "CAST(date_format($0, '%Y-%m-01') AS DATE)",
            Unit::Week => "($0 - INTERVAL weekday($0) DAY)",
            Unit::Day | Unit::Hour | Unit::Minute | Unit::Second => "$0",
        },
        Shift => "($0 + INTERVAL $1 DAY + INTERVAL $2 MICROSECOND)",
        ShiftDate => "($0 + INTERVAL $1 DAY)",
        MicrosecondsBetween => "timestampdiff(MICROSECOND, $1, $0)",
        DaysBetween => "datediff($0, $1)",
        ArrayLength => "json_length($0)",
        ArrayContains => "json_contains($0, $1)",
        ArrayOverlaps => "json_overlaps($0, $1)",
        ArrayElement(element) => element_template(element),
        JsonKey => "json_extract($0, $2)",
        // MariaDB (10.11) takes such a path for a mistake: the value has the place among all
        // values that the key has among all keys, which lack the empty one at times.
        JsonDashedKey => {
            "json_extract(json_extract(json_remove($0, '$.\"\"'), '$.*'), \
             json_unquote(json_search(json_keys(json_remove($0, '$.\"\"')), 'one', $3, '!')))"
        }
        // What is no array is taken for one that holds it.
        JsonIndex => "(CASE WHEN json_type($0) = 'ARRAY' THEN json_extract($0, $2) END)",
        // What is unquoted has a collation of its own, by which it can't be compared with a text.
        JsonText => "(CASE WHEN json_type($0) = 'STRING' THEN CAST(json_unquote($0) AS CHAR) END)",
        JsonInteger => {
            "(CASE WHEN json_type($0) IN ('INTEGER', 'UNSIGNED INTEGER') \
             AND CAST($0 AS DECIMAL(40)) BETWEEN -9223372036854775808 AND 9223372036854775807 \
             THEN CAST($0 AS SIGNED) END)"
        }
        JsonFloat => {
            "(CASE WHEN json_type($0) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') \
             THEN CAST($0 AS DOUBLE) END)"
        }
        JsonBoolean => {
            "(CASE WHEN json_type($0) = 'BOOLEAN' \
             THEN CAST(json_unquote($0) AS CHAR) = 'true' END)"
        }
        JsonContains => "json_contains($0, $1)",
        other => return common_template(other),
    })
}

/// An element of an array, which is JSON, as a value of its type.
fn element_template(element: SqlType) -> &'static str {
    macro_rules! cast {
        ($before:literal, $behind:literal) => {
            concat!(
                $before,
                "(CASE WHEN json_type(json_extract($0, $2)) <> 'NULL' \
                 THEN CAST(json_unquote(json_extract($0, $2)) AS CHAR) END)",
                $behind
            )
        };
    }
    match element {
        SqlType::Bool => cast!("(", " = 'true')"),
        integer if integer.is_integer() => cast!("CAST(", " AS SIGNED)"),
        float if float.is_float() => cast!("CAST(", " AS DOUBLE)"),
        decimal if decimal.is_decimal() => cast!("CAST(", " AS DECIMAL(57, 28))"),
        SqlType::Date => cast!("CAST(", " AS DATE)"),
        SqlType::Time => cast!("CAST(", " AS TIME(6))"),
        SqlType::DateTime | SqlType::Timestamp => cast!("CAST(", " AS DATETIME(6))"),
        _ => cast!("", ""),
    }
}

/// An aggregate. There is no FILTER: what it leaves out is NULL, which no aggregate counts.
pub(super) fn write_aggregate(w: &mut Writer<'_>, aggregation: &Aggregation) -> Result<()> {
    let is_average = aggregation.function == Aggregate::Avg;
    let is_joined = aggregation.function == Aggregate::Join;
    w.push(if is_joined { "group_concat" } else { aggregation.function.name() });
    w.push("(");
    w.push(if aggregation.distinct { "DISTINCT " } else { "" });
    // The average of exact numbers has only a few digits more than they have.
    w.push(if is_average { "CAST(" } else { "" });
    match (&aggregation.operand, &aggregation.filter) {
        (None, None) => w.push("*"),
        (Some(operand), None) => w.expr(operand)?,
        (operand, Some(filter)) => {
            let counted = operand.clone().unwrap_or(Expr::Integer(1));
            let branches = vec![(filter.clone(), counted)];
            w.expr(&Expr::Case { branches, otherwise: None })?;
        }
    }
    w.push(if is_average { " AS DOUBLE)" } else { "" });
    if !aggregation.order.is_empty() {
        w.push(" ");
        w.order(&aggregation.order)?;
    }
    if is_joined {
        // It can't be bound. As digits nothing in it can be taken for something else.
        let mut separator = String::from(" SEPARATOR 0x");
        for byte in aggregation.separator.bytes() {
            // Writing into a text can't fail.
            let _ = write!(separator, "{byte:02X}");
        }
        w.push(if aggregation.separator.is_empty() { " SEPARATOR ''" } else { &separator });
    }
    w.push(")");
    Ok(())
}
