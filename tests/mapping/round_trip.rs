//! The one check that every column type passes.

/// For each type, a test that its values arrive as they are: by INSERT, by UPDATE of one row and
/// of many, read by a session, by an engine, and through an `Option`. Which values there are may
/// depend on the backend's capabilities: `name(able): Type = …`.
macro_rules! round_trips {
    ($($(#[$meta:meta])* $name:ident $(($able:ident))?: $type:ty = $values:expr;)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            use orm_core::value::ColumnType;
            use orm_core::{Model, schema};

            #[derive(Model)]
            struct Sample {
                value: $type,
                maybe: Option<$type>,
            }

            orm_tests::backend_tests! {
                $(#[$meta])*
                async fn rule_5_4_every_value_arrives_as_it_is(db) {
                    db.create(&schema![Sample]).await?;
                    $(let $able = db.capabilities;)?
                    let mut values: Vec<$type> = $values;
                    let encoded = |values: &[$type]| values.iter().map(<$type>::encode).collect::<Vec<_>>();

                    let mut session = db.session();
                    let drafts = values
                        .iter()
                        .map(|value| Sample::draft().value(value.clone()).maybe(value.clone()));
                    let samples = session.add_all(drafts);
                    session.commit().await?;
                    let in_memory: Vec<_> = samples.iter().map(|h| session[*h].value.encode()).collect();
                    assert_eq!(in_memory, encoded(&values), "in memory behind the INSERT");
                    let log = db.log();
                    session.commit().await?;
                    assert_eq!(log.emitted(), [""; 0], "what was written is not dirty");

                    let mut other = db.session();
                    let query = Sample::select().order_by(Sample::id.asc());
                    let read = query.clone().all(&mut other).await?;
                    let found: Vec<_> = read.iter().map(|h| other[*h].value.encode()).collect();
                    assert_eq!(found, encoded(&values), "in another session");
                    let found: Vec<_> = read.iter().map(|h| other[*h].maybe.encode()).collect();
                    assert_eq!(found, encoded(&values), "as an option");

                    // Every row takes the value of the next: one UPDATE of many rows.
                    values.rotate_left(1);
                    for (sample, value) in read.iter().zip(&values) {
                        other[*sample].value = value.clone();
                        other[*sample].maybe = None;
                    }
                    other.commit().await?;
                    let rows = query.on(&db.engine).all().await?;
                    let found: Vec<_> = rows.iter().map(|row| row.value.encode()).collect();
                    assert_eq!(found, encoded(&values), "behind an UPDATE of many rows");
                    assert!(rows.iter().all(|row| row.maybe.is_none()));

                    other[read[0]].maybe = Some(values[0].clone());
                    other.commit().await?;
                    other.refresh(read[0]).await?;
                    assert_eq!(other[read[0]].maybe.encode(), values[0].encode(), "behind an UPDATE of one");
                }
            }
        }
    )+};
}

pub(crate) use round_trips;
