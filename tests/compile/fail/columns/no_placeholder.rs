use orm_core::{Json, Model};

#[derive(serde::Serialize, serde::Deserialize)]
struct Settings {
    dark: bool,
}

#[derive(Model)]
struct User {
    #[orm(server_default = "'{\"dark\": true}'")]
    settings: Json<Settings>,
}

fn main() {}
