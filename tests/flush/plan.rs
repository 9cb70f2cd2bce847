//! `plan()`: the next flush in words.

use orm_core::{Error, Schema, schema};
use orm_tests::backend_tests;

use crate::models::{
    Article, ArticleLabel, City, Comment, Company, Country, Employee, Folder, Harbour, Label,
    Picture, Region, Street, Vote,
};

fn articles() -> Schema {
    schema![Article, Label, ArticleLabel, Comment, Vote, Picture]
}

backend_tests! {
    /// Steps with numbers, tables, rows, columns and reasons.
    async fn a_plan_reads_as_numbered_steps(db) {
        db.create(&articles()).await?;
        let mut session = db.session();
        session.add(
            Article::draft()
                .title("a")
                .labels([Label::draft().name("x"), Label::draft().name("y")])
                .comments([Comment::draft().text("c")]),
        );
        let log = db.log();
        let plan = session.plan()?;
        assert_eq!(
            plan.to_string(),
            "1. INSERT articles: 1 row (title)\n\
             2. INSERT labels: 2 rows (name)\n\
             3. INSERT comments: 1 row (text, article_id), after articles: comments.article_id\n\
             4. INSERT article_labels: 2 rows (article_id, label_id), \
             after articles: article_labels.article_id; after labels: article_labels.label_id"
        );
        assert_eq!(plan.steps()[3].rows, 2);
        assert_eq!(plan.steps()[3].table, "article_labels");
        assert_eq!(plan.steps()[3].columns, ["article_id", "label_id"]);
        assert_eq!(log.all(), [""; 0]);
        assert_eq!(session.plan()?, plan);

        // What was planned is what runs.
        session.commit().await?;
        let planned: Vec<String> =
            plan.steps().iter().map(|step| format!("{} {}", step.operation, step.table)).collect();
        assert_eq!(log.emitted(), planned);
        assert_eq!(session.plan()?.to_string(), "nothing to flush");
    }

    /// Updates name what they write, deletes what they find rows by.
    async fn a_plan_of_updates_and_deletes(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let countries = ["no", "se", "fi"]
            .map(|code| session.add(Country::draft().code(code).name("?")));
        let [bergen, oslo] = ["Bergen", "Oslo"]
            .map(|name| session.add(Harbour::draft().name(name).country(countries[1])));
        session.commit().await?;
        session[countries[0]].name = "Norway".into();
        session[countries[2]].name = "Finland".into();
        bergen.country(&mut session).set(countries[0]);
        session.delete(oslo);
        session.delete(countries[1]);
        assert_eq!(
            session.plan()?.to_string(),
            "1. UPDATE countries: 2 rows (name)\n\
             2. UPDATE harbours: 1 row (country_code), after countries: harbours.country_code\n\
             3. DELETE harbours: 1 row (name)\n\
             4. DELETE countries: 1 row (code), after harbours: harbours.country_code"
        );
        session.commit().await?;
    }

    /// Levels and broken circles say so.
    async fn a_plan_of_circles(db) {
        db.create(&schema![Company, Employee, Folder]).await?;
        let mut session = db.session();
        let company = session.add(Company::draft().name("Engines"));
        let chief = session.add(Employee::draft().name("Ada").company(company));
        company.chief(&mut session).set(chief);
        assert_eq!(
            session.plan()?.to_string(),
            "1. INSERT companies: 1 row (name, chief_id)\n\
             2. INSERT employees: 1 row (name, company_id), \
             level 1 below the rows that they refer to\n\
             3. UPDATE companies: 1 row (chief_id), breaks a circle of new rows"
        );
        session.commit().await?;
        session.delete(company);
        session.delete(chief);
        assert_eq!(
            session.plan()?.to_string(),
            "1. UPDATE companies: 1 row (chief_id), breaks a circle of rows to delete\n\
             2. DELETE employees: 1 row (id)\n\
             3. DELETE companies: 1 row (id), after the rows that refer to them"
        );
        session.commit().await?;

        let root = session.add(Folder::draft().name("root"));
        session.add(Folder::draft().name("leaf").parent(root));
        assert_eq!(
            session.plan()?.to_string(),
            "1. INSERT folders: 1 row (name, parent_id)\n\
             2. INSERT folders: 1 row (name, parent_id), \
             level 1 below the rows that they refer to"
        );
    }

    /// Only the nearest reason is named: what follows from it goes without saying, unless the
    /// table between takes no part.
    async fn a_plan_gives_no_reason_twice(db) {
        db.create(&schema![Region, City, Street]).await?;
        let mut session = db.session();
        session.add(Street::draft().name("street").city_id(1));
        session.add(Region::draft().name("region"));
        assert_eq!(
            session.plan()?.to_string(),
            "1. INSERT regions: 1 row (name)\n\
             2. INSERT streets: 1 row (name, city_id), after regions"
        );
        session.add(City::draft().name("city").region_id(1));
        assert_eq!(
            session.plan()?.to_string(),
            "1. INSERT regions: 1 row (name)\n\
             2. INSERT cities: 1 row (name, region_id), after regions: cities.region_id\n\
             3. INSERT streets: 1 row (name, city_id), after cities: streets.city_id"
        );
        session.rollback().await?;
    }

    /// A plan reads nothing: where the flush would have to, it says so and the flush does.
    async fn a_plan_that_needs_the_database_says_so(db) {
        db.create(&articles()).await?;
        let mut session = db.session();
        let article = session.add(Article::draft().title("a"));
        session.commit().await?;
        let id = session[article].id();
        let mut session = db.session();
        let article = session.require::<Article>(id).await?;
        session.delete(article);
        let log = db.log();
        assert!(matches!(session.plan(), Err(Error::Misuse(_))));
        assert_eq!(log.all(), [""; 0]);
        session.commit().await?;
        assert_eq!(Article::select().count(&mut session).await?, 0);
    }
}
