//! `/users`

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use orm_core::query::Page;
use orm_core::{Handle, Session, SessionFactory, View};
use serde::{Deserialize, Serialize};

use super::posts::{NewPost, PostOut};
use super::{ApiError, Db, Json, Paging, Path, Post, Query, User};

/// A user in a list. A view names the columns that it needs, and no others are read.
#[derive(Serialize, View)]
#[orm(of = User)]
pub(super) struct UserLine {
    id: i64,
    username: String,
    email: String,
    created_at: DateTime<Utc>,
}

/// A user with the posts.
#[derive(Serialize, View)]
#[orm(of = User)]
pub(super) struct UserOut {
    id: i64,
    username: String,
    email: String,
    version: i64,
    created_at: DateTime<Utc>,
    posts: Vec<PostOut>,
}

impl UserOut {
    /// What was just written. The session knows every column, also those that the database filled
    /// in, so that this asks it nothing.
    fn of(session: &Session, user: Handle<User>) -> orm_core::Result<Self> {
        let posts = session.members(user, User::posts)?;
        let posts = posts.map(|(_, post)| PostOut::of(post)).collect();
        let user = &session[user];
        Ok(Self {
            id: user.id(),
            username: user.username.clone(),
            email: user.email.clone(),
            version: user.version,
            created_at: user.created_at(),
            posts,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Filter {
    /// What the username contains.
    name: Option<String>,
    #[serde(default)]
    order: Order,
}

/// The orders that a client may ask for.
#[derive(Default, Deserialize)]
enum Order {
    #[default]
    #[serde(rename = "username")]
    Username,
    #[serde(rename = "-username")]
    UsernameDown,
    #[serde(rename = "created_at")]
    Oldest,
    #[serde(rename = "-created_at")]
    Newest,
}

/// `GET /users?name=ad&order=-created_at&page=1&size=20`
pub(super) async fn list(
    State(sessions): State<SessionFactory>,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<UserLine>>, ApiError> {
    let mut users = User::select();
    if let Some(name) = filter.name {
        users = users.filter(User::username.contains(name));
    }
    users = match filter.order {
        Order::Username => users.order_by(User::username.asc()),
        Order::UsernameDown => users.order_by(User::username.desc()),
        Order::Oldest => users.order_by(User::created_at.asc()),
        Order::Newest => users.order_by(User::created_at.desc()),
    };
    // A request that only reads needs no session: nothing is tracked, there is nothing to commit.
    let users = users.view::<UserLine>().on(sessions.engine());
    Ok(Json(users.page(paging.number(), paging.size()).await?))
}

/// `GET /users/{id}`
pub(super) async fn read(
    State(sessions): State<SessionFactory>,
    Path(id): Path<i64>,
) -> Result<Json<UserOut>, ApiError> {
    let user = User::select().filter(User::id.eq(id)).view::<UserOut>();
    Ok(Json(user.on(sessions.engine()).one().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    username: String,
    email: String,
    #[serde(default)]
    posts: Vec<NewPost>,
}

/// `POST /users`, with posts in the same body: two INSERT statements, whatever their number.
pub(super) async fn create(
    Db(mut session): Db,
    Json(new): Json<NewUser>,
) -> Result<impl IntoResponse, ApiError> {
    let posts = new.posts.into_iter().map(NewPost::draft);
    let user = session.add(User::draft().username(new.username).email(new.email).posts(posts));
    session.commit().await?;
    let location = format!("/users/{}", session[user].id());
    let user = UserOut::of(&session, user)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(user)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserEdit {
    /// The version that the client has read, and edits.
    version: i64,
    username: Option<String>,
    email: Option<String>,
    /// Posts to edit, which have an `id`, and posts to add, which have none.
    #[serde(default)]
    posts: Vec<PostEdit>,
    /// The posts to remove.
    #[serde(default)]
    removed_posts: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostEdit {
    id: Option<i64>,
    title: Option<String>,
    body: Option<String>,
}

/// `PATCH /users/{id}`: what is left out stays as it is.
pub(super) async fn edit(
    Db(mut session): Db,
    Path(id): Path<i64>,
    Json(edit): Json<UserEdit>,
) -> Result<Json<UserOut>, ApiError> {
    let user = User::select().filter(User::id.eq(id)).with(User::posts).one(&mut session).await?;
    // A client that is late learns it here. One that is late by less, because somebody commits
    // between here and the UPDATE, learns it from that: `Error::StaleData` is a 409 as well.
    if session[user].version != edit.version {
        return Err(ApiError::conflict("this user was edited meanwhile: read it again"));
    }
    if let Some(username) = edit.username {
        session[user].username = username;
    }
    if let Some(email) = edit.email {
        session[user].email = email;
    }
    if !(edit.posts.is_empty() && edit.removed_posts.is_empty()) {
        // The version counts changes of the user's own row. This makes it stand for the posts too.
        session.set(user, User::updated_at, Utc::now());
    }
    for change in edit.posts {
        let Some(id) = change.id else {
            let title =
                change.title.ok_or_else(|| ApiError::invalid("title", "a new post needs one"))?;
            let new = Post::draft().title(title).body(change.body.unwrap_or_default());
            user.posts(&mut session).push(new);
            continue;
        };
        let post = post_of(&session, user, id)?;
        if let Some(title) = change.title {
            session[post].title = title;
        }
        if let Some(body) = change.body {
            session[post].body = body;
        }
    }
    for id in edit.removed_posts {
        let post = post_of(&session, user, id)?;
        user.posts(&mut session).remove(post);
    }
    session.commit().await?;
    Ok(Json(UserOut::of(&session, user)?))
}

/// The user's post with this id. Who sends the latest version has read of no others, unless one was
/// deleted on its own meanwhile.
fn post_of(session: &Session, user: Handle<User>, id: i64) -> Result<Handle<Post>, ApiError> {
    let mut posts = session.members(user, User::posts)?;
    let found = posts.find(|(post, _)| session.key(*post) == Some(id));
    let (post, _) = found.ok_or_else(|| {
        ApiError::conflict("this user has no such post (any more): read it again")
    })?;
    Ok(post)
}

/// `DELETE /users/{id}`, with the posts.
pub(super) async fn delete(
    Db(mut session): Db,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    let user = session.require::<User>(id).await?;
    session.delete(user);
    session.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
