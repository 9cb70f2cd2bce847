//! What is an update, and of which columns: SEMANTICS 6.1, 6.2, 6.3, 6.7.

use chrono::{DateTime, Utc};
use orm_core::{Error, Handle, Json, Session, schema};
use orm_tests::backend_tests;
use rust_decimal::Decimal;
use serde_json::json;

use crate::models::{Counter, Document, Grade, Page, Passport, Person, Recipe, Sample, Visa};

fn sample() -> Sample {
    Sample {
        single: 1.5,
        double: 0.0,
        json: json!({"tags": ["a"]}),
        recipe: Json(Recipe { steps: Vec::new(), minutes: 1 }),
        words: vec!["a".into()],
        grade: Grade::Raw,
        decimal: "1.5".parse().unwrap(),
        maybe: Some(vec![1]),
    }
}

/// The columns that the next flush updates, apart from `updated_at`.
fn changed(session: &mut Session) -> Vec<String> {
    let plan = session.plan().unwrap();
    let columns = plan.steps().iter().flat_map(|step| step.columns.clone());
    columns.filter(|column| column != "updated_at").collect()
}

/// A value that only a statement of the database can have moved away from.
fn long_ago() -> DateTime<Utc> {
    DateTime::from_timestamp(1_000_000_000, 0).unwrap()
}

/// Sets `updated_at` by hand, so that a later change of it can be seen without waiting.
async fn age(session: &mut Session, counter: Handle<Counter>) -> orm_core::Result<()> {
    session.set(counter, Counter::updated_at, long_ago());
    session.commit().await?;
    assert_eq!(session[counter].updated_at(), long_ago());
    Ok(())
}

backend_tests! {
    /// SEMANTICS 6.1: set and restored, set to an equal value, borrowed and left alone.
    async fn rule_6_1_what_is_restored_is_no_change(db) {
        db.create(&schema![Document, Page, Counter]).await?;
        let mut session = db.session();
        let document = session.add(Document::draft().title("a"));
        let counter = session.add(Counter::draft().name("c").left(1).right(2));
        session.commit().await?;
        age(&mut session, counter).await?;
        session[document].title = "b".into();
        session[document].title = "a".into();
        session[counter].left = 1;
        let _ = &mut session[counter].right;
        session.set(counter, Counter::right, 2);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session[document].revision, 1);
        assert_eq!(session[counter].updated_at(), long_ago());
    }

    /// SEMANTICS 6.1: the value before counts, not the last one assigned: a flush moves it.
    async fn rule_6_1_the_last_database_value_counts(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(2));
        session.commit().await?;
        session[counter].left = 5;
        session.flush().await?;
        session[counter].left = 1;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE counters"]);
        let stored = Counter::select().columns(Counter::left).one(&mut session).await?;
        assert_eq!(stored, 1);
    }

    /// SEMANTICS 6.1: only the columns that changed are written: another session's change of
    /// another column stays.
    async fn rule_6_1_only_changed_columns_are_written(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(2));
        session.commit().await?;
        let mut other = db.session();
        let same = other.require::<Counter>(session[counter].id()).await?;
        other[same].right = 20;
        other.commit().await?;
        session[counter].left = 10;
        assert_eq!(changed(&mut session), ["left"]);
        session.commit().await?;
        let stored = Counter::select().columns((Counter::left, Counter::right));
        assert_eq!(stored.one(&mut session).await?, (10, 20));
    }

    /// SEMANTICS 6.1: changes inside a value are seen, one at a time, and restored ones are not.
    async fn rule_6_1_changes_in_place_are_seen(db) {
        db.create(&schema![Sample]).await?;
        let mut session = db.session();
        let handle = session.add(sample());
        session.commit().await?;

        type Edit = fn(&mut Sample);
        let edits: [(&str, Edit); 8] = [
            ("json", |s| s.json["tags"].as_array_mut().unwrap().push(json!("b"))),
            ("recipe", |s| s.recipe.0.steps.push("stir".into())),
            ("words", |s| s.words[0].push('!')),
            ("maybe", |s| s.maybe.as_mut().unwrap().push(2)),
            ("double", |s| s.double = f64::from_bits(1)),
            // Equal as numbers, but not as what is stored.
            ("decimal", |s| s.decimal = "1.50".parse().unwrap()),
            ("grade", |s| s.grade = Grade::WellDone),
            ("maybe", |s| s.maybe = None),
        ];
        for (column, edit) in edits {
            edit(&mut session[handle]);
            assert_eq!(changed(&mut session), [column]);
            session.commit().await?;
            let log = db.log();
            edit_back_and_forth(&mut session, handle);
            session.commit().await?;
            assert_eq!(log.emitted(), [""; 0], "{column} restored");
        }
        let mut other = db.session();
        let read = Sample::select().one(&mut other).await?;
        assert_eq!(other[read].json, json!({"tags": ["a", "b"]}));
        assert_eq!(other[read].recipe.0.steps, ["stir"]);
        assert_eq!(other[read].words, ["a!"]);
        assert_eq!(other[read].maybe, None);
        assert_eq!(other[read].double.to_bits(), 1);
        let scale = if db.capabilities.keeps_scale { 2 } else { 1 };
        assert_eq!((other[read].decimal, other[read].decimal.scale()), (Decimal::new(15, 1), scale));
    }

    /// SEMANTICS 6.1: floats compare by their bits, so that what is no number equals itself.
    async fn rule_6_1_floats_compare_by_bits(db) {
        db.create(&schema![Sample]).await?;
        let mut session = db.session();
        let handle = session.add(Sample { double: 1e300, single: f32::MIN_POSITIVE, ..sample() });
        session.commit().await?;
        session[handle].double = 1e300;
        session[handle].single = f32::MIN_POSITIVE;
        assert_eq!(changed(&mut session), [""; 0]);
        session[handle].double = f64::from_bits(1e300_f64.to_bits() + 1);
        assert_eq!(changed(&mut session), ["double"]);
        session.commit().await?;
        let stored = Sample::select().columns(Sample::double).one(&mut session).await?;
        assert_eq!(stored.to_bits(), 1e300_f64.to_bits() + 1);
    }

    /// SEMANTICS 6.2: `updated_at` joins every real update, and its value is in memory.
    async fn rule_6_2_updated_at_joins_every_update(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(2));
        session.commit().await?;
        age(&mut session, counter).await?;
        let created = session[counter].created_at();

        session[counter].left = 7;
        session.commit().await?;
        assert!(session[counter].updated_at() > long_ago());
        assert_eq!(session[counter].created_at(), created);
        let stored = Counter::select().columns(Counter::updated_at).one(&mut session).await?;
        assert_eq!(session[counter].updated_at(), stored);
    }

    /// SEMANTICS 6.2: it is the time of the statement, not that at which its transaction began.
    async fn rule_6_2_each_statement_has_a_time_of_its_own(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(2));
        session.flush().await?;
        let mut times = vec![session[counter].updated_at()];
        for left in [2, 3] {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            session[counter].left = left;
            session.flush().await?;
            times.push(session[counter].updated_at());
        }
        session.commit().await?;
        assert!(times.is_sorted_by(|earlier, later| earlier < later), "{times:?}");
        assert_eq!(session[counter].created_at(), times[0]);
    }

    /// SEMANTICS 6.2: set by hand, the hand wins, beside other changes too.
    async fn rule_6_2_a_time_set_by_hand_wins(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let [a, b] = ["a", "b"]
            .map(|name| session.add(Counter::draft().name(name).left(1).right(2)));
        session.commit().await?;
        session.set(a, Counter::updated_at, long_ago());
        session[a].left = 3;
        session[b].left = 3;
        session.commit().await?;
        assert_eq!(session[a].updated_at(), long_ago());
        assert!(session[b].updated_at() > long_ago());
        let mut stored = Counter::select().order_by(Counter::id.asc()).columns(Counter::updated_at)
            .all(&mut session).await?;
        assert_eq!(stored.remove(0), long_ago());
        assert_eq!(stored.remove(0), session[b].updated_at());
    }

    /// SEMANTICS 6.3: one statement per set of changed columns and chunk, each row its own values.
    async fn rule_6_3_rows_with_the_same_columns_go_together(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counters = session.add_all((0..1100).map(|at| {
            Counter::draft().name(format!("c{at}")).left(at).right(at)
        }));
        session.commit().await?;
        for (at, counter) in counters.iter().enumerate() {
            session[*counter].left = -1 - at as i64;
            if at % 10 == 0 {
                session[*counter].name = format!("ten {at}");
            }
        }
        let log = db.log();
        session.commit().await?;
        let (of_two_columns, of_one) =
            (db.per_statement("UPDATE counters", 110), db.per_statement("UPDATE counters", 990));
        assert_eq!(log.emitted(), [of_two_columns, of_one].concat());
        let mut other = db.session();
        for counter in Counter::select().all(&mut other).await? {
            let counter = &other[counter];
            assert_eq!(counter.left, -1 - counter.right);
            let prefix = if counter.right % 10 == 0 { "ten " } else { "c" };
            assert_eq!(counter.name, format!("{prefix}{}", counter.right));
        }
    }

    /// SEMANTICS 6.3: values of every type in a statement of many rows, NULL among them.
    async fn rule_6_3_nulls_and_documents_among_many_rows(db) {
        db.create(&schema![Sample]).await?;
        let mut session = db.session();
        let samples = session.add_all((0..3).map(|_| sample()));
        session.commit().await?;
        let values = [None, Some(Vec::new()), Some(vec![1, 2, 3])];
        for (sample, value) in samples.iter().zip(&values) {
            session[*sample].maybe = value.clone();
            session[*sample].json = json!(value);
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE samples"]);
        let stored = Sample::select().order_by(Sample::id.asc()).on(&db.engine).all().await?;
        for (row, value) in stored.iter().zip(&values) {
            assert_eq!(row.maybe, *value);
            assert_eq!(row.json, json!(value));
        }
    }

    /// SEMANTICS 6.7: a key that is a foreign key can't be blanked, before any SQL.
    async fn rule_6_7_a_key_that_is_a_foreign_key_cant_be_blanked(db) {
        db.create(&schema![Person, Passport, Visa]).await?;
        let mut session = db.session();
        let person = session.add(Person::draft().name("Ada"));
        let passport = session.add(Passport::draft().number("7").person(person));
        session.commit().await?;
        person.passport(&mut session).clear();
        let log = db.log();
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)));
        let sentence = error.to_string();
        assert!(sentence.contains("passports.person_id"), "{sentence}");
        assert!(sentence.contains("primary key"), "{sentence}");
        assert_eq!(log.all(), [""; 0]);

        // Everything is as it was, and the way out that the sentence names works.
        session.delete(passport);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE passports"]);
    }

    /// SEMANTICS 6.7: neither by deleting the parent.
    async fn rule_6_7_nor_by_deleting_the_parent(db) {
        db.create(&schema![Person, Passport, Visa]).await?;
        let mut session = db.session();
        let person = session.add(Person::draft().name("Ada"));
        let passport = session.add(Passport::draft().number("7").person(person));
        session.commit().await?;
        session.delete(person);
        let log = db.log();
        let sentence = session.commit().await.unwrap_err().to_string();
        assert!(sentence.contains("passports.person_id"), "{sentence}");
        assert!(sentence.contains("primary key"), "{sentence}");
        assert_eq!(log.all(), [""; 0]);
        session.delete(passport);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE passports", "DELETE people"]);
    }
}

/// Changes everything and puts it back.
fn edit_back_and_forth(session: &mut Session, handle: Handle<Sample>) {
    let other = Sample {
        single: 9.0,
        double: 9.0,
        json: json!(null),
        words: Vec::new(),
        grade: Grade::WellDone,
        maybe: Some(Vec::new()),
        ..sample()
    };
    let before = std::mem::replace(&mut *session[handle], other);
    *session[handle] = before;
}
