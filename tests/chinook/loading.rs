//! What is loaded equals what is ready-made, on every database.

use orm_core::{Engine, Result, SessionFactory};
use orm_examples::chinook::{
    self, Album, Artist, Customer, Employee, Genre, Invoice, InvoiceLine, MediaType, Phase,
    Playlist, PlaylistTrack, Progress, Totals, Track,
};
use orm_tests::backend_tests;

use super::data::{self, ReadyMade, document};
use super::reports;

/// Compares all rows of all tables with those of the ready-made SQLite file.
macro_rules! expect_equal_rows {
    ($database:expr, $original:expr, $expected:expr; $($model:ident by $key:expr),+ $(,)?) => {$(
        let query = || $model::select().order_by($key);
        let rows = data::texts(query().on($database).all().await?);
        let original = data::texts(query().on($original).all().await?);
        assert_eq!(rows.len(), original.len(), stringify!($model));
        for (row, original) in rows.into_iter().zip(original) {
            assert_eq!(row, $expected(original));
        }
    )+};
}

async fn expect_equal(
    database: &Engine,
    original: &Engine,
    expected: impl Fn(String) -> String,
) -> Result<()> {
    expect_equal_rows!(
        database, original, expected;
        Artist by Artist::artist_id.asc(),
        Album by Album::album_id.asc(),
        Genre by Genre::genre_id.asc(),
        MediaType by MediaType::media_type_id.asc(),
        Track by Track::track_id.asc(),
        Playlist by Playlist::playlist_id.asc(),
        PlaylistTrack by (PlaylistTrack::playlist_id.asc(), PlaylistTrack::track_id.asc()),
        Employee by Employee::employee_id.asc(),
        Customer by Customer::customer_id.asc(),
        Invoice by Invoice::invoice_id.asc(),
        InvoiceLine by InvoiceLine::invoice_line_id.asc(),
    );
    Ok(())
}

/// The tracks of a playlist, by a many-to-many relationship.
async fn expect_grunge(engine: &Engine) -> Result<()> {
    let playlists = Playlist::select()
        .filter(Playlist::name.eq("Grunge"))
        .with(Playlist::tracks.order_by(Track::track_id.asc()))
        .on(engine)
        .graph()
        .await?;
    let playlist = playlists.roots().next().expect("there is such a playlist");
    let tracks = playlists.members(playlist, Playlist::tracks)?;
    let tracks: Vec<(i64, &str)> =
        tracks.map(|(_, track)| (track.track_id, track.name.as_str())).collect();
    assert_eq!(tracks.len(), 15);
    assert_eq!(tracks[..2], [(52, "Man In The Box"), (2003, "Smells Like Teen Spirit")]);
    Ok(())
}

backend_tests! {
    async fn what_is_loaded_equals_the_ready_made_file(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        assert_eq!(data::fill(&db, &directory).await, data::totals());
        assert_eq!(Totals::read(&db.engine).await?, data::totals());
        let original = data::original(&directory, scratch.path()).await;
        assert_eq!(Totals::read(&original).await?, data::totals());
        expect_equal(&db.engine, &original, |row| row).await?;
        expect_grunge(&db.engine).await?;
        reports::expect_equal(&db.engine, &original).await?;
    }

    async fn the_ready_made_form_equals_the_ready_made_file(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        let ready_made = ReadyMade::new(&db, &directory, scratch.path()).await;
        assert_eq!(Totals::read(&ready_made.engine).await?, data::totals());
        let original = data::original(&directory, scratch.path()).await;
        expect_equal(&ready_made.engine, &original, |row| ready_made.expected(row)).await?;
        expect_grunge(&ready_made.engine).await?;
    }

    async fn the_program_loads_into_a_target_and_tells_how_far_it_is(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        let (source, target) =
            (directory.join("ChinookData.json"), data::target(&db, scratch.path()));
        let mut told: Vec<Progress> = Vec::new();
        let totals = chinook::load(&source, &target, |progress| told.push(progress)).await;
        assert_eq!(totals.expect("the data can be loaded"), data::totals());

        let last = |phase| told.iter().rfind(|progress| progress.phase == phase).copied();
        let rows = data::totals().all_rows();
        let bytes = source.metadata().expect("the file is there").len();
        for (phase, total) in
            [(Phase::Reading, bytes), (Phase::Adding, rows), (Phase::Writing, rows)]
        {
            assert_eq!(last(phase), Some(Progress { phase, done: total, total }));
        }
        let is_forward =
            |pair: &[Progress]| pair[0].phase != pair[1].phase || pair[0].done <= pair[1].done;
        assert!(told.windows(2).all(is_forward), "{told:?}");

        let engine = target.open().await.expect("it can be opened");
        assert_eq!(Totals::read(&engine).await?, data::totals());
        engine.close().await;
        let files = data::files(scratch.path());
        assert!(files.is_empty() || files == ["chinook.db"], "{files:?}");
        let again = chinook::load(&source, &target, |_| {}).await;
        let message = again.expect_err("the data is there").to_string();
        assert!(message.contains(" already: "), "{message}");
    }

    /// The rows brought their keys along; what is added later needs none.
    async fn generated_keys_go_on_behind_the_loaded_ones(db) {
        let scratch = data::scratch();
        let (source, target) =
            (scratch.path().join("data.json"), data::target(&db, scratch.path()));
        let text = document(&[
            ("Artist", r#"{ "ArtistId": 7, "Name": "AC/DC" }"#),
            ("Album", r#"{ "AlbumId": 9, "Title": "Let There Be Rock", "ArtistId": 7 }"#),
        ]);
        std::fs::write(&source, text).expect("the file can be written");
        chinook::load(&source, &target, |_| {}).await.expect("the data can be loaded");
        let engine = target.open().await.expect("it can be opened");
        let mut session = SessionFactory::new(engine.clone()).session();
        let artist = session.add(
            Artist::draft().name("Ada").albums([Album::draft().title("Notes on the Engine")]),
        );
        session.commit().await?;
        assert_eq!(session[artist].artist_id, 8);
        let albums = Album::select().filter(Album::artist_id.eq(8));
        assert_eq!(albums.columns(Album::album_id).one(&mut session).await?, 10);
        session.close().await?;
        engine.close().await;
    }
}
