//! A client that speaks as much HTTP/1.1 as the tests need, and may hang up at any moment.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::within;

/// A client of one server. Each request has a connection of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) SocketAddr);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The lines before the body.
    pub(crate) head: String,
    /// Null if there was none.
    pub(crate) body: Value,
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The id of what an answer with this status shows.
    #[track_caller]
    pub(crate) fn id(self, status: u16) -> i64 {
        self.expect(status)["id"].as_i64().expect("an id")
    }
}

impl Client {
    pub(crate) async fn get(self, path: &str) -> Answer {
        self.request("GET", path, None).await
    }

    pub(crate) async fn post(self, path: &str, body: Value) -> Answer {
        self.request("POST", path, Some(body)).await
    }

    pub(crate) async fn patch(self, path: &str, body: Value) -> Answer {
        self.request("PATCH", path, Some(body)).await
    }

    pub(crate) async fn delete(self, path: &str) -> Answer {
        self.request("DELETE", path, None).await
    }

    pub(crate) async fn request(self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.exchange(&request(method, path, body)).await
    }

    /// Sends text as it is, and awaits the answer.
    pub(crate) async fn exchange(self, text: &str) -> Answer {
        let mut stream = self.send(text).await;
        let mut answer = String::new();
        let read = within("the server answers", stream.read_to_string(&mut answer)).await;
        read.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = match body {
            "" => Value::Null,
            body => serde_json::from_str(body).expect("the body is JSON"),
        };
        Answer { status: status.expect("a status"), head: head.to_owned(), body }
    }

    /// Sends text and leaves the answer to come.
    pub(crate) async fn send(self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.0).await.expect("the server listens");
        stream.write_all(text.as_bytes()).await.expect("the server reads");
        stream
    }
}

/// The text of a request, after whose answer the server closes the connection.
pub(crate) fn request(method: &str, path: &str, body: Option<Value>) -> String {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
