//! What is loaded equals what is ready-made.

use std::fmt::Debug;

use orm_core::{Engine, Entity, Model};
use orm_examples::chinook::{
    self, Album, Artist, Customer, Employee, Error, Genre, Invoice, InvoiceLine, MediaType, Phase,
    Playlist, PlaylistTrack, Progress, Totals, Track,
};

use super::data;

/// The relationships of an owned entity are not loaded, so that its text is that of its columns.
fn texts<M: Model + Debug>(entities: Vec<Entity<M>>) -> Vec<String> {
    entities.into_iter().map(|entity| format!("{:?}", *entity)).collect()
}

macro_rules! expect_equal_rows {
    ($loaded:ident, $ready_made:ident: $($model:ident by $key:expr),+ $(,)?) => {$(
        let query = || $model::select().order_by($key);
        let (left, right) =
            (query().on(&$loaded).all().await?, query().on(&$ready_made).all().await?);
        assert_eq!(left.len(), right.len(), stringify!($model));
        for (left, right) in texts(left).into_iter().zip(texts(right)) {
            assert_eq!(left, right);
        }
    )+};
}

#[tokio::test]
async fn both_databases_have_the_same_totals() -> Result<(), Error> {
    let Some(directory) = data::directory() else { return Ok(()) };
    let scratch = data::scratch();
    let (loaded, totals) = data::loaded(&directory, scratch.path()).await?;
    let ready_made = data::ready_made(&directory, scratch.path()).await?;
    assert_eq!(totals, Totals::read(&ready_made).await?);
    assert_eq!(totals, Totals::read(&loaded).await?);
    assert_eq!(totals.revenue.to_string(), "2328.60");
    let rows: Vec<u64> = totals.rows.iter().map(|(_, rows)| *rows).collect();
    assert_eq!(rows, [347, 275, 59, 8, 25, 412, 2240, 5, 18, 8715, 3503]);
    Ok(())
}

#[tokio::test]
async fn both_databases_have_the_same_rows() -> Result<(), Error> {
    let Some(directory) = data::directory() else { return Ok(()) };
    let scratch = data::scratch();
    let (loaded, _) = data::loaded(&directory, scratch.path()).await?;
    let ready_made = data::ready_made(&directory, scratch.path()).await?;
    expect_equal_rows!(
        loaded, ready_made:
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

#[tokio::test]
async fn both_databases_have_the_same_tracks_of_a_playlist() -> Result<(), Error> {
    async fn grunge(engine: &Engine) -> orm_core::Result<Vec<String>> {
        let playlists = Playlist::select()
            .filter(Playlist::name.eq("Grunge"))
            .with(Playlist::tracks.order_by(Track::track_id.asc()))
            .on(engine)
            .graph()
            .await?;
        let playlist = playlists.roots().next().expect("there is such a playlist");
        let tracks = playlists.members(playlist, Playlist::tracks)?;
        Ok(tracks.map(|(_, track)| track.name.clone()).collect())
    }
    let Some(directory) = data::directory() else { return Ok(()) };
    let scratch = data::scratch();
    let (loaded, _) = data::loaded(&directory, scratch.path()).await?;
    let ready_made = data::ready_made(&directory, scratch.path()).await?;
    let tracks = grunge(&loaded).await?;
    assert_eq!(tracks.len(), 15);
    assert!(tracks.contains(&"Smells Like Teen Spirit".to_owned()), "{tracks:?}");
    assert_eq!(tracks, grunge(&ready_made).await?);
    Ok(())
}

#[tokio::test]
async fn progress_goes_through_all_phases_to_their_ends() -> Result<(), Error> {
    let Some(directory) = data::directory() else { return Ok(()) };
    let scratch = data::scratch();
    let (source, target) = (directory.join("ChinookData.json"), scratch.path().join("chinook.db"));
    let mut told: Vec<Progress> = Vec::new();
    let totals = chinook::load(&source, &target, |progress| told.push(progress)).await?;
    let last = |phase| told.iter().rfind(|progress| progress.phase == phase).copied();
    let rows = totals.all_rows();
    let bytes = source.metadata().expect("the file is there").len();
    for (phase, total) in [(Phase::Reading, bytes), (Phase::Adding, rows), (Phase::Writing, rows)] {
        assert_eq!(last(phase), Some(Progress { phase, done: total, total }));
    }
    let is_forward =
        |pair: &[Progress]| pair[0].phase != pair[1].phase || pair[0].done <= pair[1].done;
    assert!(told.windows(2).all(is_forward), "{told:?}");
    assert_eq!(data::files(scratch.path()), ["chinook.db"]);
    Ok(())
}
