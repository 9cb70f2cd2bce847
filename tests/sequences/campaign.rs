//! Many sequences on one database, and one that fails shrunk to the steps that matter.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use orm_tests::{Backend, Database};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::models::tables;
use crate::operation::Operation;
use crate::strategy::sequence;
use crate::trace::Trace;
use crate::world::live;

/// Databases that are worked on at the same time, one for each core that CI has.
const WORKERS: u64 = 2;

/// How long a failing sequence may be shrunk.
const SHRINKING: Duration = Duration::from_secs(60);

/// How many sequences, and the seed of the first. The others' follow.
#[derive(Clone, Copy, Debug)]
struct Campaign {
    sequences: u64,
    seed: u64,
    /// Whether somebody waits for it, and wants to know how far it is.
    is_long: bool,
    /// How many failures are reported before it ends.
    failures: usize,
}

impl Campaign {
    fn from_environment(sequences: u64) -> Self {
        let number = |name| {
            let given = std::env::var(name).ok()?;
            Some(given.parse().unwrap_or_else(|_| panic!("{name} is a number, not {given:?}")))
        };
        let asked: Option<u64> = number("ORM_TEST_SEQUENCES");
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        // An everyday run is the same every day, a long one another each time.
        let seed = number("ORM_TEST_SEED").unwrap_or_else(|| asked.map_or(0, |_| now() << 20));
        Self {
            sequences: asked.unwrap_or(sequences),
            seed,
            is_long: asked.is_some(),
            failures: number("ORM_TEST_FAILURES").unwrap_or(1) as usize,
        }
    }
}

/// Runs so many sequences on a backend, or as many as the environment asks for.
pub(crate) fn run(backend: Backend, sequences: u64) {
    let campaign = Campaign::from_environment(sequences);
    orm_tests::run(backend, async |db| {
        let other = db.with_engine(|engine| engine).await?;
        // What one of them finds doesn't end the other before it has told what it found.
        let (one, other) = tokio::join!(work(db, campaign, 0), work(other, campaign, 1));
        let failures: Vec<String> = [one, other].into_iter().filter_map(Result::err).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        Ok(())
    });
}

/// Runs this worker's part of the sequences. Gives the reports of those that fail.
async fn work(db: Database, campaign: Campaign, worker: u64) -> Result<(), String> {
    db.create(&tables()).await.map_err(|error| error.to_string())?;
    let db = Arc::new(db);
    let begun = Instant::now();
    let mut failures = Vec::new();
    for done in (worker..campaign.sequences).step_by(WORKERS as usize) {
        let seed = campaign.seed + done;
        if campaign.is_long && done % 1000 == worker {
            eprintln!("{done} sequences, seed {seed}, {:?}", begun.elapsed());
        }
        let mut tree =
            sequence().new_tree(&mut seeded(seed)).map_err(|reason| reason.to_string())?;
        if let Err(failure) = try_out(&db, tree.current()).await {
            let (steps, failure) = shrink(&db, &mut tree, failure).await;
            failures.push(format!(
                "{failure}\n\n{steps:#?}\n\nORM_TEST_SEED={seed} ORM_TEST_SEQUENCES=1 repeats it\n",
            ));
            if failures.len() >= campaign.failures {
                break;
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn seeded(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

/// Runs one sequence in an empty database. A panic is a failure too.
async fn try_out(db: &Arc<Database>, steps: Vec<Operation>) -> Result<(), String> {
    let trace = Trace::default();
    let sequence = {
        let (db, trace) = (db.clone(), trace.clone());
        async move { live(&db, &steps, trace).await }
    };
    let failure = match tokio::spawn(sequence).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(mismatch)) => mismatch,
        Err(panic) => match panic.into_panic().downcast::<String>() {
            Ok(message) => *message,
            Err(_) => "a panic".to_owned(),
        },
    };
    Err(format!("{}\n{failure}", trace.text()))
}

/// The fewest steps found that fail, and how they do.
async fn shrink(
    db: &Arc<Database>,
    tree: &mut impl ValueTree<Value = Vec<Operation>>,
    mut failure: String,
) -> (Vec<Operation>, String) {
    let mut steps = tree.current();
    let end = Instant::now() + SHRINKING;
    while Instant::now() < end && tree.simplify() {
        loop {
            if let Err(simpler) = try_out(db, tree.current()).await {
                (steps, failure) = (tree.current(), simpler);
                break;
            }
            if !tree.complicate() {
                return (steps, failure);
            }
        }
    }
    (steps, failure)
}
