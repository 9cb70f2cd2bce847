//! Views, by hand as the derive writes them, fed with rows of values.

use super::models::{Post, Tag, User};
use super::print;
use crate::error::Result;
use crate::query::view::Loading;
use crate::query::{View, ViewRow, ViewShape};
use crate::value::{Value, ValueCells};

macro_rules! view {
    ($view:ident of $model:ident { $($field:ident: $type:ty = $source:ident),* $(,)? }) => {
        #[derive(Debug, PartialEq)]
        struct $view { $($field: $type),* }

        impl View for $view {
            type Of = $model;
            fn __shape(shape: &mut ViewShape) {
                $(shape.field::<$type, _>($model::$source);)*
            }
            fn __build(row: &mut ViewRow<'_>) -> Result<Self> {
                Ok(Self { $($field: row.field($model::$source)?),* })
            }
        }
    };
}

view!(UserOut of User { id: i64 = id, name: String = username, posts: Vec<PostOut> = posts });
view!(PostOut of Post { title: String = title, tags: Vec<TagOut> = tags, editor: Option<Box<Name>> = editor });
view!(TagOut of Tag { name: String = name });
view!(Name of User { username: String = username });
view!(Byline of Post { author: Name = user });
view!(Leak of User { password: String = password });
view!(Tree of Tag { name: String = name, children: Vec<Tree> = children });

/// Runs the planned statements against the given results, and checks their texts.
#[track_caller]
fn feed(loading: &mut Loading, expected: &[(&str, &[&[Value]])]) {
    for (text, rows) in expected {
        let tree = loading.next_statement().unwrap().expect("a statement");
        assert_eq!(print::select(&tree), *text);
        for row in *rows {
            loading.accept(&ValueCells(row)).unwrap();
        }
    }
    assert!(loading.next_statement().unwrap().is_none());
}

fn int(value: i64) -> Value {
    Value::Int(value)
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

#[test]
fn one_statement_per_relationship_and_level() {
    let views = User::select().view::<UserOut>().filter(User::id.lt(9)).limit(20);
    let mut loading = views.loading(100).unwrap();
    feed(
        &mut loading,
        &[
            (
                "SELECT users.id, users.username FROM users WHERE (users.id Less Int(9)) LIMIT 20",
                &[&[int(1), text("ada")], &[int(2), text("bob")]],
            ),
            (
                "SELECT posts.title, posts.id, posts.editor_id, posts.user_id FROM posts \
                 WHERE (posts.user_id) KEYS [[Int(1)], [Int(2)]] ORDER BY posts.title DESC, posts.id",
                &[
                    &[text("b"), int(11), Value::Null, int(1)],
                    &[text("a"), int(10), int(2), int(1)],
                ],
            ),
            (
                "SELECT tags.name, post_tags_1.post_id FROM tags \
                 JOIN post_tags AS post_tags_1 ON (post_tags_1.tag_id Equal tags.id) \
                 WHERE (post_tags_1.post_id) KEYS [[Int(11)], [Int(10)]] ORDER BY tags.id",
                &[&[text("x"), int(10)], &[text("y"), int(10)]],
            ),
            (
                "SELECT users.username, users.id FROM users WHERE (users.id) KEYS [[Int(2)]]",
                &[&[text("bob"), int(2)]],
            ),
        ],
    );
    let tag = |name: &str| TagOut { name: name.into() };
    let name = Name { username: "bob".into() };
    assert_eq!(
        loading.finish::<UserOut>().unwrap(),
        [
            UserOut {
                id: 1,
                name: "ada".into(),
                posts: vec![
                    PostOut { title: "b".into(), tags: vec![], editor: None },
                    PostOut {
                        title: "a".into(),
                        tags: vec![tag("x"), tag("y")],
                        editor: Some(Box::new(name))
                    },
                ]
            },
            UserOut { id: 2, name: "bob".into(), posts: vec![] },
        ]
    );
}

#[test]
fn nothing_is_asked_for_nobody_and_keys_come_in_chunks() {
    let mut loading = User::select().view::<UserOut>().loading(100).unwrap();
    feed(&mut loading, &[("SELECT users.id, users.username FROM users", &[])]);
    assert_eq!(loading.finish::<UserOut>().unwrap(), []);

    let mut loading = Post::select().view::<Byline>().loading(1).unwrap();
    feed(
        &mut loading,
        &[
            ("SELECT posts.user_id FROM posts", &[&[int(1)], &[int(2)], &[int(1)]]),
            (
                "SELECT users.username, users.id FROM users WHERE (users.id) KEYS [[Int(1)]]",
                &[&[text("ada"), int(1)]],
            ),
            (
                "SELECT users.username, users.id FROM users WHERE (users.id) KEYS [[Int(2)]]",
                &[&[text("bob"), int(2)]],
            ),
        ],
    );
    let authors: Vec<String> = loading
        .finish::<Byline>()
        .unwrap()
        .into_iter()
        .map(|byline| byline.author.username)
        .collect();
    assert_eq!(authors, ["ada", "bob", "ada"]);
}

#[test]
fn distinct_is_about_objects() {
    let mut loading = User::select().distinct().view::<Name>().loading(9).unwrap();
    let expected = "SELECT DISTINCT users.username, users.id FROM users";
    feed(&mut loading, &[(expected, &[])]);
}

#[test]
fn mistakes_are_errors() {
    let hidden = User::select().view::<Leak>().loading(9).unwrap_err().to_string();
    assert!(hidden.contains("`User::password` is marked"), "{hidden}");

    let mut loading = Post::select().view::<Byline>().loading(9).unwrap();
    loading.next_statement().unwrap();
    loading.accept(&ValueCells(&[int(7)])).unwrap();
    loading.next_statement().unwrap();
    let gone = loading.finish::<Byline>().unwrap_err().to_string();
    assert!(gone.contains("Post::user points to a row that is gone"), "{gone}");
}

#[test]
fn a_circle_of_rows_ends() {
    let mut loading = Tag::select().view::<Tree>().loading(9).unwrap();
    let error = loop {
        match loading.next_statement() {
            Ok(Some(_)) => loading.accept(&ValueCells(&[text("a"), int(1), int(1)])).unwrap(),
            Ok(None) => panic!("the circle has no end"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("more than 64 levels deep at `Tag::children`"), "{error}");
}
