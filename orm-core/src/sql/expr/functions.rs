//! Functions that mean the same everywhere, and how most databases write them.

use crate::value::SqlType;

/// A function of one row's values, or of the rows of a window.
///
/// What each means is said where the query layer offers it; each is NULL where an argument is,
/// unless that says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    // Of any values.
    Coalesce,
    NullIf,
    Greatest,
    Least,

    // Of texts. Lengths and positions count characters.
    Lower,
    Upper,
    Length,
    Trim,
    TrimStart,
    TrimEnd,
    Replace,
    /// From a position, counted from one, on.
    SubstringFrom,
    /// From a position, counted from one, so many.
    Substring,
    Right,
    Repeat,
    /// How many characters stand before the first occurrence.
    Position,

    // Of numbers.
    Abs,
    Sign,
    Floor,
    Ceil,
    /// Of a float, the digits behind the point, and ten to the power of them.
    Round,
    /// The same of a decimal.
    RoundDecimal,
    /// To the power of an integer.
    Power,
    Sqrt,

    // Casts.
    IntegerToText,
    ToDouble,
    #[cfg_attr(not(feature = "decimal"), expect(dead_code, reason = "decimals are a feature"))]
    ToDecimal,
    /// Towards zero.
    ToInteger,
    BooleanToInteger,
    BooleanToText,
    IntegerToBoolean,
    TextToInteger,
    TextToDouble,

    // Of dates and times without a zone.
    Year,
    Month,
    Day,
    Weekday,
    Hour,
    Minute,
    Second,
    DateOf,
    TimeOf,
    /// Of an instant, the date and time in UTC.
    InUtc,
    /// The other way round.
    FromUtc,
    /// Of a time of day, that time on some day.
    OnSomeDay,
    /// The start of the unit that a date and time is in.
    Truncate(Unit),
    /// The first day of the unit that a date is in.
    TruncateDate(Unit),
    /// So many days and microseconds later, which are given as seconds and microseconds too.
    Shift,
    /// So many days later.
    ShiftDate,
    MicrosecondsBetween,
    DaysBetween,

    // Of arrays.
    ArrayLength,
    /// Whether the first holds all elements of the second.
    ArrayContains,
    /// Whether the first holds any element of the second.
    ArrayOverlaps,
    /// Of an array, the number of an element of this type, counted from one, and its path.
    ArrayElement(SqlType),

    // Of documents.
    /// Of an object, the key, and its path.
    JsonKey,
    /// The same of a key that begins with a dash, with a pattern that finds it.
    JsonDashedKey,
    /// Of an array, the number of the element, counted from zero, and its path.
    JsonIndex,
    JsonText,
    JsonInteger,
    JsonFloat,
    JsonBoolean,
    /// Whether there is anything; never NULL.
    JsonExists,
    JsonContains,

    // Of windows.
    RowNumber,
    Rank,
    DenseRank,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
}

/// What times are cut to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// The first of January.
    Year,
    /// The first day of the month.
    Month,
    /// The Monday of the week.
    Week,
    /// Midnight.
    Day,
    /// The full hour.
    Hour,
    /// The full minute.
    Minute,
    /// The full second.
    Second,
}

impl Function {
    /// How most databases write it, if there is such a way: `$0` stands for the first argument,
    /// `$*` for all.
    pub(crate) fn template(self) -> Option<&'static str> {
        use Function::*;
        Some(match self {
            Coalesce => "coalesce($*)",
            NullIf => "nullif($*)",
            Lower => "lower($0)",
            Upper => "upper($0)",
            Length => "length($0)",
            Trim => "trim($0)",
            TrimStart => "ltrim($0)",
            TrimEnd => "rtrim($0)",
            Replace => "replace($*)",
            SubstringFrom | Substring => "substr($*)",
            Right => "right($*)",
            Repeat => "repeat($*)",
            Abs => "abs($0)",
            Sign => "sign($0)",
            Floor => "floor($0)",
            Ceil => "ceil($0)",
            RoundDecimal => "round($0, $1)",
            BooleanToInteger | OnSomeDay | InUtc | FromUtc => "$0",
            BooleanToText => "(CASE WHEN $0 THEN 'true' WHEN NOT $0 THEN 'false' END)",
            IntegerToBoolean => "($0 <> 0)",
            JsonExists => "($0 IS NOT NULL)",
            RowNumber => "row_number()",
            Rank => "rank()",
            DenseRank => "dense_rank()",
            Ntile => "ntile($0)",
            Lag => "lag($*)",
            Lead => "lead($*)",
            FirstValue => "first_value($0)",
            LastValue => "last_value($0)",
            NthValue => "nth_value($*)",
            _ => return None,
        })
    }

    /// Whether its values are values of its arguments.
    pub(crate) fn chooses(self) -> bool {
        use Function::*;
        matches!(
            self,
            Coalesce | NullIf | Greatest | Least | Lag | Lead | FirstValue | LastValue | NthValue
        )
    }
}
