//! Association rows, what a flush reads by itself, and that it is done afterwards:
//! SEMANTICS 4.6, 4.8, 4.9.

use orm_core::{Schema, schema};
use orm_tests::backend_tests;

use crate::models::{Article, ArticleLabel, Comment, Label, Picture, Vote};

fn all() -> Schema {
    schema![Article, Label, ArticleLabel, Comment, Vote, Picture]
}

backend_tests! {
    /// SEMANTICS 4.6: association rows after both sides, in one statement.
    async fn rule_4_6_pairs_are_inserted_after_both_sides(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        let label = session.add(Label::draft().name("rust"));
        for title in ["a", "b"] {
            let other = Label::draft().name(title);
            let article = session.add(Article::draft().title(title).labels([other]));
            label.articles(&mut session).push(article);
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["INSERT labels", "INSERT articles", "INSERT article_labels"]
        );
        let pairs = ArticleLabel::select().all(&mut session).await?;
        assert_eq!(pairs.len(), 4);
    }

    /// SEMANTICS 4.6: pairs go before either side does.
    async fn rule_4_6_pairs_are_deleted_before_either_side(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        let labels = ["x", "y"].map(|name| session.add(Label::draft().name(name)));
        let article = session.add(Article::draft().title("a").labels(labels));
        let other = session.add(Article::draft().title("b").labels(labels));
        session.commit().await?;
        session.delete(article);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE article_labels", "DELETE articles"]);
        assert_eq!(ArticleLabel::select().count(&mut session).await?, 2);
        for label in labels {
            assert_eq!(session[label].articles.loaded(), Some(&[other][..]));
        }
        // The other side, whose pairs this session has not loaded.
        let mut second = db.session();
        let label = Label::select().filter(Label::name.eq("x")).one(&mut second).await?;
        log.emitted();
        second.delete(label);
        second.commit().await?;
        assert_eq!(log.emitted(), ["DELETE article_labels", "DELETE labels"]);
        assert_eq!(ArticleLabel::select().count(&mut second).await?, 1);
    }

    /// SEMANTICS 4.6: DELETE before INSERT.
    async fn rule_4_6_pairs_are_deleted_before_others_are_inserted(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        let [x, y, z] = ["x", "y", "z"].map(|name| session.add(Label::draft().name(name)));
        let article = session.add(Article::draft().title("a").labels([x, y]));
        session.commit().await?;
        article.labels(&mut session).push(z);
        article.labels(&mut session).remove(x);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["DELETE article_labels", "INSERT article_labels"]);
        assert_eq!(session[article].labels.loaded(), Some(&[y, z][..]));
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 4.8: what deleted parents own is read in one statement per relationship and
    /// level, for all of them together.
    async fn rule_4_8_one_read_per_relationship_and_level(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        for title in 0..3 {
            session.add(
                Article::draft()
                    .title(format!("{title}"))
                    .pictures([Picture::draft().file("f")])
                    .comments([0, 1].map(|_| {
                        Comment::draft().text("c").votes([Vote::draft(), Vote::draft()])
                    })),
            );
        }
        session.commit().await?;

        let mut session = db.session();
        let articles = Article::select().all(&mut session).await?;
        let log = db.log();
        articles.iter().for_each(|article| session.delete(*article));
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                "SELECT comments",
                "SELECT pictures",
                "SELECT votes",
                "DELETE article_labels",
                "DELETE pictures",
                "DELETE votes",
                "DELETE comments",
                "DELETE articles"
            ]
        );
        assert_eq!(Vote::select().count(&mut session).await?, 0);
        assert_eq!(Picture::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 4.8: nothing is read where everything is known.
    async fn rule_4_8_nothing_is_read_that_is_known(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        let article =
            session.add(Article::draft().title("a").comments([Comment::draft().text("c")]));
        session.commit().await?;
        let log = db.log();
        session.delete(article);
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            ["DELETE article_labels", "DELETE comments", "DELETE articles"]
        );
    }

    /// SEMANTICS 4.9: after inserts, links, updates and deletes alike.
    async fn rule_4_9_a_second_flush_emits_nothing(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        let article = session.add(
            Article::draft()
                .title("a")
                .labels([Label::draft().name("x")])
                .comments([Comment::draft().text("c")]),
        );
        session.flush().await?;
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.all(), [""; 0]);

        session[article].title = "b".into();
        let comment = session[article].comments.loaded().unwrap()[0];
        article.comments(&mut session).remove(comment);
        session.flush().await?;
        assert_eq!(log.emitted(), ["UPDATE articles", "DELETE comments"]);
        session.flush().await?;
        assert_eq!(log.all(), [""; 0]);
        assert!(session.plan()?.is_empty());
        session.commit().await?;
        assert_eq!(log.all(), ["COMMIT"]);
    }

    /// SEMANTICS 4.9: a flush that has nothing to write doesn't begin a transaction.
    async fn rule_4_9_a_flush_without_work_sends_nothing(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        let article = session.add(Article::draft().title("a"));
        session.delete(article);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session.plan()?.to_string(), "nothing to flush");
    }

    /// SEMANTICS 6.3 and 4.6: deletes and pairs in chunks, too.
    async fn rule_6_3_deletes_and_pairs_in_chunks(db) {
        db.create(&all()).await?;
        let mut session = db.session();
        let labels = session.add_all((0..1100).map(|at| Label::draft().name(format!("{at}"))));
        let article = session.add(Article::draft().title("a").labels(labels.clone()));
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                db.per_statement("INSERT labels", 1100),
                vec!["INSERT articles"],
                db.per_statement("INSERT article_labels", 1100),
            ]
            .concat()
        );
        article.labels(&mut session).replace([labels[7]]);
        session.commit().await?;
        assert_eq!(log.emitted(), db.per_statement("DELETE article_labels", 1099));
        assert_eq!(ArticleLabel::select().count(&mut session).await?, 1);
        log.emitted();
        labels.iter().for_each(|label| session.delete(*label));
        session.commit().await?;
        assert_eq!(
            log.emitted(),
            [
                db.per_statement("DELETE article_labels", 1100),
                db.per_statement("DELETE labels", 1100),
            ]
            .concat()
        );
        assert_eq!(Label::select().count(&mut session).await?, 0);
        assert_eq!(session[article].labels.loaded(), Some(&[][..]));
    }
}
