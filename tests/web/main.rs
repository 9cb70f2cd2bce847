//! The web example over real HTTP: every route and every error, a crowd of clients, and clients
//! that hang up half-way.

mod client;
mod crowd;
mod errors;
mod hang_ups;
mod races;
mod routes;
mod server;
