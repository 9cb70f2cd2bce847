use orm_core::Enum;

#[derive(Enum)]
enum Status {
    Active,
    Banned(String),
    Away { since: i64 },
}

fn main() {}
