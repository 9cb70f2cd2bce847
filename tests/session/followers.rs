//! Who follows an object that is expunged, expired or refreshed: SEMANTICS 7.9.

use orm_core::session::ObjectState::{self, Detached, Pending, Persistent};
use orm_core::{Error, Handle, Model, Result, Session, schema};
use orm_tests::{Database, backend_tests};

use super::models::*;

/// An album with one object of each relationship, committed and loaded.
async fn album(db: &Database, session: &mut Session) -> Result<Handle<Album>> {
    db.create(&album_tables()).await?;
    let album = session.add(
        Album::draft()
            .title("Album")
            .tracks([Track::draft().title("Track")])
            .covers([Cover::draft().title("Cover")])
            .reviews([Review::draft().title("Review")]),
    );
    session.commit().await?;
    Ok(album)
}

fn members(
    session: &Session,
    album: Handle<Album>,
) -> (Handle<Track>, Handle<Cover>, Handle<Review>) {
    let album = &session[album];
    let loaded = "a new collection is known";
    (
        album.tracks.loaded().expect(loaded)[0],
        album.covers.loaded().expect(loaded)[0],
        album.reviews.loaded().expect(loaded)[0],
    )
}

/// Pages that lead to each other in a circle, committed, and each other's neighbours loaded.
async fn circle(db: &Database, session: &mut Session, pages: usize) -> Result<Vec<Handle<Page>>> {
    db.create(&schema![Page]).await?;
    let all: Vec<_> =
        (0..pages).map(|at| session.add(Page::draft().name(at.to_string()))).collect();
    for (at, page) in all.iter().enumerate() {
        page.next(session).set(all[(at + 1) % pages]);
    }
    session.commit().await?;
    Ok(all)
}

fn is_expired<M: Model>(session: &Session, handle: Handle<M>) -> bool {
    matches!(session.try_get(handle), Err(Error::NotLoaded { field: "*", .. }))
}

fn states(session: &Session, pages: &[Handle<Page>]) -> Vec<ObjectState> {
    pages.iter().map(|page| session.state(*page)).collect()
}

backend_tests! {
    /// SEMANTICS 7.9: of the members, those leave whose relationship says so.
    async fn rule_7_9_expunge_follows_its_own_cascade_only(db) {
        let mut session = db.session();
        let album = album(&db, &mut session).await?;
        let (track, cover, review) = members(&session, album);
        session[cover].title = "unsaved".into();
        session[track].title = "saved".into();
        session.expunge(album);
        assert_eq!(session.state(cover), Detached);
        assert_eq!((session.state(track), session.state(review)), (Persistent, Persistent));
        assert_eq!(session[track].album.loaded(), None, "what showed it is unloaded");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE tracks"]);
    }

    /// SEMANTICS 7.9: members that are not loaded are not in the session, or stay.
    async fn rule_7_9_expunge_follows_loaded_members_only(db) {
        let mut session = db.session();
        let album = album(&db, &mut session).await?;
        let (_, cover, _) = members(&session, album);
        session.expire(album);
        session.refresh(album).await?;
        let log = db.log();
        session.expunge(album);
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session.state(cover), Persistent);
    }

    /// SEMANTICS 7.9, 1.1: pending members go too; others that were to lead to it lead nowhere.
    async fn rule_7_9_expunge_takes_pending_members_along(db) {
        let mut session = db.session();
        let album = album(&db, &mut session).await?;
        let (cover, track) = (
            session.add(Cover::draft().title("New").album(album)),
            session.add(Track::draft().title("New").album(album)),
        );
        let new = session.add(Album::draft().title("New"));
        let of_new = session.add(Cover::draft().title("Newer").album(new));
        let review = session.add(Review::draft().title("Newer").album(new));
        session.expunge(new);
        assert_eq!((session.state(of_new), session.state(review)), (Detached, Pending));
        assert_eq!(session[review].album.loaded(), Some(None));
        session.expunge(album);
        assert_eq!((session.state(cover), session.state(track)), (Detached, Pending));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT tracks", "INSERT reviews"]);
        assert_eq!(session[track].album_id, None);
    }

    /// SEMANTICS 1.1, 7.2, 7.9: whom a new object was given is known, also after a row left its
    /// collection, which that unloads.
    async fn rule_1_1_pending_members_that_are_not_shown_go_with_a_pending_owner(db) {
        let mut session = db.session();
        let album = album(&db, &mut session).await?;
        let leave: [fn(&mut Session, Handle<Cover>); 2] = [Session::expire, Session::expunge];
        let follow: [fn(&mut Session, Handle<Album>); 2] = [Session::delete, Session::expunge];
        for (leave, follow) in leave.iter().flat_map(|leave| follow.map(|follow| (leave, follow))) {
            let row = session.require::<Cover>(1).await?;
            let new = session.add(Album::draft().title("New"));
            let of_new = session.add(Cover::draft().title("New").album(new));
            session.push(new, Album::covers, row);
            leave(&mut session, row);
            assert_eq!(session[new].covers.loaded(), None);
            follow(&mut session, new);
            assert_eq!(session.state(of_new), Detached);
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        let row = session.require::<Cover>(1).await?;
        assert_eq!(row.album(&mut session).await?, Some(album));
    }

    /// SEMANTICS 7.9: a circle is walked once, whichever member it is entered by.
    async fn rule_7_9_circles_are_walked_once(db) {
        let mut session = db.session();
        let pages = circle(&db, &mut session, 5).await?;
        session[pages[2]].name = "edited".into();
        session.expire(pages[0]);
        assert!(pages.iter().all(|page| is_expired(&session, *page)));
        let log = db.log();
        session.refresh(pages[3]).await?;
        assert_eq!(log.emitted(), ["SELECT pages"], "one row, and nothing of the edit is written");
        assert_eq!(Page::select().with(Page::before).all(&mut session).await?.len(), 5);
        assert_eq!(session[pages[2]].name, "2");
        session.expunge(pages[4]);
        assert_eq!(states(&session, &pages), [Detached; 5]);
    }

    /// SEMANTICS 7.9, 10.1: who follows is expired with its edits; pending ones leave.
    async fn rule_7_9_expire_follows_its_own_cascade_only(db) {
        let mut session = db.session();
        let album = album(&db, &mut session).await?;
        let (track, cover, review) = members(&session, album);
        session[track].title = "edited".into();
        session[review].title = "kept".into();
        let new_track = session.add(Track::draft().title("New").album(album));
        let new_review = session.add(Review::draft().title("New").album(album));
        session.expire(album);
        assert!(is_expired(&session, album) && is_expired(&session, track));
        assert!(!is_expired(&session, cover) && !is_expired(&session, review));
        assert_eq!((session.state(new_track), session.state(new_review)), (Detached, Pending));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE reviews", "INSERT reviews"]);
        session.refresh(track).await?;
        assert_eq!(session[track].title, "Track");
    }

    /// SEMANTICS 10.2, 7.9: one statement; who follows is expired and loaded when it is met again.
    async fn rule_10_2_refresh_expires_who_follows(db) {
        let mut session = db.session();
        let album = album(&db, &mut session).await?;
        let (track, cover, review) = members(&session, album);
        let mut other = db.session();
        let theirs = other.require::<Track>(session[track].id()).await?;
        other[theirs].title = "Theirs".into();
        other.commit().await?;
        session[album].title = "discarded".into();
        session[track].title = "discarded".into();
        session[review].title = "flushed".into();
        let log = db.log();
        session.refresh(album).await?;
        assert_eq!(log.emitted(), ["UPDATE reviews", "SELECT albums"]);
        assert_eq!(session[album].title, "Album");
        assert!(is_expired(&session, track) && !is_expired(&session, cover));
        assert_eq!(album.tracks(&mut session).await?, [track]);
        assert_eq!(session[track].title, "Theirs");
        log.emitted();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 10.2: an autoflush that fails leaves what was discarded discarded, and says so.
    async fn rule_10_2_refresh_whose_autoflush_fails(db) {
        committed(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let (ada, bob) = (session.require::<User>(1).await?, session.require::<User>(2).await?);
        session[ada].visits = 5;
        session[bob].username = "ada".into();
        let error = session.refresh(ada).await.unwrap_err();
        assert!(error.to_string().contains("autoflush"), "{error}");
        session.rollback().await?;
        session.refresh(ada).await?;
        assert_eq!((session[ada].visits, session[bob].username.as_str()), (0, "bob"));
    }

    /// SEMANTICS 7.9, 1.3: what an expunge unloaded is loaded again after a rollback, not wrong.
    async fn rule_7_9_a_rollback_after_an_expunge_shows_no_stale_members(db) {
        committed(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<User>(1).await?;
        let posts = ada.posts(&mut session).await?;
        session.expunge(posts[0]);
        session.rollback().await?;
        let again = ada.posts(&mut session).await?;
        assert_eq!(again.len(), 2);
        assert!(again.contains(&posts[1]) && !again.contains(&posts[0]));
    }
}

/// SEMANTICS 7.9: a graph leaves in time that grows with it, not with its square, edited or not.
#[test]
fn rule_7_9_large_graphs_leave_in_linear_time() {
    async fn expunged_in(db: &Database, members: usize) -> Result<std::time::Duration> {
        let db = db.with_engine(|engine| engine).await?;
        db.create(&user_tables()).await?;
        let mut session = db.session();
        let posts = |title: &'static str| (0..members).map(move |_| Post::draft().title(title));
        let (ada, bob) = (session.add(user("ada")), session.add(user("bob")));
        ada.posts(&mut session).extend(posts("of ada"));
        bob.posts(&mut session).extend(posts("of bob"));
        let committed = session[ada].posts.loaded().expect("new").to_vec();
        session.commit().await?;
        for post in committed {
            session[post].rank = 1;
            session.push(bob, User::posts, post);
        }
        bob.posts(&mut session).extend(posts("pending"));
        let started = std::time::Instant::now();
        session.expunge(bob);
        let took = started.elapsed();
        session.commit().await?;
        assert_eq!(Post::select().filter(Post::rank.eq(1)).count(&mut session).await?, 0);
        Ok(took)
    }
    orm_tests::run(orm_tests::Backend::Sqlite, async |db| {
        let (few, many) = (expunged_in(&db, 500).await?, expunged_in(&db, 4_000).await?);
        // Eight times as many: a square would be sixty-four times as long.
        assert!(many < few * 32 + std::time::Duration::from_millis(20), "{few:?}, then {many:?}");
        Ok(())
    });
}
