//! Paths into JSON documents.

use orm_core::query::{Expression, JsonPath};
use orm_core::value::ColumnType;
use orm_core::{Error, Json, Model, Result, schema};
use orm_tests::{Database, backend_tests};
use serde_json::{Value, json};

#[derive(serde::Serialize, serde::Deserialize)]
struct Settings {
    theme: String,
}

#[derive(Model)]
struct Note {
    document: Value,
    other: Option<Value>,
    settings: Json<Settings>,
}

async fn notes(db: &Database, documents: &[Value]) -> Result<()> {
    db.create(&schema![Note]).await?;
    let mut session = db.session();
    for (at, document) in documents.iter().enumerate() {
        let settings = Json(Settings { theme: "dark".to_owned() });
        let note = session.add(Note::draft().document(document.clone()).settings(settings));
        session[note].other = (at % 2 == 0).then(|| document.clone());
    }
    session.commit().await
}

async fn read<T: ColumnType>(db: &Database, expression: Expression<Note, T>) -> Result<Vec<T>> {
    Note::select().order_by(Note::id.asc()).columns(expression).on(&db.engine).all().await
}

/// Checks what every reading of a place gives, against what serde_json gives.
async fn check(
    db: &Database,
    place: impl Fn() -> JsonPath<Note>,
    expected: Vec<Option<Value>>,
) -> Result<()> {
    let of = |read: &dyn Fn(&Value) -> Value| -> Vec<Value> {
        expected.iter().map(|found| found.as_ref().map_or(Value::Null, read)).collect()
    };
    let texts = read(db, place().text()).await?;
    assert_eq!(json!(texts), json!(of(&|found| json!(found.as_str()))));
    let integers = read(db, place().int()).await?;
    assert_eq!(json!(integers), json!(of(&|found| json!(found.as_i64()))));
    let floats = read(db, place().float()).await?;
    assert_eq!(json!(floats), json!(of(&|found| json!(found.as_f64()))));
    let booleans = read(db, place().bool()).await?;
    assert_eq!(json!(booleans), json!(of(&|found| json!(found.as_bool()))));
    assert_eq!(read(db, place().json()).await?, expected);
    let there = read(db, place().exists().as_expression()).await?;
    assert_eq!(there, expected.iter().map(|found| Some(found.is_some())).collect::<Vec<_>>());
    Ok(())
}

fn documents() -> Vec<Value> {
    vec![
        json!({"a": {"b": [1, "two", {"c": true}]}, "n": 5, "0": "key"}),
        json!({"a": {"b": "text"}, "n": 2.5}),
        json!({"a": null, "n": -7, "t": "é😀 \" \\ \n"}),
        json!({"a": [[0, false], 1.0], "n": "5"}),
        json!([{"a": {"b": 1}}, 10, "x", null]),
        json!("text"),
        json!(12),
        json!(true),
        json!(null),
        json!({}),
        json!([]),
        json!({"n": i64::MAX, "t": ""}),
        json!({"n": u64::MAX, "t": "5"}),
        json!({"n": 1e300, "t": "true"}),
        json!({"n": false, "t": "null"}),
    ]
}

backend_tests! {
    /// Issue 5: keys and indexes lead to places, of which there may be none; nothing is converted.
    async fn paths_lead_to_places(db) {
        let documents = documents();
        notes(&db, &documents).await?;
        let find = |pointer: &str, is_index: &[bool]| -> Vec<Option<Value>> {
            documents
                .iter()
                .map(|document| {
                    let mut steps = pointer.split('/').skip(1).zip(is_index);
                    let found = steps.try_fold(document, |found, (step, is_index)| match found {
                        Value::Array(items) if *is_index => items.get(step.parse::<usize>().ok()?),
                        Value::Object(fields) if !is_index => fields.get(step),
                        _ => None,
                    });
                    found.cloned()
                })
                .collect()
        };
        check(&db, || Note::document.key("n"), find("/n", &[false])).await?;
        check(&db, || Note::document.key("t"), find("/t", &[false])).await?;
        check(&db, || Note::document.key("0"), find("/0", &[false])).await?;
        check(&db, || Note::document.index(0), find("/0", &[true])).await?;
        check(&db, || Note::document.index(1), find("/1", &[true])).await?;
        check(&db, || Note::document.index(3), find("/3", &[true])).await?;
        check(&db, || Note::document.path(["a", "b"]), find("/a/b", &[false, false])).await?;
        check(&db, || Note::document.path(["a", "b"]).index(1), find("/a/b/1", &[false, false, true])).await?;
        check(&db, || Note::document.path(["a", "b"]).index(0), find("/a/b/0", &[false, false, true])).await?;
        check(&db, || Note::document.key("a").index(0).index(1), find("/a/0/1", &[false, true, true])).await?;
        check(&db, || Note::document.key("a").index(1), find("/a/1", &[false, true])).await?;
        check(
            &db,
            || Note::document.key("a").key("b").index(2).key("c"),
            find("/a/b/2/c", &[false, false, true, false]),
        )
        .await?;
        check(&db, || Note::document.path::<String>([]), documents.iter().cloned().map(Some).collect()).await?;
        let others: Vec<Option<i64>> = read(&db, Note::other.key("n").int()).await?;
        assert_eq!((others[0], others[1], others[2]), (Some(5), None, Some(-7)));
        let themes = read(&db, Note::settings.key("theme").text()).await?;
        assert!(themes.iter().all(|theme| theme.as_deref() == Some("dark")));
    }

    /// Issue 5: what stands at a path is compared, ordered and grouped by.
    async fn places_are_compared(db) {
        notes(&db, &documents()).await?;
        let count = |condition| Note::select().filter(condition).on(&db.engine);
        assert_eq!(count(Note::document.key("n").int().gt(0)).count().await?, 2);
        assert_eq!(count(Note::document.key("n").float().gt(0.0)).count().await?, 5);
        assert_eq!(count(Note::document.key("t").text().eq("5")).count().await?, 1);
        assert_eq!(count(Note::document.key("n").text().eq("5")).count().await?, 1);
        assert_eq!(count(Note::document.path(["a", "b"]).index(2).key("c").bool().eq(true)).count().await?, 1);
        assert_eq!(count(Note::document.key("a").exists()).count().await?, 4);
        assert_eq!(count(!Note::document.key("a").exists()).count().await?, 11);
        let greatest = Note::select().columns(Note::document.key("n").int().max());
        assert_eq!(greatest.on(&db.engine).one().await?, Some(i64::MAX));
    }

    /// Issue 5: keys are taken literally, whatever they contain.
    async fn hostile_keys_are_keys(db) {
        const KEYS: [&str; 32] = [
            "", " ", "a b", "a.b", "a[0]", "[0]", "$", "$.a", "*", "**", "\"", "\\", "'", "`", "\\\"", "a\"b",
            "--", "-", "-%_!", "/*", ";", "?", "$1", "%", "_", "é😀", "\n", "\t", "\u{1}", "#-1", "last", "0",
        ];
        let documents: Vec<Value> = KEYS.iter().map(|key| json!({*key: *key, "other": 1})).collect();
        notes(&db, &documents).await?;
        for (at, key) in KEYS.into_iter().enumerate() {
            let found = Note::select()
                .filter(Note::document.key(key).text().eq(key))
                .columns(Note::id)
                .on(&db.engine)
                .all()
                .await?;
            assert_eq!(found, [at as i64 + 1], "{key:?}");
            let there = Note::select().filter(Note::document.key(key).exists());
            assert_eq!(there.on(&db.engine).count().await?, 1, "{key:?}");
        }
        let beside_the_empty_key = json!({"": 1, "+": 2, "-x": "found", "z": [3]});
        let mut session = db.session();
        let settings = Json(Settings { theme: String::new() });
        session.add(Note::draft().document(beside_the_empty_key).settings(settings));
        session.commit().await?;
        let found = Note::select().columns(Note::document.key("-x").text().max());
        assert_eq!(found.on(&db.engine).one().await?.as_deref(), Some("found"));
        let nul = Note::select().filter(Note::document.key("\0").exists()).on(&db.engine).count().await;
        assert!(matches!(nul, Err(Error::Type { .. })), "{nul:?}");
    }

    /// Issue 5: a document contains another where the database can tell; elsewhere that is an error
    /// in words, before any SQL.
    async fn documents_contain_documents(db) {
        notes(&db, &documents()).await?;
        let count = async |document: Value| {
            Note::select().filter(Note::document.contains_json(document)).on(&db.engine).count().await
        };
        if !db.capabilities.contains_documents {
            let log = db.log();
            let error = count(json!({"n": 5})).await.unwrap_err();
            assert!(matches!(&error, Error::Misuse(sentence) if sentence.contains("contains another")), "{error}");
            assert!(log.all().is_empty());
            return Ok(());
        }
        assert_eq!(count(json!({"n": 5})).await?, 1);
        assert_eq!(count(json!({"a": {"b": [1]}})).await?, 1);
        let nested = Note::document.path(["a", "b"]).contains_json(json!(["two"]));
        assert_eq!(Note::select().filter(nested).on(&db.engine).count().await?, 1);
    }
}
