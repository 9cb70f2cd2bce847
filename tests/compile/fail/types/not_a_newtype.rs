use orm_core::ColumnType;

#[derive(ColumnType)]
struct Name {
    first: String,
}

#[derive(ColumnType)]
struct Nickname(Option<String>);

#[derive(ColumnType)]
#[orm(primary_key)]
struct Email(String);

fn main() {}
