//! What a value becomes as it enters a session.

use chrono::{DateTime, Utc};
use orm_core::{Model, schema};
use orm_tests::backend_tests;

#[derive(Model)]
struct Event {
    name: String,
    at: DateTime<Utc>,
    #[orm(default = a_time())]
    seen: Option<DateTime<Utc>>,
}

/// A time that no database can hold.
fn a_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 123_456_789).expect("a time")
}

backend_tests! {
    /// SEMANTICS 5.4: by a draft, by a default, by a struct and by `set`.
    async fn rule_5_4_times_are_cut_to_microseconds_as_they_enter(db) {
        db.create(&schema![Event]).await?;
        let cut = DateTime::from_timestamp(1_700_000_000, 123_456_000).expect("a time");
        let mut session = db.session();
        let drafted = session.add(Event::draft().name("draft").at(a_time()));
        let built = session.add(Event { name: "struct".into(), at: a_time(), seen: Some(a_time()) });
        for event in [drafted, built] {
            assert_eq!((session[event].at, session[event].seen), (cut, Some(cut)));
        }
        session.commit().await?;
        session.set(drafted, Event::at, a_time());
        assert_eq!(session[drafted].at, cut);

        let log = db.log();
        session.commit().await?;
        assert!(log.emitted().is_empty(), "what enters is what is there already");
        for event in [drafted, built] {
            session.refresh(event).await?;
            assert_eq!((session[event].at, session[event].seen), (cut, Some(cut)));
        }
    }
}
