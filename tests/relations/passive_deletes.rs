//! What is left to the database's ON DELETE, and what memory makes of it.

use orm_core::session::ObjectState;
use orm_core::{Error, Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// Albums with two committed tracks each, in a new session, with nothing loaded.
async fn albums(db: &Database, number: i64) -> orm_core::Result<(Session, Vec<Handle<Album>>)> {
    db.create(&album_tables()).await?;
    let mut session = db.session();
    session.add_all((0..number).map(|at| {
        let tracks = ["a", "b"].map(|title| Track::draft().title(format!("{at}{title}")));
        Album::draft().title(format!("{at}")).tracks(tracks)
    }));
    session.commit().await?;
    let mut session = db.session();
    let albums = Album::select().order_by(Album::id.asc()).all(&mut session).await?;
    Ok((session, albums))
}

/// An object that the database may have changed isn't believed until it is read again.
fn is_expired<M: orm_core::Model>(session: &Session, object: Handle<M>) -> bool {
    matches!(session.try_get(object), Err(Error::NotLoaded { .. }))
}

backend_tests! {
    /// SEMANTICS 7.8, 4.8: many parents together, some loaded and some not: members that are
    /// loaded are deleted, the others left to the database.
    async fn rule_7_8_loaded_and_unloaded_parents_in_one_flush(db) {
        let (mut session, albums) = albums(&db, 30).await?;
        for album in &albums[..10] {
            album.tracks(&mut session).alone().await?;
        }
        let loaded = session[albums[3]].tracks.loaded().expect("loaded")[0];
        // One that is in memory though its album's tracks aren't loaded.
        let seen = session.require::<Track>(41).await?;
        assert!(!loaded_by(&session, &albums[..10], seen));
        albums.iter().for_each(|album| session.delete(*album));
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.emitted(), ["DELETE tracks", "DELETE albums"]);
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.state(loaded), ObjectState::Deleted);
        assert!(is_expired(&session, seen));
        session.rollback().await?;
        assert_eq!(session[loaded].title, "3a");
        assert_eq!(session.get::<Track>(41).await?, Some(seen));
        assert_eq!(session[seen].title, "20a");
        albums.iter().for_each(|album| session.delete(*album));
        session.commit().await?;
        assert_eq!(Track::select().count(&mut session).await?, 0);
        assert_eq!(session.get::<Track>(41).await?, None);
    }

    /// SEMANTICS 7.8: pending members of a collection that isn't loaded go with their owner.
    async fn rule_7_8_pending_members_leave(db) {
        let (mut session, albums) = albums(&db, 2).await?;
        let new = session.add(Track::draft().title("new"));
        albums[0].tracks(&mut session).push(new);
        assert!(session[albums[0]].tracks.loaded().is_none());
        session.delete(albums[0]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE albums"]);
        assert_eq!(session.state(new), ObjectState::Detached);
        assert_eq!(Track::select().count(&mut session).await?, 2);
    }

    /// SEMANTICS 7.8, 7.5: a member that moved away in time stays.
    async fn rule_7_8_a_member_that_moved_away_stays(db) {
        let (mut session, albums) = albums(&db, 2).await?;
        let track = session.require::<Track>(1).await?;
        track.album(&mut session).set(albums[1]);
        session.delete(albums[0]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE tracks", "DELETE albums"]);
        assert_eq!(session[track].album_id, session[albums[1]].id());
        assert_eq!(Track::select().count(&mut session).await?, 3);
    }

    /// SEMANTICS 7.8: `"all"` touches no member, loaded or not; the database's action does.
    async fn rule_7_8_all_leaves_even_loaded_members_alone(db) {
        db.create(&topic_tables()).await?;
        for loaded in [false, true] {
            let mut session = db.session();
            let notes = ["a", "b"].map(|text| Note::draft().text(text));
            let topic = session.add(Topic::draft().title("t").notes(notes));
            session.commit().await?;
            let notes = session[topic].notes.loaded().expect("loaded").to_vec();
            if !loaded {
                session.expire(topic);
                session.refresh(topic).await?;
                assert!(session[topic].notes.loaded().is_none());
            }
            session.delete(topic);
            let log = db.log();
            session.flush().await?;
            assert_eq!(log.emitted(), ["DELETE topics"], "loaded: {loaded}");
            assert!(notes.iter().all(|note| is_expired(&session, *note)));
            session.rollback().await?;
            session.refresh(notes[0]).await?;
            assert_eq!(notes[0].topic(&mut session).await?, Some(topic));
            session.delete(topic);
            session.commit().await?;
            for note in notes {
                session.refresh(note).await?;
                assert_eq!(session[note].topic_id, None);
                assert_eq!(note.topic(&mut session).await?, None);
            }
            log.emitted();
            session.flush().await?;
            assert_eq!(log.emitted(), [""; 0]);
        }
    }

    /// SEMANTICS 7.8, 7.7: it is about deleted owners: a member that is removed is cut off as ever.
    async fn rule_7_8_removing_members_is_no_delete(db) {
        db.create(&topic_tables()).await?;
        let mut session = db.session();
        let topic = session.add(Topic::draft().title("t").notes([Note::draft().text("a")]));
        session.commit().await?;
        let note = session[topic].notes.loaded().expect("loaded")[0];
        topic.notes(&mut session).remove(note);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE notes"]);
        // And a pending one of a deleted owner is inserted without it.
        let new = session.add(Note::draft().text("b").topic(topic));
        session.delete(topic);
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT notes", "DELETE topics"]);
        assert_eq!(session[new].topic_id, None);
    }

    /// SEMANTICS 7.8, 8.6: association rows go by the database too: of collections that aren't
    /// loaded, or of all.
    async fn rule_7_8_association_rows(db) {
        db.create(&playlist_tables()).await?;
        let mut session = db.session();
        let songs = session.add_all(["x", "y"].map(|title| Song::draft().title(title)));
        let lists = session.add_all(["a", "b", "c"].map(|title| {
            Playlist::draft().title(title).songs(songs.clone())
        }));
        session.commit().await?;
        // Loaded: its rows are deleted as ever, and the others' with them.
        session.delete(lists[0]);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE playlist_songs", "DELETE playlists"]);
        let mut session = db.session();
        let list = session.require::<Playlist>(2).await?;
        session.delete(list);
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE playlists"]);
        let song = session.require::<Song>(1).await?;
        let lists = song.playlists(&mut session).await?.to_vec();
        assert_eq!(lists.len(), 1);
        assert_eq!(lists[0].songs(&mut session).await?.len(), 2);
        log.emitted();
        session.delete(song);
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE songs"]);
        assert_eq!(session[lists[0]].songs.loaded().map(<[_]>::len), Some(1));
    }

    /// SEMANTICS 7.10: an action that went over rows which aren't in memory: objects that refer to
    /// a row of which nothing is known are expired, those whose row is known to stay are not.
    async fn rule_7_10_actions_over_rows_that_are_not_in_memory(db) {
        db.create(&estate_tables()).await?;
        let mut session = db.session();
        for (at, name) in ["a", "b"].into_iter().enumerate() {
            let id = at as i64 + 1;
            session.add(Estate::draft().name(name));
            session.flush().await?;
            session.add(Building::draft().name(name).estate_id(id));
            session.flush().await?;
            session.add(Flat::draft().name(name).building_id(id));
            session.flush().await?;
            session.add(Tenant::draft().name(name).flat_id(id));
        }
        session.add(Tenant::draft().name("c"));
        session.commit().await?;

        // Only tenants are in memory; which flat is whose nobody knows.
        let mut session = db.session();
        let tenants = Tenant::select().order_by(Tenant::id.asc()).all(&mut session).await?;
        let estate = session.require::<Estate>(1).await?;
        session.delete(estate);
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.emitted(), ["DELETE estates"]);
        assert!(is_expired(&session, tenants[0]) && is_expired(&session, tenants[1]));
        assert!(!is_expired(&session, tenants[2]), "it refers to nothing");
        session.refresh(tenants[0]).await?;
        session.refresh(tenants[1]).await?;
        assert_eq!((session[tenants[0]].flat_id, session[tenants[1]].flat_id), (None, Some(2)));
        session.rollback().await?;
        session.refresh(tenants[0]).await?;
        assert_eq!(session[tenants[0]].flat_id, Some(1));

        // With every row of the way in memory it is known who is concerned.
        Flat::select().all(&mut session).await?;
        Building::select().all(&mut session).await?;
        session.refresh(tenants[1]).await?;
        let flats = [session.require::<Flat>(1).await?, session.require::<Flat>(2).await?];
        session.delete(estate);
        session.commit().await?;
        assert!(is_expired(&session, tenants[0]) && is_expired(&session, flats[0]));
        assert!(!is_expired(&session, tenants[1]) && !is_expired(&session, flats[1]));
        assert_eq!(session.get::<Flat>(1).await?, None);
        session.refresh(tenants[0]).await?;
        assert_eq!(session[tenants[0]].flat_id, None);
        assert_eq!(tenants[0].flat(&mut session).await?, None);
    }

    /// SEMANTICS 7.10: an expired row in between says nothing: those who refer to it are expired.
    async fn rule_7_10_actions_over_rows_that_are_expired(db) {
        db.create(&estate_tables()).await?;
        let mut session = db.session();
        session.add(Estate::draft().name("a"));
        session.flush().await?;
        session.add(Building::draft().name("a").estate_id(1));
        session.flush().await?;
        for (id, name) in [(1, "a"), (2, "b")] {
            session.add(Flat::draft().name(name).building_id(1));
            session.flush().await?;
            session.add(Tenant::draft().name(name).flat_id(id));
        }
        session.commit().await?;
        let tenants = Tenant::select().order_by(Tenant::id.asc()).all(&mut session).await?;
        let estate = session.require::<Estate>(1).await?;
        let flat = session.require::<Flat>(1).await?;
        session.expire(flat);
        session.delete(estate);
        session.commit().await?;
        for tenant in tenants {
            assert!(is_expired(&session, tenant));
            session.refresh(tenant).await?;
            assert_eq!(session[tenant].flat_id, None);
        }
        assert_eq!(session.get::<Flat>(1).await?, None);
    }
}

/// Whether a track is a member of one of these albums.
fn loaded_by(session: &Session, albums: &[Handle<Album>], track: Handle<Track>) -> bool {
    albums.iter().any(|album| session[*album].tracks.loaded().is_some_and(|it| it.contains(&track)))
}
