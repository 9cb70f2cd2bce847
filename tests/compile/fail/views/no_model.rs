use orm_core::View;

#[derive(View)]
struct UserOut {
    username: String,
}

#[derive(View)]
#[orm(of = Post)]
struct PostOut<T> {
    title: T,
}

fn main() {}
