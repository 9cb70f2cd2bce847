//! Values on their way into PostgreSQL and back.

use crate::driver::{EachRow, Engine, Schema};
use crate::sql::testing::{at, post_tags, posts, tags, users};
use crate::sql::{InsertRows, Statement, render_insert};
use crate::value::{Cells, Value};

#[tokio::test]
async fn smoke() {
    let url = "postgres://postgres@127.0.0.1:5432/test?options[search_path]=orm_smoke";
    let engine = Engine::connect(url).await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    let schema = "DROP SCHEMA IF EXISTS orm_smoke CASCADE; CREATE SCHEMA orm_smoke";
    connection.run(Statement::words(schema), &mut ()).await.unwrap();
    let schema = Schema::new([users as _, posts as _, tags as _, post_tags as _]);
    engine.create_all(&schema).await.unwrap();
    engine.create_all(&schema).await.unwrap();
    let dialect = engine.dialect();
    for (rows, base) in [(1, "a"), (3, "b")] {
        let columns = vec![at(users(), "email"), at(users(), "age"), at(users(), "mood")];
        let values = (0..rows)
            .flat_map(|row| {
                [
                    Value::Text(format!("{base}{row}@x")),
                    if row == 1 { Value::Null } else { Value::Int(row) },
                    Value::Label("it's ok"),
                ]
            })
            .collect();
        let insert = InsertRows {
            table: users(),
            columns,
            rows: usize::try_from(rows).unwrap(),
            values,
            returning: vec![0, 1, at(users(), "mood")],
            skip_existing: vec![],
        };
        let insert = render_insert(dialect, insert).unwrap();
        println!("{}", insert.text);
        let mut sink = EachRow(|cells: &dyn Cells| {
            println!("{:?} {:?} {:?}", cells.int(0), cells.timestamp(1), cells.text(2));
            Ok(())
        });
        connection.run(insert, &mut sink).await.unwrap();
    }
    drop(connection);
    engine.drop_all(&schema).await.unwrap();
    let mut connection = engine.connection().await.unwrap();
    connection.run(Statement::words("DROP SCHEMA orm_smoke CASCADE"), &mut ()).await.unwrap();
}
