//! Models without a base: their own primary keys, single and composite.

use orm_core::{Error, Model, schema};
use orm_tests::backend_tests;
use uuid::Uuid;

#[derive(Model)]
#[orm(table = "countries", base = none)]
struct Country {
    #[orm(primary_key, length = 2)]
    code: String,
    name: String,
}

#[derive(Model)]
#[orm(table = "seats", base = none)]
struct Seat {
    #[orm(primary_key, column = "row_no")]
    row: i32,
    name: Option<String>,
    #[orm(primary_key)]
    letter: String,
}

#[derive(Model)]
#[orm(table = "tokens", base = none)]
struct Token {
    #[orm(primary_key, default = Uuid::now_v7())]
    id: Uuid,
    #[orm(default)]
    scope: String,
}

#[derive(Model)]
#[orm(table = "counters", base = none)]
struct Counter {
    #[orm(primary_key, autoincrement)]
    number: i64,
    label: String,
}

backend_tests! {
    /// DESIGN 2: a text key, given by the application.
    async fn a_text_key(db) {
        db.create(&schema![Country]).await?;
        let mut session = db.session();
        let france = session.add(Country::draft().code("FR").name("France"));
        assert_eq!(session.key(france), Some("FR".to_owned()));
        session.add(Country::draft().code("DE").name("Deutschland"));
        session.commit().await?;
        assert_eq!(session.require::<Country>("FR".to_owned()).await?, france);
        let mut other = db.session();
        let found = other.get_many::<Country>(["DE", "XX", "FR"].map(str::to_owned)).await?;
        let names: Vec<_> = found.iter().map(|h| h.map(|h| other[h].name.clone())).collect();
        assert_eq!(names, [Some("Deutschland".to_owned()), None, Some("France".to_owned())]);
        other.add(Country::draft().code("FR").name("again"));
        let error = other.commit().await.expect_err("a violation");
        assert!(matches!(error, Error::UniqueViolation(_)) && error.violates(Country::code));
        other.rollback().await?;
        other.add(Country::draft().code("GER").name("too long"));
        let error = other.commit().await.expect_err("a violation");
        assert!(!error.to_string().contains("GER"), "{error}");
    }

    /// DESIGN 2: a composite key, whose columns need not stand together.
    async fn a_composite_key(db) {
        db.create(&schema![Seat]).await?;
        let mut session = db.session();
        for row in 1..=3 {
            for letter in ["A", "B"] {
                session.add(Seat::draft().row(row).letter(letter));
            }
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT seats"]);
        let mut other = db.session();
        let seat = other.require::<Seat>((2, "B".to_owned())).await?;
        assert_eq!((other[seat].row, &*other[seat].letter), (2, "B"));
        assert_eq!(other.key(seat), Some((2, "B".to_owned())));
        assert!(other.get::<Seat>((2, "C".to_owned())).await?.is_none());
        let keys = [(1, "A"), (3, "B"), (9, "Z")].map(|(row, letter)| (row, letter.to_owned()));
        log.emitted();
        let found = other.get_many::<Seat>(keys).await?;
        assert_eq!(log.emitted(), ["SELECT seats"]);
        assert_eq!(found.iter().filter(|seat| seat.is_some()).count(), 2);
        for seat in found.iter().flatten() {
            let text = format!("{}{}", other[*seat].row, other[*seat].letter);
            other[*seat].name = Some(text);
        }
        other.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE seats"]);
        for seat in found.into_iter().flatten() {
            other.delete(seat);
        }
        other.commit().await?;
        assert_eq!(log.emitted(), ["DELETE seats"]);
        let left = Seat::select().order_by((Seat::row.asc(), Seat::letter.asc()));
        let left: Vec<(i32, String)> = left.columns((Seat::row, Seat::letter)).all(&mut other).await?;
        let left: Vec<(i32, &str)> = left.iter().map(|(row, letter)| (*row, &**letter)).collect();
        assert_eq!(left, [(1, "B"), (2, "A"), (2, "B"), (3, "A")]);
    }

    /// DESIGN 2: a key that the application makes is known before the flush.
    async fn a_key_made_by_the_application(db) {
        db.create(&schema![Token]).await?;
        let mut session = db.session();
        let tokens = session.add_all([Token::draft(), Token::draft(), Token::draft().id(Uuid::nil())]);
        let key = session.key(tokens[0]).expect("a key");
        assert_ne!(key, Uuid::nil());
        assert_ne!(Some(key), session.key(tokens[1]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT tokens"]);
        assert_eq!(session[tokens[0]].id, key);
        assert_eq!(session.require::<Token>(Uuid::nil()).await?, tokens[2]);
        assert_eq!(log.emitted(), [""; 0]);
        let read = db.session().require::<Token>(key).await;
        assert!(read.is_ok());
    }

    /// DESIGN 2: a key of the struct's own that the database generates.
    async fn a_generated_key_without_a_base(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counters = session.add_all(["a", "b", "c"].map(|label| Counter::draft().label(label)));
        assert_eq!(session.key(counters[0]), None);
        session.commit().await?;
        let numbers: Vec<i64> = counters.iter().map(|counter| session[*counter].number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let labels: Vec<String> =
            Counter::select().order_by(Counter::number.asc()).columns(Counter::label).all(&mut session).await?;
        assert_eq!(labels, ["a", "b", "c"]);
    }
}
