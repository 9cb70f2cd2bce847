//! Random queries give on every database what they give on the ready-made SQLite file, and the rows
//! for which a condition holds, doesn't hold and can't be told are all rows there are.

use orm_core::query::{Condition, Order};
use orm_core::{Engine, Result};
use orm_examples::chinook::{Album, Artist, Genre, InvoiceLine, Playlist, Track};
use orm_tests::backend_tests;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rust_decimal::Decimal;

use super::data;

/// How many queries are compared.
const QUERIES: usize = 80;

/// A condition on tracks, in a form that prints.
#[derive(Clone, Debug)]
enum Filter {
    Longer(i64),
    Between(i64, i64),
    /// NULL where the album or the genre is.
    AlbumIs(Option<i64>),
    GenreIn(Vec<Option<i64>>),
    GenreNotIn(Vec<i64>),
    /// Arithmetic, with a NULL in it where the size is unknown.
    SizeModulo(i64, i64),
    LongerThanLarge(i64),
    Price(Decimal),
    ComposerIs(Option<&'static str>),
    ComposerIsNot(&'static str),
    ComposerContains(&'static str),
    ComposerLike(&'static str),
    ComposerShorter(i64),
    ComposerOr(&'static str),
    /// Texts are compared by what they are, not by how they are ordered.
    NameStarts(&'static str),
    OfGenre(&'static str),
    ByArtist(&'static str),
    SoldFor(i64),
    InPlaylist(&'static str),
    NeverSold,
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
}

impl Filter {
    fn condition(&self) -> Condition<Track> {
        match self {
            Self::Longer(than) => Track::milliseconds.gt(*than),
            Self::Between(low, high) => Track::milliseconds.between(*low, *high),
            Self::AlbumIs(album) => Track::album_id.eq(*album),
            Self::GenreIn(genres) => Track::genre_id.in_(genres.clone()),
            Self::GenreNotIn(genres) => Track::genre_id.not_in(genres.clone()),
            Self::SizeModulo(by, rest) => (Track::bytes / 1_000 % *by).eq(*rest),
            Self::LongerThanLarge(times) => (Track::milliseconds * *times).ge(Track::bytes),
            Self::Price(price) => Track::unit_price.ge(*price),
            Self::ComposerIs(name) => Track::composer.eq(name.map(str::to_owned)),
            Self::ComposerIsNot(name) => Track::composer.ne(*name),
            Self::ComposerContains(part) => Track::composer.contains(part),
            Self::ComposerLike(pattern) => Track::composer.like(*pattern),
            Self::ComposerShorter(than) => Track::composer.length().lt(*than),
            Self::ComposerOr(otherwise) => Track::composer.coalesce(*otherwise).eq(*otherwise),
            Self::NameStarts(start) => Track::name.starts_with(start),
            Self::OfGenre(name) => Track::genre.has(Genre::name.eq(*name)),
            Self::ByArtist(start) => {
                Track::album.has(Album::artist.has(Artist::name.starts_with(start)))
            }
            Self::SoldFor(cents) => {
                Track::invoice_lines.any(InvoiceLine::unit_price.gt(Decimal::new(*cents, 2)))
            }
            Self::InPlaylist(name) => Track::playlists.any(Playlist::name.eq(*name)),
            Self::NeverSold => !Track::invoice_lines.exists(),
            Self::And(one, other) => one.condition() & other.condition(),
            Self::Or(one, other) => one.condition() | other.condition(),
            Self::Not(one) => !one.condition(),
        }
    }
}

fn filter() -> impl Strategy<Value = Filter> {
    use Filter::*;
    let length = || 100_000..400_000_i64;
    let genre = || 1..26_i64;
    let text = |texts: &'static [&'static str]| prop::sample::select(texts);
    let leaf = prop_oneof![
        length().prop_map(Longer),
        (length(), length()).prop_map(|(low, high)| Between(low, high)),
        prop::option::of(1..348_i64).prop_map(AlbumIs),
        prop::collection::vec(prop::option::weighted(0.8, genre()), 0..4).prop_map(GenreIn),
        prop::collection::vec(genre(), 0..4).prop_map(GenreNotIn),
        (2..9_i64, 0..3_i64).prop_map(|(by, rest)| SizeModulo(by, rest)),
        (1..60_i64).prop_map(LongerThanLarge),
        (90..200_i64).prop_map(|cents| Price(Decimal::new(cents, 2))),
        prop::option::of(text(&["AC/DC", "U2", "Jimi Hendrix", "nobody"])).prop_map(ComposerIs),
        text(&["AC/DC", "U2", "Miles Davis"]).prop_map(ComposerIsNot),
        text(&["an", "é", "/", "%", "_", "'", "Gilberto"]).prop_map(ComposerContains),
        text(&["A%", "%son", "_2", "%!%%", "Ã%", "%ü%"]).prop_map(ComposerLike),
        (0..40_i64).prop_map(ComposerShorter),
        text(&["none", "U2"]).prop_map(ComposerOr),
        text(&["A", "a", "The ", "É", "\"", "(", "Ç"]).prop_map(NameStarts),
        text(&["Rock", "Jazz", "rock", "TV Shows"]).prop_map(OfGenre),
        text(&["A", "Led", "Os ", "Z"]).prop_map(ByArtist),
        (50..200_i64).prop_map(SoldFor),
        text(&["Grunge", "Music", "Movies"]).prop_map(InPlaylist),
        Just(NeverSold),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let pair = || (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        prop_oneof![
            pair().prop_map(|(one, other)| And(one, other)),
            pair().prop_map(|(one, other)| Or(one, other)),
            inner.clone().prop_map(|one| Not(Box::new(one))),
        ]
    })
}

/// A query, but for its condition.
#[derive(Clone, Debug)]
struct Asked {
    filter: Filter,
    /// By which column, in which direction, and where NULLs stand.
    order: (usize, bool, bool),
    limit: Option<u64>,
    offset: Option<u64>,
    /// Groups have at least so many tracks.
    at_least: i64,
}

fn asked() -> impl Strategy<Value = Asked> {
    let order = (0..5_usize, any::<bool>(), any::<bool>());
    let (limit, offset) = (prop::option::of(0..60_u64), prop::option::weighted(0.3, 0..40_u64));
    (filter(), order, limit, offset, 1..20_i64).prop_map(
        |(filter, order, limit, offset, at_least)| Asked { filter, order, limit, offset, at_least },
    )
}

impl Asked {
    /// An order that says where NULLs stand, and leaves no ties.
    fn order(&self) -> [Order<Track>; 2] {
        let (column, descending, nulls_first) = self.order;
        let order = match column {
            0 => Track::bytes.asc(),
            1 => Track::album_id.asc(),
            2 => Track::unit_price.asc(),
            3 => (Track::milliseconds % 1_000).asc(),
            _ => Track::composer.length().asc(),
        };
        let order = if descending { order.reverse() } else { order };
        let order = if nulls_first { order.nulls_first() } else { order.nulls_last() };
        [order, Track::track_id.asc()]
    }

    /// What the databases are to agree on, as texts.
    async fn answers(&self, engine: &Engine) -> Result<Vec<String>> {
        let mut tracks = Track::select().filter(self.filter.condition()).order_by(self.order());
        if let Some(rows) = self.limit {
            tracks = tracks.limit(rows);
        }
        if let Some(rows) = self.offset {
            tracks = tracks.offset(rows);
        }
        let found = tracks.clone().on(engine).all().await?;
        let found: Vec<_> = found.iter().map(|track| (track.track_id, track.bytes)).collect();
        let artists = Track::select()
            .join(Track::album)
            .join(Album::artist)
            .filter(self.filter.condition())
            .group_by(Artist::artist_id)
            .having(Track::track_id.count().ge(self.at_least))
            .order_by(Artist::artist_id.asc())
            .columns((
                Artist::artist_id,
                Track::track_id.count(),
                Track::milliseconds.sum(),
                Track::bytes.max(),
                Track::unit_price.sum(),
                Track::composer.count_distinct(),
                Album::album_id.min(),
            ))
            .on(engine)
            .all()
            .await?;
        // SQLite adds decimals as floats, which have no scale.
        let artists: Vec<_> = artists
            .into_iter()
            .map(|row| (row.0, row.1, row.2, row.3, row.4.map(|sum| sum.normalize()), row.5, row.6))
            .collect();
        let genres = Track::select()
            .left_join(Track::genre)
            .filter(self.filter.condition())
            .order_by((Genre::genre_id.desc().nulls_last(), Track::media_type_id.asc()))
            .columns((Genre::genre_id, Track::media_type_id))
            .distinct()
            .on(engine)
            .all()
            .await?;
        let sold = InvoiceLine::select()
            .join(InvoiceLine::track)
            .left_join(Track::genre)
            .filter(self.filter.condition())
            .filter(InvoiceLine::quantity.gt(0))
            .order_by(InvoiceLine::invoice_line_id.asc())
            .limit(40)
            .columns((InvoiceLine::invoice_line_id, Track::name, Genre::name))
            .on(engine)
            .all()
            .await?;
        let average = Track::select()
            .filter(self.filter.condition())
            .columns((Track::milliseconds.avg(), Track::composer.count()))
            .on(engine)
            .one()
            .await?;
        Ok(vec![
            format!("{found:?}"),
            format!(
                "{} {}",
                tracks.clone().on(engine).count().await?,
                tracks.on(engine).exists().await?
            ),
            format!("{artists:?}"),
            format!("{genres:?}"),
            format!("{sold:?}"),
            // The last digits of an average are a matter of the order of additions.
            format!("{:?} {}", average.0.map(|average| format!("{average:.6}")), average.1),
        ])
    }

    /// Every row is one for which the condition holds, doesn't hold, or can't be told.
    async fn expect_three_values(&self, engine: &Engine) -> Result<()> {
        let count = async |condition| Track::select().filter(condition).on(engine).count().await;
        let condition = || self.filter.condition();
        let holds = count(condition()).await?;
        let fails = count(!condition()).await?;
        let untold = count(condition().is_unknown()).await?;
        let all = Track::select().on(engine).count().await?;
        assert_eq!(holds + fails + untold, all, "{holds} + {fails} + {untold}: {self:?}");
        Ok(())
    }
}

/// The queries, the same every time.
fn queries() -> impl Iterator<Item = Asked> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = asked();
    std::iter::repeat_with(move || {
        strategy.new_tree(&mut runner).expect("a strategy without rejections").current()
    })
}

backend_tests! {
    /// DESIGN 6: a query means the same everywhere.
    async fn random_queries_agree(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        let original = data::original(&directory, scratch.path()).await;
        data::fill(&db, &directory).await;
        let mut told = 0;
        for (at, asked) in queries().take(QUERIES).enumerate() {
            let (ours, theirs) = (asked.answers(&db.engine).await?, asked.answers(&original).await?);
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours, theirs, "query {at}: {asked:#?}");
                told += usize::from(ours.len() > 20);
            }
            asked.expect_three_values(&db.engine).await?;
        }
        assert!(told > QUERIES, "most answers say something: {told}");
    }
}
