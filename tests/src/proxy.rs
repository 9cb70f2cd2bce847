//! A TCP proxy in front of a server, which loses connections at a message of the test's choice.
//!
//! It knows just enough of the servers' protocols to tell one message from the next. What strikes
//! one connection strikes all of them, as it does when a server or the network goes down; until
//! [`heal`](Proxy::heal) it stays down.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// What happens to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They are reset.
    Reset,
    /// They end as if the other side had closed them.
    Close,
    /// They end in the middle of the message.
    Torn,
    /// Nothing is passed on any more, and nobody is told. What was held back is passed on when the
    /// proxy heals.
    Silence,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    protocol: Protocol,
    /// Host and port.
    server: String,
    plan: Mutex<Option<Plan>>,
    weather: watch::Sender<Weather>,
    /// How many connections there have been.
    connections: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Protocol {
    Postgres,
    MySql,
}

/// When to strike.
#[derive(Debug)]
struct Plan {
    side: Side,
    /// How many more of its messages pass.
    passing: usize,
    fault: Fault,
}

/// How the connections fare.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// What lasts until the proxy heals.
    fault: Option<Fault>,
    /// How often connections have been cut: each of them dies with the first that it sees.
    cuts: usize,
    /// How often connections have been stranded: those from before are silent.
    strandings: usize,
    /// How many of these are over: those from before are closed.
    buried: usize,
}

/// What a connection's weather was like when it began.
#[derive(Clone, Copy)]
struct Birth {
    cuts: usize,
    strandings: usize,
}

impl Weather {
    fn is_fatal_to(&self, birth: Birth) -> bool {
        self.cuts > birth.cuts || self.buried > birth.strandings
    }

    fn is_fair_to(&self, birth: Birth) -> bool {
        self.fault != Some(Fault::Silence) && self.strandings == birth.strandings
    }
}

impl Proxy {
    /// A proxy in front of the server of this URL; none, if it names no server.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn in_front_of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (protocol, port, plain) = match scheme {
            "postgres" => (Protocol::Postgres, 5432, "sslmode=disable"),
            "mysql" => (Protocol::MySql, 3306, "ssl-mode=disabled"),
            _ => return None,
        };
        let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
        let server = match host.rsplit_once(':') {
            Some((_, given)) if is_port(given) => host.to_owned(),
            _ => format!("{host}:{port}"),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        // An encrypted connection would hide where its messages end.
        let separator = if url.contains('?') { '&' } else { '?' };
        let user = authority.strip_suffix(host).unwrap_or_default();
        let behind = &rest[authority.len()..];
        let url = format!("{scheme}://{user}{address}{behind}{separator}{plain}");
        let weather = watch::Sender::new(Weather::default());
        let shared = Arc::new(Shared {
            protocol,
            server,
            plan: Mutex::default(),
            weather,
            connections: AtomicUsize::new(0),
        });
        let listening = tokio::spawn(Arc::clone(&shared).listen(listener));
        Some(Self { url, shared, listening })
    }

    /// The server's URL, by way of the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many connections it has taken so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Lets so many messages of this side pass, counted over all connections from now on, and
    /// strikes instead of passing on the next.
    pub fn arm(&self, side: Side, passing: usize, fault: Fault) {
        *self.shared.plan() = Some(Plan { side, passing, fault });
    }

    /// Strikes at once.
    pub fn strike(&self, fault: Fault) {
        *self.shared.plan() = None;
        self.shared.strike(fault);
    }

    /// Forgets the connections that there are, as a firewall does: nothing is passed on and nobody
    /// is told, until the proxy heals and they end. New ones pass.
    pub fn strand(&self) {
        self.shared.weather.send_modify(|weather| weather.strandings += 1);
    }

    /// Whether it has struck and not healed since.
    pub fn has_struck(&self) -> bool {
        self.shared.weather.borrow().fault.is_some()
    }

    /// Waits until it strikes.
    pub async fn struck(&self) {
        let mut weather = self.shared.weather.subscribe();
        // The sender lives as long as this borrow.
        let _ = weather.wait_for(|weather| weather.fault.is_some()).await;
    }

    /// Lets everything through again, what was held back first.
    pub fn heal(&self) {
        *self.shared.plan() = None;
        self.shared.weather.send_modify(|weather| {
            weather.fault = None;
            weather.buried = weather.strandings;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        // Each connection holds what it shares with the others.
        self.shared.strike(Fault::Close);
    }
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strike(&self, fault: Fault) {
        self.weather.send_modify(|weather| {
            weather.fault = Some(fault);
            weather.cuts += usize::from(fault != Fault::Silence);
        });
    }

    /// Counts a message; gives the fault that strikes in its place.
    fn count(&self, side: Side) -> Option<Fault> {
        let mut armed = self.plan();
        let plan = armed.as_mut().filter(|plan| plan.side == side)?;
        if plan.passing > 0 {
            plan.passing -= 1;
            return None;
        }
        let fault = plan.fault;
        *armed = None;
        self.strike(fault);
        Some(fault)
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            let weather = self.weather.subscribe();
            if !matches!(weather.borrow().fault, None | Some(Fault::Silence)) {
                continue;
            }
            self.connections.fetch_add(1, Ordering::Relaxed);
            let shared = Arc::clone(&self);
            tokio::spawn(async move {
                // Whoever is at the other end notices by itself.
                let _ = Link { shared, weather }.serve(client).await;
            });
        }
    }
}

/// One connection through the proxy.
struct Link {
    shared: Arc<Shared>,
    weather: watch::Receiver<Weather>,
}

impl Link {
    async fn serve(mut self, mut client: TcpStream) -> io::Result<()> {
        let birth = {
            let weather = self.weather.borrow();
            Birth { cuts: weather.cuts, strandings: weather.strandings }
        };
        if !self.passes(birth).await {
            return Ok(());
        }
        let mut server = TcpStream::connect(&self.shared.server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let outcome = self.pass_on(birth, &mut client, &mut server).await;
        if matches!(outcome, Ok(Some(Fault::Reset))) {
            client.set_zero_linger()?;
            server.set_zero_linger()?;
        }
        outcome.map(drop)
    }

    /// Passes messages on until one side ends, or the connection is cut.
    async fn pass_on(
        &mut self,
        birth: Birth,
        client: &mut TcpStream,
        server: &mut TcpStream,
    ) -> io::Result<Option<Fault>> {
        let protocol = self.shared.protocol;
        let mut requests = Messages::new(protocol, Side::Client);
        let mut answers = Messages::new(protocol, Side::Server);
        loop {
            let (side, count) = tokio::select! {
                biased;
                changed = self.weather.changed() => {
                    if changed.is_err() || !self.passes(birth).await {
                        return Ok(self.weather.borrow().fault);
                    }
                    continue;
                }
                count = server.read_buf(&mut answers.bytes) => (Side::Server, count?),
                count = client.read_buf(&mut requests.bytes) => (Side::Client, count?),
            };
            let (messages, to) = match side {
                Side::Client => (&mut requests, &mut *server),
                Side::Server => (&mut answers, &mut *client),
            };
            while let Some(message) = messages.next() {
                match self.shared.count(side) {
                    None => {}
                    Some(Fault::Silence) => {
                        let passes = self.passes(birth).await;
                        if !passes {
                            return Ok(self.weather.borrow().fault);
                        }
                    }
                    Some(Fault::Torn) => {
                        to.write_all(&message[..message.len() / 2]).await?;
                        return Ok(Some(Fault::Torn));
                    }
                    Some(fault) => return Ok(Some(fault)),
                }
                to.write_all(&message).await?;
            }
            if count == 0 {
                return Ok(None);
            }
        }
    }

    /// Whether the connection is still passed on, once it is not silent.
    async fn passes(&mut self, birth: Birth) -> bool {
        let is_over = |weather: &Weather| weather.is_fatal_to(birth) || weather.is_fair_to(birth);
        self.weather.wait_for(is_over).await.is_ok_and(|weather| !weather.is_fatal_to(birth))
    }
}

/// What one side has sent and was not passed on yet.
struct Messages {
    protocol: Protocol,
    /// Whether a message begins with a byte that says what it is.
    is_typed: bool,
    bytes: Vec<u8>,
}

impl Messages {
    fn new(protocol: Protocol, side: Side) -> Self {
        // The first message of a client of PostgreSQL is older than the types.
        let is_typed = matches!((protocol, side), (Protocol::Postgres, Side::Server));
        Self { protocol, is_typed, bytes: Vec::new() }
    }

    /// The next whole message.
    fn next(&mut self) -> Option<Vec<u8>> {
        let length = match self.protocol {
            Protocol::Postgres => {
                let at = usize::from(self.is_typed);
                let length = self.bytes.get(at..at + 4)?.try_into().expect("four bytes");
                at + u32::from_be_bytes(length) as usize
            }
            Protocol::MySql => {
                let length = self.bytes.get(..4)?;
                4 + u32::from_le_bytes([length[0], length[1], length[2], 0]) as usize
            }
        };
        if self.bytes.len() < length {
            return None;
        }
        self.is_typed = true;
        let rest = self.bytes.split_off(length);
        Some(std::mem::replace(&mut self.bytes, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::{Messages, Protocol, Side};

    fn split(protocol: Protocol, side: Side, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Messages::new(protocol, side);
        let mut found = Vec::new();
        // Bytes come in any pieces.
        for byte in bytes {
            messages.bytes.push(*byte);
            found.extend(messages.next());
        }
        found
    }

    #[test]
    fn messages_are_told_apart() {
        let startup = [0, 0, 0, 9, 0, 3, 0, 0, 0];
        let sync = [b'S', 0, 0, 0, 4];
        let sent = [&startup[..], &sync, &sync].concat();
        let expected = [startup.to_vec(), sync.to_vec(), sync.to_vec()];
        assert_eq!(split(Protocol::Postgres, Side::Client, &sent), expected);
        assert_eq!(split(Protocol::Postgres, Side::Server, &sync), [sync]);
        let ping = [1, 0, 0, 0, 14];
        assert_eq!(split(Protocol::MySql, Side::Client, &[ping, ping].concat()), [ping, ping]);
    }
}
