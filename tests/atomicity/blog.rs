//! Graphs, cascades, orphans and many-to-many edits.

use crate::models::*;
use crate::sweep::{scenarios, sweep};
use crate::world::Start;
use crate::worlds::Blog;

scenarios! { Blog:
    fn a_graph_is_inserted(session, blog) {
        let comments = ["one", "two"].map(|text| Comment::draft().text(text));
        let new = Tag::draft().name("new");
        let post = Post::draft().title("Graphs").comments(comments).tags([blog.tags[0]]);
        let eve = session.add(User::draft().name("eve").posts([post]));
        let posts = session[eve].posts.loaded().expect("it is new").to_vec();
        session.link(posts[0], Post::tags, new);
        session.set_one(eve, User::profile, None);
        session.push(eve, User::pictures, Picture::draft().file("e.png"));
    }

    fn rows_of_several_shapes_are_inserted(session, blog) {
        for (at, name) in ["s0", "s1", "s2", "s3"].into_iter().enumerate() {
            let user = session.add(User::draft().name(name));
            if at % 2 == 0 {
                session.set(user, User::nickname, Some("short".to_owned()));
            }
            let post = session.add(Post::draft().title(name).user(user));
            if at < 2 {
                session.set(post, Post::rank, 1);
            }
            session.push(post, Post::comments, Comment::draft().text("hello"));
        }
        session[blog.users[0]].visits = 1;
    }

    fn updates_of_several_shapes(session, blog) {
        session[blog.users[0]].visits = 5;
        session[blog.users[1]].visits = 6;
        session[blog.users[1]].nickname = None;
        session[blog.posts[0]].title = "Machines".into();
        session[blog.posts[1]].title = "Letters".into();
        session[blog.posts[2]].rank = 1;
        session[blog.comments[0]].text = "edited".into();
        session[blog.tags[1]].name = "ferris".into();
    }

    fn expressions_are_evaluated_and_read_back(session, blog) {
        session.set(blog.users[0], User::visits, User::visits + 10);
        session.set(blog.users[1], User::visits, User::visits + 20);
        session.set(blog.posts[0], Post::rank, Post::rank * 2);
        session[blog.posts[0]].title = "Doubled".into();
    }

    /// SEMANTICS 7.2, 7.3
    fn a_delete_cascades(session, blog) {
        session.delete(blog.users[0]);
    }

    /// SEMANTICS 4.8
    @sparse fn a_delete_reads_what_it_cascades_to(session, blog) {
        session.delete(blog.users[0]);
        session.delete(blog.users[1]);
        session.delete(blog.tags[2]);
    }

    /// SEMANTICS 7.4
    fn orphans_are_deleted(session, blog) {
        session.remove(blog.users[0], User::posts, blog.posts[1]);
        session.remove(blog.posts[0], Post::comments, blog.comments[0]);
    }

    /// SEMANTICS 7.4, 8.4
    fn a_collection_is_replaced(session, blog) {
        let new = session.add(Post::draft().title("Third").user(blog.users[1]));
        session.replace(blog.users[0], User::posts, [blog.posts[1], new]);
        session.replace(blog.posts[1], Post::comments, [Comment::draft().text("only")]);
    }

    /// SEMANTICS 8.2
    @sparse fn an_unloaded_collection_is_replaced(session, blog) {
        session.replace(blog.users[0], User::posts, [Post::draft().title("Only")]);
        session.replace(blog.users[1], User::pictures, [Picture::draft().file("new.png")]);
        session.replace(blog.tags[0], Tag::posts, [] as [orm_core::Handle<Post>; 0]);
    }

    /// SEMANTICS 7.5
    fn children_move(session, blog) {
        session.push(blog.users[1], User::posts, blog.posts[0]);
        session.push(blog.posts[2], Post::comments, blog.comments[1]);
        session.push(blog.users[1], User::pictures, blog.pictures[0]);
        session.set_one(blog.pictures[1], Picture::user, None);
    }

    fn children_move_to_a_new_parent_and_the_old_one_is_deleted(session, blog) {
        let eve = session.add(User::draft().name("eve"));
        for post in [blog.posts[0], blog.posts[1]] {
            session.push(eve, User::posts, post);
        }
        session.delete(blog.users[0]);
    }

    /// SEMANTICS 8.6
    fn pairs_are_added_and_removed(session, blog) {
        session.link(blog.posts[0], Post::tags, blog.tags[2]);
        session.unlink(blog.posts[0], Post::tags, blog.tags[0]);
        session.link(blog.tags[1], Tag::posts, blog.posts[2]);
        session.link(blog.posts[2], Post::tags, Tag::draft().name("new"));
    }

    /// SEMANTICS 8.6
    fn both_sides_of_pairs_are_deleted(session, blog) {
        session.delete(blog.tags[0]);
        session.delete(blog.posts[1]);
        session.link(blog.posts[0], Post::tags, blog.tags[2]);
    }

    /// SEMANTICS 8.5
    fn a_scalar_is_replaced(session, blog) {
        let motto = session.add(Profile::draft().motto("again").user(blog.users[0]));
        session.set_one(blog.users[0], User::profile, motto);
    }

    /// SEMANTICS 7.4
    fn a_scalar_moves(session, blog) {
        session.set_one(blog.users[1], User::profile, blog.profiles[0]);
        session[blog.profiles[0]].motto = "moved".into();
    }

    fn a_bit_of_everything(session, blog) {
        session[blog.users[0]].visits = 1;
        session.set(blog.users[1], User::visits, User::visits + 1);
        session.push(blog.users[1], User::posts, Post::draft().title("More"));
        session.push(blog.users[1], User::posts, blog.posts[0]);
        session.remove(blog.users[0], User::posts, blog.posts[1]);
        session.link(blog.posts[2], Post::tags, blog.tags[0]);
        session.delete(blog.tags[1]);
        let eve = session.add(User::draft().name("eve").nickname("e"));
        session.push(eve, User::pictures, blog.pictures[1]);
        session.set_one(eve, User::profile, blog.profiles[0]);
    }
}
