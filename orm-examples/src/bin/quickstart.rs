//! A tour of the ORM in one file: models, a session, relationships, and the SQL beside them.
//!
//! ```text
//! cargo run -p orm-examples --bin quickstart
//! ```

use orm_core::{
    BelongsTo, Engine, Handle, HasMany, HasOne, ManyToMany, Model, Result, Session, SessionFactory,
    schema,
};
use orm_examples::Story;
use serde_json::json;

// ---------------------------------------------------------------- models
//
// One struct per table. Beside its own fields each of these has the base columns `id`,
// `created_at` and `updated_at`, which the database fills in.

/// The table `users`.
#[derive(Model)]
struct User {
    #[orm(unique, length = 64)]
    username: String,
    #[orm(unique)]
    email: String,
    #[orm(default = 0)]
    visits: i64,
    #[orm(foreign_key = Profile)]
    profile_id: Option<i64>,
    #[orm(foreign_key = Role)]
    role_id: Option<i64>,

    // Relationships are fields too. `via` names the foreign key if it is not `<field>_id`, and
    // `back_populates` the other side: the compiler checks that they fit together.
    #[orm(via = profile_id, back_populates = user, lazy = "joined")]
    profile: BelongsTo<Profile>,
    #[orm(back_populates = users)]
    role: BelongsTo<Role>,
    #[orm(back_populates = user, cascade = "all, delete-orphan")]
    posts: HasMany<Post>,
}

/// The table `profiles`: an enum, an array, a JSON document, and both kinds of defaults.
#[derive(Model)]
struct Profile {
    first_name: String,
    last_name: Option<String>,
    gender: Gender,
    #[orm(default = Profession::Developer)]
    profession: Profession,
    #[orm(server_default = "'UTC'", length = 32)]
    time_zone: String,
    interests: Option<Vec<String>>,
    contacts: Option<serde_json::Value>,

    #[orm(back_populates = profile)]
    user: HasOne<User>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
#[orm(rename_all = "snake_case")]
enum Gender {
    Female,
    Male,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
#[orm(rename_all = "snake_case")]
enum Profession {
    Developer,
    Mathematician,
    Unemployed,
}

/// The table `posts`.
#[derive(Model)]
struct Post {
    title: String,
    #[orm(default)]
    body: String,
    #[orm(foreign_key(User, on_delete = "cascade"), index)]
    user_id: i64,

    #[orm(back_populates = posts)]
    user: BelongsTo<User>,
}

/// The table `roles`.
#[derive(Model)]
struct Role {
    #[orm(unique)]
    name: String,

    #[orm(back_populates = role)]
    users: HasMany<User>,
    #[orm(secondary = RolePermission, back_populates = roles)]
    permissions: ManyToMany<Permission>,
}

/// The table `permissions`.
#[derive(Model)]
struct Permission {
    #[orm(unique)]
    name: String,

    #[orm(secondary = RolePermission, back_populates = permissions)]
    roles: ManyToMany<Role>,
}

/// Which role has which permission. No base columns: the pair is the key.
#[derive(Model)]
#[orm(table = "rbac_role_permission", base = none)]
struct RolePermission {
    #[orm(primary_key, foreign_key(Role, on_delete = "cascade"))]
    role_id: i64,
    #[orm(primary_key, foreign_key(Permission, on_delete = "cascade"))]
    permission_id: i64,
}

// ---------------------------------------------------------------- the tour

#[tokio::main]
async fn main() -> Result<()> {
    let engine = Engine::connect("sqlite::memory:").await?;
    let sessions = SessionFactory::new(engine.clone());
    let mut story = Story::of(&engine);

    create_tables(&engine, &mut story).await?;
    add_a_graph(sessions.session(), &mut story).await?;
    let mut session = sessions.session();
    let ada = read_it_back(&mut session, &mut story).await?;
    edit(&mut session, ada, &mut story).await?;
    remove_an_orphan(&mut session, ada, &mut story).await?;
    change_ones_mind(&mut session, ada, &mut story).await?;
    count(&engine, &mut story).await
}

async fn create_tables(engine: &Engine, story: &mut Story) -> Result<()> {
    story.chapter("The tables");
    engine.create_all(&schema![User, Profile, Post, Role, Permission, RolePermission]).await?;
    story.tell("Six structs are six tables, created in the order that their foreign keys ask for:");
    story.sql();
    Ok(())
}

async fn add_a_graph(mut session: Session, story: &mut Story) -> Result<()> {
    story.chapter("A graph of objects, one commit");
    // A draft knows which columns it can't do without: leave out `username` and this doesn't
    // compile. What a draft is related to is added along with it.
    let profile = Profile::draft()
        .first_name("Ada")
        .last_name("Lovelace")
        .gender(Gender::Female)
        .interests(vec!["engines".to_owned(), "poetry".to_owned()])
        .contacts(json!({ "letters": ["Babbage"] }));
    let editor = Role::draft()
        .name("editor")
        .permissions([Permission::draft().name("read"), Permission::draft().name("write")]);
    let posts = ["Notes on the Analytical Engine", "Bernoulli numbers"]
        .map(|title| Post::draft().title(title));
    let ada = session.add(
        User::draft()
            .username("ada")
            .email("ada@example.org")
            .profile(profile)
            .role(editor)
            .posts(posts),
    );
    // `add` gives a handle: a small `Copy` name. The session owns the object, and lends it.
    session[ada].visits += 1;
    ada.posts(&mut session).push(Post::draft().title("A draft in a drawer"));
    session.add(User::draft().username("charles").email("charles@example.org"));
    story.tell("Nothing is written before the flush, which knows what it will do:");
    println!("\n{}", session.plan()?);
    session.commit().await?;
    story.tell(
        "Parents go before children, and rows that look alike go together. The keys come back \
         to the objects that they belong to:",
    );
    story.sql();
    let profile = session.follow(ada, User::profile)?.expect("ada was given a profile");
    story.tell(format!(
        "ada has the key {} and visits {}. Her profession, {:?}, is the application's default; \
         her time zone, {}, the database's.",
        session[ada].id(),
        session[ada].visits,
        profile.profession,
        profile.time_zone,
    ));
    Ok(())
}

async fn read_it_back(session: &mut Session, story: &mut Story) -> Result<Handle<User>> {
    story.chapter("Reading it back");
    let authors = User::select()
        .filter(User::username.like("a%") & User::posts.any(Post::title.contains("Engine")))
        .order_by(User::created_at.desc())
        .with(User::posts.order_by(Post::id.asc()))
        .all(session)
        .await?;
    story.tell(
        "A new session finds the authors that have written about engines. Their profiles come \
         by a join, as the model says, and their posts by one more statement, for all authors \
         together:",
    );
    story.sql();
    let ada = authors[0];
    println!();
    for (_, post) in session.members(ada, User::posts)? {
        println!("    {}: {}", session[ada].username, post.title);
    }

    // What is not loaded is loaded when it is awaited.
    let role = ada.role(session).await?.expect("ada was given a role");
    for permission in role.permissions(session).await? {
        println!("    {} may {}", session[role].name, session[permission].name);
    }
    story.tell(
        "What wasn't asked for is loaded when it is needed, also for all objects of the query \
         at once:",
    );
    story.sql();
    assert_eq!(session.require::<User>(session[ada].id()).await?, ada);
    story.tell("One row is one object: asking for ada by her key finds her in the session.");
    story.sql();
    Ok(ada)
}

async fn edit(session: &mut Session, ada: Handle<User>, story: &mut Story) -> Result<()> {
    story.chapter("Editing");
    session[ada].email = "countess@example.org".to_owned();
    session.set(ada, User::visits, User::visits + 1); // added by the database, and read back
    let profile = ada.profile(session).await?.expect("ada was given a profile");
    session[profile].profession = Profession::Mathematician;
    if let Some(contacts) = &mut session[profile].contacts {
        contacts["letters"] = json!(["Babbage", "Faraday"]);
    }
    let role = ada.role(session).await?.expect("ada was given a role");
    role.permissions(session).push(Permission::draft().name("publish"));
    session.commit().await?;
    story.tell(
        "Objects are edited like any Rust value, JSON documents from within too. The commit \
         writes the columns that differ from what was loaded, and nothing else:",
    );
    story.sql();
    story.tell(format!("ada has now come {} times.", session[ada].visits));
    Ok(())
}

async fn remove_an_orphan(
    session: &mut Session,
    ada: Handle<User>,
    story: &mut Story,
) -> Result<()> {
    story.chapter("An orphan");
    let posts = ada.posts(session).await?;
    ada.posts(session).remove(posts[2]);
    session.commit().await?;
    story.tell(
        "A post doesn't outlive its place among its author's posts: the relationship says \
         `delete-orphan`. Taking it out deletes it:",
    );
    story.sql();
    Ok(())
}

async fn change_ones_mind(
    session: &mut Session,
    ada: Handle<User>,
    story: &mut Story,
) -> Result<()> {
    story.chapter("A change of mind");
    let first = ada.posts(session).await?[0];
    let title = session[first].title.clone();
    session[first].title = "Notes on nothing".to_owned();
    ada.posts(session).push(Post::draft().title("Regrets"));
    session.flush().await?;
    session.rollback().await?;
    story.tell("Two changes are flushed and then rolled back, in the database:");
    story.sql();
    assert_eq!(session[first].title, title);
    story.tell(format!(
        "And in memory, without a statement: the first post is again called \"{}\", and ada has \
         {} posts.",
        session[first].title,
        session.members(ada, User::posts)?.len(),
    ));
    Ok(())
}

async fn count(engine: &Engine, story: &mut Story) -> Result<()> {
    story.chapter("Numbers");
    let counts: Vec<(String, i64)> = User::select()
        .left_join(User::posts)
        .group_by(User::username)
        .order_by(User::username.asc())
        .columns((User::username, Post::id.count()))
        .on(engine)
        .all()
        .await?;
    story.tell("Columns instead of objects, typed, and without a session:");
    story.sql();
    println!();
    for (username, posts) in counts {
        println!("    {username:8} {posts} posts");
    }
    Ok(())
}
