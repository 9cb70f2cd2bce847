//! Texts that were written to break things arrive as they were, and find themselves alone.

mod paths;
mod strings;

use orm_core::{Error, Model, schema};
use orm_tests::backend_tests;

use strings::HOSTILE;

#[derive(Model)]
struct Word {
    text: String,
    other: Option<String>,
}

backend_tests! {
    /// DESIGN 6: values always travel as binds.
    async fn hostile_texts_round_trip(db) {
        db.create(&schema![Word]).await?;
        let mut session = db.session();
        session.add_all(HOSTILE.iter().map(|text| Word::draft().text(*text).other(*text)));
        session.commit().await?;
        let mut session = db.session();
        let words = Word::select().order_by(Word::id.asc()).all(&mut session).await?;
        let texts: Vec<&str> = words.iter().map(|word| &*session[*word].text).collect();
        assert_eq!(texts, HOSTILE);
        assert!(words.iter().all(|word| session[*word].other.as_deref() == Some(&*session[*word].text)));
        for (text, word) in HOSTILE.iter().zip(&words) {
            let found = Word::select().filter(Word::text.eq(*text)).all(&mut session).await?;
            assert_eq!(found, [*word], "{text:?} finds itself and nothing else");
            let found = Word::select().filter(Word::text.in_([text])).one(&mut session).await?;
            assert_eq!(found, *word, "{text:?} is in the list of itself");
        }
    }

    /// DESIGN 6: the same texts as needles find what Rust finds.
    async fn hostile_needles_are_literal(db) {
        db.create(&schema![Word]).await?;
        let mut session = db.session();
        session.add_all(HOSTILE.iter().map(|text| Word::draft().text(*text)));
        session.commit().await?;
        type Holds = fn(&str, &str) -> bool;
        for needle in HOSTILE {
            let contains: (_, Holds) = (Word::text.contains(needle), |text, n| text.contains(n));
            let starts: (_, Holds) = (Word::text.starts_with(needle), |text, n| text.starts_with(n));
            let ends: (_, Holds) = (Word::text.ends_with(needle), |text, n| text.ends_with(n));
            for (condition, holds) in [contains, starts, ends] {
                let query = Word::select().filter(condition).order_by(Word::id.asc());
                let found: Vec<String> = query.columns(Word::text).all(&mut session).await?;
                let expected = HOSTILE.iter().filter(|text| holds(text, needle));
                assert!(expected.eq(&found), "{needle:?} found {found:?}");
            }
        }
    }

    /// DESIGN 6: a needle with a NUL finds what Rust finds, or is refused: never more.
    async fn a_nul_in_a_needle_finds_no_more_than_itself(db) {
        db.create(&schema![Word]).await?;
        let mut session = db.session();
        session.add_all(["a", "ab", "b"].map(|text| Word::draft().text(text)));
        if db.capabilities.nul_in_text {
            session.add(Word::draft().text("a\0b"));
        }
        session.commit().await?;
        for condition in [Word::text.contains("a\0"), Word::text.starts_with("a\0b")] {
            match Word::select().filter(condition).columns(Word::text).all(&mut session).await {
                Ok(found) => assert_eq!(found, ["a\0b"]),
                Err(error) => assert!(matches!(error, Error::Type { .. }), "{error}"),
            }
        }
    }

    /// DESIGN 7: what goes wrong names no value.
    async fn errors_name_no_value(db) {
        db.create(&schema![Word]).await?;
        let mut session = db.session();
        session.add(Word::draft().text("s3cret"));
        session.add(Word::draft().text("s3cret"));
        session.commit().await?;
        let error = Word::select().filter(Word::text.eq("s3cret")).one(&mut session).await;
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}
