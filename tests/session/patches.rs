//! Patches: what is absent stays, what is null becomes NULL, and a client decides nothing that it
//! was not allowed to.

use orm_core::session::Patch;
use orm_core::{Error, Handle, Result, Session};
use orm_tests::{Database, backend_tests};
use serde_json::json;

use super::models::*;

async fn profile(db: &Database, session: &mut Session) -> Result<Handle<Profile>> {
    db.create(&profile_tables()).await?;
    let profile = session.add(Profile::draft().nick("ada").age(36).password("secret"));
    session.commit().await?;
    Ok(profile)
}

fn patch(document: serde_json::Value) -> Patch<Profile> {
    serde_json::from_value(document).expect("a patch")
}

/// Why a document is no patch.
fn refusal(document: &str) -> String {
    serde_json::from_str::<Patch<Profile>>(document).unwrap_err().to_string()
}

backend_tests! {
    /// DESIGN 2, Patches: absent, null and a value are three things.
    async fn absent_null_and_value_are_told_apart(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        let change = patch(json!({ "age": null, "points": 7 }));
        assert!(change.has(Profile::age) && !change.has(Profile::nick));
        assert_eq!(change.get(Profile::age)?, Some(None));
        assert_eq!(change.get(Profile::points)?, Some(7));
        assert_eq!(change.get(Profile::nick)?, None);
        assert_eq!(change.fields().collect::<Vec<_>>(), ["age", "points"]);
        session.apply(ada, change.everything())?;
        assert_eq!((session[ada].age, session[ada].points), (None, 7));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE profiles"]);
        let stored = Profile::select().columns((Profile::nick, Profile::age, Profile::points));
        assert_eq!(stored.one(&mut session).await?, ("ada".to_owned(), None, 7));
        // What it sets is there already.
        session.apply(ada, patch(json!({ "age": null, "points": 7 })).everything())?;
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// DESIGN 2, Patches: mass assignment is a decision.
    async fn only_sets_what_it_names(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        let change = patch(json!({ "nick": "eve", "age": 1, "flagged": true }));
        session.apply(ada, change.clone().only(Profile::age))?;
        assert_eq!((session[ada].nick.as_str(), session[ada].age), ("ada", Some(1)));
        session.apply(ada, change.only((Profile::nick, Profile::points)))?;
        session.commit().await?;
        let profile = &session[ada];
        assert_eq!((profile.nick.as_str(), profile.age, profile.flagged), ("eve", Some(1), false));
    }

    /// DESIGN 2, Patches: every type reads what serde writes of it, and is written as itself.
    async fn every_type_is_read(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        let change = patch(json!({
            "nick": "bob", "age": -1, "points": 255, "level": "gold", "flagged": true,
            "ratio": 1, "born": "1815-12-10", "wakes": "06:30:00.123456789",
            "moved": "1830-01-02T03:04:05", "seen": "2025-01-02T03:04:05.123456789+01:00",
            "tags": ["a", "\"b\""], "notes": { "deep": [null] }, "settings": { "theme": "dark" },
            "avatar": [0, 255], "budget": "10.25", "token": "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "team_id": null,
        }));
        session.apply(ada, change.everything())?;
        session.commit().await?;
        let mut other = db.session();
        let theirs = other.require::<Profile>(session[ada].id()).await?;
        for profile in [&session[ada], &other[theirs]] {
            assert_eq!((profile.nick.as_str(), profile.age, profile.points), ("bob", Some(-1), 255));
            assert_eq!((profile.level, profile.flagged, profile.ratio), (Level::Gold, true, Some(1.0)));
            let texts = [
                profile.born.expect("set").to_string(),
                profile.wakes.expect("set").to_string(),
                profile.moved.expect("set").to_string(),
                profile.seen.expect("set").to_rfc3339(),
                profile.budget.expect("set").to_string(),
                profile.token.expect("set").to_string(),
            ];
            assert_eq!(texts, [
                "1815-12-10", "06:30:00.123456", "1830-01-02 03:04:05",
                "2025-01-02T02:04:05.123456+00:00", "10.25", "67e55044-10b1-426f-9247-bb680e5fe0c8",
            ]);
            assert_eq!(profile.tags.as_deref(), Some(&["a".to_owned(), "\"b\"".to_owned()][..]));
            assert_eq!(profile.notes, Some(json!({ "deep": [null] })));
            assert_eq!((profile.settings.theme.as_str(), &profile.avatar[..]), ("dark", &[0, 255][..]));
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        // A number for a decimal, and documents that are no SQL NULL.
        session.apply(ada, patch(json!({ "budget": 0.1, "notes": null })).everything())?;
        session.commit().await?;
        assert_eq!(session[ada].budget.expect("set").to_string(), "0.1");
        assert_eq!(session[ada].notes, None);
    }

    /// DESIGN 2, Patches: all of it or nothing, and the error names the column.
    async fn what_a_column_can_not_hold_changes_nothing(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        for (bad, column, words) in [
            (json!({ "age": 1, "nick": null }), "profiles.nick", "NULL"),
            (json!({ "age": 1, "nick": "far too long" }), "profiles.nick", "8"),
            (json!({ "age": 1, "points": 256 }), "profiles.points", "range"),
            (json!({ "age": 1, "points": -1 }), "profiles.points", "range"),
            (json!({ "age": 4_000_000_000_i64 }), "profiles.age", "range"),
            (json!({ "age": 1, "level": "platinum" }), "profiles.level", ""),
            (json!({ "age": 1, "settings": { "colour": "red" } }), "profiles.settings", "shape"),
            (json!({ "age": 1, "settings": null }), "profiles.settings", "shape"),
            (json!({ "age": 1, "tags": ["a", null] }), "profiles.tags", "text"),
        ] {
            let change = patch(bad.clone());
            let error = session.apply(ada, change.everything()).unwrap_err();
            let Error::Type { place, .. } = &error else { panic!("{error}") };
            assert!(place.contains(column), "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("platinum"), "{error}");
            assert_eq!(session[ada].age, Some(36), "{bad}");
        }
        let error = session.apply(ada, patch(json!({ "nick": null })).everything()).unwrap_err();
        assert!(error.violates(Profile::nick));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!((session[ada].nick.as_str(), session[ada].level), ("ada", Level::Bronze));
    }

    /// DESIGN 2, Patches: what this database can't store changes nothing, as what the column can't
    /// hold; nor is it merged.
    async fn what_the_database_can_not_store_changes_nothing(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        let change = patch(json!({ "age": 7, "nick": "a\0b" }));
        if db.capabilities.nul_in_text {
            session.apply(ada, change.everything())?;
            session.commit().await?;
            assert_eq!(session[ada].nick, "a\0b");
            return Ok(());
        }
        let log = db.log();
        let error = session.apply(ada, change.everything()).unwrap_err();
        assert!(error.violates(Profile::nick) && matches!(error, Error::Type { .. }), "{error}");
        let key = session.key(ada).expect("flushed");
        let draft = Profile::draft().age(7).nick("a\0b");
        let error = session.merge((key, draft)).await.unwrap_err();
        assert!(error.violates(Profile::nick), "{error}");
        assert_eq!((session[ada].age, session[ada].nick.as_str()), (Some(36), "ada"));
        assert!(!session.is_modified(ada));
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 8.7: a key column is assigned as by hand; the relationship follows at the flush.
    async fn rule_8_7_a_key_column_unloads_its_relationship(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        let red = session.add(Team::draft().name("Red"));
        ada.team(&mut session).set(red);
        session.commit().await?;
        session.apply(ada, patch(json!({ "team_id": null })).only(Profile::team_id))?;
        assert_eq!(session[ada].team.loaded(), Some(Some(red)));
        session.commit().await?;
        assert_eq!(ada.team(&mut session).await?, None);
    }

    /// SEMANTICS 5.3: what a patch sets of a pending object counts as given.
    async fn rule_5_3_a_pending_object_takes_a_patch(db) {
        committed(&db, &[]).await?;
        let mut session = db.session();
        let ada = session.add(user("ada"));
        let change: Patch<User> = serde_json::from_str(r#"{"level": "bronze", "visits": 3}"#).unwrap();
        session.apply(ada, change.everything())?;
        session.commit().await?;
        assert_eq!((session[ada].level, session[ada].visits), (Level::Bronze, 3));
    }

    /// SEMANTICS 6.6: a patch wins over an expression that was set before.
    async fn rule_6_6_a_patch_wins_over_an_earlier_expression(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        session.set(ada, Profile::age, Profile::age + 1);
        session.apply(ada, patch(json!({ "age": 36 })).everything())?;
        session.commit().await?;
        assert_eq!(session[ada].age, Some(36));
    }

    /// SEMANTICS 1.5, 10.1: an object that can't be edited is an error, not a panic.
    async fn rule_1_5_a_patch_for_an_object_that_is_gone(db) {
        let mut session = db.session();
        let ada = profile(&db, &mut session).await?;
        let change = patch(json!({ "age": 1 })).everything();
        session.expire(ada);
        let error = session.apply(ada, change.clone()).unwrap_err();
        assert!(matches!(error, Error::NotLoaded { .. }), "{error}");
        session.expunge(ada);
        let error = session.apply(ada, change).unwrap_err();
        assert!(matches!(error, Error::Detached { .. }), "{error}");
    }
}

/// DESIGN 2, Patches: what no client may decide is refused by name, and no value is quoted.
#[test]
fn what_is_never_in_a_patch() {
    for (document, words) in [
        (r#"{"id": 1}"#, "`id` of `Profile` can't be patched: it is part of the primary key"),
        (
            r#"{"created_at": null}"#,
            "`created_at` of `Profile` can't be patched: it is a base column",
        ),
        (r#"{"revision": 1}"#, "`revision` of `Profile` can't be patched: it is the version"),
        (
            r#"{"password": "x"}"#,
            "`password` of `Profile` can't be patched: it is never serialized",
        ),
        (r#"{"team": 1}"#, "`team` is a relationship of `Profile`"),
        (r#"{"age": 1, "age": 2}"#, "`age` comes twice"),
    ] {
        let refusal = refusal(document);
        assert!(refusal.contains(words), "{refusal}");
    }
    let unknown = refusal(r#"{"nik": "ada"}"#);
    assert!(
        unknown.contains("`Profile` has no field `nik`: expected one of nick, age"),
        "{unknown}"
    );
    assert!(!unknown.contains("password") && !unknown.contains("revision"), "{unknown}");
}

/// A value of another kind is an error that says what is expected, where, and not what was there.
#[test]
fn values_of_another_kind_are_refused() {
    for (field, value, words) in [
        ("nick", "4711", "`Profile.nick` must be a text"),
        ("age", "\"4711\"", "`Profile.age` must be an integer"),
        ("age", "4711.5", "`Profile.age` must be an integer"),
        ("flagged", "4711", "`Profile.flagged` must be true or false"),
        ("ratio", "\"4711\"", "`Profile.ratio` must be a number"),
        ("born", "\"4711\"", "`Profile.born` must be a date, as in `2025-12-31`"),
        ("wakes", "\"4711\"", "`Profile.wakes` must be a time of day"),
        ("moved", "\"4711\"", "`Profile.moved` must be a date and time"),
        ("seen", "\"4711\"", "`Profile.seen` must be an instant"),
        ("level", "4711", "`Profile.level` must be one of its labels"),
        ("tags", "\"4711\"", "`Profile.tags` must be a list"),
        ("tags", "[4711]", "`Profile.tags` must be a list"),
        ("avatar", "\"4711\"", "`Profile.avatar` must be a list of bytes"),
        ("avatar", "[4711]", "`Profile.avatar` must be a list of bytes"),
        ("budget", "\"4711x\"", "`Profile.budget` must be a decimal"),
        ("token", "\"4711\"", "`Profile.token` must be a UUID"),
    ] {
        let refusal = refusal(&format!("{{\"{field}\": {value}}}"));
        assert!(refusal.contains(words), "{refusal}");
        assert!(!refusal.replace("column", "").contains("4711"), "{refusal}");
        assert!(refusal.contains("line 1"), "serde_json tells where: {refusal}");
    }
    assert!(refusal("[]").contains("fields of `Profile`"));
}

/// What a patch holds doesn't get into logs.
#[test]
fn debug_shows_fields_and_no_values() {
    let change = patch(json!({ "nick": "hush", "age": 4711 }));
    assert_eq!(format!("{change:?}"), r#"Patch of Profile {"age", "nick"}"#);
    assert_eq!(format!("{:?}", change.everything()), r#"Patch of Profile {"age", "nick"}"#);
}
