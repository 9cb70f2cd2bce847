//! The types of expressions, as far as a database has to be told them.

use super::{Aggregate, BinaryOp, Expr, Function};
use crate::model::ColumnDef;
use crate::value::SqlType;

impl Expr {
    /// The type of the expression's values, where it can be told.
    pub(crate) fn sql_type(&self) -> Option<SqlType> {
        match self {
            Expr::Column(column) | Expr::Excluded(column) | Expr::OwnerKey(_, column) => {
                Some(column.sql_type())
            }
            Expr::Bind(bind) => Some(bind.sql_type),
            Expr::Integer(_) => Some(SqlType::I64),
            Expr::Binary(left, op, right) if op.is_arithmetic() => {
                left.sql_type().or_else(|| right.sql_type())
            }
            Expr::Binary(_, BinaryOp::Concat, _) => Some(SqlType::Text),
            Expr::Negate(operand) => operand.sql_type(),
            Expr::Function(function, arguments) => type_of_function(*function, arguments),
            Expr::Case { branches, otherwise } => {
                let values = branches.iter().map(|(_, value)| value);
                values.chain(otherwise.as_deref()).find_map(Expr::sql_type)
            }
            Expr::Aggregate(aggregation) => {
                let operand = aggregation.operand.as_ref().and_then(Expr::sql_type);
                match aggregation.function {
                    Aggregate::Count => Some(SqlType::I64),
                    Aggregate::Sum => operand.map(SqlType::sum),
                    Aggregate::Avg => Some(SqlType::F64),
                    Aggregate::Min | Aggregate::Max => operand,
                    Aggregate::Join => Some(SqlType::Text),
                }
            }
            Expr::Over(function, _) => function.sql_type(),
            Expr::Binary(..)
            | Expr::All(_)
            | Expr::Any(_)
            | Expr::Not(_)
            | Expr::IsNull { .. }
            | Expr::In { .. }
            | Expr::Keys { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::Exists(_)
            | Expr::InSelect { .. }
            | Expr::Related { .. } => Some(SqlType::Bool),
            Expr::Scalar(select) => select.columns.first()?.0.sql_type(),
            Expr::Derived { shows, .. } => shows.map(ColumnDef::logical_type),
            Expr::Authored(_) | Expr::Tuple(_) | Expr::Mistaken(_) => None,
        }
    }

    /// The column whose values the expression gives, if it gives those of one.
    pub(crate) fn column_shown(&self) -> Option<&'static ColumnDef> {
        match self {
            Expr::Column(column) | Expr::OwnerKey(_, column) => {
                Some(&column.table.columns()[column.column])
            }
            Expr::Aggregate(aggregation) => match aggregation.function {
                Aggregate::Min | Aggregate::Max => aggregation.operand.as_ref()?.column_shown(),
                _ => None,
            },
            Expr::Over(function, _) => function.column_shown(),
            Expr::Scalar(select) => select.columns.first()?.0.column_shown(),
            Expr::Derived { shows, .. } => *shows,
            Expr::Function(function, arguments) if function.chooses() => {
                arguments.iter().find_map(Expr::column_shown)
            }
            Expr::Case { branches, otherwise } => {
                let values = branches.iter().map(|(_, value)| value);
                values.chain(otherwise.as_deref()).find_map(Expr::column_shown)
            }
            _ => None,
        }
    }
}

impl SqlType {
    /// Whether it is one of the integers.
    pub(crate) fn is_integer(self) -> bool {
        use SqlType::*;
        matches!(self, I16 | I32 | I64 | U8 | U16 | U32)
    }

    /// Whether it is one of the floats.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, SqlType::F32 | SqlType::F64)
    }

    /// Whether it is the exact decimal.
    pub(crate) fn is_decimal(self) -> bool {
        match self {
            #[cfg(feature = "decimal")]
            SqlType::Decimal => true,
            _ => false,
        }
    }

    /// The type of a sum of such numbers, which numbers calculated of them have too.
    fn sum(self) -> Self {
        match self {
            integer if integer.is_integer() => SqlType::I64,
            float if float.is_float() => SqlType::F64,
            other => other,
        }
    }
}

fn type_of_function(function: Function, arguments: &[Expr]) -> Option<SqlType> {
    use Function::*;
    let first = || arguments.iter().find_map(Expr::sql_type);
    match function {
        Coalesce | NullIf | Greatest | Least | Abs | Lag | Lead | FirstValue | LastValue
        | NthValue | Truncate(_) | Shift => first(),
        Lower | Upper | Trim | TrimStart | TrimEnd | Replace | SubstringFrom | Substring
        | Right | Repeat | IntegerToText | BooleanToText | JsonText => Some(SqlType::Text),
        Length | Position | Sign | ToInteger | BooleanToInteger | TextToInteger | Year | Month
        | Day | Weekday | Hour | Minute | Second | MicrosecondsBetween | DaysBetween
        | ArrayLength | JsonInteger | RowNumber | Rank | DenseRank | Ntile => Some(SqlType::I64),
        Floor | Ceil | Round | RoundDecimal => first().map(SqlType::sum),
        Power | Sqrt | ToDouble | TextToDouble | JsonFloat => Some(SqlType::F64),
        #[cfg(feature = "decimal")]
        ToDecimal => Some(SqlType::Decimal),
        #[cfg(not(feature = "decimal"))]
        ToDecimal => None,
        IntegerToBoolean | ArrayContains | ArrayOverlaps | JsonBoolean | JsonExists
        | JsonContains => Some(SqlType::Bool),
        ArrayElement(element) => Some(element),
        JsonKey | JsonDashedKey | JsonIndex => Some(SqlType::Json),
        DateOf | TruncateDate(_) | ShiftDate => Some(SqlType::Date),
        TimeOf => Some(SqlType::Time),
        InUtc | OnSomeDay => Some(SqlType::DateTime),
        FromUtc => Some(SqlType::Timestamp),
    }
}
