//! After a flush memory is what the database holds: SEMANTICS 5.4.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use orm_core::{Entity, Error, Json, Session, schema};
use orm_tests::backend_tests;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::models::{Company, Employee, Grade, Recipe, Specimen};

/// What no column here can hold as it is: nanoseconds.
fn instant(nanoseconds: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, nanoseconds).unwrap()
}

fn plain() -> Specimen {
    Specimen {
        truth: true,
        tiny: -7,
        small: 70_000,
        large: 5_000_000_000,
        byte: 200,
        word: 60_000,
        double_word: 4_000_000_000,
        single: 0.1,
        double: 0.1,
        text: "plain".into(),
        bytes: vec![0, 1, 255],
        date: NaiveDate::from_ymd_opt(2024, 2, 29).unwrap(),
        time: NaiveTime::from_hms_nano_opt(23, 59, 59, 123_456_789).unwrap(),
        date_time: instant(123_456_789).naive_utc(),
        instant: instant(999_999_999),
        json: json!({"a": [1, 2.5, null, {"b": "ü"}]}),
        recipe: Json(Recipe { steps: vec!["boil".into()], minutes: 5 }),
        words: vec!["a,b".into(), "\"c\"".into(), String::new()],
        instants: vec![instant(1_999), instant(0)],
        grade: Grade::WellDone,
        uuid: Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0),
        decimal: "12.3400".parse().unwrap(),
        maybe: Some("yes".into()),
        maybe_json: Some(json!([])),
    }
}

fn extreme(low: bool) -> Specimen {
    let pick = |a: i64, b: i64| if low { a } else { b };
    Specimen {
        truth: !low,
        tiny: pick(i16::MIN.into(), i16::MAX.into()) as i16,
        small: pick(i32::MIN.into(), i32::MAX.into()) as i32,
        large: pick(i64::MIN, i64::MAX),
        byte: pick(0, u8::MAX.into()) as u8,
        word: pick(0, u16::MAX.into()) as u16,
        double_word: pick(0, u32::MAX.into()) as u32,
        single: if low { f32::MIN } else { f32::MIN_POSITIVE },
        double: if low { f64::MIN } else { f64::MAX },
        text: if low { String::new() } else { "𝄞 \u{1}'\"\\".repeat(300) },
        bytes: if low { Vec::new() } else { vec![0; 3000] },
        date: NaiveDate::from_ymd_opt(if low { 1 } else { 9999 }, 12, 31).unwrap(),
        time: if low {
            NaiveTime::MIN
        } else {
            NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap()
        },
        json: if low { json!({}) } else { json!({"x": {"y": {"z": [[], {}]}}}) },
        words: if low { Vec::new() } else { vec!["𝄞".into(); 50] },
        instants: Vec::new(),
        grade: Grade::Raw,
        uuid: if low { Uuid::nil() } else { Uuid::max() },
        decimal: if low { "-99999999.9999".parse().unwrap() } else { Decimal::ZERO },
        maybe: None,
        maybe_json: None,
        ..plain()
    }
}

/// Every column of an entity, base columns first, as text that keeps the bits of floats apart.
fn columns(entity: &Entity<Specimen>) -> Vec<String> {
    let times = [entity.created_at(), entity.updated_at()].map(|time| time.to_rfc3339());
    let s: &Specimen = entity;
    let mut columns = vec![entity.id().to_string()];
    columns.extend(times);
    columns.extend([
        format!("{} {} {} {}", s.truth, s.tiny, s.small, s.large),
        format!("{} {} {}", s.byte, s.word, s.double_word),
        format!("{:x} {:x}", s.single.to_bits(), s.double.to_bits()),
        s.text.clone(),
        format!("{:?} {:?} {:?} {:?}", s.bytes, s.date, s.time, s.date_time),
        format!("{:?} {} {:?}", s.instant, s.json, s.recipe.0),
        format!("{:?} {:?} {:?}", s.words, s.instants, s.grade),
        format!("{} {} {:?} {:?}", s.uuid, s.decimal, s.maybe, s.maybe_json),
    ]);
    columns
}

/// What memory holds is what another session reads.
async fn expect_in_step(
    session: &Session,
    other: &mut Session,
    handle: orm_core::Handle<Specimen>,
) -> orm_core::Result<()> {
    let read = other.require::<Specimen>(session[handle].id()).await?;
    other.refresh(read).await?;
    assert_eq!(columns(&session[handle]), columns(&other[read]));
    Ok(())
}

backend_tests! {
    /// SEMANTICS 5.4: inserted rows, without reading them again.
    async fn rule_5_4_memory_is_the_row_after_insert(db) {
        db.create(&schema![Specimen]).await?;
        let mut session = db.session();
        let added = session.add_all([plain(), extreme(true), extreme(false)]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT specimens"]);
        let mut other = db.session();
        for handle in added {
            expect_in_step(&session, &mut other, handle).await?;
        }
    }

    /// SEMANTICS 5.4: updated rows, together and alone.
    async fn rule_5_4_memory_is_the_row_after_update(db) {
        db.create(&schema![Specimen]).await?;
        let mut session = db.session();
        let added = session.add_all([plain(), plain(), plain()]);
        session.commit().await?;
        *session[added[0]] = extreme(true);
        *session[added[1]] = extreme(false);
        session[added[2]].instant = instant(5_001);
        session.commit().await?;
        let mut other = db.session();
        for handle in added {
            expect_in_step(&session, &mut other, handle).await?;
        }
    }

    /// SEMANTICS 5.4: times are cut to microseconds in memory, those within arrays too.
    async fn rule_5_4_times_are_cut_to_microseconds(db) {
        db.create(&schema![Specimen]).await?;
        let mut session = db.session();
        let specimen = session.add(plain());
        session.commit().await?;
        assert_eq!(session[specimen].instant, instant(999_999_000));
        assert_eq!(session[specimen].date_time, instant(123_456_000).naive_utc());
        assert_eq!(session[specimen].instants, [instant(1_000), instant(0)]);

        // What differs only by what is cut is no change; what is assigned is cut as well.
        session[specimen].instant = instant(999_999_123);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session[specimen].instant, instant(999_999_000));
        session[specimen].instant = instant(1_234);
        session.set(specimen, Specimen::date_time, instant(7_777).naive_utc());
        session.commit().await?;
        assert_eq!(session[specimen].instant, instant(1_000));
        assert_eq!(session[specimen].date_time, instant(7_000).naive_utc());
    }

    /// SEMANTICS 5.4: keys that links decided are in memory, and so is their absence.
    async fn rule_5_4_linked_columns_are_in_memory(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let [a, b] = ["a", "b"].map(|name| session.add(Company::draft().name(name)));
        let ada = session.add(Employee::draft().name("Ada").company(a));
        session.commit().await?;
        ada.company(&mut session).set(b);
        a.chief(&mut session).set(ada);
        session.commit().await?;
        assert_eq!(session[ada].company_id, session[b].id());
        assert_eq!(session[a].chief_id, Some(session[ada].id()));
        a.chief(&mut session).clear();
        session.commit().await?;
        assert_eq!(session[a].chief_id, None);
    }

    /// SEMANTICS 5.4 and 8.7: a relationship that was set back beats a key that was assigned, and
    /// memory shows what the row has.
    async fn rule_5_4_a_beaten_key_assignment_leaves_no_trace(db) {
        db.create(&schema![Company, Employee]).await?;
        let mut session = db.session();
        let [a, b] = ["a", "b"].map(|name| session.add(Company::draft().name(name)));
        let ada = session.add(Employee::draft().name("Ada").company(a));
        session.commit().await?;
        let (id_of_a, id_of_b) = (session[a].id(), session[b].id());
        session[ada].company_id = id_of_b;
        ada.company(&mut session).set(a);
        session.commit().await?;
        assert_eq!(session[ada].company_id, id_of_a);
        session[ada].name = "Augusta".into();
        session.commit().await?;
        let stored = Employee::select().columns(Employee::company_id).one(&mut session).await?;
        assert_eq!(stored, id_of_a);
    }

    /// SEMANTICS 5.4: a decimal of more scale than its column is refused, not rounded. Nothing
    /// was written, and the object can be mended.
    async fn rule_5_4_a_decimal_of_too_much_scale_is_refused(db) {
        db.create(&schema![Specimen]).await?;
        let mut session = db.session();
        let mut specimen = plain();
        specimen.decimal = "1.23456".parse().unwrap();
        let specimen = session.add(specimen);
        let error = session.commit().await.unwrap_err();
        let sentence = error.to_string();
        assert!(matches!(error, Error::Type { .. }), "{sentence}");
        assert!(sentence.contains("specimens.decimal") && !sentence.contains("1.23456"), "{sentence}");
        session[specimen].decimal = "1.2345".parse().unwrap();
        session.commit().await?;
        let mut other = db.session();
        expect_in_step(&session, &mut other, specimen).await?;
    }
}
