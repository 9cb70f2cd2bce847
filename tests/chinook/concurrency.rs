//! Many sessions that change one row: none of them undoes what another has done.

use std::time::Duration;

use orm_core::{Error, Model, Result, SessionFactory, schema};
use orm_tests::backend_tests;

const SESSIONS: u8 = 16;
const INCREMENTS: i64 = 200;

/// What all of them count with.
#[derive(Model)]
#[orm(base = none)]
struct Counter {
    #[orm(primary_key)]
    id: i64,
    value: i64,
    #[orm(version)]
    version: i64,
}

/// Adds one to the counter, so many times, in a session of its own. Gives the number of times that
/// somebody else was faster.
async fn count(sessions: SessionFactory, number: u8) -> Result<u32> {
    let mut session = sessions.session();
    let (mut counted, mut lost, mut lost_in_a_row) = (0, 0, 0);
    while counted < INCREMENTS {
        // After a lost attempt this reads the row again; else it is there already.
        let counter = session.require::<Counter>(1).await?;
        session[counter].value += 1;
        match session.commit().await {
            Ok(()) => {
                counted += 1;
                lost_in_a_row = 0;
            }
            Err(Error::StaleData(_) | Error::Serialization(_)) => {
                session.rollback().await?;
                lost += 1;
                lost_in_a_row += 1;
                tokio::time::sleep(pause(number, lost_in_a_row)).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(lost)
}

/// How long a session steps back: the longer the more often it has lost, and not as long as
/// another. Without that, most attempts of so many sessions are in vain.
fn pause(number: u8, lost_in_a_row: u32) -> Duration {
    let milliseconds = 1 << lost_in_a_row.min(6);
    Duration::from_millis(milliseconds) * u32::from(8 + number) / 16
}

backend_tests! {
    /// SEMANTICS 6.5
    async fn rule_6_5_no_increment_is_lost(db) {
        let db = db.with_engine(|engine| engine.max_connections(SESSIONS.into())).await?;
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        session.add(Counter::draft().id(1).value(0));
        session.commit().await?;

        let counting: Vec<_> =
            (0..SESSIONS).map(|number| tokio::spawn(count(db.sessions.clone(), number))).collect();
        let mut lost = 0;
        for task in counting {
            lost += task.await.expect("no task panics")?;
        }
        let counted = i64::from(SESSIONS) * INCREMENTS;
        let counter = Counter::select().on(&db.engine).one().await?;
        assert_eq!((counter.value, counter.version), (counted, counted + 1));
        assert!(lost > 0, "the sessions never met");
        println!("{counted} increments, {lost} attempts lost");
    }
}
