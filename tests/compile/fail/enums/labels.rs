use orm_core::Enum;

#[derive(Enum)]
#[orm(rename_all = "snakecase")]
enum Status {
    #[orm(rename = "on")]
    Active,
    #[orm(rename = "on")]
    Banned,
    #[orm(rename = "1")]
    Away,
}

#[derive(Enum)]
enum Nothing {}

#[derive(Enum)]
struct Name(String);

fn main() {}
