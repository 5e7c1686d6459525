//! Who may enter: what stands between a port and the services behind it.
//!
//! A connection comes to a [`Door`]. The [`Gate`] lets it in or not, TLS is spoken, and it is cut
//! off by time if it does nothing. Each call then says who makes it, by a [`Token`] or by the
//! connection's certificate; the [`Access`] list knows the [`Principal`] and what its [`Role`]s let
//! it do.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `door` | connections: accepted, let in, and their TLS spoken |
//! | `gate` | how many may be inside, and who has to go |
//! | `connection` | one of them, cut off by time |
//! | `peer` | whose it is |
//! | `tls` | the certificates that are shown and asked for |
//! | `web` | HTTP/1 on such connections |
//! | `lasting` | what lasts as long as an answer does |
//! | `list` | who may do what: the access list |
//! | `principal`, `role` | somebody on it, and what they may do |
//! | `token` | secrets that say who calls, and their digests |
//! | `session` | those who have signed in by a browser |
//! | `rate` | how many records a second one may send |
//! | `seats` | how many calls may be under way |
//! | `metrics` | what is measured |

mod connection;
mod door;
mod gate;
mod lasting;
mod list;
mod metrics;
mod peer;
mod principal;
mod rate;
mod role;
mod seats;
mod session;
mod tls;
mod token;
mod web;

pub use connection::{Connection, Times};
pub use door::{Door, Spoken};
pub use gate::{Gate, Room};
pub use lasting::Lasting;
pub use list::{Access, AccessError, Refusal, is_name};
pub use peer::{Call, Peer};
pub use principal::Principal;
pub use rate::Rate;
pub use role::{NoRole, Role};
pub use seats::{Seat, Seats};
pub use session::{Session, Sessions};
pub use tls::{Tls, TlsError, TlsFiles};
pub use token::{Digest, NoBearer, NoDigest, Token, bearer};
pub use web::serve;
