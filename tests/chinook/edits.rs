//! The ready-made forms are databases to work with: keys of another width, constraints of other
//! names, no generated keys on the servers.

use orm_core::{Error, SessionFactory};
use orm_examples::chinook::{
    Album, Artist, Customer, Employee, Genre, Invoice, Playlist, Totals, Track,
};
use orm_tests::backend_tests;
use rust_decimal::Decimal;

use super::data::{self, ReadyMade};

/// What an album costs by the track.
fn price() -> Decimal {
    "1.29".parse().expect("it is a decimal")
}

backend_tests! {
    async fn a_unit_of_work_of_everything(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        let engine = ReadyMade::new(&db, &directory, scratch.path()).await.engine;
        let sessions = SessionFactory::new(engine.clone());

        let mut session = sessions.session();
        // New ones, in an order that the unit of work has to find.
        let artist = session.add(Artist::draft().artist_id(300).name("Ada").albums([
            Album::draft().album_id(400).title("Notes on the Engine"),
        ]));
        let album = artist.albums(&mut session).await?[0];
        let track = session.add(
            Track::draft()
                .track_id(4000)
                .name("Note G: “Bernoulli” \\ 'numbers'")
                .media_type_id(1)
                .milliseconds(1_843_000)
                .bytes(i64::from(i32::MAX))
                .unit_price(price()),
        );
        album.tracks(&mut session).push(track);
        // Others move: an album to another artist, tracks between playlists, a report.
        let back_in_black = session.require::<Album>(4).await?;
        assert_eq!(session[back_in_black].artist_id, 1);
        back_in_black.artist(&mut session).set(artist);
        let grunge =
            Playlist::select().filter(Playlist::name.eq("Grunge")).one(&mut session).await?;
        let tracks = grunge.tracks(&mut session).await?;
        assert_eq!(tracks.len(), 15);
        let first = session.require::<Track>(52).await?;
        grunge.tracks(&mut session).remove(first).push(track);
        let robert = session.require::<Employee>(7).await?;
        let andrew = session.require::<Employee>(1).await?;
        robert.manager(&mut session).set(andrew);
        // And some change.
        for track in tracks {
            session[track].unit_price = price();
        }
        let invoice = session.require::<Invoice>(1).await?;
        session[invoice].total += price();
        let lines = invoice.lines(&mut session).await?;
        session.delete(lines[0]);
        session.commit().await?;

        let mut session = sessions.session();
        let artist = session.require::<Artist>(300).await?;
        let albums = artist.albums(&mut session).await?;
        let mut titles: Vec<&str> = albums.iter().map(|at| session[*at].title.as_str()).collect();
        titles.sort_unstable();
        assert_eq!(titles, ["Let There Be Rock", "Notes on the Engine"]);
        let track = session.require::<Track>(4000).await?;
        assert_eq!(session[track].name, "Note G: “Bernoulli” \\ 'numbers'");
        assert_eq!(session[track].bytes, Some(i64::from(i32::MAX)));
        assert_eq!((session[track].album_id, session[track].genre_id), (Some(400), None));
        let in_grunge = Track::playlists.any(Playlist::name.eq("Grunge"));
        let prices = Track::select().filter(in_grunge).columns((Track::track_id, Track::unit_price));
        let prices = prices.all(&mut session).await?;
        assert_eq!(prices.len(), 15);
        assert!(prices.iter().all(|(id, its)| *id != 52 && *its == price()), "{prices:?}");
        let robert = session.require::<Employee>(7).await?;
        assert_eq!(session[robert].reports_to, Some(1));

        let mut expected = data::totals();
        expected.revenue += price();
        for (table, rows) in &mut expected.rows {
            match *table {
                "Artist" | "Album" | "Track" => *rows += 1,
                "InvoiceLine" => *rows -= 1,
                _ => {}
            }
        }
        assert_eq!(Totals::read(&engine).await?, expected);
    }

    async fn what_points_to_a_deleted_row_lets_go_of_it(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        let engine = ReadyMade::new(&db, &directory, scratch.path()).await.engine;
        let mut session = SessionFactory::new(engine.clone()).session();
        let without_genre = || Track::select().filter(Track::genre_id.is_null());
        assert_eq!(without_genre().count(&mut session).await?, 0);
        let rock = Genre::select().filter(Genre::name.eq("Rock")).one(&mut session).await?;
        let tracks = rock.tracks(&mut session).await?;
        assert_eq!(tracks.len(), 1297);
        let log = engine.log();
        session.delete(rock);
        session.commit().await?;
        // BEGIN, the tracks by statements of many rows, the genre, COMMIT.
        let statements = log.take().len();
        assert!(statements <= 7, "{statements} statements");
        assert_eq!(without_genre().count(&mut session).await?, 1297);
        assert_eq!(Genre::select().count(&mut session).await?, 24);
        // The pairs go with the playlist.
        let music = session.require::<Playlist>(1).await?;
        music.tracks(&mut session).await?;
        session.delete(music);
        session.commit().await?;
        let mut expected = data::totals();
        for (table, rows) in &mut expected.rows {
            *rows -= match *table {
                "Genre" | "Playlist" => 1,
                "PlaylistTrack" => 3290,
                _ => 0,
            };
        }
        assert_eq!(Totals::read(&engine).await?, expected);
    }

    async fn constraints_of_other_names_are_told_by_their_tables(db) {
        let Some(directory) = data::directory() else { return Ok(()) };
        let scratch = data::scratch();
        let ready_made = ReadyMade::new(&db, &directory, scratch.path()).await;
        let mut session = SessionFactory::new(ready_made.engine.clone()).session();

        let orphan = Album::draft().album_id(400).title("Lost").artist_id(9999);
        session.add(orphan);
        let error = session.commit().await.expect_err("there is no such artist");
        assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
        let violation = error.violation().expect("it is one");
        assert_eq!(violation.table.as_deref(), Some("Album"));
        assert_eq!(violation.constraint.as_deref(), ready_made.album_key);
        assert_eq!(error.violates(Album::artist_id), db.capabilities.tells_foreign_keys);
        session.rollback().await?;

        // A customer with invoices, which can't be without one.
        let customer = session.require::<Customer>(1).await?;
        session.delete(customer);
        let error = session.commit().await.expect_err("there are invoices");
        assert!(error.to_string().contains("`Invoice.CustomerId`"), "{error}");
        session.rollback().await?;

        session.add(Artist::draft().artist_id(1).name("Again"));
        let error = session.commit().await.expect_err("there is one of this key");
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(Artist::artist_id), "{error}");
        session.rollback().await?;

        let nobody = session.add(Artist::draft().name("Nobody"));
        match session.commit().await {
            Ok(()) if ready_made.makes_keys => {
                assert_eq!(session[nobody].artist_id, 276);
                session.delete(nobody);
                session.commit().await?;
            }
            Err(error @ Error::NotNullViolation(_)) if !ready_made.makes_keys => {
                assert!(error.violates(Artist::artist_id), "{error}");
                session.rollback().await?;
            }
            outcome => panic!("{outcome:?}"),
        }
        assert_eq!(Totals::read(&ready_made.engine).await?, data::totals());
    }
}
