//! JSON documents, arrays and enums.

use std::collections::BTreeMap;

use orm_core::{Json, Model, schema};
use orm_tests::backend_tests;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::round_trip::round_trips;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    theme: String,
    sizes: Vec<f64>,
    by_name: BTreeMap<String, Option<i64>>,
    inner: Option<Box<Settings>>,
}

fn settings(has_nul: bool) -> Vec<Json<Settings>> {
    let empty =
        Settings { theme: String::new(), sizes: Vec::new(), by_name: BTreeMap::new(), inner: None };
    let full = Settings {
        theme: format!("dark {} 😀 \" ' \\", if has_nul { "\u{0}" } else { "" }),
        sizes: vec![0.1, -1e300, 5e-324],
        by_name: BTreeMap::from([("a".to_owned(), Some(i64::MIN)), ("".to_owned(), None)]),
        inner: Some(Box::new(empty.clone())),
    };
    vec![Json(empty), Json(full)]
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(
        json!(1),
        |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) },
    )
}

fn documents(depth: usize) -> Vec<Value> {
    vec![
        json!({}),
        json!([]),
        json!(""),
        json!(0),
        json!(-1.5),
        json!(true),
        json!([null, [[]], {"": {}}, "\u{1}\u{7f}\"\\'"]),
        json!({"unicode é 😀": ["\u{10ffff}"], "big": u64::MAX, "small": i64::MIN}),
        json!({"float": [0.1, 1e-300, 1.797_693_134_862_315_7e308, 5e-324, 2.0]}),
        json!({"z": 1, "a": 2}),
        nested(depth),
        json!(vec!["x"; 50_000]),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
#[orm(rename_all = "kebab-case")]
enum Level {
    VeryLow,
    #[orm(rename = "it's ok")]
    Fine,
    #[orm(rename = "HÖCH")]
    High,
}

round_trips! {
    /// DESIGN 4: documents, empty, nested and deep.
    values(able): Value = documents(able.json_depth);
    /// DESIGN 4: any serde type.
    typed(able): Json<Settings> = settings(able.nul_in_text);
    /// DESIGN 4: optional parts of a document are its own business.
    optional_parts: Json<Vec<Option<f64>>> = vec![Json(vec![]), Json(vec![None, Some(0.1)])];
    /// DESIGN 4: enums by their labels, renamed ones too.
    enums: Level = vec![Level::VeryLow, Level::Fine, Level::High];
    /// DESIGN 4: arrays, empty and of extremes.
    integers: Vec<i64> = vec![vec![], vec![0], vec![i64::MIN, i64::MAX, -1]];
    /// DESIGN 4
    unsigned: Vec<u32> = vec![vec![], vec![0, u32::MAX]];
    /// DESIGN 4: arrays of texts.
    texts: Vec<String> =
        vec![vec![], vec![String::new()], vec!["a,b{}\"'\\".into(), "NULL".into(), "😀".into()]];
    /// DESIGN 4: NULL among the elements.
    with_nulls: Vec<Option<i32>> = vec![vec![], vec![None], vec![Some(1), None, Some(i32::MIN)]];
    /// DESIGN 4
    booleans: Vec<bool> = vec![vec![], vec![true, false]];
    /// DESIGN 4: floats in arrays, to the last bit.
    floats: Vec<f64> = vec![vec![0.1, 0.1 + 0.2, f64::MAX, f64::MIN_POSITIVE, 5e-324, 2.0, 1e22]];
    /// DESIGN 4
    small_floats: Vec<f32> = vec![vec![0.1, f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1)]];
    /// DESIGN 4
    uuids: Vec<Uuid> = vec![vec![], vec![Uuid::nil(), Uuid::max()]];
    /// DESIGN 4
    decimals: Vec<Decimal> = vec![vec![], vec![Decimal::new(110, 2), Decimal::MAX]];
    /// DESIGN 4
    levels: Vec<Level> = vec![vec![], vec![Level::High, Level::Fine]];
}

#[derive(Model)]
struct Note {
    data: Option<Value>,
    tags: Option<Vec<String>>,
    settings: Json<Settings>,
}

backend_tests! {
    /// SEMANTICS 6.1: changes inside documents and arrays are seen, undone ones are none.
    async fn rule_6_1_changes_inside_are_seen(db) {
        db.create(&schema![Note]).await?;
        let mut session = db.session();
        let note = session.add(
            Note::draft()
                .data(json!({"a": [1]}))
                .tags(vec!["x".to_owned()])
                .settings(settings(db.capabilities.nul_in_text).remove(1)),
        );
        session.commit().await?;
        let log = db.log();
        session[note].data.as_mut().expect("data")["a"][0] = json!(2);
        session[note].tags.as_mut().expect("tags").push("y".to_owned());
        session[note].settings.theme.push('!');
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE notes"]);
        session[note].settings.theme.push('!');
        session[note].settings.theme.pop();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        let row = Note::select().on(&db.engine).one().await?;
        assert_eq!(row.data, Some(json!({"a": [2]})));
        assert_eq!(row.tags.as_deref(), Some(&["x".to_owned(), "y".to_owned()][..]));
        assert!(row.settings.theme.ends_with("\\!"));
    }

    /// DESIGN 4: JSON's null is a document, SQL's NULL is none.
    async fn nulls_of_json_and_of_sql_differ(db) {
        db.create(&schema![Note]).await?;
        let mut session = db.session();
        let settings = || settings(db.capabilities.nul_in_text).remove(0);
        session.add(Note::draft().data(Value::Null).settings(settings()));
        session.add(Note::draft().data(None).settings(settings()));
        session.commit().await?;
        let data: Vec<Option<Value>> =
            Note::select().order_by(Note::id.asc()).columns(Note::data).all(&mut session).await?;
        assert_eq!(data, [Some(Value::Null), None]);
        assert_eq!(Note::select().filter(Note::data.is_null()).count(&mut session).await?, 1);
    }
}
