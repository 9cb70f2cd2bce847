//! Values as JSON, for people and logs that know no types: an audit trail, a message.

use chrono::SecondsFormat;
use serde_json::Value as Json;

use super::Value;

impl Value {
    /// The value as JSON: times as chrono and serde write them, bytes in hexadecimal, numbers that
    /// JSON has no form for (`NaN`, an infinity, every exact decimal) as text.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            // By its text, so that 0.1 doesn't become 0.10000000149011612.
            Value::Float(value) => number(value.to_string().parse().unwrap_or((*value).into())),
            Value::Double(value) => number(*value),
            Value::Text(text) => Json::from(text.as_str()),
            Value::Label(label) => Json::from(*label),
            Value::Bytes(bytes) => Json::from(hexadecimal(bytes)),
            Value::Date(date) => Json::from(date.to_string()),
            Value::Time(time) => Json::from(time.to_string()),
            Value::DateTime(time) => Json::from(format!("{time:?}")),
            Value::Timestamp(time) => Json::from(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Value::Json(document) => (**document).clone(),
            Value::Array(elements) => elements.iter().map(Value::to_json).collect(),
            #[cfg(feature = "uuid")]
            Value::Uuid(uuid) => Json::from(uuid.to_string()),
            #[cfg(feature = "decimal")]
            Value::Decimal(decimal) => Json::from(decimal.to_string()),
            // What no database can hold is not shown either: only why.
            Value::Refused(reason) => Json::from(&**reason),
            Value::NotLoaded => Json::from("not loaded"),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(value: f64) -> Json {
    match serde_json::Number::from_f64(value) {
        Some(number) => Json::Number(number),
        None => Json::from(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_has_a_form_that_people_can_read() {
        let date = NaiveDate::from_ymd_opt(1815, 12, 10).unwrap();
        let time = date.and_hms_micro_opt(1, 2, 3, 456_000).unwrap();
        for (value, expected) in [
            (Value::Null, json!(null)),
            (Value::Bool(true), json!(true)),
            (Value::Int(i64::MIN), json!(i64::MIN)),
            (Value::Float(0.1), json!(0.1)),
            (Value::Double(f64::NAN), json!("NaN")),
            (Value::Double(0.5), json!(0.5)),
            (Value::Text("Ada".into()), json!("Ada")),
            (Value::Label("gold"), json!("gold")),
            (Value::Bytes(vec![0, 171]), json!("00ab")),
            (Value::Date(date), json!("1815-12-10")),
            (Value::Time(time.time()), json!("01:02:03.456")),
            (Value::DateTime(time), json!("1815-12-10T01:02:03.456")),
            (
                Value::Timestamp(DateTime::from_timestamp(0, 0).unwrap()),
                json!("1970-01-01T00:00:00Z"),
            ),
            (Value::Json(Box::new(json!({"a": [1]}))), json!({"a": [1]})),
            (Value::Array(vec![Value::Int(1), Value::Null]), json!([1, null])),
            (Value::Refused("it is NaN".into()), json!("it is NaN")),
        ] {
            assert_eq!(value.to_json(), expected);
        }
    }
}
