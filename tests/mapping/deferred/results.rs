//! Views and documents of rows with deferred columns.

use orm_core::View;
use orm_tests::backend_tests;
use serde::Serialize;

use super::*;

#[derive(Debug, PartialEq, View, Serialize)]
#[orm(of = Author)]
struct AuthorOut {
    name: String,
    biography: String,
    portrait: Option<Vec<u8>>,
}

#[derive(View)]
#[orm(of = Author)]
struct NameOut {
    name: String,
}

#[derive(Serialize)]
struct Document {
    name: &'static str,
    text: Deferred<String>,
    #[serde(skip_serializing_if = "Deferred::is_unloaded")]
    note: Deferred<String>,
}

backend_tests! {
    /// A view loads its columns, deferred or not, and no others.
    async fn a_view_selects_it(db) {
        committed(&db).await?;
        let log = db.log();
        let query = Author::select().order_by(Author::id.asc());
        let views: Vec<AuthorOut> = query.view().on(&db.engine).all().await?;
        assert_eq!((&*views[1].biography, &views[1].portrait), ("bob was born", &Some(vec![1, 2])));
        assert!(!log.texts()[0].contains("motto"));
    }

    /// SEMANTICS 11.7: the view of an object that lacks it is an error, which names it.
    async fn rule_11_7_the_view_of_an_object_needs_it(db) {
        committed(&db).await?;
        let mut session = db.session();
        let ada = session.require::<Author>(1).await?;
        assert_eq!(unloaded(session.view::<AuthorOut>(ada)), "biography");
        assert_eq!(session.view::<NameOut>(ada)?.name, "ada");
        session.load(ada, Author::biography).await?;
        assert_eq!(unloaded(session.view::<AuthorOut>(ada)), "portrait");
        session.load(ada, Author::portrait).await?;
        assert_eq!(session.view::<AuthorOut>(ada)?.biography, "ada was born");
        let graph = Author::select().on(&db.engine).graph().await?;
        assert_eq!(unloaded(graph.view::<AuthorOut>(graph.roots().next().unwrap())), "biography");
    }
}

/// What is not loaded is an error or left out, never a default.
#[test]
fn unloaded_is_no_document() {
    let document = |text: Deferred<String>| {
        serde_json::to_string(&Document { name: "a", text, note: Deferred::unloaded() })
    };
    assert_eq!(document("b".into()).unwrap(), r#"{"name":"a","text":"b"}"#);
    let error = document(Deferred::unloaded()).unwrap_err().to_string();
    assert!(error.starts_with("a deferred column is not loaded"), "{error}");
    let read: Deferred<Option<i32>> = serde_json::from_str("null").unwrap();
    assert_eq!(read, Deferred::from(None));
}
