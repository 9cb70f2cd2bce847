//! `/posts`, and `/users/{id}/posts`

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use orm_core::query::Page;
use orm_core::session::New;
use orm_core::{Entity, SessionFactory, View};
use serde::{Deserialize, Serialize};

use super::{ApiError, Db, Json, Paging, Path, Post, Query, User};

/// A post of a user.
#[derive(Serialize, View)]
#[orm(of = Post)]
pub(super) struct PostOut {
    id: i64,
    title: String,
    body: String,
    created_at: DateTime<Utc>,
}

impl PostOut {
    /// A post that a session has.
    pub(super) fn of(post: &Entity<Post>) -> Self {
        Self {
            id: post.id(),
            title: post.title.clone(),
            body: post.body.clone(),
            created_at: post.created_at(),
        }
    }
}

/// A post in a list, with its author: two statements for the whole page.
#[derive(Serialize, View)]
#[orm(of = Post)]
pub(super) struct PostLine {
    id: i64,
    title: String,
    created_at: DateTime<Utc>,
    #[orm(from = user)]
    author: AuthorOut,
}

#[derive(Serialize, View)]
#[orm(of = User)]
struct AuthorOut {
    id: i64,
    username: String,
}

#[derive(Deserialize)]
pub(super) struct Filter {
    /// The username of the author.
    author: Option<String>,
    /// What the title contains.
    title: Option<String>,
}

/// `GET /posts?author=ada&title=notes`, the newest first.
pub(super) async fn list(
    State(sessions): State<SessionFactory>,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<PostLine>>, ApiError> {
    let mut posts = Post::select().order_by(Post::id.desc());
    if let Some(author) = filter.author {
        posts = posts.filter(Post::user.has(User::username.eq(author)));
    }
    if let Some(title) = filter.title {
        posts = posts.filter(Post::title.contains(title));
    }
    let posts = posts.view::<PostLine>().on(sessions.engine());
    Ok(Json(posts.page(paging.number(), paging.size()).await?))
}

/// A post to be added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPost {
    title: String,
    #[serde(default)]
    body: String,
}

impl NewPost {
    /// The post, which whoever adds it gives a user.
    pub(super) fn draft(self) -> New<Post> {
        Post::draft().title(self.title).body(self.body).into()
    }
}

/// `POST /users/{id}/posts`
pub(super) async fn create(
    Db(mut session): Db,
    Path(id): Path<i64>,
    Json(new): Json<NewPost>,
) -> Result<(StatusCode, Json<PostOut>), ApiError> {
    let user = session.require::<User>(id).await?;
    let post = session.add(new.draft());
    post.user(&mut session).set(user);
    session.commit().await?;
    Ok((StatusCode::CREATED, Json(PostOut::of(&session[post]))))
}

/// `DELETE /posts/{id}`
pub(super) async fn delete(
    Db(mut session): Db,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    let post = session.require::<Post>(id).await?;
    session.delete(post);
    session.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
