//! Functions of texts, against what Rust makes of the same texts.

use orm_core::query::{Expression, Rows};
use orm_core::{Model, Result, schema};
use orm_tests::{Database, backend_tests};

#[derive(Model)]
struct Word {
    text: String,
    other: Option<String>,
}

const TEXTS: [&str; 12] = [
    "",
    "a",
    "Ada",
    "  both  ",
    "\t tab\n",
    "é😀x",
    "aaAAaa",
    "50%_!\\",
    "quote ' \" `",
    "ＡＢ ab",
    "a\u{301}bc",
    "-- ; /* $1 ?",
];

async fn words(db: &Database) -> Result<()> {
    db.create(&schema![Word]).await?;
    let mut session = db.session();
    for (at, text) in TEXTS.into_iter().enumerate() {
        let word = session.add(Word::draft().text(text));
        session[word].other = (at % 2 == 0).then(|| text.to_owned());
    }
    session.commit().await
}

fn by_key<T: orm_core::value::ColumnType>(expression: Expression<Word, T>) -> Rows<T, (Word, ())> {
    Word::select().order_by(Word::id.asc()).columns(expression)
}

/// Checks a function of a column that is never NULL, of one that is at times, and of an
/// expression.
async fn check<T, F>(
    db: &Database,
    function: F,
    nullable: impl Fn() -> Expression<Word, Option<T>>,
    computed: impl Fn() -> Expression<Word, T>,
    expected: impl Fn(&str) -> T,
) -> Result<()>
where
    F: Fn() -> Expression<Word, T>,
    T: orm_core::value::ColumnType<Present = T> + PartialEq + std::fmt::Debug,
{
    let expected: Vec<T> = TEXTS.iter().map(|text| expected(text)).collect();
    assert_eq!(by_key(function()).on(&db.engine).all().await?, expected);
    assert_eq!(by_key(computed()).on(&db.engine).all().await?, expected);
    let of_others = by_key(nullable()).on(&db.engine).all().await?;
    for (at, (other, expected)) in of_others.into_iter().zip(expected).enumerate() {
        assert_eq!(other, (at % 2 == 0).then_some(expected), "{:?}", TEXTS[at]);
    }
    Ok(())
}

/// The three forms of a function.
macro_rules! check {
    ($db:ident, $method:ident($($argument:expr),*), $expected:expr) => {
        check(
            &$db,
            || Word::text.$method($($argument),*),
            || Word::other.$method($($argument),*),
            || Word::text.concat("").$method($($argument),*),
            $expected,
        )
        .await?
    };
}

fn characters(text: &str, skip: usize, take: usize) -> String {
    text.chars().skip(skip).take(take).collect()
}

backend_tests! {
    /// Issue 5: `trim`, `trim_start` and `trim_end` cut spaces, and nothing else.
    async fn spaces_are_trimmed(db) {
        words(&db).await?;
        check!(db, trim(), |text| text.trim_matches(' ').to_owned());
        check!(db, trim_start(), |text| text.trim_start_matches(' ').to_owned());
        check!(db, trim_end(), |text| text.trim_end_matches(' ').to_owned());
    }

    /// Issue 5: lengths are in characters.
    async fn lengths_count_characters(db) {
        words(&db).await?;
        check!(db, length(), |text| text.chars().count() as i64);
    }

    /// Issue 5: `replace` goes by case and takes both texts literally.
    async fn texts_are_replaced_literally(db) {
        words(&db).await?;
        for (from, to) in [
            ("a", "b"), ("A", ""), ("", "x"), ("%", "\\"), ("😀", "é"), ("'", "''"), ("\\", "$1"),
            ("aa", "a"), ("?", "\\0"), (" ", "\n"),
        ] {
            let expected = |text: &str| if from.is_empty() { text.to_owned() } else { text.replace(from, to) };
            check!(db, replace(from, to), expected);
        }
    }

    /// Issue 5: `substring`, `left` and `right` count characters from zero.
    async fn parts_of_texts(db) {
        words(&db).await?;
        for (start, end) in [(0, 0), (0, 2), (1, 3), (2, 2), (2, 1), (5, 100), (0, u32::MAX)] {
            let take = end.max(start) - start;
            check!(db, substring(start..end), |text| characters(text, start as usize, take as usize));
        }
        check!(db, substring(1..=2), |text| characters(text, 1, 2));
        check!(db, substring(..=0), |text| characters(text, 0, 1));
        check!(db, substring(3..), |text| characters(text, 3, usize::MAX));
        check!(db, substring(u32::MAX..), |_| String::new());
        check!(db, substring(..), str::to_owned);
        for count in [0, 1, 3, 100, u32::MAX] {
            check!(db, left(count), |text| characters(text, 0, count as usize));
            check!(db, right(count), |text| {
                let length = text.chars().count();
                characters(text, length.saturating_sub(count as usize), length)
            });
        }
    }

    /// Issue 5: `repeat`.
    async fn texts_are_repeated(db) {
        words(&db).await?;
        for times in [0, 1, 3] {
            check!(db, repeat(times), |text| text.repeat(times as usize));
        }
    }

    /// Issue 5: `position` counts characters, goes by case, and is NULL where there is none.
    async fn positions_count_characters(db) {
        words(&db).await?;
        for needle in ["a", "A", "😀", "x", "", "%", "\\", "'", "nowhere", "aa", "\n"] {
            let expected: Vec<Option<i64>> = TEXTS
                .iter()
                .map(|text| text.find(needle).map(|at| text[..at].chars().count() as i64))
                .collect();
            let found = by_key(Word::text.position(needle)).on(&db.engine).all().await?;
            assert_eq!(found, expected, "{needle:?}");
        }
        let found = Word::select().filter(Word::text.lower().position("a").eq(0));
        assert_eq!(found.on(&db.engine).count().await?, 4);
    }

    /// Issue 5: functions in conditions, orders and groups.
    async fn functions_of_texts_stand_everywhere(db) {
        words(&db).await?;
        let first = Word::text.left(1);
        let groups: Vec<(String, i64)> = Word::select()
            .filter(Word::text.length().gt(0))
            .group_by(first.clone())
            .having(Word::id.count().gt(1))
            .order_by(first.clone().asc())
            .columns((first, Word::id.count()))
            .on(&db.engine)
            .all()
            .await?;
        assert_eq!(groups, [("a".to_owned(), 3)]);
    }

    /// Issue 5: texts of a group are joined in an order, NULL left out.
    async fn texts_are_joined(db) {
        words(&db).await?;
        for separator in ["", ", ", "'", "\\", "é😀", "\n", "0x", "?"] {
            let joined = Word::text.string_agg(separator).ordered_by(Word::id.asc());
            let text = Word::select().columns(joined.clone()).on(&db.engine).one().await?;
            assert_eq!(text.as_deref(), Some(&*TEXTS.join(separator)));
            let filtered = joined.filter(Word::id.le(3)).ordered_by(Word::id.desc());
            let text = Word::select().columns(filtered).on(&db.engine).one().await?;
            assert_eq!(text.as_deref(), Some(&*["Ada", "a", ""].join(separator)));
        }
        let others = Word::other.string_agg("|").ordered_by(Word::id.asc());
        let text = Word::select().filter(Word::id.le(4)).columns(others.clone()).on(&db.engine).one().await?;
        assert_eq!(text.as_deref(), Some("|Ada"));
        let none = Word::select().filter(Word::id.eq(2)).columns(others).on(&db.engine).one().await?;
        assert_eq!(none, None);
    }
}
