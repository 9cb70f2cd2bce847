//! Whatever unique values become of a few rows, a flush gets them there: SEMANTICS 4.3.

use std::collections::{BTreeMap, HashSet};

use orm_core::{Error, Handle, Result, schema};
use orm_tests::{Database, backend_tests};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle as Runtime;
use tokio::task::block_in_place;

use crate::unique_models::Player;

/// The values of a row that can clash.
#[derive(Clone, Debug, PartialEq)]
struct Values {
    email: Option<i64>,
    shirt: i64,
    team: i64,
    place: Option<i64>,
}

/// What becomes of a row.
#[derive(Clone, Debug)]
enum Fate {
    Stays,
    Becomes(Values),
    Goes,
    /// It goes, and another takes its place under the same primary key.
    IsReplaced(Values),
}

/// Rows in the order of their keys, what becomes of them, and rows that come.
#[derive(Clone, Debug)]
struct Case {
    before: Vec<Values>,
    fates: Vec<Fate>,
    new: Vec<Values>,
    swaps_shirts: bool,
}

fn values() -> impl Strategy<Value = Values> {
    (prop::option::of(0..4_i64), 0..5_i64, 0..2_i64, prop::option::of(0..3_i64))
        .prop_map(|(email, shirt, team, place)| Values { email, shirt, team, place })
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        2 => Just(Fate::Stays),
        5 => values().prop_map(Fate::Becomes),
        2 => Just(Fate::Goes),
        1 => values().prop_map(Fate::IsReplaced),
    ]
}

/// Cases that begin and end without a clash.
fn case() -> impl Strategy<Value = Case> {
    (
        prop::collection::vec(values(), 2..6),
        prop::collection::vec(fate(), 6),
        prop::collection::vec(values(), 0..3),
        any::<bool>(),
    )
        .prop_map(|(before, fates, new, swaps_shirts)| {
            let (mut before, mut fates, mut new) = (before, fates, new);
            if !swaps_shirts {
                keep_shirts(&mut before, &mut fates, &mut new);
            }
            make_valid(&mut before);
            let mut case = Case { before, fates, new, swaps_shirts };
            case.make_end_valid();
            case
        })
}

/// Gives every row a shirt of its own for ever: what can't be NULL never changes hands.
fn keep_shirts(before: &mut [Values], fates: &mut [Fate], new: &mut [Values]) {
    for (at, (values, fate)) in before.iter_mut().zip(fates).enumerate() {
        values.shirt = 10 + at as i64;
        if let Fate::Becomes(after) | Fate::IsReplaced(after) = fate {
            after.shirt = values.shirt;
        }
    }
    for (at, values) in new.iter_mut().enumerate() {
        values.shirt = 20 + at as i64;
    }
}

/// Changes values that clash with an earlier row's.
fn make_valid<'v>(rows: impl IntoIterator<Item = &'v mut Values>) {
    let (mut emails, mut shirts, mut places) = (HashSet::new(), HashSet::new(), HashSet::new());
    for values in rows {
        if values.email.is_some_and(|email| !emails.insert(email)) {
            values.email = None;
        }
        while !shirts.insert(values.shirt) {
            values.shirt += 5;
        }
        if values.place.is_some_and(|place| !places.insert((values.team, place))) {
            values.place = None;
        }
    }
}

impl Case {
    /// Who stays comes first, since nothing of it may change.
    fn make_end_valid(&mut self) {
        let mut stay = Vec::new();
        let mut change = Vec::new();
        for (before, fate) in self.before.iter_mut().zip(&mut self.fates) {
            match fate {
                Fate::Stays => stay.push(before),
                Fate::Becomes(after) | Fate::IsReplaced(after) => change.push(after),
                Fate::Goes => {}
            }
        }
        let mut kept: Vec<Values> = stay.iter().map(|values| (**values).clone()).collect();
        let others = change.into_iter().chain(&mut self.new);
        make_valid(kept.iter_mut().chain(others));
    }

    /// The rows afterwards, by key.
    fn after(&self) -> BTreeMap<i64, Values> {
        let mut after = BTreeMap::new();
        for (at, before) in self.before.iter().enumerate() {
            let values = match &self.fates[at] {
                Fate::Stays => before,
                Fate::Becomes(after) | Fate::IsReplaced(after) => after,
                Fate::Goes => continue,
            };
            after.insert(at as i64, values.clone());
        }
        after.extend((100..).zip(self.new.iter().cloned()));
        after
    }
}

fn player(id: i64, values: &Values) -> Player {
    Player {
        id,
        email: values.email.map(|email| email.to_string()),
        shirt: values.shirt,
        team: values.team.to_string(),
        place: values.place,
    }
}

async fn live_through(db: &Database, case: &Case) -> Result<()> {
    db.engine.drop_all(&schema![Player]).await?;
    db.create(&schema![Player]).await?;
    let mut session = db.session();
    let rows = (0..).zip(&case.before);
    let players: Vec<Handle<Player>> =
        rows.map(|(id, values)| session.add(player(id, values))).collect();
    session.commit().await?;
    for (at, &handle) in players.iter().enumerate() {
        match &case.fates[at] {
            Fate::Stays => {}
            Fate::Becomes(after) => *session[handle] = player(at as i64, after),
            Fate::Goes => session.delete(handle),
            Fate::IsReplaced(after) => {
                session.delete(handle);
                session.add(player(at as i64, after));
            }
        }
    }
    for (id, values) in (100..).zip(&case.new) {
        session.add(player(id, values));
    }
    match session.commit().await {
        Ok(()) => {}
        // Only what can't be NULL for a moment may stand in the way.
        Err(Error::Cycle(sentence)) if case.swaps_shirts => {
            assert!(sentence.contains("players.shirt"), "{sentence}");
            return session.rollback().await;
        }
        Err(error) => return Err(error),
    }
    let log = db.log();
    session.flush().await?;
    assert_eq!(log.all(), [""; 0]);
    let expected: Vec<_> = case
        .after()
        .into_iter()
        .map(|(id, values)| {
            let player = player(id, &values);
            (id, player.email, player.shirt, player.team, player.place)
        })
        .collect();
    for session in [&mut session, &mut db.session()] {
        let players = Player::select().order_by(Player::id.asc()).all(session).await?;
        let seen: Vec<_> = players
            .into_iter()
            .map(|handle| {
                let row = &session[handle];
                (row.id, row.email.clone(), row.shirt, row.team.clone(), row.place)
            })
            .collect();
        assert_eq!(seen, expected);
    }
    Ok(())
}

backend_tests! {
    /// SEMANTICS 4.3, 4.7, 4.9: rows that change, go, come and are replaced, with values that move
    /// between them: it succeeds whenever the end is valid, unless what can't be NULL moves in a
    /// circle.
    async fn rule_4_3_any_change_of_unique_values_flushes(db) {
        let config = Config { cases: 120, failure_persistence: None, ..Config::default() };
        block_in_place(|| {
            TestRunner::new(config)
                .run(&case(), |case| {
                    Runtime::current()
                        .block_on(live_through(&db, &case))
                        .map_err(|error| TestCaseError::fail(error.to_string()))
                })
                .unwrap_or_else(|failure| panic!("{failure}"));
        });
    }
}
